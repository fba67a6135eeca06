//! How this service proves to the issuer which one it is.

use super::RemoteFault;
use crate::secret_text;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// The longest name and the longest secret of a service, in bytes.
const CREDENTIAL_LEN_MAX: usize = 512;

secret_text! {
    /// The secret of this service: proves to the issuer which one it is.
    ServiceSecret
}

/// The credentials of this service.
#[derive(Debug)]
pub(super) struct Service {
    authorization: HeaderValue,
}

impl Service {
    /// Takes a name and a secret.
    pub(super) fn checked(name: &str, secret: &ServiceSecret) -> Result<Self, RemoteFault> {
        let fits = |text: &str| {
            let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
            (1..=CREDENTIAL_LEN_MAX).contains(&text.len()) && visible
        };
        if !fits(name) || !fits(secret.expose()) {
            return Err(RemoteFault::Service);
        }
        Ok(Self {
            authorization: basic(name, secret)?,
        })
    }

    /// Returns the value of the header `Authorization`, marked as one not to log.
    pub(super) fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }
}

/// RFC 6749 §2.3.1: both are form-encoded before they are joined, so a colon in one is no colon
/// between them.
fn basic(name: &str, secret: &ServiceSecret) -> Result<HeaderValue, RemoteFault> {
    let mut pair = Zeroizing::new(String::new());
    pair.extend(byte_serialize(name.as_bytes()));
    pair.push(':');
    pair.extend(byte_serialize(secret.expose().as_bytes()));
    let line = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut value = HeaderValue::try_from(line.as_str()).map_err(|_| RemoteFault::Service)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, secret: &str) -> Result<Service, RemoteFault> {
        Service::checked(name, &ServiceSecret::new(secret.into()))
    }

    #[test]
    fn name_and_secret_are_form_encoded_before_they_are_joined() {
        let value = |name, secret| service(name, secret).unwrap().authorization();
        // "orders:hps_x" and "a%3Ab:c%2Bd".
        assert_eq!(value("orders", "hps_x"), "Basic b3JkZXJzOmhwc194");
        assert_eq!(value("a:b", "c+d"), "Basic YSUzQWI6YyUyQmQ=");
    }

    #[test]
    fn a_service_does_not_print_its_secret() {
        let orders = service("orders", "hps_secret").unwrap();
        let printed = format!("{orders:?}");
        let encoded = orders.authorization().to_str().unwrap().to_owned();
        assert!(
            !printed.contains("hps_") && !printed.contains(&encoded),
            "{printed}"
        );
    }

    #[test]
    fn a_name_or_secret_that_cannot_be_one_is_refused() {
        let long = "x".repeat(513);
        for (name, secret) in [
            ("", "s"),
            ("n", ""),
            ("n n", "s"),
            ("n", "s\n"),
            ("n", &long),
        ] {
            assert!(service(name, secret).is_err(), "{name:?} {secret:?}");
        }
    }
}
