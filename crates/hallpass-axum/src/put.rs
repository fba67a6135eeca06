//! Putting tokens into responses as cookies, and taking them out again.

use crate::mount::Mount;
use crate::problem::Refused;
use crate::wire::Remember;
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use hallpass_core::session::Persistence;
use hallpass_core::{Carrier, CsrfCookie, Delivery, Issued, LoneToken};
use hallpass_verify::problem::Code;
use hallpass_verify::{Cookie, CsrfRule, Lifetime};
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use std::convert::Infallible;
use std::time::Duration;

/// `Set-Cookie` lines for tokens, and `Cache-Control: no-store`: put it into any response, in front
/// of the body.
///
/// # Security
/// A response that is lost takes them along. An error that replaces it must not be one that was
/// decided after the tokens were made, or the client has lost them too.
#[derive(Clone, Debug, Default)]
#[must_use = "the tokens are lost unless this is part of the response"]
pub struct TokenCookies(Vec<HeaderValue>);

impl Mount {
    /// Puts the tokens of a session into cookies, as far as its delivery puts them there; those
    /// that belong into a body are in `issued`.
    ///
    /// # Errors
    /// `internal` when a token does not fit into a cookie: its claims are too long.
    pub fn put(&self, issued: &Issued) -> Result<TokenCookies, Refused> {
        let delivery = issued.session.delivery;
        let in_access = delivery.puts_access_in(Carrier::Cookie);
        let in_refresh = delivery.puts_refresh_in(Carrier::Cookie);
        let mut jar = Jar::of(self, issued);
        if in_access {
            jar.access()?;
        }
        if in_refresh {
            jar.refresh()?;
        }
        // With two CSRF cookies, each goes with its token; one goes with either.
        let two = self.web().cookies().csrf_of_refresh().is_some();
        if in_access || (in_refresh && !two) {
            jar.csrf()?;
        }
        if in_refresh && two {
            jar.csrf_of_refresh()?;
        }
        if delivery == Delivery::Split && issued.session.generation == 0 {
            // An access cookie of the session before would still name its user.
            jar.clear(self.web().cookies().access());
        }
        if delivery != Delivery::Body {
            jar.clear_retired();
        }
        Ok(jar.cookies)
    }

    /// Puts the access token alone into its cookie, and the CSRF token beside it.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn put_access(&self, issued: &Issued) -> Result<TokenCookies, Refused> {
        let mut jar = Jar::of(self, issued);
        jar.access()?;
        jar.csrf()?;
        Ok(jar.cookies)
    }

    /// Puts the refresh token alone into its cookie, and the CSRF token beside it.
    ///
    /// # Errors
    /// As [`put`](Self::put); and `internal` when the delivery of the session puts its refresh token
    /// into a body: it is good in no cookie.
    pub fn put_refresh(&self, issued: &Issued) -> Result<TokenCookies, Refused> {
        if !issued.session.delivery.puts_refresh_in(Carrier::Cookie) {
            tracing::error!("the refresh token of this delivery belongs into a body");
            return Err(Code::Internal.into());
        }
        let mut jar = Jar::of(self, issued);
        jar.refresh()?;
        match self.web().cookies().csrf_of_refresh() {
            Some(_) => jar.csrf_of_refresh()?,
            None => jar.csrf()?,
        }
        Ok(jar.cookies)
    }

    /// Puts an access token without a session into the access cookie, for as long as it lives, and
    /// its CSRF token beside it.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn put_lone(&self, lone: &LoneToken) -> Result<TokenCookies, Refused> {
        let (cookies, lifetime) = (self.web().cookies(), Lifetime::MaxAge(lone.expires_in));
        let mut lines = vec![line(cookies.access(), lone.token.expose(), lifetime)?];
        if self.sends_csrf_cookie() {
            lines.push(line(cookies.csrf(), lone.csrf.expose(), lifetime)?);
        }
        Ok(TokenCookies(lines))
    }

    /// Takes all cookies of ours out, in every scope they may have. It ends no session.
    pub fn clear(&self) -> TokenCookies {
        let cookies = self.web().cookies();
        let mut lines = vec![cookies.access().clear(), cookies.refresh().clear()];
        if self.sends_csrf_cookie() {
            lines.push(cookies.csrf().clear());
            lines.extend(cookies.csrf_of_refresh().map(Cookie::clear));
        }
        lines.extend(cookies.retired().iter().map(Cookie::clear));
        TokenCookies(lines)
    }

    /// Takes the access cookie out. Its CSRF cookie goes along unless the refresh token needs it.
    pub fn clear_access(&self) -> TokenCookies {
        let cookies = self.web().cookies();
        let mut lines = vec![cookies.access().clear()];
        if cookies.csrf_of_refresh().is_some() && self.sends_csrf_cookie() {
            lines.push(cookies.csrf().clear());
        }
        TokenCookies(lines)
    }

    /// Takes the refresh cookie out. Its CSRF cookie goes along unless the access token needs it.
    pub fn clear_refresh(&self) -> TokenCookies {
        let cookies = self.web().cookies();
        let mut lines = vec![cookies.refresh().clear()];
        if self.sends_csrf_cookie() {
            lines.extend(cookies.csrf_of_refresh().map(Cookie::clear));
        }
        TokenCookies(lines)
    }

    /// Tells whether pages need a CSRF token to send back.
    pub(crate) fn owes_csrf(&self) -> bool {
        self.wire().csrf == CsrfRule::OriginAndToken
    }

    /// Tells whether pages find it in a cookie.
    fn sends_csrf_cookie(&self) -> bool {
        self.owes_csrf() && self.web().settings().csrf_cookie == CsrfCookie::Sent
    }
}

impl TokenCookies {
    /// Appends the lines to the headers of a response.
    pub(crate) fn put_into(self, headers: &mut HeaderMap) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for line in self.0 {
            headers.append(SET_COOKIE, line);
        }
    }
}

impl IntoResponseParts for TokenCookies {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        self.put_into(parts.headers_mut());
        Ok(parts)
    }
}

impl IntoResponse for TokenCookies {
    fn into_response(self) -> Response {
        let mut response = ().into_response();
        self.put_into(response.headers_mut());
        response
    }
}

/// Lines that are being gathered.
struct Jar<'a> {
    mount: &'a Mount,
    issued: &'a Issued,
    cookies: TokenCookies,
}

impl<'a> Jar<'a> {
    fn of(mount: &'a Mount, issued: &'a Issued) -> Self {
        Self {
            mount,
            issued,
            cookies: TokenCookies::default(),
        }
    }

    fn access(&mut self) -> Result<(), Refused> {
        let (cookie, issued) = (self.mount.web().cookies().access(), self.issued);
        self.set(cookie, issued.access.expose(), issued.access_expires_in)
    }

    fn refresh(&mut self) -> Result<(), Refused> {
        let (cookie, issued) = (self.mount.web().cookies().refresh(), self.issued);
        self.set(cookie, issued.refresh.expose(), issued.refresh_expires_in)
    }

    fn csrf(&mut self) -> Result<(), Refused> {
        let cookie = self.mount.web().cookies().csrf();
        self.csrf_in(cookie)
    }

    fn csrf_of_refresh(&mut self) -> Result<(), Refused> {
        let cookie = self.mount.web().cookies().csrf_of_refresh();
        cookie.map_or(Ok(()), |cookie| self.csrf_in(cookie))
    }

    fn csrf_in(&mut self, cookie: &Cookie) -> Result<(), Refused> {
        if !self.mount.sends_csrf_cookie() {
            return Ok(());
        }
        let issued = self.issued;
        self.set(cookie, issued.csrf.expose(), issued.refresh_expires_in)
    }

    fn set(&mut self, cookie: &Cookie, value: &str, lifetime: Duration) -> Result<(), Refused> {
        let lifetime = match (self.issued.session.persistence, self.mount.wire().remember) {
            (Persistence::Remembered, _) | (_, Remember::Longer) => Lifetime::MaxAge(lifetime),
            (Persistence::Transient, Remember::BeyondTheWindow) => Lifetime::Session,
        };
        self.cookies.0.push(line(cookie, value, lifetime)?);
        Ok(())
    }

    fn clear(&mut self, cookie: &Cookie) {
        self.cookies.0.push(cookie.clear());
    }

    fn clear_retired(&mut self) {
        for retired in self.mount.web().cookies().retired() {
            self.clear(retired);
        }
    }
}

fn line(cookie: &Cookie, value: &str, lifetime: Lifetime) -> Result<HeaderValue, Refused> {
    cookie.set(value, lifetime).map_err(|fault| {
        tracing::error!(cookie = %cookie.name(), %fault, "a cookie cannot be sent");
        Code::Internal.into()
    })
}
