//! Cookie settings, and the check that browsers will honour them.

use super::{Cookie, CookieFault, CookieName, Prefix};
use crate::origin::ends_in_a_number;
use http::HeaderValue;
use std::fmt::Write as _;

/// Longer attributes are ignored by browsers (RFC 6265bis §5.6).
const ATTRIBUTE_LEN_MAX: usize = 1024;

/// Which requests of other sites carry the cookie (RFC 6265bis §5.6.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SameSite {
    /// None.
    Strict,
    /// Only a visitor's navigation to a page.
    Lax,
    /// All, as far as the browser sends third-party cookies at all.
    None,
}

/// Whether the cookie travels over https alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// With the attribute Secure.
    Secure,
    /// Without it: for plain http on loopback.
    Plain,
}

/// Who can read the cookie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readable {
    /// The server alone: the attribute `HttpOnly`.
    ServerOnly,
    /// The page's scripts too.
    Script,
}

/// Whether an embedded page has a jar of its own per embedding site (CHIPS).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Partitioning {
    /// One jar.
    Shared,
    /// The attribute Partitioned.
    Partitioned,
}

/// A cookie as an operator describes it: plain data, not yet checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CookieSettings {
    /// The name, with its prefix.
    pub name: String,
    /// The path that a request must be under. Default `/`.
    pub path: String,
    /// The domain whose hosts all share the cookie. Default: this host alone.
    pub domain: Option<String>,
    /// Default [`SameSite::Lax`].
    pub same_site: SameSite,
    /// Default [`Security::Secure`].
    pub secure: Security,
    /// Default [`Readable::ServerOnly`].
    pub http_only: Readable,
    /// Default [`Partitioning::Shared`].
    pub partitioned: Partitioning,
}

impl CookieSettings {
    /// Returns the defaults under a name: `Path=/; Secure; HttpOnly; SameSite=Lax`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            path: "/".into(),
            domain: None,
            same_site: SameSite::Lax,
            secure: Security::Secure,
            http_only: Readable::ServerOnly,
            partitioned: Partitioning::Shared,
        }
    }

    fn attributes(&self) -> String {
        let mut text = format!("; Path={}", self.path);
        if let Some(domain) = &self.domain {
            // Writing to a string cannot fail.
            let _ = write!(text, "; Domain={domain}");
        }
        if self.secure == Security::Secure {
            text.push_str("; Secure");
        }
        if self.http_only == Readable::ServerOnly {
            text.push_str("; HttpOnly");
        }
        text.push_str(match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        });
        if self.partitioned == Partitioning::Partitioned {
            text.push_str("; Partitioned");
        }
        text
    }
}

impl Cookie {
    /// Checks that browsers will keep the cookie and keep its promises.
    ///
    /// Whether the domain is a public suffix is not checked here.
    ///
    /// # Errors
    /// The first setting that does not fit.
    pub fn checked(settings: CookieSettings) -> Result<Self, CookieFault> {
        let name = CookieName::parse(&settings.name)?;
        check_grammar(&settings)?;
        check_prefix(name.prefix(), &settings)?;
        check_combination(&settings)?;
        let attributes = settings.attributes();
        // Both a lifetime of zero and a date in the past: some clients know only one of them.
        let clearing =
            format!("{name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT{attributes}");
        Ok(Self {
            needle: memchr::memmem::Finder::new(format!("{name}=").as_bytes()).into_owned(),
            clearing: HeaderValue::try_from(clearing).map_err(|_| CookieFault::Path)?,
            attributes: attributes.into(),
            settings,
            name,
        })
    }
}

fn check_grammar(settings: &CookieSettings) -> Result<(), CookieFault> {
    let CookieSettings {
        name, path, domain, ..
    } = settings;
    if name.len() >= super::COOKIE_LEN_MAX {
        return Err(CookieFault::TooLong);
    }
    if path.len() > ATTRIBUTE_LEN_MAX
        || domain
            .as_ref()
            .is_some_and(|domain| domain.len() > ATTRIBUTE_LEN_MAX)
    {
        return Err(CookieFault::AttributeTooLong);
    }
    if !path.starts_with('/')
        || !path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b';')
    {
        return Err(CookieFault::Path);
    }
    match domain {
        Some(domain) if !is_domain(domain) => Err(CookieFault::Domain),
        _ => Ok(()),
    }
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && !ends_in_a_number(&domain.to_ascii_lowercase())
}

/// RFC 6265bis §4.1.3, and `__Http-` and `__Host-Http-` of the layered-cookies draft.
fn check_prefix(prefix: Prefix, settings: &CookieSettings) -> Result<(), CookieFault> {
    if prefix != Prefix::None && settings.secure == Security::Plain {
        return Err(CookieFault::PrefixNeedsSecure);
    }
    if prefix.is_host() && settings.domain.is_some() {
        return Err(CookieFault::HostPrefixWithDomain);
    }
    if prefix.is_host() && settings.path != "/" {
        return Err(CookieFault::HostPrefixWithPath);
    }
    if prefix.is_http() && settings.http_only == Readable::Script {
        return Err(CookieFault::HttpPrefixNeedsHttpOnly);
    }
    Ok(())
}

fn check_combination(settings: &CookieSettings) -> Result<(), CookieFault> {
    let secure = settings.secure == Security::Secure;
    if settings.partitioned == Partitioning::Partitioned
        && !(secure && settings.same_site == SameSite::None)
    {
        return Err(CookieFault::PartitionedNeedsSecureAndNone);
    }
    if settings.same_site == SameSite::None && !secure {
        return Err(CookieFault::SameSiteNoneNeedsSecure);
    }
    Ok(())
}
