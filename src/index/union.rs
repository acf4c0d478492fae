//! One filter for several segments.

use super::error::Damage;
use super::filter::Filter;
use super::segment::Segment;

/// A filter over the numbers of several segments: one question in place of one for each, put together with that to
/// another segment ([`Segment::may_contain_with`]), so that a number is hashed once.
#[derive(Debug)]
pub struct UnionFilter(Filter);

impl UnionFilter {
    /// Gathers the numbers of segments, in memory: two bytes a number. `None` if they have none.
    ///
    /// # Errors
    /// [`Damage`] when a segment's bytes are no longer those that were verified, or what the system says.
    pub fn of<'s>(
        segments: impl Iterator<Item = &'s Segment> + Clone,
    ) -> Result<Option<Self>, Damage> {
        let numbers = segments.clone().map(Segment::numbers).sum();
        let mut filter = Filter::begin(numbers)?;
        for segment in segments {
            segment.for_each(|number, _| filter.mark(&number))?;
        }
        Ok(filter.finish()?.map(Self))
    }

    #[inline(always)]
    pub(super) fn holds(&self, hash: u64) -> bool {
        self.0.holds(hash)
    }
}
