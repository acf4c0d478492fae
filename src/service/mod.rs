//! gRPC in and out.
