//! What an app may ask of tokens: scopes, claims of its own, lifetimes.

mod own_claims;
mod scopes;

pub(crate) use own_claims::Beside;
pub use own_claims::{
    InvalidOwnClaims, OWN_CLAIM_NAME_LEN_MAX, OWN_CLAIMS_DEPTH_MAX, OWN_CLAIMS_LEN_MAX, OwnClaims,
};
pub use scopes::{InvalidScopes, SCOPES_LEN_MAX, Scopes};

use crate::settings::{LIFETIME_MAX, Lifetimes};
use std::time::Duration;

/// The shortest lifetime that an app may ask for.
pub const TTL_MIN: Duration = Duration::from_secs(10);

/// The most that the roles of a user may take, in bytes of JSON: an access cookie has to hold them
/// beside what an app says, and a session whose token does not fit could not be renewed.
pub const ROLES_LEN_MAX: usize = 1024;

/// Why an app does not get the tokens it asked for: a fault of its code or its settings, never of
/// the client.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantFault {
    /// A session cannot live as long as that.
    #[error(
        "expected a session of at least 10 seconds idle and at most 400 days in all, and no longer idle than in all"
    )]
    Lifetimes,
    /// Tokens of this profile have a claim of this name already.
    #[error("expected other claims: `{0}` is written by the profile")]
    ClaimOfProfile(String),
    /// The settings have no tokens that belong to no session.
    #[error("expected a setting that allows tokens without a session: tokens.sessionless_ttl_max")]
    Sessionless,
    /// A token without a session cannot live as long as that.
    #[error("expected a token of 10 seconds to tokens.sessionless_ttl_max")]
    Lifetime,
    /// A token cannot be for these.
    #[error(
        "expected audiences without control characters, of at most 512 bytes in all, and none where tokens name none"
    )]
    Audiences,
    /// A user cannot have as many roles as that.
    #[error(
        "expected roles of at most 1,024 bytes of JSON in all: an access cookie has to hold them"
    )]
    Roles,
    /// Nobody has proved yet what they will prove: a token that says so would be fresh for ever.
    #[error("expected a proof that is not of the future")]
    ProofOfTheFuture,
}

/// Makes sure that access tokens can hold the roles of a user.
pub(crate) fn check_roles(roles: &[String]) -> Result<(), GrantFault> {
    let len = serde_json::to_vec(roles).map_or(usize::MAX, |text| text.len());
    (len <= ROLES_LEN_MAX)
        .then_some(())
        .ok_or(GrantFault::Roles)
}

/// Checks the lifetimes of one session.
pub(crate) fn check_lifetimes(lifetimes: Lifetimes) -> Result<Lifetimes, GrantFault> {
    let fits = lifetimes.idle >= TTL_MIN
        && lifetimes.idle <= lifetimes.absolute
        && lifetimes.absolute <= LIFETIME_MAX;
    fits.then_some(lifetimes).ok_or(GrantFault::Lifetimes)
}
