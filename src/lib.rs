//! Lookup of lost, stolen, stolen blank, revoked and invalidated travel documents.
//!
//! Operators compile lists of reported documents into immutable, memory-mapped segments; servers
//! map the current snapshot and answer "is this document reported?" over gRPC. This library is
//! all of it but the reading of lists: document rules, index, snapshots, service and client.
//!
//! ```no_run
//! use sltd::document::{DocumentNumber, DocumentType, Issuer};
//! use sltd::report::{Query, Verdict};
//! use sltd::snapshot::{LoadOptions, Moment, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let snapshot = Store::open("var/store")?.load_current(&LoadOptions::default())?;
//! let number = DocumentNumber::normalise("c01x-00t47")?;
//! let query = Query::from_fields(number, Some(Issuer::parse("DEU")?), Some(DocumentType::Passport));
//! let answer = snapshot.check(&query, Moment::at(jiff::Timestamp::now()))?;
//! match answer.judgement.verdict {
//!     Verdict::Hit => println!("reported: {} time(s)", answer.judgement.matches.len()),
//!     verdict => println!("{verdict}: {:?}", answer.judgement.reasons),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it answers |
//! |---|---|
//! | [`document`] | What is a travel document? |
//! | [`report`] | What is reported of one, and what does a check conclude? |
//! | [`files`] | How are files made, replaced, removed and read? |
//! | [`index`] | One immutable segment: how is it built, verified and asked? |
//! | [`snapshot`] | Which segments are current, and what do they say of a document? |
//! | [`proto`] | What goes over the wire? |
//! | [`service`] | How does a call come in and an answer go out? |
//! | [`client`] | How does a program ask? |
//!
//! Each depends only on those above it. `ARCHITECTURE.md` has the invariants.

/// The Rust of the README, compiled with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod client;
pub mod document;
pub mod files;
pub mod index;
pub mod memory;
pub mod proto;
pub mod report;
pub mod service;
pub mod snapshot;
