//! `sltd serve` as a process: its start, its life over changing snapshots, its end, its log.

mod support;

use sltd::client::{
    AnswerStream, Chunk, Client, ClientOptions, Health, Question, StreamOptions, Verdict,
};
use sltd::document::DocumentType;
use sltd::proto::lookup_service_server::SERVICE_NAME;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use support::{NUMBERS, PATIENCE, ROWS, Server, block_on, publish, sltd, wait_for};
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

fn passport(number: impl Into<String>) -> Question {
    let question = Question::number(number).issuing_state("FRA");
    question.document_type(DocumentType::Passport)
}

fn store(rows: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), rows);
    dir
}

#[test]
fn what_can_not_be_served_is_exit_code_3() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::create_dir(path("empty")).unwrap();
    std::fs::write(path("file"), "no store").unwrap();
    // What a first build leaves that was killed before it published.
    drop(sltd::snapshot::Store::writer(path("unpublished")).unwrap());
    publish(&path("published"), ROWS);
    let taken = Server::start(&path("published"));
    let taken_address = taken.address.to_string();
    let cases: &[(&str, &str, &str)] = &[
        ("nowhere", "127.0.0.1:0", "nowhere is not a store"),
        ("empty", "127.0.0.1:0", "sltd-data build"),
        ("file", "127.0.0.1:0", "file is not a store"),
        ("unpublished", "127.0.0.1:0", "unpublished is not a store"),
        ("published", &taken_address, "another program already does"),
        ("published", "0.0.0.0:0", "only loopback"),
        ("published", "192.0.2.1:7440", "only loopback"),
    ];
    for (store, listen, part) in cases {
        let store = path(store);
        let command = [
            "serve",
            "--store",
            store.to_str().unwrap(),
            "--listen",
            listen,
        ];
        let ran = sltd(&command).exits(3).says(part);
        assert_eq!(
            ran.err
                .lines()
                .filter(|line| line.contains("ERROR"))
                .count(),
            1,
            "{ran:#?}"
        );
    }
    taken.still_answers();
}

#[test]
fn health_and_reflection() {
    let dir = store(ROWS);
    let server = Server::start(dir.path());
    block_on(async {
        let channel = Endpoint::from_shared(server.url()).unwrap().connect_lazy();
        let mut health = HealthClient::new(channel.clone());
        for service in ["", SERVICE_NAME] {
            let service = service.to_owned();
            let answer = health.check(HealthCheckRequest { service }).await.unwrap();
            assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
        }
        let service = "nobody".to_owned();
        let status = health
            .check(HealthCheckRequest { service })
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::NotFound);

        let expected = ["grpc.health.v1.Health", SERVICE_NAME];
        let mut reflection =
            v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
        use v1::server_reflection_request::MessageRequest;
        use v1::server_reflection_response::MessageResponse;
        let ask = |request| v1::ServerReflectionRequest {
            host: String::new(),
            message_request: Some(request),
        };
        let requests = [
            ask(MessageRequest::ListServices(String::new())),
            ask(MessageRequest::FileContainingSymbol(
                SERVICE_NAME.to_owned(),
            )),
        ];
        let answers = reflection
            .server_reflection_info(tokio_stream::iter(requests))
            .await
            .unwrap();
        let answers: Vec<_> = answers
            .into_inner()
            .map(|answer| answer.unwrap().message_response.unwrap())
            .collect()
            .await;
        let MessageResponse::ListServicesResponse(list) = &answers[0] else {
            panic!("{answers:?}")
        };
        for name in expected {
            assert!(
                list.service.iter().any(|service| service.name == name),
                "{list:?}"
            );
        }
        let MessageResponse::FileDescriptorResponse(files) = &answers[1] else {
            panic!("{answers:?}")
        };
        assert!(!files.file_descriptor_proto.is_empty());

        // Older tools know the form before only.
        let mut reflection =
            v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
        let request = v1alpha::ServerReflectionRequest {
            host: String::new(),
            message_request: Some(
                v1alpha::server_reflection_request::MessageRequest::ListServices(String::new()),
            ),
        };
        let answers = reflection
            .server_reflection_info(tokio_stream::iter([request]))
            .await
            .unwrap();
        assert!(answers.into_inner().next().await.unwrap().is_ok());
    });
}

#[test]
fn every_way_of_loading_answers_the_same() {
    let dir = store(ROWS);
    for load in ["mmap", "heap"] {
        for warm in ["all", "filter"] {
            let config = dir.path().join("sltd.toml");
            std::fs::write(
                &config,
                format!("load = \"{load}\"\nwarm = \"{warm}\"\nthreads = 2\n"),
            )
            .unwrap();
            Server::start_with(dir.path(), &["--config", config.to_str().unwrap()], "info")
                .still_answers();
        }
    }
}

/// A job of one chunk, answered, that could go on.
async fn open_job(client: &Client) -> (tokio::sync::mpsc::Sender<Chunk>, AnswerStream) {
    let (sender, chunks) = tokio::sync::mpsc::channel(1);
    let chunks = tokio_stream::wrappers::ReceiverStream::new(chunks);
    sender.send(chunk("12AB34567")).await.unwrap();
    let mut answers = client
        .stream_chunks(chunks, StreamOptions::default())
        .await
        .unwrap();
    assert_eq!(verdicts(&mut answers).await, [Verdict::Hit]);
    (sender, answers)
}

/// The verdicts of the next message of a job.
async fn verdicts(answers: &mut AnswerStream) -> Vec<Verdict> {
    let chunk = answers.next().await.unwrap().expect("an answer");
    chunk.verdicts().collect()
}

fn chunk(number: &str) -> Chunk {
    let mut chunk = Chunk::new();
    chunk.push(&passport(number)).unwrap();
    chunk
}

#[test]
fn the_drain_lets_a_running_call_end() {
    let dir = store(ROWS);
    let mut server = Server::start_with(dir.path(), &["--drain", "2m"], "info");
    block_on(async {
        let client = server.client().await;
        let (sender, mut answers) = open_job(&client).await;
        server.terminate();
        wait_for("the drain to begin", || server.log().contains("draining"));
        // Nobody new is taken ...
        let fresh = server.client().await;
        wait_for("new connections to be refused", || {
            std::net::TcpStream::connect(server.address).is_err()
        });
        drop(fresh);
        // ... and who is there may finish.
        sender.send(chunk("77CC88888")).await.unwrap();
        assert_eq!(verdicts(&mut answers).await, [Verdict::NoRecord]);
        assert!(server.ended().is_none());
        drop(sender);
        assert!(answers.next().await.unwrap().is_none());
    });
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    wait_for("the last line", || server.log().contains("cut=0"));
}

#[test]
fn the_drain_has_an_end() {
    let dir = store(ROWS);
    let mut server = Server::start_with(dir.path(), &["--drain", "300ms", "--log", "json"], "info");
    block_on(async {
        let client = server.client().await;
        // A job that its client never ends, and one who watches health.
        let _job = open_job(&client).await;
        let channel = Endpoint::from_shared(server.url()).unwrap().connect_lazy();
        let mut health = HealthClient::new(channel);
        let watch = health.watch(HealthCheckRequest::default()).await;
        let mut watch = watch.unwrap().into_inner();
        let status = watch.next().await.unwrap().unwrap().status();
        assert_eq!(status, ServingStatus::Serving);
        server.terminate();
        let status = watch.next().await.unwrap().unwrap().status();
        assert_eq!(status, ServingStatus::NotServing);
    });
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    println!("{}", server.log());
    wait_for("the last line", || server.log().contains("\"cut\":2"));
}

/// The rows of a generation: of the numbers asked about, its own alone is reported.
fn rows_of(generation: u64) -> String {
    let rows: String = (0..200)
        .map(|n| format!("AB{generation:02}C{n:04},FRA,passport,lost,,\n"))
        .collect();
    format!("{ROWS}{rows}")
}

/// The generation that a set of verdicts over all generations' numbers belongs to.
fn generation_of(verdicts: &[Verdict]) -> Option<u64> {
    let hits: Vec<usize> = (0..verdicts.len())
        .filter(|&n| verdicts[n] == Verdict::Hit)
        .collect();
    match hits[..] {
        [generation] => u64::try_from(generation).ok(),
        _ => None,
    }
}

const GENERATIONS: u64 = 12;

#[test]
fn snapshots_change_under_running_calls() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), &rows_of(1));
    let config = dir.path().join("sltd.toml");
    std::fs::write(&config, "watch = \"10ms\"\nthreads = 2\n").unwrap();
    let server = Server::start_with(dir.path(), &["--config", config.to_str().unwrap()], "info");
    let (done, newest, calls) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let questions: Vec<Question> = (0..=GENERATIONS)
        .map(|g| passport(format!("AB{g:02}C0007")))
        .collect();
    std::thread::scope(|scope| {
        let ask = |how: usize| {
            block_on(async {
                let client = server.client().await;
                let mut last = 0;
                while !done.load(Ordering::Relaxed) {
                    let (named, verdicts) = match how {
                        0 => unary(&client, &questions).await,
                        1 => batch(&client, &questions).await,
                        _ => stream(&client, &questions).await,
                    };
                    assert_eq!(generation_of(&verdicts), Some(named), "{verdicts:?}");
                    assert!(named >= last, "generation {named} after {last}");
                    last = named;
                    newest.fetch_max(named, Ordering::Relaxed);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        };
        let askers: Vec<_> = (0..3).map(|how| scope.spawn(move || ask(how))).collect();
        // Whatever happens, the askers are told to stop.
        let publisher = scope.spawn(|| {
            for generation in 2..=GENERATIONS {
                publish(dir.path(), &rows_of(generation));
                let before = calls.load(Ordering::Relaxed);
                wait_for("calls to go on", || {
                    calls.load(Ordering::Relaxed) > before + 3
                });
            }
            wait_for("the last to be served", || {
                newest.load(Ordering::Relaxed) == GENERATIONS
            });
        });
        let published = publisher.join();
        done.store(true, Ordering::Relaxed);
        for asker in askers {
            asker.join().unwrap();
        }
        published.unwrap();
    });
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

/// Asks until one snapshot has answered all questions, one call each.
async fn unary(client: &Client, questions: &[Question]) -> (u64, Vec<Verdict>) {
    loop {
        let mut answers = Vec::new();
        for question in questions {
            answers.push(client.check(question).await.unwrap());
        }
        let named: Vec<u64> = answers
            .iter()
            .map(|answer| answer.snapshot.unwrap().generation)
            .collect();
        // Each call may see a later snapshot than the one before; what it says of itself must be true.
        for (number, (answer, generation)) in answers.iter().zip(&named).enumerate() {
            assert_eq!(
                answer.verdict() == Verdict::Hit,
                number as u64 == *generation
            );
        }
        if named.iter().all(|generation| *generation == named[0]) {
            return (
                named[0],
                answers.iter().map(|answer| answer.verdict()).collect(),
            );
        }
    }
}

async fn batch(client: &Client, questions: &[Question]) -> (u64, Vec<Verdict>) {
    let batch = client.batch(questions).await.unwrap();
    let verdicts = batch
        .results
        .iter()
        .map(|result| result.as_ref().unwrap().verdict());
    (batch.snapshot.unwrap().generation, verdicts.collect())
}

async fn stream(client: &Client, questions: &[Question]) -> (u64, Vec<Verdict>) {
    let mut answers = client
        .stream(questions.to_vec(), StreamOptions::default())
        .await
        .unwrap();
    let chunk = answers.next().await.unwrap().expect("an answer");
    assert!(answers.next().await.unwrap().is_none());
    (
        chunk.snapshot().unwrap().generation,
        chunk.verdicts().collect(),
    )
}

#[test]
fn a_bad_publication_is_refused_and_the_one_before_stays() {
    let dir = store(ROWS);
    let config = dir.path().join("sltd.toml");
    std::fs::write(&config, "watch = \"10ms\"\n").unwrap();
    let server = Server::start_with(dir.path(), &["--config", config.to_str().unwrap()], "info");
    let current = dir.path().join("CURRENT");
    let pointer = std::fs::read(&current).unwrap();
    let digest = "0".repeat(64);
    for (bad, part) in [
        ("garbage".to_owned(), "CURRENT: expected one line"),
        (format!("00000009.json {digest}\n"), "00000009.json"),
        (
            format!("00000001.json {digest}\n"),
            "does not match the digest",
        ),
        (
            format!("../../etc/passwd {digest}\n"),
            "CURRENT: expected one line",
        ),
    ] {
        let logged = server.log().len();
        std::fs::write(&current, &bad).unwrap();
        wait_for(part, || server.log()[logged..].contains(part));
        assert!(
            server.log()[logged..].contains("stays in service"),
            "{}",
            server.log()
        );
        server.still_answers();
    }
    std::fs::write(&current, &pointer).unwrap();
    wait_for("the snapshot to be back", || {
        server.log().contains("serving a new snapshot")
    });
    server.still_answers();
}

#[test]
fn no_log_holds_a_document_number() {
    for form in ["human", "json"] {
        let dir = store(ROWS);
        let mut server = Server::start_with(dir.path(), &["--log", form, "--drain", "1s"], "debug");
        block_on(ask_everything(&server));
        for (stream, number) in NUMBERS.iter().enumerate() {
            // Cut off in the middle of a message, and a path that is none.
            let mut raw = support::Raw::open(server.address);
            let id = 2 * u32::try_from(stream).unwrap() + 1;
            raw.call(id, &format!("/sltd.v1.LookupService/{number}"));
            raw.frame(support::kind::DATA, 0, id, number.as_bytes());
            let mut raw = support::Raw::connect(server.address);
            raw.send(number.as_bytes());
        }
        server.still_answers();
        server.terminate();
        server.wait();
        let log = server.log();
        assert!(log.contains("serving"), "{log}");
        for number in NUMBERS {
            assert!(
                !log.contains(number),
                "{form}: the log holds a number:\n{log}"
            );
        }
    }
}

async fn ask_everything(server: &Server) {
    let client = server.client().await;
    let zone = "P<FRASPECIMEN<<ANNA<<<<<<<<<<<<<<<<<<<<<<<<<\n12AB345679FRA8001014F3101012<<<<<<<<<<<<<<<0";
    let mut questions = vec![Question::zone(zone), Question::zone("12AB34567")];
    for number in NUMBERS {
        questions.push(passport(number));
        questions.push(Question::number(format!("{number}#")));
        questions.push(Question::number(number).issuing_state(number));
        questions.push(Question::zone(zone).issuing_state("USA"));
    }
    for question in &questions {
        // Some are malformed: that is the point.
        let _ = client.check(question).await;
    }
    client.batch(&questions).await.unwrap();
    let numbers = NUMBERS
        .iter()
        .flat_map(|number| [passport(*number), Question::number(format!("{number}#"))]);
    let mut answers = client
        .stream(numbers.collect::<Vec<_>>(), StreamOptions::default())
        .await
        .unwrap();
    while answers.next().await.unwrap().is_some() {}
}

#[test]
fn a_client_turns_from_a_server_that_is_gone_or_full_to_another() {
    let dir = store(ROWS);
    let config = dir.path().join("sltd.toml");
    std::fs::write(&config, "max_connections = 1\n").unwrap();
    let full = Server::start_with(dir.path(), &["--config", config.to_str().unwrap()], "info");
    let mut held = support::Raw::open(full.address);
    assert!(held.next().is_some());
    let mut gone = Server::start(dir.path());
    gone.terminate();
    gone.wait();
    let other = Server::start(dir.path());
    block_on(async {
        let options = ClientOptions {
            deadline: PATIENCE,
            ..ClientOptions::default()
        };
        for away in [full.url(), gone.url()] {
            let client = Client::connect([away, other.url()], options.clone())
                .await
                .unwrap();
            for _ in 0..6 {
                let answer = client.check(&passport("12AB34567")).await.unwrap();
                assert_eq!(answer.verdict(), Verdict::Hit);
            }
        }
        let client = Client::connect([full.url()], options.clone())
            .await
            .unwrap();
        let error = client.check(&passport("12AB34567")).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        let client = Client::connect([other.url()], options).await.unwrap();
        assert_eq!(client.health().await.unwrap(), Health::Serving);
    });
}
