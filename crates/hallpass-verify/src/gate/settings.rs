//! What a gate looks at, and what it asks for.

use super::WhenStale;
use crate::{Cookie, Locations, OriginPolicy, TokenHeader};
use http::{HeaderName, Method};

/// What a request that rides on a cookie has to prove.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CsrfRule {
    /// Where it comes from, as far as it says so, and a CSRF token of the session.
    OriginAndToken,
    /// Where it comes from, alone; a request that does not say is refused. For front ends that
    /// know no CSRF token.
    OriginAlone,
}

/// Settings of a [`Gate`](super::Gate).
#[derive(Clone, Debug)]
pub struct GateSettings {
    /// Where to look for a credential. Default: the header, then the cookie.
    pub locations: Locations,
    /// The cookie that carries the access token.
    pub access_cookie: Cookie,
    /// The header that carries the access token. Default `Authorization: Bearer …`.
    pub token_header: TokenHeader,
    /// The parameter of the query that carries the access token. Default `access_token` (RFC 6750
    /// §2.3).
    pub query_name: String,
    /// The member of a JSON body that carries the access token. Default `access_token`.
    pub body_name: String,
    /// The header that carries the CSRF token. Default `x-csrf-token`.
    pub csrf_header: HeaderName,
    /// The field of a form that carries the CSRF token where the header is absent. Default: none.
    pub csrf_field: Option<String>,
    /// Methods that owe the proof besides all but GET, HEAD and OPTIONS. Default: none.
    pub csrf_also: Vec<Method>,
    /// What a request that rides on a cookie owes. Default [`CsrfRule::OriginAndToken`].
    pub csrf_rule: CsrfRule,
    /// Which origins may ride on a cookie.
    pub origins: OriginPolicy,
}

/// The name of the parameter and of the member that carry an access token (RFC 6750 §2.2, §2.3).
const ACCESS_TOKEN: &str = "access_token";

impl GateSettings {
    /// Returns the defaults for an access cookie and the origins that may ride on it.
    #[must_use]
    pub fn new(access_cookie: Cookie, origins: OriginPolicy) -> Self {
        Self {
            locations: Locations::default(),
            access_cookie,
            token_header: TokenHeader::default(),
            query_name: ACCESS_TOKEN.into(),
            body_name: ACCESS_TOKEN.into(),
            csrf_header: HeaderName::from_static("x-csrf-token"),
            csrf_field: None,
            csrf_also: Vec::new(),
            csrf_rule: CsrfRule::OriginAndToken,
            origins,
        }
    }
}

/// On which terms one route lets callers in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RouteTerms {
    /// Where to look for a credential.
    pub locations: Locations,
    /// What happens when what was revoked is not known up to date.
    pub when_stale: WhenStale,
    /// Whether a request that rides on a cookie owes a proof.
    pub csrf: CsrfDuty,
}

/// Whether a request that changes something and rides on a cookie owes the proof that our own page
/// made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CsrfDuty {
    /// It does.
    #[default]
    Owed,
    /// It does not.
    ///
    /// # Security
    /// Then a page of any site can make a visitor's browser do what the route does, as the visitor.
    DangerWaived,
}
