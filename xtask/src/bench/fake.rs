//! A server for the tests of the load generator.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Serves on a free port: each request, as text, is answered by the pieces that `answer` returns.
/// A piece that says `connection: close` ends the connection after the answer.
pub(crate) async fn serve<A>(answer: A) -> SocketAddr
where
    A: Fn(&str) -> Vec<String> + Clone + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_all(stream, answer.clone()));
        }
    });
    address
}

async fn answer_all(mut stream: TcpStream, answer: impl Fn(&str) -> Vec<String> + Send) {
    let mut buffer = Vec::new();
    while let Ok(1..) = stream.read_buf(&mut buffer).await {
        let text = String::from_utf8(buffer.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let len = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if body.len() < len.map_or(0, |len| len.parse().unwrap()) {
            continue;
        }
        buffer.clear();
        let pieces = answer(&text);
        for piece in &pieces {
            stream.write_all(piece.as_bytes()).await.unwrap();
            // The other side reads what is there before the next piece comes.
            tokio::task::yield_now().await;
        }
        if pieces
            .iter()
            .any(|piece| piece.contains("connection: close"))
        {
            return;
        }
    }
}

/// Returns an answer with a body.
pub(crate) fn answer(status: u16, body: &str) -> Vec<String> {
    vec![format!(
        "HTTP/1.1 {status} Fine\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )]
}
