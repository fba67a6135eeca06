//! The claims of an access token (RFC 9068 §2.2).

use crate::grant::{Beside, Scopes};
use crate::profile::Profile;
use crate::user::User;
use serde::Serialize;

/// What an access token says. No personal data, unless the profile has it.
#[derive(Serialize)]
pub(crate) struct AccessClaims<'a> {
    pub(crate) iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aud: Option<Audiences<'a>>,
    pub(crate) sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sid: Option<String>,
    pub(crate) jti: &'a str,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth_time: Option<u64>,
    pub(crate) amr: &'a [String],
    #[serde(skip_serializing_if = "Scopes::is_empty")]
    pub(crate) scope: &'a Scopes,
    #[serde(flatten)]
    pub(crate) about_user: AboutUser<'a>,
    /// The hash of the CSRF secret of the session, or else of the token: a resource service needs no secret to check with.
    pub(crate) csh: String,
    /// What the app says, under names that none of the others has.
    #[serde(flatten)]
    pub(crate) own: Beside<'a>,
}

/// RFC 7519 §4.1.3: one audience stands alone.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Audiences<'a> {
    One(&'a str),
    Several(&'a [String]),
}

/// What an access token says about its user.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum AboutUser<'a> {
    /// What they may do.
    Native {
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        roles: &'a [String],
    },
    /// What `authfort-service` reads instead of asking, and requires.
    AuthFort {
        /// Not there when the app keeps users of its own.
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<&'a str>,
        name: Option<&'a str>,
        roles: &'a [String],
        ver: u64,
        mfa_enabled: bool,
    },
}

/// The claim `ver` of profile [`AuthFort`](Profile::AuthFort). Elsewhere a version that counts up
/// whenever the tokens of a user are to be refused; here their sessions end instead, so it stays.
pub const TOKEN_VERSION: u64 = 0;

impl<'a> AboutUser<'a> {
    /// Returns what tokens of a profile say about a user; an app may have users of its own.
    pub(crate) fn new(profile: Profile, user: Option<&'a User>) -> Self {
        let roles = user.map_or(&[][..], |user| &user.roles);
        match profile {
            Profile::Native | Profile::FastAuth | Profile::Bluefox => Self::Native { roles },
            Profile::AuthFort => Self::AuthFort {
                email: user.map(|user| user.email.as_str()),
                name: user.and_then(|user| user.name.as_deref()),
                roles,
                ver: TOKEN_VERSION,
                mfa_enabled: false,
            },
        }
    }
}
