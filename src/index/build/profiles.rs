//! What rows have in common, interned while they are read.

use super::super::error::BuildError;
use super::super::tables::{Edition, Kind};
use super::record::PROFILES_MAX;
use super::texts::Texts;
use hashbrown::HashTable;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use xxhash_rust::xxh3::xxh3_64;

/// Ends a text of a key: no UTF-8 text holds this byte.
const TEXT_END: u8 = 0xff;

/// What many rows of a source have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProfileKey<'a> {
    pub source: &'a str,
    pub kind: Kind,
    pub third_party: bool,
    pub overruled: bool,
    pub edition: Option<Edition>,
    pub source_status: &'a str,
    pub authority: &'a str,
    pub restriction: &'a str,
}

/// A [`ProfileKey`] that owns its texts; ordered as they are.
#[derive(Debug, Clone)]
pub(super) struct OwnedProfile {
    pub source: Box<str>,
    pub kind: Kind,
    pub third_party: bool,
    pub overruled: bool,
    pub edition: Option<Edition>,
    pub source_status: Box<str>,
    pub authority: Box<str>,
    pub restriction: Box<str>,
}

impl ProfileKey<'_> {
    /// All of it as bytes that no other key has.
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.kind_and_flags());
        if let Some(edition) = self.edition {
            bytes.extend_from_slice(&edition.as_of.as_nanosecond().to_le_bytes());
            bytes.extend_from_slice(&edition.generation.to_le_bytes());
        }
        for text in [
            self.source,
            self.source_status,
            self.authority,
            self.restriction,
        ] {
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(TEXT_END);
        }
    }

    fn kind_and_flags(&self) -> [u8; 2] {
        let flags = u8::from(self.third_party)
            | u8::from(self.overruled) << 1
            | u8::from(self.edition.is_some()) << 2;
        let kind = match self.kind {
            Kind::Report(status) => status.code(),
            // Above all codes of statuses.
            Kind::Withdrawal => 0xf0,
            Kind::Unwithdrawal => 0xf1,
            Kind::Expired => 0xf2,
        };
        [kind, flags]
    }

    /// All of it but source and edition in one number, which no other key with these has; `None` where the texts are
    /// too long.
    fn short(&self) -> Option<u128> {
        let mut bytes = [0; 16];
        let [kind, flags, rest @ ..] = &mut bytes;
        [*kind, *flags] = self.kind_and_flags();
        let mut rest = rest.as_mut_slice();
        for text in [self.source_status, self.authority, self.restriction] {
            let (place, after) = rest.split_at_mut_checked(text.len())?;
            place.copy_from_slice(text.as_bytes());
            let (end, after) = after.split_first_mut()?;
            *end = TEXT_END;
            rest = after;
        }
        Some(u128::from_le_bytes(bytes))
    }

    fn into_owned(self) -> OwnedProfile {
        OwnedProfile {
            source: self.source.into(),
            kind: self.kind,
            third_party: self.third_party,
            overruled: self.overruled,
            edition: self.edition,
            source_status: self.source_status.into(),
            authority: self.authority.into(),
            restriction: self.restriction.into(),
        }
    }
}

impl OwnedProfile {
    pub(super) fn texts(&self) -> [&str; 4] {
        [
            &self.source,
            &self.source_status,
            &self.authority,
            &self.restriction,
        ]
    }

    /// Sorts by the fields in turn; `texts` has those of all profiles.
    fn sort_key(&self, texts: &Texts<'_>) -> impl Ord + use<> {
        let [source, rest @ ..] = self.texts().map(|text| texts.number(text));
        let flags = (self.third_party, self.overruled);
        (source, self.kind, flags, self.edition, rest)
    }
}

#[derive(Debug, Default)]
struct Table {
    profiles: Vec<OwnedProfile>,
    numbers: HashMap<Box<[u8]>, u32>,
}

/// All profiles of a build, numbered in the order in which threads met them.
#[derive(Debug, Default)]
pub(super) struct Profiles(Mutex<Table>);

/// One thread's view of the profiles: takes the lock only for one it has not met.
///
/// Asked once a row, so a profile is one number here, or one run of bytes: one hash, one comparison, where the texts of
/// a [`ProfileKey`] would be a cache miss each.
#[derive(Debug, Default)]
pub(super) struct ProfileCache {
    known: HashTable<(Box<[u8]>, u32)>,
    key: Vec<u8>,
    /// What the short keys have in common, as nearly all rows that a thread reads in turn do.
    source: String,
    edition: Option<Edition>,
    known_short: HashTable<(u128, u32)>,
}

impl ProfileCache {
    /// The number of a profile in this build; not the one it gets in the segment.
    pub(super) fn number(
        &mut self,
        profiles: &Profiles,
        key: &ProfileKey<'_>,
    ) -> Result<u32, BuildError> {
        let Some(short) = key.short() else {
            return self.number_of_any(profiles, key);
        };
        if self.edition != key.edition || self.source != key.source {
            key.source.clone_into(&mut self.source);
            self.edition = key.edition;
            self.known_short.clear();
        }
        if let Some((_, number)) = self
            .known_short
            .find(hash(short), |(known, _)| *known == short)
        {
            return Ok(*number);
        }
        let number = self.number_of_any(profiles, key)?;
        self.known_short
            .insert_unique(hash(short), (short, number), |(known, _)| hash(*known));
        Ok(number)
    }

    /// [`number`](Self::number) of a key of any length.
    fn number_of_any(
        &mut self,
        profiles: &Profiles,
        key: &ProfileKey<'_>,
    ) -> Result<u32, BuildError> {
        let bytes = &mut self.key;
        bytes.clear();
        key.write(bytes);
        let hash = xxh3_64(bytes);
        if let Some((_, number)) = self.known.find(hash, |(known, _)| **known == **bytes) {
            return Ok(*number);
        }
        let number = profiles.number(bytes, key)?;
        self.known
            .insert_unique(hash, (bytes.as_slice().into(), number), |(known, _)| {
                xxh3_64(known)
            });
        Ok(number)
    }
}

fn hash(short: u128) -> u64 {
    xxh3_64(&short.to_le_bytes())
}

impl Profiles {
    /// The number of a profile that is written as these bytes.
    fn number(&self, bytes: &[u8], key: &ProfileKey<'_>) -> Result<u32, BuildError> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Table { profiles, numbers } = &mut *table;
        if let Some(number) = numbers.get(bytes) {
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
        numbers.insert(bytes.into(), number);
        Ok(number)
    }

    /// The profiles in order of their content, and for each number given out its place there:
    /// the order in which threads met them must not show in the segment.
    pub(super) fn finish(self) -> (Vec<OwnedProfile>, Vec<u32>) {
        let table = self.0.into_inner();
        let profiles = table.unwrap_or_else(PoisonError::into_inner).profiles;
        let texts = Texts::new(profiles.iter().flat_map(OwnedProfile::texts));
        let mut order: Vec<(_, u32)> = profiles
            .iter()
            .map(|profile| profile.sort_key(&texts))
            .zip(0..)
            .collect();
        order.sort_unstable();
        let mut places = vec![0; order.len()];
        let mut sorted = Vec::with_capacity(order.len());
        for (place, (_, number)) in (0..).zip(order) {
            places[number as usize] = place;
            sorted.push(profiles[number as usize].clone());
        }
        (sorted, places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ReportStatus;

    /// Profiles are met one after the other and then again: each has one number, and no other has it.
    #[test]
    fn each_profile_has_a_number_of_its_own() {
        let edition = |generation| Edition {
            as_of: "2026-11-01T00:00:00Z".parse().unwrap(),
            generation,
        };
        let long = "x".repeat(20);
        let texts = ["", "a", "ab", "b", "abcdefgh", &long];
        let mut keys = Vec::new();
        for source in ["one", "two"] {
            for edition in [None, Some(edition(1)), Some(edition(2))] {
                for source_status in texts {
                    for authority in texts {
                        for restriction in texts {
                            for (third_party, overruled) in
                                [(false, false), (true, false), (false, true)]
                            {
                                keys.push(ProfileKey {
                                    source,
                                    kind: Kind::Report(ReportStatus::Lost),
                                    third_party,
                                    overruled,
                                    edition,
                                    source_status,
                                    authority,
                                    restriction,
                                });
                            }
                        }
                    }
                }
            }
        }
        let withdrawn = keys[0];
        for kind in [Kind::Withdrawal, Kind::Unwithdrawal, Kind::Expired] {
            keys.push(ProfileKey { kind, ..withdrawn });
        }
        let profiles = Profiles::default();
        // Two threads, each with what it has met.
        let [mut one, mut other] = [ProfileCache::default(), ProfileCache::default()];
        let numbers: Vec<u32> = keys
            .iter()
            .map(|key| one.number(&profiles, key).unwrap())
            .collect();
        assert!(numbers.iter().copied().eq(0..keys.len() as u32));
        for (key, number) in keys.iter().zip(numbers).rev() {
            assert_eq!(one.number(&profiles, key).unwrap(), number);
            assert_eq!(other.number(&profiles, key).unwrap(), number);
        }
    }
}
