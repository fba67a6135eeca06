//! Keys: the master secret, the root key that it seals, and the ring of keys that sign access tokens.

mod import;
mod master;
mod ring;
mod root;
mod rule;
mod seal;
mod signing;

pub use import::{IMPORT_LEN_MAX, ImportFault, ImportedKey};
pub use master::{MASTER_SECRET_LEN_MIN, MasterSecret, WeakSecret};
pub(crate) use ring::Ring;
pub(crate) use ring::RingFault;
pub(crate) use root::BOUND_TO as ROOT_BOUND_TO;
pub(crate) use root::{Purpose, RootKey};
pub(crate) use rule::Occasion;
pub use rule::{KeyInfo, KeySettings, KeyState};
pub(crate) use seal::Sealer;
pub(crate) use signing::{SigningKey, bound_to};

use hallpass_verify::{Algorithm, Timestamp};

/// What went wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The cryptographic library refused.
    #[error("the key operation `{0}` failed")]
    Crypto(&'static str),
    /// A stored key does not open: the master secret is another one, or the row was changed.
    #[error("the stored key `{kid}` does not open with this master secret")]
    Sealed {
        /// Its name.
        kid: String,
    },
    /// A verifying key could not be made of it.
    #[error("the signing key `{kid}` has no usable public half")]
    Public {
        /// Its name.
        kid: String,
    },
    /// A key for another algorithm than the deployment's. The next one would take over at once; and
    /// a symmetric key never shares a set with public ones (RFC 8725 §3.1).
    #[error("expected a key for {wanted}, as `tokens.algorithm` says, got one for {got}")]
    Algorithm {
        /// What the deployment signs with.
        wanted: Algorithm,
        /// What the key is for.
        got: Algorithm,
    },
    /// There was no randomness.
    #[error(transparent)]
    Random(#[from] crate::random::NoRandomness),
}

/// A signing key as a store keeps it: the private half sealed with AES-256-GCM under a key
/// derived from the master secret, bound to its name and algorithm.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Its name: the header `kid`.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Nonce and sealed private half.
    pub sealed: Vec<u8>,
    /// When it was made, and announced.
    pub created_at: Timestamp,
    /// From when on it signs: until then it is only announced.
    pub signs_from: Timestamp,
    /// When it was revoked: it verifies nothing any more.
    pub revoked_at: Option<Timestamp>,
}

/// The root key as a store keeps it, sealed like a signing key. The keys of refresh tokens, CSRF
/// secrets and tickets are derived from it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedRoot(pub Vec<u8>);

impl std::fmt::Debug for SealedRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedRoot")
    }
}

impl std::fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedKey({}, {})", self.kid, self.algorithm)
    }
}
