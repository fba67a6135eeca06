//! Keys that were made elsewhere.

use hallpass_verify::Algorithm;
use zeroize::Zeroizing;

/// A private key that was made elsewhere, ready to be sealed.
pub struct ImportedKey {
    pub(crate) algorithm: Algorithm,
    /// Ed25519: the seed; ES256 and RSA: PKCS#8; HS256: the secret.
    pub(crate) private: Zeroizing<Vec<u8>>,
    pub(crate) kid: String,
}

impl std::fmt::Debug for ImportedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ImportedKey({}, {})", self.kid, self.algorithm)
    }
}
