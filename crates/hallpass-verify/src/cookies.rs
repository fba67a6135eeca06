//! Cookies: settings that browsers will honour, `Set-Cookie` lines, and our own strict reader.

mod name;
mod policy;
mod read;
mod settings;
mod write;

pub use name::{CookieName, Prefix};
pub use policy::CookiePolicy;
pub use read::{CANDIDATES_MAX, Candidates};
pub use settings::{CookieSettings, Partitioning, Readable, SameSite, Security};
pub use write::{COOKIE_LEN_MAX, LIFETIME_MAX, Lifetime};

use http::HeaderValue;

/// Tells why browsers would not keep a cookie, or why it would not do what it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CookieFault {
    /// The name is not a token of RFC 9110 §5.6.2.
    #[error("expected a cookie name of letters, digits and a few signs, without blanks")]
    Name,
    /// The path is not one.
    #[error("expected a path that starts with `/`, of visible ASCII without `;`")]
    Path,
    /// The domain is not one.
    #[error("expected a domain like `example.com`: two labels at least, no dot in front, no IP")]
    Domain,
    /// A value holds a byte that does not survive the way through browsers and proxies.
    #[error("expected a cookie value of base64url characters, `.` and `~`")]
    Value,
    /// A prefix that promises Secure, without Secure.
    #[error("a name that starts with `__Host-`, `__Secure-` or `__Http-` needs Secure")]
    PrefixNeedsSecure,
    /// `__Host-` with a domain.
    #[error("a name that starts with `__Host-` cannot have a domain")]
    HostPrefixWithDomain,
    /// `__Host-` with a path.
    #[error("a name that starts with `__Host-` needs the path `/`")]
    HostPrefixWithPath,
    /// `__Http-` or `__Host-Http-` for a cookie that scripts can read.
    #[error("a name that starts with `__Http-` or `__Host-Http-` needs HttpOnly")]
    HttpPrefixNeedsHttpOnly,
    /// SameSite=None without Secure.
    #[error("SameSite=None needs Secure")]
    SameSiteNoneNeedsSecure,
    /// Partitioned without Secure and SameSite=None.
    #[error("Partitioned needs Secure and SameSite=None")]
    PartitionedNeedsSecureAndNone,
    /// An attribute longer than browsers read.
    #[error("expected a path and a domain of at most 1024 bytes")]
    AttributeTooLong,
    /// Name and value longer than browsers keep.
    #[error("the cookie's name and value are longer than the 4096 bytes that browsers keep")]
    TooLong,
    /// A lifetime longer than browsers keep.
    #[error("expected a lifetime of at most 400 days")]
    LifetimeTooLong,
    /// Two kinds of token under one name.
    #[error("the access, the refresh and the CSRF cookie need different names")]
    NamesClash,
    /// A retired cookie that is in use: deleting it would delete the live one.
    #[error("a retired cookie has the name, domain and path of one that is in use")]
    RetiredInUse,
}

/// A cookie whose settings browsers will honour.
#[derive(Clone, Debug)]
pub struct Cookie {
    settings: CookieSettings,
    name: CookieName,
    /// Finds `name=` in a header line.
    needle: memchr::memmem::Finder<'static>,
    /// `; Path=…` and what follows, the same for every value.
    attributes: Box<str>,
    clearing: HeaderValue,
}

impl Cookie {
    /// Returns the cookie's name.
    #[must_use]
    pub const fn name(&self) -> &CookieName {
        &self.name
    }

    /// Returns the settings that were checked.
    #[must_use]
    pub const fn settings(&self) -> &CookieSettings {
        &self.settings
    }
}

impl PartialEq for Cookie {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
    }
}

impl Eq for Cookie {}

#[cfg(test)]
mod tests;
