//! The proof that a token was verified.

use crate::problem::{Code, Problem};
use crate::{Claims, Location, SessionId, Timestamp, UserId, json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The verified identity behind a request.
///
/// Only a [`Verifier`](crate::Verifier) makes one, so whoever holds a caller may rely on it:
/// signature, issuer, audience, time and type were right, and the session had not ended.
#[derive(Clone)]
pub struct Caller {
    verified: Arc<Verified>,
    location: Location,
}

/// What a verified token says, and what verified it.
pub(crate) struct Verified {
    pub(crate) claims: Claims,
    /// The id of the key that signed it.
    pub(crate) kid: Arc<str>,
}

impl Caller {
    /// Makes the proof. For the verifier alone.
    pub(crate) const fn from_verified(verified: Arc<Verified>, location: Location) -> Self {
        Self { verified, location }
    }

    pub(crate) const fn verified(&self) -> &Arc<Verified> {
        &self.verified
    }

    /// Returns who is calling.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.claims().subject
    }

    /// Returns the user id as text: the claim `sub`.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.claims().subject.as_str()
    }

    /// Returns the session, if the token belongs to one.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.claims().session
    }

    /// Returns where the token was found.
    #[must_use]
    pub const fn location(&self) -> Location {
        self.location
    }

    /// Returns what the token may be used for.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.claims().scopes
    }

    /// Returns the user's roles.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.claims().roles
    }

    /// Tells whether the user has exactly this role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.claims().roles.iter().any(|own| own == role)
    }

    /// Tells whether the token has exactly this scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.claims().scopes.iter().any(|own| own == scope)
    }

    /// Asks for a role.
    ///
    /// # Errors
    /// The answer `insufficient_scope`, for `?` in a handler.
    pub fn require_role(&self, role: &str) -> Result<(), Problem> {
        let granted = self.has_role(role).then_some(());
        granted.ok_or(Problem::new(Code::InsufficientScope))
    }

    /// Asks for a scope.
    ///
    /// # Errors
    /// The answer `insufficient_scope`, for `?` in a handler.
    pub fn require_scope(&self, scope: &str) -> Result<(), Problem> {
        let granted = self.has_scope(scope).then_some(());
        granted.ok_or(Problem::new(Code::InsufficientScope))
    }

    /// Asks that the user proved who they are at most this long before `now`. A refresh is no
    /// such proof.
    ///
    /// # Errors
    /// The answer `fresh_required` (RFC 9470 §3), for `?` in a handler: also when the token does
    /// not tell.
    pub fn require_fresh(&self, within: Duration, now: Timestamp) -> Result<(), Problem> {
        let is_fresh = self
            .authenticated_at()
            .is_some_and(|proved_at| now.since(proved_at) <= within);
        is_fresh
            .then_some(())
            .ok_or(Problem::new(Code::FreshRequired))
    }

    /// Returns the name of the token: the claim `jti`.
    #[must_use]
    pub fn token_id(&self) -> &str {
        &self.claims().token_id
    }

    /// Returns when the token expires.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.claims().expires_at
    }

    /// Returns when the user last proved who they are, if the token tells.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.claims().authenticated_at
    }

    /// Returns how the user proved who they are: the claim `amr`.
    #[must_use]
    pub fn methods(&self) -> &[String] {
        &self.claims().methods
    }

    /// Returns a claim of the app's own.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&json::Value> {
        self.claims().others.get(name)
    }

    /// Returns everything the token says.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.verified.claims
    }
}

/// Shows who and which session, not what else the token says.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("user", self.user())
            .field("session", &self.session())
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}
