//! Who vouches for a snapshot: Ed25519 signatures over its manifest.
//!
//! A [`SigningKey`] signs the bytes of the manifest's file as they stand there, and the [`Signatures`] lie in a file
//! beside it (`manifests/00000007.json.sig`): one line a signature, of the [`KeyId`] and the signature, 32 and 128
//! hexadecimal digits in lower case with a blank between them. [`TrustedKeys`] accept a manifest if one of these is
//! by a key of theirs, whatever the others are. So keys are changed without a gap: sign with the old and the new one
//! until everybody trusts the new, then with the new one only. What is signed begins with a prefix of its own, so
//! that nothing else signed with the key, by whatever program, can pass for a manifest.
//!
//! The manifest holds the digests of all segments and that of the manifest before it: who vouches for it vouches for
//! every byte that is served, and for all that was published before, whose own signatures nobody needs again.
//!
//! # What it is good for
//! Against whoever can write to the store, or to what lies between it and a server, but has no key: nothing that they
//! put there is served, and an older snapshot that was once signed is refused by [`HighestSeen`]. They can still
//! withhold what is new, which shows as age (`hard_age`), and remove what is there, which shows at once. Of a key that
//! signs for several stores, the snapshots of one can be put in place of another's: give each store its own.
//!
//! The store in which is built and published must be its publisher's alone all the same: what stands in it before it is
//! published, such as a base put aside, is signed as it stands.
//!
//! Who has the key can publish anything, under any date. Validity ([`TrustedKeyFile`]) counts against the time at which
//! the manifest says it was published, and is for orderly change: a server goes on with the last snapshot that a key
//! has signed in its time, however long ago that was, even if it starts anew. Against a key that was stolen it is no
//! use; such a key is removed from the list.
//!
//! [`HighestSeen`]: super::HighestSeen

mod error;
mod key;
mod signatures;
#[cfg(test)]
mod tests;
mod trust;

pub use error::{KeyError, SignatureError};
pub use key::{KeyId, SigningKey};
pub use signatures::Signatures;
pub use trust::{TrustedKeyFile, TrustedKeyInfo, TrustedKeys};

pub(super) use signatures::{FILE_MAX, SIGNATURES_MAX};
