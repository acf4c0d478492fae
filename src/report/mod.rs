//! What is reported about a document, and what a check of it concludes.

mod day;
mod query;
mod reason;
mod record;
mod verdict;

pub use day::Day;
pub use query::{Query, QueryError};
pub use reason::{Reason, Reasons};
pub use record::{Authority, DEFAULT_RETENTION_YEARS, Report, ReportStatus, last_day_in_force};
pub use verdict::{Candidate, Disclosure, Judgement, Verdict, judge};
pub(crate) use verdict::{Check, judge_unreported};
