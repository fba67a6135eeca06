//! From JSON to keys.

use super::{JWKS_KEYS_MAX, JWKS_LEN_MAX};
use crate::Algorithm;
use crate::json::{self, Limits, Object, Value};
use crate::keys::{FULLY_SPECIFIED, KeyFault, VerifyingKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// The members that only a private key has (RFC 7518 §6.2.2 and §6.3.2, RFC 8037 §2).
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// Reads the entries of a JWK set.
pub(super) fn entries(document: &[u8]) -> Result<Vec<Object>, KeyFault> {
    let limits = Limits {
        bytes_max: JWKS_LEN_MAX,
        depth_max: 16,
    };
    let Ok(Value::Object(mut set)) = json::parse(document, limits) else {
        return Err(KeyFault::NotAJwkSet);
    };
    let Some(Value::Array(entries)) = set.remove("keys") else {
        return Err(KeyFault::NotAJwkSet);
    };
    if entries.len() > JWKS_KEYS_MAX {
        return Err(KeyFault::NotAJwkSet);
    }
    let objects = entries.into_iter().map(|entry| match entry {
        Value::Object(object) => Ok(object),
        _ => Err(KeyFault::NotAJwkSet),
    });
    objects.collect()
}

/// Reads a public key, or `None` when the entry is not for us.
pub(super) fn public_key(jwk: &Object) -> Result<Option<VerifyingKey>, KeyFault> {
    let kty = text(jwk, "kty");
    if kty == Some("oct") {
        return Ok(None);
    }
    if PRIVATE_MEMBERS
        .iter()
        .any(|member| jwk.get(member).is_some())
    {
        return Err(KeyFault::PrivateKey);
    }
    let (Some(kty), Some(kid), true) = (kty, text(jwk, "kid"), may_verify(jwk)) else {
        return Ok(None);
    };
    Ok(match kty {
        "OKP" => ed25519(kid, jwk),
        "EC" => p256(kid, jwk),
        "RSA" => rsa(kid, jwk),
        _ => None,
    })
}

/// Reads an HS256 secret.
pub(super) fn secret_key(jwk: &Object) -> Result<VerifyingKey, KeyFault> {
    let (Some("oct"), Some("HS256"), Some(kid), true) = (
        text(jwk, "kty"),
        text(jwk, "alg"),
        text(jwk, "kid"),
        may_verify(jwk),
    ) else {
        return Err(KeyFault::NotAJwkSet);
    };
    let secret = Zeroizing::new(bytes(jwk, "k").ok_or(KeyFault::NotAJwkSet)?);
    VerifyingKey::hs256(kid, &secret)
}

fn ed25519(kid: &str, jwk: &Object) -> Option<VerifyingKey> {
    let (Some("Ed25519"), Ok(alg)) = (text(jwk, "crv"), alg(jwk)) else {
        return None;
    };
    let key = VerifyingKey::ed25519(kid, &bytes(jwk, "x")?).ok()?;
    match alg {
        None | Some("EdDSA") => Some(key),
        Some(FULLY_SPECIFIED) => key.fully_specified().ok(),
        Some(_) => None,
    }
}

fn p256(kid: &str, jwk: &Object) -> Option<VerifyingKey> {
    let (Some("P-256"), Ok(None | Some("ES256"))) = (text(jwk, "crv"), alg(jwk)) else {
        return None;
    };
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    // RFC 7518 §6.2.1.2: each coordinate has the full 32 octets.
    if x.len() != 32 || y.len() != 32 {
        return None;
    }
    VerifyingKey::es256(kid, &[&[4][..], &x, &y].concat()).ok()
}

/// Without `alg` an RSA key is for RS256, which is what issuers that leave it out sign with.
fn rsa(kid: &str, jwk: &Object) -> Option<VerifyingKey> {
    let algorithm = match alg(jwk) {
        Ok(None | Some("RS256")) => Algorithm::Rs256,
        Ok(Some("PS256")) => Algorithm::Ps256,
        _ => return None,
    };
    VerifyingKey::rsa(kid, algorithm, &bytes(jwk, "n")?, &bytes(jwk, "e")?).ok()
}

/// Tells whether `use` and `key_ops` let the key verify signatures (RFC 7517 §4.2 and §4.3).
fn may_verify(jwk: &Object) -> bool {
    let for_signatures = jwk
        .get("use")
        .is_none_or(|value| value.as_str() == Some("sig"));
    let for_verifying = jwk.get("key_ops").is_none_or(|value| {
        let operations = value.as_array().unwrap_or_default();
        operations
            .iter()
            .any(|operation| operation.as_str() == Some("verify"))
    });
    for_signatures && for_verifying
}

/// Returns `alg` if it is there; something other than a string is an error.
fn alg(jwk: &Object) -> Result<Option<&str>, ()> {
    jwk.get("alg")
        .map(|value| value.as_str().ok_or(()))
        .transpose()
}

fn text<'j>(jwk: &'j Object, name: &str) -> Option<&'j str> {
    jwk.get(name)?.as_str()
}

fn bytes(jwk: &Object, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).ok()
}
