//! What one connection may cost.

use std::time::Duration;

/// What one connection may cost: every limit has a number and a unit.
///
/// One more is hyper's own: a request has at most 100 header lines, 431 beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a request's head may take from its first byte to its last. 10 s: a browser sends
    /// it in one packet, a slow-header attack (Slowloris) sends a byte now and then.
    pub head: Duration,
    /// How long a request's body may take as a whole, however many bytes trickle in. 10 s.
    pub body: Duration,
    /// How long a connection may be silent between two requests, at least; it is ended before
    /// twice as long. 60 s.
    pub idle: Duration,
    /// How long a client may take no byte of an answer. 30 s.
    pub write: Duration,
    /// How long requests in flight may take to finish once the listener stops. 10 s.
    pub drain: Duration,
    /// The longest request head in bytes. 16 KiB, what common proxies let through; 8,192 at least.
    pub head_len_max: usize,
    /// The longest request target in bytes. 8 KiB.
    pub target_len_max: usize,
    /// The longest request body in bytes. 64 KiB: the largest body of our routes is a password of
    /// 1,024 bytes, escaped.
    pub body_len_max: u64,
    /// The most connections at a time. 10,000; the next ones wait in the kernel's queue.
    pub connections_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            write: Duration::from_secs(30),
            drain: Duration::from_secs(10),
            head_len_max: 16 * 1024,
            target_len_max: 8 * 1024,
            body_len_max: 64 * 1024,
            connections_max: 10_000,
        }
    }
}
