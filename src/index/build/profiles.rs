//! What rows have in common, interned while they are read.

use super::super::error::BuildError;
use super::record::PROFILES_MAX;
use crate::report::ReportStatus;
use hashbrown::HashTable;
use std::sync::{Mutex, PoisonError};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// What many rows of a source have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProfileKey<'a> {
    pub source: &'a str,
    pub status: ReportStatus,
    pub third_party: bool,
    pub source_status: &'a str,
    pub authority: &'a str,
    pub restriction: &'a str,
}

/// A [`ProfileKey`] that owns its texts; ordered as they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OwnedProfile {
    pub source: Box<str>,
    pub status: ReportStatus,
    pub third_party: bool,
    pub source_status: Box<str>,
    pub authority: Box<str>,
    pub restriction: Box<str>,
}

impl ProfileKey<'_> {
    fn hash(&self) -> u64 {
        let seed = (self.status.code() as u64) << 1 | u64::from(self.third_party);
        [
            self.source,
            self.source_status,
            self.authority,
            self.restriction,
        ]
        .iter()
        .fold(seed, |hash, text| xxh3_64_with_seed(text.as_bytes(), hash))
    }

    fn into_owned(self) -> OwnedProfile {
        OwnedProfile {
            source: self.source.into(),
            status: self.status,
            third_party: self.third_party,
            source_status: self.source_status.into(),
            authority: self.authority.into(),
            restriction: self.restriction.into(),
        }
    }
}

impl OwnedProfile {
    fn key(&self) -> ProfileKey<'_> {
        ProfileKey {
            source: &self.source,
            status: self.status,
            third_party: self.third_party,
            source_status: &self.source_status,
            authority: &self.authority,
            restriction: &self.restriction,
        }
    }
}

#[derive(Debug, Default)]
struct Table {
    profiles: Vec<OwnedProfile>,
    index: HashTable<u32>,
}

/// All profiles of a build, numbered in the order in which threads met them.
#[derive(Debug, Default)]
pub(super) struct Profiles(Mutex<Table>);

/// One thread's view of the profiles: takes the lock only for one it has not met.
///
/// Asked once a row, so a profile is one run of bytes here: one hash, one comparison, where the
/// texts of a [`ProfileKey`] would be a cache miss each.
#[derive(Debug, Default)]
pub(super) struct ProfileCache {
    known: HashTable<(Box<[u8]>, u32)>,
    key: Vec<u8>,
}

impl ProfileCache {
    /// The number of a profile in this build; not the one it gets in the segment.
    pub(super) fn number(
        &mut self,
        profiles: &Profiles,
        key: &ProfileKey<'_>,
    ) -> Result<u32, BuildError> {
        let bytes = &mut self.key;
        bytes.clear();
        bytes.extend_from_slice(&[key.status.code(), u8::from(key.third_party)]);
        for text in [
            key.source,
            key.source_status,
            key.authority,
            key.restriction,
        ] {
            bytes.extend_from_slice(text.as_bytes());
            // No UTF-8 text holds this byte: what stands between two of them is one text.
            bytes.push(0xff);
        }
        let hash = xxh3_64(bytes);
        if let Some((_, number)) = self.known.find(hash, |(known, _)| **known == **bytes) {
            return Ok(*number);
        }
        let number = profiles.number(key)?;
        self.known
            .insert_unique(hash, (bytes.as_slice().into(), number), |(known, _)| {
                xxh3_64(known)
            });
        Ok(number)
    }
}

impl Profiles {
    fn number(&self, key: &ProfileKey<'_>) -> Result<u32, BuildError> {
        let hash = key.hash();
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Table { profiles, index } = &mut *table;
        if let Some(number) = index.find(hash, |number| profiles[*number as usize].key() == *key) {
            return Ok(*number);
        }
        let number = profiles.len() as u32;
        if number >= PROFILES_MAX {
            let what = "different combinations of source, status, authority and restriction";
            return Err(BuildError::TooMany {
                what,
                limit: u64::from(PROFILES_MAX),
            });
        }
        profiles.push(key.into_owned());
        index.insert_unique(hash, number, |number| {
            profiles[*number as usize].key().hash()
        });
        Ok(number)
    }

    /// The profiles in order of their content, and for each number given out its place there:
    /// the order in which threads met them must not show in the segment.
    pub(super) fn finish(self) -> (Vec<OwnedProfile>, Vec<u32>) {
        let profiles = self
            .0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .profiles;
        let mut order: Vec<u32> = (0..profiles.len() as u32).collect();
        order.sort_by(|a, b| profiles[*a as usize].cmp(&profiles[*b as usize]));
        let mut places = vec![0; order.len()];
        for (place, number) in order.iter().enumerate() {
            places[*number as usize] = place as u32;
        }
        (
            order
                .iter()
                .map(|number| profiles[*number as usize].clone())
                .collect(),
            places,
        )
    }
}
