//! PEM files (RFC 7468) with one private key.

use super::{ImportFault, Pair, rsa_fault};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING,
    ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, RsaKeyPair,
};
use zeroize::Zeroizing;

/// Curves that are known and not signed with.
static OTHER_CURVES: [&EcdsaSigningAlgorithm; 3] = [
    &ECDSA_P384_SHA384_FIXED_SIGNING,
    &ECDSA_P521_SHA512_FIXED_SIGNING,
    &ECDSA_P256K1_SHA256_ASN1_SIGNING,
];

/// Reads the one private key. Curve parameters, certificates and public keys may stand beside it,
/// as other programs write them.
pub(super) fn read(text: &str) -> Result<Pair, ImportFault> {
    let blocks = pem::parse_many(text).map_err(|_| ImportFault::NotAKey)?;
    let mut found = None;
    let mut beside = ImportFault::NotAKey;
    for block in blocks {
        let is_encrypted = block.headers().iter().next().is_some();
        let label = block.tag().to_owned();
        let der = Zeroizing::new(block.into_contents());
        let read = match label.as_str() {
            // RFC 1421 §4.6.1.1: what has headers is encrypted.
            "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" if is_encrypted => {
                return Err(ImportFault::Encrypted);
            }
            "PRIVATE KEY" => pkcs8(&der),
            "EC PRIVATE KEY" => sec1(&der),
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).map(Pair::Rsa).map_err(rsa_fault),
            "ENCRYPTED PRIVATE KEY" => return Err(ImportFault::Encrypted),
            "OPENSSH PRIVATE KEY" => return Err(ImportFault::OpenSsh),
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => {
                beside = ImportFault::PublicOnly;
                continue;
            }
            label if label.ends_with("PRIVATE KEY") => return Err(ImportFault::Kind),
            _ => continue,
        };
        if found.replace(read?).is_some() {
            return Err(ImportFault::Several);
        }
    }
    found.ok_or(beside)
}

/// PKCS#8 (RFC 5958) with a key of any kind.
fn pkcs8(der: &[u8]) -> Result<Pair, ImportFault> {
    if let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) {
        return Ok(Pair::EdDsa(pair));
    }
    if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
        return Ok(Pair::Es256(pair));
    }
    if OTHER_CURVES
        .iter()
        .any(|curve| EcdsaKeyPair::from_pkcs8(curve, der).is_ok())
    {
        return Err(ImportFault::Curve);
    }
    match RsaKeyPair::from_pkcs8(der) {
        Ok(pair) => Ok(Pair::Rsa(pair)),
        Err(rejected) => Err(match rsa_fault(rejected) {
            ImportFault::Form => ImportFault::Kind,
            weak => weak,
        }),
    }
}

/// `ECPrivateKey` (RFC 5915).
fn sec1(der: &[u8]) -> Result<Pair, ImportFault> {
    let read = |curve| EcdsaKeyPair::from_private_key_der(curve, der);
    if let Ok(pair) = read(&ECDSA_P256_SHA256_FIXED_SIGNING) {
        return Ok(Pair::Es256(pair));
    }
    if OTHER_CURVES.iter().any(|curve| read(curve).is_ok()) {
        return Err(ImportFault::Curve);
    }
    Err(ImportFault::Form)
}
