//! From a token to a caller.

mod remembered;
mod settings;
mod until_refused;

pub use settings::{AudienceClaim, SessionClaim, SettingsFault, VerifierSettings};
pub use until_refused::UntilRefused;

use crate::caller::Verified;
use crate::json::{self, Limits, Value};
use crate::{Caller, Claims, Keys, Location, Revocations, Revoked, Timestamp, TokenError, jws};
use remembered::{Fingerprint, Remembered};
use std::sync::Arc;

/// Verifies access tokens: signature, type, issuer, audience, claims, time, session.
///
/// It does no I/O and keeps the tokens it has verified in mind, so a token that comes again
/// costs a hash and a look-up.
#[derive(Debug)]
pub struct Verifier {
    settings: VerifierSettings,
    keys: Arc<Keys>,
    revocations: Arc<Revocations>,
    remembered: Remembered,
}

impl Verifier {
    /// Takes settings, the keys of the issuer and what is known to have ended.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn new(
        settings: VerifierSettings,
        keys: Arc<Keys>,
        revocations: Arc<Revocations>,
    ) -> Result<Self, SettingsFault> {
        settings.check()?;
        let remembered = Remembered::new(settings.remembered_tokens_max);
        Ok(Self {
            settings,
            keys,
            revocations,
            remembered,
        })
    }

    /// Returns the caller that `token`, found at `via`, belongs to.
    ///
    /// # Errors
    /// When the token is not good for us now. See [`TokenError`].
    ///
    /// # Security
    /// No panic, no network, bounded time, whatever the bytes. A token that was verified before
    /// is not verified again, but the time, the key set and what has ended is looked at
    /// each time.
    pub fn verify(&self, token: &str, via: Location, now: Timestamp) -> Result<Caller, TokenError> {
        let verified = self.genuine(token, now)?;
        if now > verified.claims.expires_at.plus(self.settings.leeway) {
            return Err(TokenError::Expired);
        }
        Ok(Caller::from_verified(verified, via, now))
    }

    /// Returns the caller of a token that is good, or was until it expired: for signing out, which
    /// needs no live token.
    ///
    /// # Security
    /// Let nobody do anything else with it.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), but never [`TokenError::Expired`].
    pub fn verify_even_expired(
        &self,
        token: &str,
        via: Location,
        now: Timestamp,
    ) -> Result<Caller, TokenError> {
        self.genuine(token, now)
            .map(|verified| Caller::from_verified(verified, via, now))
    }

    /// Returns what a token says that is ours, for here, of a session that goes on; it may have
    /// expired.
    fn genuine(&self, token: &str, now: Timestamp) -> Result<Arc<Verified>, TokenError> {
        if token.len() > self.settings.token_len_max {
            return Err(TokenError::Malformed);
        }
        let fingerprint = Fingerprint::of(token).ok_or(TokenError::Malformed)?;
        if let Some(verified) = self.remembered.get(&fingerprint, self.keys.epoch()) {
            self.check_now(&verified.claims, now)?;
            return Ok(verified);
        }
        let (keys, epoch) = self.keys.current_with_epoch();
        let (header, payload) = jws::verify(token, &keys)
            .map_err(|fault| self.of_a_key_that_is_gone(fault, token, now))?;
        check_type(&header)?;
        let Ok(Value::Object(members)) = json::parse(&payload, self.payload_limits()) else {
            return Err(TokenError::Malformed);
        };
        let claims = Claims::read(members)?;
        self.check_ours(&claims)?;
        self.check_now(&claims, now)?;
        let lives = now <= claims.expires_at.plus(self.settings.leeway);
        let kid = header.key(&keys)?.kid_shared();
        let verified = Arc::new(Verified { claims, kid });
        if lives {
            self.remembered
                .insert(fingerprint, Arc::clone(&verified), epoch);
        }
        Ok(verified)
    }

    /// Tells whether an unverified token is for us and good now but for its signature: whether
    /// other keys may help.
    pub(crate) fn is_plausible(&self, token: &str, now: Timestamp) -> bool {
        token.len() <= self.settings.token_len_max && self.unverified(token, now) == Ok(true)
    }

    /// Reads a token without its signature: whether it is unexpired, if it is for us otherwise.
    fn unverified(&self, token: &str, now: Timestamp) -> Result<bool, TokenError> {
        let compact = jws::Compact::split(token)?;
        check_type(&compact.header()?)?;
        let payload = compact.payload_unverified()?;
        let Ok(Value::Object(members)) = json::parse(&payload, self.payload_limits()) else {
            return Err(TokenError::Malformed);
        };
        let claims = Claims::read(members)?;
        self.check_ours(&claims)?;
        if now > claims.expires_at.plus(self.settings.leeway) {
            return Ok(false);
        }
        self.check_now(&claims, now)?;
        Ok(true)
    }

    /// A token of a key that is gone has expired long ago, when it is an honest one: its client is
    /// told to refresh, not that it is signed out. To a forger it says nothing.
    fn of_a_key_that_is_gone(&self, fault: TokenError, token: &str, now: Timestamp) -> TokenError {
        match fault {
            TokenError::UnknownKey if self.unverified(token, now) == Ok(false) => {
                TokenError::Expired
            }
            other => other,
        }
    }

    /// Returns the settings.
    #[must_use]
    pub const fn settings(&self) -> &VerifierSettings {
        &self.settings
    }

    /// Returns the ended sessions, users and tokens.
    #[must_use]
    pub const fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// Refuses from now on what was `revoked` at `at`. `until` is the moment after which none of
    /// its access tokens can be unexpired.
    pub fn learn(&self, revoked: &Revoked, at: Timestamp, until: Timestamp) {
        match revoked {
            Revoked::Session(session) => self.revocations.end_session(*session, until),
            Revoked::User(user) => self.revocations.end_user(user, at, until),
            Revoked::Token(token_id) => self.revocations.end_token(token_id, until),
            Revoked::Key(kid) => self.keys.withdraw(kid),
        }
    }

    /// Returns a future that resolves when what `caller` stands on is refused.
    pub fn until_refused(&self, caller: &Caller) -> UntilRefused {
        UntilRefused::new(
            Arc::clone(caller.verified()),
            Arc::clone(&self.revocations),
            Arc::clone(&self.keys),
        )
    }

    /// Returns the keys, to replace them.
    #[must_use]
    pub const fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    const fn payload_limits(&self) -> Limits {
        Limits {
            bytes_max: self.settings.token_len_max,
            ..Limits::TOKEN
        }
    }

    /// Checks what does not change with time: RFC 9068 §4.
    fn check_ours(&self, claims: &Claims) -> Result<(), TokenError> {
        let from_our_issuer = claims.issuer == self.settings.issuer;
        let for_us = match self.settings.audience_claim {
            AudienceClaim::Required => claims.audiences.contains(&self.settings.audience),
            AudienceClaim::Absent => claims.audiences.is_empty(),
        };
        let in_a_session =
            claims.session.is_some() || self.settings.session_claim == SessionClaim::Optional;
        let lifetime_fits = claims.expires_at >= claims.issued_at
            && claims.expires_at.since(claims.issued_at) <= self.settings.lifetime_max;
        if from_our_issuer && for_us && in_a_session && lifetime_fits {
            Ok(())
        } else {
            Err(TokenError::Invalid)
        }
    }

    /// Checks what changes with time. Expiry comes last: it is told only about tokens that are
    /// right in everything else.
    fn check_now(&self, claims: &Claims, now: Timestamp) -> Result<(), TokenError> {
        let soon = now.plus(self.settings.leeway);
        if claims.issued_at > soon || claims.not_before.is_some_and(|start| start > soon) {
            return Err(TokenError::Invalid);
        }
        if self.revocations.refuse(claims) {
            let session = claims.session.as_ref();
            let goes_on = session.is_some_and(|session| !self.revocations.has_session(session));
            // A token that was ended by itself leaves its session: its client refreshes.
            return Err(if goes_on {
                TokenError::Invalid
            } else {
                TokenError::SessionEnded
            });
        }
        Ok(())
    }
}

/// RFC 9068 §4: the type tells access tokens from all other tokens, so that no ID token or reset
/// token passes for one (RFC 8725 §3.11).
fn check_type(header: &jws::Header) -> Result<(), TokenError> {
    let media_type = header.media_type.as_deref().unwrap_or_default();
    let ours = ["at+jwt", "application/at+jwt"];
    if ours
        .iter()
        .any(|ours| ours.eq_ignore_ascii_case(media_type))
    {
        Ok(())
    } else {
        Err(TokenError::Invalid)
    }
}

#[cfg(test)]
mod tests;
