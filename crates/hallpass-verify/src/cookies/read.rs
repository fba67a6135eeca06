//! The `Cookie` header, read as bytes.
//!
//! Common cookie jars decode percent signs in names, trim names and let the last value win. All
//! three let a sibling host slip its own value under our name: browsers do send a cookie named
//! `__%48ost-at` that a sibling set for the whole domain.

use super::{Cookie, Prefix};
use crate::Found;
use crate::transport::every;
use http::HeaderMap;
use http::header::COOKIE;
use memchr::memchr;

/// How many different values under one name are tried.
pub const CANDIDATES_MAX: usize = 4;

/// The different values that a request carries under one name, in order, unverified.
///
/// Several are an honest case: a stale twin on a parent domain or on a longer path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Candidates<'r> {
    values: [&'r str; CANDIDATES_MAX],
    len: usize,
}

impl<'r> Candidates<'r> {
    /// Returns the values in order.
    pub fn iter(&self) -> impl Iterator<Item = &'r str> {
        self.values.into_iter().take(self.len)
    }

    /// Returns how many there are: 1 to [`CANDIDATES_MAX`].
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns the value when there is only one.
    #[must_use]
    pub fn single(&self) -> Option<&'r str> {
        if self.len == 1 {
            self.iter().next()
        } else {
            None
        }
    }
}

/// Values may be secrets.
impl std::fmt::Debug for Candidates<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Candidates({} redacted)", self.len)
    }
}

impl Cookie {
    /// Returns the values that a request carries under this cookie's name.
    ///
    /// The rule, for all `Cookie` lines: pairs are split at `;`, blanks (SP, HTAB) are trimmed in
    /// front of a name and behind a value, a name goes up to the first `=` and is compared byte by
    /// byte. Nothing is decoded and quotes mean nothing: in `at="x"` the value is `"x"` with its
    /// quotes, which is no token. An empty value is absent. The same value twice counts once.
    ///
    /// A value of other bytes than visible ASCII is malformed; so are more than
    /// [`CANDIDATES_MAX`] different values, and a second value for a `__Host-` name, which no
    /// browser sends.
    #[must_use]
    pub fn read<'r>(&self, headers: &'r HeaderMap) -> Found<Candidates<'r>> {
        let values_max = match self.name.prefix() {
            Prefix::Host | Prefix::HostHttp => 1,
            _ => CANDIDATES_MAX,
        };
        let mut found = Candidates {
            values: [""; CANDIDATES_MAX],
            len: 0,
        };
        for line in headers.get_all(COOKIE) {
            for value in self.values(line.as_bytes()) {
                let Some(value) = visible_ascii(value) else {
                    return Found::Malformed;
                };
                if found.iter().any(|known| known == value) {
                    continue;
                }
                match found
                    .values
                    .get_mut(..values_max)
                    .and_then(|all| all.get_mut(found.len))
                {
                    Some(slot) => *slot = value,
                    None => return Found::Malformed,
                }
                found.len += 1;
            }
        }
        if found.len == 0 {
            Found::Absent
        } else {
            Found::Present(found)
        }
    }

    /// Returns the values under the name in one header line, empty ones left out.
    fn values<'r>(&self, line: &'r [u8]) -> impl Iterator<Item = &'r [u8]> {
        let name_len = self.needle.needle().len();
        let mut from = 0;
        std::iter::from_fn(move || {
            loop {
                let at = from + self.needle.find(line.get(from..)?)?;
                let (before, pair) = line.split_at_checked(at)?;
                from = at + name_len;
                if !starts_a_pair(before) {
                    continue;
                }
                let rest = pair.get(name_len..)?;
                let value = memchr(b';', rest)
                    .and_then(|end| rest.get(..end))
                    .unwrap_or(rest);
                from += value.len();
                let value = trim_end_blanks(value);
                if !value.is_empty() {
                    return Some(value);
                }
            }
        })
    }
}

/// Tells whether a name may start behind these bytes: nothing or a `;`, and blanks.
fn starts_a_pair(before: &[u8]) -> bool {
    matches!(trim_end_blanks(before).last(), None | Some(b';'))
}

fn trim_end_blanks(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn visible_ascii(bytes: &[u8]) -> Option<&str> {
    let visible = every(bytes, |byte| byte.is_ascii_graphic());
    if visible {
        std::str::from_utf8(bytes).ok()
    } else {
        None
    }
}
