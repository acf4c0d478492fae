//! An inspection for people: what matters first, the long list of States last.

use super::{Counted, Inspection};
use sltd::snapshot::Holder;
use std::fmt;

/// States in a line: seven of twelve columns and a gap of two.
const STATES_A_LINE: usize = 7;

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "generation   {} of store {}",
            self.generation, self.store_id
        )?;
        writeln!(
            f,
            "built at     {:.0}, reports in force on {}",
            self.built_at, self.as_of
        )?;
        writeln!(f, "data as of   {} (the oldest source)", self.data_as_of)?;
        writeln!(
            f,
            "base         of generation {}, last built {:.0}",
            self.base, self.base_built_at
        )?;
        self.interventions(f)?;
        if let Some(not_after) = self.not_after {
            writeln!(f, "not after    {not_after}")?;
        }
        if !self.signed_by.is_empty() {
            writeln!(f, "signed by    {}", self.signed_by.join(", "))?;
        }
        writeln!(
            f,
            "documents    {}, of {} numbers, with {} stored reports",
            self.documents, self.numbers, self.reports
        )?;
        let each = &self.bytes_per_document;
        writeln!(
            f,
            "bytes        {} in {} segment(s); a document takes {:.2}: {:.2} for keys and filter,\n             \
             {:.2} without owners' references",
            self.bytes,
            self.segments.len(),
            each.all,
            each.keys_and_filter,
            each.without_references
        )?;

        writeln!(f, "\n{:<22}{:>14}{:>16}", "section", "bytes", "a document")?;
        for section in &self.sections {
            writeln!(
                f,
                "{:<22}{:>14}{:>16.3}",
                section.section, section.bytes, section.bytes_per_document
            )?;
        }
        self.sources(f)?;
        table(f, "type", &self.types)?;
        table(f, "status", &self.statuses)?;
        writeln!(
            f,
            "\n{} issuing States, documents of each",
            self.issuing_states.len()
        )?;
        for line in self.issuing_states.chunks(STATES_A_LINE) {
            let states: Vec<String> = line
                .iter()
                .map(|state| format!("{:<3}{:>9}", state.name, state.documents))
                .collect();
            writeln!(f, "{}", states.join("  "))?;
        }
        Ok(())
    }
}

impl Inspection {
    /// What operators and guards have done and not undone.
    fn interventions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(pin) = &self.pinned {
            writeln!(
                f,
                "PINNED       since generation {} ({:.0}, by {}): {}; builds are withheld",
                pin.since, pin.at, pin.by, pin.reason
            )?;
        }
        for one in &self.retracted {
            writeln!(
                f,
                "RETRACTED    {} since generation {} ({:.0}, by {}): {}",
                one.source, one.since, one.at, one.by, one.reason
            )?;
        }
        for one in &self.held {
            let holder = match one.holder {
                Holder::Operator => "an operator",
                Holder::Guard => "a guard",
            };
            writeln!(
                f,
                "HELD         {} by {holder} since generation {} ({:.0}, by {}): {}",
                one.source, one.since, one.at, one.by, one.reason
            )?;
        }
        Ok(())
    }

    fn sources(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.sources.iter().map(|source| source.source.len());
        let width = names.max().unwrap_or(0).max("source".len());
        writeln!(
            f,
            "\n{:width$}  {:>10} = {:>10} + {:>8} + {:>8} + {:>8}  {:>10}  as of",
            "source", "read", "indexed", "merged", "expired", "rejected", "documents"
        )?;
        for source in &self.sources {
            writeln!(
                f,
                "{:width$}  {:>10} = {:>10} + {:>8} + {:>8} + {:>8}  {:>10}  {}",
                source.source,
                source.read,
                source.indexed,
                source.merged,
                source.expired,
                source.rejected,
                source.documents,
                source.as_of
            )?;
        }
        Ok(())
    }
}

fn table(f: &mut fmt::Formatter<'_>, name: &str, counts: &[Counted]) -> fmt::Result {
    writeln!(f, "\n{name:<26}{:>10}", "documents")?;
    for count in counts {
        writeln!(f, "{:<26}{:>10}", count.name, count.documents)?;
    }
    Ok(())
}
