//! The settings of a remote verifier.

use super::client::DOCUMENT_TIMEOUT;
use super::decide::Pace;
use super::endpoints::PlainHttp;
use super::{ServiceSecret, pace};
use crate::{
    AudienceClaim, Clock, CookieSettings, Locations, SessionClaim, SystemClock, VerifierSettings,
};
use crate::{TokenHeader, WhenStale};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Settings of a [`Remote`](super::Remote), with a default for each.
#[derive(Debug)]
#[must_use = "it does nothing until it is started"]
pub struct Builder {
    pub(super) issuer: String,
    pub(super) audience: Option<String>,
    pub(super) leeway: Duration,
    pub(super) audience_claim: AudienceClaim,
    pub(super) session_claim: SessionClaim,
    pub(super) service: Option<(String, ServiceSecret)>,
    pub(super) cache_file: Option<PathBuf>,
    pub(super) trusted_roots: Vec<u8>,
    pub(super) issuer_address: Option<IpAddr>,
    pub(super) plain_http: PlainHttp,
    pub(super) pace: Pace,
    /// How long a document may take.
    pub(super) document_timeout: Duration,
    pub(super) listening: pace::Pace,
    pub(super) stream_bound: Duration,
    pub(super) when_stale: WhenStale,
    pub(super) locations: Option<Locations>,
    pub(super) token_header: TokenHeader,
    pub(super) public_url: Option<String>,
    pub(super) trusted_origins: Vec<String>,
    pub(super) access_cookie: Option<CookieSettings>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Builder {
    pub(super) fn new(issuer: &str) -> Self {
        let of_tokens = VerifierSettings::new("", "");
        Self {
            issuer: issuer.to_owned(),
            audience: None,
            leeway: of_tokens.leeway,
            audience_claim: of_tokens.audience_claim,
            session_claim: of_tokens.session_claim,
            service: None,
            cache_file: None,
            trusted_roots: Vec::new(),
            issuer_address: None,
            plain_http: PlainHttp::LoopbackOnly,
            pace: Pace {
                cooldown: Duration::from_secs(30),
                stale_max: Duration::from_hours(24),
                tick: Duration::from_secs(1),
            },
            document_timeout: DOCUMENT_TIMEOUT,
            listening: pace::Pace::default(),
            stream_bound: Duration::from_secs(30),
            when_stale: WhenStale::GoOn,
            locations: None,
            token_header: TokenHeader::default(),
            public_url: None,
            trusted_origins: Vec::new(),
            access_cookie: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets what tokens must name as their audience. Default: the issuer.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Sets whether tokens name an audience. Default: they must. The tokens of an issuer under
    /// profile `authfort` name none: [`AudienceClaim::Absent`].
    pub const fn audience_claim(mut self, audience_claim: AudienceClaim) -> Self {
        self.audience_claim = audience_claim;
        self
    }

    /// Sets how far clocks may differ. Default 10 s, at most 60 s.
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets whether tokens need a session. Default: they do.
    pub const fn session_claim(mut self, session_claim: SessionClaim) -> Self {
        self.session_claim = session_claim;
        self
    }

    /// Sets the credentials of this service at the issuer. With them it is told what was revoked,
    /// and can ask about tokens. Default: none, and a session that ends goes on here until its
    /// access token expires.
    pub fn service(mut self, name: impl Into<String>, secret: ServiceSecret) -> Self {
        self.service = Some((name.into(), secret));
        self
    }

    /// Sets a file that keeps the last good keys, for a start while the issuer is down. Default:
    /// none.
    ///
    /// # Security
    /// Whoever can write it can have tokens accepted: put it where only this service writes.
    pub fn cache_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.cache_file = Some(path.into());
        self
    }

    /// Sets the certificates (PEM) that the issuer is trusted by: these alone. Default: those that
    /// the machine trusts.
    pub fn trusted_root_pem(mut self, pem: &[u8]) -> Self {
        self.trusted_roots = pem.to_vec();
        self
    }

    /// Sets the address of the issuer's host. Default: what DNS says. For networks in which the
    /// issuer is not where its public name leads.
    ///
    /// # Security
    /// Over https, whoever answers there still has to prove that it has the issuer's name.
    pub const fn issuer_address(mut self, address: IpAddr) -> Self {
        self.issuer_address = Some(address);
        self
    }

    /// Lets plain http through to hosts other than loopback.
    ///
    /// # Security
    /// Whoever is on the way can then name the keys that this service trusts.
    pub const fn danger_allow_http(mut self) -> Self {
        self.plain_http = PlainHttp::Everywhere;
        self
    }

    /// Sets how long after a fetch for an unknown key no other is made for one. Default 30 s: what
    /// a stranger with made-up keys can make this service ask of the issuer.
    pub const fn cooldown(mut self, cooldown: Duration) -> Self {
        self.pace.cooldown = cooldown;
        self
    }

    /// Sets for how long keys are used when the issuer does not confirm them. Default 24 h; then
    /// the answer is 503 until it does.
    pub const fn stale_max(mut self, stale_max: Duration) -> Self {
        self.pace.stale_max = stale_max;
        self
    }

    /// Sets for how long after the issuer was heard of what was revoked counts as known. Default
    /// 30 s.
    pub const fn stream_bound(mut self, bound: Duration) -> Self {
        self.stream_bound = bound;
        self
    }

    /// Sets what happens after that, where a layer does not say otherwise. Default
    /// [`WhenStale::GoOn`].
    pub const fn when_stale(mut self, when_stale: WhenStale) -> Self {
        self.when_stale = when_stale;
        self
    }

    /// Sets where to look for a token. Default: the header, then the cookie; without a
    /// [public URL](Self::public_url) the header alone.
    pub const fn locations(mut self, locations: Locations) -> Self {
        self.locations = Some(locations);
        self
    }

    /// Sets the header that carries the token. Default: `Authorization: Bearer …`.
    pub fn token_header(mut self, header: TokenHeader) -> Self {
        self.token_header = header;
        self
    }

    /// Sets where browsers reach this service, so that it can be used with cookies: its origin is
    /// trusted, and the name of the cookie follows from it.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Adds an origin whose pages may make requests that ride on a cookie. It is exact: no
    /// wildcard.
    pub fn trusted_origin(mut self, origin: impl Into<String>) -> Self {
        self.trusted_origins.push(origin.into());
        self
    }

    /// Sets the cookie that carries the access token. Default: as the issuer names it, which is
    /// `__Host-hp_access` when this service is on the issuer's host, `__Secure-hp_access` when a
    /// domain is shared, and `hp_access` when the issuer has plain http.
    pub fn access_cookie(mut self, cookie: CookieSettings) -> Self {
        self.access_cookie = Some(cookie);
        self
    }

    /// Sets the clock. Default: that of the machine.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}
