//! One byte changed in every part of every file of a store: after `repair` and one build, the right answers are served.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use sltd::document::{DocumentNumber, DocumentType, Issuer, IssuingState};
use sltd::report::{Query, Verdict};
use sltd::snapshot::signature::TrustedKeys;
use sltd::snapshot::{Act, LoadOptions, Moment, RepairOutcome, Store, Terms};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Desk, files, sltd_data, succeeds};

const HEADER: &str = "number,issuing_state,type,status,date_reported,owner_reference";

const ACT: Act<'_> = Act {
    at: jiff::Timestamp::UNIX_EPOCH,
    by: "test",
    reason: "",
};

/// Numbers `AB000000` and so on that are reported.
type Reported = BTreeSet<u32>;

/// A store of two bases with changes between and after them, the lists that it was built from, and what it reports.
struct Victim {
    desk: Desk,
    keys: Vec<String>,
    reported: Reported,
}

impl Victim {
    fn new(signed: bool) -> Self {
        let desk = Desk::new();
        let mut keys = Vec::new();
        if signed {
            succeeds(sltd_data("keygen").arg("--out").arg(desk.path("key")));
            desk.write("trusted.toml", "[[trusted_key]]\nfile = \"key.pub\"\n");
            let path = |name: &str| desk.path(name).to_str().unwrap().to_owned();
            keys = vec![
                "--sign-key".to_owned(),
                path("key"),
                "--trusted-keys".to_owned(),
                path("trusted.toml"),
            ];
        }
        let victim = Self {
            desk,
            keys,
            reported: (20..60)
                .chain([70, 71, 72])
                .filter(|one| ![25, 26].contains(one))
                .collect(),
        };
        victim.list(1, 0..40);
        succeeds(&mut victim.build());
        succeeds(&mut victim.delta(2, &[(61, true), (0, false)]));
        victim.list(3, 20..60);
        succeeds(&mut victim.build());
        succeeds(&mut victim.delta(4, &[(70, true), (25, false)]));
        succeeds(&mut victim.delta(5, &[(71, true), (72, true), (26, false)]));
        victim.answers(&"as built");
        victim
    }

    fn source(&self, day: u32, file: &str) -> String {
        format!(
            "[[source]]\nname = \"list\"\nas_of = \"2026-01-{day:02}T00:00:00Z\"\nowns = [\"FIN\"]\n\
             path = \"{file}\"\nlayout = \"sltd-csv\"\nauthority = \"NCB\"\n\
             [[authority]]\ncode = \"NCB\"\nname = \"Bureau\"\ncontact = \"+358\"\nissuing_state = \"FIN\"\n"
        )
    }

    fn list(&self, day: u32, numbers: std::ops::Range<u32>) {
        let rows = numbers.map(|one| format!("AB{one:06},FIN,passport,lost,2026-01-01,R{one}\n"));
        let text = format!("{HEADER}\n{}", rows.collect::<String>());
        self.desk.write("list.csv", text);
        self.desk
            .write("sources.toml", self.source(day, "list.csv"));
    }

    fn with_keys(&self, mut command: Command) -> Command {
        command.args(&self.keys);
        command
    }

    fn build(&self) -> Command {
        let mut build = self.with_keys(self.desk.build("sources.toml", "store"));
        build.args(["--threads", "1", "--memory", "1MiB"]);
        build
    }

    fn delta(&self, day: u32, changes: &[(u32, bool)]) -> Command {
        let row = |(number, add): &(u32, bool)| {
            let action = if *add { "add" } else { "withdraw" };
            format!("AB{number:06},FIN,passport,lost,2026-01-01,R{number},{action}\n")
        };
        let rows: String = changes.iter().map(row).collect();
        self.desk
            .write("changes.csv", format!("{HEADER},action\n{rows}"));
        self.desk
            .write("delta.toml", self.source(day, "changes.csv"));
        let mut delta = self.command("delta");
        delta.arg("--sources").arg(self.desk.path("delta.toml"));
        delta
    }

    fn command(&self, name: &str) -> Command {
        let mut command = sltd_data(name);
        command.arg("--store").arg(self.store());
        match name {
            "history" => command,
            "verify" => {
                command.args(self.keys.iter().skip(2));
                command
            }
            _ => self.with_keys(command),
        }
    }

    fn store(&self) -> PathBuf {
        self.desk.path("store")
    }

    fn terms(&self) -> Terms {
        match self.keys.is_empty() {
            true => Terms::default(),
            false => Terms::default()
                .trusting(TrustedKeys::read(&self.desk.path("trusted.toml")).unwrap()),
        }
    }

    /// Asserts that exactly what is to be reported is.
    #[track_caller]
    fn answers(&self, tag: &dyn std::fmt::Debug) {
        let store = Store::open(self.store()).unwrap().with_terms(self.terms());
        let snapshot = store.load_current(&LoadOptions::default()).unwrap();
        let found: Reported = (0..80)
            .filter(|number| {
                let query = Query::from_fields(
                    DocumentNumber::normalise(&format!("AB{number:06}")).unwrap(),
                    Some(Issuer::Known(IssuingState::parse("FIN").unwrap())),
                    Some(DocumentType::Passport),
                );
                let now = Moment::at(jiff::Timestamp::from_second(1_770_000_000).unwrap());
                let answer = snapshot.check(&query, now).unwrap();
                answer.judgement.verdict == Verdict::Hit
            })
            .collect();
        assert_eq!(found, self.reported, "{tag:?}");
    }
}

/// Places in a file, one in each part of it: of a segment in its header's fields, each section, the gaps and the table.
fn places(path: &Path, bytes: &[u8]) -> Vec<(String, usize)> {
    if path
        .extension()
        .is_none_or(|ending| ending != "seg" && ending != "delta")
    {
        let places = [0, bytes.len() / 4, bytes.len() / 2, bytes.len() - 2];
        return places.map(|at| ("text".to_owned(), at)).to_vec();
    }
    let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let table = u64_at(24);
    let fields = [0, 8, 12, 16, 24, 32, 40, 48, 56, 70, 96];
    let mut places: Vec<_> = fields.map(|at| ("header".to_owned(), at)).to_vec();
    let mut end = 128;
    for entry in (table..bytes.len()).step_by(64) {
        let (offset, length) = (u64_at(entry + 8), u64_at(entry + 16));
        let kind = bytes[entry];
        places.push((format!("section {kind}"), offset + length / 2));
        if end < offset {
            places.push((format!("before section {kind}"), end));
        }
        end = offset + length;
        places.push((format!("entry of section {kind}"), entry + 30));
    }
    places
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    for file in files(from) {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(&file), target).unwrap();
    }
}

/// Changes one byte in every part of every file in turn.
fn one_byte_in_each_part(victim: &Victim) {
    let (store, whole) = (victim.store(), victim.desk.path("whole"));
    copy(&store, &whole);
    let mut tried = 0;
    let names = files(&whole).into_iter().filter(|name| {
        !["LOCK", "history.jsonl"].contains(&name.as_str()) && !name.starts_with("rejects")
    });
    for name in names {
        let bytes = fs::read(whole.join(&name)).unwrap();
        for (part, at) in places(Path::new(&name), &bytes) {
            let tag = (&name, part, at);
            copy(&whole, &store);
            let mut changed = bytes.clone();
            changed[at] ^= 0x04;
            fs::write(store.join(&name), changed).unwrap();
            let output = victim.command("repair").output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            let code = output.status.code().unwrap();
            assert!([0, 1, 20].contains(&code), "{tag:?}: {code}: {said}");
            let file = Path::new(&name).file_name().unwrap().to_str().unwrap();
            assert!(
                said.contains("damaged: ") && said.contains(file),
                "{tag:?}: {said}"
            );
            if code == 0 {
                victim.answers(&("repaired", &tag));
            }
            let output = victim.build().output().unwrap();
            assert!(output.status.success(), "{tag:?}: {said}: {output:?}");
            victim.answers(&tag);
            tried += 1;
        }
    }
    println!("{tried} places");
    assert!(tried > 100, "{tried}");
}

#[test]
fn one_byte_in_each_part_of_each_file() {
    one_byte_in_each_part(&Victim::new(false));
}

#[test]
fn one_byte_in_each_part_of_each_file_of_a_signed_store() {
    let victim = Victim::new(true);
    let (store, whole) = (victim.store(), victim.desk.path("whole"));
    copy(&store, &whole);
    for name in files(&whole) {
        if !name.ends_with(".sig") && !name.ends_with(".json") && name != "CURRENT" {
            continue;
        }
        let bytes = fs::read(whole.join(&name)).unwrap();
        for at in [0, bytes.len() / 3, bytes.len() - 2] {
            let tag = (&name, at);
            copy(&whole, &store);
            let mut changed = bytes.clone();
            changed[at] ^= 0x01;
            fs::write(store.join(&name), changed).unwrap();
            let output = succeeds(&mut victim.command("repair"));
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(said.contains("put back"), "{tag:?}: {said}");
            victim.answers(&("repaired", &tag));
            succeeds(&mut victim.build());
            victim.answers(&tag);
        }
    }
}

/// Every byte of the pointer, also those by which it names another manifest that is there.
#[test]
fn a_pointer_that_names_another_manifest_is_put_right() {
    let victim = Victim::new(false);
    let path = victim.store().join("CURRENT");
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        for pattern in [1, 2, 7] {
            let mut changed = whole.clone();
            changed[at] ^= pattern;
            fs::write(&path, changed).unwrap();
            let repaired = Store::repair(victim.store(), Terms::default(), ACT, false).unwrap();
            assert!(
                matches!(repaired.outcome, RepairOutcome::Restored),
                "{at} {pattern}: {repaired:?}"
            );
            assert_eq!(fs::read(&path).unwrap(), whole, "{at} {pattern}");
        }
    }
    victim.answers(&"in the end");
}

#[test]
fn a_generation_of_which_no_manifest_is_left_is_named_and_not_published_again() {
    let victim = Victim::new(false);
    let newest = victim.desk.load("store").generation();
    for folder in ["manifests", "copies"] {
        let name = format!("store/{folder}/{newest:08}.json");
        fs::remove_file(victim.desk.path(&name)).unwrap();
    }
    for without_pointer in [false, true] {
        if without_pointer {
            // The history tells of it all the same.
            fs::remove_file(victim.desk.path("store/CURRENT")).unwrap();
        }
        let output = victim.command("repair").arg("--dry-run").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let lost = format!("LOST: generations {newest} to {newest}");
        assert!(said.contains(&lost), "{said}");
    }
    let output = victim.command("repair").output().unwrap();
    assert_eq!(output.status.code(), Some(20), "{output:?}");
    assert_eq!(victim.desk.load("store").generation(), newest + 1);
    succeeds(&mut victim.command("verify"));
    // With what is named as lost, all is as it was.
    succeeds(&mut victim.delta(5, &[(71, true), (72, true), (26, false)]));
    victim.answers(&"published again");
}

/// Withdrawals of which nothing is left but what the store keeps: the changes that brought them are gone.
#[test]
fn withdrawals_that_are_kept_outlive_damage_to_their_file() {
    let victim = Victim::new(false);
    // 75 was never reported, so that it stands in no segment that is served.
    succeeds(&mut victim.delta(6, &[(75, false)]));
    for day in [7, 8] {
        victim.list(day, 20..60 + day);
        succeeds(victim.build().args(["--keep", "1"]));
    }
    let manifest = victim.desk.load("store").manifest().clone();
    let named: Vec<_> = manifest.segments.iter().chain(&manifest.kept).collect();
    let segments = fs::read_dir(victim.desk.path("store/segments")).unwrap();
    assert!(segments.count() < named.len() + 3, "{named:?}");
    let kept = &manifest.kept[0].file;
    let whole = victim.desk.path("whole");
    copy(&victim.store(), &whole);
    for (folder, code) in [("segments", 0), ("copies", 0)] {
        copy(&whole, &victim.store());
        let path = victim.store().join(folder).join(kept);
        let bytes = fs::read(&path).unwrap();
        let mut changed = bytes.clone();
        changed[bytes.len() / 2] ^= 1;
        fs::write(&path, changed).unwrap();
        assert_eq!(
            victim.command("verify").output().unwrap().status.code(),
            Some(1)
        );
        // What is urgent goes on.
        succeeds(&mut victim.delta(9, &[(70, false)]));
        let output = victim.command("repair").output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{folder}: {output:?}");
        succeeds(&mut victim.command("verify"));
        let mut rollback = victim.command("rollback");
        rollback.args(["--without-deltas", "--reason", "test"]);
        let manifest = victim.desk.load("store").manifest().clone();
        rollback.args(["--to", &manifest.base.to_string()]);
        let output = succeeds(&mut rollback);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("5 kept withdrawals"), "{folder}: {said}");
    }
}

/// What no server opens is needed all the same: changes are measured against it.
#[test]
fn kept_withdrawals_are_put_together_anew() {
    let victim = Victim::new(false);
    let kept = victim.desk.load("store").manifest().kept[0].file.clone();
    for folder in ["segments", "copies"] {
        fs::write(victim.store().join(folder).join(&kept), "damaged").unwrap();
    }
    succeeds(&mut victim.command("repair"));
    succeeds(&mut victim.command("verify"));
    victim.answers(&"repaired");
    succeeds(&mut victim.delta(6, &[(71, true)]));
    victim.answers(&"changed");
}

/// Changes are lost only with both of their files, also where the one has the bytes of the other.
#[test]
fn changes_stand_in_two_files_whatever_they_change() {
    for (number, add) in [(73, true), (27, false)] {
        let mut victim = Victim::new(false);
        victim.list(6, 20..60);
        succeeds(&mut victim.build());
        succeeds(&mut victim.delta(7, &[(number, add)]));
        victim.reported = (20..60).collect();
        match add {
            true => victim.reported.insert(number),
            false => victim.reported.remove(&number),
        };
        let manifest = victim.desk.load("store").manifest().clone();
        let whole = victim.desk.path("whole");
        copy(&victim.store(), &whole);
        let changes = manifest.segments.iter().skip(1).chain(&manifest.kept);
        for file in changes.map(|entry| &entry.file) {
            copy(&whole, &victim.store());
            fs::write(victim.store().join("segments").join(file), "damaged").unwrap();
            succeeds(&mut victim.command("repair"));
            victim.answers(&(number, file));
            succeeds(&mut victim.build());
            victim.answers(&(number, file));
        }
    }
}

/// The changes that only an earlier list lacks are in no later snapshot.
#[test]
fn a_rollback_names_changes_whose_file_is_damaged() {
    let victim = Victim::new(false);
    let store = Store::open(victim.store()).unwrap();
    let chain = store.chain(&store.pointer().unwrap()).unwrap();
    let delta = chain.iter().find(|one| one.generation == 2).unwrap();
    let file = &delta.delta.as_ref().unwrap().segment.file;
    fs::write(victim.store().join("segments").join(file), "damaged").unwrap();
    let mut rollback = victim.command("rollback");
    let output = rollback.args(["--reason", "test"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(20), "{said}");
    let lost = "LOST: the changes of list as of 2026-01-02T00:00:00Z that generation 2 brought";
    assert!(said.contains(lost), "{said}");
    let history = succeeds(&mut victim.command("history"));
    let history = String::from_utf8_lossy(&history.stdout).into_owned();
    assert!(
        history.contains("generation 2 brought are lost"),
        "{history}"
    );
}

/// Whoever can write to the store can write both copies of a manifest, too: what he has put there is never signed.
#[test]
fn what_is_not_signed_with_a_trusted_key_is_neither_repaired_nor_signed() {
    let victim = Victim::new(true);
    let mut build = victim.desk.build("sources.toml", "store");
    succeeds(build.args(["--unsigned", "--accept", "same-as-of:list"]));
    let forged = victim.desk.load("store").generation();
    for signatures in [None, Some("not hexadecimal"), Some("00 00")] {
        for folder in ["manifests", "copies"] {
            if let Some(text) = signatures {
                let name = format!("store/{folder}/{forged:08}.json.sig");
                victim.desk.write(&name, text);
            }
        }
        let before = files(&victim.store());
        for dry_run in [true, false] {
            let mut repair = victim.command("repair");
            if dry_run {
                repair.arg("--dry-run");
            }
            let output = repair.output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(output.status.code(), Some(21), "{signatures:?}: {said}");
            assert!(said.contains("not to be trusted"), "{said}");
            assert_eq!(files(&victim.store()), before);
        }
        let output = victim.command("verify").output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
    }
}

/// A disk that fails is made read-only by the system: what is intact on it can be told all the same.
#[test]
fn a_dry_run_writes_nothing() {
    let victim = Victim::new(false);
    fs::remove_file(victim.store().join("LOCK")).unwrap();
    let entries = || fs::metadata(victim.store()).unwrap().modified().unwrap();
    let before = (files(&victim.store()), entries());
    succeeds(victim.command("repair").arg("--dry-run"));
    assert_eq!((files(&victim.store()), entries()), before);
}
