//! Watches the bytes of a connection for ambiguous framing.
//!
//! hyper forgives what a proxy in front of it may read otherwise: `Content-Length` beside
//! `Transfer-Encoding`, two `Content-Length` lines, bare line feeds (RFC 9112 §6.3, §2.2), and it
//! hides them from whoever sees the parsed request. Two parsers that disagree about where a
//! request ends are request smuggling, so such a connection is marked here, where the bytes pass,
//! and ended after one refusal.

use memchr::memchr;

/// Where in the stream of requests a connection is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Between two requests.
    Between,
    /// In a request's head.
    Head,
    /// In a body of known length.
    Body {
        /// How many bytes are missing.
        left: u64,
    },
    /// Behind a head after which the next one cannot be told apart: the connection ends with
    /// this request.
    Opaque,
    /// Behind a head that asks for another protocol.
    Upgrade,
}

/// A watcher over the bytes a client sends.
#[derive(Debug)]
pub(super) struct Framing {
    place: Place,
    heads: u64,
    ambiguous: bool,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    seen: Seen,
}

/// What the head at hand has said so far.
#[derive(Debug, Default)]
struct Seen {
    request_line: bool,
    content_length: Option<u64>,
    transfer_encoding: bool,
    upgrade: bool,
}

impl Framing {
    /// Returns a watcher for a fresh connection.
    pub(super) const fn new() -> Self {
        let seen = Seen {
            request_line: false,
            content_length: None,
            transfer_encoding: false,
            upgrade: false,
        };
        Self {
            place: Place::Between,
            heads: 0,
            ambiguous: false,
            line: Vec::new(),
            seen,
        }
    }

    /// Tells where the connection is.
    pub(super) const fn place(&self) -> Place {
        self.place
    }

    /// Returns how many heads have ended: tells one request from the next.
    pub(super) const fn heads(&self) -> u64 {
        self.heads
    }

    /// Tells whether something was sent that two parsers may read in two ways.
    pub(super) const fn is_ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// Takes in the next bytes of the connection.
    pub(super) fn watch(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.place {
                Place::Between | Place::Head => self.watch_head(bytes),
                Place::Body { left } => self.watch_body(bytes, left),
                Place::Opaque | Place::Upgrade => &[],
            };
        }
    }

    /// Takes in bytes of a head, and returns those behind it.
    fn watch_head<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(end + 1).unwrap_or((rest, &[]));
            rest = after;
            if self.line.is_empty() {
                self.take_line(line);
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.take_line(&whole);
            }
            if self.place != Place::Head {
                return rest;
            }
        }
        // hyper's limit for a head ends the connection long before this grows.
        self.line.extend_from_slice(rest);
        self.place = Place::Head;
        &[]
    }

    fn watch_body<'b>(&mut self, bytes: &'b [u8], left: u64) -> &'b [u8] {
        let here = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if here < left {
            self.place = Place::Body { left: left - here };
            return &[];
        }
        self.place = Place::Between;
        usize::try_from(left)
            .ok()
            .and_then(|left| bytes.get(left..))
            .unwrap_or(&[])
    }

    /// Takes in one line of a head, its line feed included.
    fn take_line(&mut self, line: &[u8]) {
        let Some(text) = line.strip_suffix(b"\r\n") else {
            // RFC 9112 §2.2 lets a recipient take a bare LF for a line end; not all do.
            return self.give_up();
        };
        match text.first() {
            // RFC 9112 §2.2: an empty line in front of a request line is skipped.
            None if !self.seen.request_line => self.place = Place::Between,
            None => self.end_head(),
            Some(first) => {
                self.place = Place::Head;
                self.seen.request_line = true;
                // Only three field names matter; most lines are told by their first letter.
                match first | 0x20 {
                    b'c' => self.take_content_length(text),
                    b't' => {
                        self.seen.transfer_encoding |= field(text, "transfer-encoding:").is_some();
                    }
                    b'u' => self.seen.upgrade |= field(text, "upgrade:").is_some(),
                    _ => {}
                }
            }
        }
    }

    fn take_content_length(&mut self, text: &[u8]) {
        let Some(value) = field(text, "content-length:") else {
            return;
        };
        let number = decimal(value.trim_ascii());
        if number.is_none() || self.seen.content_length.is_some() {
            return self.give_up();
        }
        self.seen.content_length = number;
    }

    fn end_head(&mut self) {
        let seen = std::mem::take(&mut self.seen);
        self.heads += 1;
        self.place = match (seen.transfer_encoding, seen.content_length) {
            // RFC 9112 §6.3: "ought to be handled as an error".
            (true, Some(_)) => return self.give_up(),
            (true, None) => Place::Opaque,
            (false, Some(left)) if left > 0 => Place::Body { left },
            (false, _) if seen.upgrade => Place::Upgrade,
            (false, _) => Place::Between,
        };
    }

    fn give_up(&mut self) {
        self.ambiguous = true;
        self.place = Place::Opaque;
    }
}

/// Returns the value of `text` if its field name, colon included, is `name`.
fn field<'t>(text: &'t [u8], name: &str) -> Option<&'t [u8]> {
    let (start, value) = text.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
}

/// Reads 1*DIGIT (RFC 9110 §8.6), no sign, no list.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + u64::from(digit - b'0')),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Watches `bytes` cut at every place, so that no verdict hangs on how packets fall.
    fn verdict(bytes: &str) -> (Place, bool, u64) {
        let bytes = bytes.as_bytes();
        let mut whole = Framing::new();
        whole.watch(bytes);
        let expected = (whole.place(), whole.is_ambiguous(), whole.heads());
        for cut in 0..=bytes.len() {
            let mut framing = Framing::new();
            framing.watch(&bytes[..cut]);
            framing.watch(&bytes[cut..]);
            assert_eq!(
                (framing.place(), framing.is_ambiguous(), framing.heads()),
                expected,
                "{cut}"
            );
        }
        let mut single = Framing::new();
        bytes.chunks(1).for_each(|byte| single.watch(byte));
        assert_eq!(
            (single.place(), single.is_ambiguous(), single.heads()),
            expected,
            "byte by byte"
        );
        expected
    }

    #[test]
    fn requests_are_followed_over_heads_and_bodies() {
        let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345";
        assert_eq!(verdict(get), (Place::Between, false, 1));
        assert_eq!(verdict(post), (Place::Between, false, 1));
        assert_eq!(
            verdict(&format!("{get}{post}{get}")),
            (Place::Between, false, 3)
        );
        assert_eq!(verdict(&format!("\r\n{get}")), (Place::Between, false, 1));
        assert_eq!(
            verdict(&post[..post.len() - 2]),
            (Place::Body { left: 2 }, false, 1)
        );
        assert_eq!(verdict(&format!("{get}GET / HT")), (Place::Head, false, 1));
    }

    #[test]
    fn a_body_that_looks_like_a_head_is_a_body() {
        let smuggled = "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let request = format!(
            "POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{smuggled}",
            smuggled.len()
        );
        assert_eq!(verdict(&request), (Place::Between, false, 1));
    }

    #[test]
    fn ht_05_ambiguous_framing_is_marked() {
        for fields in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "tRANSFER-eNCODING: chunked\r\ncONTENT-lENGTH:5",
            "Content-Length: 5\r\nContent-Length: 5",
            "Content-Length: 5\r\nContent-Length: 6",
            "Content-Length: 5, 5",
            "Content-Length: +5",
            "Content-Length: -5",
            "Content-Length: 0x5",
            "Content-Length:",
            "Content-Length: 9999999999999999999999",
            "Host: a\nX: b",
        ] {
            let request = format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n");
            assert!(verdict(&request).1, "{fields}");
        }
    }

    #[test]
    fn what_cannot_be_followed_is_opaque_and_not_ambiguous() {
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET";
        assert_eq!(verdict(chunked), (Place::Opaque, false, 1));
        let upgrade = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\n\n\n";
        assert_eq!(verdict(upgrade), (Place::Upgrade, false, 1));
        let both = "POST / HTTP/1.1\r\nUpgrade: x\r\nContent-Length: 9\r\n\r\n";
        assert_eq!(verdict(both), (Place::Body { left: 9 }, false, 1));
    }
}
