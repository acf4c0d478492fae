//! Keys as an operator makes, uses and changes them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

use serde_json::Value;
use sltd::snapshot::signature::TrustedKeys;
use sltd::snapshot::{LoadOptions, Store, Terms};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};
use support::{Desk, fails, files, sltd_data, succeeds};

/// A desk with two keys, lists of who trusts whom, a list of documents and one of changes.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write(
        "list.csv",
        "number,issuing_state,type,status\nAB000001,FIN,passport,lost\n",
    );
    desk.describe("sources.toml", "list.csv", "sltd-csv", "");
    desk.write(
        "changes.csv",
        "number,issuing_state,type,status,action\nAB000002,FIN,passport,lost,add\n",
    );
    desk.describe("delta.toml", "changes.csv", "sltd-csv", "");
    for key in ["old", "new"] {
        keygen(&desk, key);
    }
    trust(&desk, "trusts-old.toml", &["old"]);
    trust(&desk, "trusts-new.toml", &["new"]);
    trust(&desk, "trusts-both.toml", &["old", "new"]);
    desk
}

/// Makes a key and returns its id.
fn keygen(desk: &Desk, name: &str) -> String {
    let output = succeeds(sltd_data("keygen").arg("--out").arg(desk.path(name)));
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

fn trust(desk: &Desk, list: &str, keys: &[&str]) {
    let keys = keys
        .iter()
        .map(|key| format!("[[trusted_key]]\nfile = \"{key}.pub\"\n"));
    desk.write(list, keys.collect::<String>());
}

/// A command with keys to sign with and a list of keys to trust.
fn with(desk: &Desk, mut command: Command, keys: &[&str], trusted: &[&str]) -> Command {
    for key in keys {
        command.arg("--sign-key").arg(desk.path(key));
    }
    for list in trusted {
        command.arg("--trusted-keys").arg(desk.path(list));
    }
    command
}

fn build(desk: &Desk, keys: &[&str], trusted: &[&str]) -> Command {
    with(desk, desk.build("sources.toml", "store"), keys, trusted)
}

fn delta(desk: &Desk, keys: &[&str], trusted: &[&str]) -> Command {
    let mut command = sltd_data("delta");
    command.arg("--sources").arg(desk.path("delta.toml"));
    command.arg("--store").arg(desk.path("store"));
    with(desk, command, keys, trusted)
}

/// A command that reads the store.
fn read(desk: &Desk, subcommand: &str, trusted: &[&str]) -> Command {
    let mut command = sltd_data(subcommand);
    command.arg("--store").arg(desk.path("store"));
    with(desk, command, &[], trusted)
}

fn inspect(desk: &Desk, trusted: &[&str]) -> Value {
    let output = succeeds(read(desk, "inspect", trusted).arg("--json"));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_key_is_made_for_its_owner_alone_and_over_nothing() {
    let desk = Desk::new();
    let id = keygen(&desk, "key");
    assert_eq!(id.len(), 32);
    let mode = fs::metadata(desk.path("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = ["key", "key.pub"].map(|name| fs::read(desk.path(name)).unwrap());
    let again = |out: &str, public: &str| {
        let mut command = sltd_data("keygen");
        command.arg("--out").arg(desk.path(out));
        command.arg("--public").arg(desk.path(public));
        command
    };
    fails(&mut again("key", "other.pub"), 3, "key exists already");
    fails(&mut again("other", "key.pub"), 3, "key.pub exists already");
    fails(&mut again("no/other", "other.pub"), 3, "no/other");
    fails(&mut sltd_data("keygen"), 2, "--out");
    assert_eq!(files(&desk.path("")), ["key", "key.pub"]);
    assert_eq!(
        before,
        ["key", "key.pub"].map(|name| fs::read(desk.path(name)).unwrap())
    );
    succeeds(&mut again("other", "elsewhere.pub"));
    assert_eq!(
        files(&desk.path("")),
        ["elsewhere.pub", "key", "key.pub", "other"]
    );
}

#[test]
fn a_key_that_others_can_read_signs_nothing() {
    let desk = desk();
    fs::set_permissions(desk.path("old"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink(desk.path("old"), desk.path("link")).unwrap();
    for key in ["old", "link"] {
        fails(&mut build(&desk, &[key], &[]), 2, "may be used by others");
    }
    fails(&mut build(&desk, &["nowhere"], &[]), 2, "nowhere");
    fails(
        &mut build(&desk, &["old.pub"], &[]),
        2,
        "may be used by others",
    );
    fails(
        &mut build(&desk, &["new"], &["nowhere.toml"]),
        2,
        "nowhere.toml",
    );
    fails(
        &mut build(&desk, &["new"], &["list.csv"]),
        2,
        "[[trusted_key]]",
    );
    let many: Vec<&str> = [&"new"; 17].map(|key| *key).to_vec();
    fails(&mut build(&desk, &many, &[]), 2, "at most 16");
    assert!(!desk.path("store").exists());
}

#[test]
fn where_keys_are_trusted_nothing_else_is_published_or_built_on() {
    let desk = desk();
    // Said before a list is read.
    fails(
        &mut build(&desk, &[], &["trusts-old.toml"]),
        21,
        "not signed",
    );
    succeeds(&mut build(&desk, &["old"], &["trusts-old.toml"]));
    let pointer = || fs::read(desk.path("store/CURRENT")).unwrap();
    let before = pointer();
    let published = [build, delta];
    for publish in published {
        fails(
            &mut publish(&desk, &[], &["trusts-old.toml"]),
            21,
            "not signed",
        );
        fails(
            &mut publish(&desk, &["new"], &["trusts-old.toml"]),
            21,
            "not trusted",
        );
        fails(
            &mut publish(&desk, &["new"], &["trusts-new.toml"]),
            21,
            "not trusted",
        );
    }
    let manifest = desk.path("store/manifests/00000001.json.sig");
    let mut signatures = fs::read(&manifest).unwrap();
    signatures[40] = if signatures[40] == b'0' { b'1' } else { b'0' };
    fs::write(&manifest, &signatures).unwrap();
    for publish in published {
        fails(
            &mut publish(&desk, &["old"], &["trusts-old.toml"]),
            21,
            "does not fit",
        );
    }
    assert_eq!(pointer(), before);
    // Without a list, it is an operator's own affair, if it is no mistake.
    succeeds(delta(&desk, &[], &[]).arg("--unsigned"));
    fails(
        &mut delta(&desk, &["old"], &["trusts-old.toml"]),
        21,
        "not signed",
    );
}

/// The old key, both, the new one: at each step, who trusts which.
#[test]
fn keys_change_without_a_gap() {
    let desk = desk();
    let ids: Vec<Value> = ["third", "fourth"]
        .map(|name| keygen(&desk, name).into())
        .to_vec();
    for (keys, old, new) in [
        (&["old"][..], true, false),
        (&["old", "new"], true, true),
        (&["new"], false, true),
    ] {
        let publish = if new { delta } else { build };
        succeeds(&mut publish(&desk, keys, &["trusts-both.toml"]));
        for (list, trusted) in [
            ("trusts-old.toml", old),
            ("trusts-new.toml", new),
            ("trusts-both.toml", true),
        ] {
            for (subcommand, refused) in [("verify", 1), ("inspect", 3), ("lookup", 3)] {
                let mut command = read(&desk, subcommand, &[list]);
                if subcommand == "lookup" {
                    command.args(["--number", "ZZ999999"]);
                }
                if trusted {
                    succeeds(&mut command);
                } else {
                    fails(&mut command, refused, "not trusted");
                }
            }
        }
        assert_eq!(
            inspect(&desk, &[])["signedBy"].as_array().unwrap().len(),
            keys.len()
        );
    }
    succeeds(&mut delta(&desk, &["third", "fourth"], &[]));
    assert_eq!(*inspect(&desk, &[])["signedBy"].as_array().unwrap(), ids);
    let text = succeeds(&mut read(&desk, "inspect", &[])).stdout;
    let line = format!(
        "signed by    {}, {}\n",
        ids[0].as_str().unwrap(),
        ids[1].as_str().unwrap()
    );
    assert!(String::from_utf8(text).unwrap().contains(&line));
}

#[test]
fn a_key_is_trusted_for_its_time() {
    let desk = desk();
    let window = |from: &str, until: &str| {
        desk.write(
            "window.toml",
            format!("[[trusted_key]]\nfile = \"old.pub\"\nnot_before = \"{from}\"\nnot_after = \"{until}\"\n"),
        );
    };
    succeeds(&mut build(&desk, &["old"], &["trusts-old.toml"]));
    let manifest = fs::read(desk.path("store/manifests/00000001.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let published_at = manifest["published_at"].as_str().unwrap().to_owned();
    window("2000-01-01T00:00:00Z", &published_at);
    // What was published in its time stays good; nothing new can be.
    succeeds(&mut read(&desk, "verify", &["window.toml"]));
    fails(
        &mut build(&desk, &["old"], &["window.toml"]),
        21,
        &published_at,
    );
    fails(
        &mut delta(&desk, &["old"], &["window.toml"]),
        21,
        &published_at,
    );
    window("2000-01-01T00:00:00Z", "2001-01-01T00:00:00Z");
    fails(
        &mut read(&desk, "verify", &["window.toml"]),
        1,
        "to 2001-01-01",
    );
    window("9000-01-01T00:00:00Z", "9001-01-01T00:00:00Z");
    fails(
        &mut delta(&desk, &["old"], &["window.toml"]),
        21,
        "from 9000-01-01",
    );
}

#[test]
fn a_signed_delta_killed_at_any_moment_leaves_a_signed_snapshot() {
    const KILLS: u32 = 30;
    let desk = desk();
    succeeds(&mut build(&desk, &["old"], &["trusts-old.toml"]));
    let signed = || delta(&desk, &["old", "new"], &["trusts-old.toml"]);
    let begin = std::time::Instant::now();
    succeeds(&mut signed());
    let whole = begin.elapsed();
    let terms =
        Terms::default().trusting(TrustedKeys::read(&desk.path("trusts-old.toml")).unwrap());
    let generation = || {
        let store = Store::open(desk.path("store"))
            .unwrap()
            .with_terms(terms.clone());
        store
            .load_current(&LoadOptions::default())
            .unwrap()
            .generation()
    };
    let (mut before, mut after) = (0, 0);
    for number in 0..KILLS {
        let held = generation();
        let mut command = signed();
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // Spread over one and a half times the time that a whole one takes.
        std::thread::sleep(whole.mul_f64(1.5 * f64::from(number) / f64::from(KILLS)));
        // The last one lives.
        if number + 1 < KILLS {
            child.kill().unwrap();
        }
        child.wait().unwrap();
        match generation() - held {
            0 => before += 1,
            1 => after += 1,
            more => panic!("{more} generations more"),
        }
    }
    assert!(before > 0 && after > 0, "{before} before, {after} after");
    // Nothing is left of what the killed had begun.
    succeeds(&mut signed());
    let names = files(&desk.path("store/manifests"));
    let (signatures, manifests): (Vec<_>, Vec<_>) =
        names.iter().partition(|name| name.ends_with(".sig"));
    assert_eq!(signatures.len(), manifests.len(), "{names:?}");
    assert!(
        manifests.iter().all(|name| name.ends_with(".json")),
        "{names:?}"
    );
}

#[test]
fn a_promise_is_written_down() {
    let desk = desk();
    succeeds(build(&desk, &[], &[]).args(["--valid-for", "36h"]));
    let first = inspect(&desk, &[]);
    let times = ["builtAt", "notAfter"].map(|name| {
        let time: jiff::Timestamp = first[name].as_str().unwrap().parse().unwrap();
        time.as_second()
    });
    assert_eq!(times[1] - times[0], 36 * 3600);
    succeeds(&mut delta(&desk, &[], &[]));
    assert_eq!(inspect(&desk, &[])["notAfter"], first["notAfter"]);
    succeeds(&mut build(&desk, &[], &[]));
    assert_eq!(inspect(&desk, &[])["notAfter"], Value::Null);
    fails(
        build(&desk, &[], &[]).args(["--valid-for", "36"]),
        2,
        "a unit",
    );
}

/// Each way to publish: refused without a key, signed with one.
#[test]
fn whatever_publishes_signs() {
    let desk = desk();
    let trusts = &["trusts-old.toml"][..];
    succeeds(&mut build(&desk, &["old"], trusts));
    // Another list, so that there is a base to go back to.
    let list = fs::read_to_string(desk.path("list.csv")).unwrap();
    desk.write("list.csv", list + "AB000003,FIN,passport,lost\n");
    desk.describe_at(
        "2026-01-02T00:00:00Z",
        "sources.toml",
        "list.csv",
        "sltd-csv",
        "",
    );
    desk.describe_at(
        "2026-01-03T00:00:00Z",
        "delta.toml",
        "changes.csv",
        "sltd-csv",
        "",
    );
    succeeds(&mut build(&desk, &["old"], trusts));
    succeeds(&mut delta(&desk, &["old"], trusts));
    // Put aside, nothing is published that had to be signed.
    succeeds(build(&desk, &[], trusts).arg("--no-publish"));
    let commands: [(&str, &[&str]); 6] = [
        ("compact", &[]),
        (
            "retract",
            &[
                "--source", "list", "--reason", "test", "--accept", "overall",
            ],
        ),
        (
            "retract",
            &["--source", "list", "--reason", "test", "--lift"],
        ),
        ("rollback", &["--reason", "test"]),
        ("unpin", &[]),
        ("publish", &["--accept", "rolled-back:list"]),
    ];
    for (subcommand, arguments) in commands {
        let before = fs::read(desk.path("store/CURRENT")).unwrap();
        for (keys, part) in [(&[][..], "not signed"), (&["new"], "not trusted")] {
            let mut command = sltd_data(subcommand);
            command
                .arg("--store")
                .arg(desk.path("store"))
                .args(arguments);
            fails(&mut with(&desk, command, keys, trusts), 21, part);
        }
        assert_eq!(fs::read(desk.path("store/CURRENT")).unwrap(), before);
        let mut command = sltd_data(subcommand);
        command
            .arg("--store")
            .arg(desk.path("store"))
            .args(arguments);
        succeeds(&mut with(&desk, command, &["old"], trusts));
        assert_ne!(fs::read(desk.path("store/CURRENT")).unwrap(), before);
        succeeds(&mut read(&desk, "verify", trusts));
    }
}

#[test]
fn every_night_is_signed_as_its_file_says() {
    let desk = desk();
    let nightly = |key: &str| {
        desk.write(
            "nightly.toml",
            format!(
                "store = \"store\"\nsources = \"sources.toml\"\nsign_keys = [\"{key}\"]\n\
                 trusted_keys = \"trusts-old.toml\"\nvalid_for = \"36h\"\n"
            ),
        );
        let mut command = sltd_data("nightly");
        command.arg("--config").arg(desk.path("nightly.toml"));
        command
    };
    fails(&mut nightly("new"), 21, "not trusted");
    fails(&mut nightly("nowhere"), 2, "nowhere");
    succeeds(&mut nightly("old"));
    succeeds(&mut read(&desk, "verify", &["trusts-old.toml"]));
    assert!(inspect(&desk, &[])["notAfter"].is_string());
    fails(&mut nightly("new"), 21, "not trusted");
}

#[test]
fn nothing_unsigned_is_published_over_what_is_signed_by_mistake() {
    let desk = desk();
    succeeds(&mut build(&desk, &["old"], &[]));
    let before = fs::read(desk.path("store/CURRENT")).unwrap();
    // Whether keys are trusted here or not.
    let mut commands = vec![build(&desk, &[], &[]), delta(&desk, &[], &[])];
    let arguments: [(&str, &[&str]); 3] = [
        (
            "retract",
            &[
                "--source", "list", "--reason", "test", "--accept", "overall",
            ],
        ),
        ("repair", &["--above", "9"]),
        ("rollback", &["--reason", "test", "--to", "1"]),
    ];
    for (name, arguments) in arguments {
        let mut command = sltd_data(name);
        command
            .arg("--store")
            .arg(desk.path("store"))
            .args(arguments);
        commands.push(command);
    }
    for mut command in commands {
        fails(&mut command, 21, "not signed");
    }
    assert_eq!(fs::read(desk.path("store/CURRENT")).unwrap(), before);
    let mut both = build(&desk, &["old"], &[]);
    fails(both.arg("--unsigned"), 2, "cannot be used with");
    succeeds(build(&desk, &[], &[]).arg("--unsigned"));
    // It is not signed any more.
    succeeds(&mut delta(&desk, &[], &[]));
}

#[test]
fn what_is_put_aside_is_published_as_it_was_to_be() {
    let desk = desk();
    let trusts = &["trusts-old.toml"][..];
    succeeds(&mut build(&desk, &["old"], trusts));
    let mut aside = build(&desk, &["old"], trusts);
    succeeds(aside.args(["--no-publish", "--valid-for", "36h"]));
    let mut publish = sltd_data("publish");
    succeeds(publish.arg("--store").arg(desk.path("store")));
    succeeds(&mut read(&desk, "verify", trusts));
    let shown = inspect(&desk, trusts);
    assert_eq!(shown["generation"], 2);
    let times = ["builtAt", "notAfter"].map(|name| {
        let time: jiff::Timestamp = shown[name].as_str().unwrap().parse().unwrap();
        time.as_second()
    });
    assert_eq!(times[1] - times[0], 36 * 3600);
    // What is said at the publish counts.
    let mut aside = build(&desk, &["old"], trusts);
    succeeds(aside.args(["--no-publish", "--valid-for", "36h"]));
    let mut publish = sltd_data("publish");
    publish.arg("--store").arg(desk.path("store"));
    let publish = with(&desk, publish, &["new"], &["trusts-both.toml"]);
    let mut publish = publish;
    succeeds(publish.args(["--valid-for", "1h"]));
    succeeds(&mut read(&desk, "verify", &["trusts-new.toml"]));
    // A key that is not there any more is named.
    let mut aside = build(&desk, &["old"], &["trusts-both.toml"]);
    succeeds(aside.arg("--no-publish"));
    fs::remove_file(desk.path("old")).unwrap();
    let mut publish = sltd_data("publish");
    fails(publish.arg("--store").arg(desk.path("store")), 2, "old");
}
