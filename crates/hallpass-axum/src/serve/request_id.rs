//! A name for every request, to find its lines in the log.

use hallpass_core::{NoRandomness, Random};
use http::HeaderValue;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The name of one request: 16 hexadecimal digits, sent back as `X-Request-Id`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RequestId(u64);

impl RequestId {
    /// Returns the name of the request that this task is answering.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|id| *id).ok()
    }

    /// Answers a request under this name.
    pub(super) fn scope<F: Future>(self, answering: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, answering)
    }

    pub(super) fn header(self) -> HeaderValue {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let mut text = [b'0'; 16];
        for (place, shift) in text.iter_mut().zip((0..16_u32).rev()) {
            let digit = usize::try_from((self.0 >> (shift * 4)) & 0xf).unwrap_or_default();
            *place = DIGITS.get(digit).copied().unwrap_or(b'0');
        }
        HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("0"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Names requests: a random prefix for the process, then a counter.
#[derive(Debug)]
pub(super) struct RequestIds {
    prefix: u32,
    next: AtomicU32,
}

impl RequestIds {
    pub(super) fn new(random: &dyn Random) -> Result<Self, NoRandomness> {
        let mut prefix = [0; 4];
        random.fill(&mut prefix)?;
        Ok(Self {
            prefix: u32::from_be_bytes(prefix),
            next: AtomicU32::new(0),
        })
    }

    pub(super) fn next(&self) -> RequestId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        RequestId(u64::from(self.prefix) << 32 | u64::from(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_reads_the_same_in_the_header_and_in_the_log() {
        let ids = RequestIds {
            prefix: 0x00c0_ffee,
            next: AtomicU32::new(0xff),
        };
        let id = ids.next();
        assert_eq!(id.to_string(), "00c0ffee000000ff");
        assert_eq!(id.header(), "00c0ffee000000ff");
        assert_ne!(ids.next(), id);
    }
}
