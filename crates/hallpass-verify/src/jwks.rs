//! Keys as JSON: JWK and JWK sets (RFC 7517), read strictly and written with public members only.

mod read;

use crate::keys::{FULLY_SPECIFIED, KeyFault, KeySet, PublicParts, VerifyingKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The longest JWK set that is read, in bytes.
pub const JWKS_LEN_MAX: usize = 262_144;

/// The most keys a JWK set may have.
pub const JWKS_KEYS_MAX: usize = 100;

impl KeySet {
    /// Reads the public keys of a JWK set, as an issuer serves it.
    ///
    /// Keys that are not for us are ignored (RFC 7517 §5): of another `kty`, `crv` or `alg`, with
    /// another `use` or without `verify` in their `key_ops`, without `kid`, broken, or weak.
    ///
    /// # Errors
    /// When it is no JWK set, when a key has private members, when two usable keys have one id,
    /// or when no key is usable.
    ///
    /// # Security
    /// Secrets (`kty` `oct`) are ignored: a served document never makes a secret key. A document
    /// with a private key is refused as a whole, because that key is no secret any more.
    pub fn from_jwks(document: &[u8]) -> Result<Self, KeyFault> {
        let mut usable = Vec::new();
        for entry in read::entries(document)? {
            usable.extend(read::public_key(&entry)?);
        }
        if usable.is_empty() {
            Err(KeyFault::NoUsableKey)
        } else {
            Self::new(usable)
        }
    }

    /// Reads the HS256 secrets of a JWK set, as an operator keeps it in a file.
    ///
    /// # Errors
    /// When it is no JWK set, or any entry is not an HS256 key with a `kid`, a `use` or `key_ops`
    /// that lets it verify, and at least 32 bytes.
    pub fn from_secret_jwks(document: &[u8]) -> Result<Self, KeyFault> {
        let entries = read::entries(document)?;
        let keys: Vec<_> = entries
            .iter()
            .map(read::secret_key)
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            Err(KeyFault::NoUsableKey)
        } else {
            Self::new(keys)
        }
    }

    /// Returns the JWK set to serve: the public keys.
    #[must_use]
    pub fn to_jwks(&self) -> Value {
        json!({ "keys": self.iter().filter_map(VerifyingKey::to_jwk).collect::<Vec<_>>() })
    }
}

impl VerifyingKey {
    /// Returns the public JWK, or `None` for a secret key.
    #[must_use]
    pub fn to_jwk(&self) -> Option<Value> {
        let mut jwk = required_members(self.public_parts()?);
        let fully = self.is_fully_specified();
        let alg = if fully {
            FULLY_SPECIFIED
        } else {
            self.algorithm().name()
        };
        for (name, value) in [("kid", self.kid()), ("use", "sig"), ("alg", alg)] {
            jwk.insert(name.into(), value.into());
        }
        Some(Value::Object(jwk))
    }

    /// Returns the thumbprint (RFC 7638 §3), or `None` for a secret key.
    #[must_use]
    pub fn thumbprint(&self) -> Option<String> {
        let members = required_members(self.public_parts()?);
        // RFC 7638 §3.3: members in the order of their names, no blanks.
        let mut sorted: Vec<_> = members.iter().collect();
        sorted.sort_unstable_by_key(|(name, _)| *name);
        let texts: Vec<_> = sorted
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        let canonical = format!("{{{}}}", texts.join(","));
        Some(URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes())))
    }
}

/// The members that RFC 7638 §3.2 requires of each kind of key.
fn required_members(parts: &PublicParts) -> serde_json::Map<String, Value> {
    let encode = |bytes: &[u8]| Value::String(URL_SAFE_NO_PAD.encode(bytes));
    let members = match parts {
        PublicParts::Okp { x } => {
            vec![
                ("kty", "OKP".into()),
                ("crv", "Ed25519".into()),
                ("x", encode(x)),
            ]
        }
        PublicParts::Ec { x, y } => vec![
            ("kty", "EC".into()),
            ("crv", "P-256".into()),
            ("x", encode(x)),
            ("y", encode(y)),
        ],
        PublicParts::Rsa { n, e } => {
            vec![("kty", "RSA".into()), ("n", encode(n)), ("e", encode(e))]
        }
    };
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests;
