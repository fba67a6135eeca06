//! The root key of a deployment, and one key for each purpose.
//!
//! It is drawn once and kept in the store, sealed with the master secret. So the master secret can
//! be replaced without ending a session: the root key is sealed anew, and nothing that clients hold
//! depends on the seal.

use super::master::expand;
use super::seal::Sealer;
use super::{KeyError, SealedRoot};
use crate::random::{self, Random};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

/// What the seal of the root key is bound to.
pub(crate) const BOUND_TO: &str = "root";

/// The root key: refresh tokens, CSRF secrets and idempotency keys hang on it.
pub(crate) struct RootKey(Zeroizing<Vec<u8>>);

impl RootKey {
    /// Draws a root key, sealed.
    pub(crate) fn draw(sealer: &Sealer, random: &dyn Random) -> Result<SealedRoot, KeyError> {
        let root = Zeroizing::new(random::bytes::<32>(random)?);
        Ok(SealedRoot(sealer.seal(
            root.as_slice(),
            BOUND_TO,
            random,
        )?))
    }

    /// Opens a sealed root key.
    pub(crate) fn open(stored: &SealedRoot, sealer: &Sealer) -> Result<Self, KeyError> {
        let opened = sealer.open(&stored.0, BOUND_TO);
        opened.map(Self).ok_or_else(|| KeyError::Sealed {
            kid: BOUND_TO.into(),
        })
    }

    /// Returns the key for the MACs of a purpose.
    pub(crate) fn mac_key(&self, purpose: Purpose) -> Result<hmac::Key, KeyError> {
        let key = expand(&self.0, purpose.label())?;
        Ok(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
    }
}

/// What a derived key is for. No two purposes share a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// The MAC of refresh tokens that travel in a cookie.
    RefreshInCookie,
    /// The MAC of refresh tokens that travel in a body.
    RefreshInBody,
    /// The CSRF secrets of sessions.
    Csrf,
    /// The CSRF secrets of tokens that belong to no session.
    CsrfOfToken,
    /// The hashes of idempotency keys.
    RotationKey,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::RefreshInCookie => b"refresh token in a cookie",
            Self::RefreshInBody => b"refresh token in a body",
            Self::Csrf => b"csrf secret",
            Self::CsrfOfToken => b"csrf secret of a token without a session",
            Self::RotationKey => b"idempotency key",
        }
    }
}

#[cfg(test)]
impl RootKey {
    /// Returns a root key for tests.
    pub(crate) fn for_tests() -> Self {
        Self(Zeroizing::new((0..32).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_has_a_key_of_its_own() {
        let root = RootKey::for_tests();
        let purposes = [
            Purpose::RefreshInCookie,
            Purpose::RefreshInBody,
            Purpose::Csrf,
            Purpose::CsrfOfToken,
            Purpose::RotationKey,
        ];
        let tag = |purpose| {
            let key = root.mac_key(purpose).unwrap();
            hmac::sign(&key, b"the same").as_ref().to_vec()
        };
        let tags: std::collections::BTreeSet<_> = purposes.into_iter().map(tag).collect();
        assert_eq!(tags.len(), purposes.len());
    }
}
