//! `sltd-data keygen`: a key to sign snapshots with.

use crate::command::{FAILED, complain, print};
use clap::Args;
use sltd::snapshot::signature::SigningKey;
use std::path::PathBuf;
use std::process::ExitCode;

/// Make a key to sign snapshots with
///
/// Writes an Ed25519 private key (PKCS#8 PEM, as openssl does, not encrypted) into a file that only
/// its owner may read, and the public key, which servers and other publishers are told to trust,
/// into another; prints the key id, by which signatures name the key. Neither file may exist.
///
/// Whoever has the private key can publish whatever they like. Keep it where snapshots are published
/// and nowhere else; it needs no copy, since a new one takes its place as quickly.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  sltd-data keygen --out keys/2026
  sltd-data build --sources sources.toml --sign-key keys/2026

and in the configuration of servers:
  [[trusted_key]]
  file = \"keys/2026.pub\"

Exit codes: 0 made, 2 wrong usage, 3 the files can't be written, or are there already.")]
pub struct KeygenArgs {
    /// The file for the private key
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The file for the public key [default: that of the private key with .pub]
    #[arg(long, value_name = "FILE")]
    public: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &KeygenArgs) -> ExitCode {
    let public = args.public.clone().unwrap_or_else(|| {
        let mut name = args.out.clone().into_os_string();
        name.push(".pub");
        name.into()
    });
    let made = SigningKey::generate().and_then(|key| {
        key.write_new(&args.out, &public)?;
        Ok(key.id())
    });
    match made {
        Ok(id) => {
            // Should nobody be able to read the line: signatures name the key, too.
            let _ = print(format_args!("{id}\n"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(error);
            ExitCode::from(FAILED)
        }
    }
}
