//! The master secret: what seals every key of a deployment.

use super::KeyError;
use aws_lc_rs::hkdf;
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// The shortest master secret, in bytes.
pub const MASTER_SECRET_LEN_MIN: usize = 32;

/// A random secret has more distinct bytes than this, even when it is written in hexadecimal.
const DISTINCT_BYTES_MIN: usize = 10;

/// Tells why a master secret is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    /// It is shorter than [`MASTER_SECRET_LEN_MIN`].
    #[error(
        "expected a master secret of at least 32 bytes: make one with `openssl rand -base64 32`"
    )]
    TooShort,
    /// It was not drawn at random.
    #[error(
        "expected a random master secret, this one repeats itself: make one with `openssl rand -base64 32`"
    )]
    NotRandom,
}

/// The one secret of a deployment. Every key is sealed with it.
///
/// # Security
/// Whoever has it and the database can make refresh tokens for every session. It is never stored in
/// the database.
pub struct MasterSecret(Zeroizing<Vec<u8>>);

impl MasterSecret {
    /// Takes a secret of at least [`MASTER_SECRET_LEN_MIN`] bytes.
    ///
    /// # Errors
    /// When it is too short, or plainly not random.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, WeakSecret> {
        let bytes = Zeroizing::new(bytes);
        if bytes.len() < MASTER_SECRET_LEN_MIN {
            return Err(WeakSecret::TooShort);
        }
        if bytes.iter().collect::<BTreeSet<_>>().len() < DISTINCT_BYTES_MIN {
            return Err(WeakSecret::NotRandom);
        }
        Ok(Self(bytes))
    }

    /// Returns the key that seals (HKDF-SHA-256, RFC 5869).
    pub(super) fn sealing_key(&self) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        expand(&self.0, b"sealing of signing keys")
    }
}

impl std::fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterSecret(redacted)")
    }
}

/// Returns the key for one purpose (HKDF-SHA-256, RFC 5869).
pub(super) fn expand(input: &[u8], label: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"hallpass v1")
        .extract(input)
        .expand(&[label], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut_slice()))
        .map_err(|_| KeyError::Crypto("derive a key"))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kl_05_a_weak_master_secret_is_refused() {
        let weak = |bytes: &[u8]| MasterSecret::from_bytes(bytes.to_vec()).unwrap_err();
        assert_eq!(weak(b""), WeakSecret::TooShort);
        assert_eq!(weak(b"changeme"), WeakSecret::TooShort);
        assert_eq!(weak(&[0; 64]), WeakSecret::NotRandom);
        assert_eq!(weak("changeme".repeat(8).as_bytes()), WeakSecret::NotRandom);
    }
}
