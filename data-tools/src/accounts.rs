//! What became of every row: the accounts printed after a build or a delta.

mod dates;
mod rows;

pub(crate) use rows::{percent, rejected as rejected_sentence};

use crate::config::SourceConfig;
use crate::publish::{Offered, kept_sentence};
use crate::sources::{DateCounts, RejectCount, SourceAccount, StatePlausibility, UnlikelyRows};
use jiff::Timestamp;
use serde_json::{Value, json};
use sltd::index::BuildSummary;
use sltd::snapshot::{Changes, Hold, PlaceholderExemption, Plausibility, RowAccount, SourceEntry};
use std::fmt;

/// The account of one source.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// The instant its data describe.
    pub as_of: Timestamp,
    /// Issuing States whose own source it is; `*`: every State's.
    pub owns: Vec<String>,
    stale_after_seconds: u64,
    /// Digest of the bytes of its list; `None`: not known.
    pub(crate) digest: Option<String>,
    /// When its list was delivered.
    pub(crate) delivered: Timestamp,
    /// Rows: read = indexed + merged + expired + rejected + held, and of changes + withdrawn + noted +
    /// superseded.
    pub rows: RowAccount,
    /// Distinct documents with a report of this source.
    pub documents: u64,
    /// Rows indexed or merged that name a range.
    pub ranges: u64,
    /// Rows that never expire for want of a date.
    pub undated: u64,
    /// Rows of issuing States it does not own, kept as third-party reports.
    pub third_party: u64,
    /// Days that were not what they should be.
    pub dates: DateCounts,
    /// Of the rows rejected: those of issuing States that the source does not own.
    pub not_owned: u64,
    /// Rows rejected, by reason, the most frequent first.
    pub reasons: Vec<RejectCount>,
    /// Rows with unlikely numbers, by reason.
    pub unlikely: UnlikelyRows,
    /// Documents, and those with unlikely numbers, by issuing State.
    pub plausibility: Vec<StatePlausibility>,
    exemptions: Vec<PlaceholderExemption>,
    /// What the operator should know, one sentence each.
    pub warnings: Vec<String>,
    /// Where the rejected rows stand.
    pub rejects: Option<String>,
    /// Where the noted rows of changes stand.
    pub noted: Option<String>,
    /// Rows of changes that hide a report without a date, which is back with its source's next list.
    pub until_next_list: u64,
    /// Set: the list was not used.
    pub held: Option<Held>,
}

/// What a source reports whose list was not used, and why it was not.
#[derive(Debug, Clone)]
pub struct Held {
    /// The instant that the list describes that it keeps; `None`: it has none.
    pub as_of: Option<Timestamp>,
    /// Why, one sentence each.
    pub why: Vec<String>,
}

/// The accounts of all sources.
#[derive(Debug, Clone, Default)]
pub struct SourceAccounts {
    /// One for each source, in their order.
    pub sources: Vec<Account>,
}

impl SourceAccounts {
    /// Takes what reading a source gave.
    pub(crate) fn push(&mut self, source: &SourceConfig, read: SourceAccount) {
        self.sources.push(Account {
            name: source.name.clone(),
            as_of: read.as_of,
            owns: source.owns.codes(),
            stale_after_seconds: source.stale_after.as_secs(),
            digest: None,
            delivered: read.as_of,
            rows: RowAccount {
                read: read.rows_read,
                indexed: read.passed,
                merged: 0,
                expired: read.expired,
                rejected: read.rejected,
                withdrawn: read.withdrawn,
                noted: 0,
                superseded: read.superseded,
                held: 0,
                no_report: read.no_report,
            },
            documents: 0,
            ranges: read.ranges,
            undated: read.undated,
            third_party: read.third_party,
            dates: read.dates,
            not_owned: read.not_owned,
            reasons: read.reasons,
            unlikely: read.unlikely,
            plausibility: read.plausibility,
            exemptions: source
                .placeholders
                .exemptions()
                .iter()
                .map(|exempt| PlaceholderExemption {
                    number: exempt.number.as_str().to_owned(),
                    issuing_state: exempt.issuing_state.map(|state| state.code().to_owned()),
                })
                .collect(),
            warnings: read.warnings,
            rejects: read.rejects_file.map(|path| path.display().to_string()),
            noted: None,
            until_next_list: 0,
            held: None,
        });
    }

    /// Takes what is known of the delivery of the list that was read last.
    pub(crate) fn deliver(&mut self, digest: String, delivered: Timestamp) {
        if let Some(account) = self.sources.last_mut() {
            account.digest = Some(digest);
            account.delivered = delivered;
        }
    }

    /// Takes a source whose list was not read.
    pub(crate) fn push_unread(&mut self, source: &SourceConfig, as_of: Timestamp) {
        let read = SourceAccount::unread(source.as_of.unwrap_or(as_of));
        self.push(source, read);
    }

    /// Takes what was held in the end; `kept`: the sources whose lists operators keep, whatever was read. Of changes these
    /// are none: they count all the same.
    pub(crate) fn hold(&mut self, offered: &Offered, kept: &[Hold]) {
        let sources = &offered.manifest.sources;
        for account in &mut self.sources {
            let kept = kept.iter().find(|hold| hold.source == account.name);
            let why = match (offered.holds.0.get(&account.name), kept) {
                (Some(why), _) => why.clone(),
                (None, Some(hold)) => vec![kept_sentence(hold)],
                (None, None) => continue,
            };
            let rows = &mut account.rows;
            rows.held = rows.indexed + rows.merged + rows.superseded;
            rows.held += rows.withdrawn + rows.noted;
            (rows.indexed, rows.merged, rows.superseded) = (0, 0, 0);
            (rows.withdrawn, rows.noted) = (0, 0);
            account.noted = None;
            account.until_next_list = 0;
            let entry = sources.iter().find(|source| source.name == account.name);
            let entry = entry.filter(|entry| entry.list.is_some());
            // What was read of the list says nothing of what stands.
            account.documents = offered.figures.of_source(&account.name);
            (account.ranges, account.undated, account.third_party) = (0, 0, 0);
            account.held = Some(Held {
                as_of: entry.map(|entry| entry.as_of),
                why,
            });
        }
    }

    /// Takes what the build merged and counted.
    pub(crate) fn complete(&mut self, summary: &BuildSummary) {
        for source in &mut self.sources {
            let merged = summary
                .merged
                .get(&source.name)
                .copied()
                .unwrap_or_default();
            let rows = &mut source.rows;
            rows.merged = merged.reports + merged.withdrawals + merged.overruled;
            // More merged than read would be a defect: the sum then shows it.
            rows.indexed = rows.indexed.saturating_sub(merged.reports);
            rows.withdrawn = rows.withdrawn.saturating_sub(merged.withdrawals);
            rows.superseded = rows.superseded.saturating_sub(merged.overruled);
            let documents = summary.documents_by_source.get(&source.name);
            source.documents = documents.copied().unwrap_or(0);
        }
    }

    /// Takes what became of the rows of changes.
    pub(crate) fn complete_changes(&mut self, changes: &Changes) {
        for source in &mut self.sources {
            let of = changes.account(&source.name, source.as_of);
            let rows = &mut source.rows;
            (rows.indexed, rows.merged, rows.superseded) = (of.indexed, of.merged, of.superseded);
            (rows.withdrawn, rows.noted, rows.expired) = (of.withdrawn, of.noted, of.expired);
            source.documents = of.documents;
            source.until_next_list = of.undated;
        }
    }

    /// Whether a row was noted or rejected.
    pub(crate) fn any_noted_or_rejected(&self) -> bool {
        let mut sources = self.sources.iter();
        sources.any(|source| source.rows.noted + source.rows.rejected > 0)
    }

    /// The warnings alone, a line each: what a quiet command prints of accounts.
    pub(crate) fn warnings(&self) -> String {
        let of_source = |source: &Account| {
            let warnings = source.warnings.iter();
            let lines = warnings.map(|warning| format!("{}: warning: {warning}\n", source.name));
            lines.collect::<String>()
        };
        self.sources.iter().map(of_source).collect()
    }

    /// The accounts as JSON.
    pub fn json(&self) -> Value {
        self.sources
            .iter()
            .map(|source| {
                json!({
                    "source": source.name,
                    "asOf": source.as_of,
                    "owns": source.owns,
                    "read": source.rows.read,
                    "indexed": source.rows.indexed,
                    "merged": source.rows.merged,
                    "expired": source.rows.expired,
                    "rejected": source.rows.rejected,
                    "withdrawn": source.rows.withdrawn,
                    "noted": source.rows.noted,
                    "superseded": source.rows.superseded,
                    "held": source.rows.held,
                    "noReport": source.rows.no_report,
                    "documents": source.documents,
                    "ranges": source.ranges,
                    "undated": source.undated,
                    "thirdParty": source.third_party,
                    "dates": dates::json(&source.dates),
                    "rejectedNotOwned": source.not_owned,
                    "rejectReasons": rows::reasons_json(&source.reasons),
                    "unlikely": rows::unlikely_json(&source.unlikely),
                    "warnings": source.warnings,
                    "rejects": source.rejects,
                    "notedRows": source.noted,
                    "untilNextList": source.until_next_list,
                })
            })
            .collect()
    }
}

impl Account {
    /// The source as the manifest names it.
    pub(crate) fn entry(&self) -> SourceEntry {
        SourceEntry {
            name: self.name.clone(),
            as_of: self.as_of,
            list: None,
            digest: self.digest.clone(),
            delivered: self.delivered.max(self.as_of),
            changed: None,
            owns: self.owns.clone(),
            stale_after_seconds: self.stale_after_seconds,
            rows: self.rows,
            removed: false,
            plausibility: self
                .plausibility
                .iter()
                .map(|state| Plausibility {
                    issuing_state: state.issuing_state.code().to_owned(),
                    documents: state.documents,
                    unlikely: state.unlikely,
                })
                .collect(),
            placeholder_exemptions: self.exemptions.clone(),
        }
    }
}

/// A column of the table of accounts.
struct Column {
    name: &'static str,
    width: usize,
    /// Whether it is left out where there is nothing in it.
    rare: bool,
    of: fn(&RowAccount) -> u64,
}

impl Column {
    const ALL: [Self; 9] = [
        Self::new("indexed", 11, false, |rows| rows.indexed),
        Self::new("withdrawn", 9, true, |rows| rows.withdrawn),
        Self::new("noted", 9, true, |rows| rows.noted),
        Self::new("merged", 9, false, |rows| rows.merged),
        Self::new("expired", 9, false, |rows| rows.expired),
        Self::new("superseded", 10, true, |rows| rows.superseded),
        Self::new("held", 11, true, |rows| rows.held),
        Self::new("no report", 9, true, |rows| rows.no_report),
        Self::new("rejected", 9, false, |rows| rows.rejected),
    ];

    const fn new(name: &'static str, width: usize, rare: bool, of: fn(&RowAccount) -> u64) -> Self {
        Self {
            name,
            width,
            rare,
            of,
        }
    }
}

impl fmt::Display for SourceAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.sources.iter().map(|source| source.name.len());
        let width = names.max().unwrap_or(0).max("source".len());
        let some = |column: &Column| {
            let mut sources = self.sources.iter();
            sources.any(|source| (column.of)(&source.rows) > 0)
        };
        let columns = Column::ALL
            .iter()
            .filter(|column| !column.rare || some(column));
        write!(f, "{:width$}  {:>11} =", "source", "read")?;
        for (place, column) in columns.clone().enumerate() {
            let plus = if place == 0 { " " } else { " + " };
            write!(f, "{plus}{:>1$}", column.name, column.width)?;
        }
        writeln!(f, "  {:>11}", "documents")?;
        for source in &self.sources {
            write!(f, "{:width$}  {:>11} =", source.name, source.rows.read)?;
            for (place, column) in columns.clone().enumerate() {
                let plus = if place == 0 { " " } else { " + " };
                write!(f, "{plus}{:>1$}", (column.of)(&source.rows), column.width)?;
            }
            writeln!(f, "  {:>11}", source.documents)?;
        }
        let reasons = self.sources.iter();
        let reasons = reasons.map(|source| (source.name.as_str(), source.reasons.as_slice()));
        rows::write_reasons(f, reasons)?;
        for source in &self.sources {
            if source.owns.iter().any(|owns| owns == "*") {
                writeln!(
                    f,
                    "{}: taken as every issuing State's own list (owns = [\"*\"])",
                    source.name
                )?;
            }
            if source.undated > 0 {
                writeln!(
                    f,
                    "{}: {} rows never expire for want of a date",
                    source.name, source.undated
                )?;
            }
            if source.third_party > 0 {
                writeln!(
                    f,
                    "{}: {} rows kept as third-party reports",
                    source.name, source.third_party
                )?;
            }
            if source.rows.rejected > source.not_owned {
                let sentence = rows::rejected(&source.rows, source.not_owned, &source.reasons);
                writeln!(f, "{}: {sentence}", source.name)?;
            }
            if source.not_owned > 0 {
                writeln!(
                    f,
                    "{}: {} rows rejected because the source does not own their issuing State",
                    source.name, source.not_owned
                )?;
            }
            if let Some(sentence) = rows::unlikely(&source.rows, &source.unlikely) {
                writeln!(f, "{}: {sentence}", source.name)?;
            }
            if source.rows.merged > 0 {
                let used = source.rows.indexed + source.rows.merged;
                let share = rows::percent(source.rows.merged, used);
                writeln!(
                    f,
                    "{}: {} rows ({share}) repeat another",
                    source.name, source.rows.merged
                )?;
            }
            for sentence in dates::sentences(&source.dates) {
                writeln!(f, "{}: {sentence}", source.name)?;
            }
            if let Some(rejects) = &source.rejects {
                writeln!(
                    f,
                    "{}: rejected rows, with reasons, in {rejects}",
                    source.name
                )?;
            }
            if let Some(noted) = &source.noted {
                writeln!(
                    f,
                    "{}: {} withdrawals changed nothing that is shown, {} hide a report without a date until the next \
                     list of its source; see {noted}",
                    source.name, source.rows.noted, source.until_next_list
                )?;
            }
            if let Some(held) = &source.held {
                match held.as_of {
                    Some(as_of) => writeln!(f, "{}: keeps its list of {as_of}", source.name)?,
                    None => writeln!(f, "{}: has no list to keep", source.name)?,
                }
            }
        }
        f.write_str(&self.warnings())
    }
}
