//! What commands are told of signatures.

use clap::Args;
use sltd::service::parse_duration;
use sltd::snapshot::Terms;
use sltd::snapshot::signature::{KeyError, SigningKey, TrustedKeys};
use std::path::PathBuf;
use std::time::Duration;

/// The highest generation that `--above` takes: a mistyped one must not use up all that there are.
pub(crate) const GENERATION_MAX: u64 = 999_999_999_999;

/// Of commands that read a store.
#[derive(Debug, Clone, Args)]
pub(crate) struct TrustArgs {
    /// A list of keys, as in a server's configuration; the snapshot must be signed with one of them
    #[arg(long, value_name = "FILE")]
    trusted_keys: Option<PathBuf>,
}

/// Of commands that publish.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Signing")]
pub(crate) struct TermsArgs {
    /// A private key to sign with, in a file that only its owner may read (see `keygen`); repeatable
    #[arg(long = "sign-key", value_name = "FILE")]
    pub(crate) sign_keys: Vec<PathBuf>,
    /// A list of keys, as in a server's configuration; with one of them must be signed what is
    /// current and what is published
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_keys: Option<PathBuf>,
    /// How long what is published may be relied on, such as 36h or 7d [default: no such limit; a
    /// delta leaves that of the snapshot before]
    #[arg(long, value_name = "DURATION", value_parser = parse_validity)]
    pub(crate) valid_for: Option<Duration>,
    /// Publish under a generation above this one: what servers have seen of a store that was
    /// restored from a backup since, as their refusals say
    #[arg(
        long,
        value_name = "GENERATION",
        value_parser = clap::value_parser!(u64).range(1..=GENERATION_MAX),
        help_heading = "Publishing"
    )]
    pub(crate) above: Option<u64>,
}

impl TrustArgs {
    /// Reads the keys.
    pub(crate) fn read(&self) -> Result<Terms, KeyError> {
        trusting(self.trusted_keys.as_ref())
    }
}

impl TermsArgs {
    /// Reads the keys.
    pub(crate) fn read(&self) -> Result<Terms, KeyError> {
        let keys = self.sign_keys.iter().map(|path| SigningKey::read(path));
        let terms = trusting(self.trusted_keys.as_ref())?
            .valid_for(self.valid_for)
            .above(self.above);
        terms.signing(keys.collect::<Result<_, _>>()?)
    }
}

/// A time for which something may be relied on.
pub(crate) fn parse_validity(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(Duration::ZERO) => {
            Err("what may be relied on for no time is of no use: expected at least 1ms".to_owned())
        }
        parsed => parsed.map_err(|error| error.to_string()),
    }
}

fn trusting(list: Option<&PathBuf>) -> Result<Terms, KeyError> {
    Ok(match list {
        Some(list) => Terms::default().trusting(TrustedKeys::read(list)?),
        None => Terms::default(),
    })
}
