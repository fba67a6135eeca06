//! Refreshing: the seven cases, and no way to sign anyone out by accident.

use super::open::Issued;
use crate::audit::EventKind;
use crate::delivery::Carrier;
use crate::error::Error;
use crate::hallpass::Hallpass;
use crate::session::{Device, EndReason, Rotation, Session, decide};
use crate::store::{Advance, Advanced, Changed};
use crate::token::PresentedRefresh;
use hallpass_verify::secret_text;

/// The shortest idempotency key, in characters.
pub const IDEMPOTENCY_KEY_LEN_MIN: usize = 16;
/// The longest idempotency key, in characters.
pub const IDEMPOTENCY_KEY_LEN_MAX: usize = 128;

/// A row can move under a request a few times at most: each time somebody else made progress.
const ATTEMPTS_MAX: usize = 8;

secret_text! {
    /// A key that the client chose for one attempt to refresh, and repeats when it retries.
    IdempotencyKey
}

/// Tells that a text is not an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an idempotency key of 16 to 128 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// Takes a key of 16 to 128 visible ASCII characters.
    ///
    /// # Errors
    /// When it is shorter, longer, or has other characters.
    pub fn parse(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let fits = (IDEMPOTENCY_KEY_LEN_MIN..=IDEMPOTENCY_KEY_LEN_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self::new(text.to_owned()))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }
}

impl Hallpass {
    /// Checks that a text is a refresh token of ours that travelled where it belongs. Asks no
    /// store; `None` is garbage, or a token from another place.
    #[must_use]
    pub fn open_refresh_token(&self, text: &str, carrier: Carrier) -> Option<PresentedRefresh> {
        self.0.refresh_keys.open(text, carrier)
    }

    /// Refreshes a session: new tokens, or the same successor again for a request that was
    /// repeated.
    ///
    /// # Errors
    /// [`Error::SessionEnded`], [`Error::RefreshReused`] when this token had been used before (the
    /// session is over then), [`Error::Internal`] when the store fails (and nothing is over).
    pub async fn refresh(
        &self,
        token: PresentedRefresh,
        key: Option<IdempotencyKey>,
        device: &Device,
    ) -> Result<Issued, Error> {
        let presented = token.generation();
        let key = key.map(|key| self.0.derived.rotation_key(token.session(), key.expose()));
        let to = presented.checked_add(1).ok_or(Error::SessionEnded)?;
        let mut from = presented;
        for _ in 0..ATTEMPTS_MAX {
            let now = self.now();
            let advance = Advance {
                session: token.session(),
                from,
                to,
                now,
                key,
            };
            let row = match self.0.store.advance(&advance).await? {
                Advanced::Moved(session) => {
                    if from < presented {
                        let (user, id) = (Some(&session.user), Some(session.id));
                        self.record(EventKind::RefreshHealed, user, id, device);
                    }
                    return self.issue(session, now).await;
                }
                Advanced::Stayed(None) => return Err(Error::SessionEnded),
                Advanced::Stayed(Some(row)) => row,
            };
            match decide(presented, &row, key, now, self.0.settings.refresh_grace) {
                Rotation::Replay => return self.issue(row, now).await,
                Rotation::Ended => return Err(Error::SessionEnded),
                Rotation::Reuse => return Err(self.end_reused(&row, device).await),
                Rotation::Rotate => from = presented,
                Rotation::Heal => from = row.generation,
            }
        }
        Err(Error::Internal(
            "the session moved under every attempt to refresh it".into(),
        ))
    }

    /// Ends exactly the session whose token came back.
    async fn end_reused(&self, row: &Session, device: &Device) -> Error {
        let (owner, reason) = (Some(&row.user), EndReason::RefreshReused);
        match self.end(row.id, owner, reason, device).await {
            Ok(Changed::Changed) => Error::RefreshReused,
            // Somebody ended it in the same moment: it is over, and they told why.
            Ok(Changed::Unchanged) => Error::SessionEnded,
            Err(fault) => fault,
        }
    }
}
