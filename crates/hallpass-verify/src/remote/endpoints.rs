//! The issuer's URL, and where it says that it answers (RFC 8414).

use super::RemoteFault;
use crate::json::{self, Limits, Object, Value};
use url::{Host, Url};

/// The longest metadata document, in bytes.
pub(super) const METADATA_LEN_MAX: usize = 65_536;

/// The longest URL in it, in bytes.
const URL_LEN_MAX: usize = 2048;

/// Whether plain http is let through to hosts that are not loopback.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum PlainHttp {
    /// No.
    #[default]
    LoopbackOnly,
    /// Yes: for networks that encrypt by other means.
    Everywhere,
}

/// The issuer: the text that tokens name, and where it is reached.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    text: String,
    url: Url,
}

impl Issuer {
    /// Takes the issuer as its tokens name it.
    pub(super) fn checked(text: &str, plain_http: PlainHttp) -> Result<Self, RemoteFault> {
        let url = Url::parse(text).map_err(|_| RemoteFault::Issuer)?;
        let plain = url.query().is_none() && url.fragment().is_none() && !has_userinfo(&url);
        if !plain || url.host().is_none() || text.len() > URL_LEN_MAX {
            return Err(RemoteFault::Issuer);
        }
        match url.scheme() {
            "https" => {}
            "http" if plain_http == PlainHttp::Everywhere || is_loopback(&url) => {}
            "http" => return Err(RemoteFault::Insecure),
            _ => return Err(RemoteFault::Issuer),
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }

    /// Returns the issuer as tokens name it.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns where it is reached.
    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// Returns where its metadata is: RFC 8414 §3.1, in front of the issuer's path.
    pub(super) fn metadata_url(&self) -> Url {
        const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";
        let mut url = self.url.clone();
        let path = format!("{WELL_KNOWN}{}", self.url.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }

    /// Takes a URL that the issuer names, if it is on the issuer's own origin.
    ///
    /// # Security
    /// An endpoint elsewhere would get our credentials, or give us keys, in the issuer's name.
    fn endpoint(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let fits = text.len() <= URL_LEN_MAX && url.fragment().is_none() && !has_userinfo(&url);
        (fits && url.origin() == self.url.origin()).then_some(url)
    }
}

fn has_userinfo(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Where the issuer answers what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Endpoints {
    /// The keys.
    pub(super) jwks: Url,
    /// Whether a token is good (RFC 7662).
    pub(super) introspection: Option<Url>,
    /// What was revoked, as it happens.
    pub(super) revocations: Option<Url>,
    /// Tickets; they are redeemed one level below.
    pub(super) ticket: Option<Url>,
}

/// Why a metadata document was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MetadataFault {
    /// Not a JSON object with the members that there must be, each of its type.
    Malformed,
    /// It is of another issuer (RFC 8414 §3.3).
    OtherIssuer,
    /// An endpoint is not on the issuer's own origin.
    ForeignEndpoint,
}

impl Endpoints {
    /// Reads a metadata document.
    ///
    /// # Security
    /// RFC 8414 §3.3: the issuer in it must be ours, byte by byte. Otherwise one issuer could pass
    /// its keys off as those of another (mix-up).
    pub(super) fn read(document: &[u8], issuer: &Issuer) -> Result<Self, MetadataFault> {
        let limits = Limits {
            bytes_max: METADATA_LEN_MAX,
            depth_max: 16,
        };
        let Ok(Value::Object(members)) = json::parse(document, limits) else {
            return Err(MetadataFault::Malformed);
        };
        let named = text(&members, "issuer")?.ok_or(MetadataFault::Malformed)?;
        if named != issuer.as_str() {
            return Err(MetadataFault::OtherIssuer);
        }
        let endpoint = |name| {
            let at = text(&members, name)?.map(|text| issuer.endpoint(text));
            at.map(|url| url.ok_or(MetadataFault::ForeignEndpoint))
                .transpose()
        };
        Ok(Self {
            jwks: endpoint("jwks_uri")?.ok_or(MetadataFault::Malformed)?,
            introspection: endpoint("introspection_endpoint")?,
            revocations: endpoint("hallpass_revocations_endpoint")?,
            ticket: endpoint("hallpass_ticket_endpoint")?,
        })
    }
}

impl Endpoints {
    /// Returns where a ticket is redeemed.
    pub(super) fn redemption(&self) -> Option<Url> {
        let mut url = self.ticket.clone()?;
        url.path_segments_mut().ok()?.pop_if_empty().push("redeem");
        Some(url)
    }
}

/// Returns a text; something other than a string is an error, never absent.
fn text<'m>(members: &'m Object, name: &str) -> Result<Option<&'m str>, MetadataFault> {
    let value = members.get(name);
    value
        .map(|value| value.as_str().ok_or(MetadataFault::Malformed))
        .transpose()
}

#[cfg(test)]
mod tests;
