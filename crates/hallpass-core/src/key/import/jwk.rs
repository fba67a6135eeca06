//! Private JWKs (RFC 7517, RFC 7518 §6, RFC 8037).

use super::{IMPORT_LEN_MAX, ImportFault, Pair, rsa_fault};
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_verify::Algorithm;
use hallpass_verify::json::{self, Limits, Object, Value};
use zeroize::Zeroizing;

/// A JWK is flat but for `key_ops` and `oth`, and may stand in a set.
const LIMITS: Limits = Limits {
    bytes_max: IMPORT_LEN_MAX,
    depth_max: 6,
};

/// The members that only a private key has (RFC 7518 §6.2.2, §6.3.2 and §6.4.1, RFC 8037 §2).
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

/// What a JWK holds.
pub(super) struct Jwk {
    pub(super) pair: Pair,
    pub(super) algorithm: Option<Algorithm>,
    pub(super) kid: Option<String>,
}

/// Reads a private JWK.
pub(super) fn read(document: &[u8]) -> Result<Jwk, ImportFault> {
    let mut jwk = only_key(json::parse(document, LIMITS)?)?;
    // Out of the object first: it does not wipe what it holds.
    let secrets = Secrets::take(&mut jwk)?;
    if !is_for_signing(&jwk) {
        return Err(ImportFault::Use);
    }
    let algorithm = algorithm(&jwk)?;
    let kid = text(&jwk, "kid")?.map(str::to_owned);
    let pair = match text(&jwk, "kty")? {
        Some("OKP") => okp(&jwk, &secrets)?,
        Some("EC") => ec(&jwk, &secrets)?,
        Some("RSA") => rsa(&jwk, &secrets)?,
        Some("oct") => Pair::Hs256(secrets.bytes("k")?.ok_or(ImportFault::Form)?),
        Some(_) => return Err(ImportFault::Kind),
        None => return Err(ImportFault::NotAKey),
    };
    Ok(Jwk {
        pair,
        algorithm,
        kid,
    })
}

/// Returns the JWK, also if it stands alone in a set.
fn only_key(document: Value) -> Result<Object, ImportFault> {
    let Value::Object(mut object) = document else {
        return Err(ImportFault::NotAKey);
    };
    let Some(Value::Array(mut keys)) = object.remove("keys") else {
        return Ok(object);
    };
    match (keys.pop(), keys.is_empty()) {
        (Some(Value::Object(jwk)), true) => Ok(jwk),
        (Some(_), false) => Err(ImportFault::Several),
        _ => Err(ImportFault::NotAKey),
    }
}

/// The private members, wiped when they are dropped.
struct Secrets(Vec<(&'static str, Zeroizing<String>)>);

impl Secrets {
    fn take(jwk: &mut Object) -> Result<Self, ImportFault> {
        let mut taken = Vec::new();
        let mut fault = None;
        for name in PRIVATE_MEMBERS {
            match jwk.remove(name) {
                Some(Value::String(text)) => taken.push((name, Zeroizing::new(text))),
                Some(_) => fault = Some(ImportFault::Form),
                None => {}
            }
        }
        fault.map_or(Ok(Self(taken)), Err)
    }

    fn bytes(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, ImportFault> {
        let Some((_, text)) = self.0.iter().find(|(own, _)| *own == name) else {
            return Ok(None);
        };
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes());
        bytes
            .map(|bytes| Some(Zeroizing::new(bytes)))
            .map_err(|_| ImportFault::Form)
    }

    fn private(&self) -> Result<Zeroizing<Vec<u8>>, ImportFault> {
        self.bytes("d")?.ok_or(ImportFault::PublicOnly)
    }
}

fn okp(jwk: &Object, secrets: &Secrets) -> Result<Pair, ImportFault> {
    if text(jwk, "crv")? != Some("Ed25519") {
        return Err(ImportFault::Curve);
    }
    let (seed, public) = (secrets.private()?, bytes(jwk, "x")?);
    if seed.len() != 32 {
        return Err(ImportFault::Form);
    }
    let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public);
    pair.map(Pair::EdDsa).map_err(|_| ImportFault::Form)
}

fn ec(jwk: &Object, secrets: &Secrets) -> Result<Pair, ImportFault> {
    if text(jwk, "crv")? != Some("P-256") {
        return Err(ImportFault::Curve);
    }
    let private = secrets.private()?;
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    // RFC 7518 §6.2.1.2 and §6.2.2.1: each has the full 32 octets.
    if [private.len(), x.len(), y.len()] != [32; 3] {
        return Err(ImportFault::Form);
    }
    let pair = EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        &private,
        &[&[4][..], &x, &y].concat(),
    );
    pair.map(Pair::Es256).map_err(|_| ImportFault::Form)
}

#[expect(clippy::many_single_char_names, reason = "the names of RFC 7518 §6.3")]
fn rsa(jwk: &Object, secrets: &Secrets) -> Result<Pair, ImportFault> {
    let d = secrets.private()?;
    // RFC 7518 §6.3.2.7: more than two primes.
    if jwk.get("oth").is_some() {
        return Err(ImportFault::Primes);
    }
    let prime = |name| secrets.bytes(name)?.ok_or(ImportFault::Primes);
    let (p, q) = (prime("p")?, prime("q")?);
    let (dp, dq, qi) = (prime("dp")?, prime("dq")?, prime("qi")?);
    let (n, e) = (bytes(jwk, "n")?, bytes(jwk, "e")?);
    let pair = RsaKeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents {
            n: n.as_slice(),
            e: e.as_slice(),
        },
        d: d.as_slice(),
        p: p.as_slice(),
        q: q.as_slice(),
        dP: dp.as_slice(),
        dQ: dq.as_slice(),
        qInv: qi.as_slice(),
    });
    pair.map(Pair::Rsa).map_err(rsa_fault)
}

/// Tells whether `use` and `key_ops` let the key sign (RFC 7517 §4.2 and §4.3).
fn is_for_signing(jwk: &Object) -> bool {
    let for_signatures = jwk
        .get("use")
        .is_none_or(|value| value.as_str() == Some("sig"));
    let for_signing = jwk.get("key_ops").is_none_or(|value| {
        let operations = value.as_array().unwrap_or_default();
        operations
            .iter()
            .any(|operation| operation.as_str() == Some("sign"))
    });
    for_signatures && for_signing
}

/// `Ed25519` is the name that RFC 9864 §2.2 gives to what we sign as `EdDSA`.
fn algorithm(jwk: &Object) -> Result<Option<Algorithm>, ImportFault> {
    match text(jwk, "alg")? {
        None => Ok(None),
        Some("Ed25519") => Ok(Some(Algorithm::EdDsa)),
        Some(name) => Algorithm::parse(name)
            .map(Some)
            .ok_or(ImportFault::Algorithm),
    }
}

/// Returns a text if it is there; something other than a text is an error.
fn text<'j>(jwk: &'j Object, name: &str) -> Result<Option<&'j str>, ImportFault> {
    jwk.get(name)
        .map(|value| value.as_str().ok_or(ImportFault::Form))
        .transpose()
}

fn bytes(jwk: &Object, name: &str) -> Result<Vec<u8>, ImportFault> {
    let text = text(jwk, name)?.ok_or(ImportFault::Form)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| ImportFault::Form)
}
