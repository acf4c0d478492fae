//! tonic on runtimes: on its usual one of several threads, and on a single-threaded one a core, as ours.

use crate::Result;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// Serves on one runtime of several threads, for ever.
///
/// # Errors
/// When it can't listen.
pub(super) fn serve_on_one(routes: Routes, address: SocketAddr, threads: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let incoming = TcpIncoming::bind(address)?.with_nodelay(Some(true));
        let server = Server::builder().add_routes(routes);
        Ok(server.serve_with_incoming(incoming).await?)
    })
}

/// Hands connections to single-threaded runtimes in turn, for ever. `routes` is called on each of them.
///
/// # Errors
/// When a thread can't be started, or no connection taken.
pub(super) fn serve_on_each(
    routes: impl AsyncFn() -> Result<Routes> + Clone + Send + 'static,
    listener: &TcpListener,
    threads: usize,
) -> Result<()> {
    let mut hands = Vec::with_capacity(threads);
    for _ in 0..threads {
        let (hand, taken) = tokio::sync::mpsc::unbounded_channel::<std::net::TcpStream>();
        hands.push(hand);
        let routes = routes.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::spawn(move || {
            runtime
                .block_on(async {
                    let incoming =
                        UnboundedReceiverStream::new(taken).map(tokio::net::TcpStream::from_std);
                    let server = Server::builder().add_routes(routes().await?);
                    server.serve_with_incoming(incoming).await?;
                    Result::Ok(())
                })
                .map_err(|error| eprintln!("a server's thread has ended: {error}"))
        });
    }
    for hand in hands.iter().cycle() {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        hand.send(stream)
            .map_err(|_| "a server's thread has ended")?;
    }
    Ok(())
}
