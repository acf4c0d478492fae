//! The answer written straight into bytes against the message built first.

use super::store;
use crate::document::Placeholders;
use crate::proto;
use crate::service::serving::{Ages, Current};
use crate::service::{answer, lookup, question};
use crate::snapshot::{LoadOptions, Moment, Store};
use jiff::Timestamp;
use prost::Message as _;

/// The number's check digit fails in the second zone, the date of birth's in the third; a digit stands for
/// a letter in the fourth.
const ZONES: [&str; 4] = [
    "P<UKRSHEVCHENKO<<TARAS<<<<<<<<<<<<<<<<<<<<<<\nAB000007<6UKR7408122F1204159<<<<<<<<<<<<<<06",
    "P<UKRSHEVCHENKO<<TARAS<<<<<<<<<<<<<<<<<<<<<<\nAB000007<7UKR7408122F1204159<<<<<<<<<<<<<<06",
    "P<UKRSHEVCHENKO<<TARAS<<<<<<<<<<<<<<<<<<<<<<\nXX000007<6UKR7408123F1204159<<<<<<<<<<<<<<06",
    "P<UKRSHEVCHENKO<<TARAS<<<<<<<<<<<<<<<<<<<<<<\nAB000007<6U8R7408122F1204159<<<<<<<<<<<<<<06",
];

#[test]
fn bytes_are_those_of_the_message() {
    let folder = tempfile::tempdir().unwrap();
    store::publish(folder.path(), "2026-01-02T00:00:00Z");
    let snapshot = Store::open(folder.path())
        .unwrap()
        .load_current(&LoadOptions::default())
        .unwrap();
    let current = Current::new(snapshot, Ages::default());
    let mut requests = Vec::new();
    for number in ["AB000007", "XX000007", "ab 000 011"] {
        for issuing_state in ["", "UKR", "FRA", "D", "QQQ"] {
            for r#type in 0..=10 {
                requests.push(proto::CheckDocumentRequest {
                    number: number.to_owned(),
                    issuing_state: issuing_state.to_owned(),
                    r#type,
                    mrz: String::new(),
                });
            }
        }
    }
    requests.extend(
        ZONES
            .into_iter()
            .chain(["no zone"])
            .map(|mrz| proto::CheckDocumentRequest {
                mrz: mrz.to_owned(),
                ..Default::default()
            }),
    );
    let mut verdicts = std::collections::BTreeSet::new();
    for (request, data_too_old) in requests.iter().flat_map(|r| [(r, false), (r, true)]) {
        let query = question::read(request.into(), &Placeholders::default()).unwrap();
        for now in [
            "2026-01-05T01:02:03.000000004Z",
            "2026-03-01T00:00:00Z",
            "2020-01-01T00:00:00Z",
        ] {
            let now: Timestamp = now.parse().unwrap();
            let moment = Moment { now, data_too_old };
            let answer = current.snapshot().check(&query, moment).unwrap();
            let message = lookup::response(&query, &answer, current.named(now));
            let mut bytes = Vec::new();
            answer::write(&mut bytes, &query, &answer, current.field(now));
            assert_eq!(
                bytes,
                message.encode_to_vec(),
                "{request:?}: expected {message:?}"
            );
            verdicts.insert(message.verdict);
        }
    }
    // Every verdict but REFER, for which callers are not yet told apart.
    assert_eq!(verdicts.len(), 4);
}
