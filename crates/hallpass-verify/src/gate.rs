//! One credential per request: which one counts, whether it is good, and what it owes.

pub(crate) mod asking;
mod upstream;

pub use upstream::{Active, AskFault, BoxFuture, Upstream, WhenStale};

use crate::problem::Code;
use crate::{Caller, Location, Timestamp, TokenError, Verifier, bearer, csrf};
use crate::{Candidates, Clock, Cookie, CsrfHash, Found, Locations, OriginPolicy, Provenance};
use http::header::{ACCEPT, HeaderName, UPGRADE};
use http::{HeaderMap, Method};
use std::sync::Arc;

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

/// Settings of a [`Gate`].
#[derive(Clone, Debug)]
pub struct GateSettings {
    /// Where to look for a credential. Default: the header, then the cookie.
    pub locations: Locations,
    /// The cookie that carries the access token.
    pub access_cookie: Cookie,
    /// The header that carries the CSRF token. Default `x-csrf-token`.
    pub csrf_header: HeaderName,
    /// What a request that rides on a cookie owes. Default [`CsrfRule::OriginAndToken`].
    pub csrf_rule: CsrfRule,
    /// Which origins may ride on a cookie.
    pub origins: OriginPolicy,
}

impl GateSettings {
    /// Returns the defaults for an access cookie and the origins that may ride on it.
    #[must_use]
    pub fn new(access_cookie: Cookie, origins: OriginPolicy) -> Self {
        Self {
            locations: Locations::default(),
            access_cookie,
            csrf_header: HeaderName::from_static("x-csrf-token"),
            csrf_rule: CsrfRule::OriginAndToken,
            origins,
        }
    }
}

/// The answer to *who is calling?*
#[derive(Clone, Debug)]
pub enum Admission {
    /// The request has no credential.
    Anonymous,
    /// The request has a good credential and all the proof it owes.
    Caller(Caller),
    /// The request has a credential that does not do. It is not anonymous.
    Refused(Refusal),
}

/// Why a request with a credential was refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// What stands where the credential belongs cannot be one.
    #[error("expected exactly one credential")]
    Malformed,
    /// The token is not good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// What was revoked is not known, and this route does not go on without.
    #[error("what was revoked cannot be asked now")]
    Unavailable,
    /// Several cookies of one name verify, for different sessions.
    #[error("two access cookies of different sessions")]
    AmbiguousCookies,
    /// The request rides on a cookie and comes from an origin that is not trusted.
    #[error("the request comes from an origin that is not trusted")]
    OriginDenied,
    /// The request rides on a cookie and has no CSRF token.
    #[error("the CSRF token is missing")]
    CsrfMissing,
    /// The CSRF token is not one of the session.
    #[error("the CSRF token is not one of the session")]
    CsrfInvalid,
}

impl Refusal {
    /// Tells whether it is about where the request comes from, not about the token.
    #[must_use]
    pub const fn is_forgery(self) -> bool {
        matches!(
            self,
            Self::OriginDenied | Self::CsrfMissing | Self::CsrfInvalid
        )
    }
}

impl From<Refusal> for Code {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed
            | Refusal::AmbiguousCookies
            | Refusal::Token(TokenError::Malformed) => Self::TokenMalformed,
            Refusal::Token(TokenError::Expired) => Self::TokenExpired,
            Refusal::Token(TokenError::Invalid | TokenError::UnknownKey) => Self::TokenInvalid,
            Refusal::Token(TokenError::NoKeys) | Refusal::Unavailable => Self::Unavailable,
            Refusal::Token(TokenError::SessionEnded) => Self::SessionEnded,
            Refusal::OriginDenied => Self::OriginDenied,
            Refusal::CsrfMissing => Self::CsrfMissing,
            Refusal::CsrfInvalid => Self::CsrfInvalid,
        }
    }
}

/// Finds the one credential of a request and decides whether it is good.
#[derive(Debug)]
pub struct Gate {
    settings: GateSettings,
    verifier: Arc<Verifier>,
    clock: Arc<dyn Clock>,
    upstream: Option<Arc<dyn Upstream>>,
    when_stale: WhenStale,
}

impl Gate {
    /// Takes settings, the verifier of the tokens, and the time.
    #[must_use]
    pub fn new(settings: GateSettings, verifier: Arc<Verifier>, clock: Arc<dyn Clock>) -> Self {
        Self {
            settings,
            verifier,
            clock,
            upstream: None,
            when_stale: WhenStale::default(),
        }
    }

    /// Asks `upstream` where a request cannot be decided here: see
    /// [`admit_asking`](Self::admit_asking).
    #[must_use]
    pub fn with_upstream(mut self, upstream: Arc<dyn Upstream>) -> Self {
        self.upstream = Some(upstream);
        self
    }

    /// Says what happens, where a route does not say otherwise, when what was revoked is not known
    /// up to date. Default [`WhenStale::GoOn`].
    #[must_use]
    pub const fn with_when_stale(mut self, when_stale: WhenStale) -> Self {
        self.when_stale = when_stale;
        self
    }

    /// Returns what happens when what was revoked is not known up to date.
    #[must_use]
    pub const fn when_stale(&self) -> WhenStale {
        self.when_stale
    }

    /// Returns the settings.
    #[must_use]
    pub const fn settings(&self) -> &GateSettings {
        &self.settings
    }

    /// Returns the verifier.
    #[must_use]
    pub const fn verifier(&self) -> &Arc<Verifier> {
        &self.verifier
    }

    /// Returns the clock.
    #[must_use]
    pub const fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Decides who is calling.
    ///
    /// # Security
    /// The first location in which a credential is *present* is the only one that counts. A junk
    /// bearer token is refused and the cookie next to it is not tried: otherwise the header would
    /// switch the CSRF check off for a request that rides on the cookie.
    #[must_use]
    pub fn admit(&self, method: &Method, headers: &HeaderMap) -> Admission {
        self.admit_at(&self.settings.locations, method, headers)
    }

    /// Decides who is calling, looking at these locations alone: for a route that narrows them.
    #[must_use]
    pub fn admit_at(
        &self,
        locations: &Locations,
        method: &Method,
        headers: &HeaderMap,
    ) -> Admission {
        for location in locations.iter() {
            let admitted = match location {
                Location::Header => self.at_header(headers),
                Location::Cookie => self.at_cookie(method, headers),
            };
            match admitted {
                Ok(Some(caller)) => return Admission::Caller(caller),
                Ok(None) => {}
                Err(refusal) => return Admission::Refused(refusal),
            }
        }
        Admission::Anonymous
    }

    /// Checks what a request that rides on a cookie owes besides: also for the refresh cookie.
    ///
    /// GET, HEAD and OPTIONS owe nothing. `hash` belongs to the session of the credential.
    ///
    /// # Errors
    /// [`Refusal::OriginDenied`], [`Refusal::CsrfMissing`] or [`Refusal::CsrfInvalid`].
    pub fn check_csrf(
        &self,
        method: &Method,
        headers: &HeaderMap,
        hash: &CsrfHash,
    ) -> Result<(), Refusal> {
        if is_safe(method) {
            return Ok(());
        }
        self.check_provenance(headers)?;
        self.check_token(headers, Some(hash))
    }

    /// Checks where a request comes from: for requests that open a session and so have none yet.
    ///
    /// # Errors
    /// [`Refusal::OriginDenied`].
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        self.settings
            .origins
            .check(headers)
            .map_err(|_| Refusal::OriginDenied)
    }

    fn at_header(&self, headers: &HeaderMap) -> Result<Option<Caller>, Refusal> {
        match bearer(headers) {
            Found::Absent => Ok(None),
            Found::Malformed => Err(Refusal::Malformed),
            Found::Present(token) => Ok(Some(self.verifier.verify(
                token,
                Location::Header,
                self.clock.now(),
            )?)),
        }
    }

    fn at_cookie(&self, method: &Method, headers: &HeaderMap) -> Result<Option<Caller>, Refusal> {
        let candidates = match self.settings.access_cookie.read(headers) {
            Found::Absent => return Ok(None),
            Found::Malformed => return Err(Refusal::Malformed),
            Found::Present(candidates) => candidates,
        };
        let safe = is_safe(method);
        if !safe {
            self.check_provenance(headers)?;
        } else if is_handshake(headers) {
            self.check_origin(headers)?;
        }
        let caller = self.the_one_caller(&candidates, self.clock.now())?;
        if !safe {
            let hash = caller.claims().csrf_hash.map(CsrfHash::from_bytes);
            self.check_token(headers, hash.as_ref())?;
        }
        Ok(Some(caller))
    }

    /// Several cookies of one name are an honest case (a stale twin on a parent domain), and an
    /// attack: a sibling host sets its own. So all are tried, and the order decides nothing.
    fn the_one_caller(
        &self,
        candidates: &Candidates<'_>,
        now: Timestamp,
    ) -> Result<Caller, Refusal> {
        let mut best: Option<Caller> = None;
        let mut worst = None;
        for token in candidates.iter() {
            match (self.verifier.verify(token, Location::Cookie, now), &best) {
                (Ok(caller), Some(other)) if !is_same_session(&caller, other) => {
                    return Err(Refusal::AmbiguousCookies);
                }
                (Ok(caller), Some(other)) if caller.expires_at() <= other.expires_at() => {}
                (Ok(caller), _) => best = Some(caller),
                (Err(error), _) => worst = Some(more_telling(worst, error)),
            }
        }
        best.ok_or(Refusal::Token(worst.unwrap_or(TokenError::Malformed)))
    }

    fn check_provenance(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match (
            self.settings.origins.provenance(headers),
            self.settings.csrf_rule,
        ) {
            (Ok(Provenance::Trusted), _) | (Ok(_), CsrfRule::OriginAndToken) => Ok(()),
            (Ok(_), CsrfRule::OriginAlone) | (Err(_), _) => Err(Refusal::OriginDenied),
        }
    }

    /// The token is taken from its header alone: a cookie proves nothing, any sibling host can
    /// set one.
    fn check_token(&self, headers: &HeaderMap, hash: Option<&CsrfHash>) -> Result<(), Refusal> {
        if self.settings.csrf_rule == CsrfRule::OriginAlone {
            return Ok(());
        }
        let mut lines = headers.get_all(&self.settings.csrf_header).iter();
        let presented = lines.next().ok_or(Refusal::CsrfMissing)?;
        match (presented.to_str(), lines.next(), hash) {
            (Ok(token), None, Some(hash)) if csrf::check(token, hash) => Ok(()),
            _ => Err(Refusal::CsrfInvalid),
        }
    }
}

/// RFC 9110 §9.2.1, without TRACE.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// A WebSocket or event stream that rides on a cookie is read by the page that opened it, and a
/// page of any origin can open one.
fn is_handshake(headers: &HeaderMap) -> bool {
    headers.contains_key(UPGRADE)
        || headers
            .get(ACCEPT)
            .is_some_and(|accept| accept == "text/event-stream")
}

/// A token without a session is no proof of the same session.
fn is_same_session(left: &Caller, right: &Caller) -> bool {
    left.session().is_some() && left.session() == right.session() && left.user() == right.user()
}

/// The first error, unless a later one says more: that a token was genuine once, or may be with
/// other keys.
fn more_telling(known: Option<TokenError>, next: TokenError) -> TokenError {
    let tells = |error| match error {
        TokenError::Expired | TokenError::SessionEnded => 2,
        TokenError::UnknownKey | TokenError::NoKeys => 1,
        TokenError::Malformed | TokenError::Invalid => 0,
    };
    known
        .filter(|known| tells(*known) >= tells(next))
        .unwrap_or(next)
}
