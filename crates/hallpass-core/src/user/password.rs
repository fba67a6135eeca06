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

/// Looks a password up among 11,611 common ones, without case. Where they come from and under which
/// licence is in `common_passwords.LICENSE.txt`.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str) -> Result<String, PasswordFault> {
        Password::chosen(text).map(|password| password.expose().to_owned())
    }

    /// A password of so many characters that is not common.
    fn of_len(len: usize) -> String {
        "vxqjmzkrtw".chars().cycle().take(len).collect()
    }

    #[test]
    fn pw_04_a_new_password_has_8_code_points_to_1024_bytes() {
        assert_eq!(chosen(""), Err(PasswordFault::TooShort));
        assert_eq!(chosen(&of_len(7)), Err(PasswordFault::TooShort));
        for len in [8, 14, 15, 64, 128, 1024] {
            assert_eq!(chosen(&of_len(len)), Ok(of_len(len)), "{len}");
        }
        for len in [1025, 10_000, 1 << 20] {
            assert_eq!(chosen(&of_len(len)), Err(PasswordFault::TooLong), "{len}");
        }
        // Code points count, not bytes: seven foxes are 28 bytes and too short.
        assert_eq!(
            chosen("\u{1f98a}\u{1f40d}\u{1f995}\u{1f981}\u{1f428}\u{1f43c}\u{1f998}"),
            Err(PasswordFault::TooShort)
        );
        assert!(
            chosen("\u{1f98a}\u{1f40d}\u{1f995}\u{1f981}\u{1f428}\u{1f43c}\u{1f998}\u{1f9a5}")
                .is_ok()
        );
    }

    #[test]
    fn a_password_has_1024_bytes_at_most_after_normalisation_too() {
        // U+0958 is three bytes as typed and six in form C: it is excluded from composition.
        let typed = "\u{958}".repeat(300);
        assert_eq!(typed.len(), 900);
        assert_eq!(chosen(&typed), Err(PasswordFault::TooLong));
        assert!(matches!(
            Password::presented(&typed),
            Err(PasswordFault::TooLong)
        ));
    }

    #[test]
    fn a_password_is_the_same_however_the_keyboard_composes_it() {
        assert_eq!(
            chosen("cafe\u{301}-au-lait-9").unwrap(),
            "caf\u{e9}-au-lait-9"
        );
        // Form C, not KC: a ligature is not its letters.
        assert_ne!(
            chosen("\u{fb01}nd-the-fox").unwrap(),
            chosen("find-the-fox").unwrap()
        );
    }

    #[test]
    fn nothing_is_trimmed_cut_or_folded() {
        for text in [
            " vxqjmzkr ",
            "\tvxqjmzkr",
            "VxQjMzKr",
            "vxqj\0mzkr",
            "vxqj\u{feff}mzkr",
        ] {
            assert_eq!(chosen(text).unwrap(), text);
        }
    }

    #[test]
    fn pw_05_every_common_password_is_refused_in_any_case() {
        let listed = include_str!("common_passwords.txt").lines();
        let mut count = 0;
        for common in listed.filter(|common| common.chars().count() >= PASSWORD_LEN_MIN) {
            assert_eq!(chosen(common), Err(PasswordFault::TooCommon), "{common}");
            let upper = common.to_uppercase();
            if upper.to_lowercase() == common {
                assert_eq!(chosen(&upper), Err(PasswordFault::TooCommon), "{upper}");
            }
            count += 1;
        }
        assert!(count >= 3_000, "{count} common passwords");
    }

    #[test]
    fn repetitions_of_one_character_or_of_a_common_password_are_refused() {
        for text in [
            "aaaaaaaa",
            "\u{1f98a}\u{1f98a}\u{1f98a}\u{1f98a}\u{1f98a}\u{1f98a}\u{1f98a}\u{1f98a}",
            "passwordpassword",
            "PasswordPasswordPassword",
        ] {
            assert_eq!(chosen(text), Err(PasswordFault::TooCommon), "{text}");
        }
        assert!(chosen("vxqjmzkrvxqjmzkr").is_ok());
    }

    #[test]
    fn a_presented_password_may_be_short_or_common() {
        for text in ["", "a", "password"] {
            assert_eq!(Password::presented(text).unwrap().expose(), text);
        }
    }

    #[test]
    fn kl_08_a_password_and_its_hash_do_not_print_themselves() {
        assert_eq!(
            format!("{:?}", Password::presented("vxqjmzkr").unwrap()),
            "Password(redacted)"
        );
        assert_eq!(
            format!("{:?}", PasswordHash::new("$argon2id$".into())),
            "PasswordHash(redacted)"
        );
    }
}
