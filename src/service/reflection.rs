//! `grpc.reflection`: the contract, for tools that have no `.proto` files.
//!
//! The crate that answers ends the whole call with NOT_FOUND where a symbol is not known. The protocol
//! wants an answer in its place in the stream, so that a tool may ask on: each question is handed to the
//! crate as a call of its own, and what that ends with becomes the answer.

use super::dispatch::QUESTION_BYTES_MAX;
use super::errors::{CallError, of_received};
use super::health::Health;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

fn refused(status: Status) -> Status {
    of_received(status, QUESTION_BYTES_MAX)
}

/// Answers to questions for as long as the server runs.
struct UntilEnd<S> {
    answers: Option<Pin<Box<S>>>,
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<T, S: Stream<Item = Result<T, Status>>> Stream for UntilEnd<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = &mut *self;
        let Some(answers) = &mut this.answers else {
            return Poll::Ready(None);
        };
        let next = answers.as_mut().poll_next(cx);
        if next.is_pending() && this.ended.as_mut().poll(cx).is_ready() {
            this.answers = None;
            return Poll::Ready(Some(Err(CallError::Ending.into())));
        }
        next
    }
}

/// One version of the protocol; the messages of both have the same fields.
macro_rules! version {
    ($version:ident) => {
        pub(super) mod $version {
            use super::*;
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            use tonic_reflection::pb::$version::server_reflection_server::{
                ServerReflection, ServerReflectionServer,
            };
            use tonic_reflection::pb::$version::{
                ErrorResponse, ServerReflectionRequest, ServerReflectionResponse,
            };

            /// Answers every question in its place, from a service that may end with an error.
            pub(in super::super) struct Reflection<S> {
                inner: ServerReflectionServer<S>,
                health: Health,
            }

            impl<S: ServerReflection> Reflection<S> {
                /// Wraps the crate's service. Streams end with the server.
                pub(in super::super) fn new(
                    inner: ServerReflectionServer<S>,
                    health: &Health,
                ) -> ServerReflectionServer<Self> {
                    let health = health.clone();
                    ServerReflectionServer::new(Self { inner, health })
                        .max_decoding_message_size(QUESTION_BYTES_MAX)
                }
            }

            #[tonic::async_trait]
            impl<S: ServerReflection> ServerReflection for Reflection<S> {
                type ServerReflectionInfoStream =
                    Pin<Box<dyn Stream<Item = Result<ServerReflectionResponse, Status>> + Send>>;

                async fn server_reflection_info(
                    &self,
                    request: Request<Streaming<ServerReflectionRequest>>,
                ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
                    let (inner, health) = (self.inner.clone(), self.health.clone());
                    let answers = request.into_inner().then(move |question| {
                        let inner = ServerReflectionClient::new(inner.clone());
                        async move { Ok(answer(inner, question.map_err(refused)?).await) }
                    });
                    Ok(Response::new(Box::pin(UntilEnd {
                        answers: Some(Box::pin(answers)),
                        ended: Box::pin(async move { health.ended().await }),
                    })))
                }
            }

            async fn answer<S: ServerReflection>(
                mut inner: ServerReflectionClient<ServerReflectionServer<S>>,
                question: ServerReflectionRequest,
            ) -> ServerReflectionResponse {
                let asked = tokio_stream::iter([question.clone()]);
                let answer = match inner.server_reflection_info(asked).await {
                    Ok(answers) => answers.into_inner().message().await,
                    Err(status) => Err(status),
                };
                let status = match answer {
                    Ok(Some(answer)) => return answer,
                    Ok(None) => Status::internal("no answer"),
                    Err(status) => status,
                };
                ServerReflectionResponse {
                    valid_host: question.host.clone(),
                    original_request: Some(question),
                    message_response: Some(MessageResponse::ErrorResponse(ErrorResponse {
                        error_code: status.code().into(),
                        error_message: status.message().to_owned(),
                    })),
                }
            }
        }
    };
}

version!(v1);
// Older tools ask for this one only.
version!(v1alpha);
