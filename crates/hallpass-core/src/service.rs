//! Services that may ask about tokens, and how they prove who they are.

use crate::random::{self, NoRandomness, Random};
use crate::settings::SettingFault;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use constant_time_eq::constant_time_eq_32;
use hallpass_verify::secret_text;
use std::fmt::{self, Write as _};

const PREFIX: &str = "hps_";
/// The longest name of a service, in bytes.
const NAME_LEN_MAX: usize = 64;

secret_text! {
    /// What a service proves with who it is: drawn at random, kept by the service alone.
    ServiceSecret
}

impl ServiceSecret {
    /// Draws a secret of 256 bits.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn draw(random: &dyn Random) -> Result<Self, NoRandomness> {
        let bytes = random::bytes::<32>(random)?;
        Ok(Self::new(format!(
            "{PREFIX}{}",
            URL_SAFE_NO_PAD.encode(bytes)
        )))
    }

    /// Returns what the deployment keeps of it.
    #[must_use]
    pub fn hash(&self) -> ServiceSecretHash {
        ServiceSecretHash::of(self.expose())
    }
}

/// The SHA-256 of a [`ServiceSecret`]: 256 random bits need no slow hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ServiceSecretHash([u8; 32]);

impl ServiceSecretHash {
    fn of(secret: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
        Self(bytes)
    }

    fn parse(hex: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if hex.len() != 64 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Returns 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl fmt::Debug for ServiceSecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceSecretHash")
    }
}

/// A service that may ask about tokens and learn what was revoked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// Its name: the client id (RFC 6749 §2.2).
    pub name: String,
    /// What is kept of its secret.
    pub secret_hash: ServiceSecretHash,
}

/// Tells that a text does not describe a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `name:hash`, as `hallpass service new NAME` prints it")]
pub struct InvalidService;

impl Service {
    /// Reads `name:hash`: a name of letters, digits, `-`, `_` and `.`, and the SHA-256 of the secret
    /// as 64 hexadecimal digits.
    ///
    /// # Errors
    /// When it is something else.
    pub fn parse(text: &str) -> Result<Self, InvalidService> {
        let (name, hash) = text.split_once(':').ok_or(InvalidService)?;
        let proper = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > NAME_LEN_MAX || !name.bytes().all(proper) {
            return Err(InvalidService);
        }
        Ok(Self {
            name: name.to_owned(),
            secret_hash: ServiceSecretHash::parse(hash).ok_or(InvalidService)?,
        })
    }
}

/// Returns the service whose secret this is; with a name, only that one.
///
/// # Security
/// Hashes are compared, each in the same time wherever the difference is.
pub(crate) fn find<'s>(
    services: &'s [Service],
    name: Option<&str>,
    secret: &str,
) -> Option<&'s Service> {
    let hash = ServiceSecretHash::of(secret);
    services.iter().find(|service| {
        name.is_none_or(|name| name == service.name)
            && constant_time_eq_32(&service.secret_hash.0, &hash.0)
    })
}

pub(crate) fn faults(services: &[Service]) -> Vec<SettingFault> {
    let mut names: Vec<&str> = services
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    names.sort_unstable();
    let twice = names.windows(2).any(|pair| pair.first() == pair.last());
    let fault = || SettingFault::new("services", "expected each name once");
    twice.then(fault).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn a_service_is_known_by_its_secret_and_by_no_other() {
        let random = SeededRandom::new(7);
        let secret = ServiceSecret::draw(&random).unwrap();
        assert_eq!(secret.expose().len(), 47);
        let line = |name: &str| format!("{name}:{}", secret.hash().to_hex());
        let orders = Service::parse(&line("orders")).unwrap();
        let services = [
            Service::parse(&format!("mail:{}", "0".repeat(64))).unwrap(),
            orders,
        ];
        let found = |name, secret: &str| find(&services, name, secret).map(|s| s.name.as_str());
        assert_eq!(found(Some("orders"), secret.expose()), Some("orders"));
        assert_eq!(found(None, secret.expose()), Some("orders"));
        assert_eq!(found(Some("mail"), secret.expose()), None);
        assert_eq!(found(None, "hps_"), None);
        assert_eq!(found(Some("orders"), &secret.expose()[..46]), None);
        assert!(!format!("{services:?} {secret:?}").contains(&secret.expose()[4..]));
    }

    #[test]
    fn a_line_that_is_no_service_is_refused() {
        let hash = "0".repeat(64);
        for wrong in [
            String::new(),
            "orders".into(),
            "orders:".into(),
            format!(":{hash}"),
            format!("or ders:{hash}"),
            format!("orders:{}", &hash[1..]),
            format!("orders:{}g", &hash[1..]),
            format!("orders:+{}", &hash[1..]),
            format!("{}:{hash}", "x".repeat(65)),
        ] {
            assert_eq!(Service::parse(&wrong), Err(InvalidService), "{wrong}");
        }
    }

    #[test]
    fn a_name_stands_once() {
        let one = Service::parse(&format!("a:{}", "0".repeat(64))).unwrap();
        assert_eq!(faults(std::slice::from_ref(&one)), []);
        assert_eq!(faults(&[one.clone(), one]).len(), 1);
    }
}
