//! Where a request comes from: Fetch Metadata, `Origin`, `Referer`.

use http::header::{HeaderName, ORIGIN, REFERER};
use http::{HeaderMap, HeaderValue};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// W3C Fetch Metadata §2.4; browsers send it, scripts cannot set it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Tells why a text is not an origin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OriginFault {
    /// It has no scheme, or the scheme has no hosts.
    #[error(
        "expected an origin like `https://app.example.com`: scheme, host and, if need be, port"
    )]
    Scheme,
    /// What stands where the host belongs is not one, a wildcard for example.
    #[error("expected a host name or an IP address in lower or upper case ASCII (IDNs as `xn--…`)")]
    Host,
    /// The port is not a number from 1 to 65,535 without leading zeros.
    #[error("expected a port from 1 to 65535")]
    Port,
    /// Something follows: a path, a query, a slash.
    #[error("expected an origin that ends after its host and port, without a path or a slash")]
    Trailing,
}

/// An origin: scheme, host and port (RFC 6454 §4), kept as browsers send it (§6.2).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin(Box<str>);

impl Origin {
    /// Reads an origin as an operator writes it. Case and a default port are normalised.
    ///
    /// # Errors
    /// When it is not one exact origin: a wildcard, `null`, a path or a trailing slash are not.
    pub fn parse(text: &str) -> Result<Self, OriginFault> {
        let (scheme, rest) = text.split_once("://").ok_or(OriginFault::Scheme)?;
        let scheme = checked_scheme(scheme)?;
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(OriginFault::Trailing);
        }
        let (host, port) = split_port(rest)?;
        let host = checked_host(host)?;
        let default_port = match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        Ok(Self(match port {
            Some(port) if Some(port) != default_port => format!("{scheme}://{host}:{port}").into(),
            _ => format!("{scheme}://{host}").into(),
        }))
    }

    /// Returns the origin as browsers write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.0)
    }
}

fn checked_scheme(scheme: &str) -> Result<String, OriginFault> {
    let mut bytes = scheme.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let goes_on = bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let scheme = scheme.to_ascii_lowercase();
    // The origin of a file is `null` for the browsers: nothing to trust by name.
    if starts && goes_on && scheme != "file" {
        Ok(scheme)
    } else {
        Err(OriginFault::Scheme)
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), OriginFault> {
    let after_address = authority.rfind(']').map_or(0, |end| end + 1);
    let colon = authority
        .get(after_address..)
        .and_then(|rest| rest.find(':'));
    let Some((host, port)) = colon.and_then(|at| authority.split_at_checked(after_address + at))
    else {
        return Ok((authority, None));
    };
    let digits = port.trim_start_matches(':');
    let plain = port.len() == digits.len() + 1
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(port) if plain => Ok((host, Some(port))),
        _ => Err(OriginFault::Port),
    }
}

fn checked_host(host: &str) -> Result<String, OriginFault> {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let address: Ipv6Addr = address.parse().map_err(|_| OriginFault::Host)?;
        // Browsers write these in another way than everybody else.
        return match address.to_ipv4_mapped() {
            None => Ok(format!("[{address}]")),
            Some(_) => Err(OriginFault::Host),
        };
    }
    let host = host.to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let is_name = host.len() <= 253 && host.split('.').all(is_label);
    if is_name && (!ends_in_a_number(&host) || host.parse::<Ipv4Addr>().is_ok()) {
        Ok(host)
    } else {
        Err(OriginFault::Host)
    }
}

/// Tells whether browsers take the host for an IPv4 address (WHATWG URL, "ends in a number").
pub(crate) fn ends_in_a_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_hex = last
        .strip_prefix("0x")
        .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    is_hex || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Tells that a request comes from a page that is not trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the request comes from an origin that is not trusted")]
pub struct OriginDenied;

/// What a request tells about where it comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Provenance {
    /// From a page of ours, or of a trusted origin, or from the user's own address bar.
    Trusted,
    /// It does not say: no browser of today sends a state-changing request like that.
    Unknown,
}

/// Which origins may make requests that ride on a cookie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OriginPolicy {
    own: Origin,
    trusted: Vec<Origin>,
}

impl OriginPolicy {
    /// Returns the policy that trusts `own`, the origin of the service itself, and `trusted`.
    #[must_use]
    pub const fn new(own: Origin, trusted: Vec<Origin>) -> Self {
        Self { own, trusted }
    }

    /// Returns the origin of the service itself.
    #[must_use]
    pub const fn own(&self) -> &Origin {
        &self.own
    }

    /// Returns the other origins that are trusted.
    #[must_use]
    pub fn trusted(&self) -> &[Origin] {
        &self.trusted
    }

    /// Accepts a request unless it is known to come from elsewhere.
    ///
    /// A request that says nothing at all passes: it is not from a browser, or the CSRF token
    /// has to prove the rest.
    ///
    /// # Errors
    /// When the request comes from an origin that is not trusted, or says so twice.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), OriginDenied> {
        self.provenance(headers).map(|_| ())
    }

    /// Returns what the request tells about where it comes from.
    ///
    /// # Errors
    /// When the request comes from an origin that is not trusted, or says so twice.
    ///
    /// # Security
    /// The order matters. Our own page under `Referrer-Policy: no-referrer` sends `Origin: null`
    /// next to `Sec-Fetch-Site: same-origin`; a sandboxed frame sends `null` next to `cross-site`.
    pub fn provenance(&self, headers: &HeaderMap) -> Result<Provenance, OriginDenied> {
        match single(headers, &SEC_FETCH_SITE)?.map(HeaderValue::as_bytes) {
            Some(b"same-origin" | b"none") => Ok(Provenance::Trusted),
            Some(b"same-site" | b"cross-site") => match single(headers, &ORIGIN)? {
                Some(origin) if self.trusts(origin) => Ok(Provenance::Trusted),
                _ => Err(OriginDenied),
            },
            Some(_) => Err(OriginDenied),
            None => self.provenance_without_fetch_metadata(headers),
        }
    }

    fn provenance_without_fetch_metadata(
        &self,
        headers: &HeaderMap,
    ) -> Result<Provenance, OriginDenied> {
        let origin = match (single(headers, &ORIGIN)?, single(headers, &REFERER)?) {
            (Some(origin), _) => origin.as_bytes(),
            (None, Some(referer)) => origin_of(referer.as_bytes()).ok_or(OriginDenied)?,
            (None, None) => return Ok(Provenance::Unknown),
        };
        if self.own.0.as_bytes() == origin || self.lists(origin) {
            Ok(Provenance::Trusted)
        } else {
            Err(OriginDenied)
        }
    }

    /// Tells whether the value of an `Origin` header is on the list of trusted origins. The
    /// service's own origin is not on that list.
    #[must_use]
    pub fn trusts(&self, origin: &HeaderValue) -> bool {
        self.lists(origin.as_bytes())
    }

    /// Browsers write an origin in one way only (RFC 6454 §6.2), so bytes are compared.
    fn lists(&self, origin: &[u8]) -> bool {
        self.trusted
            .iter()
            .any(|trusted| trusted.0.as_bytes() == origin)
    }
}

fn single<'r>(
    headers: &'r HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'r HeaderValue>, OriginDenied> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (line, None) => Ok(line),
        (_, Some(_)) => Err(OriginDenied),
    }
}

/// Returns scheme, host and port of an absolute URL, as they stand there.
fn origin_of(url: &[u8]) -> Option<&[u8]> {
    let authority = memchr::memmem::find(url, b"://")? + 3;
    let rest = url.get(authority..)?;
    let end = rest
        .iter()
        .position(|byte| b"/?#\\".contains(byte))
        .unwrap_or(rest.len());
    url.get(..authority + end)
}

#[cfg(test)]
mod tests;
