//! What has to happen now and then.

use crate::mount::Mount;
use hallpass_core::key::KeySettings;
use hallpass_core::{Error, Hallpass};
use hallpass_verify::Gate;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep};

/// How often what other processes revoked is learned: well within the second in which every
/// process on one store, and every verifier that listens, has to refuse it.
const SYNC_INTERVAL: Duration = Duration::from_millis(250);
/// How far two looks into the store are apart at least, however much this process revokes.
const SYNC_PAUSE: Duration = Duration::from_millis(20);
/// How often the keys are looked at: whether one is to be announced, to sign, or to be forgotten.
const KEYS_INTERVAL: Duration = Duration::from_secs(10);
/// How often the keys are looked at where they hardly live longer.
const KEYS_INTERVAL_LEAST: Duration = Duration::from_millis(250);
/// How often what is over is forgotten: sessions, what was revoked, and tickets.
const PURGE_INTERVAL: Duration = Duration::from_hours(1);

impl Mount {
    /// Starts what has to happen now and then: learning what other processes revoked and which
    /// keys they made, rotating the keys, and forgetting what is over. It goes on until the last
    /// router and layer are gone.
    ///
    /// Call it once for each [`Hallpass`], inside a Tokio runtime.
    pub fn spawn_jobs(&self) {
        let gate = Arc::downgrade(&self.0.gate);
        tokio::spawn(keep_in_step(self.0.hallpass.clone(), gate.clone()));
        // On its own: forgetting takes as long as it takes, and nothing waits for it.
        tokio::spawn(keep_house(self.0.hallpass.clone(), gate));
    }
}

/// Learns what was revoked, by this process too, until nobody holds the gate any more: no
/// router, no layer, no mount.
async fn keep_in_step(hallpass: Hallpass, gate: Weak<Gate>) {
    while gate.strong_count() > 0 {
        tokio::select! {
            () = hallpass.appended() => {}
            () = sleep(SYNC_INTERVAL) => {}
        }
        told("learn what was revoked", hallpass.sync().await);
        sleep(SYNC_PAUSE).await;
    }
}

/// Keeps the keys and forgets what is over, as long.
async fn keep_house(hallpass: Hallpass, gate: Weak<Gate>) {
    let mut keys = every(keys_interval(&hallpass.settings().keys));
    let mut purge = every(PURGE_INTERVAL);
    while gate.strong_count() > 0 {
        tokio::select! {
            _ = keys.tick() => told("keep the keys", hallpass.keep_keys().await),
            _ = purge.tick() => {
                told("forget what is over", hallpass.purge().await.map(drop));
            }
        }
    }
}

fn every(span: Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + span, span);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Keys that live for seconds are looked at more often: a rotation is no later than a quarter of
/// what it waits for.
fn keys_interval(settings: &KeySettings) -> Duration {
    let waits = [settings.rotate_every, settings.announce];
    let shortest = waits.into_iter().filter(|wait| !wait.is_zero()).min();
    let wanted = shortest.map_or(KEYS_INTERVAL, |wait| wait / 4);
    wanted.clamp(KEYS_INTERVAL_LEAST, KEYS_INTERVAL)
}

fn told(job: &'static str, outcome: Result<(), Error>) {
    if let Err(fault) = outcome {
        tracing::error!(job, "a job failed, it is tried again");
        crate::problem::log(&fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_looked_at_every_ten_seconds_or_more_often_where_they_live_shorter() {
        let interval = |rotate_every, announce| {
            keys_interval(&KeySettings {
                rotate_every: Duration::from_secs(rotate_every),
                announce: Duration::from_secs(announce),
                jwks_max_age: Duration::from_secs(1),
            })
        };
        assert_eq!(interval(7_776_000, 3_600), KEYS_INTERVAL);
        assert_eq!(interval(0, 3_600), KEYS_INTERVAL);
        assert_eq!(interval(0, 0), KEYS_INTERVAL);
        assert_eq!(interval(60, 8), Duration::from_secs(2));
        assert_eq!(interval(4, 8), Duration::from_secs(1));
        assert_eq!(interval(1, 1), KEYS_INTERVAL_LEAST);
    }
}
