//! The contract on the wire, generated from `proto/sltd/v1/`.
//!
//! Wire types live at the edge: [`service`](crate::service) and [`client`](crate::client) convert
//! between them and the types of the inner rooms, which know nothing of gRPC. The meaning and unit
//! of every field is told in the `.proto` files, from which the documentation here comes.

mod generated {
    #![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated code")]
    tonic::include_proto!("sltd.v1");
}

mod debug;

pub use generated::*;

/// gRPC's health protocol, generated from `proto/grpc`.
pub mod health {
    #![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated code")]
    tonic::include_proto!("grpc.health.v1");
}

/// The descriptor set of the contract and of the health protocol, as gRPC reflection serves it.
pub const DESCRIPTORS: &[u8] = tonic::include_file_descriptor_set!("sltd.v1.descriptors");
