//! `sltd check`.
//!
//! `ask` reads questions on a thread of its own and keeps a few calls under way; what comes of them is printed in the
//! order of the questions and folded into the exit code ([`outcomes`]).

mod ask;

use clap::builder::{StringValueParser, TypedValueParser};
use sltd::client::{Client, ClientError, ClientOptions, Question, outcomes, questions};
use sltd::document::DocumentType;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Ask a server whether documents are reported lost, stolen, stolen blank, revoked or invalidated
///
/// A document is given by its number (with the issuing State and the type where they are known:
/// without them a match is a REVIEW at most) or by its machine-readable zone (MRZ).
///
/// What stands on a command line stays in the shell's history and can be seen by other users while
/// the command runs: prefer standard input or a file.
///
/// NO_RECORD means that nobody has reported the document here; it does not mean that it is valid. A HIT
/// is a lead: confirm it with the authority named before acting.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES, after_long_help = LONG_AFTER_HELP)]
pub(crate) struct CheckArgs {
    /// Server to ask, as http://HOST:PORT
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7440")]
    server: String,
    #[command(flatten)]
    what: What,
    /// Issuing State: a Doc 9303 or ISO 3166-1 code, such as UTO; with `--number -` for the lines that
    /// name none
    #[arg(long, value_name = "C", conflicts_with_all = ZONES)]
    issuer: Option<String>,
    /// Type of document, such as passport, identity_card, visa or residence_permit, or the letter of a zone (P, I, V);
    /// with `--number -` for the lines that name none
    #[arg(long = "type", value_name = "T", conflicts_with_all = ZONES, value_parser = type_parser())]
    document_type: Option<DocumentType>,
    /// Print answers as JSON (protobuf's canonical mapping), one line each
    #[arg(long)]
    json: bool,
    /// Longest time for a call, retries included, such as 500ms, 5s or 2m
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = super::parse_deadline)]
    deadline: Duration,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Number as typed or printed; `-`: read `number[,issuer[,type]]` a line from standard input, or CSV with a header
    #[arg(long, value_name = "N")]
    number: Option<String>,
    /// File with a zone's lines as printed, several zones parted by an empty line; `-`: standard input
    #[arg(long, value_name = "F")]
    mrz_file: Option<PathBuf>,
    /// A zone, its lines parted by line breaks or blanks, or not at all
    #[arg(long, value_name = "TEXT")]
    mrz: Option<String>,
}

/// A zone says itself which State issued the document and what it is.
const ZONES: [&str; 2] = ["mrz_file", "mrz"];

const EXIT_CODES: &str = "\
Exit codes of one question:
  0 NO_RECORD   10 HIT   11 REVIEW   12 INCONCLUSIVE   13 REFER
  2 wrong usage, input that cannot be read, or a question the service rejects as malformed
  3 the service cannot be reached or fails
Of two or more: 0 all answered, 2 one was malformed, 3 one failed; 3 if both happened";

const LONG_AFTER_HELP: &str = "\
Output: one question is answered in several lines, two or more in one line each, in the order of \
the questions; with --json always in one line. What could not be answered gets a line too, that \
begins with MALFORMED or FAILED and names the line of the input, or with --json {\"error\": ...} with a \
google.rpc.Status (code 3: malformed). No such line repeats a document number. To learn that there is \
only one question, its answer waits for the second one or the end of the input, except with --json.

Among numbers blank lines are skipped. Fields may be quoted, and separated by commas, semicolons, tabs or bars. If the \
first line has a column `number` (or document_number), it is a header: the columns number, issuer (or issuing_state) \
and type are read, in any order, and others are not.

Types are passport, domestic_passport, identity_card, visa, residence_permit, \
refugee_travel_document, emergency_travel_document, seafarers_document, laissez_passer and other, with blanks or \
hyphens in place of the underscore too, and the letters P, V, I, A and C as in zones. Among zones, lines parted by an \
empty line are one zone where together they have a known layout and none of the parts has. What holds no number or more \
than one (N/A, 000000000, 990000201.0, AB990204-AB990209) is malformed.

Examples:
  sltd check --mrz-file -                   # type or scan the zone, then Ctrl-D
  echo 'X0000001,UTO,passport' | sltd check --number -
  sltd check --number - --issuer UTO --json < numbers.csv > answers.jsonl
  sltd check --mrz-file zones.txt --server http://127.0.0.1:7440 --deadline 500ms

Exit codes of one question:
  0   NO_RECORD: nobody has reported it here
  10  HIT: reported by its owner
  11  REVIEW: perhaps reported, a person must compare
  12  INCONCLUSIVE: could not be answered, as a rule read it again
  13  REFER: stop and refer the holder to the authority
  2   wrong usage, input that cannot be read, or a question the service rejects as malformed
  3   the service cannot be reached or fails
Exit codes of two or more questions:
  0   all were answered, whatever the verdicts
  2   one or more were malformed, or the input could not be read to its end
  3   one or more failed; also if others were malformed: asking again may help";

/// Takes the words that lists use for types.
fn type_parser() -> impl TypedValueParser<Value = DocumentType> {
    StringValueParser::new().try_map(|word| {
        let names = || DocumentType::ALL.map(DocumentType::name).join(", ");
        DocumentType::from_name(&word).ok_or_else(|| format!("expected one of {}", names()))
    })
}

/// Asks, prints and folds what came of it into the exit code.
pub(crate) fn run(args: CheckArgs) -> ExitCode {
    let defaults = questions::Defaults {
        issuer: args.issuer.unwrap_or_default(),
        document_type: args.document_type,
    };
    let source = match source(args.what, defaults) {
        Ok(source) => source,
        Err(message) => return usage(&message),
    };
    let options = ClientOptions {
        deadline: args.deadline,
        ..ClientOptions::default()
    };
    let mut printer = outcomes::Printer::new(io::stdout().lock(), args.json);
    match ask_all(args.server, options, source, &mut printer) {
        Ok(()) => {}
        Err(CheckError::Client(error)) => return usage(&error.to_string()),
        Err(CheckError::Runtime(error)) => {
            super::fail(format_args!("cannot start: {error}"));
            return ExitCode::from(super::FAILED);
        }
        // Whoever reads has seen enough: no error.
        Err(CheckError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(CheckError::Output(error)) => {
            super::say(format_args!("cannot write the answers: {error}"));
            return ExitCode::from(super::FAILED);
        }
    }
    let tally = printer.tally();
    if let Some(message) = tally.complaint() {
        super::say(message);
    }
    ExitCode::from(tally.exit_code())
}

/// Why checking as a whole cannot go on. What befalls single questions is printed instead.
#[derive(Debug)]
enum CheckError {
    Client(ClientError),
    Runtime(io::Error),
    Output(io::Error),
}

fn ask_all(
    server: String,
    options: ClientOptions,
    source: questions::Source,
    printer: &mut outcomes::Printer<impl io::Write>,
) -> Result<(), CheckError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CheckError::Runtime)?;
    let outcome = runtime.block_on(async {
        let client = Client::connect([server], options)
            .await
            .map_err(CheckError::Client)?;
        let questions = ask::read_on_a_thread(source).map_err(CheckError::Runtime)?;
        ask::ask(&client, questions, printer)
            .await
            .map_err(CheckError::Output)
    });
    // The reading thread may wait for input that nobody needs any more: it ends with the process.
    runtime.shutdown_background();
    outcome
}

fn source(what: What, defaults: questions::Defaults) -> Result<questions::Source, String> {
    let stdin = || Box::new(BufReader::new(io::stdin())) as questions::Input;
    Ok(match what {
        What {
            number: Some(number),
            ..
        } if number == "-" => questions::Source::Numbers(stdin(), defaults),
        What {
            number: Some(number),
            ..
        } => questions::Source::One(defaults.complete(Question::number(number), "", None)),
        What {
            mrz_file: Some(path),
            ..
        } if path == Path::new("-") => questions::Source::Zones(stdin()),
        What {
            mrz_file: Some(path),
            ..
        } => questions::Source::Zones(Box::new(BufReader::new(open(&path)?))),
        What { mrz, .. } => questions::Source::One(Question::zone(mrz.unwrap_or_default())),
    })
}

fn open(path: &Path) -> Result<impl Read + Send + use<>, String> {
    File::open(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn usage(message: &str) -> ExitCode {
    super::fail(message);
    ExitCode::from(super::USAGE)
}

#[cfg(test)]
mod tests;
