//! Opening, refreshing and leaving a session from a request: what our own routes do, for routes of
//! the app's own.

use crate::extract::{
    RefreshCookie, admitted, device, from_our_page, idempotency_key, proved, refresh_cookie,
};
use crate::mount::Mount;
use crate::problem::Refused;
use crate::put::TokenCookies;
use hallpass_core::session::Device;
use hallpass_core::{Carrier, Delivery, Error, Issued, Opening, PresentedRefresh};
use hallpass_verify::problem::Code;
use hallpass_verify::{Caller, Found, Location, SessionId};
use http::request::Parts;

impl Mount {
    /// Returns how the session of a sign-in is to be opened: with the delivery of the settings, the
    /// client's address and name, and the session that this browser had before as the one to end.
    ///
    /// # Errors
    /// `origin_denied` when a page that is not trusted made the request.
    ///
    /// # Security
    /// Ask for it before you look at a password. Without it another site signs a visitor in to an
    /// account of its own, and reads later what they typed there (login CSRF). Take JSON bodies
    /// alone: forms of other sites can send all else without asking.
    pub fn opening(&self, request: &Parts) -> Result<Opening, Refused> {
        self.opening_as(request, self.web().settings().delivery)
    }

    /// As [`opening`](Self::opening), with another delivery: it decides whether the browser's former
    /// session is overwritten.
    ///
    /// # Errors
    /// `origin_denied`.
    pub fn opening_as(&self, request: &Parts, delivery: Delivery) -> Result<Opening, Refused> {
        from_our_page(self, request)?;
        Ok(Opening {
            delivery,
            device: device(self, request),
            replaces: self.former(request, delivery),
            ..Opening::default()
        })
    }

    /// Returns the client's address, as far as it is known, and what it calls itself: for the audit,
    /// and for lists of sessions.
    #[must_use]
    pub fn device(&self, request: &Parts) -> Device {
        device(self, request)
    }

    /// Refreshes the session of the refresh cookie: `Idempotency-Key` is obeyed, and the CSRF proof
    /// is asked for.
    ///
    /// # Errors
    /// `not_authenticated` without a cookie, `token_invalid`, `origin_denied`, `csrf_missing`,
    /// `csrf_invalid`; `session_ended` and `refresh_reused` take the cookies out as well.
    pub async fn refresh_by_cookie(&self, request: &Parts) -> Result<Issued, Refused> {
        let token = match refresh_cookie(self, request) {
            RefreshCookie::Absent => return Err(Code::NotAuthenticated.into()),
            RefreshCookie::Broken => return Err(Code::TokenInvalid.into()),
            RefreshCookie::Ours(token) => proved(self, request, token)?,
        };
        self.renewed(request, token).await
    }

    /// Refreshes the session of a refresh token that the client keeps itself, out of a body.
    ///
    /// # Errors
    /// `token_invalid`, also for one that was handed out in a cookie; `session_ended`,
    /// `refresh_reused`.
    pub async fn refresh_by_body(&self, request: &Parts, token: &str) -> Result<Issued, Refused> {
        let token = self.hallpass().open_refresh_token(token, Carrier::Body);
        self.renewed(request, token.ok_or(Code::TokenInvalid)?)
            .await
    }

    /// Signs out whoever this request comes from, by whatever credential it has, and returns what
    /// takes the cookies out. Whoever has none is signed out already.
    ///
    /// # Errors
    /// `origin_denied`, `csrf_missing` and `csrf_invalid` for one that rides on a cookie; then
    /// nothing ends and no cookie is to be taken out.
    pub async fn sign_out_by(&self, request: &Parts) -> Result<TokenCookies, Refused> {
        let leaving = self.leaving(request, Owes::OriginAndToken).await?;
        self.left(request, leaving).await
    }

    /// As [`sign_out_by`](Self::sign_out_by), for front ends that send no CSRF token when they sign
    /// out: where the request comes from is proof enough.
    ///
    /// # Errors
    /// `origin_denied`.
    ///
    /// # Security
    /// A request that does not say where it comes from is believed. Browsers of before 2020 leave
    /// it out in some cases; another site could sign their users out, and no more.
    pub async fn sign_out_by_origin(&self, request: &Parts) -> Result<TokenCookies, Refused> {
        let leaving = self.leaving(request, Owes::Origin).await?;
        self.left(request, leaving).await
    }

    /// Returns the session whose cookies a new one will overwrite.
    pub(crate) fn former(&self, request: &Parts, delivery: Delivery) -> Option<SessionId> {
        let overwrites = delivery.puts_refresh_in(Carrier::Cookie);
        refresh_cookie_session(self, request).filter(|_| overwrites)
    }

    async fn renewed(&self, request: &Parts, token: PresentedRefresh) -> Result<Issued, Refused> {
        let key = idempotency_key(&request.headers)?;
        let device = device(self, request);
        let refreshed = self.hallpass().refresh(token, key, &device).await;
        refreshed.map_err(|fault| {
            // Cookies are taken out only when the session is really over.
            let is_over = matches!(fault, Error::SessionEnded | Error::RefreshReused);
            let refused = Refused::from(fault);
            if is_over && token.carrier() == Carrier::Cookie {
                refused.and(self.clear())
            } else {
                refused
            }
        })
    }

    /// Returns the session that a request without a body's token leaves, and how it came.
    async fn leaving(&self, request: &Parts, asked: Owes) -> Result<Leaving, Refused> {
        let counts = self.0.gate.counts(request);
        let is_cookie = matches!(counts, None | Some(Location::Cookie));
        if !is_cookie || !self.uses_cookies() {
            let session = self.by_access(request).await?;
            return Ok(Leaving::Elsewhere(session));
        }
        // Other sites shall not make a browser drop even a broken cookie.
        from_our_page(self, request)?;
        let session = match (refresh_cookie(self, request), asked) {
            (RefreshCookie::Ours(token), Owes::OriginAndToken) => {
                Some(proved(self, request, token)?.session())
            }
            (RefreshCookie::Ours(token), Owes::Origin) => Some(token.session()),
            (RefreshCookie::Absent, Owes::OriginAndToken) => self.by_access(request).await?,
            (RefreshCookie::Absent, Owes::Origin) => self.by_access_cookie(request),
            // Nothing to end.
            (RefreshCookie::Broken, _) => None,
        };
        Ok(Leaving::Cookie(session))
    }

    /// Ends the session that a request leaves, if it has one.
    pub(crate) async fn left(
        &self,
        request: &Parts,
        leaving: Leaving,
    ) -> Result<TokenCookies, Refused> {
        let (Leaving::Cookie(session) | Leaving::Elsewhere(session)) = leaving;
        // A session in a cookie and elsewhere: the cookie is of no use any more.
        let in_cookie_too = session.is_some() && session == refresh_cookie_session(self, request);
        if let Some(session) = session {
            let device = device(self, request);
            self.hallpass().sign_out(session, &device).await?;
        }
        if matches!(leaving, Leaving::Cookie(_)) {
            self.end_lone_cookies(request).await?;
        }
        match leaving {
            Leaving::Elsewhere(_) if !in_cookie_too => Ok(TokenCookies::default()),
            Leaving::Elsewhere(_) | Leaving::Cookie(_) => Ok(self.clear()),
        }
    }

    /// Ends a token that belongs to no session: it is all there is to end.
    async fn end_lone(&self, request: &Parts, caller: &Caller) -> Result<(), Refused> {
        if caller.session().is_none() {
            let device = device(self, request);
            self.hallpass().end_token(caller, &device).await?;
        }
        Ok(())
    }

    /// Ends the tokens of the access cookie that belong to no session.
    async fn end_lone_cookies(&self, request: &Parts) -> Result<(), Refused> {
        let rules = self.hallpass();
        let (verifier, now) = (rules.verifier(), rules.clock().now());
        let read = self.web().cookies().access().read(&request.headers);
        let Found::Present(candidates) = read else {
            return Ok(());
        };
        let caller_of = |token| verifier.verify(token, Location::Cookie, now).ok();
        let callers: Vec<_> = candidates.iter().filter_map(caller_of).collect();
        for caller in &callers {
            self.end_lone(request, caller).await?;
        }
        Ok(())
    }

    /// Returns the session of the access token. One that ended already is signed out.
    async fn by_access(&self, request: &Parts) -> Result<Option<SessionId>, Refused> {
        match admitted(self, request).await {
            Ok(None) => Ok(None),
            Ok(Some(caller)) => {
                self.end_lone(request, &caller).await?;
                Ok(caller.session())
            }
            Err(refused) => match refused.problem().code {
                Code::SessionEnded => Ok(None),
                Code::TokenExpired => self.by_expired(request, refused),
                _ => Err(refused),
            },
        }
    }

    /// Returns the session of a token that has expired: whoever held it may still sign out. Of a
    /// cookie that the browser kept too long there is nothing to end.
    fn by_expired(&self, request: &Parts, refused: Refused) -> Result<Option<SessionId>, Refused> {
        let caller = self.0.gate.caller_even_expired(request);
        let session = caller.map(|caller| caller.and_then(|caller| caller.session()));
        session.map_err(|_| refused)
    }

    /// Returns the session of the access cookie. When there are cookies of several, none.
    fn by_access_cookie(&self, request: &Parts) -> Option<SessionId> {
        let Found::Present(candidates) = self.web().cookies().access().read(&request.headers)
        else {
            return None;
        };
        let (verifier, now) = (self.hallpass().verifier(), self.hallpass().clock().now());
        let caller = |token| verifier.verify_even_expired(token, Location::Cookie, now);
        let mut sessions = candidates
            .iter()
            .filter_map(|token| caller(token).ok()?.session());
        let first = sessions.next()?;
        sessions.all(|other| other == first).then_some(first)
    }
}

/// What a sign-out that rides on a cookie owes.
#[derive(Clone, Copy)]
enum Owes {
    OriginAndToken,
    Origin,
}

/// The session that a request leaves, if it has one, and how it came.
#[derive(Clone, Copy)]
pub(crate) enum Leaving {
    Cookie(Option<SessionId>),
    Elsewhere(Option<SessionId>),
}

fn refresh_cookie_session(mount: &Mount, request: &Parts) -> Option<SessionId> {
    match refresh_cookie(mount, request) {
        RefreshCookie::Ours(token) => Some(token.session()),
        RefreshCookie::Absent | RefreshCookie::Broken => None,
    }
}
