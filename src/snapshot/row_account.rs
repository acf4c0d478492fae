//! What became of the rows of a source.

use serde::{Deserialize, Serialize};
use std::fmt;

/// `read = indexed + merged + expired + rejected + held + no_report`, of changes
/// `+ withdrawn + noted + superseded`, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowAccount {
    /// Rows read.
    pub read: u64,
    /// Rows whose report is in the snapshot; of changes also those that take a withdrawal back, because of which a report
    /// is shown again.
    pub indexed: u64,
    /// Rows equal to another row of the source.
    pub merged: u64,
    /// Rows no longer in force.
    pub expired: u64,
    /// Rows that could not be used.
    pub rejected: u64,
    /// Rows that withdraw, where a shown report disappears; only of changes.
    #[serde(default)]
    pub withdrawn: u64,
    /// Rows that withdraw or take back, and change nothing that is shown; only of changes.
    #[serde(default)]
    pub noted: u64,
    /// Rows about what the source has said something later of already; only of changes.
    #[serde(default)]
    pub superseded: u64,
    /// Rows that report nothing, such as those of documents that are valid.
    #[serde(default)]
    pub no_report: u64,
    /// Rows not used, because the source was held at what it had reported before.
    #[serde(default)]
    pub held: u64,
}

impl fmt::Display for RowAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("indexed", self.indexed),
            ("merged", self.merged),
            ("expired", self.expired),
            ("rejected", self.rejected),
            ("withdrawn", self.withdrawn),
            ("noted", self.noted),
            ("superseded", self.superseded),
            ("without a report", self.no_report),
            ("held", self.held),
        ];
        write!(f, "{} read", self.read)?;
        parts
            .iter()
            .try_for_each(|(name, rows)| write!(f, ", {rows} {name}"))
    }
}

impl RowAccount {
    /// Whether every row read is accounted for.
    pub fn adds_up(&self) -> bool {
        let changes = self.withdrawn + self.noted + self.superseded;
        let used = self.indexed + self.merged + changes;
        self.read == used + self.expired + self.rejected + self.held + self.no_report
    }
}
