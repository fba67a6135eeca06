//! Signing keys that were made elsewhere: PEM files and JWKs.

mod jwk;
mod pem;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsBigEndian as _, AsDer as _, Curve25519SeedBin, Pkcs8V1Der};
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_verify::json::JsonFault;
use hallpass_verify::{Algorithm, KeyFault, VerifyingKey};
use std::collections::BTreeSet;
use std::fmt;
use zeroize::Zeroizing;

/// The longest text of a private key, in bytes. An RSA key of 8,192 bits has about 6,500.
pub const IMPORT_LEN_MAX: usize = 65_536;

/// A random secret has more distinct bytes than this, even when it is written in hexadecimal.
const DISTINCT_BYTES_MIN: usize = 10;

/// Tells why a text is no signing key. It never repeats the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportFault {
    /// Longer than [`IMPORT_LEN_MAX`].
    #[error("expected a private key of at most 65,536 bytes")]
    TooLong,
    /// Neither a PEM file nor a JWK.
    #[error("expected a private key as PEM (PKCS#8, SEC 1 or PKCS#1) or as a JWK")]
    NotAKey,
    /// It looks like a JWK and is no JSON.
    #[error("expected a JWK: {0}")]
    Json(#[from] JsonFault),
    /// A password is needed to read it.
    #[error(
        "expected a key that is not encrypted: decrypt it with `openssl pkey -in FILE -out FILE`"
    )]
    Encrypted,
    /// The format of OpenSSH.
    #[error("expected PKCS#8: convert it with `ssh-keygen -p -N '' -m PKCS8 -f FILE`")]
    OpenSsh,
    /// There is no private half.
    #[error("expected a private key, this one is public: it verifies, but cannot sign")]
    PublicOnly,
    /// There are several.
    #[error("expected one private key, found several")]
    Several,
    /// A key on another curve.
    #[error("expected the curve Ed25519 or P-256, this key is on another one")]
    Curve,
    /// A key of another kind.
    #[error("expected a key for EdDSA, ES256, RS256, PS256 or HS256, this one is of another kind")]
    Kind,
    /// The parts are missing, broken, or do not belong together.
    #[error("expected a private key whose parts are whole and fit together")]
    Form,
    /// An RSA key without its primes.
    #[error("expected an RSA key with its two primes: p, q, dp, dq and qi")]
    Primes,
    /// `use` or `key_ops` says that the key is for something else.
    #[error(
        "expected a key for signing: its `use` or `key_ops` says that it is for something else"
    )]
    Use,
    /// The key is for another algorithm.
    #[error("expected an algorithm that this key is for")]
    Algorithm,
    /// A secret that was not drawn at random.
    #[error("expected a random secret, this one repeats itself")]
    NotRandom,
    /// The key is weak, or its id is not one.
    #[error(transparent)]
    Key(#[from] KeyFault),
}

/// A private key from elsewhere, checked, for [`Hallpass::import_key`](crate::Hallpass::import_key).
pub struct ImportedKey {
    pub(crate) algorithm: Algorithm,
    /// Ed25519: the seed; ES256 and RSA: PKCS#8; HS256: the secret.
    pub(crate) private: Zeroizing<Vec<u8>>,
    /// Its own, else the thumbprint (RFC 7638).
    pub(crate) kid: String,
    choice: Choice,
}

/// Whether the algorithm is still open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// The key itself says for which algorithm it is.
    Fixed,
    /// An RSA key that does not say.
    Open,
}

/// A private key in the hands of the cryptographic library.
enum Pair {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Hs256(Zeroizing<Vec<u8>>),
}

impl ImportedKey {
    /// Reads a private key: a JWK if the text begins with a brace, else PEM.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem) and [`from_jwk`](Self::from_jwk).
    pub fn parse(text: &str) -> Result<Self, ImportFault> {
        if text.trim_start().starts_with('{') {
            Self::from_jwk(text.as_bytes())
        } else {
            Self::from_pem(text)
        }
    }

    /// Reads the one private key in a PEM file (RFC 7468): PKCS#8 with Ed25519, P-256 or RSA,
    /// SEC 1 with P-256 (RFC 5915), or PKCS#1 (RFC 8017). An RSA key is for RS256 unless
    /// [`algorithm`](Self::algorithm) says otherwise. The key id is the thumbprint (RFC 7638).
    ///
    /// # Errors
    /// When there is no such key in it or several, it is encrypted, public, on another curve, or
    /// weak: RSA under 2,048 bits, a small exponent, predictable primes.
    pub fn from_pem(text: &str) -> Result<Self, ImportFault> {
        if text.len() > IMPORT_LEN_MAX {
            return Err(ImportFault::TooLong);
        }
        Self::checked(pem::read(text)?, None, None)
    }

    /// Reads a private JWK (RFC 7517): `OKP` with Ed25519, `EC` with P-256, `RSA`, or `oct` for
    /// HS256; it may stand alone in a set. `kid`, `alg`, `use` and `key_ops` count. Without `kid` the
    /// key id is the thumbprint (RFC 7638).
    ///
    /// # Errors
    /// When it is not one JWK, public, for something else than signing, or weak.
    ///
    /// # Security
    /// The public members are compared with what follows from the private ones: two keys are never
    /// mixed up in one.
    pub fn from_jwk(document: &[u8]) -> Result<Self, ImportFault> {
        if document.len() > IMPORT_LEN_MAX {
            return Err(ImportFault::TooLong);
        }
        let jwk = jwk::read(document)?;
        Self::checked(jwk.pair, jwk.algorithm, jwk.kid)
    }

    /// Says for which algorithm the key is. That is a choice for an RSA key which does not say
    /// itself, between RS256 and PS256.
    ///
    /// # Errors
    /// When the key is for another one.
    pub fn algorithm(self, algorithm: Algorithm) -> Result<Self, ImportFault> {
        let is_rsa = matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256);
        if algorithm == self.algorithm || (self.choice == Choice::Open && is_rsa) {
            Ok(Self { algorithm, ..self })
        } else {
            Err(ImportFault::Algorithm)
        }
    }

    fn checked(
        pair: Pair,
        declared: Option<Algorithm>,
        kid: Option<String>,
    ) -> Result<Self, ImportFault> {
        let algorithm = pair.algorithm(declared)?;
        let public = pair.verifying_key(algorithm)?;
        let kid = kid.unwrap_or_else(|| pair.thumbprint(&public));
        public.renamed(&kid)?;
        let choice = match (&pair, declared) {
            (Pair::Rsa(_), None) => Choice::Open,
            _ => Choice::Fixed,
        };
        Ok(Self {
            algorithm,
            private: pair.into_private()?,
            kid,
            choice,
        })
    }
}

impl Pair {
    fn algorithm(&self, declared: Option<Algorithm>) -> Result<Algorithm, ImportFault> {
        let own = match (self, declared) {
            (Self::EdDsa(_), _) => Algorithm::EdDsa,
            (Self::Es256(_), _) => Algorithm::Es256,
            (Self::Hs256(_), _) => Algorithm::Hs256,
            (Self::Rsa(_), Some(Algorithm::Ps256)) => Algorithm::Ps256,
            (Self::Rsa(_), _) => Algorithm::Rs256,
        };
        if declared.is_none_or(|declared| declared == own) {
            Ok(own)
        } else {
            Err(ImportFault::Algorithm)
        }
    }

    /// Returns what will verify, which is refused when the key is weak.
    fn verifying_key(&self, algorithm: Algorithm) -> Result<VerifyingKey, ImportFault> {
        const UNNAMED: &str = "unnamed";
        Ok(match self {
            Self::EdDsa(pair) => VerifyingKey::ed25519(UNNAMED, pair.public_key().as_ref()),
            Self::Es256(pair) => VerifyingKey::es256(UNNAMED, pair.public_key().as_ref()),
            Self::Rsa(pair) => VerifyingKey::rsa(
                UNNAMED,
                algorithm,
                pair.public_key()
                    .modulus()
                    .big_endian_without_leading_zero(),
                pair.public_key()
                    .exponent()
                    .big_endian_without_leading_zero(),
            ),
            Self::Hs256(secret) => {
                let distinct = secret.iter().collect::<BTreeSet<_>>().len();
                let checked = VerifyingKey::hs256(UNNAMED, secret)?;
                if distinct < DISTINCT_BYTES_MIN {
                    return Err(ImportFault::NotRandom);
                }
                Ok(checked)
            }
        }?)
    }

    /// Returns the thumbprint (RFC 7638 §3.1).
    fn thumbprint(&self, public: &VerifyingKey) -> String {
        public.thumbprint().unwrap_or_else(|| {
            let Self::Hs256(secret) = self else {
                return String::new();
            };
            // RFC 7638 §7: whoever sees it can try secrets. So can whoever sees a token.
            let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_slice()));
            let canonical = Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, *secret));
            URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
        })
    }

    fn into_private(self) -> Result<Zeroizing<Vec<u8>>, ImportFault> {
        let failed = |_| ImportFault::Form;
        let private = match self {
            Self::EdDsa(pair) => {
                let seed: Curve25519SeedBin<'_> = pair
                    .seed()
                    .and_then(|seed| seed.as_be_bytes())
                    .map_err(failed)?;
                seed.as_ref().to_vec()
            }
            Self::Es256(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Self::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                der.as_ref().to_vec()
            }
            Self::Hs256(secret) => return Ok(secret),
        };
        Ok(Zeroizing::new(private))
    }
}

impl fmt::Debug for ImportedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImportedKey({}, {:?})", self.algorithm, self.kid)
    }
}

/// Names the one refusal of the library that an operator can do something about.
fn rsa_fault(rejected: KeyRejected) -> ImportFault {
    match rejected.description_() {
        "TooSmall" => ImportFault::Key(KeyFault::Weak("an RSA key has at least 2,048 bits")),
        _ => ImportFault::Form,
    }
}

#[cfg(test)]
mod tests;
