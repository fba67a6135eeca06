//! Keys that verify. Each has one name and one algorithm, chosen by the operator, not by tokens.

mod current;
mod ed25519;
mod rsa;
mod set;

pub use current::Keys;
pub use set::KeySet;

use crate::Algorithm;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use std::fmt;
use std::sync::Arc;

/// The longest key id, in bytes.
pub const KID_LEN_MAX: usize = 255;

/// The shortest secret for HS256, in bytes (RFC 7518 §3.2).
pub const HS256_SECRET_LEN_MIN: usize = 32;

/// Why a key or a set of keys was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// The key id is empty, too long or has control characters.
    #[error("expected a key id of 1 to 255 bytes without control characters")]
    Kid,
    /// The bytes are no public key for the algorithm.
    #[error("expected a public key of the right form")]
    Form,
    /// The key is too weak to be trusted.
    #[error("expected a stronger key: {0}")]
    Weak(&'static str),
    /// The algorithm does not belong to this kind of key.
    #[error("expected an algorithm of this kind of key")]
    Algorithm,
    /// Two keys of a set have the same id.
    #[error("expected each key id once")]
    DuplicateKid,
    /// A set has both secret and public keys: the way to algorithm confusion.
    #[error("expected either secret or public keys in one set, not both")]
    Mixed,
    /// The document is not a JWK set, or a key in it is broken.
    #[error("expected a JWK set")]
    NotAJwkSet,
    /// A public document holds a private key: whoever serves it has lost that key.
    #[error("expected public keys only")]
    PrivateKey,
    /// No key of the document can be used.
    #[error("expected at least one usable key")]
    NoUsableKey,
}

/// The public members of a key, as a JWK names them.
#[derive(Clone)]
pub(crate) enum PublicParts {
    Okp { x: Box<[u8]> },
    Ec { x: Box<[u8]>, y: Box<[u8]> },
    Rsa { n: Box<[u8]>, e: Box<[u8]> },
}

enum Material {
    Public {
        parsed: ParsedPublicKey,
        parts: PublicParts,
    },
    Secret(Box<hmac::Key>),
}

/// The names in the header member `alg` that a key answers to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// The name of the algorithm alone.
    Own,
    /// `Ed25519` too (RFC 9864): the key's JWK says so.
    FullySpecified,
}

/// A key that verifies signatures, parsed once.
pub struct VerifyingKey {
    kid: Arc<str>,
    algorithm: Algorithm,
    names: Names,
    material: Material,
}

impl VerifyingKey {
    /// Takes an Ed25519 public key of 32 bytes (RFC 8032 §5.1.5).
    ///
    /// # Errors
    /// When the key id or the length is wrong.
    ///
    /// # Security
    /// Small-order points and non-canonical encodings are refused: under such a key one
    /// signature is good for many messages.
    pub fn ed25519(kid: &str, public: &[u8]) -> Result<Self, KeyFault> {
        ed25519::check(public)?;
        let parsed = ParsedPublicKey::new(&ED25519, public).map_err(|_| KeyFault::Form)?;
        let parts = PublicParts::Okp { x: public.into() };
        Self::new(kid, Algorithm::EdDsa, Material::Public { parsed, parts })
    }

    /// Takes a P-256 public key: a SEC 1 uncompressed point, 65 bytes that begin with 4.
    ///
    /// # Errors
    /// When the key id or the form is wrong, or the point is not on the curve.
    pub fn es256(kid: &str, sec1_uncompressed: &[u8]) -> Result<Self, KeyFault> {
        let (Some(4), 65) = (sec1_uncompressed.first(), sec1_uncompressed.len()) else {
            return Err(KeyFault::Form);
        };
        let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, sec1_uncompressed)
            .map_err(|_| KeyFault::Form)?;
        let (x, y) = sec1_uncompressed.get(1..).unwrap_or_default().split_at(32);
        let parts = PublicParts::Ec {
            x: x.into(),
            y: y.into(),
        };
        Self::new(kid, Algorithm::Es256, Material::Public { parsed, parts })
    }

    /// Takes an RSA public key for [`Algorithm::Rs256`] or [`Algorithm::Ps256`]; both numbers
    /// big-endian without leading zeros.
    ///
    /// # Errors
    /// When the key id, the algorithm or the form is wrong, or the key is weak: under 2,048 bits,
    /// an exponent that is even or under 65,537, or a modulus of the ROCA kind (CVE-2017-15361).
    pub fn rsa(
        kid: &str,
        algorithm: Algorithm,
        modulus: &[u8],
        exponent: &[u8],
    ) -> Result<Self, KeyFault> {
        let parsed = rsa::parse(algorithm, modulus, exponent)?;
        let parts = PublicParts::Rsa {
            n: modulus.into(),
            e: exponent.into(),
        };
        Self::new(kid, algorithm, Material::Public { parsed, parts })
    }

    /// Takes a secret for HS256 of at least [`HS256_SECRET_LEN_MIN`] bytes.
    ///
    /// # Errors
    /// When the key id is wrong or the secret too short.
    ///
    /// # Security
    /// Whoever holds the secret can sign as well: no key for services that only verify.
    pub fn hs256(kid: &str, secret: &[u8]) -> Result<Self, KeyFault> {
        if secret.len() < HS256_SECRET_LEN_MIN {
            return Err(KeyFault::Weak("an HS256 secret has at least 32 bytes"));
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Self::new(kid, Algorithm::Hs256, Material::Secret(Box::new(key)))
    }

    fn new(kid: &str, algorithm: Algorithm, material: Material) -> Result<Self, KeyFault> {
        let fits = !kid.is_empty() && kid.len() <= KID_LEN_MAX;
        if !fits || kid.chars().any(char::is_control) {
            return Err(KeyFault::Kid);
        }
        Ok(Self {
            kid: kid.into(),
            algorithm,
            names: Names::Own,
            material,
        })
    }

    /// Lets an Ed25519 key answer to the name `Ed25519` too (RFC 9864 §2.2).
    ///
    /// # Errors
    /// When it is a key of another algorithm.
    pub fn fully_specified(mut self) -> Result<Self, KeyFault> {
        if self.algorithm != Algorithm::EdDsa {
            return Err(KeyFault::Algorithm);
        }
        self.names = Names::FullySpecified;
        Ok(self)
    }

    /// Returns the key under another id, for instance its [`thumbprint`](Self::thumbprint).
    ///
    /// # Errors
    /// When the id is empty, too long or has control characters.
    pub fn renamed(self, kid: &str) -> Result<Self, KeyFault> {
        let names = self.names;
        Self::new(kid, self.algorithm, self.material).map(|key| Self { names, ..key })
    }

    /// Returns the key id: the header member `kid` of the tokens it signs.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn kid_shared(&self) -> Arc<str> {
        Arc::clone(&self.kid)
    }

    /// Returns the one algorithm of this key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Tells whether `signature` is this key's signature of `message`.
    #[must_use]
    pub fn verify_signature(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Public { parsed, .. } => parsed.verify_sig(message, signature).is_ok(),
            Material::Secret(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }

    /// Tells whether a header may name this key's algorithm `alg`.
    ///
    /// RFC 8725 §3.1: the key decides about the algorithm, the token never does.
    #[must_use]
    pub fn accepts_name(&self, alg: &str) -> bool {
        alg == self.algorithm.name() || (alg == FULLY_SPECIFIED && self.is_fully_specified())
    }

    pub(crate) fn is_fully_specified(&self) -> bool {
        self.names == Names::FullySpecified
    }

    pub(crate) const fn is_secret(&self) -> bool {
        matches!(self.material, Material::Secret(_))
    }

    /// Returns the public members; a secret key has none.
    pub(crate) const fn public_parts(&self) -> Option<&PublicParts> {
        match &self.material {
            Material::Public { parts, .. } => Some(parts),
            Material::Secret(_) => None,
        }
    }
}

/// The fully specified name of `EdDSA` with Ed25519 (RFC 9864 §2.2).
pub(crate) const FULLY_SPECIFIED: &str = "Ed25519";

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({}, {:?})", self.algorithm, self.kid)
    }
}

#[cfg(test)]
mod tests;
