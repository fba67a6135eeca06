//! Sealing: AES-256-GCM under a key derived from the master secret, bound to what it is.

use super::{KeyError, MasterSecret};
use crate::random::{self, Random};
use aws_lc_rs::aead::{self, LessSafeKey, UnboundKey};
use zeroize::Zeroizing;

/// Seals with the master secret of now, opens what that one or a former one sealed.
pub(crate) struct Sealer {
    current: LessSafeKey,
    former: Vec<LessSafeKey>,
}

impl Sealer {
    pub(crate) fn new(current: &MasterSecret, former: &[MasterSecret]) -> Result<Self, KeyError> {
        Ok(Self {
            current: key(current)?,
            former: former.iter().map(key).collect::<Result<_, _>>()?,
        })
    }

    /// Seals `plain`. What it is bound to is authenticated too: a sealed key cannot be moved to
    /// another row.
    pub(crate) fn seal(
        &self,
        plain: &[u8],
        bound_to: &str,
        random: &dyn Random,
    ) -> Result<Vec<u8>, KeyError> {
        let nonce = random::bytes::<{ aead::NONCE_LEN }>(random)?;
        let mut sealed = plain.to_vec();
        self.current
            .seal_in_place_append_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(bound_to.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| KeyError::Crypto("seal"))?;
        Ok([nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Opens what was sealed; `None` when no secret fits or a bit was changed.
    pub(crate) fn open(&self, sealed: &[u8], bound_to: &str) -> Option<Zeroizing<Vec<u8>>> {
        let all = std::iter::once(&self.current).chain(&self.former);
        all.into_iter()
            .find_map(|key| open_with(key, sealed, bound_to))
    }

    /// Tells whether the master secret of now sealed it.
    pub(crate) fn is_current(&self, sealed: &[u8], bound_to: &str) -> bool {
        open_with(&self.current, sealed, bound_to).is_some()
    }
}

fn open_with(key: &LessSafeKey, sealed: &[u8], bound_to: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<{ aead::NONCE_LEN }>()?;
    let mut plain = Zeroizing::new(sealed.to_vec());
    let plain_len = key
        .open_in_place(
            aead::Nonce::assume_unique_for_key(*nonce),
            aead::Aad::from(bound_to.as_bytes()),
            &mut plain,
        )
        .ok()?
        .len();
    plain.truncate(plain_len);
    Some(plain)
}

fn key(secret: &MasterSecret) -> Result<LessSafeKey, KeyError> {
    let key = secret.sealing_key()?;
    UnboundKey::new(&aead::AES_256_GCM, key.as_slice())
        .map(LessSafeKey::new)
        .map_err(|_| KeyError::Crypto("seal"))
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}
