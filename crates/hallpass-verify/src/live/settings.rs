//! What can be set about long-lived connections.

use std::time::Duration;

/// Settings of a [`LiveLayer`](super::LiveLayer).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LiveSettings {
    /// How long before its token expires a client is told to renew. Default 60 s: time enough for a
    /// refresh on a slow network, and short beside a token of 15 minutes.
    pub notice: Duration,
    /// The longest WebSocket message of a client, in bytes. Default 65,536. A renewal brings an
    /// access token, so leave room for one.
    pub message_len_max: usize,
    /// How often a quiet connection gets a sign of life, at least 1 s. Default 15 s: proxies close
    /// what says nothing for a minute.
    pub heartbeat: Duration,
    /// How many renewals in a row may be refused before a WebSocket is closed. Default 5: each
    /// costs a signature check, or a question to the issuer.
    pub refused_renewals_max: u8,
    /// How many connections there may be at once in this process. Default 10,000: a
    /// WebSocket that is silent holds about 18 kB. One more is answered 503 `overloaded`.
    pub connections_max: usize,
    /// How many connections one user may have at once. Default 100: more than anybody has tabs and
    /// devices. One more is answered 429 `rate_limited`.
    pub connections_of_user_max: usize,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            notice: Duration::from_mins(1),
            message_len_max: 65_536,
            heartbeat: Duration::from_secs(15),
            refused_renewals_max: 5,
            connections_max: 10_000,
            connections_of_user_max: 100,
        }
    }
}
