//! Lookup of lost, stolen, stolen blank, revoked and invalidated travel documents.
//!
//! Operators compile lists of reported documents into immutable, memory-mapped
//! segments; servers map the current snapshot and answer "is this document
//! reported?" over gRPC.

pub mod client;
pub mod document;
pub mod index;
pub mod memory;
pub mod proto;
pub mod report;
pub mod service;
pub mod snapshot;
