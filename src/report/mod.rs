//! What is reported about a document, and what a check of it concludes.

mod day;
mod query;
mod record;
mod verdict;

pub use day::Day;
pub use query::Query;
pub use record::{Authority, Report, ReportStatus};
pub use verdict::{Candidate, Judgement, Reason, Reasons, Verdict, judge};
