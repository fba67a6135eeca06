//! One request, its answer, and what is true of every answer.

use super::{App, Events, Jar, SERVICE, SERVICE_SECRET, SetCookie};
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hallpass_verify::Clock as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use serde_json::Value;
use std::net::SocketAddr;
use tower::ServiceExt as _;
use url::form_urlencoded;

/// A request to be sent.
#[must_use]
pub(crate) struct Req<'r> {
    app: &'r App,
    jar: Option<&'r mut Jar>,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Body,
    peer: SocketAddr,
    may_fail: bool,
    stays_open: bool,
}

impl<'r> Req<'r> {
    pub(crate) fn new(app: &'r App, jar: Option<&'r mut Jar>, method: &str, path: &str) -> Self {
        Self {
            app,
            jar,
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            path: path.into(),
            headers: HeaderMap::new(),
            body: Body::empty(),
            peer: SocketAddr::from(([192, 0, 2, 1], 40_000)),
            may_fail: false,
            stays_open: false,
        }
    }

    /// Adds a header line.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        self.raw_header(name, value.as_bytes())
    }

    pub(crate) fn raw_header(mut self, name: &str, value: &[u8]) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let value = HeaderValue::from_bytes(value).unwrap();
        self.headers.append(name, value);
        self
    }

    /// Takes a header away that a browser would send.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    pub(crate) fn csrf(self, token: &str) -> Self {
        self.header("x-csrf-token", token)
    }

    /// Adds a `Cookie` line of one pair.
    pub(crate) fn cookie(self, name: &str, value: &str) -> Self {
        self.header(COOKIE.as_str(), &format!("{name}={value}"))
    }

    /// Comes from the service that may ask.
    pub(crate) fn service(self) -> Self {
        self.basic(SERVICE, SERVICE_SECRET)
    }

    pub(crate) fn basic(self, name: &str, secret: &str) -> Self {
        let encoded = STANDARD.encode(format!("{name}:{secret}"));
        self.header(AUTHORIZATION.as_str(), &format!("Basic {encoded}"))
    }

    pub(crate) fn form(self, pairs: &[(&str, &str)]) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        self.header(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")
            .body(form.finish())
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header(CONTENT_TYPE.as_str(), "application/json")
            .body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Comes from another address.
    pub(crate) fn from(mut self, last_octet: u8) -> Self {
        self.peer = SocketAddr::from(([192, 0, 2, last_octet], 40_000));
        self
    }

    /// The answer may be a 500: the test asked for one.
    pub(crate) fn may_fail(mut self) -> Self {
        self.may_fail = true;
        self
    }

    /// The answer may be a stream; it is left unread.
    pub(crate) fn may_stay_open(mut self) -> Self {
        self.stays_open = true;
        self
    }

    pub(crate) async fn send(self) -> Answer {
        self.exchange().await.1
    }

    /// Opens a stream; its answer must be one.
    pub(crate) async fn open(self) -> Events {
        let request = self.header("accept", "text/event-stream");
        let (events, answer) = request.may_stay_open().exchange().await;
        events.unwrap_or_else(|| panic!("no stream: {answer:?}"))
    }

    /// Sends it; the body of a stream comes back unread.
    async fn exchange(mut self) -> (Option<Events>, Answer) {
        let over_https = self
            .app
            .mount
            .web()
            .settings()
            .public_url
            .starts_with("https:");
        let now = self.app.clock.now();
        if let Some(jar) = &self.jar {
            let path = self.path.split('?').next().unwrap();
            if let Some(line) = jar.header(path, now, over_https) {
                self.headers.insert(COOKIE, line.try_into().unwrap());
            }
        }
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .extension(ConnectInfo(self.peer))
            .body(self.body)
            .unwrap();
        *request.headers_mut() = self.headers;
        let response = self.app.router.clone().oneshot(request).await.unwrap();
        let (parts, mut body) = response.into_parts();
        let is_stream = parts
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|media_type| media_type == "text/event-stream");
        assert!(self.stays_open || !is_stream, "{}", self.path);
        let events = is_stream.then(|| {
            let headers = parts.headers.clone();
            Events::new(headers, std::mem::take(&mut body))
        });
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: to_bytes(body, 1 << 20).await.unwrap().to_vec(),
        };
        answer.assert_promises(&self.path, self.may_fail);
        if let Some(jar) = self.jar {
            for cookie in answer.cookies() {
                jar.take(cookie, now, over_https);
            }
        }
        (events, answer)
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The code of a problem; empty when the answer is none.
    pub(crate) fn code(&self) -> String {
        let is_problem = self.header("content-type") == Some("application/problem+json")
            && !self.body.is_empty();
        let code = is_problem.then(|| self.json()["code"].as_str().unwrap().to_owned());
        code.unwrap_or_default()
    }

    /// The code of a problem, or else a member of the body.
    pub(crate) fn code_or(&self, member: &str) -> String {
        match self.code() {
            code if code.is_empty() => self.json()[member].as_str().unwrap_or("nobody").to_owned(),
            code => code,
        }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "{self:?}"
        );
        self
    }

    pub(crate) fn cookies(&self) -> Vec<SetCookie> {
        let lines = self.headers.get_all(SET_COOKIE).iter();
        lines
            .map(|line| SetCookie::parse(line.to_str().unwrap()))
            .collect()
    }

    /// The names of the cookies that it deletes, in order.
    pub(crate) fn cleared(&self) -> Vec<String> {
        let mut cookies = self.cookies();
        cookies.retain(SetCookie::clears);
        cookies.into_iter().map(|cookie| cookie.name).collect()
    }

    /// What holds for every answer there is.
    #[track_caller]
    fn assert_promises(&self, path: &str, may_fail: bool) {
        assert!(
            self.status < 500 || self.code() == "overloaded" || may_fail,
            "{path}: {self:?}"
        );
        assert_eq!(
            self.status == 401,
            self.headers.contains_key("www-authenticate") && self.status != 403,
            "{path}: {self:?}"
        );
        if matches!(self.status, 429 | 503) {
            assert!(self.headers.contains_key("retry-after"), "{path}: {self:?}");
        }
        let is_ours = path
            .strip_prefix("/auth/")
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('?'))
            || !self.code().is_empty();
        let carries =
            !self.cookies().is_empty() || self.body.windows(4).any(|four| four == b"hpr_");
        if is_ours || carries {
            assert_eq!(
                self.header("cache-control"),
                Some("no-store"),
                "{path}: {self:?}"
            );
        }
        for cookie in self.cookies() {
            // RFC 6265bis §4.1.3: the promises of the prefixes.
            let host = cookie.name.starts_with("__Host-");
            let prefixed = host || cookie.name.starts_with("__Secure-");
            assert!(!prefixed || cookie.secure, "{path}: {cookie:?}");
            assert!(!host || cookie.domain.is_none(), "{path}: {cookie:?}");
            assert!(
                !host || cookie.path.as_deref() == Some("/"),
                "{path}: {cookie:?}"
            );
            assert!(
                cookie.path.is_some() && cookie.same_site.is_some(),
                "{path}: {cookie:?}"
            );
        }
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.status, self.headers)?;
        write!(f, " {}", String::from_utf8_lossy(&self.body))
    }
}
