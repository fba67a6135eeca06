//! Claims of the app's own.

use crate::profile::Profile;
use hallpass_verify::json::{self, JsonFault, Limits};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::fmt;

/// The most that the claims of an app may take, in bytes of JSON: an access cookie has to hold them.
pub const OWN_CLAIMS_LEN_MAX: usize = 1024;
/// The longest name of one, in bytes.
pub const OWN_CLAIM_NAME_LEN_MAX: usize = 128;
/// How many arrays and objects may lie in one another, the claims themselves among them.
pub const OWN_CLAIMS_DEPTH_MAX: usize = 16;

/// Names that mean something to whoever reads a token, or an answer of introspection: no app says
/// them in its own words.
const RESERVED: [&str; 34] = [
    // RFC 7519 §4.1.
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    // RFC 9068 §2.2, RFC 7643 §4.1.2.
    "auth_time",
    "acr",
    "amr",
    "client_id",
    "scope",
    "roles",
    "groups",
    "entitlements",
    // OpenID Connect: sessions, and what ties an ID token to its request.
    "sid",
    "nonce",
    "azp",
    "at_hash",
    "c_hash",
    // RFC 8693 §4, RFC 7800 §3, RFC 9449 §4.2, RFC 9396 §9.
    "act",
    "may_act",
    "cnf",
    "jkt",
    "htm",
    "htu",
    "ath",
    "authorization_details",
    // RFC 8417 §2.2.
    "events",
    // Of the header, and what some read in its place.
    "typ",
    // RFC 7662 §2.2: introspection says these about the token.
    "active",
    "token_type",
    "username",
    // Ours.
    "csh",
];

/// Claims of the app's own: they stand in every access token of a session, beside ours.
///
/// Everyone who holds the token can read them, and so can the services it is sent to.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct OwnClaims(Map<String, Value>);

/// Tells why claims are refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOwnClaims {
    /// The name is Hallpass's own, or means something to whoever reads tokens.
    #[error("expected another name than `{0}`: it is reserved")]
    Reserved(String),
    /// The name is empty, too long or has a character that is not visible ASCII.
    #[error("expected a name of 1 to 128 visible ASCII characters")]
    Name,
    /// They are longer than [`OWN_CLAIMS_LEN_MAX`].
    #[error("expected claims of at most 1,024 bytes of JSON")]
    TooLong,
    /// They are nested deeper than [`OWN_CLAIMS_DEPTH_MAX`].
    #[error("expected claims of at most 16 levels")]
    TooDeep,
    /// No verifier would read them: a number beyond what a double holds, or no JSON object.
    #[error("expected claims that every verifier reads")]
    Unreadable,
}

impl OwnClaims {
    /// Takes claims: names, and any JSON values.
    ///
    /// # Errors
    /// When a name is reserved or has other characters than visible ASCII, or they are too long or
    /// too deep in all.
    ///
    /// # Security
    /// No claim of the app can stand for one of ours, not even for a reader that ignores case. Put
    /// no secret into a token, and think twice about personal data.
    pub fn new(claims: Map<String, Value>) -> Result<Self, InvalidOwnClaims> {
        for name in claims.keys() {
            check_name(name)?;
        }
        let text = serde_json::to_vec(&claims).map_err(|_| InvalidOwnClaims::Unreadable)?;
        let limits = Limits {
            bytes_max: OWN_CLAIMS_LEN_MAX,
            depth_max: OWN_CLAIMS_DEPTH_MAX,
        };
        // With the reader that verifiers have: a session whose tokens none of them takes is none.
        match json::parse(&text, limits) {
            Ok(_) => Ok(Self(claims)),
            Err(JsonFault::TooLong) => Err(InvalidOwnClaims::TooLong),
            Err(JsonFault::TooDeep) => Err(InvalidOwnClaims::TooDeep),
            Err(_) => Err(InvalidOwnClaims::Unreadable),
        }
    }

    /// Adds a claim, or replaces the one of this name.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Examples
    /// ```
    /// use hallpass_core::OwnClaims;
    ///
    /// let claims = OwnClaims::default().with("tenant", "acme").unwrap().with("seats", 12).unwrap();
    /// assert_eq!(claims.get("tenant").and_then(|tenant| tenant.as_str()), Some("acme"));
    /// assert!(claims.with("sub", "somebody else").is_err());
    /// ```
    pub fn with(
        self,
        name: impl Into<String>,
        value: impl Into<Value>,
    ) -> Result<Self, InvalidOwnClaims> {
        let mut claims = self.0;
        claims.insert(name.into(), value.into());
        Self::new(claims)
    }

    /// Reads claims that a store kept. What is reserved by now is left out: a session that was
    /// opened before goes on.
    ///
    /// # Errors
    /// When the text is no JSON object.
    pub fn from_stored(text: &str) -> Result<Self, InvalidOwnClaims> {
        let claims: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| InvalidOwnClaims::Unreadable)?;
        let kept = claims
            .into_iter()
            .filter(|(name, _)| check_name(name).is_ok());
        Ok(Self(kept.collect()))
    }

    /// Returns a claim.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Goes through the claims.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the first name that tokens of a profile have already.
    pub(crate) fn taken_by(&self, profile: Profile) -> Option<&str> {
        self.0
            .keys()
            .map(String::as_str)
            .find(|name| is_taken_by(name, profile))
    }

    /// Returns them as they stand beside the claims of a profile. A name that the profile writes is
    /// left out: the deployment may have had another profile when the session was opened, and
    /// nobody reads a token that says one thing twice.
    pub(crate) const fn beside(&self, profile: Profile) -> Beside<'_> {
        Beside {
            claims: self,
            profile,
        }
    }
}

/// Compares without case: there are readers that find `sub` in `Sub`.
fn is_taken_by(name: &str, profile: Profile) -> bool {
    let written = profile.claims().iter();
    written
        .copied()
        .any(|taken| taken.eq_ignore_ascii_case(name))
}

fn check_name(name: &str) -> Result<(), InvalidOwnClaims> {
    // ASCII alone: to readers that fold case, `ſub` is `sub` as well.
    let fits = (1..=OWN_CLAIM_NAME_LEN_MAX).contains(&name.len());
    if !fits || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(InvalidOwnClaims::Name);
    }
    if RESERVED
        .iter()
        .any(|taken| taken.eq_ignore_ascii_case(name))
    {
        return Err(InvalidOwnClaims::Reserved(name.to_owned()));
    }
    Ok(())
}

/// Shows the names, not what is said: it may be about a person.
impl fmt::Debug for OwnClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Serialize for OwnClaims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Claims beside those of a profile.
pub(crate) struct Beside<'a> {
    claims: &'a OwnClaims,
    profile: Profile,
}

impl Serialize for Beside<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let own = self.claims.iter();
        serializer.collect_map(own.filter(|(name, _)| !is_taken_by(name, self.profile)))
    }
}

#[cfg(test)]
mod tests;
