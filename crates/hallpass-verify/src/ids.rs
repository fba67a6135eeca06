//! Names for users and sessions. None of them is a credential.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::sync::Arc;

/// The longest user id there may be, in bytes.
pub const USER_ID_LEN_MAX: usize = 255;

/// Tells that a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct InvalidId {
    expected: &'static str,
}

/// Names a user: the claim `sub` (RFC 7519 §4.1.2). Opaque, compared byte by byte.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Arc<str>);

impl UserId {
    /// Takes a user id of 1 to [`USER_ID_LEN_MAX`] bytes without control characters.
    ///
    /// # Errors
    /// When it is empty, too long, or contains a control character.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let fits = !text.is_empty() && text.len() <= USER_ID_LEN_MAX;
        if fits && !text.chars().any(char::is_control) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId {
                expected: "a user id of 1 to 255 bytes without control characters",
            })
        }
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserId({})", self.0)
    }
}

/// Names a session: one sign-in on one device. The claim `sid`; as text, 22 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; SessionId::LEN]);

impl SessionId {
    /// The length in bytes.
    pub const LEN: usize = 16;

    /// Takes the bytes of a session id.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// When it is not the canonical base64url of 16 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let mut bytes = [0; Self::LEN];
        // The decoder refuses padding, other alphabets and trailing bits that are not zero.
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(Self::LEN) => Ok(Self(bytes)),
            _ => Err(InvalidId {
                expected: "22 characters of base64url",
            }),
        }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_has_exactly_one_text() {
        let id = SessionId::from_bytes([7; 16]);
        assert_eq!(SessionId::parse(&id.to_string()), Ok(id));
        for wrong in [
            "",
            "BwcH",
            "BwcHBwcHBwcHBwcHBwcHBx",
            "BwcHBwcHBwcHBwcHBwcHBw==",
            "!wcHBwcHBwcHBwcHBwcHBw",
        ] {
            assert!(SessionId::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_user_id_is_short_and_printable() {
        assert!(UserId::parse("user-1").is_ok());
        assert!(UserId::parse(&"u".repeat(255)).is_ok());
        for wrong in ["", "a\nb", "a\0", &"u".repeat(256)] {
            assert!(UserId::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
