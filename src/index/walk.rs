//! All of a segment, number by number.

use super::documents::Documents;
use super::error::Damage;
use super::packing::Found;
use super::segment::Segment;
use crate::document::DocumentNumber;
use fst::Streamer as _;

/// The numbers of a segment in order, each with its documents; see [`Segment::walk`].
///
/// Ends with an error when the segment's bytes are no longer those that were verified.
pub struct Walk<'s> {
    segment: &'s Segment,
    shard: usize,
    /// Those of the shard that have not been read; `None`: the shard was not begun.
    prefixes: Option<fst::raw::Stream<'s>>,
    /// What is left of the block that was read last, in reverse order.
    block: Vec<(DocumentNumber, Found)>,
    from: Option<DocumentNumber>,
}

// An automaton's stream has nothing to show.
impl std::fmt::Debug for Walk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Walk")
            .field("shard", &self.shard)
            .finish_non_exhaustive()
    }
}

impl<'s> Walk<'s> {
    /// From the shard with this number on, without the numbers before `from`.
    pub(super) fn new(segment: &'s Segment, shard: usize, from: Option<DocumentNumber>) -> Self {
        Self {
            segment,
            shard,
            prefixes: None,
            block: Vec::new(),
            from,
        }
    }

    fn read_block(&mut self) -> Result<bool, Damage> {
        while let Some(shard) = self.segment.shard(self.shard) {
            let prefixes = self.prefixes.get_or_insert_with(|| shard.prefixes());
            if let Some((prefix, offset)) = prefixes.next() {
                let block = &mut self.block;
                shard.each_of_block(prefix, offset.value(), |number, first| {
                    block.push((number, first));
                    Ok(())
                })?;
                self.segment.intact()?;
                block.reverse();
                return Ok(true);
            }
            // That the shard ends here, too, was read from it.
            self.segment.intact()?;
            self.prefixes = None;
            self.shard += 1;
        }
        Ok(false)
    }
}

impl<'s> Iterator for Walk<'s> {
    type Item = Result<(DocumentNumber, Documents<'s>), Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((number, first)) = self.block.pop() {
                if self.from.is_some_and(|from| number < from) {
                    continue;
                }
                let shard = self.segment.shard(self.shard)?;
                let documents = Documents::new(self.segment, Some((shard, first)));
                return Some(Ok((number, documents)));
            }
            match self.read_block() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(damage) => {
                    // It ends here.
                    self.shard = usize::MAX;
                    return Some(Err(damage));
                }
            }
        }
    }
}
