//! What a new user sees: the real binary, run in the folder of the source code.

#![expect(clippy::unwrap_used, reason = "a test may end where it stands")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The binary, in the root of the source tree, serving on a free port.
fn quickstart(store: &Path) -> Command {
    quickstart_on("127.0.0.1:0", store)
}

fn quickstart_on(address: &str, store: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sltd-data"));
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .args(["quickstart", "--listen", address, "--store"])
        .arg(store)
        .stdin(Stdio::null());
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_check_has_its_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("var/store");
    let output = quickstart(&store).arg("--once").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for line in text.lines() {
        let columns = line.chars().count();
        // Lines with a path of the test's own are as long as it is.
        let own_path = line.contains(store.to_str().unwrap());
        assert!(columns <= 100 || own_path, "{columns}: {line}");
    }

    // The accounts stand above the table, each source with its unusable rows.
    let (accounts, table) = text.split_once("\nverdict ").expect(&text);
    let rejected = [
        ("world ", "9"),
        ("world-blanks", "3"),
        ("world-cards", "3"),
        ("world-permits", "0"),
        ("netherlands", "0"),
        ("russia", "5"),
        ("ukraine", "3"),
        ("czechia", "4"),
    ];
    for (source, rejected) in rejected {
        let mut lines = accounts.lines();
        let line = lines.find(|line| line.starts_with(source)).expect(source);
        let mut from_the_end = line.split_whitespace().rev();
        assert_eq!(from_the_end.nth(1), Some(rejected), "{line}");
    }

    let rule = "-".repeat(100);
    let parts: Vec<&str> = table.split(&rule).collect();
    let [_, rows, meanings] = parts.as_slice() else {
        panic!("{table}")
    };
    let rows: Vec<(&str, &str)> = rows
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .filter_map(|line| line.split_once(' '))
        .collect();
    let expected = [
        ("HIT", "a stolen passport"),
        ("HIT", "a stolen blank inside a reported range"),
        ("HIT", "a lost identity card, read from its MRZ"),
        ("REVIEW", "a number typed without issuer and type"),
        ("NO_RECORD", "a number that only another State has reported"),
        ("INCONCLUSIVE", "a misread MRZ"),
        ("NO_RECORD", "a clean document of a State that reports:"),
        (
            "NO_RECORD",
            "a clean document of a State that reports nothing",
        ),
    ];
    assert_eq!(rows.len(), expected.len(), "{rows:?}");
    for ((verdict, rest), (expected, about)) in rows.iter().zip(expected) {
        assert_eq!(*verdict, expected, "{rest}");
        assert!(rest.contains(about) && rest.contains(" µs "), "{rest}");
    }
    let parts = [
        "1 other State has",
        "State reports none",
        "check digits failed: document number",
    ];
    for part in parts {
        assert!(table.contains(part), "{part}: {table}");
    }
    for verdict in ["HIT", "REVIEW", "NO_RECORD", "INCONCLUSIVE"] {
        assert!(meanings.contains(&format!("\n{verdict} ")), "{meanings}");
    }
    // --once stops after the table.
    assert!(!text.contains("Still serving"), "{text}");
}

#[test]
fn it_serves_until_it_is_told_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = quickstart(&folder.path().join("store"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = |wanted: &str| {
        let mut lines = lines.by_ref().map(Result::unwrap);
        lines.find(|line| line.contains(wanted)).expect(wanted)
    };
    let serving = next("Still serving on http://");
    let command = next("cargo run --release --bin sltd -- check");
    // On another port than the usual one the command says so.
    let url = serving.split_whitespace().nth(3).unwrap();
    let url = url.trim_end_matches(',');
    let with_server = format!("--server {url} --number");
    assert!(command.contains(&with_server), "{command}");
    let address = url.strip_prefix("http://").unwrap();
    std::net::TcpStream::connect(address).expect("it is serving");

    let pid = child.id().to_string();
    let killed = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(killed.success());
    assert_eq!(next("Ended."), "Ended.");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(std::net::TcpStream::connect(address).is_err());
}

/// Runs to a failure: its exit code, and parts of its message.
fn check(mut command: Command, code: i32, parts: &[&str]) {
    let output = command.arg("--once").output().unwrap();
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{message}");
    for part in parts {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains("panicked"), "{message}");
}

#[test]
fn what_stands_in_the_way_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let on_taken = quickstart_on(&address, &store);
    check(
        on_taken,
        3,
        &[&address, "another program already does", "--listen"],
    );
    assert!(
        !store.exists(),
        "nothing is written when the address is taken"
    );

    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    check(quickstart(&file), 3, &[file.to_str().unwrap(), "--store"]);

    let mut elsewhere = quickstart(&store);
    elsewhere.current_dir(folder.path());
    let parts = ["no sample lists in data-tools/samples", "--samples"];
    check(elsewhere, 2, &parts);
}

/// `var/store` is where an operator's own lists are by default.
#[test]
fn a_store_with_other_lists_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let list = "number,issuing_state,type,status\nX1,FIN,visa,lost\n";
    std::fs::write(at("list.csv"), list).unwrap();
    let toml = r#"
        [[source]]
        name = "mine"
        path = "list.csv"
        layout = "sltd-csv"
        owns = ["FIN"]
    "#;
    std::fs::write(at("sources.toml"), toml).unwrap();
    let built = Command::new(env!("CARGO_BIN_EXE_sltd-data"))
        .args(["build", "--json", "--sources"])
        .arg(at("sources.toml"))
        .arg("--store")
        .arg(at("store"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", stderr(&built));
    let current = std::fs::read(at("store/CURRENT")).unwrap();
    let parts = ["other lists (mine)", "--store"];
    check(quickstart(&at("store")), 3, &parts);
    assert_eq!(std::fs::read(at("store/CURRENT")).unwrap(), current);
}
