//! Ending sessions. What is ended here is refused at once, and stays so.

use crate::audit::EventKind;
use crate::error::Error;
use crate::hallpass::Hallpass;
use crate::session::{Device, EndReason, Session};
use crate::store::{Changed, End};
use crate::user::User;
use hallpass_verify::{SessionId, Timestamp, UserId};

impl Hallpass {
    /// Signs a session out. Ending what has ended is no error.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails; the session goes on then.
    pub async fn sign_out(&self, session: SessionId, device: &Device) -> Result<(), Error> {
        self.end(session, None, EndReason::SignedOut, device)
            .await
            .map(drop)
    }

    /// Ends one of a user's sessions.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none by this name, it is over already, or it is someone
    /// else's: the caller cannot tell which.
    pub async fn end_own_session(
        &self,
        owner: &UserId,
        session: SessionId,
        device: &Device,
    ) -> Result<(), Error> {
        match self
            .end(session, Some(owner), EndReason::Revoked, device)
            .await?
        {
            Changed::Changed => Ok(()),
            Changed::Unchanged => Err(Error::NotFound),
        }
    }

    /// Ends all sessions of a user but `keep`; returns how many were live.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails.
    pub async fn end_sessions(
        &self,
        user: &UserId,
        keep: Option<SessionId>,
        device: &Device,
    ) -> Result<usize, Error> {
        let now = self.now();
        let ended = self
            .0
            .store
            .end_sessions(user, keep, EndReason::Revoked, now)
            .await?;
        for session in &ended {
            self.refuse_access(*session, now);
            self.record(
                EventKind::SessionRevoked,
                Some(user),
                Some(*session),
                device,
            );
        }
        Ok(ended.len())
    }

    /// Returns a user's live sessions, the most recently used first.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails.
    pub async fn sessions(&self, user: &UserId) -> Result<Vec<Session>, Error> {
        Ok(self.0.store.live_sessions(user, self.now()).await?)
    }

    /// Makes sure that a session can still be refreshed.
    ///
    /// # Errors
    /// [`Error::SessionEnded`], [`Error::Internal`] when the store fails.
    pub async fn expect_live(&self, session: SessionId) -> Result<(), Error> {
        let row = self.0.store.session(&session).await?;
        let is_live = row.is_some_and(|row| row.is_live(self.now()));
        is_live.then_some(()).ok_or(Error::SessionEnded)
    }

    /// Returns a user of our store.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, Error> {
        Ok(self.0.store.user(id).await?)
    }

    /// Learns which sessions other processes on the same store have ended since the last call.
    /// Call it a few times a second: it costs one query that usually finds nothing.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails; the next call catches up.
    pub async fn sync(&self) -> Result<(), Error> {
        let mut cursor = self.0.cursor.lock().await;
        for entry in self.0.store.ended_since(*cursor).await? {
            self.refuse_access(entry.session, entry.at);
            *cursor = entry.cursor;
        }
        drop(cursor);
        self.0.verifier.revocations().forget_expired(self.now());
        Ok(())
    }

    /// Forgets sessions that are over, once no token of theirs can be presented with success.
    /// Returns how many. Call it every hour or so.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails.
    pub async fn purge(&self) -> Result<u64, Error> {
        let settings = &self.0.settings;
        let kept_for = settings.access_ttl + 2 * settings.leeway;
        Ok(self.0.store.purge(self.now().minus(kept_for)).await?)
    }

    pub(super) async fn end(
        &self,
        session: SessionId,
        owner: Option<&UserId>,
        reason: EndReason,
        device: &Device,
    ) -> Result<Changed, Error> {
        let now = self.now();
        let end = End {
            session,
            owner: owner.cloned(),
            reason,
            now,
        };
        let changed = self.0.store.end_session(&end).await?;
        if changed == Changed::Changed {
            self.refuse_access(session, now);
            let kind = match reason {
                EndReason::SignedOut => EventKind::SignedOut,
                EndReason::Revoked => EventKind::SessionRevoked,
                EndReason::RefreshReused => EventKind::RefreshReused,
                EndReason::Replaced => EventKind::SessionReplaced,
            };
            let user = match owner {
                Some(owner) => Some(owner.clone()),
                None => self.owner_of(session).await,
            };
            self.record(kind, user.as_ref(), Some(session), device);
        }
        Ok(changed)
    }

    /// Returns whose session it is, for the audit: when the store cannot tell, the session has
    /// ended all the same.
    async fn owner_of(&self, session: SessionId) -> Option<UserId> {
        let row = self.0.store.session(&session).await.ok()??;
        Some(row.user)
    }

    /// Refuses the access tokens of an ended session until the last one has expired.
    fn refuse_access(&self, session: SessionId, ended_at: Timestamp) {
        let settings = &self.0.settings;
        let until = ended_at.plus(settings.access_ttl + 2 * settings.leeway);
        self.0.verifier.revocations().end_session(session, until);
    }
}
