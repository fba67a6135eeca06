//! The moment at which a caller is refused.

use crate::caller::Verified;
use crate::revocations::{Seat, Topic};
use crate::{Keys, Revocations};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Resolves when what a caller stands on is refused: the session, the token, the user's tokens, or
/// the key that signed. For connections that outlive the request that opened them.
///
/// It is woken by the one who learns of it, needs no runtime, borrows nothing, and may be polled
/// again after it has resolved. Time is not looked at: [`Caller::expires_at`](crate::Caller::expires_at)
/// tells when the token expires.
#[must_use = "a future does nothing unless it is awaited"]
pub struct UntilRefused {
    verified: Arc<Verified>,
    revocations: Arc<Revocations>,
    keys: Arc<Keys>,
    seat: Arc<Seat>,
}

impl UntilRefused {
    pub(super) fn new(
        verified: Arc<Verified>,
        revocations: Arc<Revocations>,
        keys: Arc<Keys>,
    ) -> Self {
        let seat = Arc::default();
        for topic in Topic::all_of(&verified.claims) {
            revocations.waiting().join(&topic, &seat);
        }
        keys.waiting().join(&KEYS, &seat);
        Self {
            verified,
            revocations,
            keys,
            seat,
        }
    }

    /// Tells whether it is refused now.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.revocations.refuse(&self.verified.claims) || self.keys.is_gone(&self.verified.kid)
    }
}

/// All listen to the keys as a whole: they change rarely.
const KEYS: () = ();

impl Future for UntilRefused {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // In this order: what is revoked between the two wakes us.
        self.seat.set(context.waker());
        if self.is_refused() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for UntilRefused {
    fn drop(&mut self) {
        for topic in Topic::all_of(&self.verified.claims) {
            self.revocations.waiting().leave(&topic, &self.seat);
        }
        self.keys.waiting().leave(&KEYS, &self.seat);
    }
}

impl std::fmt::Debug for UntilRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UntilRefused")
            .field("session", &self.verified.claims.session)
            .finish_non_exhaustive()
    }
}
