//! Refresh tokens: opaque, single use, made again rather than kept.
//!
//! `hpr_` + base64url(version 1 B · session id 16 B · generation 4 B · HMAC-SHA-256 32 B)
//!
//! Garbage is refused before any store is asked. A stolen database contains nothing that can be
//! presented. The successor can be made again, which is what makes a refresh retryable. And the
//! key depends on where the token travels: one that was handed out in a cookie is garbage in a
//! body, and the other way round.

use crate::delivery::Carrier;
use crate::key::{KeyError, Purpose, RootKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_verify::{SessionId, secret_text};

const PREFIX: &str = "hpr_";
const VERSION: u8 = 1;
const SIGNED_LEN: usize = 1 + SessionId::LEN + 4;
const BYTES_LEN: usize = SIGNED_LEN + 32;

/// The length of a refresh token, in characters.
pub const REFRESH_TOKEN_LEN: usize = PREFIX.len() + (BYTES_LEN * 4).div_ceil(3);

secret_text! {
    /// A refresh token as it travels: renews a session, once.
    RefreshToken
}

/// A refresh token whose MAC is right: we made it, for this session and generation.
///
/// It may still be old, used, or of a session that is over: that is for the refresh to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PresentedRefresh {
    session: SessionId,
    generation: u32,
    carrier: Carrier,
}

impl PresentedRefresh {
    /// Returns the session it renews.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// Returns where it travelled.
    #[must_use]
    pub const fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// Returns the newer one of two tokens of one session.
    #[must_use]
    pub fn newer(self, other: Self) -> Self {
        if other.generation > self.generation {
            other
        } else {
            self
        }
    }

    pub(crate) const fn generation(&self) -> u32 {
        self.generation
    }
}

/// The keys that make and check refresh tokens.
#[derive(Debug)]
pub(crate) struct RefreshKeys {
    cookie: hmac::Key,
    body: hmac::Key,
}

impl RefreshKeys {
    pub(crate) fn new(root: &RootKey) -> Result<Self, KeyError> {
        Ok(Self {
            cookie: root.mac_key(Purpose::RefreshInCookie)?,
            body: root.mac_key(Purpose::RefreshInBody)?,
        })
    }

    const fn key(&self, carrier: Carrier) -> &hmac::Key {
        match carrier {
            Carrier::Cookie => &self.cookie,
            Carrier::Body => &self.body,
        }
    }

    /// Makes the token of a session's generation: the same bytes each time.
    pub(crate) fn make(
        &self,
        session: SessionId,
        generation: u32,
        carrier: Carrier,
    ) -> RefreshToken {
        let mut bytes = Vec::with_capacity(BYTES_LEN);
        bytes.push(VERSION);
        bytes.extend_from_slice(session.as_bytes());
        bytes.extend_from_slice(&generation.to_be_bytes());
        let tag = hmac::sign(self.key(carrier), &bytes);
        bytes.extend_from_slice(tag.as_ref());
        let mut text = String::with_capacity(REFRESH_TOKEN_LEN);
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(&bytes, &mut text);
        RefreshToken::new(text)
    }

    /// Checks the MAC of a presented token.
    pub(crate) fn open(&self, text: &str, carrier: Carrier) -> Option<PresentedRefresh> {
        let encoded = text.strip_prefix(PREFIX)?;
        let mut bytes = [0; BYTES_LEN];
        // The decoder refuses padding, other alphabets and trailing bits that are not zero.
        if URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes) != Ok(BYTES_LEN) {
            return None;
        }
        let (signed, tag) = bytes.split_at(SIGNED_LEN);
        hmac::verify(self.key(carrier), signed, tag).ok()?;
        let (version, rest) = signed.split_first()?;
        let (session, generation) = rest.split_first_chunk::<{ SessionId::LEN }>()?;
        let generation = u32::from_be_bytes(generation.try_into().ok()?);
        (*version == VERSION).then_some(PresentedRefresh {
            session: SessionId::from_bytes(*session),
            generation,
            carrier,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> RefreshKeys {
        RefreshKeys::new(&RootKey::for_tests()).unwrap()
    }

    const SESSION: SessionId = SessionId::from_bytes([9; 16]);

    #[test]
    fn a_generation_has_one_token_and_it_opens() {
        let token = keys().make(SESSION, 3, Carrier::Body);
        assert_eq!(token.expose().len(), REFRESH_TOKEN_LEN);
        assert_eq!(
            token.expose(),
            keys().make(SESSION, 3, Carrier::Body).expose()
        );
        let opened = keys().open(token.expose(), Carrier::Body).unwrap();
        assert_eq!((opened.session(), opened.generation()), (SESSION, 3));
    }

    #[test]
    fn rf_22_a_token_from_a_cookie_is_garbage_in_a_body() {
        let token = keys().make(SESSION, 0, Carrier::Cookie);
        assert_eq!(keys().open(token.expose(), Carrier::Body), None);
    }

    #[test]
    fn any_changed_character_is_refused() {
        let token = keys().make(SESSION, 3, Carrier::Body);
        for at in 0..token.expose().len() {
            let mut text = token.expose().as_bytes().to_vec();
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                keys().open(&String::from_utf8(text).unwrap(), Carrier::Body),
                None,
                "{at}"
            );
        }
        for wrong in ["", "hpr_", "eyJhbGciOiJub25lIn0.e30.", &token.expose()[4..]] {
            assert_eq!(keys().open(wrong, Carrier::Body), None, "{wrong}");
        }
    }
}
