//! What services ask about tokens: introspection, revocation, tickets.

use crate::delivery::Carrier;
use crate::error::Error;
use crate::hallpass::Hallpass;
use crate::service;
use crate::session::{Device, EndReason, Session};
use crate::store::{Ticket, TicketHash};
use crate::token::{self, PresentedRefresh, TicketText};
use crate::user::User;
use hallpass_verify::json::{self, Limits};
use hallpass_verify::{
    AccessToken, Caller, Location, SessionId, TokenError, UserId, Verifier, VerifierSettings, jws,
};
use std::time::Duration;

/// How long a ticket is good: for the handshake that follows at once.
pub const TICKET_TTL: Duration = Duration::from_secs(30);

/// What an access token is worth now, as the store knows it.
#[derive(Clone, Debug)]
pub struct Introspected {
    /// Whom it belongs to.
    pub caller: Caller,
    /// What they may do now: not what they could do when the token was issued.
    pub roles: Vec<String>,
    /// The user as they are now, if they are in our store: an app may have users of its own.
    pub user: Option<User>,
}

/// What a refresh token is worth now.
#[derive(Clone, Debug)]
pub struct IntrospectedRefresh {
    /// Whom it belongs to.
    pub user: UserId,
    /// The session it renews; none when it was used, or the session is over.
    pub renews: Option<Session>,
}

impl Hallpass {
    /// Returns the name of the service whose secret this is; with a name, of that one alone.
    #[must_use]
    pub fn service(&self, name: Option<&str>, secret: &str) -> Option<&str> {
        let found = service::find(&self.0.settings.services, name, secret);
        found.map(|service| service.name.as_str())
    }

    /// Tells what an access token is worth now (RFC 7662 §2.2): its session must be live in the
    /// store, and roles are those of now. `None`: nothing.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails.
    pub async fn introspect(&self, token: &str) -> Result<Option<Introspected>, Error> {
        let now = self.now();
        let verify = || self.0.verifier.verify(token, Location::Header, now);
        if verify().is_err() {
            return Ok(None);
        }
        // What another process revoked a moment ago: the token alone, or everything of its user.
        drop(self.learn_revoked().await?);
        let Ok(caller) = verify() else {
            return Ok(None);
        };
        if let Some(session) = caller.session() {
            let row = self.0.store.session(&session).await?;
            if !row.is_some_and(|row| row.is_live(now)) {
                return Ok(None);
            }
        }
        let user = self.0.store.user(caller.user()).await?;
        let roles = match &user {
            Some(user) => user.roles.clone(),
            None => caller.roles().to_vec(),
        };
        Ok(Some(Introspected {
            caller,
            roles,
            user,
        }))
    }

    /// Tells whose a refresh token is and what it is worth now. Nothing is rotated. `None`: its
    /// session is forgotten.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails.
    pub async fn introspect_refresh(
        &self,
        token: PresentedRefresh,
    ) -> Result<Option<IntrospectedRefresh>, Error> {
        let row = self.0.store.session(&token.session()).await?;
        let now = self.now();
        Ok(row.map(|row| IntrospectedRefresh {
            user: row.user.clone(),
            renews: (row.is_live(now) && row.generation == token.generation()).then_some(row),
        }))
    }

    /// Revokes a token (RFC 7009 §2.1): the session it belongs to ends, or else the token alone.
    /// What is no token of ours changes nothing.
    ///
    /// # Security
    /// Whoever holds a token may end it: that is all it takes to sign out.
    ///
    /// # Errors
    /// [`Error::Internal`] when the store fails; nothing is revoked then.
    pub async fn revoke_token(&self, token: &str, device: &Device) -> Result<(), Error> {
        let refresh = [Carrier::Body, Carrier::Cookie]
            .into_iter()
            .find_map(|carrier| self.open_refresh_token(token, carrier));
        if let Some(refresh) = refresh {
            self.end(refresh.session(), None, EndReason::Revoked, device)
                .await?;
            return Ok(());
        }
        let Some(caller) = self.whoever_it_is_for(token) else {
            return Ok(());
        };
        match caller.session() {
            Some(session) => {
                let reason = EndReason::Revoked;
                self.end(session, None, reason, device).await.map(drop)
            }
            None => self.end_token(&caller, device).await,
        }
    }

    /// Verifies a token of ours, also one that is for other services.
    fn whoever_it_is_for(&self, token: &str) -> Option<Caller> {
        let (verifier, now) = (&self.0.verifier, self.now());
        match verifier.verify(token, Location::Header, now) {
            Err(TokenError::Invalid) if self.0.settings.sessionless_ttl_max.is_some() => {}
            told => return told.ok(),
        }
        let (_, payload) = jws::verify(token, &verifier.keys().current()).ok()?;
        let claims = json::parse(&payload, Limits::TOKEN).ok()?;
        let audiences = claims.as_object()?.get("aud")?;
        let first = || audiences.as_array()?.first()?.as_str();
        let settings = VerifierSettings {
            audience: audiences.as_str().or_else(first)?.to_owned(),
            remembered_tokens_max: 0,
            ..verifier.settings().clone()
        };
        let (keys, revocations) = (verifier.keys().clone(), verifier.revocations().clone());
        let elsewhere = Verifier::new(settings, keys, revocations).ok()?;
        elsewhere.verify(token, Location::Header, now).ok()
    }

    /// Issues a ticket: it opens one connection of the session, in place of a token that would
    /// stand in a URL.
    ///
    /// # Errors
    /// [`Error::SessionEnded`], [`Error::Internal`] when the store fails.
    pub async fn issue_ticket(&self, session: SessionId) -> Result<TicketText, Error> {
        self.expect_live(session).await?;
        let text = token::ticket(self.0.random.as_ref())?;
        let ticket = Ticket {
            hash: token::ticket_hash(text.expose()),
            session,
            expires_at: self.now().plus(TICKET_TTL),
        };
        self.0.store.insert_ticket(ticket).await?;
        Ok(text)
    }

    /// Takes a ticket and returns an access token of its session, and how long that lives.
    ///
    /// # Errors
    /// [`Error::InvalidTicket`] when it was used before, has expired or is none of ours;
    /// [`Error::SessionEnded`]; [`Error::Internal`] when the store fails.
    pub async fn redeem_ticket(&self, text: &str) -> Result<(AccessToken, Duration), Error> {
        let now = self.now();
        let hash: TicketHash = token::ticket_hash(text);
        let taken = self.0.store.take_ticket(&hash, now).await?;
        let session = taken.ok_or(Error::InvalidTicket)?;
        let row = self.0.store.session(&session).await?;
        let row = row
            .filter(|row| row.is_live(now))
            .ok_or(Error::SessionEnded)?;
        let user = self.0.store.user(&row.user).await?;
        let issued = self.access_token(&row, user.as_ref(), now)?;
        // Sign-out wins: what it overtook is not handed out any more.
        if self.0.verifier.revocations().has_session(&session) {
            return Err(Error::SessionEnded);
        }
        Ok(issued)
    }
}
