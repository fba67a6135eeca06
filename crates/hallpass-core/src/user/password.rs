//! Passwords: what may be one, and what is stored of it.

use hallpass_verify::secret_text;
use std::collections::HashSet;
use std::sync::OnceLock;
use unicode_normalization::UnicodeNormalization as _;

/// The shortest password, in code points.
pub const PASSWORD_LEN_MIN: usize = 8;
/// The longest password, in bytes after normalisation. Longer ones are refused, never cut.
pub const PASSWORD_LEN_MAX: usize = 1024;

secret_text! {
    /// A password as typed, in Unicode normalisation form C.
    ///
    /// It is compared whole: nothing is trimmed, cut or folded.
    Password
}

secret_text! {
    /// What is stored of a password: a PHC string with algorithm, parameters, salt and hash.
    PasswordHash
}

/// Why a text cannot be a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// It has fewer than [`PASSWORD_LEN_MIN`] code points.
    #[error("expected a password of at least 8 characters")]
    TooShort,
    /// It has more than [`PASSWORD_LEN_MAX`] bytes.
    #[error("expected a password of at most 1,024 bytes")]
    TooLong,
    /// It is on the list of the most common passwords.
    #[error("expected a password that is not among the most common ones")]
    TooCommon,
}

impl Password {
    /// Takes a password to be checked against a stored one. Only the length is limited.
    ///
    /// # Errors
    /// [`PasswordFault::TooLong`].
    pub fn presented(text: &str) -> Result<Self, PasswordFault> {
        if text.len() > PASSWORD_LEN_MAX {
            return Err(PasswordFault::TooLong);
        }
        let normal: String = text.nfc().collect();
        if normal.len() > PASSWORD_LEN_MAX {
            return Err(PasswordFault::TooLong);
        }
        Ok(Self::new(normal))
    }

    /// Takes a password that a user wants to have.
    ///
    /// # Errors
    /// When it is too short, too long or too common. There are no rules of composition
    /// (NIST SP 800-63B-4 §3.1.1.2).
    pub fn chosen(text: &str) -> Result<Self, PasswordFault> {
        let password = Self::presented(text)?;
        if password.expose().chars().count() < PASSWORD_LEN_MIN {
            return Err(PasswordFault::TooShort);
        }
        if is_common(password.expose()) {
            return Err(PasswordFault::TooCommon);
        }
        Ok(password)
    }
}

fn is_common(password: &str) -> bool {
    static COMMON: OnceLock<HashSet<&'static str>> = OnceLock::new();
    let common = COMMON.get_or_init(|| include_str!("common_passwords.txt").lines().collect());
    let lower = password.to_lowercase();
    common.contains(lower.as_str()) || is_repetition(&lower, common)
}

/// Tells whether the text is one character, or one common password, over and over.
fn is_repetition(text: &str, common: &HashSet<&str>) -> bool {
    let mut chars = text.chars();
    let first = chars.next();
    if chars.all(|other| Some(other) == first) {
        return true;
    }
    (2..=4)
        .filter(|parts| text.len().is_multiple_of(*parts))
        .any(|parts| {
            let unit = text.get(..text.len() / parts);
            unit.is_some_and(|unit| common.contains(unit) && unit.repeat(parts) == text)
        })
}
