//! The key that signs access tokens.

use super::{KeyError, MasterSecret, Purpose, SealedKey};
use crate::random::{self, Random};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use aws_lc_rs::{aead, hmac, rand, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_verify::{AccessToken, Algorithm, Timestamp, VerifyingKey};
use zeroize::Zeroizing;

/// Signs access tokens. Parsed once: reparsing a key costs as much as signing with it.
pub(crate) struct SigningKey {
    kid: String,
    pair: Pair,
    /// The encoded header with its dot, the same for every token of this key.
    header: String,
}

#[expect(clippy::large_enum_variant, reason = "a process has a handful of keys")]
enum Pair {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Rsa(RsaKeyPair, Algorithm),
    Hs256(hmac::Key, Zeroizing<Vec<u8>>),
}

impl SigningKey {
    /// Makes a private key, sealed.
    pub(crate) fn generate(
        algorithm: Algorithm,
        secret: &MasterSecret,
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<SealedKey, KeyError> {
        let kid = URL_SAFE_NO_PAD.encode(random::bytes::<9>(random)?);
        let private = generate_private(algorithm, random)?;
        let sealed = seal(&private, &kid, algorithm, secret, random)?;
        Ok(SealedKey {
            kid,
            algorithm,
            sealed,
            created_at: now,
        })
    }

    /// Opens a sealed key.
    pub(crate) fn open(stored: &SealedKey, secret: &MasterSecret) -> Result<Self, KeyError> {
        let private = unseal(stored, secret)?;
        let rejected = |_| KeyError::Sealed {
            kid: stored.kid.clone(),
        };
        let pair = match stored.algorithm {
            Algorithm::EdDsa => {
                Pair::EdDsa(Ed25519KeyPair::from_seed_unchecked(&private).map_err(rejected)?)
            }
            Algorithm::Es256 => Pair::Es256(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private)
                    .map_err(rejected)?,
            ),
            Algorithm::Hs256 => Pair::Hs256(hmac::Key::new(hmac::HMAC_SHA256, &private), private),
            rsa => Pair::Rsa(RsaKeyPair::from_pkcs8(&private).map_err(rejected)?, rsa),
        };
        let header = format!(
            r#"{{"alg":"{}","kid":"{}","typ":"at+jwt"}}"#,
            stored.algorithm.name(),
            stored.kid
        );
        let header = URL_SAFE_NO_PAD.encode(header) + ".";
        Ok(Self {
            kid: stored.kid.clone(),
            pair,
            header,
        })
    }

    /// Returns the key that verifies what this one signs.
    pub(crate) fn verifying_key(&self) -> Result<VerifyingKey, KeyError> {
        let kid = &self.kid;
        match &self.pair {
            Pair::EdDsa(pair) => VerifyingKey::ed25519(kid, pair.public_key().as_ref()),
            Pair::Es256(pair) => VerifyingKey::es256(kid, pair.public_key().as_ref()),
            Pair::Rsa(pair, algorithm) => {
                let public = pair.public_key();
                let (modulus, exponent) = (public.modulus(), public.exponent());
                VerifyingKey::rsa(
                    kid,
                    *algorithm,
                    modulus.big_endian_without_leading_zero(),
                    exponent.big_endian_without_leading_zero(),
                )
            }
            Pair::Hs256(_, secret) => VerifyingKey::hs256(kid, secret),
        }
        .map_err(|_| KeyError::Public { kid: kid.clone() })
    }

    /// Signs claims (a JSON object) and returns the token in its compact form (RFC 7515 §7.1).
    pub(crate) fn sign(&self, claims: &[u8]) -> Result<AccessToken, KeyError> {
        let mut token = String::with_capacity(self.header.len() + claims.len() * 4 / 3 + 352);
        token.push_str(&self.header);
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let failed = |_| KeyError::Crypto("sign");
        let signature: Vec<u8> = match &self.pair {
            Pair::EdDsa(pair) => pair.sign(token.as_bytes()).as_ref().to_vec(),
            Pair::Es256(pair) => pair
                .sign(&rand::SystemRandom::new(), token.as_bytes())
                .map_err(failed)?
                .as_ref()
                .to_vec(),
            Pair::Rsa(pair, algorithm) => {
                let padding: &'static dyn aws_lc_rs::signature::RsaEncoding = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    padding,
                    &rand::SystemRandom::new(),
                    token.as_bytes(),
                    &mut signature,
                )
                .map_err(failed)?;
                signature
            }
            Pair::Hs256(key, _) => hmac::sign(key, token.as_bytes()).as_ref().to_vec(),
        };
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(AccessToken::new(token))
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

fn generate_private(
    algorithm: Algorithm,
    random: &dyn Random,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = |_| KeyError::Crypto("make a signing key");
    let private = match algorithm {
        Algorithm::EdDsa | Algorithm::Hs256 => random::bytes::<32>(random)?.to_vec(),
        Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .and_then(|pair| pair.to_pkcs8v1())
            .map_err(failed)?
            .as_ref()
            .to_vec(),
        _ => {
            let pair = RsaKeyPair::generate(rsa::KeySize::Rsa2048).map_err(failed)?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
            der.as_ref().to_vec()
        }
    };
    Ok(Zeroizing::new(private))
}

fn sealing_key(secret: &MasterSecret) -> Result<aead::LessSafeKey, KeyError> {
    let key = secret.derive(Purpose::Sealing)?;
    aead::UnboundKey::new(&aead::AES_256_GCM, key.as_slice())
        .map(aead::LessSafeKey::new)
        .map_err(|_| KeyError::Crypto("seal"))
}

/// The name and the algorithm are authenticated too: a sealed key cannot be moved to another row.
fn bound_to(kid: &str, algorithm: Algorithm) -> aead::Aad<Vec<u8>> {
    aead::Aad::from(format!("{}\n{kid}", algorithm.name()).into_bytes())
}

fn seal(
    private: &[u8],
    kid: &str,
    algorithm: Algorithm,
    secret: &MasterSecret,
    random: &dyn Random,
) -> Result<Vec<u8>, KeyError> {
    let nonce = random::bytes::<{ aead::NONCE_LEN }>(random)?;
    let mut sealed = private.to_vec();
    sealing_key(secret)?
        .seal_in_place_append_tag(
            aead::Nonce::assume_unique_for_key(nonce),
            bound_to(kid, algorithm),
            &mut sealed,
        )
        .map_err(|_| KeyError::Crypto("seal"))?;
    Ok([nonce.as_slice(), sealed.as_slice()].concat())
}

fn unseal(stored: &SealedKey, secret: &MasterSecret) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let rejected = || KeyError::Sealed {
        kid: stored.kid.clone(),
    };
    let (nonce, sealed) = stored
        .sealed
        .split_first_chunk::<{ aead::NONCE_LEN }>()
        .ok_or_else(rejected)?;
    let mut private = Zeroizing::new(sealed.to_vec());
    let plain_len = sealing_key(secret)?
        .open_in_place(
            aead::Nonce::assume_unique_for_key(*nonce),
            bound_to(&stored.kid, stored.algorithm),
            &mut private,
        )
        .map_err(|_| rejected())?
        .len();
    private.truncate(plain_len);
    Ok(private)
}
