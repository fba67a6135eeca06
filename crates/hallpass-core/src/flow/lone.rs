//! Access tokens that belong to no session.

use crate::audit::EventKind;
use crate::error::Error;
use crate::grant::{GrantFault, OwnClaims, Scopes, TTL_MIN};
use crate::hallpass::Hallpass;
use crate::proof::Proof;
use crate::random;
use crate::session::Device;
use crate::token::{self, AboutUser, AccessClaims, Audiences};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_verify::{AccessToken, Caller, CsrfSecret, CsrfToken, Timestamp, UserId};
use std::fmt;
use std::time::Duration;

/// The most that the audiences of a token may take, in bytes.
pub const AUDIENCES_LEN_MAX: usize = 512;

/// What an access token without a session is to say.
#[derive(Clone, Debug, Default)]
pub struct AccessGrant {
    /// How long it lives: 10 seconds to [`Settings::sessionless_ttl_max`]. Default:
    /// [`Settings::access_ttl`], if that is no longer.
    ///
    /// [`Settings::sessionless_ttl_max`]: crate::Settings::sessionless_ttl_max
    /// [`Settings::access_ttl`]: crate::Settings::access_ttl
    pub ttl: Option<Duration>,
    /// What it may be used for.
    pub scopes: Scopes,
    /// What the app says in it.
    pub claims: OwnClaims,
    /// Whom it is for. Default: whom all our tokens are for.
    ///
    /// # Security
    /// A token for others alone is refused here: nobody here can be sent what was meant for them.
    pub audiences: Vec<String>,
    /// When the user proved who they are.
    pub freshness: Freshness,
    /// Where the request came from: for the audit.
    pub device: Device,
}

/// When a user proved who they are: the claim `auth_time`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Freshness {
    /// Right now.
    #[default]
    Now,
    /// At this moment.
    At(Timestamp),
    /// The token does not tell, so nothing that asks for a fresh proof takes it.
    Unknown,
}

/// An access token that belongs to no session.
pub struct LoneToken {
    /// The token.
    pub token: AccessToken,
    /// Its name, the claim `jti`: for ending it.
    pub token_id: String,
    /// How long it lives from now.
    pub expires_in: Duration,
    /// A CSRF token: good as long as the token, if that travels in a cookie.
    pub csrf: CsrfToken,
}

/// Shows which token, not the token.
impl fmt::Debug for LoneToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoneToken")
            .field("token_id", &self.token_id)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

impl Hallpass {
    /// Issues an access token that belongs to no session, for somebody who proved who they are.
    ///
    /// It stands in no list and cannot be refreshed. It ends when its time is over, by
    /// [`end_token`](Self::end_token), or with everything of its user by
    /// [`end_sessions`](Self::end_sessions).
    ///
    /// # Errors
    /// [`Error::Grant`] when the settings have no such tokens, or not such a one;
    /// [`Error::Internal`] when the store fails.
    pub async fn issue_access_token(
        &self,
        proof: Proof,
        grant: AccessGrant,
    ) -> Result<LoneToken, Error> {
        let expires_in = self.check_grant(&grant)?;
        let (user_id, methods) = proof.into_parts();
        let user = self.0.store.user(&user_id).await?;
        let now = self.now();
        let expires_at = now.plus(expires_in);
        let issued_at = self.beyond_revoked(&user_id, now);
        let auth_time = self.auth_time(grant.freshness, now)?;
        let (settings, random) = (&self.0.settings, self.0.random.as_ref());
        let token_id = token::token_id(random)?;
        let secret = self.0.derived.csrf_secret_of_token(&token_id);
        let claims = AccessClaims {
            iss: &settings.issuer,
            aud: match grant.audiences.as_slice() {
                [] => settings.audience_claim().map(Audiences::One),
                [one] => Some(Audiences::One(one)),
                several => Some(Audiences::Several(several)),
            },
            sub: user_id.as_str(),
            sid: None,
            jti: &token_id,
            iat: issued_at.min(expires_at).as_seconds(),
            exp: expires_at.as_seconds(),
            auth_time: auth_time.map(Timestamp::as_seconds),
            amr: &methods,
            scope: &grant.scopes,
            about_user: AboutUser::new(settings.profile, user.as_ref()),
            csh: csh(&secret),
            own: grant.claims.beside(settings.profile),
        };
        let token = self.sign(&claims, now)?;
        let csrf = secret.mask(random::bytes(random)?);
        let kind = EventKind::TokenIssued;
        self.record(kind, Some(&user_id), None, &grant.device);
        Ok(LoneToken {
            token,
            token_id,
            expires_in,
            csrf,
        })
    }

    /// Returns a CSRF token for whoever is calling, masked afresh: of their session, or else of their
    /// token.
    ///
    /// # Errors
    /// [`Error::Internal`] when there is no randomness.
    pub fn csrf_token_of(&self, caller: &Caller) -> Result<CsrfToken, Error> {
        let derived = &self.0.derived;
        let secret = match caller.session() {
            Some(session) => derived.csrf_secret(session),
            None => derived.csrf_secret_of_token(caller.token_id()),
        };
        Ok(secret.mask(random::bytes(self.0.random.as_ref())?))
    }

    /// Makes sure that a token may be as it is asked for, and returns how long it lives.
    fn check_grant(&self, grant: &AccessGrant) -> Result<Duration, GrantFault> {
        let settings = &self.0.settings;
        let ttl_max = settings.sessionless_ttl_max;
        let ttl_max = ttl_max.ok_or(GrantFault::Sessionless)?;
        let ttl = grant.ttl.unwrap_or(settings.access_ttl.min(ttl_max));
        if ttl < TTL_MIN || ttl > ttl_max {
            return Err(GrantFault::Lifetime);
        }
        self.check_claims(&grant.claims)?;
        let audiences = &grant.audiences;
        let is_name = |name: &String| !name.is_empty() && !name.chars().any(char::is_control);
        let len: usize = audiences.iter().map(String::len).sum();
        // A service whose tokens name no audience refuses one that does (RFC 7519 §4.1.3).
        let may_be = audiences.is_empty() || settings.audience_claim().is_some();
        if len > AUDIENCES_LEN_MAX || !may_be || !audiences.iter().all(is_name) {
            return Err(GrantFault::Audiences);
        }
        Ok(ttl)
    }

    fn auth_time(
        &self,
        freshness: Freshness,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, GrantFault> {
        match freshness {
            Freshness::Unknown => Ok(None),
            Freshness::Now => Ok(Some(now)),
            Freshness::At(at) if at > now.plus(self.0.settings.leeway) => {
                Err(GrantFault::ProofOfTheFuture)
            }
            Freshness::At(at) => Ok(Some(at.min(now))),
        }
    }

    /// Returns `now`, or the second after everything of a user was revoked: a token that says an
    /// earlier one is one of those that were.
    pub(super) fn beyond_revoked(&self, user: &UserId, now: Timestamp) -> Timestamp {
        let revoked = self.0.verifier.revocations().user_not_before(user);
        let soon = now.plus(self.0.settings.leeway);
        match revoked {
            Some(until) if until.as_seconds() >= now.as_seconds() && until <= soon => {
                until.plus(Duration::from_secs(1))
            }
            _ => now,
        }
    }
}

fn csh(secret: &CsrfSecret) -> String {
    URL_SAFE_NO_PAD.encode(secret.hash().as_bytes())
}
