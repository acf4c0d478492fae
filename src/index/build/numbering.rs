//! The tables that keys and reports refer to, numbered.

use super::super::error::BuildError;
use super::super::tables::{AuthorityEntry, PAIRS_MAX, Profile};
use super::profiles::OwnedProfile;
use super::record::{PACKED_PAIRS, pack_pair};
use super::texts::Texts;
use crate::document::{DocumentType, IssuingState};
use crate::report::Authority;
use std::collections::{BTreeMap, BTreeSet};

/// The pairs of a segment in order, and the number of each packed pair there.
pub(super) struct Pairs {
    pub list: Vec<(IssuingState, DocumentType)>,
    pub numbers: Vec<u16>,
}

impl Pairs {
    pub(super) fn of(packed: &BTreeSet<u32>) -> Result<Self, BuildError> {
        if packed.len() > PAIRS_MAX {
            let what = "pairs of issuing State and document type";
            return Err(BuildError::TooMany {
                what,
                limit: PAIRS_MAX as u64,
            });
        }
        let mut pairs = Self {
            list: Vec::with_capacity(packed.len()),
            numbers: vec![0; PACKED_PAIRS],
        };
        // Every pair was packed from a State and type that exist.
        let known = IssuingState::all()
            .flat_map(|state| DocumentType::ALL.map(|document_type| (state, document_type)));
        let unpacked: BTreeMap<u32, _> = known
            .map(|pair| (pack_pair(pair.0, pair.1), pair))
            .collect();
        for packed in packed {
            if let (Some(number), Some(pair)) = (
                pairs.numbers.get_mut(*packed as usize),
                unpacked.get(packed),
            ) {
                *number = pairs.list.len() as u16;
                pairs.list.push(*pair);
            }
        }
        Ok(pairs)
    }
}

/// Texts, profiles and authorities with their numbers in the segment.
pub(super) struct Tables<'b> {
    pub strings: Vec<&'b str>,
    pub profiles: Vec<Profile>,
    pub authorities: Vec<AuthorityEntry>,
}

impl<'b> Tables<'b> {
    pub(super) fn new(profiles: &'b [OwnedProfile], directory: &[Authority<'b>]) -> Self {
        let named = profiles.iter().map(|profile| &*profile.authority);
        let named = Texts::new(named.filter(|code| !code.is_empty())).into_list();
        let unnamed = |code| Authority {
            code,
            name: "",
            contact: "",
        };
        let mut authorities: BTreeMap<&str, Authority<'b>> = named
            .into_iter()
            .map(|code| (code, unnamed(code)))
            .collect();
        let listed = directory.iter();
        authorities.extend(listed.map(|authority| (authority.code, *authority)));
        let codes = Texts::new(authorities.keys().copied());
        let of_profiles = profiles.iter().flat_map(OwnedProfile::texts);
        let of_authorities = authorities
            .values()
            .flat_map(|authority| [authority.code, authority.name, authority.contact]);
        // The empty text sorts first, and is text 0 also where nothing uses it.
        let strings = Texts::new([""].into_iter().chain(of_profiles).chain(of_authorities));
        let text = |text: &str| strings.number(text).unwrap_or(0);
        Self {
            profiles: profiles
                .iter()
                .map(|profile| Profile {
                    source: text(&profile.source),
                    kind: profile.kind,
                    third_party: profile.third_party,
                    overruled: profile.overruled,
                    edition: profile.edition,
                    source_status: text(&profile.source_status),
                    authority: codes
                        .number(&profile.authority)
                        .map_or(0, |number| number + 1),
                    restriction: text(&profile.restriction),
                })
                .collect(),
            authorities: authorities
                .values()
                .map(|authority| AuthorityEntry {
                    code: text(authority.code),
                    name: text(authority.name),
                    contact: text(authority.contact),
                })
                .collect(),
            strings: strings.into_list(),
        }
    }
}
