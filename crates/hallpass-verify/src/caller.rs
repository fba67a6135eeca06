//! The proof that a token was verified.

use crate::problem::{Code, Problem};
use crate::scope::covers;
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
    at: Timestamp,
}

/// What a verified token says, and what verified it.
pub(crate) struct Verified {
    pub(crate) claims: Claims,
    /// The id of the key that signed it.
    pub(crate) kid: Arc<str>,
}

const INSUFFICIENT_SCOPE: Problem = Problem::new(Code::InsufficientScope);

impl Caller {
    /// Makes the proof. For the verifier alone.
    pub(crate) const fn from_verified(
        verified: Arc<Verified>,
        location: Location,
        at: Timestamp,
    ) -> Self {
        Self {
            verified,
            location,
            at,
        }
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

    /// Returns when the token was verified: the time of the request.
    #[must_use]
    pub const fn verified_at(&self) -> Timestamp {
        self.at
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

    /// Tells whether the token has this scope, or a wider one.
    ///
    /// A scope of the token's that ends in `:*` covers its namespace and everything under it:
    /// `orders:*` covers `orders`, `orders:read` and `orders:read:own`. Nothing else is a wildcard:
    /// not a lone `*`, and not one in `scope`, which is asked for as it stands.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.claims().scopes.iter().any(|own| covers(own, scope))
    }

    /// Asks for a role.
    ///
    /// # Errors
    /// The answer `insufficient_scope`, for `?` in a handler.
    pub fn require_role(&self, role: &str) -> Result<(), Problem> {
        self.has_role(role).then_some(()).ok_or(INSUFFICIENT_SCOPE)
    }

    /// Asks for a scope, or a wider one: see [`has_scope`](Self::has_scope).
    ///
    /// # Errors
    /// The answer `insufficient_scope`, for `?` in a handler.
    pub fn require_scope(&self, scope: &str) -> Result<(), Problem> {
        self.require_every_scope(&[scope])
    }

    /// Asks for all of these scopes. For none at all everybody has enough.
    ///
    /// # Errors
    /// The answer `insufficient_scope`, for `?` in a handler.
    pub fn require_every_scope(&self, scopes: &[&str]) -> Result<(), Problem> {
        let granted = scopes.iter().all(|scope| self.has_scope(scope));
        granted.then_some(()).ok_or(INSUFFICIENT_SCOPE)
    }

    /// Asks for one of these scopes, whichever. Of none at all nobody has one.
    ///
    /// # Errors
    /// The answer `insufficient_scope`, for `?` in a handler.
    pub fn require_any_scope(&self, scopes: &[&str]) -> Result<(), Problem> {
        let granted = scopes.iter().any(|scope| self.has_scope(scope));
        granted.then_some(()).ok_or(INSUFFICIENT_SCOPE)
    }

    /// Asks that the user proved who they are at most this long before the request. A refresh is
    /// no such proof.
    ///
    /// # Errors
    /// The answer `fresh_required` (RFC 9470 §3), for `?` in a handler: also when the token does
    /// not tell.
    pub fn require_fresh(&self, within: Duration) -> Result<(), Problem> {
        let proved_at = self.authenticated_at();
        let is_fresh = proved_at.is_some_and(|proved_at| self.at.since(proved_at) <= within);
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
