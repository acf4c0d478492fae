//! `sltd serve` from its start to the end of its drain, and what it says of itself.

use crate::support::{PATIENCE, ROWS, Server, block_on, passport, publish, sltd, store, wait_for};
use sltd::client::{AnswerStream, Chunk, Client, ClientOptions, Health, StreamOptions, Verdict};
use sltd::proto::StreamCheckDocumentsRequest;
use sltd::proto::health::health_check_response::ServingStatus;
use sltd::proto::health::health_client::HealthClient;
use sltd::proto::health::{HealthCheckRequest, HealthListRequest};
use sltd::proto::lookup_service_client::LookupServiceClient;
use sltd::proto::lookup_service_server::SERVICE_NAME;
use std::time::Duration;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_reflection::pb::{v1, v1alpha};
use tonic_types::StatusExt as _;

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
        let list = HealthClient::new(channel.clone())
            .list(HealthListRequest {})
            .await;
        let list = list.unwrap().into_inner().statuses;
        let mut names: Vec<&str> = list.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["", "sltd.v1.AdminService", SERVICE_NAME]);
        for status in list.values() {
            assert_eq!(status.status(), ServingStatus::Serving);
        }

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
            ask(MessageRequest::FileContainingSymbol("no.Such".to_owned())),
            ask(MessageRequest::FileByFilename("no_such.proto".to_owned())),
            v1::ServerReflectionRequest::default(),
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
        // What is not known is an answer, after which the stream goes on.
        for (answer, code) in answers[1..=3].iter().zip([5, 5, 3]) {
            let MessageResponse::ErrorResponse(error) = answer else {
                panic!("{answers:?}")
            };
            assert_eq!(error.error_code, code, "{error:?}");
        }
        let MessageResponse::FileDescriptorResponse(files) = &answers[4] else {
            panic!("{answers:?}")
        };
        assert!(!files.file_descriptor_proto.is_empty());

        // Older tools know the form before only.
        let mut reflection =
            v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
        use v1alpha::server_reflection_request::MessageRequest as Older;
        let requests = [
            Older::FileContainingSymbol("no.Such".to_owned()),
            Older::ListServices(String::new()),
        ];
        let requests = requests.map(|request| v1alpha::ServerReflectionRequest {
            host: String::new(),
            message_request: Some(request),
        });
        let answers = reflection
            .server_reflection_info(tokio_stream::iter(requests))
            .await
            .unwrap();
        let answers: Vec<_> = answers.into_inner().collect().await;
        assert_eq!(answers.len(), 2);
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    });
}

/// Whoever watches a service that the server does not have waits for it, as the protocol wants.
#[test]
fn a_health_watch_of_an_unknown_service_stays_open_until_the_server_ends() {
    let dir = store(ROWS);
    let mut server = Server::start_with(dir.path(), &["--drain", "2m"], "info");
    block_on(async {
        let channel = Endpoint::from_shared(server.url()).unwrap().connect_lazy();
        let mut health = HealthClient::new(channel);
        let mut watches = Vec::new();
        for (service, status, at_the_end) in [
            ("nobody", ServingStatus::ServiceUnknown, None),
            ("", ServingStatus::Serving, Some(ServingStatus::NotServing)),
        ] {
            let service = service.to_owned();
            let watch = health.watch(HealthCheckRequest { service }).await;
            let mut watch = watch.unwrap().into_inner();
            assert_eq!(watch.next().await.unwrap().unwrap().status(), status);
            watches.push((watch, at_the_end));
        }
        // Still open: it answers nothing, neither an end nor a second status.
        let (unknown, _) = &mut watches[0];
        let more = tokio::time::timeout(Duration::from_millis(300), unknown.next()).await;
        assert!(more.is_err(), "{more:?}");
        server.terminate();
        for (mut watch, at_the_end) in watches {
            if let Some(status) = at_the_end {
                assert_eq!(watch.next().await.unwrap().unwrap().status(), status);
            }
            let end = watch.next().await.unwrap().unwrap_err();
            assert_eq!(end.code(), Code::Unavailable, "{end:?}");
            assert!(watch.next().await.is_none());
        }
    });
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    wait_for("the last line", || server.log().contains("cut=0"));
}

/// Whoever leaves a stream open between two messages would keep the server from ending.
#[test]
fn idle_streams_end_with_the_server_and_busy_ones_go_on() {
    let dir = store(ROWS);
    let mut server = Server::start_with(dir.path(), &["--drain", "2m"], "info");
    block_on(async {
        let channel = Endpoint::from_shared(server.url()).unwrap().connect_lazy();
        let chunk = || StreamCheckDocumentsRequest {
            numbers: "A1\nA2\nA3".into(),
            ..Default::default()
        };
        let mut lookup = LookupServiceClient::new(channel.clone());
        let mut jobs = Vec::new();
        for _ in 0..2 {
            let (chunks, received) = tokio::sync::mpsc::channel(1);
            chunks.send(chunk()).await.unwrap();
            let answers = lookup.stream_check_documents(ReceiverStream::new(received));
            let mut answers = answers.await.unwrap().into_inner();
            answers.next().await.unwrap().unwrap();
            jobs.push((chunks, answers));
        }
        let (questions, received) = tokio::sync::mpsc::channel::<v1::ServerReflectionRequest>(1);
        let mut reflection = v1::server_reflection_client::ServerReflectionClient::new(channel);
        let reflected = reflection.server_reflection_info(ReceiverStream::new(received));
        let mut reflected = reflected.await.unwrap().into_inner();

        server.terminate();
        let mut busy = jobs.pop().unwrap();
        let mut idle = jobs.pop().unwrap();
        let at_work = async {
            loop {
                busy.0.send(chunk()).await.unwrap();
                busy.1.next().await.unwrap().unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let end = tokio::select! {
            () = at_work => unreachable!("it goes on"),
            end = idle.1.next() => end.unwrap().unwrap_err(),
        };
        assert_eq!(end.code(), Code::Unavailable, "{end:?}");
        let info = end.get_details_error_info().unwrap();
        assert_eq!(info.metadata["next_item"], "3");
        let end = reflected.next().await.unwrap().unwrap_err();
        assert_eq!(end.code(), Code::Unavailable, "{end:?}");
        drop(questions);
        // The busy one ends as its client wants.
        let (chunks, mut answers) = busy;
        chunks.send(chunk()).await.unwrap();
        answers.next().await.unwrap().unwrap();
        drop(chunks);
        while let Some(answer) = answers.next().await {
            answer.unwrap();
        }
    });
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    wait_for("the last line", || server.log().contains("cut=0"));
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

/// Whoever read the log may go: that must neither end the server nor change how it ends.
#[test]
fn a_log_that_nobody_reads_does_not_end_the_server() {
    let dir = store(ROWS);
    let config = dir.path().join("sltd.toml");
    std::fs::write(&config, "watch = \"10ms\"\n").unwrap();
    let mut server =
        Server::start_with(dir.path(), &["--config", config.to_str().unwrap()], "info");
    server.stop_reading_log();
    // Each is logged; the first line is still read, so the pipe is closed by the third.
    for generation in 2..=4 {
        publish(dir.path(), ROWS);
        wait_for("the new snapshot", || {
            let served = block_on(async {
                let answer = server.client().await.check(&passport("12AB34567")).await;
                answer.unwrap().snapshot.unwrap().generation
            });
            served == generation
        });
    }
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn the_drain_has_an_end() {
    let dir = store(ROWS);
    let mut server = Server::start_with(dir.path(), &["--drain", "300ms", "--log", "json"], "info");
    block_on(async {
        let client = server.client().await;
        // A job that its client never ends is still there when the server ends.
        let _job = open_job(&client).await;
        server.terminate();
        assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    });
    wait_for("the last line", || server.log().contains("\"cut\":1"));
}

#[test]
fn a_client_turns_from_a_server_that_is_gone_or_full_to_another() {
    let dir = store(ROWS);
    // What a server does that is full and can't make room: it closes connections as they come.
    let full = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let full_url = format!("http://{}", full.local_addr().unwrap());
    std::thread::spawn(move || full.incoming().for_each(drop));
    let mut gone = Server::start(dir.path());
    gone.terminate();
    gone.wait();
    let other = Server::start(dir.path());
    block_on(async {
        let options = ClientOptions {
            deadline: PATIENCE,
            ..ClientOptions::default()
        };
        for away in [full_url.clone(), gone.url()] {
            let client = Client::connect([away, other.url()], options.clone())
                .await
                .unwrap();
            for _ in 0..6 {
                let answer = client.check(&passport("12AB34567")).await.unwrap();
                assert_eq!(answer.verdict(), Verdict::Hit);
            }
        }
        let client = Client::connect([full_url], options.clone()).await.unwrap();
        let error = client.check(&passport("12AB34567")).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        let client = Client::connect([other.url()], options).await.unwrap();
        assert_eq!(client.health().await.unwrap(), Health::Serving);
    });
}
