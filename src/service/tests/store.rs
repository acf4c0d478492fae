//! A small store to serve.

use crate::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use crate::index::{BuildOptions, Row, SegmentBuilder};
use crate::report::{Authority, Day, ReportStatus};
use crate::snapshot::{Act, Origin, SourceEntry, Store};
use std::path::Path;

/// The reported passports of UKR are `AB000000` to the one before this; of FRA there is `AB000007`.
pub(super) const REPORTED: usize = 12_000;

fn row<'a>(first: &str, last: &str, state: &str, reference: &'a str) -> Row<'a> {
    let number = |text: &str| DocumentNumber::from_normalised(text.as_bytes()).unwrap();
    Row {
        numbers: NumberRange::new(number(first), number(last)).unwrap(),
        issuing_state: IssuingState::parse(state).unwrap(),
        document_type: DocumentType::Passport,
        status: ReportStatus::Stolen,
        source_status: "taken",
        date_of_loss: Day::from_ymd(2024, 7, 3),
        date_reported: Day::from_ymd(2024, 7, 4),
        review_date: None,
        authority: "UA-1",
        restriction: "",
        source: "list",
        third_party: false,
        owner_reference: reference,
    }
}

/// Publishes the store's next generation, built at the instant `built_at`.
pub(super) fn publish(store: &Path, built_at: &str) {
    let writer = Store::writer(store).unwrap();
    let scratch = writer.building();
    let segment = scratch.join("segment");
    let builder = SegmentBuilder::new(BuildOptions {
        memory: 64 << 20,
        threads: 1,
        scratch,
    });
    let mut inserter = builder.inserter();
    for index in 0..REPORTED {
        let number = format!("AB{index:06}");
        // Each its own reference, as owners have them.
        inserter
            .insert(&row(
                &number,
                &number,
                "UKR",
                &format!("UA/2024/{index:012}"),
            ))
            .unwrap();
    }
    inserter
        .insert(&row("AB000007", "AB000007", "FRA", ""))
        .unwrap();
    inserter.finish().unwrap();
    let authority = Authority {
        code: "UA-1",
        name: "National Central Bureau",
        contact: "+000 00 000 000",
    };
    builder.finish(&segment, &[authority], |_, _| ()).unwrap();
    let as_of = "2026-01-01T00:00:00Z".parse().unwrap();
    let origin = Origin {
        sources: vec![SourceEntry::new("list", as_of)],
        as_of: Day::from_ymd(2026, 1, 1).unwrap(),
        built_at: built_at.parse().unwrap(),
        bases_kept: None,
    };
    let act = Act {
        at: origin.built_at,
        by: "test",
        reason: "",
    };
    writer.publish(&segment, origin, act).unwrap();
}
