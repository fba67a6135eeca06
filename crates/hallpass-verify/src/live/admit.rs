//! Who opens a long-lived connection: one credential, and where the request comes from.

use super::seats::Seats;
use super::{LiveSettings, Renewal, Ticket, TicketFault, Tickets};
use crate::problem::Code;
use crate::{
    Admission, Caller, CsrfDuty, Found, Gate, Head, Location, Locations, OriginPolicy, Provenance,
    Refusal, RouteTerms, WhenStale,
};
use http::header::{ORIGIN, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Method};
use std::sync::Arc;
use std::time::Duration;

/// How long a ticket may take to be redeemed.
const REDEEM_MAX: Duration = Duration::from_secs(10);

/// What stands behind a [`LiveLayer`](super::LiveLayer).
#[derive(Debug)]
pub(super) struct Door {
    pub(super) gate: Arc<Gate>,
    pub(super) locations: Locations,
    pub(super) when_stale: WhenStale,
    pub(super) tickets: Option<Arc<dyn Tickets>>,
    pub(super) settings: LiveSettings,
    /// The connections behind all layers that were made from one.
    pub(super) seats: Arc<Seats>,
}

/// Where a handshake can carry a credential.
#[derive(Clone, Copy)]
enum Place {
    /// Where no browser puts it by itself.
    Plain(Location),
    Ticket,
    Cookie,
}

impl Door {
    /// Returns who asks for a connection.
    ///
    /// # Security
    /// As everywhere, the first credential that is present is the only one that counts. What a
    /// cookie owes is owed by every method: the page that opens a connection reads what comes.
    pub(super) async fn admit(
        &self,
        parts: &Parts,
        ticket: &Found<Ticket>,
    ) -> Result<Caller, Code> {
        for place in self.places() {
            let admission = match place {
                Place::Plain(location) => {
                    let terms = self.terms(location, CsrfDuty::Owed);
                    self.ask(terms, parts.into()).await
                }
                Place::Ticket => match ticket {
                    Found::Absent => Admission::Anonymous,
                    Found::Malformed => Admission::Refused(Refusal::Malformed),
                    Found::Present(ticket) => return self.by_ticket(ticket).await,
                },
                Place::Cookie => self.at_cookie(parts).await,
            };
            match admission {
                Admission::Caller(caller) => return Ok(caller),
                Admission::Anonymous => {}
                Admission::Refused(refusal) => {
                    if refusal.is_forgery() {
                        // Somebody's page tried to listen as a user: for whoever reads the log.
                        let event = "cross_site_refused";
                        tracing::warn!(target: "hallpass::audit", event, %refusal);
                    }
                    return Err(refusal.into());
                }
            }
        }
        Err(Code::NotAuthenticated)
    }

    /// Returns the caller of what a client brings for the connection it has.
    pub(super) async fn renewed(&self, renewal: &Renewal) -> Result<Caller, Code> {
        match renewal {
            Renewal::AccessToken(token) => self.by_token(token).await,
            Renewal::Ticket(ticket) => self.by_ticket(ticket).await,
        }
    }

    /// A ticket stands before the cookie: a page that fetched one means it.
    fn places(&self) -> impl Iterator<Item = Place> {
        let last = (!self.locations.contains(Location::Cookie)).then_some(Place::Ticket);
        let places = self.locations.iter().flat_map(|location| match location {
            Location::Cookie => [Some(Place::Ticket), Some(Place::Cookie)],
            plain => [Some(Place::Plain(plain)), None],
        });
        places.flatten().chain(last)
    }

    async fn at_cookie(&self, parts: &Parts) -> Admission {
        let settings = self.gate.settings();
        if matches!(settings.access_cookie.read(&parts.headers), Found::Absent) {
            return Admission::Anonymous;
        }
        let is_websocket = parts.method == Method::CONNECT || parts.headers.contains_key(UPGRADE);
        let comes_from_us = if is_websocket {
            names_us(&settings.origins, &parts.headers)
        } else {
            settings.origins.provenance(&parts.headers) == Ok(Provenance::Trusted)
        };
        if !comes_from_us {
            return Admission::Refused(Refusal::OriginDenied);
        }
        // RFC 8441 §4: over HTTP/2 a WebSocket is opened by CONNECT. No page can give that, or a
        // GET, a CSRF token; where it comes from was checked above.
        let duty = match parts.method {
            Method::CONNECT | Method::GET => CsrfDuty::DangerWaived,
            _ => CsrfDuty::Owed,
        };
        let terms = self.terms(Location::Cookie, duty);
        self.ask(terms, parts.into()).await
    }

    async fn by_ticket(&self, ticket: &Ticket) -> Result<Caller, Code> {
        let Some(tickets) = &self.tickets else {
            tracing::debug!("a ticket came, but the LiveLayer was not told where to redeem it");
            return Err(Code::TokenInvalid);
        };
        match tokio::time::timeout(REDEEM_MAX, tickets.redeem(ticket)).await {
            Ok(Ok(token)) => self.by_token(token.expose()).await,
            Ok(Err(TicketFault::Refused)) => Err(Code::TokenInvalid),
            Ok(Err(TicketFault::Unavailable)) | Err(_) => Err(Code::Unavailable),
        }
    }

    /// Verifies a token as if it had come in the header of a request.
    async fn by_token(&self, token: &str) -> Result<Caller, Code> {
        let Some(headers) = self.gate.settings().token_header.carrying(token) else {
            return Err(Code::TokenMalformed);
        };
        let terms = self.terms(Location::Header, CsrfDuty::Owed);
        match self.ask(terms, Head::new(&Method::GET, &headers)).await {
            Admission::Caller(caller) => Ok(caller),
            Admission::Refused(refusal) => Err(refusal.into()),
            Admission::Anonymous => Err(Code::TokenMalformed),
        }
    }

    const fn terms(&self, location: Location, csrf: CsrfDuty) -> RouteTerms {
        RouteTerms {
            locations: Locations::only(location),
            when_stale: self.when_stale,
            csrf,
        }
    }

    async fn ask(&self, terms: RouteTerms, head: Head<'_>) -> Admission {
        self.gate.admit_asking(terms, head).await
    }
}

/// Tells whether the one `Origin` is ours or a trusted one.
///
/// Every browser sends it with a WebSocket (RFC 6455 §4.1), also under `Referrer-Policy:
/// no-referrer`; Chromium sends nothing else that says where the handshake comes from. So what has
/// none is no page of ours, and `null` is a page that nobody can name.
fn names_us(origins: &OriginPolicy, headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(ORIGIN).iter();
    match (lines.next(), lines.next()) {
        (Some(origin), None) => {
            origin.as_bytes() == origins.own().as_str().as_bytes() || origins.trusts(origin)
        }
        _ => false,
    }
}
