//! `sltd-data lookup`: a check without a server.

use crate::command::{self, FAILED, complain, unusable};
use crate::terms::TrustArgs;
use clap::Args;
use clap::builder::{StringValueParser, TypedValueParser};
use sltd::client::outcomes::{Outcome, Printer};
use sltd::client::questions::{self, Defaults, Input, Source};
use sltd::client::{ClientError, Fault, Question};
use sltd::document::DocumentType;
use sltd::service::{Offline, OfflineError};
use sltd::snapshot::{LoadOptions, Store, Warm};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tonic::Code;

/// Check documents against a store, without a server
///
/// Answers as a server of this store would, and as `sltd check` prints it. Opening the store
/// verifies all of it first, which reads every byte: to ask often, ask a server.
///
/// What stands on a command line stays in the shell's history and can be seen by other users while
/// the command runs: prefer standard input or a file. Both are read as `sltd check` does: numbers as
/// lines or CSV with a header, zones parted by an empty line.
///
/// NO_RECORD means that nobody has reported the document here; it does not mean that it is valid. A
/// HIT is a lead: confirm it with the authority named before acting.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes of one question, as of `sltd check`:
  0   NO_RECORD: nobody has reported it here
  10  HIT: reported by its owner
  11  REVIEW: perhaps reported, a person must compare
  12  INCONCLUSIVE: could not be answered
  13  REFER: stop and refer the holder to the authority
  2   wrong usage, input that cannot be read, or a question that is malformed
  3   the store can't be read, is damaged, or not signed with a trusted key
Exit codes of two or more questions:
  0   all were answered, whatever the verdicts
  2   one or more were malformed, or the input could not be read to its end
  3   one or more failed

Example:
  sltd-data lookup --store var/store --number - <<< X0000001,UTO,passport")]
pub struct LookupArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// Number as typed or printed; `-`: read `number[,issuer[,type]]` a line from standard input, or CSV with a header
    #[arg(long, value_name = "N", required_unless_present = "mrz_file")]
    number: Option<String>,
    /// File with a zone's lines as printed, several zones parted by an empty line; `-`: standard input
    #[arg(long, value_name = "F", conflicts_with = "number")]
    mrz_file: Option<PathBuf>,
    /// Issuing State: a Doc 9303 or ISO 3166-1 code, such as D or FRA; without it a match is a REVIEW.
    /// With `--number -` for the lines that name none
    #[arg(long, value_name = "C", conflicts_with = "mrz_file")]
    issuer: Option<String>,
    /// Type of document; without it a match is a REVIEW. With `--number -` for the lines that name none
    #[arg(long = "type", value_name = "T", conflicts_with = "mrz_file", value_parser = type_parser())]
    document_type: Option<DocumentType>,
    /// Print answers as JSON (protobuf's canonical mapping), one line each
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Takes the words that lists use for types.
fn type_parser() -> impl TypedValueParser<Value = DocumentType> {
    StringValueParser::new().try_map(|word| {
        let names = || DocumentType::ALL.map(DocumentType::name).join(", ");
        DocumentType::from_name(&word).ok_or_else(|| format!("expected one of {}", names()))
    })
}

/// Runs the command.
pub fn run(args: &LookupArgs) -> ExitCode {
    let terms = match args.trust.read() {
        Ok(terms) => terms,
        Err(error) => return unusable(error),
    };
    let source = match source(args) {
        Ok(source) => source,
        Err(message) => return unusable(message),
    };
    // A few questions touch a few pages; only the filter is worth bringing in.
    let options = LoadOptions {
        warm: Some(Warm::Filter),
        ..LoadOptions::default()
    };
    let loaded =
        Store::open(&args.store).and_then(|store| store.with_terms(terms).load_current(&options));
    let offline = match loaded {
        Ok(snapshot) => Offline::new(snapshot),
        Err(error) => {
            complain(error);
            return ExitCode::from(FAILED);
        }
    };
    let mut printer = Printer::new(io::stdout().lock(), args.json);
    // It answers in JSON whatever is wrong with a question.
    command::prints_itself();
    match look_up(&offline, &args.store, source, &mut printer) {
        // Whoever reads has seen enough: no error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => {
            complain(format_args!("cannot print the answers: {error}"));
            return ExitCode::from(FAILED);
        }
        Ok(()) => {}
    }
    let tally = printer.tally();
    if let Some(message) = tally.complaint() {
        complain(message);
    }
    ExitCode::from(tally.exit_code())
}

/// Answers all questions of a source. An error is one of the output.
fn look_up(
    offline: &Offline,
    store: &Path,
    source: Source,
    printer: &mut Printer<impl io::Write>,
) -> io::Result<()> {
    let mut printed = Ok(());
    let read = questions::read(source, &mut |item| {
        let outcome = match item.question {
            Ok(question) => answer(offline, store, item.line, &question),
            Err(fault) => Outcome::malformed(item.line, vec![fault]),
        };
        printed = printer.print(outcome);
        printed.is_ok()
    });
    printed?;
    printer.end(read.err())
}

fn answer(offline: &Offline, store: &Path, line: u64, question: &Question) -> Outcome {
    match offline.check_document(question.request()) {
        Ok(answer) => Outcome::answered(answer),
        Err(OfflineError::Malformed(fields)) => {
            let faults = fields.into_iter().map(|field| Fault {
                field: field.field.to_owned(),
                description: field.description,
            });
            Outcome::malformed(line, faults.collect())
        }
        Err(error) => Outcome::failed(
            line,
            ClientError::Failed {
                endpoint: store.display().to_string(),
                code: Code::DataLoss,
                message: error.to_string(),
            },
        ),
    }
}

/// Where the questions come from, as the command line says.
fn source(args: &LookupArgs) -> Result<Source, String> {
    let stdin = || Box::new(BufReader::new(io::stdin())) as Input;
    let defaults = Defaults {
        issuer: args.issuer.clone().unwrap_or_default(),
        document_type: args.document_type,
    };
    Ok(match (&args.number, &args.mrz_file) {
        (Some(number), _) if number == "-" => Source::Numbers(stdin(), defaults),
        (Some(number), _) => {
            let question = Question::number(number.as_str());
            Source::One(defaults.complete(question, "", None))
        }
        (None, Some(path)) if path != Path::new("-") => {
            let file = File::open(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            Source::Zones(Box::new(BufReader::new(file)))
        }
        (None, _) => Source::Zones(stdin()),
    })
}
