//! Ending sessions. What is ended here is refused at once, and stays so.

use crate::audit::EventKind;
use crate::error::Error;
use crate::hallpass::Hallpass;
use crate::session::{Device, EndReason, Session};
use crate::store::{Changed, Cursor, End};
use crate::user::User;
use hallpass_verify::{Revoked, SessionId, Timestamp, UserId};
use tokio::sync::MutexGuard;

/// How many entries of the feed are read at once.
const FEED_ROWS_MAX: u32 = 1000;

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

    /// Ends all sessions of a user but `keep`; returns how many were live. The user's tokens that
    /// belong to no session are refused as well.
    ///
    /// # Security
    /// Tokens without a session that were issued up to now are refused, by the clock of this
    /// machine: one that was issued a moment ago by a machine whose clock is ahead may live on.
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
        // Whoever keeps one session wants everything else to be over.
        if keep.is_none() || self.0.settings.sessionless_ttl_max.is_some() {
            // Tokens may have been issued after a former end in this very second, here or elsewhere.
            drop(self.learn_revoked().await?);
            let until = self.beyond_revoked(user, now);
            self.revoke(Revoked::User(user.clone()), until).await?;
        }
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

    /// Learns what other processes on the same store have revoked and which keys they have
    /// announced. Call it a few times a second, and when [`appended`](Self::appended) says so: it
    /// costs two queries that usually find nothing.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails; the next call catches up.
    pub async fn sync(&self) -> Result<(), Error> {
        let rules = &self.0;
        let reading = self.learn_revoked().await?;
        // One at a time: what was read before does not take the place of what was read after.
        rules.ring.read(rules.store.as_ref()).await?;
        drop(reading);
        let now = self.now();
        rules.ring.publish(rules.verifier.keys(), now)?;
        rules.verifier.revocations().forget_expired(now);
        rules.feed.forget(now.minus(rules.settings.kept_for()));
        Ok(())
    }

    /// Reads on in the feed of the store. As long as the answer is kept nobody else does.
    pub(super) async fn learn_revoked(&self) -> Result<MutexGuard<'_, Cursor>, Error> {
        let rules = &self.0;
        let mut cursor = rules.cursor.lock().await;
        loop {
            let read = rules.store.revoked_since(*cursor, FEED_ROWS_MAX).await?;
            let count = read.len();
            for entry in &read {
                self.refuse(&entry.revoked, entry.at);
                *cursor = entry.cursor;
            }
            rules.feed.append(read);
            if count < FEED_ROWS_MAX as usize {
                return Ok(cursor);
            }
        }
    }

    /// Waits until this process has revoked something: [`sync`](Self::sync) then tells the streams.
    pub async fn appended(&self) {
        self.0.feed.appended.notified().await;
    }

    /// Forgets sessions and tickets that are over, and entries of the feed, once no token of theirs
    /// can be presented with success. Returns how many sessions went. Call it every hour or so.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails.
    pub async fn purge(&self) -> Result<u64, Error> {
        let store = &self.0.store;
        let before = self.now().minus(self.0.settings.kept_for());
        let purged = store.purge_sessions(before).await?;
        store.purge_feed(before).await?;
        store.purge_tickets(before).await?;
        Ok(purged)
    }

    /// Appends to the feed what is neither a session nor a key, and refuses it here at once.
    pub(super) async fn revoke(&self, revoked: Revoked, at: Timestamp) -> Result<(), Error> {
        self.0.store.revoke(&revoked, at).await?;
        self.refuse(&revoked, at);
        self.0.feed.appended.notify_one();
        Ok(())
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

    /// Refuses what was revoked until the last access token of it has expired.
    pub(super) fn refuse(&self, revoked: &Revoked, at: Timestamp) {
        let until = at.plus(self.0.settings.kept_for());
        self.0.verifier.learn(revoked, at, until);
    }

    fn refuse_access(&self, session: SessionId, ended_at: Timestamp) {
        self.refuse(&Revoked::Session(session), ended_at);
        self.0.feed.appended.notify_one();
    }
}
