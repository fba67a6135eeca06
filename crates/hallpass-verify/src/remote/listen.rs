//! The task that keeps a verifier told of what the issuer revokes.

use super::answer::Line;
use super::feed::{Entry, FeedFault};
use super::pace::{Pace, spread};
use super::sse::SseFault;
use super::state::{Feed, RevocationState};
use super::{poll, stream};
use crate::{Clock, Revoked, Timestamp, Verifier};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use url::Url;

/// After how many streams in a row that an overloaded issuer refused it is asked for pages.
const FAILURES_MAX: u32 = 2;

/// What is told to whom.
#[derive(Clone)]
pub(crate) struct Ears {
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) state: Arc<RevocationState>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Called when a key was withdrawn: the keys have to be fetched anew, however lately they
    /// were.
    pub(crate) key_withdrawn: Arc<dyn Fn() + Send + Sync>,
}

/// Keeps a verifier told of what the issuer revokes, for as long as [`run`](Self::run) runs.
pub(crate) struct Listener {
    pub(crate) line: Line,
    /// Where the issuer tells what it revoked, once that is known.
    pub(crate) endpoint: watch::Receiver<Option<Url>>,
    pub(crate) ears: Ears,
    pub(crate) pace: Pace,
}

/// How it ended with a stream or with asking again and again.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) why: End,
    /// For how long it had been complete.
    pub(super) lasted: Duration,
}

#[derive(Debug)]
pub(super) enum End {
    /// Its time was over.
    InTime,
    /// There is no stream here, or something on the way holds it back.
    NoStream,
    /// The credentials are not taken.
    Credentials,
    /// Anything else.
    Broken(Fault),
}

/// What was wrong with a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the issuer cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    #[error("expected status 200, got {0}")]
    Status(u16),
    #[error("expected an answer in time")]
    Late,
    #[error("the issuer has fallen silent")]
    Silent,
    #[error("the issuer has ended the stream")]
    Closed,
    #[error("the stream did not begin as agreed")]
    Order,
    #[error("expected a whole page of ordinary size and type")]
    Page,
    #[error(transparent)]
    Sse(#[from] SseFault),
    #[error(transparent)]
    Feed(#[from] FeedFault),
}

impl Ears {
    /// Has the verifier refuse what these entries name, until no token of it is unexpired.
    pub(super) fn learn(&self, entries: &[Entry], kept: Duration) {
        let now = self.now();
        // The issuer counts with its own leeway. Ours may be greater: then tokens are good here
        // for longer.
        let kept = kept + self.verifier.settings().leeway;
        for Entry { revoked, at } in entries {
            self.verifier.learn(revoked, *at, at.plus(kept));
            self.state.learned(*at, now);
        }
        let is_key = |entry: &Entry| matches!(entry.revoked, Revoked::Key(_));
        if entries.iter().any(is_key) {
            (self.key_withdrawn)();
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Forgets what has expired, again and again.
    async fn sweep(&self, every: Duration) {
        loop {
            let now = self.now();
            self.verifier.revocations().forget_expired(now);
            self.state.show(self.verifier.revocations(), now);
            sleep(every).await;
        }
    }
}

impl Listener {
    /// Listens until it is dropped.
    pub(crate) async fn run(mut self) {
        let ears = self.ears.clone();
        let every = self.pace.sweep;
        tokio::select! {
            () = self.listen() => {}
            () = ears.sweep(every) => {}
        }
    }

    async fn listen(&mut self) {
        let mut tries = Tries::default();
        while let Some(url) = self.endpoint().await {
            let ended = match tries.polls_until {
                Some(until) if Instant::now() < until => {
                    poll::follow(&self.line, &url, &self.ears, &self.pace, until).await
                }
                _ => {
                    tries.polls_until = None;
                    stream::follow(&self.line, &url, &self.ears, &self.pace).await
                }
            };
            self.ears.state.feeds(Feed::Down);
            sleep(tries.after(&ended, &self.pace, &self.ears.state)).await;
        }
    }

    async fn endpoint(&mut self) -> Option<Url> {
        let known = self.endpoint.wait_for(Option::is_some).await;
        known.ok()?.clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ears.state.feeds(Feed::Down);
    }
}

/// What came of the connections up to now.
#[derive(Default)]
struct Tries {
    /// Connections in a row that did not last.
    failures: u32,
    /// There is no stream: until then it is asked again and again.
    polls_until: Option<Instant>,
    /// The trouble that was logged, until it is over: each is logged once.
    told: Option<Trouble>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Credentials,
    Broken,
}

impl Tries {
    /// Returns how long to wait before the next connection.
    fn after(&mut self, ended: &Ended, pace: &Pace, state: &RevocationState) -> Duration {
        if !ended.lasted.is_zero() {
            self.told = None;
        }
        if ended.lasted >= pace.retry_max {
            self.failures = 0;
        }
        match &ended.why {
            End::InTime => Duration::ZERO,
            End::NoStream => {
                self.polls_until = Some(Instant::now() + spread(pace.stream_again));
                Duration::ZERO
            }
            End::Credentials => {
                if self.is_new(Trouble::Credentials) {
                    tracing::error!("the issuer does not know this service by its credentials");
                }
                state.reconnects();
                spread(pace.refused_retry)
            }
            End::Broken(fault) => {
                if self.is_new(Trouble::Broken) {
                    tracing::warn!(fault = chain(fault), "the issuer is not heard");
                }
                state.reconnects();
                self.failures = self.failures.saturating_add(1);
                if self.failures >= FAILURES_MAX && matches!(fault, Fault::Status(429 | 503)) {
                    // Too many streams for the issuer: questions may still be answered.
                    self.polls_until
                        .get_or_insert_with(|| Instant::now() + spread(pace.stream_again));
                }
                spread(pace.retry(self.failures))
            }
        }
    }

    /// Tells whether this trouble is to be logged, and keeps it in mind.
    fn is_new(&mut self, trouble: Trouble) -> bool {
        self.told.replace(trouble) != Some(trouble)
    }
}

/// Returns a fault and what it came from.
fn chain(fault: &Fault) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests;
