//! Which service is asking. No cookie is read for it: what a browser sends along proves nothing.

use super::device;
use crate::mount::Mount;
use crate::problem::Refused;
use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hallpass_core::audit::EventKind;
use hallpass_verify::problem::Code;
use hallpass_verify::{Found, bearer};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use url::form_urlencoded;

/// The longest header `Authorization` of a service, in bytes: a name and a secret of 47
/// characters, escaped and encoded, fit many times over.
const CREDENTIALS_LEN_MAX: usize = 1024;

/// A service that proved who it is. That it did is all that our routes ask.
pub(crate) struct KnownService(());

impl FromRequestParts<Mount> for KnownService {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, mount: &Mount) -> Result<Self, Refused> {
        known_service(mount, parts)?.ok_or_else(|| Code::InvalidClient.into())
    }
}

/// Returns the service that proved who it is, or none when the request names none. Wrong
/// credentials are not absent ones.
pub(crate) fn known_service(mount: &Mount, parts: &Parts) -> Result<Option<KnownService>, Refused> {
    let presented = match presented(&parts.headers) {
        Found::Absent => return Ok(None),
        Found::Malformed => None,
        Found::Present(presented) => Some(presented),
    };
    let is_known = presented.is_some_and(|Presented { name, secret }| {
        let service = mount.hallpass().service(name.as_deref(), &secret);
        service.is_some()
    });
    if is_known {
        return Ok(Some(KnownService(())));
    }
    let device = device(mount, parts);
    let rules = mount.hallpass();
    rules.record(EventKind::ServiceRefused, None, None, &device);
    Err(Code::InvalidClient.into())
}

/// What a request claims about the service that sends it.
struct Presented {
    /// Which service; with a bearer secret there is no name.
    name: Option<String>,
    secret: String,
}

/// Reads `Authorization: Basic …` (RFC 7617, RFC 6749 §2.3.1) or `Authorization: Bearer …`, on
/// exactly one line. Another scheme is malformed: whoever sends it wants to be somebody.
fn presented(headers: &HeaderMap) -> Found<Presented> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let line = match (lines.next(), lines.next()) {
        (None, _) => return Found::Absent,
        (Some(line), None) if line.len() <= CREDENTIALS_LEN_MAX => line,
        _ => return Found::Malformed,
    };
    if let Found::Present(secret) = bearer(headers) {
        let secret = secret.to_owned();
        return Found::Present(Presented { name: None, secret });
    }
    basic(line.as_bytes()).map_or(Found::Malformed, Found::Present)
}

/// Reads `Basic` and the base64 of a name, a colon and a secret, both form-encoded.
fn basic(line: &[u8]) -> Option<Presented> {
    let (scheme, rest) = line.split_at_checked(b"basic".len())?;
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    let encoded = rest.get(blanks..)?;
    if !scheme.eq_ignore_ascii_case(b"basic") || blanks == 0 {
        return None;
    }
    let plain = STANDARD.decode(encoded).ok()?;
    let (name, secret) = std::str::from_utf8(&plain).ok()?.split_once(':')?;
    Some(Presented {
        name: Some(form_decoded(name)?),
        secret: form_decoded(secret)?,
    })
}

/// Decodes one form-encoded value (RFC 6749 §2.3.1). A bare `&` would end it.
fn form_decoded(text: &str) -> Option<String> {
    if text.contains('&') {
        return None;
    }
    let pair = format!("v={text}");
    let (_, value) = form_urlencoded::parse(pair.as_bytes()).next()?;
    Some(value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    /// What was found: the name, if there is one, and the secret.
    fn read(lines: &[&str]) -> Found<(Option<String>, String)> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(AUTHORIZATION, HeaderValue::from_str(line).unwrap());
        }
        match presented(&headers) {
            Found::Absent => Found::Absent,
            Found::Malformed => Found::Malformed,
            Found::Present(Presented { name, secret }) => Found::Present((name, secret)),
        }
    }

    fn basic(plain: &str) -> String {
        format!("Basic {}", STANDARD.encode(plain))
    }

    #[test]
    fn name_and_secret_are_form_encoded() {
        let both =
            |name: &str, secret: &str| Found::Present((Some(name.to_owned()), secret.to_owned()));
        assert_eq!(read(&[&basic("orders:hps_x")]), both("orders", "hps_x"));
        assert_eq!(read(&[&basic("a%3Ab+c:x%2By=")]), both("a:b c", "x+y="));
        assert_eq!(read(&[&basic("orders:a:b")]), both("orders", "a:b"));
        assert_eq!(read(&[&basic(":")]), both("", ""));
        let shouted = basic("orders:x").replace("Basic", "BASIC  ");
        assert_eq!(read(&[&shouted]), both("orders", "x"));
    }

    #[test]
    fn a_bearer_secret_has_no_name() {
        assert_eq!(
            read(&["bearer hps_x"]),
            Found::Present((None, "hps_x".to_owned()))
        );
    }

    #[test]
    fn what_cannot_be_read_is_not_absent() {
        assert_eq!(read(&[]), Found::Absent);
        let long = basic(&format!("orders:{}", "x".repeat(1024)));
        for lines in [
            &[""][..],
            &["Basic"],
            &["Basic "],
            &["Basic\tb3JkZXJzOng="],
            &["Basic b3JkZXJzOng"],
            &["Basic b3JkZXJzOng= x"],
            &["Basic b3JkZXJz"],
            &["Basic /zp4"],
            &[&basic("a&b:x")],
            &[&basic("a:b&c=d")],
            &[&long],
            &["Digest x"],
            &["Bearer"],
            &["Bearer a b"],
            &["Bearer x", "Basic b3JkZXJzOng="],
            &["Basic b3JkZXJzOng=", "Basic b3JkZXJzOng="],
        ] {
            assert_eq!(read(lines), Found::Malformed, "{lines:?}");
        }
    }
}
