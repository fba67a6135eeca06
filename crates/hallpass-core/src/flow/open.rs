//! Opening a session, and handing out the tokens of its current generation.

use crate::audit::EventKind;
use crate::delivery::{Carrier, Delivery};
use crate::error::Error;
use crate::grant::{GrantFault, OwnClaims, Scopes, check_lifetimes};
use crate::hallpass::Hallpass;
use crate::proof::Proof;
use crate::random;
use crate::session::{Device, EndReason, Persistence, Session};
use crate::settings::Lifetimes;
use crate::token::{self, AboutUser, AccessClaims, Audiences, RefreshToken};
use crate::user::User;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_verify::{AccessToken, CsrfHash, CsrfToken, SessionId, Timestamp};
use std::time::Duration;

/// How a session is to be opened.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// How its tokens are handed out.
    pub delivery: Delivery,
    /// Whether it outlives the browser window.
    pub persistence: Persistence,
    /// Where the request came from.
    pub device: Device,
    /// The session that this browser had before: it ends, so that nobody leaves one behind by
    /// signing in again.
    pub replaces: Option<SessionId>,
    /// What its access tokens may be used for, as long as it lives.
    pub scopes: Scopes,
    /// What the app says in its access tokens, as long as it lives.
    pub claims: OwnClaims,
    /// How long it lives: 10 seconds to 400 days. Default: as the settings have it for its
    /// persistence. No access token outlives its session.
    pub lifetimes: Option<Lifetimes>,
}

/// What a client gets when its session was opened or refreshed.
#[derive(Debug)]
pub struct Issued {
    /// The session as it stands now.
    pub session: Session,
    /// The user, if they are in our store: an app may have users of its own.
    pub user: Option<User>,
    /// The access token.
    pub access: AccessToken,
    /// How long the access token lives from now.
    pub access_expires_in: Duration,
    /// The refresh token of the current generation; under [`Delivery::Both`] that of the cookie.
    pub refresh: RefreshToken,
    /// The refresh token of the body, under [`Delivery::Both`] alone.
    pub refresh_in_body: Option<RefreshToken>,
    /// How long the refresh token lives from now.
    pub refresh_expires_in: Duration,
    /// A CSRF token: good as long as the session, like every other one handed out for it.
    pub csrf: CsrfToken,
}

impl Hallpass {
    /// Opens a session for somebody who proved who they are. The one function that does.
    ///
    /// # Errors
    /// [`Error::Grant`] when the app asks for lifetimes that no session has, or for claims that its
    /// profile writes; nothing has changed then. [`Error::Internal`] when the store fails.
    pub async fn open_session(&self, proof: Proof, opening: Opening) -> Result<Issued, Error> {
        let (user_id, methods) = proof.into_parts();
        let lifetimes = self.check_opening(&opening)?;
        if let Some(former) = opening.replaces {
            self.end(former, None, EndReason::Replaced, &opening.device)
                .await?;
        }
        let now = self.now();
        let session = Session {
            id: token::session_id(self.0.random.as_ref())?,
            user: user_id,
            delivery: opening.delivery,
            persistence: opening.persistence,
            scopes: opening.scopes,
            claims: opening.claims,
            methods,
            authenticated_at: now,
            created_at: now,
            rotated_at: now,
            generation: 0,
            rotation_key: None,
            idle_ttl: lifetimes.idle,
            idle_expires_at: now.plus(lifetimes.idle.min(lifetimes.absolute)),
            expires_at: now.plus(lifetimes.absolute),
            ended: None,
            device: opening.device,
        };
        self.0.store.insert_session(&session).await?;
        self.record(
            EventKind::SessionOpened,
            Some(&session.user),
            Some(session.id),
            &session.device,
        );
        self.issue(session, now).await
    }

    /// Makes the tokens of a session's current generation, as of `now`.
    pub(super) async fn issue(&self, session: Session, now: Timestamp) -> Result<Issued, Error> {
        let user = self.0.store.user(&session.user).await?;
        let (access, access_expires_in) = self.access_token(&session, user.as_ref(), now)?;
        let refresh = |carrier| {
            let keys = &self.0.refresh_keys;
            keys.make(session.id, session.generation, carrier)
        };
        let (refresh, refresh_in_body) = match session.delivery {
            Delivery::Body => (refresh(Carrier::Body), None),
            Delivery::Cookie | Delivery::Split => (refresh(Carrier::Cookie), None),
            Delivery::Both => (refresh(Carrier::Cookie), Some(refresh(Carrier::Body))),
        };
        let csrf = self.csrf_token(session.id)?;
        // Sign-out wins: what it overtook is not handed out any more.
        if self.0.verifier.revocations().has_session(&session.id) {
            return Err(Error::SessionEnded);
        }
        Ok(Issued {
            user,
            access,
            access_expires_in,
            refresh,
            refresh_in_body,
            refresh_expires_in: session.refresh_expires_at().since(now),
            csrf,
            session,
        })
    }

    /// Makes an access token of a session, and returns how long it lives.
    pub(super) fn access_token(
        &self,
        session: &Session,
        user: Option<&User>,
        now: Timestamp,
    ) -> Result<(AccessToken, Duration), Error> {
        let settings = &self.0.settings;
        // No access token outlives its session: a late retry slides no lifetime.
        let expires_in = settings
            .access_ttl
            .min(session.refresh_expires_at().since(now));
        let claims = AccessClaims {
            iss: &settings.issuer,
            aud: settings.audience_claim().map(Audiences::One),
            sub: session.user.as_str(),
            sid: Some(session.id.to_string()),
            jti: &token::token_id(self.0.random.as_ref())?,
            iat: now.as_seconds(),
            exp: now.plus(expires_in).as_seconds(),
            auth_time: Some(session.authenticated_at.as_seconds()),
            amr: &session.methods,
            scope: &session.scopes,
            about_user: AboutUser::new(settings.profile, user),
            csh: URL_SAFE_NO_PAD.encode(self.csrf_hash(session.id).as_bytes()),
            own: session.claims.beside(settings.profile),
        };
        Ok((self.sign(&claims, now)?, expires_in))
    }

    /// Signs with the key that signs at `now`.
    pub(super) fn sign(
        &self,
        claims: &AccessClaims<'_>,
        now: Timestamp,
    ) -> Result<AccessToken, Error> {
        let claims = serde_json::to_vec(claims).map_err(|fault| Error::Internal(fault.into()))?;
        Ok(self.0.ring.signing(now)?.sign(&claims)?)
    }

    /// Returns a CSRF token for a session, masked afresh.
    ///
    /// # Errors
    /// [`Error::Internal`] when there is no randomness.
    pub fn csrf_token(&self, session: SessionId) -> Result<CsrfToken, Error> {
        let mask = random::bytes::<32>(self.0.random.as_ref())?;
        Ok(self.0.derived.csrf_secret(session).mask(mask))
    }

    /// Returns what a session's CSRF tokens are checked against.
    #[must_use]
    pub fn csrf_hash(&self, session: SessionId) -> CsrfHash {
        self.0.derived.csrf_secret(session).hash()
    }

    /// Makes sure that the app asks for nothing that it does not get, and returns how long the
    /// session lives.
    pub(super) fn check_opening(&self, opening: &Opening) -> Result<Lifetimes, GrantFault> {
        self.check_claims(&opening.claims)?;
        let settings = &self.0.settings;
        match (opening.lifetimes, opening.persistence) {
            (Some(asked), _) => check_lifetimes(asked),
            (None, Persistence::Remembered) => Ok(settings.remembered),
            (None, Persistence::Transient) => Ok(settings.transient),
        }
    }

    /// Makes sure that the app does not say what the profile says.
    pub(super) fn check_claims(&self, claims: &OwnClaims) -> Result<(), GrantFault> {
        match claims.taken_by(self.0.settings.profile) {
            Some(name) => Err(GrantFault::ClaimOfProfile(name.to_owned())),
            None => Ok(()),
        }
    }
}
