//! The closed list of signature algorithms.

use std::fmt;

/// A signature algorithm of RFC 7518 §3.1 or RFC 8037 §3.1. Each key has exactly one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519: the default. Small keys, fast to sign and to verify.
    EdDsa,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, keys of at least 2,048 bits.
    Rs256,
    /// RSASSA-PSS with SHA-256, keys of at least 2,048 bits.
    Ps256,
    /// HMAC with SHA-256: whoever verifies can also sign.
    Hs256,
}

impl Algorithm {
    /// Returns the name in the member `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Hs256 => "HS256",
        }
    }

    /// Reads a name exactly as the RFCs spell it; anything else, `none` included, is `None`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::EdDsa,
            Self::Es256,
            Self::Rs256,
            Self::Ps256,
            Self::Hs256,
        ]
        .into_iter()
        .find(|alg| alg.name() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
