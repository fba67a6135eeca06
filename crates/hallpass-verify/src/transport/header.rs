//! A token in a header.

use super::{Found, is_tchar, token68};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName};

/// Headers that browsers write by themselves, or that say something else.
const TAKEN: [&str; 13] = [
    "accept",
    "accept-language",
    "content-language",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "origin",
    "range",
    "referer",
    "set-cookie",
    "te",
    "transfer-encoding",
];

/// The header that carries the access token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenHeader {
    name: HeaderName,
    /// What stands before the token; `None` is nothing.
    scheme: Option<String>,
}

/// Tells that a header cannot carry a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenHeaderFault {
    /// The name is none, or browsers write that header by themselves.
    #[error("expected the name of a header of its own, such as `authorization`")]
    Name,
    /// The scheme is not one word.
    #[error("expected a scheme of one word, such as `Bearer`")]
    Scheme,
}

/// `Authorization: Bearer …` (RFC 6750 §2.1).
impl Default for TokenHeader {
    fn default() -> Self {
        Self {
            name: AUTHORIZATION,
            scheme: Some("Bearer".into()),
        }
    }
}

impl TokenHeader {
    /// Takes a header in which a word stands before the token, such as `Bearer`. Another word is
    /// not ours: absent. Words compare without case (RFC 9110 §11.1).
    ///
    /// # Errors
    /// When the name or the word cannot be one.
    pub fn with_scheme(name: &str, scheme: &str) -> Result<Self, TokenHeaderFault> {
        if scheme.is_empty() || !scheme.bytes().all(is_tchar) {
            return Err(TokenHeaderFault::Scheme);
        }
        let scheme = Some(scheme.to_owned());
        let name = checked(name)?;
        Ok(Self { name, scheme })
    }

    /// Takes a header whose whole value is the token.
    ///
    /// # Errors
    /// When the name cannot be one.
    pub fn bare(name: &str) -> Result<Self, TokenHeaderFault> {
        let (name, scheme) = (checked(name)?, None);
        Ok(Self { name, scheme })
    }

    /// Returns the name of the header, in lower case.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Returns what stands before the token, if anything does.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        self.scheme.as_deref()
    }

    /// Returns the token that stands in the header.
    ///
    /// An empty header, several lines of it, or a token of other bytes than `token68` (RFC 9110
    /// §11.2) is malformed.
    #[must_use]
    pub fn read<'r>(&self, headers: &'r HeaderMap) -> Found<&'r str> {
        let mut lines = headers.get_all(&self.name).iter();
        let Some(line) = lines.next() else {
            return Found::Absent;
        };
        if lines.next().is_some() {
            return Found::Malformed;
        }
        match &self.scheme {
            Some(scheme) => after(scheme.as_bytes(), line.as_bytes()),
            None => token68(line.as_bytes()).map_or(Found::Malformed, Found::Present),
        }
    }

    /// Returns a request's headers with this token in them; `None` is a text that no header can
    /// carry.
    #[cfg(feature = "live")]
    pub(crate) fn carrying(&self, token: &str) -> Option<HeaderMap> {
        let line = match &self.scheme {
            Some(scheme) => format!("{scheme} {token}"),
            None => token.to_owned(),
        };
        let mut line = http::HeaderValue::try_from(line).ok()?;
        line.set_sensitive(true);
        Some(HeaderMap::from_iter([(self.name.clone(), line)]))
    }
}

fn checked(name: &str) -> Result<HeaderName, TokenHeaderFault> {
    let name = HeaderName::try_from(name).map_err(|_| TokenHeaderFault::Name)?;
    if TAKEN.contains(&name.as_str()) {
        return Err(TokenHeaderFault::Name);
    }
    Ok(name)
}

/// Returns the bearer token of the `Authorization` header (RFC 6750 §2.1).
///
/// Another scheme is not our credential: absent. Scheme names compare without case (RFC 9110
/// §11.1). An empty header, several headers, or a token of other bytes than `token68` (RFC 9110
/// §11.2) is malformed.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Found<&str> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    match (lines.next(), lines.next()) {
        (None, _) => Found::Absent,
        (Some(line), None) => after(b"bearer", line.as_bytes()),
        _ => Found::Malformed,
    }
}

/// Reads `scheme 1*SP token68`.
fn after<'r>(scheme: &[u8], line: &'r [u8]) -> Found<&'r str> {
    let scheme_len = line
        .iter()
        .position(|byte| !is_tchar(*byte))
        .unwrap_or(line.len());
    let (own, rest) = line.split_at_checked(scheme_len).unwrap_or((line, b""));
    if own.eq_ignore_ascii_case(scheme) {
        return token68_after_blanks(rest).map_or(Found::Malformed, Found::Present);
    }
    match rest.first() {
        None | Some(b' ') if !own.is_empty() => Found::Absent,
        _ => Found::Malformed,
    }
}

/// `1*SP token68`
fn token68_after_blanks(rest: &[u8]) -> Option<&str> {
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    let token = rest.get(blanks..).filter(|_| blanks > 0)?;
    token68(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(name: &HeaderName, lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    /// The default header and `bearer` read alike.
    #[track_caller]
    fn check(lines: &[&[u8]], expected: Found<&str>) {
        let headers = headers(&AUTHORIZATION, lines);
        assert_eq!(bearer(&headers), expected, "{lines:?}");
        let by_default = TokenHeader::default();
        assert_eq!(by_default.read(&headers), expected, "{lines:?}");
    }

    #[test]
    fn a_bearer_token_is_found_whatever_the_case_of_its_scheme() {
        check(
            &[b"Bearer a.b-c_d~e+f/9=="],
            Found::Present("a.b-c_d~e+f/9=="),
        );
        check(&[b"bearer abc"], Found::Present("abc"));
        check(&[b"BEARER abc"], Found::Present("abc"));
        check(&[b"Bearer   abc"], Found::Present("abc"));
    }

    #[test]
    fn another_scheme_is_not_our_credential() {
        check(&[], Found::Absent);
        check(&[b"Basic dXNlcjpwYXNz"], Found::Absent);
        check(&[b"Basic \xff"], Found::Absent);
        check(&[b"Digest"], Found::Absent);
        check(&[b"Bearerx abc"], Found::Absent);
        check(&[b"DPoP abc"], Found::Absent);
    }

    #[test]
    fn a_broken_bearer_header_is_not_absent() {
        for line in [
            &b""[..],
            b" Bearer abc",
            b"Bearer",
            b"Bearer ",
            b"Bearer ==",
            b"Bearer abc def",
            b"Bearer abc ",
            b"Bearer abc,def",
            b"Bearer abc=d",
            b"Bearer \"abc\"",
            b"Bearer ab\xc3\xa9",
            b"Bearer\tabc",
            b"Bearer \tabc",
            b"Bearer:abc",
            b"Bearer,abc",
            b"Bearer/abc",
            b"\xff abc",
        ] {
            check(&[line], Found::Malformed);
        }
    }

    #[test]
    fn two_authorization_headers_are_refused() {
        check(&[b"Bearer abc", b"Bearer abc"], Found::Malformed);
        check(&[b"Basic abc", b"Bearer abc"], Found::Malformed);
        check(&[b"Bearer abc", b"Basic abc"], Found::Malformed);
    }

    #[test]
    fn another_header_has_a_scheme_of_its_own_or_none() {
        let name = HeaderName::from_static("x-token");
        let own = TokenHeader::with_scheme("X-Token", "JWT").unwrap();
        let bare = TokenHeader::bare("X-Token").unwrap();
        assert_eq!((own.name(), own.scheme()), ("x-token", Some("JWT")));
        assert_eq!((bare.name(), bare.scheme()), ("x-token", None));
        for (line, with_scheme, without) in [
            ("JWT abc", Found::Present("abc"), Found::Malformed),
            ("jwt abc", Found::Present("abc"), Found::Malformed),
            ("abc", Found::Absent, Found::Present("abc")),
            ("Bearer abc", Found::Absent, Found::Malformed),
            ("", Found::Malformed, Found::Malformed),
            ("JWT ", Found::Malformed, Found::Malformed),
            ("a.b.c=", Found::Malformed, Found::Present("a.b.c=")),
            ("abc,def", Found::Malformed, Found::Malformed),
        ] {
            let headers = headers(&name, &[line.as_bytes()]);
            assert_eq!(own.read(&headers), with_scheme, "{line}");
            assert_eq!(bare.read(&headers), without, "{line}");
            assert_eq!(bearer(&headers), Found::Absent);
        }
        let twice = headers(&name, &[b"abc", b"abc"]);
        assert_eq!(bare.read(&twice), Found::Malformed);
        assert_eq!(bare.read(&HeaderMap::new()), Found::Absent);
    }

    #[test]
    fn a_header_that_browsers_write_carries_no_token() {
        for name in TAKEN.iter().chain(&["Cookie", "", "x token", "x:", "é"]) {
            let fault = Err(TokenHeaderFault::Name);
            assert_eq!(TokenHeader::bare(name), fault, "{name}");
            assert_eq!(TokenHeader::with_scheme(name, "Bearer"), fault, "{name}");
        }
        for scheme in ["", "two words", "Bearer:", "é"] {
            let fault = Err(TokenHeaderFault::Scheme);
            assert_eq!(TokenHeader::with_scheme("x-token", scheme), fault);
        }
    }

    #[cfg(feature = "live")]
    #[test]
    fn a_header_reads_what_it_writes() {
        for header in [
            TokenHeader::default(),
            TokenHeader::bare("x-token").unwrap(),
            TokenHeader::with_scheme("x-token", "JWT").unwrap(),
        ] {
            let headers = header.carrying("a.b.c").unwrap();
            assert_eq!(header.read(&headers), Found::Present("a.b.c"));
            assert!(header.carrying("a\nb").is_none());
        }
    }
}
