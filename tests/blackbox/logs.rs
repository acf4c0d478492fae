//! What no log may hold.

use crate::support::{END_STREAM, NUMBERS, ROWS, Raw, Server, block_on, kind, passport, store};
use sltd::client::{Question, StreamOptions};

#[test]
fn no_log_holds_a_document_number() {
    // By default h2 writes malformed paths from "debug" on, and frames from "trace" on.
    for (form, level) in [
        ("human", "debug"),
        ("json", "debug"),
        ("human", "trace"),
        ("human", "info,h2::server=debug,h2=trace"),
    ] {
        let dir = store(ROWS);
        let mut server = Server::start_with(dir.path(), &["--log", form, "--drain", "1s"], level);
        block_on(ask_everything(&server));
        for (stream, number) in NUMBERS.iter().enumerate() {
            // Cut off in the middle of a message, and a path that is none.
            let mut raw = Raw::open(server.address);
            let id = 2 * u32::try_from(stream).unwrap() + 1;
            raw.call(id, &format!("/sltd.v1.LookupService/{number}"));
            raw.frame(kind::DATA, 0, id, number.as_bytes());
            for malformed in [
                format!("/sltd.v1.LookupService/{number} {number}"),
                (*number).to_string(),
                format!("/\u{7f}{number}"),
                format!("/{number}\"<>"),
            ] {
                let mut raw = Raw::open(server.address);
                raw.call(1, &malformed);
                raw.frame(kind::DATA, END_STREAM, 1, &[]);
                raw.half_close();
                raw.rest();
            }
            let mut raw = Raw::connect(server.address);
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
                "{form}, {level}: the log holds a number:\n{log}"
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
