//! Stores on terms: what is read, what is published, and what is remembered, where keys are trusted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod published;
mod remembered;
mod trusted;

use jiff::Timestamp;
use sltd::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use sltd::index::{BuildOptions, Row, SegmentBuilder};
use sltd::report::{Day, ReportStatus};
use sltd::snapshot::signature::{SignatureError, SigningKey, TrustedKeyFile, TrustedKeys};
use sltd::snapshot::{
    Act, HighestSeen, HighestSeenError, LoadError, LoadOptions, Manifest, Origin, PublishError,
    Snapshot, Store, Terms,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A store, keys, and a folder for what is remembered.
struct Desk(TempDir);

/// From when until when a key is trusted, in seconds of the epoch.
type Window = (Option<i64>, Option<i64>);
const ALWAYS: Window = (None, None);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        fs::create_dir(desk.path("state")).unwrap();
        for key in ["old", "new"] {
            let public = desk.path(&format!("{key}.pub"));
            let made = SigningKey::generate().unwrap();
            made.write_new(&desk.path(key), &public).unwrap();
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The file of a manifest, or of something beside it.
    fn manifest(&self, generation: u64, ending: &str) -> PathBuf {
        let name = format!("{generation:08}.json{ending}");
        self.path("store").join("manifests").join(name)
    }

    fn current(&self) -> Vec<u8> {
        fs::read(self.path("store/CURRENT")).unwrap()
    }

    /// Signs with keys.
    fn signing(&self, terms: Terms, keys: &[&str]) -> Terms {
        let read = |key: &&str| SigningKey::read(&self.path(key)).unwrap();
        terms.signing(keys.iter().map(read).collect()).unwrap()
    }

    /// Trusts keys.
    fn trusting(&self, terms: Terms, keys: &[(&str, Window)]) -> Terms {
        let at = |second| Timestamp::from_second(second).unwrap();
        let keys = keys.iter().map(|(key, (from, until))| TrustedKeyFile {
            file: self.path(&format!("{key}.pub")),
            not_before: from.map(at),
            not_after: until.map(at),
        });
        terms.trusting(TrustedKeys::open(keys).unwrap())
    }

    fn trusts(&self, key: &str) -> Terms {
        self.trusting(Terms::default(), &[(key, ALWAYS)])
    }

    /// The terms of a server that trusts a key, as it begins.
    fn server(&self, key: &str) -> Result<Terms, HighestSeenError> {
        Ok(self
            .trusts(key)
            .remembering(HighestSeen::at(self.path("state"))?))
    }

    fn store(&self, terms: &Terms) -> Store {
        Store::open(self.path("store"))
            .unwrap()
            .with_terms(terms.clone())
    }

    fn load(&self, terms: &Terms) -> Result<Snapshot, LoadError> {
        self.store(terms).load_current(&LoadOptions::default())
    }

    /// Publishes a base, built at a second of the epoch.
    fn build(&self, terms: &Terms, second: i64) -> Result<Manifest, PublishError> {
        base(&self.path("store"), terms, second)
    }

    /// Publishes changes, of which there are none.
    fn delta(&self, terms: &Terms, second: i64) -> Result<Manifest, PublishError> {
        let delta = self.store(terms).delta()?;
        let changes = delta.build(
            &delta.rows(1 << 20, 1),
            &[],
            Day::from_ymd(2026, 1, 1).unwrap_or(Day::MIN),
        )?;
        let draft = delta.draft(&changes, &[], act(second))?;
        Ok(draft.publish(Vec::new())?.manifest)
    }
}

fn act(second: i64) -> Act<'static> {
    Act {
        at: Timestamp::from_second(second).unwrap(),
        by: "test",
        reason: "",
    }
}

fn base(store: &Path, terms: &Terms, second: i64) -> Result<Manifest, PublishError> {
    let writer = Store::writer(store)?.with_terms(terms.clone());
    let builder = SegmentBuilder::new(BuildOptions {
        memory: 1 << 20,
        threads: 1,
        scratch: writer.building(),
    });
    let number = DocumentNumber::normalise(&format!("AB{second:07}")).unwrap();
    let mut inserter = builder.inserter();
    let row = Row {
        numbers: NumberRange::new(number, number).unwrap(),
        issuing_state: IssuingState::parse("FIN").unwrap(),
        document_type: DocumentType::Passport,
        status: ReportStatus::Lost,
        source_status: "",
        date_of_loss: None,
        date_reported: None,
        review_date: None,
        authority: "",
        restriction: "",
        source: "own",
        third_party: false,
        owner_reference: "",
    };
    inserter.insert(&row).unwrap();
    inserter.finish().unwrap();
    let segment = writer.building().join("segment");
    builder.finish(&segment, &[], |_, _| ())?;
    let origin = Origin {
        sources: Vec::new(),
        as_of: Day::from_ymd(2026, 1, 1).unwrap(),
        built_at: Timestamp::from_second(second).unwrap(),
        bases_kept: None,
    };
    writer.publish(&segment, origin, act(second))
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
