//! The client side of HTTP/1.1, as little of it as measuring needs: one request at a time on a
//! connection that is kept, answers with a `Content-Length` (RFC 9112 §6).

use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest head of an answer, in bytes.
const HEAD_LEN_MAX: usize = 16 * 1024;

/// A connection that is kept open.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The server said that it closes: the next request needs a connection of its own.
    closing: bool,
}

/// What came back.
pub(crate) struct Answer<'b> {
    pub(crate) status: u16,
    pub(crate) head: &'b str,
    pub(crate) body: &'b [u8],
}

impl Answer<'_> {
    /// Returns every value of a header.
    pub(crate) fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        values(self.head, name)
    }

    /// Returns the body as JSON.
    pub(crate) fn json(&self) -> io::Result<serde_json::Value> {
        serde_json::from_slice(self.body).map_err(io::Error::other)
    }
}

impl Connection {
    /// Opens a connection.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            address,
            stream,
            buffer: Vec::with_capacity(4096),
            closing: false,
        })
    }

    /// Sends a request and waits for the whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        if self.closing {
            *self = Self::open(self.address).await?;
        }
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let head = loop {
            if let Some(head) = Head::read(&self.buffer)? {
                break head;
            }
            self.fill().await?;
        };
        let end = head.len + head.body_len;
        while self.buffer.len() < end {
            self.fill().await?;
        }
        self.closing = head.closes;
        let (Some(text), Some(body)) =
            (self.buffer.get(..head.len), self.buffer.get(head.len..end))
        else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let head_text = std::str::from_utf8(text).map_err(io::Error::other)?;
        Ok(Answer {
            status: head.status,
            head: head_text,
            body,
        })
    }

    async fn fill(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "closed before the answer",
            )),
            _ => Ok(()),
        }
    }
}

/// What a head says about the answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    len: usize,
    body_len: usize,
    closes: bool,
}

impl Head {
    /// Reads a head, unless it is not there yet.
    fn read(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            let fits = bytes.len() <= HEAD_LEN_MAX;
            return if fits {
                Ok(None)
            } else {
                Err(unreadable("a head without an end"))
            };
        };
        let text = bytes.get(..end).unwrap_or_default();
        let text = std::str::from_utf8(text).map_err(|_| unreadable("a head that is not text"))?;
        let status = text
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok());
        let status: u16 = status.ok_or_else(|| unreadable("a status line of its own kind"))?;
        let stated = values(text, "content-length")
            .next()
            .and_then(|value| value.parse().ok());
        let body_len = match (status, stated) {
            // RFC 9112 §6.3: these never have a body.
            (100..=199 | 204 | 304, _) => 0,
            (_, Some(len)) => len,
            (_, None) => return Err(unreadable("an answer without Content-Length")),
        };
        let closes = values(text, "connection").any(|value| value.eq_ignore_ascii_case("close"));
        Ok(Some(Self {
            status,
            len: end + 4,
            body_len,
            closes,
        }))
    }
}

fn values<'h>(head: &'h str, name: &str) -> impl Iterator<Item = &'h str> {
    let fields = head
        .split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'));
    fields
        .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

fn unreadable(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fake;

    #[test]
    fn a_head_is_read_when_all_of_it_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
        for end in 0..44 {
            assert_eq!(Head::read(&answer[..end]).unwrap(), None, "{end}");
        }
        let head = Head::read(answer).unwrap().unwrap();
        assert_eq!(
            head,
            Head {
                status: 200,
                len: 44,
                body_len: 5,
                closes: false
            }
        );
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        for bad in [
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
            "HTTP/1.1 abc\r\ncontent-length: 1\r\n\r\n",
            "HTTP/2 200\r\ncontent-length: 1\r\n\r\n",
            &"x".repeat(HEAD_LEN_MAX + 1),
        ] {
            assert!(Head::read(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn an_answer_may_come_in_pieces_and_may_close_the_connection() {
        let pieces = [
            "HTTP/1.1 2",
            "00 OK\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Le",
            "ngth: 2\r\nconnection: close\r\n\r\n{",
            "}",
        ];
        let address = fake::serve(move |_| pieces.map(String::from).to_vec()).await;
        let mut connection = Connection::open(address).await.unwrap();
        for _ in 0..2 {
            let answer = connection
                .exchange(b"GET / HTTP/1.1\r\n\r\n")
                .await
                .unwrap();
            assert_eq!(answer.status, 200);
            assert_eq!(
                answer.header("Set-Cookie").collect::<Vec<_>>(),
                ["a=1", "b=2"]
            );
            assert_eq!(answer.json().unwrap(), serde_json::json!({}));
        }
    }

    #[tokio::test]
    async fn a_connection_that_ends_early_is_a_fault() {
        let address = fake::serve(|_| {
            vec!["HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nhalf".into()]
        })
        .await;
        let mut connection = Connection::open(address).await.unwrap();
        let fault = connection
            .exchange(b"GET / HTTP/1.1\r\n\r\n")
            .await
            .err()
            .unwrap();
        assert_eq!(fault.kind(), io::ErrorKind::UnexpectedEof);
    }
}
