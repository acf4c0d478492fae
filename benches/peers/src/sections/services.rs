//! Redis and PostgreSQL with the same reports: loading them, their size, and how they answer.

use super::start::start_serving;
use super::stream::job;
use super::unary::{at_top_rate, nearly_all_absent, seconds};
use crate::Result;
use crate::entries::Entries;
use crate::given::{BUILD_MEMORY, Given};
use crate::process::cpu_seconds;
use crate::report::{Figure, Findings};
use crate::services::ask::{Contender, IN_FLIGHT, Order, Rounds, Whom, in_turns};
use crate::services::cores::Cores;
use crate::services::front;
use crate::services::postgres::{self, Postgres};
use crate::services::redis::{self, Redis};
use sltd::client::{Client, ClientOptions, Question};
use sltd::snapshot::Warm;
use sltd_data::load::read_questions;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

/// Rounds of building and loading, and of asking.
const LOADS: usize = 3;
const ROUNDS: usize = 5;
/// Numbers of an `MGET`.
const MGET_NUMBERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999);
/// `MGET`s under way: enough that Redis never waits.
const MGETS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
/// Of all numbers one in so many is asked for one by one, to see that what was loaded comes back.
const PROBED: usize = 100_003;
/// Questions whose answers in front of Redis are held against ours.
const COMPARED: usize = 2_000;

/// Measures what can be had of both.
///
/// # Errors
/// When ours can't be measured.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let mut findings = Findings {
        notes: vec![
            format!(
                "loading: from the CSV to durable; ours `sltd-data build --threads {} --memory {BUILD_MEMORY}`, which also reads back and verifies; theirs the same reader and normaliser on as many threads, a parallel sort in memory, equal rows merged, then their bulk load on all cores; {} rounds in turns",
                given.threads,
                given.rounds(LOADS)
            ),
            format!(
                "asking: {} rounds of {} s in turns, the servers confined to the servers' cores ({}); ours over gRPC, whatever the peer is asked over",
                given.rounds(ROUNDS),
                seconds(given).as_secs_f64(),
                Cores::shared_out()?.describe()
            ),
        ],
        ..Findings::default()
    };
    // Beside the scratch folder, which no other user may enter.
    let folder = given.scratch.parent().unwrap_or(&given.scratch);
    for (name, settings, measure) in [
        ("Redis", redis::SETTINGS, with_redis as Measure),
        ("PostgreSQL", postgres::SETTINGS, with_postgres as Measure),
    ] {
        eprintln!("  {name}");
        findings.notes.push(format!("{name}: {settings}"));
        match measure(given, folder) {
            Ok(mut figures) => findings.figures.append(&mut figures),
            Err(error) => findings
                .notes
                .push(format!("{name} was not measured: {error}")),
        }
    }
    Ok(findings)
}

type Measure = fn(&Given, &Path) -> Result<Vec<Figure>>;

fn with_redis(given: &Given, folder: &Path) -> Result<Vec<Figure>> {
    let cores = Cores::shared_out()?;
    let redis = Redis::start(folder)?;
    let empty = redis.bytes()?;
    let mut figures = Vec::new();
    let loaded = load(given, "redis", &mut |entries| {
        redis.clear()?;
        redis.load(entries.feeds(1))
    })?;
    figures.push(loaded.time);
    figures.push(bytes(given, "redis", redis.bytes()? - empty)?);
    probe(&loaded.entries, |number| redis.get(number))?;
    redis.confine(&cores)?;

    let (ours, _) = start_serving(given, "", Some(&cores))?;
    let front = front::start(loaded.entries.into_dictionary(), redis.socket(), &cores)?;
    same_answers(given, &ours.url(), &front)?;
    let rounds = given.rounds(ROUNDS);
    let our_cpu = || cpu_seconds(ours.id());
    let [mine, theirs] = in_turns(
        rounds,
        &cores,
        &[
            Contender {
                order: at_top_rate(given, ours.url()),
                cpu: Box::new(our_cpu),
            },
            Contender {
                order: at_top_rate(given, front),
                // It serves from threads of this process, which does nothing else meanwhile.
                cpu: Box::new(|| Ok(redis.cpu()? + cpu_seconds(std::process::id())?)),
            },
        ],
    )?;
    nearly_all_absent(&theirs.asked)?;
    figures.extend(calls("tonic-and-redis", &mine, &theirs));
    let stream = job(given, ours.url());
    let mget = Order {
        whom: Whom::Redis(redis.socket(), MGET_NUMBERS),
        in_flight: MGETS,
        ..stream.clone()
    };
    let [mine, theirs] = in_turns(
        rounds,
        &cores,
        &[
            Contender {
                order: stream,
                cpu: Box::new(our_cpu),
            },
            Contender {
                order: mget,
                cpu: Box::new(|| redis.cpu()),
            },
        ],
    )?;
    nearly_all_absent(&mine.asked)?;
    figures.push(Figure::more(
        "stream/lookups-per-cpu-second/redis-mget",
        "/s",
        &mine.lookups_per_cpu_second,
        &theirs.lookups_per_cpu_second,
    ));
    Ok(figures)
}

fn with_postgres(given: &Given, folder: &Path) -> Result<Vec<Figure>> {
    let cores = Cores::shared_out()?;
    let postgres = Postgres::start(folder)?;
    let mut figures = Vec::new();
    let loaded = load(given, "postgresql", &mut |entries| {
        postgres.clear()?;
        postgres.load(entries.feeds(1))
    })?;
    figures.push(loaded.time);
    figures.push(bytes(given, "postgresql", postgres.bytes()?)?);
    probe(&loaded.entries, |number| {
        postgres.get(std::str::from_utf8(number)?)
    })?;
    drop(loaded.entries);
    postgres.confine(&cores)?;

    let (ours, _) = start_serving(given, "", Some(&cores))?;
    let order = at_top_rate(given, ours.url());
    let asked = Order {
        whom: Whom::Postgres(postgres.folder().to_owned()),
        in_flight: IN_FLIGHT,
        ..order.clone()
    };
    let [mine, theirs] = in_turns(
        given.rounds(ROUNDS),
        &cores,
        &[
            Contender {
                order,
                cpu: Box::new(|| cpu_seconds(ours.id())),
            },
            Contender {
                order: asked,
                cpu: Box::new(|| postgres.cpu()),
            },
        ],
    )?;
    figures.extend(calls("postgresql", &mine, &theirs));
    Ok(figures)
}

/// Calls a second, and calls a second of the servers' processor time: the second tells more where a machine is busy
/// with other things, of which a peer of many processes feels less.
fn calls(name: &str, mine: &Rounds, theirs: &Rounds) -> [Figure; 2] {
    [
        Figure::more(
            &format!("unary/calls/{name}"),
            "/s",
            &mine.calls,
            &theirs.calls,
        ),
        Figure::more(
            &format!("unary/calls-per-cpu-second/{name}"),
            "/s",
            &mine.calls_per_cpu_second,
            &theirs.calls_per_cpu_second,
        ),
    ]
}

/// What loading gave.
struct Loaded {
    time: Figure,
    entries: Entries,
}

/// Builds ours and loads a peer in turns.
fn load(given: &Given, name: &str, peer: &mut dyn FnMut(&Entries) -> Result<()>) -> Result<Loaded> {
    let store = given.scratch.join("timed-store");
    let [mut ours, mut theirs] = [const { Vec::new() }; 2];
    let mut last = None;
    for round in 0..given.rounds(LOADS) {
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                let usage = given.build_store(&given.list, &store, given.threads, BUILD_MEMORY)?;
                ours.push(usage.wall);
            } else {
                // Not two at a time.
                drop(last.take());
                let started = Instant::now();
                let entries = Entries::read(&given.list, &given.scratch, given.threads)?;
                peer(&entries)?;
                theirs.push(started.elapsed().as_secs_f64());
                last = Some(entries);
            }
        }
    }
    std::fs::remove_dir_all(&store)?;
    Ok(Loaded {
        time: Figure::less(&format!("build/from-csv/{name}"), "s", &ours, &theirs),
        entries: last.ok_or("nothing was loaded")?,
    })
}

/// Asks for one number in [`PROBED`], and for one that nobody has.
fn probe(entries: &Entries, get: impl Fn(&[u8]) -> Result<Option<Vec<u8>>>) -> Result<()> {
    let mut count = 0;
    for mut feed in entries.feeds(1) {
        while let Some((number, value)) = feed.next() {
            if count % PROBED == 0 && get(number)?.as_deref() != Some(value) {
                return Err("what was loaded does not come back".into());
            }
            count += 1;
        }
    }
    match get(b"NOBODYHASTHISNUMBER") {
        Ok(None) => Ok(()),
        _ => Err("a number that was not loaded is found".into()),
    }
}

/// Bytes a document of ours and of a peer.
fn bytes(given: &Given, name: &str, theirs: u64) -> Result<Figure> {
    let snapshot = given.snapshot(Warm::Filter)?;
    let ours: u64 = snapshot
        .segments()
        .iter()
        .map(|segment| segment.file_len())
        .sum();
    let each = |bytes: u64| [bytes as f64 / snapshot.documents() as f64];
    let id = format!("bytes/whole/{name}");
    Ok(Figure::less(&id, "B", &each(ours), &each(theirs)))
}

/// Holds verdicts and matches of a peer against ours: of the first questions, and of all that ours does not answer
/// with NO_RECORD.
fn same_answers(given: &Given, ours: &str, theirs: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let snapshot = given.snapshot(Warm::Filter)?;
    runtime.block_on(async {
        let [ours, theirs] = [
            Client::connect([ours], ClientOptions::default()).await?,
            Client::connect([theirs], ClientOptions::default()).await?,
        ];
        for (index, asked) in read_questions(&given.queries)?.enumerate() {
            let asked = asked?;
            let number = sltd::document::DocumentNumber::normalise(&asked.number)?;
            if index >= COMPARED && !snapshot.may_contain(&number) {
                continue;
            }
            let mut question = Question::number(asked.number).issuing_state(asked.issuing_state);
            if let Some(document_type) = asked.document_type {
                question = question.document_type(document_type);
            }
            let (mine, other) = (ours.check(&question).await?, theirs.check(&question).await?);
            if mine.verdict() != other.verdict()
                || mine.matches.len() != other.matches.len()
                || mine.same_number_other_issuers != other.same_number_other_issuers
            {
                return Err("a service in front of Redis answers something else".into());
            }
        }
        Ok(())
    })
}
