//! The claim `scope`: what a token may be used for.

use serde::{Serialize, Serializer};
use std::fmt;

/// The longest list of scopes, in bytes as it stands in a token: an access cookie has to hold it.
pub const SCOPES_LEN_MAX: usize = 512;

/// What a token may be used for (RFC 6749 §3.3): words such as `orders:read`, each once, in the
/// order in which they were given.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Scopes(String);

/// Tells why texts are not scopes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidScopes {
    /// One is empty, or has a character that no scope has.
    #[error("expected scopes of visible ASCII characters without `\"` and `\\`")]
    Characters,
    /// They are longer than [`SCOPES_LEN_MAX`].
    #[error("expected scopes of at most 512 bytes in all")]
    TooLong,
}

impl Scopes {
    /// Takes scopes, one by one. One that was given before is left out.
    ///
    /// # Errors
    /// When one of them is no scope, or they are longer than [`SCOPES_LEN_MAX`] in all.
    ///
    /// # Security
    /// No scope brings another one along: a blank in one is refused. Which scopes a caller may have
    /// is for the app to say; a list from a request is a wish.
    ///
    /// # Examples
    /// ```
    /// use hallpass_core::Scopes;
    ///
    /// let scopes = Scopes::new(["orders:read", "users:*"]).unwrap();
    /// assert_eq!(scopes.as_str(), "orders:read users:*");
    /// assert!(Scopes::new(["orders:read admin"]).is_err());
    /// ```
    pub fn new<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, InvalidScopes> {
        let mut all = Self::default();
        for scope in scopes {
            all.add(scope.as_ref())?;
        }
        Ok(all)
    }

    /// Reads scopes as they stand in a token: with one blank between. An empty text is none.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn parse(text: &str) -> Result<Self, InvalidScopes> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        Self::new(text.split(' '))
    }

    fn add(&mut self, scope: &str) -> Result<(), InvalidScopes> {
        if scope.is_empty() || !scope.bytes().all(is_scope_char) {
            return Err(InvalidScopes::Characters);
        }
        if self.iter().any(|own| own == scope) {
            return Ok(());
        }
        let blank = usize::from(!self.is_empty());
        if self.0.len() + blank + scope.len() > SCOPES_LEN_MAX {
            return Err(InvalidScopes::TooLong);
        }
        if blank == 1 {
            self.0.push(' ');
        }
        self.0.push_str(scope);
        Ok(())
    }

    /// Returns them as they stand in a token: with a blank between.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Goes through them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        // An empty text has one empty part.
        self.0.split(' ').filter(|scope| !scope.is_empty())
    }

    /// Tells whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// RFC 6749 §3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
const fn is_scope_char(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_the_rfc_is_taken_and_no_other() {
        for byte in 0..=u8::MAX {
            let is_allowed = matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            let text = char::from(byte).to_string();
            let taken = Scopes::new([text.as_str()]);
            assert_eq!(taken.is_ok(), is_allowed, "{byte:#x}");
        }
        assert_eq!(Scopes::new(["größe"]), Err(InvalidScopes::Characters));
    }

    #[test]
    fn no_scope_brings_another_one_along() {
        for smuggled in [
            "read admin",
            "read\tadmin",
            "read\nadmin",
            " read",
            "read ",
            "",
        ] {
            assert_eq!(
                Scopes::new([smuggled]),
                Err(InvalidScopes::Characters),
                "{smuggled:?}"
            );
        }
    }

    #[test]
    fn a_text_has_one_blank_between_two_scopes() {
        assert_eq!(Scopes::parse("").unwrap(), Scopes::default());
        let parsed = Scopes::parse("b a").unwrap();
        assert_eq!(parsed.iter().collect::<Vec<_>>(), ["b", "a"]);
        for wrong in [" ", "a  b", " a", "a ", "a\tb"] {
            assert_eq!(
                Scopes::parse(wrong),
                Err(InvalidScopes::Characters),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_scope_that_comes_twice_is_there_once() {
        let scopes = Scopes::new(["read", "write", "read", "Read", "rea"]).unwrap();
        assert_eq!(scopes.as_str(), "read write Read rea");
        assert_eq!(format!("{scopes:?}"), r#"["read", "write", "Read", "rea"]"#);
        assert_eq!(Scopes::parse(scopes.as_str()), Ok(scopes));
    }

    #[test]
    fn there_are_512_bytes_of_them_at_most() {
        let long = "x".repeat(SCOPES_LEN_MAX);
        assert!(Scopes::new([&long]).is_ok());
        assert_eq!(
            Scopes::new([format!("{long}x")]),
            Err(InvalidScopes::TooLong)
        );
        let (half, other) = ("x".repeat(256), "y".repeat(255));
        assert!(Scopes::new([&half, &other]).is_ok());
        assert_eq!(
            Scopes::new([half, format!("{other}y")]),
            Err(InvalidScopes::TooLong)
        );
        assert!(Scopes::new([&long, &long]).is_ok(), "each once");
    }
}
