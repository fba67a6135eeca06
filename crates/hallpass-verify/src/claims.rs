//! The claims of an access token (RFC 9068 §2.2), each of the right type.

use crate::json::{Object, Value};
use crate::{SessionId, Timestamp, TokenError, UserId};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest token id, in bytes.
pub const TOKEN_ID_LEN_MAX: usize = 255;

/// The last moment a claim may name: the end of the year 9999, in seconds.
const DATE_MAX_SECONDS: u64 = 253_402_300_799;

/// What a verified access token says.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Claims {
    /// `iss`: who issued the token.
    pub issuer: String,
    /// `aud`: whom the token is for. We are among them; empty when the token does not say.
    pub audiences: Vec<String>,
    /// `sub`: the user.
    pub subject: UserId,
    /// `sid`: the session.
    pub session: Option<SessionId>,
    /// `jti`: the name of this token.
    pub token_id: String,
    /// `iat`: when the token was issued.
    pub issued_at: Timestamp,
    /// `exp`: when the token expires.
    pub expires_at: Timestamp,
    /// `nbf`: before this the token is not good yet.
    pub not_before: Option<Timestamp>,
    /// `auth_time`: when the user last proved who they are.
    pub authenticated_at: Option<Timestamp>,
    /// `amr`: how the user proved it (RFC 8176).
    pub methods: Vec<String>,
    /// `scope`: what the token may be used for.
    pub scopes: Vec<String>,
    /// `roles`: the user's roles.
    pub roles: Vec<String>,
    /// `csh`: the SHA-256 of the session's CSRF secret.
    pub csrf_hash: Option<[u8; 32]>,
    /// All other claims: the app's own.
    pub others: Object,
}

impl Claims {
    /// Reads claims. Whether they are ours, and the time, is decided by the verifier.
    ///
    /// Each known claim must be of its type: a claim of the wrong type is an error, never an
    /// absent claim (CVE-2026-25537).
    pub(crate) fn read(mut members: Object) -> Result<Self, TokenError> {
        let mut take = |name| Claim(members.remove(name));
        let claims = Self {
            issuer: take("iss").required()?.string()?,
            audiences: take("aud")
                .optional(Present::audiences)?
                .unwrap_or_default(),
            subject: UserId::parse(&take("sub").required()?.string()?).map_err(invalid)?,
            session: take("sid")
                .optional(|claim| SessionId::parse(&claim.string()?).map_err(invalid))?,
            token_id: take("jti").required()?.token_id()?,
            issued_at: take("iat").required()?.date()?,
            expires_at: take("exp").required()?.date()?,
            not_before: take("nbf").optional(Present::date)?,
            authenticated_at: take("auth_time").optional(Present::date)?,
            methods: take("amr").optional(Present::strings)?.unwrap_or_default(),
            scopes: take("scope").optional(Present::words)?.unwrap_or_default(),
            roles: take("roles")
                .optional(Present::strings)?
                .unwrap_or_default(),
            csrf_hash: take("csh").optional(Present::hash)?,
            others: Object::default(),
        };
        Ok(Self {
            others: members,
            ..claims
        })
    }
}

/// A claim that may be there.
struct Claim(Option<Value>);

impl Claim {
    fn required(self) -> Result<Present, TokenError> {
        self.0.map(Present).ok_or(TokenError::Invalid)
    }

    fn optional<T>(
        self,
        read: impl FnOnce(Present) -> Result<T, TokenError>,
    ) -> Result<Option<T>, TokenError> {
        self.0.map(|value| read(Present(value))).transpose()
    }
}

/// A claim that is there.
struct Present(Value);

impl Present {
    fn string(self) -> Result<String, TokenError> {
        if let Value::String(text) = self.0 {
            Ok(text)
        } else {
            Err(TokenError::Invalid)
        }
    }

    fn strings(self) -> Result<Vec<String>, TokenError> {
        let Value::Array(elements) = self.0 else {
            return Err(TokenError::Invalid);
        };
        elements
            .into_iter()
            .map(|element| Self(element).string())
            .collect()
    }

    /// RFC 7519 §4.1.3: one string, or an array of strings. For nobody is not the same as absent.
    fn audiences(self) -> Result<Vec<String>, TokenError> {
        if let Value::String(one) = self.0 {
            return Ok(vec![one]);
        }
        let audiences = self.strings()?;
        if audiences.is_empty() {
            return Err(TokenError::Invalid);
        }
        Ok(audiences)
    }

    /// RFC 6749 §3.3: words with blanks between.
    fn words(self) -> Result<Vec<String>, TokenError> {
        let text = self.string()?;
        Ok(text
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect())
    }

    fn token_id(self) -> Result<String, TokenError> {
        let text = self.string()?;
        let fits = !text.is_empty() && text.len() <= TOKEN_ID_LEN_MAX;
        if fits {
            Ok(text)
        } else {
            Err(TokenError::Invalid)
        }
    }

    /// RFC 7519 §2: seconds since the epoch. Fractions are rounded down.
    fn date(self) -> Result<Timestamp, TokenError> {
        let Value::Number(number) = self.0 else {
            return Err(TokenError::Invalid);
        };
        let seconds = match (number.as_u64(), number.as_f64()) {
            (Some(whole), _) => whole,
            (None, Some(fraction)) => floor(fraction).ok_or(TokenError::Invalid)?,
            (None, None) => return Err(TokenError::Invalid),
        };
        if seconds > DATE_MAX_SECONDS {
            return Err(TokenError::Invalid);
        }
        Ok(Timestamp::from_seconds(seconds))
    }

    fn hash(self) -> Result<[u8; 32], TokenError> {
        let mut hash = [0; 32];
        match URL_SAFE_NO_PAD.decode_slice(self.string()?, &mut hash) {
            Ok(32) => Ok(hash),
            _ => Err(TokenError::Invalid),
        }
    }
}

/// Rounds a date down; `None` when it is negative or beyond the year 9999.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within 0 and 10¹², checked in the line before"
)]
fn floor(seconds: f64) -> Option<u64> {
    (0.0..1e12).contains(&seconds).then_some(seconds as u64)
}

fn invalid<E>(_: E) -> TokenError {
    TokenError::Invalid
}

#[cfg(test)]
mod tests;
