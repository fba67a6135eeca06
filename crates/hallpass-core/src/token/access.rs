//! The claims of an access token (RFC 9068 §2.2).

use serde::Serialize;

/// What an access token says. No personal data.
#[derive(Serialize)]
pub(crate) struct AccessClaims<'a> {
    pub(crate) iss: &'a str,
    pub(crate) aud: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) sid: String,
    pub(crate) jti: String,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    pub(crate) auth_time: u64,
    pub(crate) amr: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) roles: &'a [String],
    /// The hash of the session's CSRF secret: a resource service needs no secret to check with.
    pub(crate) csh: String,
}
