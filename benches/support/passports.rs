//! Passports of one State, to build a segment of where no list is at hand.

use crate::Result;
use sltd::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use sltd::index::{BuildOptions, BuildSummary, Row, SegmentBuilder};
use sltd::report::{Day, ReportStatus};
use std::path::{Path, PathBuf};

/// The State.
pub(crate) const STATE: &str = "UKR";

/// The number of a place: nine digits, in no order. Those of even places are reported.
///
/// # Errors
/// Never for a place below 10^9 - 1.
pub(crate) fn number(place: u64) -> Result<DocumentNumber> {
    // A factor without a divisor in common with 10^9 makes every place another number, and none of them zero, which is
    // a placeholder.
    let digits = (place + 1) * 618_033_989 % 1_000_000_000;
    Ok(DocumentNumber::normalise(&format!("{digits:09}"))?)
}

/// Builds a segment of so many passports in `folder` and returns its file.
///
/// # Errors
/// What building says.
pub(crate) fn build(
    folder: &Path,
    documents: u64,
    threads: usize,
) -> Result<(PathBuf, BuildSummary)> {
    let builder = SegmentBuilder::new(BuildOptions {
        memory: 1 << 30,
        threads,
        scratch: folder.to_owned(),
    });
    let mut inserter = builder.inserter();
    for place in 0..documents {
        inserter.insert(&Row {
            numbers: NumberRange::single(number(2 * place)?),
            issuing_state: IssuingState::parse(STATE)?,
            document_type: DocumentType::Passport,
            status: ReportStatus::Lost,
            source_status: "",
            date_of_loss: None,
            date_reported: Day::from_number(20_000 + (place % 365) as i32),
            review_date: None,
            authority: "",
            restriction: "",
            source: "bench",
            third_party: false,
            owner_reference: "",
        })?;
    }
    inserter.finish()?;
    let file = folder.join("bench.seg");
    let summary = builder.finish(&file, &[], |_, _| {})?;
    Ok((file, summary))
}
