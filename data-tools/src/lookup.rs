//! `sltd-data lookup`: a check without a server.

use crate::command::{FAILED, USAGE, complain, print, unusable};
use crate::terms::TrustArgs;
use clap::Args;
use clap::builder::{StringValueParser, TypedValueParser};
use sltd::client::{Answer, Fault, Verdict, json, text};
use sltd::document::DocumentType;
use sltd::proto::CheckDocumentRequest;
use sltd::service::{Offline, OfflineError};
use sltd::snapshot::signature::KeyError;
use sltd::snapshot::{LoadOptions, Store, Warm};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check one document against a store, without a server
///
/// Answers as a server of this store would, and as `sltd check` prints it. Opening the store
/// verifies all of it first, which reads every byte: for more than a few questions ask a server.
///
/// What stands on a command line stays in the shell's history and can be seen by other users while
/// the command runs; `sltd check` also reads numbers and zones from standard input.
///
/// NO_RECORD means that nobody has reported the document here; it does not mean that it is valid. A
/// HIT is a lead: confirm it with the authority named before acting.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes, as of `sltd check`:
  0   NO_RECORD: nobody has reported it here
  10  HIT: reported by its owner
  11  REVIEW: perhaps reported, a person must compare
  12  INCONCLUSIVE: could not be answered
  13  REFER: stop and refer the holder to the authority
  2   wrong usage, input that cannot be read, or a question that is malformed
  3   the store can't be read, is damaged, or not signed with a trusted key")]
pub struct LookupArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// Number as typed or printed
    #[arg(long, value_name = "N", required_unless_present = "mrz_file")]
    number: Option<String>,
    /// File with the lines of one zone as printed; `-`: standard input
    #[arg(long, value_name = "F", conflicts_with = "number")]
    mrz_file: Option<PathBuf>,
    /// Issuing State: a Doc 9303 or ISO 3166-1 code, such as D or FRA; without it a match is a REVIEW
    #[arg(long, value_name = "C", conflicts_with = "mrz_file")]
    issuer: Option<String>,
    /// Type of document; without it a match is a REVIEW
    #[arg(long = "type", value_name = "T", conflicts_with = "mrz_file", value_parser = type_parser())]
    document_type: Option<DocumentType>,
    /// Print the answer as JSON (protobuf's canonical mapping), in one line
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
    let (text, code) = match look_up(args) {
        Ok(answer) => {
            let text = if args.json {
                json::answer(&answer).map(|line| line + "\n")
            } else {
                Ok(text::full(&answer))
            };
            (text, exit_code(answer.verdict()))
        }
        Err(Failure::Malformed(fault)) => {
            complain(format_args!("malformed question: {fault}"));
            let text = if args.json {
                json::fault(&fault).map(|line| line + "\n")
            } else {
                Ok(String::new())
            };
            (text, USAGE)
        }
        Err(Failure::Input(message)) => return unusable(message),
        Err(Failure::Keys(error)) => return unusable(error),
        Err(Failure::Store(message)) => {
            complain(message);
            return ExitCode::from(FAILED);
        }
    };
    match text.map_err(io::Error::other).and_then(print) {
        Ok(()) => ExitCode::from(code),
        Err(error) => {
            complain(format_args!("cannot print the answer: {error}"));
            ExitCode::from(FAILED)
        }
    }
}

enum Failure {
    Malformed(Fault),
    Input(String),
    Keys(KeyError),
    Store(String),
}

fn look_up(args: &LookupArgs) -> Result<Answer, Failure> {
    let mrz = args.mrz_file.as_deref().map(read_zone).transpose();
    let request = CheckDocumentRequest {
        number: args.number.clone().unwrap_or_default(),
        mrz: mrz.map_err(Failure::Input)?.unwrap_or_default(),
        issuing_state: args.issuer.clone().unwrap_or_default(),
        // Types have the same codes on the wire and in segments.
        r#type: args
            .document_type
            .map_or(0, |document_type| i32::from(document_type.code())),
    };
    // One question touches a few pages; only the filter is worth bringing in.
    let options = LoadOptions {
        warm: Some(Warm::Filter),
        ..LoadOptions::default()
    };
    let terms = args.trust.read().map_err(Failure::Keys)?;
    let snapshot = Store::open(&args.store)
        .and_then(|store| store.with_terms(terms).load_current(&options))
        .map_err(|error| Failure::Store(error.to_string()))?;
    Offline::new(snapshot)
        .check_document(&request)
        .map_err(|error| match error {
            OfflineError::Malformed { field, description } => Failure::Malformed(Fault {
                field: field.to_owned(),
                description,
            }),
            other => Failure::Store(other.to_string()),
        })
}

/// The longest zone read, in bytes: room for three lines with whatever a reader puts around them.
const ZONE_BYTES_MAX: u64 = 1024;

fn read_zone(path: &Path) -> Result<String, String> {
    let mut zone = String::new();
    let read = if path == Path::new("-") {
        io::stdin().take(ZONE_BYTES_MAX).read_to_string(&mut zone)
    } else {
        File::open(path).and_then(|file| file.take(ZONE_BYTES_MAX).read_to_string(&mut zone))
    };
    match read {
        Ok(_) => Ok(zone),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// The contract of the exit codes, as `sltd check` has it.
fn exit_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::NoRecord => 0,
        Verdict::Hit => 10,
        Verdict::Review => 11,
        Verdict::Inconclusive => 12,
        Verdict::Refer => 13,
        // No snapshot answers so.
        Verdict::Unspecified => FAILED,
    }
}
