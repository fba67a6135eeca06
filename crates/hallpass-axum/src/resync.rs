//! Learning at once what other processes did.

use hallpass_core::Hallpass;
use hallpass_verify::{AccessTokenText, Active, AskFault, BoxFuture, Timestamp, Upstream};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout};

/// How far two looks into the store are apart at least, however many requests want one.
const RESYNC_PAUSE: Duration = Duration::from_millis(100);
/// How long a request waits for a look.
const RESYNC_WAIT_MAX: Duration = Duration::from_secs(2);

/// Looks into the store for whoever cannot wait for the next regular look.
#[derive(Debug)]
pub(crate) struct Resync {
    hallpass: Hallpass,
    /// Held while a look goes on: there is one at a time.
    looks: Mutex<Looks>,
}

/// When the last looks began.
#[derive(Debug, Default)]
struct Looks {
    /// The last one, which may have been given up: who wanted it went away.
    begun: Option<Instant>,
    /// The last one that came to its end.
    done: Option<Instant>,
}

impl Resync {
    pub(crate) fn new(hallpass: Hallpass) -> Self {
        let looks = Mutex::default();
        Self { hallpass, looks }
    }

    /// Returns when a look is over that began after this was called, or when it takes too long.
    pub(crate) async fn run(&self) {
        if timeout(RESYNC_WAIT_MAX, self.look()).await.is_err() {
            tracing::error!("what other processes did could not be learned in time");
        }
    }

    async fn look(&self) {
        let asked = Instant::now();
        let mut looks = self.looks.lock().await;
        if looks.done.is_some_and(|began| began > asked) {
            // Somebody looked for all who were waiting.
            return;
        }
        if let Some(began) = looks.begun {
            sleep_until(began + RESYNC_PAUSE).await;
        }
        let began = Instant::now();
        looks.begun = Some(began);
        if let Err(fault) = self.hallpass.sync().await {
            crate::problem::log(&fault);
        }
        looks.done = Some(began);
    }
}

/// What the issuer's own gate asks: its store. Another process may have put a key in force a
/// moment ago.
#[derive(Debug)]
pub(crate) struct OwnStore(pub(crate) Arc<Resync>);

impl Upstream for OwnStore {
    fn keys_wanted(&self) -> Option<BoxFuture<'static, ()>> {
        let resync = Arc::clone(&self.0);
        Some(Box::pin(async move { resync.run().await }))
    }

    /// The jobs look a few times a second; nothing is ever heard of later than that.
    fn is_current(&self, _: Timestamp) -> bool {
        true
    }

    fn ask(&self, _: AccessTokenText) -> BoxFuture<'static, Result<Active, AskFault>> {
        Box::pin(std::future::ready(Err(AskFault::NotSetUp)))
    }
}
