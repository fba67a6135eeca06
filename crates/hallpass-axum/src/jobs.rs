//! What has to happen now and then.

use crate::mount::Mount;
use hallpass_core::{Error, Hallpass};
use hallpass_verify::Gate;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often the sessions that other processes ended are learned: well within the second in which
/// every process on one store has to refuse them.
const SYNC_INTERVAL: Duration = Duration::from_millis(250);
/// How often sessions that are over are forgotten.
const PURGE_INTERVAL: Duration = Duration::from_hours(1);

impl Mount {
    /// Starts what has to happen now and then: learning which sessions other processes ended, and
    /// forgetting those that are over. It goes on until the last router and layer are gone.
    ///
    /// Call it once for each [`Hallpass`], inside a Tokio runtime.
    pub fn spawn_jobs(&self) {
        tokio::spawn(run(self.0.hallpass.clone(), Arc::downgrade(&self.0.gate)));
    }
}

/// Does the jobs until nobody holds the gate any more: no router, no layer, no mount.
async fn run(hallpass: Hallpass, gate: Weak<Gate>) {
    let mut since_purge = Duration::ZERO;
    while gate.strong_count() > 0 {
        tokio::time::sleep(SYNC_INTERVAL).await;
        since_purge += SYNC_INTERVAL;
        told(
            "learn which sessions ended elsewhere",
            hallpass.sync().await,
        );
        if since_purge >= PURGE_INTERVAL {
            since_purge = Duration::ZERO;
            told(
                "forget sessions that are over",
                hallpass.purge().await.map(drop),
            );
        }
    }
}

fn told(job: &'static str, outcome: Result<(), Error>) {
    if let Err(fault) = outcome {
        tracing::error!(job, "a job failed, it is tried again");
        crate::problem::log(&fault);
    }
}
