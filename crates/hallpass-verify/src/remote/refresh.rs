//! The task that keeps the keys fresh, and those who wait for it.

use super::decide::{Answer, Dropped, Jitter, Outcome, Pace, Plan, Reason};
use super::disk::KeyFile;
use super::fetch::{FetchFault, Fetched, Fetcher};
use crate::{BoxFuture, Clock, KeySet, Keys, Timestamp};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How long a request waits for keys.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// What is known of the keys of the issuer.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct KeysStatus {
    /// How many keys are in force.
    pub keys: usize,
    /// When they were last known to be the issuer's.
    pub fetched_at: Option<Timestamp>,
    /// How often they were fetched, well or not.
    pub fetches: u64,
    /// How often that brought nothing.
    pub failures: u64,
    /// Why the last fetch brought nothing, in a word; `None` when it did bring them.
    pub fault: Option<&'static str>,
}

#[derive(Clone, Copy, Default, Debug)]
struct Counts {
    fetches: u64,
    failures: u64,
    fault: Option<&'static str>,
}

/// Keeps the keys of one issuer fresh.
#[derive(Debug)]
pub(super) struct Refresher {
    issuer: String,
    keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    file: Option<KeyFile>,
    plan: Mutex<Plan>,
    wake: Notify,
    /// The file may hold a key that was withdrawn since.
    file_is_behind: AtomicBool,
    /// What was fetched, counted up after each fetch.
    ended: watch::Sender<Counts>,
    tick: Duration,
}

impl Refresher {
    /// Takes whose keys to keep fresh, and reads those in the file, if there is one.
    pub(super) fn new(
        issuer: &str,
        keys: Arc<Keys>,
        clock: Arc<dyn Clock>,
        file: Option<KeyFile>,
        pace: Pace,
    ) -> Self {
        let now = clock.now();
        let good = file.as_ref().and_then(|file| from_file(file, issuer));
        // After the clock was set back a file can come from the future.
        let good = good.map(|(set, at)| (set, at.min(now)));
        let good = good.filter(|(_, at)| now.since(*at) <= pace.stale_max);
        let fetched_at = good.as_ref().map(|(_, at)| *at);
        if let Some((set, _)) = good {
            keys.replace(set);
        }
        Self {
            issuer: issuer.to_owned(),
            keys,
            clock,
            file,
            plan: Mutex::new(Plan::new(pace, fetched_at)),
            wake: Notify::new(),
            file_is_behind: AtomicBool::new(false),
            ended: watch::Sender::new(Counts::default()),
            tick: pace.tick,
        }
    }

    /// Wishes for keys; returns what ends with the fetch, or after two seconds.
    pub(super) fn keys_wanted(&self) -> Option<BoxFuture<'static, ()>> {
        // Before the look at the plan: so no end of a fetch goes by unseen.
        let mut ended = self.ended.subscribe();
        match self.plan().wish(self.clock.now()) {
            Answer::No => return None,
            Answer::Joins => {}
            Answer::Begins => self.wake.notify_one(),
        }
        Some(Box::pin(async move {
            // Both ends mean the same here: decide again with what there is.
            let _ = tokio::time::timeout(WAIT_MAX, ended.changed()).await;
        }))
    }

    /// Fetches the keys, because the issuer told that it withdrew one. It is not in force any more.
    pub(super) fn withdrawn(&self) {
        self.plan().withdrawn();
        self.file_is_behind.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Returns when the first fetch is over, or at once when keys are known.
    pub(super) async fn ready(&self) {
        if self.keys.current().is_empty() {
            // The sender is ours: it cannot be gone.
            let _ = self
                .ended
                .subscribe()
                .wait_for(|counts| counts.fetches > 0)
                .await;
        }
    }

    pub(super) fn status(&self) -> KeysStatus {
        let counts = *self.ended.borrow();
        KeysStatus {
            keys: self.keys.current().len(),
            fetched_at: self.plan().good_at(),
            fetches: counts.fetches,
            failures: counts.failures,
            fault: counts.fault,
        }
    }

    /// Fetches when it is time, for ever.
    pub(super) async fn run(self: Arc<Self>, mut fetcher: Fetcher) {
        loop {
            self.drop_what_is_over(&mut fetcher);
            // The file must not bring a key back, even if the issuer is down from now on.
            if self.file_is_behind.swap(false, Ordering::AcqRel) {
                self.write_file().await;
            }
            let begun = self.plan().begin(self.clock.now());
            if let Some(reason) = begun {
                self.fetch(reason, &mut fetcher).await;
                continue;
            }
            let quiet = self.plan().quiet(self.clock.now()).min(self.tick);
            // A wish ends the sleep; so does the time.
            let _ = tokio::time::timeout(quiet, self.wake.notified()).await;
        }
    }

    async fn fetch(&self, reason: Reason, fetcher: &mut Fetcher) {
        let brought = fetcher.fetch(reason, self.clock.now()).await;
        let now = self.clock.now();
        let jitter = Jitter(fraction());
        let fault = match brought {
            Ok(Fetched { set, fresh }) => {
                let outcome = if set.is_some_and(|set| self.replace(set)) {
                    "changed"
                } else {
                    "unchanged"
                };
                count(outcome);
                self.plan().end(Outcome::Good(fresh), now, jitter);
                self.write_file().await;
                None
            }
            Err(fault) => {
                warn(&fault, reason);
                count(fault.outcome());
                self.plan().end(Outcome::Failed, now, jitter);
                Some(fault.outcome())
            }
        };
        self.ended.send_modify(|counts| {
            counts.fetches += 1;
            counts.failures += u64::from(fault.is_some());
            counts.fault = fault;
        });
    }

    /// Puts a set in force; tells whether it is another one. The same again is left alone: to
    /// replace it would forget all tokens that were verified.
    fn replace(&self, set: KeySet) -> bool {
        let before = self.keys.current().to_jwks();
        let same = before == set.to_jwks();
        if !same {
            self.keys.replace(set);
        }
        let changed = !same && before != self.keys.current().to_jwks();
        if changed {
            tracing::info!(
                keys = self.keys.current().len(),
                "the issuer's keys have changed"
            );
        }
        changed
    }

    fn drop_what_is_over(&self, fetcher: &mut Fetcher) {
        let now = self.clock.now();
        let dropped = self.plan().drop_what_is_over(now);
        if dropped == Dropped::Yes {
            tracing::error!("the issuer's keys were not confirmed for too long: none are in force");
            self.keys.replace(KeySet::default());
            fetcher.forget();
        }
        if let Some(at) = self.plan().good_at() {
            metrics::gauge!("hallpass_verifier_keys_age_seconds").set(now.since(at).as_secs_f64());
        }
    }

    /// Writes the set in force, which is without the keys that were withdrawn.
    async fn write_file(&self) {
        let (Some(file), Some(at)) = (self.file.clone(), self.plan().good_at()) else {
            return;
        };
        let (issuer, set) = (self.issuer.clone(), self.keys.current());
        let written = tokio::task::spawn_blocking(move || {
            let written = file.write(&issuer, &set, at);
            written.map_err(|fault| (file, fault))
        });
        if let Ok(Err((file, fault))) = written.await {
            let path = file.path().display();
            tracing::warn!(error = %fault, %path, "the issuer's keys were not written to the file");
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn from_file(file: &KeyFile, issuer: &str) -> Option<(KeySet, Timestamp)> {
    match file.read(issuer) {
        Ok(kept) => kept.map(|kept| (kept.set, kept.fetched_at)),
        Err(fault) => {
            let path = file.path().display();
            tracing::warn!(error = %fault, %path, "the keys in the file are not used");
            None
        }
    }
}

fn warn(fault: &FetchFault, reason: Reason) {
    let source = std::error::Error::source(fault).map(ToString::to_string);
    tracing::warn!(error = %fault, source, ?reason, "the issuer's keys were not fetched");
}

fn count(outcome: &'static str) {
    metrics::counter!("hallpass_verifier_key_fetches_total", "outcome" => outcome).increment(1);
}

/// Returns a number from 0 to 1. Each state of the standard hasher has other keys: enough to part
/// a crowd.
fn fraction() -> f64 {
    let number = RandomState::new().hash_one(()) >> 32;
    f64::from(u32::try_from(number).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}
