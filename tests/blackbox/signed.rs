//! Servers that trust keys: what they refuse, what they go on with, and what a restart changes.

use crate::support::{ROWS, Server, block_on, publish_on, serve, sltd, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use sltd::snapshot::Terms;
use sltd::snapshot::signature::SigningKey;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A store, keys, and the configuration of a server.
struct Site(TempDir);

impl Site {
    /// A signed snapshot, and a server told to trust the key and to remember.
    fn new() -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        for key in ["old", "new"] {
            let public = site.path(&format!("{key}.pub"));
            let made = SigningKey::generate().unwrap();
            made.write_new(&site.path(key), &public).unwrap();
        }
        fs::create_dir(site.path("state")).unwrap();
        site.trust(&["old"]);
        site.publish(&["old"]);
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What a server is told to trust.
    fn trust(&self, keys: &[&str]) {
        let keys = keys
            .iter()
            .map(|key| format!("[[trusted_key]]\nfile = \"{key}.pub\"\n"));
        let keys: String = keys.collect();
        self.configure(&format!("state_dir = \"state\"\n{keys}"));
    }

    fn configure(&self, text: &str) {
        fs::write(self.path("sltd.toml"), format!("watch = \"10ms\"\n{text}")).unwrap();
    }

    /// Publishes, signed with keys, of which there may be none.
    fn publish(&self, keys: &[&str]) {
        let keys = keys
            .iter()
            .map(|key| SigningKey::read(&self.path(key)).unwrap());
        // As somebody would who has no key, too.
        let terms = Terms::default().signing(keys.collect()).unwrap();
        let terms = terms.unsigned(true);
        publish_on(&self.path("store"), ROWS, terms);
    }

    fn pointer(&self) -> Vec<u8> {
        fs::read(self.path("store/CURRENT")).unwrap()
    }

    /// Puts another pointer into the store, as no publish would.
    fn point(&self, pointer: &[u8]) {
        fs::write(self.path("store/CURRENT"), pointer).unwrap();
    }

    fn start(&self) -> Server {
        let config = self.path("sltd.toml");
        Server::start_with(
            &self.path("store"),
            &["--config", config.to_str().unwrap()],
            "info",
        )
    }

    /// Asserts that a server does not start, with a code and a reason.
    #[track_caller]
    fn does_not_start(&self, code: i32, part: &str) {
        let (store, config) = (self.path("store"), self.path("sltd.toml"));
        let [store, config] = [&store, &config].map(|path| path.to_str().unwrap());
        sltd(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--store",
            store,
            "--config",
            config,
        ])
        .exits(code)
        .says(part);
    }
}

/// Asserts that a server refuses what has just been published, and goes on with what it had.
#[track_caller]
fn refuses(server: &Server, logged: usize, part: &str) {
    wait_for(part, || server.log()[logged..].contains("was refused"));
    let log = &server.log()[logged..];
    assert!(
        log.contains(part) && log.contains("stays in service"),
        "{log}"
    );
    assert!(!log.contains("serving a new snapshot"), "{log}");
    server.still_answers();
}

#[track_caller]
fn takes_over(server: &Server, generation: u64) {
    let line = format!("serving a new snapshot generation={generation}");
    wait_for(&line, || server.log().contains(&line));
    server.still_answers();
}

#[test]
fn what_is_not_signed_by_a_trusted_key_is_refused_and_the_old_stays() {
    let site = Site::new();
    let server = site.start();
    server.still_answers();
    let told = block_on(async { server.client().await.status().await.unwrap() });
    let old = SigningKey::read(&site.path("old"))
        .unwrap()
        .id()
        .to_string();
    let trusted: Vec<_> = told.trusted_keys.into_iter().map(|key| key.id).collect();
    assert_eq!(trusted, [old.as_str()]);
    assert_eq!(told.snapshot.unwrap().signed_by, [old]);
    let manifest = |generation: u64| {
        site.path("store/manifests")
            .join(format!("{generation:08}.json"))
    };
    let mut logged = server.log().len();
    site.publish(&[]);
    refuses(
        &server,
        logged,
        "not signed, but trusted keys are configured",
    );
    logged = server.log().len();
    site.publish(&["new"]);
    refuses(
        &server,
        logged,
        "signed only with keys that are not trusted",
    );
    site.publish(&["new", "old"]);
    takes_over(&server, 4);
    // Whoever changes a manifest can write its new digest into the pointer as well.
    logged = server.log().len();
    let changed = fs::read_to_string(manifest(4)).unwrap() + "\n";
    fs::write(manifest(4), &changed).unwrap();
    site.point(
        format!(
            "00000004.json {}\n",
            blake3::hash(changed.as_bytes()).to_hex()
        )
        .as_bytes(),
    );
    refuses(&server, logged, "does not fit");
    site.does_not_start(3, "does not fit");
}

#[test]
fn an_older_snapshot_put_back_is_refused_after_a_restart_too() {
    let site = Site::new();
    let first = site.pointer();
    let server = site.start();
    site.publish(&["old"]);
    takes_over(&server, 2);
    let second = site.pointer();
    let logged = server.log().len();
    site.point(&first);
    let refusal = "generation 1 of store";
    refuses(&server, logged, refusal);
    drop(server);
    site.does_not_start(3, refusal);
    site.point(&second);
    let server = site.start();
    server.still_answers();
    site.publish(&["old"]);
    takes_over(&server, 3);
}

/// What a server is told and what is published change one after the other, and no server misses anything.
#[test]
fn keys_change_without_a_gap() {
    let site = Site::new();
    let server = site.start();
    site.publish(&["old", "new"]);
    takes_over(&server, 2);
    site.trust(&["new"]);
    drop(server);
    let server = site.start();
    site.publish(&["new"]);
    takes_over(&server, 3);
    let logged = server.log().len();
    site.publish(&["old"]);
    refuses(&server, logged, "not trusted");
}

#[test]
fn a_server_goes_on_with_what_a_key_has_signed_in_its_time() {
    let site = Site::new();
    // The key's time ends after the snapshot was built.
    let now = jiff::Timestamp::now() + std::time::Duration::from_millis(1);
    site.configure(&format!(
        "state_dir = \"state\"\n[[trusted_key]]\nfile = \"old.pub\"\nnot_after = \"{now}\"\n"
    ));
    wait_for("the key's time to end", || jiff::Timestamp::now() > now);
    let server = site.start();
    let logged = server.log().len();
    site.publish(&["old"]);
    refuses(
        &server,
        logged,
        "which is trusted for what was published until",
    );
}

#[test]
fn a_configuration_that_can_not_be_held_is_no_start() {
    let site = Site::new();
    let damaged = |text: &str| {
        let file = file_in(&site.path("state"));
        let before = fs::read(&file).unwrap();
        fs::write(&file, text).unwrap();
        site.does_not_start(3, "is damaged");
        fs::write(&file, before).unwrap();
    };
    drop(site.start());
    damaged("");
    damaged("0 rubbish\n");
    fs::remove_file(site.path("old.pub")).unwrap();
    site.does_not_start(2, "old.pub");
    fs::write(site.path("old.pub"), "rubbish").unwrap();
    site.does_not_start(2, "expected an Ed25519 public key");
    site.configure("[[trusted_key]]\nfile = \"new.pub\"\n");
    site.does_not_start(2, "`state_dir`");
    site.configure("state_dir = \"nowhere\"\n[[trusted_key]]\nfile = \"new.pub\"\n");
    site.does_not_start(3, "nowhere");
    // Without keys it is not used.
    site.configure("state_dir = \"nowhere\"\n");
    site.publish(&[]);
    site.start().still_answers();
}

/// The only file of a folder.
fn file_in(folder: &Path) -> PathBuf {
    let mut entries = fs::read_dir(folder).unwrap();
    let file = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    file
}

#[track_caller]
fn reload(server: &Server, part: &str) {
    let logged = server.log().len();
    let process = Pid::from_raw(server.id().cast_signed()).unwrap();
    kill_process(process, Signal::HUP).unwrap();
    wait_for(part, || server.log()[logged..].contains(part));
    server.still_answers();
}

#[test]
fn keys_are_changed_without_a_restart() {
    let site = Site::new();
    let server = site.start();
    let trusted = || {
        let status = block_on(async { server.client().await.status().await.unwrap() });
        status.trusted_keys.len()
    };
    assert_eq!(trusted(), 1);
    let logged = server.log().len();
    site.publish(&["new"]);
    refuses(&server, logged, "keys that are not trusted");
    // With a key less or a list that can't be read, all stays as it was.
    site.configure("state_dir = \"state\"\n[[trusted_key]]\nfile = \"none.pub\"\n");
    reload(&server, "none.pub");
    site.configure("state_dir = 1\n");
    reload(&server, "the one before stays");
    site.trust(&["old"]);
    reload(&server, "those before stay");
    assert_eq!(trusted(), 1);

    site.trust(&["old", "new"]);
    reload(&server, "were read again");
    assert_eq!(trusted(), 2);
    site.publish(&["new"]);
    takes_over(&server, 3);
    site.trust(&["new"]);
    reload(&server, "were read again");
    let logged = server.log().len();
    site.publish(&["old"]);
    refuses(&server, logged, "keys that are not trusted");
}

#[test]
fn a_hang_up_ends_no_server() {
    let (dir, mut server) = serve();
    reload(&server, "the configuration was read again");
    assert_eq!(server.ended(), None);
    publish_on(dir.path(), ROWS, Terms::default());
    takes_over(&server, 2);
    server.terminate();
    assert!(server.wait().success());
}
