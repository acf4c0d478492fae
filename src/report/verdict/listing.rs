//! The matches of a check: the first are listed, all are counted.

use super::Candidate;
use hashbrown::{DefaultHashBuilder, HashMap};
use std::hash::BuildHasher as _;

/// The most matches that are listed. A document with more different reports in one source trips a guard when its list is
/// published, so whoever has more was never a document; what is counted beyond costs no memory but a hash each.
pub(super) const LISTED_MAX: usize = 1000;

/// Up to so many are compared one by one: more than nearly all documents have.
const FEW: usize = 8;

/// Stands in for the place of what is counted only.
const NOT_LISTED: usize = usize::MAX;

/// Matches of one worth, each once: reports that say the same of one document, whatever their sources, are one match.
#[derive(Default)]
pub(super) struct Listing<'a> {
    listed: Vec<Candidate<'a>>,
    /// The other sources that say the same as one that is listed, with its place.
    also: Vec<(usize, &'a str)>,
    /// Once there are more than a few.
    seen: Option<Box<Seen>>,
    unlisted: usize,
}

/// Hashes of what matches say, with their places.
#[derive(Default)]
struct Seen {
    places: HashMap<u64, usize>,
    hasher: DefaultHashBuilder,
}

impl<'a> Listing<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    pub(super) fn add(&mut self, found: Candidate<'a>) {
        let Some(seen) = &mut self.seen else {
            return self.add_to_few(found);
        };
        let hash = seen.hasher.hash_one(content(&found));
        match seen.places.get(&hash).copied() {
            None if self.listed.len() < LISTED_MAX => {
                seen.places.insert(hash, self.listed.len());
                self.listed.push(found);
            }
            None => {
                seen.places.insert(hash, NOT_LISTED);
                self.unlisted += 1;
            }
            Some(place) => match self.listed.get(place) {
                // Of what is not listed the hash has to do: two of a million differ and have the same one once in
                // thirty million checks, and then one is not counted.
                None => {}
                Some(same) if content(same) == content(&found) => self.note_source(place, &found),
                // Two that differ have the same hash.
                Some(_) if self.listed.len() < LISTED_MAX => self.listed.push(found),
                Some(_) => self.unlisted += 1,
            },
        }
    }

    fn add_to_few(&mut self, found: Candidate<'a>) {
        let said = content(&found);
        let same = self.listed.iter().position(|one| content(one) == said);
        if let Some(place) = same {
            return self.note_source(place, &found);
        }
        self.listed.push(found);
        if self.listed.len() > FEW {
            let mut seen = Box::<Seen>::default();
            let Seen { places, hasher } = &mut *seen;
            let listed = self.listed.iter().map(|one| hasher.hash_one(content(one)));
            places.extend(listed.zip(0..));
            self.seen = Some(seen);
        }
    }

    fn note_source(&mut self, place: usize, found: &Candidate<'a>) {
        let source = found.report.source;
        let known = self.listed.get(place);
        let also = (place, source);
        if known.is_some_and(|known| known.report.source != source)
            && self.also.last() != Some(&also)
        {
            self.also.push(also);
        }
    }

    /// What is listed of both, of these first, with the other sources by place; and how many are not listed.
    pub(super) fn then(
        mut self,
        mut others: Self,
    ) -> (Vec<Candidate<'a>>, Vec<(usize, &'a str)>, usize) {
        let first = self.listed.len();
        let left = LISTED_MAX.saturating_sub(first);
        let unlisted = self.unlisted + others.unlisted + others.listed.len().saturating_sub(left);
        others.listed.truncate(left);
        self.listed.append(&mut others.listed);
        let also = others.also.iter().filter(|(place, _)| *place < left);
        self.also
            .extend(also.map(|(place, source)| (first + place, *source)));
        self.also.sort_unstable();
        self.also.dedup();
        (self.listed, self.also, unlisted)
    }
}

/// What a report says of a document to its reader, whoever says it.
fn content<'a>(found: &Candidate<'a>) -> Candidate<'a> {
    Candidate {
        report: found.report.content(),
        ..*found
    }
}
