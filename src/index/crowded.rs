//! Documents with very many reports of one source: what was listed there is a placeholder rather than a number.

use super::documents::changed;
use super::error::Damage;
use super::packing::Found;
use super::segment::Segment;
use super::shard::Shard;
use super::tables::Kind;
use crate::document::IssuingState;
use std::collections::{BTreeMap, HashMap};

impl Segment {
    /// How many documents of each State have more than `limit` different reports of one source, by the source's name.
    ///
    /// The reports of a document stand together, so one look in each stretch of `limit` records finds all that are so
    /// long: it takes no time worth mentioning.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are no longer those that were verified.
    pub fn crowded(&self, limit: u64) -> Result<BTreeMap<(String, IssuingState), u64>, Damage> {
        let mut crowded = BTreeMap::new();
        let stride = usize::try_from(limit)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        for shard in (0..self.parts()).filter_map(|number| self.shard(number)) {
            let mut place = 0;
            while place < shard.entry.chained as usize {
                let end = self.count_around(shard, place, limit, &mut crowded)?;
                // The next look that is behind the document.
                place = end
                    .div_ceil(stride)
                    .max(place / stride + 1)
                    .saturating_mul(stride);
            }
        }
        self.intact()?;
        Ok(crowded)
    }

    /// Looks at the document that has a record at a place among the chained ones; returns where its records end.
    fn count_around(
        &self,
        shard: &Shard,
        place: usize,
        limit: u64,
        crowded: &mut BTreeMap<(String, IssuingState), u64>,
    ) -> Result<usize, Damage> {
        let at = |place: usize| shard.chained(place);
        let follows =
            |before: &Found, found: &Found| before.more && before.report.pair == found.report.pair;
        let found = at(place)?;
        let (mut first, mut start) = (found, place);
        while let Some(before) = start.checked_sub(1) {
            let record = at(before)?;
            if !follows(&record, &first) {
                break;
            }
            (first, start) = (record, before);
        }
        let mut of_sources: HashMap<u32, u64> = HashMap::new();
        let (mut record, mut end) = (first, start);
        loop {
            let profile = self.profile(record.report.profile);
            let profile = profile.ok_or(changed("reports"))?;
            if matches!(profile.kind, Kind::Report(_)) {
                *of_sources.entry(profile.source).or_default() += 1;
            }
            end += 1;
            if !record.more {
                break;
            }
            let next = at(end)?;
            if !follows(&record, &next) {
                break;
            }
            record = next;
        }
        let pair = self.pairs().get(usize::from(found.report.pair));
        let (state, _) = pair.ok_or(changed("reports"))?;
        for (source, _) in of_sources.into_iter().filter(|(_, count)| *count > limit) {
            let source = self.text(source).ok_or(changed("reports"))?;
            *crowded.entry((source.to_owned(), *state)).or_default() += 1;
        }
        Ok(end)
    }
}

#[cfg(test)]
mod tests {
    use crate::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
    use crate::index::{BuildOptions, LoadMode, Row, Segment, SegmentBuilder};
    use crate::report::{Day, ReportStatus};

    /// A segment of documents, each by number, State, source and how many reports that differ in a day.
    fn segment(documents: &[(&str, &str, &'static str, i32)]) -> Segment {
        let folder = tempfile::tempdir().unwrap();
        let builder = SegmentBuilder::new(BuildOptions {
            memory: 1 << 20,
            threads: 2,
            scratch: folder.path().to_owned(),
        });
        let mut inserter = builder.inserter();
        for (number, state, source, reports) in documents {
            for day in 0..*reports {
                let row = Row {
                    numbers: NumberRange::single(DocumentNumber::normalise(number).unwrap()),
                    issuing_state: IssuingState::parse(state).unwrap(),
                    document_type: DocumentType::Passport,
                    status: ReportStatus::Lost,
                    source_status: "",
                    date_of_loss: Day::from_number(19_000 + day),
                    date_reported: None,
                    review_date: None,
                    authority: "",
                    restriction: "",
                    source,
                    third_party: false,
                    owner_reference: "",
                };
                inserter.insert(&row).unwrap();
            }
        }
        inserter.finish().unwrap();
        let path = folder.path().join("segment");
        builder.finish(&path, &[], |_, _| {}).unwrap();
        Segment::open(&path, LoadMode::Heap).unwrap()
    }

    #[test]
    fn documents_with_more_reports_of_one_source_than_the_limit_are_found_wherever_they_stand() {
        for before in 0..8 {
            let segment = segment(&[
                ("AB000001", "FRA", "one", before),
                ("AB000002", "FRA", "one", 5),
                ("AB000003", "FRA", "one", 6),
                ("AB000003", "FIN", "one", 4),
                ("AB000003", "FIN", "two", 4),
                ("AB000004", "FIN", "one", 3),
                ("AB000004", "FIN", "two", 20),
                ("AB000005", "FRA", "one", 7),
                ("AB000006", "FRA", "one", 1),
            ]);
            let crowded = segment.crowded(5).unwrap();
            let crowded: Vec<_> = crowded
                .iter()
                .map(|((source, state), documents)| (source.as_str(), state.code(), *documents))
                .collect();
            let french = 2 + u64::from(before > 5);
            assert_eq!(
                crowded,
                [("one", "FRA", french), ("two", "FIN", 1)],
                "{before}"
            );
            assert!(segment.crowded(20).unwrap().is_empty());
            assert!(segment.crowded(u64::MAX).unwrap().is_empty());
        }
    }
}
