//! Compiles the contract in `proto/` and gRPC's health protocol without `protoc`, for server and
//! client, and keeps their descriptor set for gRPC reflection.

use prost::Message as _;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(
        [
            "sltd/v1/admin_service.proto",
            "sltd/v1/lookup_service.proto",
            "grpc/health/v1/health.proto",
        ],
        ["proto"],
    )?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    std::fs::write(out.join("sltd.v1.descriptors.bin"), files.encode_to_vec())?;
    tonic_prost_build::configure()
        // Chunks are packed so as not to be copied: their bytes stay in the received buffer.
        .bytes(".sltd.v1.StreamCheckDocumentsRequest")
        .bytes(".sltd.v1.StreamCheckDocumentsResponse")
        // What holds a document number has a `Debug` of its own, which hides it: src/proto/debug.rs.
        .skip_debug([
            ".sltd.v1.CheckDocumentRequest",
            ".sltd.v1.StreamCheckDocumentsRequest",
            ".sltd.v1.Document",
        ])
        .compile_fds(files)?;
    Ok(())
}
