//! Where a credential is looked for, and what is found there.

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// A place in a request where an access token can stand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Location {
    /// The header `Authorization: Bearer …` (RFC 6750 §2.1).
    Header,
    /// The access cookie. A request that rides on it owes a CSRF proof.
    Cookie,
}

/// Tells that a list of locations is empty or names one twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected at least one location, and each at most once")]
pub struct LocationsFault;

/// The locations to look in, in order. The first with a credential in it is the only one that
/// counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Locations {
    first: Location,
    second: Option<Location>,
}

impl Locations {
    /// Looks at the header alone: no cookie is ever read, no CSRF proof is ever owed.
    pub const HEADER_ONLY: Self = Self {
        first: Location::Header,
        second: None,
    };
    /// Looks at the access cookie alone.
    pub const COOKIE_ONLY: Self = Self {
        first: Location::Cookie,
        second: None,
    };

    /// Takes an ordered list.
    ///
    /// # Errors
    /// When it is empty or names a location twice.
    pub fn new(order: &[Location]) -> Result<Self, LocationsFault> {
        match *order {
            [first] => Ok(Self {
                first,
                second: None,
            }),
            [first, second] if first != second => Ok(Self {
                first,
                second: Some(second),
            }),
            _ => Err(LocationsFault),
        }
    }

    /// Returns the locations in order.
    pub fn iter(&self) -> impl Iterator<Item = Location> + use<> {
        std::iter::once(self.first).chain(self.second)
    }
}

/// The header first, then the cookie.
impl Default for Locations {
    fn default() -> Self {
        Self {
            first: Location::Header,
            second: Some(Location::Cookie),
        }
    }
}

/// What was found in one place. Broken is not absent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found<T> {
    /// Nothing that claims to be a credential of ours.
    Absent,
    /// A credential, not yet verified.
    Present(T),
    /// Something that claims to be a credential and cannot be one.
    Malformed,
}

/// Returns the bearer token of the `Authorization` header (RFC 6750 §2.1).
///
/// Another scheme is not our credential: absent. Scheme names compare without case (RFC 9110
/// §11.1). An empty header, several headers, or a token of other bytes than `token68` (RFC 9110
/// §11.2) is malformed.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Found<&str> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let Some(line) = lines.next() else {
        return Found::Absent;
    };
    if lines.next().is_some() {
        return Found::Malformed;
    }
    let line = line.as_bytes();
    let scheme_len = line
        .iter()
        .position(|byte| !is_tchar(*byte))
        .unwrap_or(line.len());
    let (scheme, rest) = line.split_at_checked(scheme_len).unwrap_or((line, b""));
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return token68_after_blanks(rest).map_or(Found::Malformed, Found::Present);
    }
    match rest.first() {
        None | Some(b' ') if !scheme.is_empty() => Found::Absent,
        _ => Found::Malformed,
    }
}

/// `1*SP token68`
fn token68_after_blanks(rest: &[u8]) -> Option<&str> {
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    let token = rest.get(blanks..)?;
    let padding = token.iter().rev().take_while(|byte| **byte == b'=').count();
    let text = token.get(..token.len().checked_sub(padding)?)?;
    let proper = every(text, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'..=b'/' | b'_' | b'~')
    });
    if blanks == 0 || text.is_empty() || !proper {
        return None;
    }
    std::str::from_utf8(token).ok()
}

/// Tells whether every byte is a member of a class.
///
/// Without an early end the compiler looks at many bytes at once, which takes less than half the
/// time on a token.
pub(crate) fn every(bytes: &[u8], is_member: impl Fn(u8) -> bool) -> bool {
    bytes
        .iter()
        .fold(true, |so_far, byte| so_far & is_member(*byte))
}

/// RFC 9110 §5.6.2.
pub(crate) const fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[track_caller]
    fn check(lines: &[&[u8]], expected: Found<&str>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(line).unwrap());
        }
        assert_eq!(bearer(&headers), expected, "{lines:?}");
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
    fn locations_are_an_ordered_list_without_duplicates() {
        use Location::{Cookie, Header};
        assert_eq!(
            Locations::default().iter().collect::<Vec<_>>(),
            [Header, Cookie]
        );
        assert_eq!(Locations::HEADER_ONLY.iter().collect::<Vec<_>>(), [Header]);
        assert_eq!(Locations::new(&[Cookie]), Ok(Locations::COOKIE_ONLY));
        let swapped = Locations::new(&[Cookie, Header]).unwrap();
        assert_eq!(swapped.iter().collect::<Vec<_>>(), [Cookie, Header]);
        for wrong in [&[][..], &[Cookie, Cookie], &[Header, Cookie, Header]] {
            assert_eq!(Locations::new(wrong), Err(LocationsFault));
        }
    }
}
