//! The two loops against services that stall, hold back, refuse, or are not there.

use crate::fake::{self, Manner};
use sltd_data::load::{
    Arrivals, Caller, Grpc, Measured, Mode, Outcome, Plan, Questions, Target, Verdicts, drive,
};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tonic::Code;
use tonic::transport::Server;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Two connections, each on a thread of its own, for half a second.
fn plan(arrivals: Arrivals) -> Plan {
    let two = NonZeroUsize::MIN.saturating_add(1);
    Plan {
        arrivals,
        connections: two,
        threads: two,
        warmup: Duration::ZERO,
        duration: ms(500),
        deadline: ms(10_000),
    }
}

fn closed(concurrency: usize) -> Arrivals {
    let concurrency = NonZeroUsize::new(concurrency).unwrap();
    Arrivals::Closed { concurrency }
}

fn ask_in(mode: Mode, url: &str, plan: &Plan) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queries.csv");
    std::fs::write(&path, "A1,FIN,passport\nA2\n").unwrap();
    let items = NonZeroUsize::new(2).unwrap();
    let questions = Arc::new(Questions::read(&path, mode, items).unwrap());
    let target = Grpc::new(url, mode, items, questions, plan.deadline).unwrap();
    drive(plan, &target).unwrap()
}

fn ask(url: &str, plan: &Plan) -> Measured {
    ask_in(Mode::Unary, url, plan)
}

/// Calls that took at least so long.
fn at_least(measured: &Measured, time: Duration) -> u64 {
    let ns = u64::try_from(time.as_nanos()).unwrap();
    let latencies = measured.tally.latencies_ns();
    latencies.count_between(ns, u64::MAX)
}

#[test]
fn a_stall_is_charged_for_everyone_who_had_to_wait() {
    let stall = Manner::Stall {
        call: 100,
        time: ms(300),
    };
    let (url, _) = fake::serve(stall, |server| server);
    let measured = ask(&url, &plan(Arrivals::Open { rate: 1_000.0 }));
    let tally = &measured.tally;
    assert_eq!(tally.status(Code::Ok), 500);
    // A thousand a second were to start while it stood still: for 200 ms of it each of them had at
    // least 100 ms left to wait. Whoever asks one after the other would see one slow call.
    assert!(at_least(&measured, ms(99)) >= 190, "{measured:?}");
    assert!(tally.latency_us(0.999) >= 280_000.0, "{measured:?}");
    assert!(tally.latency_us(1.0) >= 300_000.0, "{measured:?}");
}

#[test]
fn nobody_there() {
    // Free a moment ago, and most likely still.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for arrivals in [Arrivals::Open { rate: 100.0 }, closed(3)] {
        let measured = ask(&url, &plan(arrivals));
        let calls = measured.tally.calls();
        assert!(calls > 0, "{measured:?}");
        if arrivals != closed(3) {
            assert_eq!(calls, 50, "every arrival is counted");
        }
        assert_eq!(measured.tally.status(Code::Unavailable), calls);
        let (_, status) = measured.tally.statuses().next().unwrap();
        assert!(status.why.contains("cannot connect"), "{status:?}");
        assert!(measured.calls_per_second() == 0.0);
    }
}

#[test]
fn whoever_never_answers_runs_into_the_deadline() {
    // One that speaks gRPC, and one that takes connections and says nothing.
    let (never, _) = fake::serve(Manner::Never, |server| server);
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let urls = [never, format!("http://{}", silent.local_addr().unwrap())];
    for url in urls {
        for (arrivals, expected) in [
            (Arrivals::Open { rate: 100.0 }, Some(50)),
            (closed(4), None),
        ] {
            let plan = Plan {
                deadline: ms(100),
                ..plan(arrivals)
            };
            let measured = ask(&url, &plan);
            let calls = measured.tally.calls();
            assert_eq!(
                measured.tally.status(Code::DeadlineExceeded),
                calls,
                "{measured:?}"
            );
            assert!(expected.is_none_or(|expected| calls == expected), "{calls}");
            assert_eq!(at_least(&measured, ms(99)), calls, "{measured:?}");
        }
    }
}

#[test]
fn calls_in_flight_stay_within_what_the_server_takes() {
    let one_at_a_time = |server: Server| server.max_concurrent_streams(1);
    let (url, seen) = fake::serve(Manner::After(ms(50)), one_at_a_time);
    let measured = ask(&url, &plan(Arrivals::Open { rate: 100.0 }));
    // All arrivals are answered, though two connections answer 40 a second at most and most of them have
    // to wait before they are sent.
    assert_eq!(measured.tally.status(Code::Ok), 50, "{measured:?}");
    assert!(measured.tally.missed() > 0, "{measured:?}");
    assert_eq!(measured.tally.unsent(), 0);
    assert_eq!(seen.in_flight_max.load(Ordering::SeqCst), 2);

    // In a closed loop all callers go on, and wait for one another.
    let (url, seen) = fake::serve(Manner::After(ms(5)), one_at_a_time);
    let measured = ask(&url, &plan(closed(6)));
    assert!(measured.tally.calls() >= 6, "{measured:?}");
    assert_eq!(measured.tally.status(Code::Ok), measured.tally.calls());
    assert_eq!(seen.in_flight_max.load(Ordering::SeqCst), 2);
}

/// Something else than gRPC, that takes the whole thread for each call, and counts them.
struct Hog(Arc<AtomicU64>);

impl Target for Hog {
    type Connection = ();
    type Caller = Self;

    fn connection(&self) {}

    fn caller(&self, (): &()) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl Caller for Hog {
    async fn call(&mut self, _: u64) -> Outcome {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(ms(50));
        Outcome::answered(Verdicts::default())
    }
}

#[test]
fn arrivals_given_up_before_they_could_start_are_counted() {
    let hog = Hog(Arc::default());
    let plan = Plan {
        deadline: ms(20),
        ..plan(Arrivals::Open { rate: 200.0 })
    };
    let tally = drive(&plan, &hog).unwrap().tally;
    assert_eq!(tally.calls(), 100, "{tally:?}");
    assert!(
        tally.unsent() > 0 && tally.missed() >= tally.unsent(),
        "{tally:?}"
    );
    let sent = hog.0.load(Ordering::SeqCst);
    assert_eq!(sent + tally.unsent(), 100, "{tally:?}");
    assert_eq!(tally.status(Code::DeadlineExceeded), tally.unsent());
}

#[test]
fn a_server_that_ends_its_connections_politely_loses_no_call() {
    let short = |server: Server| server.max_connection_age(ms(50));
    let (url, seen) = fake::serve(Manner::After(ms(1)), short);
    let measured = ask(&url, &plan(closed(4)));
    assert_eq!(measured.tally.status(Code::Ok), measured.tally.calls());
    assert!(seen.calls.load(Ordering::SeqCst) > 4);
}

#[test]
fn refusals_and_broken_promises_are_no_answers() {
    let (url, _) = fake::serve(Manner::Never, |server| server);
    for (mode, code, why) in [
        (Mode::Batch, Code::ResourceExhausted, "no batches today"),
        (Mode::Stream, Code::Unknown, "before its questions"),
    ] {
        let measured = ask_in(mode, &url, &plan(Arrivals::Open { rate: 100.0 }));
        let statuses: Vec<_> = measured.tally.statuses().collect();
        let [(seen, status)] = statuses.as_slice() else {
            panic!("{statuses:?}")
        };
        assert_eq!((*seen, status.calls), (code, 50));
        assert!(status.why.contains(why), "{status:?}");
        assert_eq!(measured.tally.verdicts().sum(), 0);
    }
}
