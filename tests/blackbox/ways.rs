//! Ways in and out of `sltd check`.

use crate::support::{
    LOST_CARD, NUMBERS, ROWS, Ran, Server, passport_zone as passport, publish, sltd, sltd_fed,
};
use serde_json::json;

#[test]
fn malformed_questions_name_the_field_and_never_the_number() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let server = Server::start(dir.path());
    let url = server.url();
    let long = "7".repeat(25);
    let cases: &[(&[&str], &str, &str)] = &[
        (&["--number", "12AB3#567"], "number", "character 6"),
        (&["--number", &long], "number", "24"),
        (&["--number", " - "], "number", ""),
        (
            &["--number", "12AB34567", "--issuer", "Q1"],
            "issuing_state",
            "",
        ),
    ];
    for (arguments, field, part) in cases {
        let command = ["check", "--server", &url];
        let ran = sltd(&[&command, *arguments].concat())
            .exits(2)
            .says(field)
            .says(part);
        let shown = ran.out + &ran.err;
        assert!(
            !shown.contains("12AB3") && !shown.contains(&long),
            "{shown}"
        );
        let ran = sltd(&[&command, *arguments, &["--json"]].concat()).exits(2);
        let error = &ran.json()[0]["error"];
        assert_eq!(error["code"], json!(3), "{error}");
        let violation = &error["details"][0]["fieldViolations"][0];
        assert_eq!(violation["field"], json!(field), "{error}");
        assert!(
            violation["description"].as_str().unwrap().contains(part),
            "{error}"
        );
    }
    // Among others it reads as it does alone.
    let command = ["check", "--server", &url, "--number", "-"];
    let among_others = sltd_fed(&command, "12AB3#567\n12AB34567\n").exits(2);
    let line = among_others.out.lines().next().unwrap();
    assert!(
        line.starts_with("MALFORMED    line 1: number: character 6 is U+0023"),
        "{line}"
    );
}

#[test]
fn with_json_every_failure_is_an_object_too() {
    let nowhere = ["--server", "http://127.0.0.1:1"];
    let cases: &[(&[&str], i32, &str)] = &[
        (&["check", "--json"], 2, "--number"),
        (
            &["check", "--number", "X1", "--json", "--nope"],
            2,
            "--nope",
        ),
        (
            &["check", "--mrz-file", "nowhere", "--json"],
            2,
            "cannot read",
        ),
        (&["status", "--json", "--deadline", "0s"], 2, "--deadline"),
        (
            &["status", "--json", nowhere[0], nowhere[1]],
            3,
            "not available",
        ),
        (
            &["check", "--number", "X1", "--json", nowhere[0], nowhere[1]],
            3,
            "not available",
        ),
        (&["stats", "--json"], 2, "stats"),
    ];
    for (arguments, code, part) in cases {
        let ran = sltd(arguments).exits(*code).says(part);
        let told = ran.json();
        assert_eq!(told.len(), 1, "{ran:?}");
        let message = told[0]["error"]["message"].as_str().unwrap();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn several_questions_have_a_line_each_and_one_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let server = Server::start(dir.path());
    let numbers = "12AB34567,FRA,passport\n77CC88888,FRA,passport\r\n\n12AB34567\n";
    let zones = format!("{}\n\n{LOST_CARD}\nP<FRA\n", passport("FRA", "77CC88888"));
    let malformed = format!("{numbers}12AB#,FRA\n");
    let file = dir.path().join("zones.mrz");
    std::fs::write(&file, &zones).unwrap();
    let file = file.to_str().unwrap();
    let words = |verdicts: &[&str]| verdicts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let verdicts = words(&["HIT", "NO_RECORD", "REVIEW"]);
    let with_malformed = words(&["HIT", "NO_RECORD", "REVIEW", "MALFORMED"]);
    let of_zones = words(&["NO_RECORD", "HIT", "INCONCLUSIVE"]);
    let cases: &[(&[&str], &str, i32, &[String])] = &[
        (&["--number", "-"], numbers, 0, &verdicts),
        (&["--number", "-"], &malformed, 2, &with_malformed),
        (&["--mrz-file", "-"], &zones, 0, &of_zones),
        (&["--mrz-file", file], "", 0, &of_zones),
        // One question is one question, wherever it comes from.
        (
            &["--number", "-"],
            "12AB34567,FRA,passport\n",
            10,
            &verdicts[..1],
        ),
        (
            &["--number", "-", "--issuer", "FRA", "--type", "passport"],
            "12AB34567",
            10,
            &verdicts[..1],
        ),
        (&["--mrz-file", "-"], LOST_CARD, 10, &verdicts[..1]),
        (&["--number", "-"], "12AB#", 2, &[]),
        (&["--number", "-"], "", 2, &[]),
    ];
    let url = server.url();
    for (arguments, input, code, expected) in cases {
        let ask = |more: &[&str]| {
            let command = [&["check", "--server", &url], *arguments, more].concat();
            sltd_fed(&command, input).exits(*code)
        };
        let people = ask(&[]);
        let firsts: Vec<&str> = match expected {
            [_] => people.out.lines().take(1).collect(),
            _ => people.out.lines().collect(),
        };
        let firsts = firsts
            .iter()
            .map(|line| line.split([' ', ':']).next().unwrap());
        assert!(firsts.eq(expected.iter()), "{expected:?}: {people:#?}");
        let json = ask(&["--json"]).json();
        let verdicts = json.iter().filter(|value| value.get("verdict").is_some());
        let verdicts = verdicts.map(|value| value["verdict"].as_str().unwrap().to_owned());
        let answered = expected.iter().filter(|word| *word != "MALFORMED");
        assert!(
            verdicts.eq(answered.map(|word| format!("VERDICT_{word}"))),
            "{json:#?}"
        );
    }
}

#[test]
fn many_questions_come_back_in_order() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let server = Server::start(dir.path());
    // More than several calls hold; every number tells its place.
    let numbers: String = (0..12_345)
        .map(|n| format!("20BB{n:05},FRA,passport\n"))
        .collect();
    let ran = sltd_fed(
        &[
            "check",
            "--server",
            &server.url(),
            "--json",
            "--number",
            "-",
        ],
        &numbers,
    )
    .exits(0);
    let answers = ran.json();
    assert_eq!(answers.len(), 12_345);
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer["document"]["number"], json!(format!("20BB{n:05}")));
        let reported = (100..200).contains(&n);
        let verdict = if reported {
            "VERDICT_HIT"
        } else {
            "VERDICT_NO_RECORD"
        };
        assert_eq!(answer["verdict"], json!(verdict), "{n}");
    }
}

#[test]
fn a_service_that_does_not_answer_is_exit_code_3() {
    // Bound and closed again: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let nobody = format!("http://127.0.0.1:{port}");
    // Listens and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    for (url, input) in [
        (&nobody, ""),
        (&silent, ""),
        (&nobody, "12AB34567\n77CC88888\n"),
    ] {
        let number = if input.is_empty() { "12AB34567" } else { "-" };
        let command = [
            "check",
            "--server",
            url,
            "--deadline",
            "500ms",
            "--number",
            number,
        ];
        let ran = sltd_fed(&command, input).exits(3);
        assert!(
            !(ran.out.clone() + &ran.err).contains("12AB34567"),
            "{ran:#?}"
        );
        if input.is_empty() {
            ran.says(url);
        } else {
            assert_eq!(ran.out.lines().count(), 2, "{ran:#?}");
        }
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_what_was_expected() {
    let cases: &[(&[&str], &str)] = &[
        (&[], "Usage"),
        (&["check"], "--number"),
        (
            &["check", "--number", "12AB34567", "--mrz", "P<"],
            "cannot be used with",
        ),
        (
            &["check", "--number", "12AB34567", "--type", "book"],
            "identity_card",
        ),
        (
            &["check", "--number", "12AB34567", "--deadline", "5"],
            "500ms",
        ),
        (
            &["check", "--number", "12AB34567", "--deadline", "0s"],
            "more than 0",
        ),
        (
            &["check", "--number", "12AB34567", "--server", "nowhere"],
            "http://",
        ),
        (
            &["check", "--mrz-file", "/nowhere/zone.mrz"],
            "/nowhere/zone.mrz",
        ),
        (
            &["check", "--mrz", "P<", "--issuer", "FRA"],
            "cannot be used with",
        ),
        (&["serve", "--listen", "here"], "--listen"),
        (&["serve", "--listen", "here:7440"], "--listen"),
        (&["serve", "--listen", "localhost:70000"], "HOST:PORT"),
        (&["serve", "--listen", "0.0.0.0:0"], "loopback"),
        (&["serve", "--listen", "192.0.2.1:7440"], "loopback"),
        (&["serve", "--metrics", "0.0.0.0:0"], "loopback"),
        (
            &["serve", "--config", "/nowhere/sltd.toml"],
            "/nowhere/sltd.toml",
        ),
        (&["serve", "--drain", "soon"], "8s"),
        (&["look-up"], "look-up"),
    ];
    for (arguments, part) in cases {
        sltd(arguments).exits(2).says(part);
    }
}

#[test]
fn mistakes_in_the_configuration_name_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mine.toml");
    let path = file.to_str().unwrap();
    for (text, part) in [
        ("threads", "line 1"),
        ("drian = \"8s\"", "drian"),
        ("listen = \"0.0.0.0:7440\"", "loopback"),
        ("listen = \"nobody.invalid:7440\"", "nobody.invalid"),
        ("watch = \"1ms\"", "watch"),
        (
            "state_dir = \".\"\n[[trusted_key]]\nfile = \"none.pub\"",
            "none.pub",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        sltd(&["serve", "--listen", "127.0.0.1:0", "--config", path])
            .exits(2)
            .says(path)
            .says(part);
    }
}

#[test]
fn a_server_may_listen_on_localhost() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let server = Server::start_with(dir.path(), &["--listen", "localhost:0"], "info");
    assert!(server.address.ip().is_loopback());
    let url = format!("http://localhost:{}", server.address.port());
    sltd(&["status", "--server", &url]).exits(0);
}

#[test]
fn help_and_version_and_completions() {
    let version = sltd(&["--version"]).exits(0);
    assert_eq!(
        version.out.trim(),
        concat!("sltd ", env!("CARGO_PKG_VERSION"))
    );
    for (arguments, parts) in [
        (
            ["check", "--help"],
            ["10  HIT", "--mrz-file", "127.0.0.1:7440"],
        ),
        (["serve", "--help"], ["SIGTERM", "--drain", "var/store"]),
        (["completions", "bash"], ["_sltd", "check", "serve"]),
    ] {
        let shown: Ran = sltd(&arguments).exits(0);
        for part in parts {
            assert!(shown.out.contains(part), "{part}: {}", shown.out);
        }
    }
}

/// Runs a shell script; `sltd` in it is the real one.
fn scripted(script: &str) -> Option<i32> {
    let script = format!(
        "set -o pipefail; sltd() {{ {} \"$@\"; }}; {script}",
        env!("CARGO_BIN_EXE_sltd")
    );
    let status = std::process::Command::new("bash")
        .args(["-c", &script])
        .status();
    status.unwrap().code()
}

/// Nobody reads: no reason to panic, on either stream.
#[test]
fn closed_pipes_are_no_error() {
    let closed = "exec 3> >(exec true); wait $!";
    for (command, code) in [
        ("completions bash >&3", 0),
        ("check --mrz-file nowhere 2>&3", 2),
        ("check --number X1 --server http://127.0.0.1:1 2>&3", 3),
        ("serve --store nowhere --listen 127.0.0.1:0 2>&3", 3),
        ("serve --listen 127.0.0.1:0 --config nowhere 2>&3", 2),
    ] {
        assert_eq!(
            scripted(&format!("{closed}; sltd {command}")),
            Some(code),
            "{command}"
        );
    }
}

#[test]
fn output_cut_short_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), ROWS);
    let server = Server::start(dir.path());
    let numbers: String = (0..5_000).map(|n| format!("20BB{n:05}\n")).collect();
    let file = dir.path().join("numbers");
    std::fs::write(&file, numbers).unwrap();
    let script = format!(
        "sltd check --server {} --number - < {} | head -n 1 > /dev/null",
        server.url(),
        file.display()
    );
    assert_eq!(
        scripted(&script),
        Some(0),
        "a reader that has seen enough is no failure"
    );
    assert!(!NUMBERS.iter().any(|number| server.log().contains(number)));
}
