//! The CSRF token: proves that a request that rides on a cookie was made by our own page.
//!
//! A session has one CSRF secret. On the wire it is masked with fresh bytes each time, so that a
//! compressed answer leaks nothing about it (the BREACH attack), and every value ever handed out
//! stays good as long as the session. A verifier knows only the hash of the secret, from the
//! access token's claim `csh`.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use constant_time_eq::constant_time_eq_32;
use std::fmt;
use zeroize::Zeroizing;

const LEN: usize = 32;

crate::secret_text! {
    /// A CSRF token as it travels: 86 characters of base64url.
    CsrfToken
}

/// A session's CSRF secret.
pub struct CsrfSecret(Zeroizing<[u8; LEN]>);

impl CsrfSecret {
    /// Takes the secret's bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns what a verifier has to know.
    #[must_use]
    pub fn hash(&self) -> CsrfHash {
        CsrfHash::of(&self.0)
    }

    /// Returns a token for the wire, masked with `mask`: 32 fresh random bytes.
    #[must_use]
    pub fn mask(&self, mask: [u8; LEN]) -> CsrfToken {
        let mut wire = Zeroizing::new([0; 2 * LEN]);
        let (left, right) = wire.split_at_mut(LEN);
        left.copy_from_slice(&mask);
        right.copy_from_slice(xor(&mask, &self.0).as_slice());
        CsrfToken::new(URL_SAFE_NO_PAD.encode(wire.as_slice()))
    }
}

impl fmt::Debug for CsrfSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfSecret(redacted)")
    }
}

/// The SHA-256 of a session's CSRF secret: the claim `csh`. Tokens cannot be made from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CsrfHash([u8; LEN]);

impl CsrfHash {
    /// Takes the hash's bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; LEN]) -> Self {
        Self(bytes)
    }

    /// Returns the hash's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; LEN] {
        &self.0
    }

    fn of(secret: &[u8; LEN]) -> Self {
        let mut bytes = [0; LEN];
        bytes.copy_from_slice(digest(&SHA256, secret).as_ref());
        Self(bytes)
    }
}

/// Tells whether `presented` is a token of the session whose secret has this hash.
///
/// # Security
/// The comparison takes the same time wherever the difference is. What is not the canonical
/// base64url of 64 bytes is refused before.
#[must_use]
pub fn check(presented: &str, hash: &CsrfHash) -> bool {
    let mut wire = Zeroizing::new([0; 2 * LEN]);
    match URL_SAFE_NO_PAD.decode_slice(presented, wire.as_mut_slice()) {
        Ok(len) if len == wire.len() => {}
        _ => return false,
    }
    let (Some(mask), Some(masked)) = (wire.first_chunk::<LEN>(), wire.last_chunk::<LEN>()) else {
        return false;
    };
    constant_time_eq_32(&CsrfHash::of(&xor(mask, masked)).0, &hash.0)
}

fn xor(left: &[u8; LEN], right: &[u8; LEN]) -> Zeroizing<[u8; LEN]> {
    let mut out = Zeroizing::new(*left);
    for (byte, other) in out.iter_mut().zip(right) {
        *byte ^= other;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_of_a_session_is_good_and_no_two_look_alike() {
        let secret = CsrfSecret::from_bytes([7; LEN]);
        let (one, two) = (secret.mask([1; LEN]), secret.mask([2; LEN]));
        assert_ne!(one.expose(), two.expose());
        for token in [one, two, secret.mask([0; LEN]), secret.mask([255; LEN])] {
            assert_eq!(token.expose().len(), 86);
            assert!(check(token.expose(), &secret.hash()));
        }
    }

    #[test]
    fn the_wire_form_is_the_mask_and_the_masked_secret() {
        let token = CsrfSecret::from_bytes([0b0110; LEN]).mask([0b0101; LEN]);
        let wire = URL_SAFE_NO_PAD.decode(token.expose()).unwrap();
        assert_eq!(wire, [[0b0101; LEN], [0b0011; LEN]].concat());
    }

    #[test]
    fn cs_10_a_token_of_another_session_is_refused() {
        let mine = CsrfSecret::from_bytes([7; LEN]);
        let theirs = CsrfSecret::from_bytes([8; LEN]);
        assert!(!check(theirs.mask([1; LEN]).expose(), &mine.hash()));
        assert!(!check(&URL_SAFE_NO_PAD.encode([0; 64]), &mine.hash()));
    }

    #[test]
    fn a_token_with_any_other_character_is_refused() {
        let secret = CsrfSecret::from_bytes([7; LEN]);
        let token = secret.mask([1; LEN]);
        for at in 0..86 {
            let mut wrong = token.expose().as_bytes().to_vec();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            assert!(
                !check(std::str::from_utf8(&wrong).unwrap(), &secret.hash()),
                "{at}"
            );
        }
    }

    #[test]
    fn a_text_of_another_form_is_refused() {
        let secret = CsrfSecret::from_bytes([7; LEN]);
        let token = secret.mask([0xfb; LEN]);
        let token = token.expose();
        let plain = URL_SAFE_NO_PAD.encode([7; LEN]);
        let hash = URL_SAFE_NO_PAD.encode(secret.hash().as_bytes());
        let others = [
            String::new(),
            plain,
            hash,
            token[..85].into(),
            format!("{token}A"),
            format!("{token}=="),
            format!(" {token}"),
            format!("{token}\n"),
            token.replace('-', "+").replace('_', "/"),
            "é".repeat(43),
        ];
        for other in others {
            assert!(!check(&other, &secret.hash()), "{other:?}");
        }
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = CsrfSecret::from_bytes([7; LEN]);
        assert_eq!(format!("{secret:?}"), "CsrfSecret(redacted)");
        assert_eq!(
            format!("{:?}", secret.mask([0; LEN])),
            "CsrfToken(redacted)"
        );
    }
}
