//! The command line of `sltd-data nightly`.

use super::{NightlyConfig, fetch};
use crate::build::{Build, BuildFailure, Built, Silent, build_with, report};
use crate::command::{USAGE, complain, say, unusable};
use crate::config::{self, SourcesFile};
use crate::diff::Diff;
use crate::publish::{AcceptArgs, Holds, Who, by};
use crate::resources::{default_memory, default_threads};
use crate::terms::{GENERATION_MAX, TermsArgs};
use clap::Args;
use jiff::Timestamp;
use sltd::files::{self, File, Lock};
use sltd::report::Day;
use sltd::snapshot::{PublishError, Store, Terms};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

const EXIT_CODES: &str = "\
Exit codes: 0 published, 2 wrong usage, nightly.toml or sources.toml, 3 failed, 20 published with a
source held, 21 refused by a guard, 22 withheld by a pin, 23 another process is changing the store,
24 too many rejects in a required source.";

const LONG_AFTER_HELP: &str = "\
A nightly.toml with everything it may say; store and sources are required, and paths are relative to
its folder:

";

/// A nightly.toml, as the help shows it.
const CONFIG: &str = r#"store = "store"
sources = "sources.toml"         # see `sltd-data build --help`; its [guards] hold
memory = "4GiB"                  # default: half of the memory available
threads = 2                      # default: the cores available
max_rejects = 0.05               # largest share of a source's rows that may be rejected
keep = 7                         # bases to keep to go back to; default: as before, at first 7
by = "nightly"                   # default: the system's user
sign_keys = ["keys/2026"]        # default: none, and what is published is not signed
trusted_keys = "keys/trusted.toml"  # who must have signed; see `sltd-data build --help`
valid_for = "36h"                # how long it may be relied on; default: no such limit
put_aside = false                # true: `sltd-data publish` publishes it, after somebody has looked

[[fetch]]                        # as many as there are suppliers
from = "/srv/inbox/ukraine"      # where a supplier puts lists
to = "lists/ukraine"             # where sources.toml looks for them; replaced as a whole
settled = "60s"                  # nothing is fetched while it is being written to; files with a
                                 # time in the future once they have not changed for as long
"#;

/// Do what is done every night: fetch lists, build, verify, guard, publish
///
/// Copies the lists that suppliers have put into their folders, builds a snapshot of all lists, holds
/// sources that trip a guard, or whose lists did not come or can't be fetched, and publishes. Of two at
/// once the second ends with 23 before it has touched anything. Prints the accounts and what
/// is different from the night before, for the morning. Run it again at will: it changes nothing that
/// has not changed.
#[derive(Debug, Args)]
#[command(
    after_help = EXIT_CODES,
    after_long_help = [LONG_AFTER_HELP, CONFIG, "\n", EXIT_CODES].concat(),
)]
pub struct NightlyArgs {
    /// The file that says what is done
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    accept: AcceptArgs,
    #[command(flatten)]
    who: Who,
    /// Publish under a generation above this one (see `sltd-data build --help`)
    #[arg(long, value_name = "GENERATION", value_parser = clap::value_parser!(u64).range(1..=GENERATION_MAX))]
    above: Option<u64>,
    /// List rows that are in force no longer in FILE, as CSV
    #[arg(long, value_name = "FILE")]
    expired: Option<PathBuf>,
    /// Show no progress, and no account of what went well: only errors, warnings and what was held
    #[arg(long, short)]
    quiet: bool,
    /// Print the accounts as one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &NightlyArgs) -> ExitCode {
    let config = match NightlyConfig::load(&args.config) {
        Ok(config) => config,
        Err(error) => {
            complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    let sources = match config::load(&config.sources) {
        Ok(sources) => sources,
        Err(error) => {
            complain(format_args!("{}: {error}", config.sources.display()));
            return ExitCode::from(USAGE);
        }
    };
    let terms = TermsArgs {
        sign_keys: config.sign_keys.clone(),
        trusted_keys: config.trusted_keys.clone(),
        valid_for: config.valid_for,
        above: args.above,
        unsigned: false,
    };
    let terms = match terms.read() {
        Ok(terms) => terms,
        Err(error) => return unusable(error),
    };
    report(args.json, args.quiet, |show| {
        nightly(args, &config, &sources, terms, show)
    })
}

/// Does the work, for which it alone has the right from the beginning on.
fn nightly(
    args: &NightlyArgs,
    config: &NightlyConfig,
    sources: &SourcesFile,
    terms: Terms,
    show: &mut dyn FnMut(&Diff),
) -> Result<Built, BuildFailure> {
    let writer = Store::writer(&config.store)?.with_terms(terms.clone());
    let _locks = lock_folders(config)?;
    let unfetched = fetch_all(config, sources, args.quiet)?;
    let now = Timestamp::now();
    let by = match &config.by {
        Some(configured) if !args.who.is_given() => configured.clone(),
        _ => by(&args.who),
    };
    let accepted = args.accept.accepted();
    let request = Build {
        sources,
        store: &config.store,
        terms: &terms,
        memory: config.memory.unwrap_or_else(default_memory),
        threads: config
            .threads
            .map_or_else(default_threads, |threads| threads.get().into()),
        as_of: Day::from_timestamp(now),
        built_at: now,
        max_rejects: config.max_rejects,
        by: &by,
        accepted: &accepted,
        put_aside: config.put_aside,
        compare: true,
        bases_kept: config.keep.map(Into::into),
        expired: args.expired.as_deref(),
    };
    build_with(&writer, &unfetched, &request, &Silent, show)
}

/// Locks the folders in which lists are put: another store may be built from them, too.
fn lock_folders(config: &NightlyConfig) -> Result<Vec<Lock>, PublishError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| PublishError::Io { path, source }
    };
    let store = config.store.canonicalize().map_err(io(&config.store))?;
    let mut folders = BTreeSet::new();
    for fetch in &config.fetches {
        let folder = files::folder_of(&fetch.to);
        files::create_folders(folder).map_err(io(folder))?;
        folders.insert(folder.canonicalize().map_err(io(folder))?);
    }
    // Locked already, by who builds.
    folders.remove(&store);
    let lock = |folder: PathBuf| {
        let lock = File::open(&folder).and_then(Lock::exclusive);
        lock.map_err(io(&folder))?
            .ok_or(PublishError::Locked(folder))
    };
    folders.into_iter().map(lock).collect()
}

/// Fetches from all suppliers. Where that fails, the sources are held whose lists are put there.
fn fetch_all(
    config: &NightlyConfig,
    sources: &SourcesFile,
    quiet: bool,
) -> Result<Holds, BuildFailure> {
    let mut unfetched = Holds::default();
    for from in &config.fetches {
        let (path, error) = match fetch(from, SystemTime::now()) {
            Ok(_) if quiet => continue,
            Ok(fetched) => {
                say(format_args!("{}: {fetched}", from.from.display()));
                continue;
            }
            Err(failed) => failed,
        };
        let why = format!("its list could not be fetched: {}: {error}", path.display());
        let affected = sources.sources.iter();
        let mut affected = affected
            .filter(|source| lies_in(&source.folder.join(&source.path), &from.to))
            .peekable();
        if affected.peek().is_none() {
            let to = from.to.clone();
            return Err(BuildFailure::Fetch { path, to, error });
        }
        affected.for_each(|source| unfetched.add(&source.name, &why));
    }
    Ok(unfetched)
}

/// Whether what a path or pattern names is in a folder, by their names alone.
fn lies_in(path: &Path, folder: &Path) -> bool {
    let plain = |path: &Path| -> PathBuf {
        let mut plain = PathBuf::new();
        for part in std::path::absolute(path)
            .as_deref()
            .unwrap_or(path)
            .components()
        {
            match part {
                Component::ParentDir => {
                    plain.pop();
                }
                part => plain.push(part),
            }
        }
        plain
    };
    plain(path).starts_with(plain(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_in_the_help_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nightly.toml");
        std::fs::write(&path, CONFIG).unwrap();
        let config = NightlyConfig::load(&path).unwrap();
        assert_eq!(config.store, folder.path().join("store"));
        assert_eq!(config.fetches[0].from, PathBuf::from("/srv/inbox/ukraine"));
        assert_eq!(config.sign_keys, [folder.path().join("keys/2026")]);
        assert_eq!(
            config.trusted_keys,
            Some(folder.path().join("keys/trusted.toml"))
        );
        assert!(CONFIG.lines().all(|line| line.len() <= 100));
    }

    #[test]
    fn mistakes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nightly.toml");
        for (more, expected) in [
            ("stor = 1", "unknown field `stor`"),
            ("memory = \"4\"", "expected a whole number followed by"),
            (
                "max_rejects = 2.0",
                "max_rejects: expected a share from 0 to 1",
            ),
            ("threads = 0", "nonzero"),
            ("[[fetch]]\nfrom = \"a\"", "missing field `to`"),
        ] {
            let text = format!("store = \"s\"\nsources = \"f\"\n{more}\n");
            std::fs::write(&path, text).unwrap();
            let error = NightlyConfig::load(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{more}: {error}");
        }
    }
}
