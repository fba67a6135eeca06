//! Cookie names and what their prefixes promise.

use super::CookieFault;
use crate::transport::is_tchar;
use std::fmt;

/// A cookie's name: a token (RFC 6265bis §4.1.1). Compared byte by byte when a request is read.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CookieName(Box<str>);

impl CookieName {
    /// Takes a name.
    ///
    /// # Errors
    /// When it is empty or holds a byte that a token cannot.
    pub fn parse(name: &str) -> Result<Self, CookieFault> {
        if !name.is_empty() && name.bytes().all(is_tchar) {
            Ok(Self(name.into()))
        } else {
            Err(CookieFault::Name)
        }
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the promise in the name.
    ///
    /// Browsers compare prefixes without case (RFC 6265bis §5.7), so `__host-x` makes the same
    /// promise as `__Host-x`, though it is another cookie.
    #[must_use]
    pub fn prefix(&self) -> Prefix {
        let starts = |prefix: &str| {
            self.0
                .get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        if starts("__Host-Http-") {
            Prefix::HostHttp
        } else if starts("__Host-") {
            Prefix::Host
        } else if starts("__Http-") {
            Prefix::Http
        } else if starts("__Secure-") {
            Prefix::Secure
        } else {
            Prefix::None
        }
    }
}

impl fmt::Display for CookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the start of a name promises. Browsers refuse a cookie that breaks its promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prefix {
    /// Nothing.
    None,
    /// `__Secure-`: set over https.
    Secure,
    /// `__Host-`: set over https by this very host, for all its paths.
    Host,
    /// `__Http-`: set over https by a server, not by a script.
    Http,
    /// `__Host-Http-`: both.
    HostHttp,
}

impl Prefix {
    pub(super) const fn is_host(self) -> bool {
        matches!(self, Self::Host | Self::HostHttp)
    }

    pub(super) const fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::HostHttp)
    }
}
