//! An echo by `pajamax`: synchronous, with an HTTP/2 of its own, a thread for each connection; no TLS, no deadlines, no
//! streams, no answer to pings. How far a gRPC server can go.

use crate::Result;
use bytes::{Buf, BufMut};
use pajamax::error::Error;
use pajamax::status::{Code, Status};
use pajamax::{Config, PajamaxService, local_build_response};
use prost_of_pajamax::encoding::{DecodeContext, WireType, skip_field};
use prost_of_pajamax::{DecodeError, Message};
use sltd::proto::{CheckDocumentRequest, CheckDocumentResponse};
use std::net::SocketAddr;

/// Serves until it is killed.
///
/// # Errors
/// When it can't listen.
pub(super) fn serve(answer: CheckDocumentResponse, address: SocketAddr) -> Result<()> {
    Ok(Config::new().add_service(Echo(answer)).serve(address)?)
}

struct Echo(CheckDocumentResponse);

/// What `pajamax-build` would write, had it been given our contract: it generates messages of its own, while these are
/// the ones that all others send and decode.
impl PajamaxService for Echo {
    fn route(&self, path: &[u8]) -> Option<usize> {
        (path == b"/sltd.v1.LookupService/CheckDocument").then_some(0)
    }

    fn handle(&self, _: usize, request: &[u8], stream: u32) -> std::result::Result<(), Error> {
        let decoded: std::result::Result<CheckDocumentRequest, _> = prost::Message::decode(request);
        let reply = match decoded {
            Ok(_) => Ok(Reply(self.0.clone())),
            Err(error) => Err(Status {
                code: Code::InvalidArgument,
                message: error.to_string(),
            }),
        };
        local_build_response(stream, reply)
    }

    fn is_dispatch_mode(&self) -> bool {
        false
    }
}

/// Our message for the prost that `pajamax` knows.
#[derive(Debug, Default)]
struct Reply(CheckDocumentResponse);

impl Message for Reply {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        prost::Message::encode_raw(&self.0, buffer);
    }

    fn encoded_len(&self) -> usize {
        prost::Message::encoded_len(&self.0)
    }

    // Replies are not decoded.
    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> std::result::Result<(), DecodeError> {
        skip_field(wire_type, tag, buffer, context)
    }

    fn clear(&mut self) {
        prost::Message::clear(&mut self.0);
    }
}
