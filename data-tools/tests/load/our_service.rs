//! The real binary against our service: every mode and loop, what is counted, and how it is said.

use crate::support::{Desk, fails, succeeds};
use serde_json::Value;
use sltd::client::{Client, ClientOptions};
use sltd::service::{self, Config};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

const LIST: &str = "\
number,issuing_state,type,status,date_reported
A1,FIN,passport,stolen,2026-01-02
";

/// How long a snapshot of one report may take to load.
const PATIENCE: Duration = Duration::from_secs(60);

/// Our service, serving a store until dropped.
struct Served {
    url: String,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn start(store: &Path) -> Self {
        let listener = service::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (end, ended) = oneshot::channel();
        let store = store.to_owned();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let config = Config::default();
            let ended = async { drop(ended.await) };
            let served = service::run(listener, store, &config, ended);
            runtime.block_on(served).unwrap();
        });
        Self {
            url,
            end: Some(end),
            thread: Some(thread),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.end.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// A store with one report, and our service on it.
fn served() -> (Desk, Served) {
    let desk = Desk::new();
    desk.write("list.csv", LIST);
    desk.describe("sources.toml", "list.csv", "sltd-csv", "");
    succeeds(&mut desk.build("sources.toml", "store"));
    let served = Served::start(&desk.path("store"));
    // It takes calls before the snapshot is there.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = Client::connect([&*served.url], ClientOptions::default());
        let client = client.await.unwrap();
        client.wait_until_serving(PATIENCE).await.unwrap();
    });
    (desk, served)
}

fn load(desk: &Desk, url: &str, queries: &str) -> Command {
    let mut command = crate::support::sltd_data("load");
    command.args(["--server", url, "--queries"]);
    command.arg(desk.path(queries));
    command.arg("--json").arg(desk.path("result.json"));
    command
}

/// What the last load wrote.
fn result(desk: &Desk) -> (String, Value) {
    let text = fs::read_to_string(desk.path("result.json")).unwrap();
    let json = serde_json::from_str(&text).unwrap();
    (text, json)
}

#[test]
fn every_mode_and_loop_counts_every_answer() {
    let (desk, served) = served();
    // Reported; not; could not be checked.
    desk.write("queries.csv", "A1,FIN,passport\nA2,FIN,passport\nA3\r\n\n");
    // Mode; documents of a call, filled up from the first; hits among them.
    for (mode, batch, hits_each) in [
        ("unary", 1, None),
        ("batch", 5, Some(2)),
        ("stream", 7, Some(3)),
    ] {
        for pace in [["--rate", "500"], ["--concurrency", "10"]] {
            let mut command = load(&desk, &served.url, "queries.csv");
            command.args(["--mode", mode, "--batch", &batch.to_string()]);
            command
                .args(["--duration", "200ms", "--connections", "3"])
                .args(pace);
            let output = succeeds(&mut command);
            let (_, json) = result(&desk);
            let what = format!("{mode} {pace:?}: {json}");
            let number = |pointer: &str| json.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);

            let calls = number("/calls");
            assert!(calls > 0, "{what}");
            if pace[0] == "--rate" {
                assert_eq!(calls, 100, "{what}");
                assert_eq!(json["loop"], "open");
            }
            assert_eq!(number("/statuses/OK"), calls, "{what}");
            assert_eq!(number("/lookups"), calls * batch, "{what}");
            let (hits, misses) = (
                number("/verdicts/VERDICT_HIT"),
                number("/verdicts/VERDICT_NO_RECORD"),
            );
            assert_eq!(hits + misses, calls * batch, "{what}");
            match hits_each {
                Some(each) => assert_eq!(hits, calls * each, "{what}"),
                None => assert!(hits > 0 && misses > 0, "{what}"),
            }
            assert_eq!(number("/batch"), batch, "{what}");

            let said = String::from_utf8(output.stdout).unwrap();
            for part in ["NO_RECORD", "latency    p50 ", "OK "] {
                assert!(said.contains(part), "{part}: {said}");
            }
        }
    }
}

#[test]
fn the_result_has_its_shape() {
    let (desk, served) = served();
    desk.write("queries.csv", "A2,FIN,passport\n");
    let mut command = load(&desk, &served.url, "queries.csv");
    command.args(["--duration", "100ms", "--warmup", "100ms", "--rate", "1000"]);
    succeeds(&mut command);
    let (text, json) = result(&desk);
    // In this order in the file: programs read them one after the other.
    let mut places = [
        "\"latency_us\"",
        "\"p50\"",
        "\"p90\"",
        "\"p99\"",
        "\"p999\"",
        "\"max\"",
    ]
    .map(|key| text.find(key).unwrap());
    assert!(places.is_sorted(), "{text}");
    places.sort_unstable();
    let latency =
        ["p50", "p90", "p99", "p999", "max"].map(|key| json["latency_us"][key].as_f64().unwrap());
    assert!(latency[0] > 0.0 && latency.is_sorted(), "{latency:?}");
    // The warm-up's calls are not counted.
    assert_eq!(json["calls"], 100);
    for key in ["calls_per_second", "lookups_per_second"] {
        assert!(json[key].as_f64().unwrap() > 0.0, "{key}: {text}");
    }
    let client = &json["client"];
    assert!(client["cpu_seconds"].as_f64().unwrap() > 0.0, "{text}");
    assert!(client["bound"].is_boolean(), "{text}");
}

#[test]
fn errors_are_counted_by_status_and_are_in_the_latencies() {
    let (desk, served) = served();
    desk.write("queries.csv", "A1,FIN,passport\nA*1\n");
    let mut command = load(&desk, &served.url, "queries.csv");
    command.args(["--duration", "100ms", "--rate", "1000"]);
    // What was measured is told, and that it was not what was asked for.
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let failed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(failed.contains("50 of 100 calls to"), "{failed}");
    let (text, json) = result(&desk);
    assert_eq!(json["calls"], 100);
    assert_eq!(json["statuses"]["OK"], 50);
    assert_eq!(json["statuses"]["INVALID_ARGUMENT"], 50);
    assert_eq!(json["verdicts"]["VERDICT_HIT"], 50);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("INVALID_ARGUMENT: number: "), "{said}");
    assert!(!said.contains("A*1") && !text.contains("A*1"), "{said}");

    // Of many, the same one has no verdict, and the others have theirs.
    for mode in ["batch", "stream"] {
        let mut command = load(&desk, &served.url, "queries.csv");
        command.args(["--mode", mode, "--batch", "2"]);
        succeeds(command.args(["--duration", "100ms", "--rate", "100"]));
        let (_, json) = result(&desk);
        assert_eq!(json["statuses"]["OK"], 10);
        assert_eq!(json["verdicts"]["VERDICT_UNSPECIFIED"], 10);
        assert_eq!(json["verdicts"]["VERDICT_HIT"], 10);
    }

    // If nothing is answered, that is no measurement.
    desk.write("queries.csv", "A*1\n");
    let mut command = load(&desk, &served.url, "queries.csv");
    command.args(["--duration", "50ms"]);
    fails(&mut command, 3, "no call was answered");
}

#[test]
fn what_cannot_be_asked_is_said_at_once() {
    let desk = Desk::new();
    desk.write("queries.csv", "A1,FIN,passport\n");
    desk.write("empty.csv", "\n\n");
    desk.write("odd.csv", "A1\nSECRET1,FIN,pasport\n");
    let here = "http://127.0.0.1:1";
    let cases: [(&str, &str, &[&str], &str); 10] = [
        ("127.0.0.1:7440", "queries.csv", &[], "is no server"),
        ("https://127.0.0.1:7440", "queries.csv", &[], "is no server"),
        (
            "http://127.0.0.1:7440/v1",
            "queries.csv",
            &[],
            "is no server",
        ),
        (here, "nowhere.csv", &[], "cannot read the questions"),
        (here, "empty.csv", &[], "no question"),
        (here, "odd.csv", &[], "line 2"),
        (
            here,
            "queries.csv",
            &["--mode", "batch", "--batch", "10001"],
            "at most 10000",
        ),
        (
            here,
            "queries.csv",
            &["--mode", "stream", "--batch", "65537"],
            "at most 65536",
        ),
        (here, "queries.csv", &["--rate", "0"], "above 0"),
        (here, "queries.csv", &["--duration", "0s"], "no time"),
    ];
    for (url, queries, more, part) in cases {
        let mut command = load(&desk, url, queries);
        fails(command.args(more), 2, part);
        let output = command.output().unwrap();
        assert!(!String::from_utf8_lossy(&output.stderr).contains("SECRET1"));
    }
}
