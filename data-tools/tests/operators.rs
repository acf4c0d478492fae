//! `verify`, `inspect`, `lookup` and `completions`: the real binary on small stores.

#![expect(clippy::unwrap_used, reason = "a test may end where it stands")]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const LIST: &str = "\
number,issuing_state,type,status,date_reported,owner_reference,range_end
A1,FIN,passport,stolen,2026-01-02,ref-1,
A1,D,passport,lost,2026-01-03,,
A1,FIN,passport,lost,2026-01-04,,
B10,FIN,visa,stolen_blank,2026-01-05,,B19
C1,FIN,passport,lost,2026-01-06,,
C1,FIN,passport,lost,2026-01-06,,
D*1,FIN,passport,lost,2026-01-07,,
E1,FIN,passport,lost,2001-01-01,,
";

const SOURCES: &str = r#"
[[source]]
name = "list"
path = "list.csv"
layout = "sltd-csv"
as_of = "2026-02-01T00:00:00Z"
stale_after = "36500d"
owns = ["FIN", "D"]
"#;

fn sltd_data(arguments: &[&str], store: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sltd-data"))
        .args(arguments)
        .arg("--store")
        .arg(store)
        .output()
        .unwrap()
}

/// A published store in a folder that goes away.
fn store() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("list.csv"), LIST).unwrap();
    let sources = folder.path().join("sources.toml");
    fs::write(&sources, SOURCES).unwrap();
    let store = folder.path().join("store");
    let sources = sources.to_str().unwrap();
    let as_of = "2026-02-01";
    let arguments = ["build", "--json", "--as-of", as_of, "--sources", sources];
    let built = sltd_data(&arguments, &store);
    assert!(built.status.success(), "{built:?}");
    (folder, store)
}

/// The only file of a folder of the store.
fn only(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

/// Exit code and parts of what is said on standard error.
fn check(output: &Output, code: i32, parts: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    for part in parts {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains("panicked"), "{message}");
}

#[test]
fn a_whole_store_is_verified() {
    let (_folder, store) = store();
    let output = sltd_data(&["verify"], &store);
    check(&output, 0, &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = "generation 1 is whole: 13 documents, 12 numbers, 14 reports read; ";
    assert!(said.starts_with(expected), "{said}");
}

/// Flips a bit of the byte at a place that depends on the file's length.
fn flip(path: &Path, place: fn(usize) -> usize) {
    let mut bytes = fs::read(path).unwrap();
    let place = place(bytes.len());
    bytes[place] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn damage_is_found_and_named() {
    let segment = |store: &Path| only(&store.join("segments"));
    let manifest = |store: &Path| only(&store.join("manifests"));
    /// What is done to a store.
    type Damage<'a> = &'a dyn Fn(&Path);
    let cases: [(Damage<'_>, &str); 8] = [
        (&|store| flip(&segment(store), |_| 0), "not a segment"),
        (&|store| flip(&segment(store), |_| 130), "section keys"),
        (
            &|store| flip(&segment(store), |len| len - 20),
            "header and section table",
        ),
        (
            &|store| {
                let bytes = fs::read(segment(store)).unwrap();
                fs::write(segment(store), &bytes[..bytes.len() - 1]).unwrap();
            },
            "truncated",
        ),
        (
            &|store| fs::remove_file(segment(store)).unwrap(),
            "can't be read",
        ),
        (
            &|store| flip(&manifest(store), |len| len / 2),
            "digest in CURRENT",
        ),
        (
            &|store| fs::remove_file(manifest(store)).unwrap(),
            "00000001.json",
        ),
        (
            &|store| fs::write(store.join("CURRENT"), [0xff, 0xfe]).unwrap(),
            "CURRENT",
        ),
    ];
    for (damage, what) in cases {
        let (_folder, store) = store();
        damage(&store);
        check(&sltd_data(&["verify"], &store), 1, &["damaged", what]);
        // The other commands refuse it as well.
        check(&sltd_data(&["inspect"], &store), 3, &[what]);
        let lookup = sltd_data(&["lookup", "--number", "A1"], &store);
        check(&lookup, 3, &[what]);
    }
}

/// The generation only ever rises, so nothing can follow one that can't be told; said before the work.
#[test]
fn nothing_is_published_over_a_pointer_that_can_not_be_read() {
    let (folder, store) = store();
    fs::write(store.join("CURRENT"), "rubbish\n").unwrap();
    let sources = folder.path().join("sources.toml");
    let build = ["build", "--sources", sources.to_str().unwrap()];
    let output = sltd_data(&build, &store);
    check(&output, 3, &["CURRENT", "sltd-data repair"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("reading list"), "{said}");
    assert_eq!(fs::read(store.join("CURRENT")).unwrap(), b"rubbish\n");
}

/// Rejects are those of the last build: what another description of the lists left goes.
#[test]
fn rejects_of_sources_described_no_more_are_removed() {
    let (folder, store) = store();
    assert!(store.join("rejects/list.csv").exists());
    fs::write(store.join("rejects/.killed.csv.tmp"), "row").unwrap();
    let sources = folder.path().join("sources.toml");
    fs::write(&sources, SOURCES.replace("\"list\"", "\"renamed\"")).unwrap();
    let build = ["build", "--sources", sources.to_str().unwrap()];
    let build = [&build[..], &["--accept", "removed:list"]].concat();
    check(&sltd_data(&build, &store), 0, &[]);
    assert_eq!(
        only(&store.join("rejects")),
        store.join("rejects/renamed.csv")
    );
}

#[test]
fn no_store_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    for store in [folder.path().to_owned(), folder.path().join("nowhere")] {
        let commands: [&[&str]; 3] = [&["verify"], &["inspect"], &["lookup", "--number", "A1"]];
        for command in commands {
            let output = sltd_data(command, &store);
            check(&output, 3, &["is not a store", "sltd-data build"]);
        }
    }
}

#[test]
fn inspect_counts() {
    let (_folder, store) = store();
    let output = sltd_data(&["inspect", "--json"], &store);
    check(&output, 0, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    let json: Value = serde_json::from_str(&text).unwrap();

    let cases = [
        ("/generation", 1.into()),
        ("/dataAsOf", "2026-02-01T00:00:00Z".into()),
        ("/asOf", "2026-02-01".into()),
        ("/notAfter", Value::Null),
        ("/documents", 13.into()),
        ("/numbers", 12.into()),
        // The ten of the range share one.
        ("/reports", 5.into()),
        ("/sources/0/source", "list".into()),
        ("/sources/0/read", 8.into()),
        ("/sources/0/indexed", 5.into()),
        ("/sources/0/merged", 1.into()),
        ("/sources/0/expired", 1.into()),
        ("/sources/0/rejected", 1.into()),
        ("/sources/0/documents", 13.into()),
        ("/types/0/name", "visa".into()),
        ("/types/0/documents", 10.into()),
        ("/types/1/name", "passport".into()),
        ("/types/1/documents", 3.into()),
        // One document is both stolen and lost.
        ("/statuses/0/name", "stolen_blank".into()),
        ("/statuses/1/name", "lost".into()),
        ("/statuses/1/documents", 3.into()),
        ("/statuses/2/documents", 1.into()),
        ("/issuingStates/0/name", "FIN".into()),
        ("/issuingStates/0/documents", 12.into()),
        ("/issuingStates/1/name", "D".into()),
        ("/kinds/0/issuingState", "D".into()),
        ("/kinds/0/own", 1.into()),
        ("/kinds/1/type", "passport".into()),
        ("/kinds/1/statuses/lost", 2.into()),
        ("/kinds/1/newestOwnReport", "2026-01-06".into()),
        ("/segments/0/documents", 13.into()),
    ];
    for (pointer, expected) in cases {
        assert_eq!(
            json.pointer(pointer),
            Some(&expected),
            "{pointer} in {text}"
        );
    }

    let file = only(&store.join("segments"));
    let bytes = fs::metadata(&file).unwrap().len();
    assert_eq!(json["bytes"], bytes);
    let sections: Vec<(&str, u64)> = json["sections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|section| {
            let name = section["section"].as_str().unwrap();
            (name, section["bytes"].as_u64().unwrap())
        })
        .collect();
    let sum: u64 = sections.iter().map(|(_, bytes)| bytes).sum();
    assert_eq!(sum, bytes);
    let named = |wanted: &str| -> u64 {
        let mut named = sections.iter().filter(|(name, _)| *name == wanted);
        named.next().expect(wanted).1
    };
    let each = |bytes: u64| (bytes as f64 / 13.0 * 1000.0).round() / 1000.0;
    // Of the blocks a part only: what they say of the numbers, not of the reports.
    let finding = named("keys") + named("shards") + named("filter");
    let at_most = each(finding + named("blocks"));
    let without_references = bytes - named("references");
    let per_document = &json["bytesPerDocument"];
    let keys_and_filter = per_document["keysAndFilter"].as_f64().unwrap();
    assert!(
        (each(finding)..at_most).contains(&keys_and_filter),
        "{json}"
    );
    assert_eq!(per_document["withoutReferences"], each(without_references));
    assert_eq!(per_document["all"], each(bytes));

    // What people read says the same.
    let output = sltd_data(&["inspect"], &store);
    let text = String::from_utf8(output.stdout).unwrap();
    let parts = [
        "generation   1 ",
        "documents    13, of 12 numbers",
        "stolen_blank ",
        "FIN       12",
    ];
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn lookup_exits_as_check_does() {
    let (_folder, store) = store();
    /// Number, issuer and type, where given.
    fn asked<'a>(words: &[&'a str]) -> Vec<&'a str> {
        let flags = ["--number", "--issuer", "--type"];
        let pairs = flags.into_iter().zip(words);
        std::iter::once("lookup")
            .chain(pairs.flat_map(|(flag, word)| [flag, word]))
            .collect()
    }
    let cases: [(&[&str], i32, &str); 9] = [
        (&["a-1", "FIN", "passport"], 10, "HIT: "),
        (&["B15", "FIN", "visa"], 10, "stolen blank"),
        (&["A1"], 11, "REVIEW: "),
        (&["A1", "FRA", "passport"], 0, "2 other States"),
        (&["A2", "FIN", "passport"], 0, "NO_RECORD: "),
        (&["E1", "FIN", "passport"], 0, "NO_RECORD: "),
        (&["A*1"], 2, ""),
        (&["A1", "FIN", "pasport"], 2, ""),
        (&[], 2, ""),
    ];
    for (words, code, part) in cases {
        let output = sltd_data(&asked(words), &store);
        check(&output, code, &[]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(part), "{words:?}: {text}");
    }

    let json = |words: &[&str]| {
        let output = sltd_data(&[&asked(words), ["--json"].as_slice()].concat(), &store);
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output, json)
    };
    let (output, answer) = json(&["A1", "D"]);
    check(&output, 11, &[]);
    assert_eq!(answer["verdict"], "VERDICT_REVIEW");
    assert_eq!(answer["reasons"][0], "REASON_TYPE_NOT_GIVEN");
    assert_eq!(answer["sameNumberOtherIssuers"], 1);
    assert_eq!(answer["matches"][0]["dateReported"], "2026-01-03");

    // A malformed question is answered in JSON, too, and its number never repeated.
    let (output, answer) = json(&["SECRET*1"]);
    check(&output, 2, &["number: character 7"]);
    assert_eq!(answer["error"]["code"], 3);
    for said in [output.stdout, output.stderr] {
        assert!(!String::from_utf8(said).unwrap().contains("SECRET"));
    }
}

/// Nobody reads: no reason to panic, on either stream.
#[test]
fn closed_pipes_are_no_error() {
    let (folder, store) = store();
    let (folder, store) = (folder.path().display(), store.display());
    let build = format!("build --sources {folder}/sources.toml --store {store}");
    let cases = [
        (format!("{build} >&3"), 0),
        (format!("{build} 2>&3"), 0),
        (format!("{build} --json >&3 2>&3"), 0),
        (format!("build --sources {folder}/nowhere 2>&3"), 2),
        (format!("verify --store {store} >&3"), 0),
        (format!("verify --store {folder} 2>&3"), 3),
        (format!("inspect --store {store} >&3"), 0),
        (format!("lookup --number A1 --store {store} >&3"), 11),
        (format!("lookup --number A? --store {store} 2>&3"), 2),
        (
            format!("generate --records 9 --out {folder}/generated 2>&3"),
            0,
        ),
        (format!("generate --records 9 --out {folder} 2>&3"), 3),
        (
            format!("generate --records 9 --out {folder}/x --queries {folder}/x 2>&3"),
            2,
        ),
        (format!("quickstart --samples {folder}/nowhere 2>&3"), 2),
        ("completions bash >&3".to_owned(), 0),
    ];
    for (command, code) in cases {
        let binary = env!("CARGO_BIN_EXE_sltd-data");
        let script = format!("exec 3> >(exec true); wait $!; {binary} {command}");
        let ended = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{command}: {ended:?}");
    }
}

#[test]
fn completions_name_the_commands() {
    let commands = [
        "quickstart",
        "build",
        "verify",
        "inspect",
        "lookup",
        "generate",
        "load",
    ];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = Command::new(env!("CARGO_BIN_EXE_sltd-data"))
            .args(["completions", shell])
            .output()
            .unwrap();
        assert!(output.status.success());
        let script = String::from_utf8(output.stdout).unwrap();
        for command in commands {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}
