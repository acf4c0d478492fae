//! What commands are told of signatures.

use clap::Args;
use sltd::service::parse_duration;
use sltd::snapshot::Terms;
use sltd::snapshot::signature::{KeyError, SigningKey, TrustedKeys};
use std::path::PathBuf;
use std::time::Duration;

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
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) valid_for: Option<Duration>,
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
        let terms = trusting(self.trusted_keys.as_ref())?.valid_for(self.valid_for);
        terms.signing(keys.collect::<Result<_, _>>()?)
    }
}

fn trusting(list: Option<&PathBuf>) -> Result<Terms, KeyError> {
    Ok(match list {
        Some(list) => Terms::default().trusting(TrustedKeys::read(list)?),
        None => Terms::default(),
    })
}
