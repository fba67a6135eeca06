//! A relay in front of a server, which counts the requests of one kind that come through it.

use crate::steps::Stop;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Listens for others, until it is dropped.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    seen: Arc<AtomicU64>,
    listening: JoinHandle<()>,
}

impl Relay {
    /// Passes on what comes to a free port to the server at `to`, and counts how often `start`, the
    /// beginning of a request, goes there.
    pub(crate) async fn open(to: SocketAddr, start: &'static str) -> Result<Self, Stop> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&seen);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, to, start, Arc::clone(&counter)));
            }
        });
        Ok(Self {
            address,
            seen,
            listening,
        })
    }

    /// Returns how many there were.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn pass(
    client: TcpStream,
    to: SocketAddr,
    start: &'static str,
    seen: Arc<AtomicU64>,
) -> io::Result<()> {
    let server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    // What may still become the beginning of a request is looked at again with what follows.
    let (mut chunk, mut looked_at) = (vec![0; 8192], Vec::new());
    loop {
        let len = from_client.read(&mut chunk).await?;
        let some = chunk.get(..len).unwrap_or_default();
        if some.is_empty() {
            break;
        }
        looked_at.extend_from_slice(some);
        let found = looked_at.windows(start.len());
        let found = found.filter(|window| *window == start.as_bytes()).count();
        seen.fetch_add(u64::try_from(found).unwrap_or(0), Ordering::SeqCst);
        let over = looked_at.len().saturating_sub(start.len() - 1);
        looked_at.drain(..over);
        to_server.write_all(some).await?;
    }
    to_server.shutdown().await?;
    let _whole = back.await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fake;
    use crate::bench::http::Connection;

    #[tokio::test]
    async fn a_relay_passes_everything_on_and_counts_one_kind_of_request() {
        let server = fake::serve(|request| {
            fake::answer(
                200,
                if request.starts_with("GET /a ") {
                    "a"
                } else {
                    "b"
                },
            )
        })
        .await;
        let relay = Relay::open(server, "GET /a ").await.unwrap();
        let mut connection = Connection::open(relay.address).await.unwrap();
        for (path, body) in [("/a", "a"), ("/b", "b"), ("/a", "a")] {
            let request = format!("GET {path} HTTP/1.1\r\n\r\n");
            let answer = connection.exchange(request.as_bytes()).await.unwrap();
            assert_eq!(answer.body, body.as_bytes());
        }
        assert_eq!(relay.seen(), 2);
    }

    #[tokio::test]
    async fn a_request_that_comes_in_pieces_counts_once() {
        let server = fake::serve(|_| fake::answer(200, "")).await;
        let relay = Relay::open(server, "GET /a ").await.unwrap();
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for piece in ["GE", "T /a", " HTTP/1.1\r\n", "\r\n"] {
            stream.write_all(piece.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut answer = [0; 8];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!((&answer, relay.seen()), (b"HTTP/1.1", 1));
    }
}
