//! The key that signs access tokens.

use super::seal::Sealer;
use super::{ImportedKey, KeyError, SealedKey};
use crate::random::{self, Random};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use aws_lc_rs::{hmac, rand, rsa};
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
    /// Makes a private key, sealed. It signs from `signs_from` on.
    pub(crate) fn generate(
        algorithm: Algorithm,
        sealer: &Sealer,
        random: &dyn Random,
        now: Timestamp,
        signs_from: Timestamp,
    ) -> Result<SealedKey, KeyError> {
        let kid = URL_SAFE_NO_PAD.encode(random::bytes::<9>(random)?);
        let private = generate_private(algorithm, random)?;
        Ok(SealedKey {
            sealed: sealer.seal(&private, &bound_to(&kid, algorithm), random)?,
            kid,
            algorithm,
            created_at: now,
            signs_from,
            revoked_at: None,
        })
    }

    /// Seals a key that was made elsewhere.
    pub(crate) fn import(
        key: ImportedKey,
        sealer: &Sealer,
        random: &dyn Random,
        now: Timestamp,
        signs_from: Timestamp,
    ) -> Result<SealedKey, KeyError> {
        let ImportedKey {
            algorithm,
            private,
            kid,
            ..
        } = key;
        let key = SealedKey {
            sealed: sealer.seal(&private, &bound_to(&kid, algorithm), random)?,
            kid,
            algorithm,
            created_at: now,
            signs_from,
            revoked_at: None,
        };
        // What cannot sign and verify is refused before anyone relies on it.
        Self::open(&key, sealer)?.verifying_key()?;
        Ok(key)
    }

    /// Returns the name: the header `kid`.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// Opens a sealed key.
    pub(crate) fn open(stored: &SealedKey, sealer: &Sealer) -> Result<Self, KeyError> {
        let does_not_open = || KeyError::Sealed {
            kid: stored.kid.clone(),
        };
        let bound_to = bound_to(&stored.kid, stored.algorithm);
        let private = sealer
            .open(&stored.sealed, &bound_to)
            .ok_or_else(does_not_open)?;
        let rejected = |_| does_not_open();
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
            r#"{{"alg":"{}","kid":{},"typ":"at+jwt"}}"#,
            stored.algorithm.name(),
            serde_json::Value::from(stored.kid.as_str())
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

/// The name and the algorithm are authenticated too: a sealed key cannot be moved to another row.
pub(crate) fn bound_to(kid: &str, algorithm: Algorithm) -> String {
    format!("{}\n{kid}", algorithm.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::MasterSecret;
    use crate::random::SeededRandom;

    const ALGORITHMS: [Algorithm; 5] = [
        Algorithm::EdDsa,
        Algorithm::Es256,
        Algorithm::Rs256,
        Algorithm::Ps256,
        Algorithm::Hs256,
    ];

    fn secret(first: u8) -> Sealer {
        let secret = MasterSecret::from_bytes((first..first + 32).collect()).unwrap();
        Sealer::new(&secret, &[]).unwrap()
    }

    fn sealed(algorithm: Algorithm) -> SealedKey {
        let random = SeededRandom::new(7);
        let now = Timestamp::from_seconds(1_800_000_000);
        SigningKey::generate(algorithm, &secret(0), &random, now, now).unwrap()
    }

    const NEVER: Timestamp = Timestamp::from_seconds(0);

    fn private(stored: &SealedKey) -> Zeroizing<Vec<u8>> {
        let bound_to = bound_to(&stored.kid, stored.algorithm);
        secret(0).open(&stored.sealed, &bound_to).unwrap()
    }

    #[track_caller]
    fn refused(stored: &SealedKey, secret: &Sealer) {
        let fault = SigningKey::open(stored, secret).unwrap_err();
        assert!(matches!(fault, KeyError::Sealed { kid } if kid == stored.kid));
    }

    #[test]
    fn a_key_of_every_algorithm_opens_and_signs_what_its_public_half_verifies() {
        for algorithm in ALGORITHMS {
            let key = SigningKey::open(&sealed(algorithm), &secret(0)).unwrap();
            let set = hallpass_verify::KeySet::new(vec![key.verifying_key().unwrap()]).unwrap();
            let token = key.sign(br#"{"sub":"ada"}"#).unwrap();
            let (header, payload) = hallpass_verify::jws::verify(token.expose(), &set).unwrap();
            assert_eq!(header.media_type.as_deref(), Some("at+jwt"));
            assert_eq!(payload, br#"{"sub":"ada"}"#, "{algorithm}");
            let at = token.expose().len() - 8;
            let mut forged = token.expose().to_owned();
            let other = if forged[at..].starts_with('A') {
                "B"
            } else {
                "A"
            };
            forged.replace_range(at..=at, other);
            assert!(hallpass_verify::jws::verify(&forged, &set).is_err());
        }
    }

    #[test]
    fn a_sealed_key_does_not_open_with_another_master_secret() {
        for algorithm in ALGORITHMS {
            refused(&sealed(algorithm), &secret(1));
        }
    }

    #[test]
    fn a_sealed_key_cannot_be_moved_to_another_name_or_algorithm() {
        for algorithm in ALGORITHMS {
            let stored = sealed(algorithm);
            refused(
                &SealedKey {
                    kid: "other".into(),
                    ..stored.clone()
                },
                &secret(0),
            );
            for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
                refused(
                    &SealedKey {
                        algorithm: other,
                        ..stored.clone()
                    },
                    &secret(0),
                );
            }
        }
    }

    #[test]
    fn a_sealed_key_with_any_bit_changed_or_cut_off_does_not_open() {
        let stored = sealed(Algorithm::EdDsa);
        for at in 0..stored.sealed.len() {
            let mut changed = stored.clone();
            changed.sealed[at] ^= 1;
            refused(&changed, &secret(0));
            let mut cut = stored.clone();
            cut.sealed.truncate(at);
            refused(&cut, &secret(0));
        }
    }

    #[test]
    fn the_private_half_is_stored_sealed_and_printed_nowhere() {
        let stored = sealed(Algorithm::Hs256);
        let plain = private(&stored);
        assert_eq!(plain.len(), 32);
        assert!(!stored.sealed.windows(8).any(|window| window == &plain[..8]));
        let opened = SigningKey::open(&stored, &secret(0)).unwrap();
        assert_eq!(format!("{opened:?}"), format!("SigningKey({})", stored.kid));
        assert_eq!(
            format!("{stored:?}"),
            format!("SealedKey({}, HS256)", stored.kid)
        );
    }

    #[test]
    fn two_keys_have_two_names_and_two_private_halves() {
        let random = SeededRandom::new(7);
        let make =
            || SigningKey::generate(Algorithm::EdDsa, &secret(0), &random, NEVER, NEVER).unwrap();
        let (one, two) = (make(), make());
        assert_ne!(one.kid, two.kid);
        assert_ne!(*private(&one), *private(&two));
    }
}
