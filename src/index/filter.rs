//! The filter in front of the automaton: "certainly not reported" in one to three cache misses.
//!
//! A binary fuse filter of 8-bit fingerprints over the xxh3-64 hashes of document *numbers*, so
//! that one filter serves queries with and without issuer and type. It never says no to a number
//! that is reported, and says perhaps to about one in 256 that are not. Construction is
//! [`xorf`]'s; reading is ours, as the fingerprints stay in the mapped file.

use super::error::{BuildError, Damage};
use super::fields::Fields;
use xorf::BinaryFuse8;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Numbers of one partition, on average. Construction needs about 33 bytes a number, so a
/// partition is built within 35 MB and a core's cache misses stay local.
const PARTITION_NUMBERS: u64 = 1 << 20;
/// Bytes of a partition in the directory.
const ENTRY_LEN: usize = 32;
/// How many numbers are hashed before the first is probed: the cache misses of a chunk overlap.
pub(super) const CHUNK: usize = 32;

/// Partitions for a count of numbers: a function of nothing else, so that a rebuild is identical.
pub(super) fn partitions(numbers: u64) -> u32 {
    numbers.div_ceil(PARTITION_NUMBERS).min(u64::from(u32::MAX)) as u32
}

/// The hash that keys the filter.
#[inline]
pub(super) fn hash(number: &[u8], seed: u64) -> u64 {
    xxh3_64_with_seed(number, seed)
}

/// The partition of a hash: its high bits scaled to the number of partitions.
#[inline]
pub(super) fn partition_of(hash: u64, partitions: u32) -> usize {
    ((u128::from(hash) * u128::from(partitions)) >> 64) as usize
}

/// Builds one partition from its hashes, which it sorts and rids of duplicates.
///
/// Returns its directory fields and fingerprints; `None` if construction failed, which another
/// filter seed mends.
pub(super) fn build_partition(hashes: &mut Vec<u64>) -> Option<BinaryFuse8> {
    hashes.sort_unstable();
    hashes.dedup();
    BinaryFuse8::try_from(hashes.as_slice()).ok()
}

/// Appends a partition to the directory; its fingerprints stand at `offset` in their section.
pub(super) fn encode(partition: &BinaryFuse8, offset: u64, directory: &mut Vec<u8>) {
    let descriptor = &partition.descriptor;
    directory.extend_from_slice(&descriptor.seed.to_le_bytes());
    directory.extend_from_slice(&offset.to_le_bytes());
    directory.extend_from_slice(&descriptor.segment_length.to_le_bytes());
    directory.extend_from_slice(&descriptor.segment_count_length.to_le_bytes());
    directory.extend_from_slice(&[0; 8]);
}

/// One partition as read from the directory.
#[derive(Debug, Clone, Copy)]
struct Partition {
    seed: u64,
    /// First fingerprint in the section.
    offset: usize,
    segment_length: u32,
    segment_count_length: u32,
}

/// Where a hash must be looked for.
#[derive(Debug, Clone, Copy, Default)]
struct Probe {
    positions: [usize; 3],
    fingerprint: u8,
}

/// The filter of a segment, without the fingerprints.
#[derive(Debug)]
pub(super) struct Filter {
    seed: u64,
    partitions: Vec<Partition>,
}

impl Filter {
    /// Parses the directory; every position that [`contains`](Self::contains) can compute is
    /// then inside `fingerprints_len`.
    pub(super) fn parse(
        directory: &[u8],
        fingerprints_len: u64,
        partitions: u32,
        seed: u64,
    ) -> Result<Self, Damage> {
        let mut fields = Fields::new(directory, "filter_directory");
        if directory.len() != partitions as usize * ENTRY_LEN {
            return Err(fields.malformed("its length is not that of the header's partitions"));
        }
        let mut parsed = Vec::with_capacity(partitions as usize);
        let mut end = 0u64;
        for _ in 0..partitions {
            let (seed, offset) = (fields.u64()?, fields.u64()?);
            let (segment_length, segment_count_length) = (fields.u32()?, fields.u32()?);
            if fields.u64()? != 0 {
                return Err(fields.malformed("reserved bytes are not zero"));
            }
            // xorf rounds both to whole segments: the arithmetic of `probe` relies on it.
            if !segment_length.is_power_of_two()
                || !segment_count_length.is_multiple_of(segment_length)
                || segment_count_length == 0
            {
                return Err(fields.malformed("a partition's segments are of no valid length"));
            }
            if offset != end {
                return Err(
                    fields.malformed("a partition does not begin where the one before ends")
                );
            }
            end += u64::from(segment_count_length) + 2 * u64::from(segment_length);
            parsed.push(Partition {
                seed,
                offset: offset as usize,
                segment_length,
                segment_count_length,
            });
        }
        if end != fingerprints_len {
            return Err(fields.malformed("it does not describe all fingerprints"));
        }
        Ok(Self {
            seed,
            partitions: parsed,
        })
    }

    /// Where to look for a number. The rule is that of binary fuse filters with three hashes
    /// (Graf and Lemire, "Binary Fuse Filters", 2022).
    #[inline]
    fn probe(&self, number: &[u8]) -> Option<Probe> {
        let hash = hash(number, self.seed);
        let partition = self
            .partitions
            .get(partition_of(hash, self.partitions.len() as u32))?;
        let mixed = murmur_mix(hash.wrapping_add(partition.seed));
        let mask = partition.segment_length as usize - 1;
        let first =
            ((u128::from(mixed) * u128::from(partition.segment_count_length)) >> 64) as usize;
        let second = (first + mask + 1) ^ ((mixed >> 18) as usize & mask);
        let third = (first + 2 * (mask + 1)) ^ (mixed as usize & mask);
        Some(Probe {
            positions: [first, second, third].map(|position| partition.offset + position),
            fingerprint: (mixed ^ (mixed >> 32)) as u8,
        })
    }

    /// Whether the number may be reported; `false` is certain.
    #[inline]
    pub(super) fn contains(&self, fingerprints: &[u8], number: &[u8]) -> bool {
        // A segment without documents has a filter without partitions.
        self.probe(number)
            .is_some_and(|probe| probe.matches(fingerprints))
    }

    /// [`contains`](Self::contains) for up to [`CHUNK`] numbers; bit `i` of the answer stands
    /// for number `i`.
    pub(super) fn contains_chunk<'n>(
        &self,
        fingerprints: &[u8],
        numbers: impl Iterator<Item = &'n [u8]>,
    ) -> u32 {
        let mut probes = [Probe::default(); CHUNK];
        let mut count = 0;
        for (probe, number) in probes.iter_mut().zip(numbers) {
            let Some(found) = self.probe(number) else {
                return 0;
            };
            *probe = found;
            count += 1;
        }
        probes[..count]
            .iter()
            .enumerate()
            .fold(0, |bits, (index, probe)| {
                bits | u32::from(probe.matches(fingerprints)) << index
            })
    }
}

impl Probe {
    #[inline]
    fn matches(&self, fingerprints: &[u8]) -> bool {
        let [a, b, c] = self.positions.map(|position| fingerprints.get(position));
        match (a, b, c) {
            (Some(a), Some(b), Some(c)) => a ^ b ^ c == self.fingerprint,
            // Unreachable after `parse`; "perhaps" is the answer that can do no harm.
            _ => true,
        }
    }
}

/// The 64-bit finaliser of MurmurHash3, with which xorf mixes hash and seed.
#[inline]
fn murmur_mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// Seeds tried before giving up. xorf itself tries 1,000 mixes of one hash, so a second seed
/// is needed about never.
pub(super) const SEEDS_MAX: u64 = 16;

/// The error after [`SEEDS_MAX`] seeds.
pub(super) fn exhausted() -> BuildError {
    BuildError::Filter { tries: SEEDS_MAX }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xorf::Filter as _;

    fn number(index: u64) -> Vec<u8> {
        format!("{index:09}").into_bytes()
    }

    #[test]
    fn agrees_with_xorf_and_partitions() {
        let (numbers, seed, count) = (50_000u64, 3, 5u32);
        let mut hashes = vec![Vec::new(); count as usize];
        for index in 0..numbers {
            let hash = hash(&number(index), seed);
            hashes[partition_of(hash, count)].push(hash);
        }
        let (mut directory, mut fingerprints) = (Vec::new(), Vec::new());
        let built: Vec<BinaryFuse8> = hashes
            .iter_mut()
            .map(|hashes| build_partition(hashes).unwrap())
            .collect();
        for partition in &built {
            encode(partition, fingerprints.len() as u64, &mut directory);
            fingerprints.extend_from_slice(&partition.fingerprints);
        }
        let filter = Filter::parse(&directory, fingerprints.len() as u64, count, seed).unwrap();
        let mut passed = 0;
        for index in 0..2 * numbers {
            let number = number(index);
            let hash = hash(&number, seed);
            let found = filter.contains(&fingerprints, &number);
            assert_eq!(found, built[partition_of(hash, count)].contains(&hash));
            assert_eq!(
                filter.contains_chunk(&fingerprints, [&number[..]].into_iter()),
                u32::from(found)
            );
            assert!(
                found || index >= numbers,
                "a number that was put in is not found"
            );
            passed += u64::from(found && index >= numbers);
        }
        assert!(passed < numbers / 150, "{passed} false positives");
    }

    #[test]
    fn hash_is_pinned() {
        // The format rests on these values: a change is a new format version.
        assert_eq!(hash(b"L898902C3", 0), 0xe6bcae739eb5ba3f);
        assert_eq!(murmur_mix(1), 0xb456_bcfc_34c2_cb2c);
    }
}
