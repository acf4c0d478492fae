//! What commands are told of signatures.

use clap::Args;
use sltd::service::parse_duration;
use sltd::snapshot::signature::{KeyError, SigningKey, TrustedKeys};
use sltd::snapshot::{Terms, TermsFiles};
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
    /// Publish without a signature over a snapshot that is signed, which is refused otherwise
    #[arg(long, conflicts_with = "sign_keys")]
    pub(crate) unsigned: bool,
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
            .above(self.above)
            .unsigned(self.unsigned)
            .read_from(self.files());
        terms.signing(keys.collect::<Result<_, _>>()?)
    }

    /// What it is to be read from, wherever that is done.
    fn files(&self) -> TermsFiles {
        // What has no working directory is found by its name alone.
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        TermsFiles {
            sign_keys: self.sign_keys.iter().map(absolute).collect(),
            trusted_keys: self.trusted_keys.as_ref().map(absolute),
            valid_for_ms: self
                .valid_for
                .map(|time| time.as_millis().try_into().unwrap_or(u64::MAX)),
        }
    }

    /// The same, with what is not said here taken from others.
    pub(crate) fn or(&self, others: Option<TermsFiles>) -> Self {
        let others = others.unwrap_or_default();
        let mut terms = self.clone();
        if terms.sign_keys.is_empty() && !terms.unsigned {
            terms.sign_keys = others.sign_keys;
        }
        terms.trusted_keys = terms.trusted_keys.or(others.trusted_keys);
        let valid_for = others.valid_for_ms.map(Duration::from_millis);
        terms.valid_for = terms.valid_for.or(valid_for);
        terms
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
