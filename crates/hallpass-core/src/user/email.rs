//! E-mail addresses: parsed once, kept as typed, compared without case.

use std::fmt;

/// The longest address, in bytes (RFC 5321 §4.5.3.1.3, without the angle brackets).
pub const EMAIL_LEN_MAX: usize = 254;
const LOCAL_LEN_MAX: usize = 64;

/// Tells that a text is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an e-mail address such as name@example.com")]
pub struct InvalidEmail;

/// An e-mail address as the user typed it.
///
/// The rule is narrower than RFC 5322: ASCII, an unquoted local part, a domain of at least two
/// labels. So no address can break a header, and no two addresses differ only by look-alikes.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

/// The form in which two addresses are compared: all of it in lower case.
///
/// Domains ignore case; nearly every mail host ignores it in the local part too, so two users
/// whose addresses differ in case alone would read each other's mail.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailKey(String);

impl Email {
    /// Takes an e-mail address; blanks around it are dropped.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim_matches(' ');
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        if text.len() <= EMAIL_LEN_MAX && is_local_part(local) && is_domain(domain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidEmail)
        }
    }

    /// Returns the address as typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the form in which addresses are compared.
    #[must_use]
    pub fn key(&self) -> EmailKey {
        EmailKey(self.0.to_ascii_lowercase())
    }
}

impl EmailKey {
    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// RFC 5321 §4.1.2 Dot-string.
fn is_local_part(local: &str) -> bool {
    local.len() <= LOCAL_LEN_MAX
        && local.split('.').all(|atom| {
            !atom.is_empty()
                && atom.bytes().all(|byte| {
                    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
                })
        })
}

// RFC 1035 §2.3.1, with digits allowed in front (RFC 1123 §2.1).
fn is_domain(domain: &str) -> bool {
    domain.contains('.')
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// Personal data: the log gets the user's id instead.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(redacted)")
    }
}

impl fmt::Debug for EmailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_as_typed_and_compared_without_case() {
        let typed = Email::parse(" Alice@Example.TEST ").unwrap();
        assert_eq!(typed.as_str(), "Alice@Example.TEST");
        assert_eq!(
            typed.key(),
            Email::parse("alice@example.test").unwrap().key()
        );
        assert_ne!(
            typed.key(),
            Email::parse("alice+1@example.test").unwrap().key()
        );
    }

    #[test]
    fn pw_13_and_pw_15_look_alikes_and_line_breaks_are_refused() {
        for wrong in [
            "",
            "@",
            "a",
            "a@b",
            "a@@b.c",
            ".a@b.c",
            "a.@b.c",
            "a..b@b.c",
            "a@-b.c",
            "a@b-.c",
            "a@b..c",
            "a b@c.d",
            "a@b.c\r\nBcc: d@e.f",
            "\"a b\"@c.d",
            "a\u{131}@b.c",
            "\u{212a}@b.c",
            "a@b.\u{212a}",
            "a\0@b.c",
            "<a@b.c>",
            "a@[127.0.0.1]",
        ] {
            assert!(Email::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(Email::parse(&format!("{}@b.cd", "a".repeat(64))).is_ok());
        assert!(Email::parse(&format!("{}@b.cd", "a".repeat(65))).is_err());
        assert!(Email::parse(&format!("a@{}cd", "b.".repeat(126))).is_err());
    }
}
