//! One credential per request: which one counts, whether it is good, and what it owes.

pub(crate) mod asking;
mod found;
mod head;
mod refusal;
mod settings;
mod upstream;

pub use head::{Head, InBody};
pub use refusal::{Admission, Refusal};
pub use settings::{CsrfDuty, CsrfRule, GateSettings, RouteTerms};
pub use upstream::{Active, AskFault, BoxFuture, Upstream, WhenStale};

use crate::{Caller, Location, Timestamp, TokenError, Verifier, csrf};
use crate::{Candidates, Clock, CsrfHash, Found, Locations, Provenance};
use http::header::{ACCEPT, UPGRADE};
use http::{HeaderMap, Method};
use std::sync::Arc;

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

    /// Returns the terms of a route that says nothing of its own.
    #[must_use]
    pub const fn terms(&self) -> RouteTerms {
        RouteTerms {
            locations: self.settings.locations,
            when_stale: self.when_stale,
            csrf: CsrfDuty::Owed,
        }
    }

    /// Decides who is calling.
    ///
    /// # Security
    /// The first location in which a credential is *present* is the only one that counts. A junk
    /// bearer token is refused and the cookie next to it is not tried: otherwise the header would
    /// switch the CSRF check off for a request that rides on the cookie.
    #[must_use]
    pub fn admit<'r>(&self, request: impl Into<Head<'r>>) -> Admission {
        self.decide(self.terms(), request.into())
    }

    /// Decides who is calling, looking at these locations alone: for a route that narrows them.
    #[must_use]
    pub fn admit_at<'r>(&self, locations: &Locations, request: impl Into<Head<'r>>) -> Admission {
        let terms = RouteTerms {
            locations: *locations,
            ..self.terms()
        };
        self.decide(terms, request.into())
    }

    fn decide(&self, terms: RouteTerms, head: Head<'_>) -> Admission {
        for location in terms.locations.iter() {
            let admitted = match location {
                Location::Cookie => self.at_cookie(terms.csrf, head),
                Location::Header | Location::Query | Location::Body => {
                    self.without_proof(location, head)
                }
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
    /// GET, HEAD and OPTIONS owe nothing, unless [`GateSettings::csrf_also`] names them. `hash`
    /// belongs to the session of the credential.
    ///
    /// # Errors
    /// [`Refusal::OriginDenied`], [`Refusal::CsrfMissing`] or [`Refusal::CsrfInvalid`].
    pub fn check_csrf<'r>(
        &self,
        request: impl Into<Head<'r>>,
        hash: &CsrfHash,
    ) -> Result<(), Refusal> {
        let head = request.into();
        if !self.owes_proof(head.method()) {
            return Ok(());
        }
        self.check_provenance(head.headers())?;
        self.check_token(head, Some(hash))
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

    /// A token that no browser adds by itself.
    fn without_proof(&self, location: Location, head: Head<'_>) -> Result<Option<Caller>, Refusal> {
        match self.found_at(location, head) {
            Found::Absent => Ok(None),
            Found::Malformed => Err(Refusal::Malformed),
            Found::Present(token) => {
                let now = self.clock.now();
                Ok(Some(self.verifier.verify(&token, location, now)?))
            }
        }
    }

    fn at_cookie(&self, duty: CsrfDuty, head: Head<'_>) -> Result<Option<Caller>, Refusal> {
        let headers = head.headers();
        let candidates = match self.settings.access_cookie.read(headers) {
            Found::Absent => return Ok(None),
            Found::Malformed => return Err(Refusal::Malformed),
            Found::Present(candidates) => candidates,
        };
        let owes_proof = duty == CsrfDuty::Owed && self.owes_proof(head.method());
        if owes_proof {
            self.check_provenance(headers)?;
        } else if is_handshake(headers) {
            self.check_origin(headers)?;
        }
        let caller = self.the_one_caller(&candidates, self.clock.now())?;
        if owes_proof {
            let hash = caller.claims().csrf_hash.map(CsrfHash::from_bytes);
            self.check_token(head, hash.as_ref())?;
        }
        Ok(Some(caller))
    }

    /// Tells whether a method owes the proof when it rides on a cookie.
    fn owes_proof(&self, method: &Method) -> bool {
        !is_safe(method) || self.settings.csrf_also.contains(method)
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

    /// The token is taken from its header, or else from the field of a form, never from a cookie:
    /// a cookie proves nothing, any sibling host can set one.
    fn check_token(&self, head: Head<'_>, hash: Option<&CsrfHash>) -> Result<(), Refusal> {
        if self.settings.csrf_rule == CsrfRule::OriginAlone {
            return Ok(());
        }
        match (self.presented_csrf(head), hash) {
            (Found::Absent, _) => Err(Refusal::CsrfMissing),
            (Found::Present(token), Some(hash)) if csrf::check(token, hash) => Ok(()),
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
