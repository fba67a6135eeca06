//! Where a credential is looked for, and what is found there.

mod header;
mod query;

pub use header::{TokenHeader, TokenHeaderFault, bearer};
pub(crate) use query::in_query;

use std::str::FromStr;

/// A place in a request where an access token can stand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Location {
    /// A header, which is `Authorization: Bearer …` (RFC 6750 §2.1) unless a [`TokenHeader`] says
    /// otherwise.
    Header,
    /// The access cookie. A request that rides on it owes a CSRF proof.
    Cookie,
    /// A parameter of the query (RFC 6750 §2.3). It owes no CSRF proof: no browser adds it by
    /// itself.
    ///
    /// # Security
    /// Addresses end in logs, histories and `Referer` headers. For links that cannot send a header,
    /// with tokens that live short.
    Query,
    /// A member of a JSON body, as a layer that reads bodies found it. It owes no CSRF proof.
    Body,
}

impl Location {
    /// Every location there is.
    pub const ALL: [Self; 4] = [Self::Header, Self::Cookie, Self::Query, Self::Body];

    /// Returns the name, such as `header`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Query => "query",
            Self::Body => "body",
        }
    }
}

/// Tells that a text names no location.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected `header`, `cookie`, `query` or `body`")]
pub struct InvalidLocation;

impl FromStr for Location {
    type Err = InvalidLocation;

    fn from_str(name: &str) -> Result<Self, InvalidLocation> {
        let mut all = Self::ALL.into_iter();
        all.find(|location| location.name() == name)
            .ok_or(InvalidLocation)
    }
}

/// Tells that a list of locations is empty or names one twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected at least one location, and each at most once")]
pub struct LocationsFault;

/// The locations to look in, in order. The first with a credential in it is the only one that
/// counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Locations([Option<Location>; 4]);

impl Locations {
    /// Looks at the header alone: no cookie is ever read, no CSRF proof is ever owed.
    pub const HEADER_ONLY: Self = Self::only(Location::Header);
    /// Looks at the access cookie alone.
    pub const COOKIE_ONLY: Self = Self::only(Location::Cookie);

    /// Looks at one location alone.
    #[must_use]
    pub const fn only(location: Location) -> Self {
        Self([Some(location), None, None, None])
    }

    /// Takes an ordered list.
    ///
    /// # Errors
    /// When it is empty or names a location twice.
    pub fn new(order: &[Location]) -> Result<Self, LocationsFault> {
        let mut places = [None; 4];
        let is_repeated =
            |at: usize, location| order.iter().take(at).any(|other| other == location);
        let repeats = order.iter().enumerate();
        if order.is_empty() || repeats.clone().any(|(at, one)| is_repeated(at, one)) {
            return Err(LocationsFault);
        }
        // Without repetition there are no more than there are places.
        for (place, location) in places.iter_mut().zip(order) {
            *place = Some(*location);
        }
        Ok(Self(places))
    }

    /// Returns the locations in order.
    pub fn iter(&self) -> impl Iterator<Item = Location> + use<> {
        self.0.into_iter().flatten()
    }

    /// Tells whether a location is among them.
    #[must_use]
    pub fn contains(&self, location: Location) -> bool {
        self.0.contains(&Some(location))
    }
}

/// The header first, then the cookie.
impl Default for Locations {
    fn default() -> Self {
        Self([Some(Location::Header), Some(Location::Cookie), None, None])
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

impl<T> Found<T> {
    /// Changes what is present.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Self::Absent => Found::Absent,
            Self::Present(found) => Found::Present(change(found)),
            Self::Malformed => Found::Malformed,
        }
    }

    /// Borrows what is present.
    pub const fn as_ref(&self) -> Found<&T> {
        match self {
            Self::Absent => Found::Absent,
            Self::Present(found) => Found::Present(found),
            Self::Malformed => Found::Malformed,
        }
    }
}

/// Returns a text that has the form of a bearer token: `token68` (RFC 9110 §11.2).
pub(crate) fn token68(token: &[u8]) -> Option<&str> {
    let padding = token.iter().rev().take_while(|byte| **byte == b'=').count();
    let text = token.get(..token.len().checked_sub(padding)?)?;
    let proper = every(text, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'..=b'/' | b'_' | b'~')
    });
    if text.is_empty() || !proper {
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
    use Location::{Body, Cookie, Header, Query};

    #[track_caller]
    fn order(locations: Locations) -> Vec<Location> {
        locations.iter().collect()
    }

    #[test]
    fn locations_are_an_ordered_list_without_duplicates() {
        assert_eq!(order(Locations::default()), [Header, Cookie]);
        assert_eq!(order(Locations::HEADER_ONLY), [Header]);
        assert_eq!(Locations::new(&[Cookie]), Ok(Locations::COOKIE_ONLY));
        for list in [
            &[Cookie, Header][..],
            &[Body, Query, Cookie, Header],
            &[Query, Header, Body],
        ] {
            assert_eq!(order(Locations::new(list).unwrap()), list);
        }
        for wrong in [
            &[][..],
            &[Cookie, Cookie],
            &[Header, Cookie, Header],
            &[Header, Cookie, Query, Body, Body],
            &[Header, Cookie, Query, Body, Header],
        ] {
            assert_eq!(Locations::new(wrong), Err(LocationsFault));
        }
        assert!(Locations::default().contains(Cookie));
        assert!(!Locations::default().contains(Query));
    }

    #[test]
    fn every_location_has_a_name_and_is_found_by_it() {
        for location in Location::ALL {
            assert_eq!(location.name().parse(), Ok(location));
        }
        for wrong in ["", "Header", "headers", "json", "cookie "] {
            assert_eq!(wrong.parse::<Location>(), Err(InvalidLocation));
        }
    }
}
