//! What a gate looks at of a request.

use crate::{AccessTokenText, CsrfToken, Found};
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Uri};
use std::fmt;
use std::sync::Arc;

/// The head of a request, borrowed: of an [`http::Request`], of [`http::request::Parts`], or a
/// method and headers alone.
#[derive(Clone, Copy)]
pub struct Head<'r> {
    method: &'r Method,
    headers: &'r HeaderMap,
    more: Option<(&'r Uri, &'r Extensions)>,
}

impl<'r> Head<'r> {
    /// Takes a method and headers. Then there is no query and no body to look at.
    #[must_use]
    pub const fn new(method: &'r Method, headers: &'r HeaderMap) -> Self {
        Self {
            method,
            headers,
            more: None,
        }
    }

    /// Returns the method.
    #[must_use]
    pub const fn method(&self) -> &'r Method {
        self.method
    }

    /// Returns the headers.
    #[must_use]
    pub const fn headers(&self) -> &'r HeaderMap {
        self.headers
    }

    pub(super) fn query(&self) -> Option<&'r str> {
        self.more.and_then(|(uri, _)| uri.query())
    }

    pub(super) fn in_body(&self) -> Option<&'r InBody> {
        self.more.and_then(|(_, extensions)| extensions.get())
    }

    /// Copies what a gate may look at.
    pub(super) fn kept(&self) -> Request<()> {
        let mut kept = Request::new(());
        kept.method_mut().clone_from(self.method);
        kept.headers_mut().clone_from(self.headers);
        if let Some((uri, extensions)) = self.more {
            kept.uri_mut().clone_from(uri);
            if let Some(in_body) = extensions.get::<InBody>() {
                kept.extensions_mut().insert(in_body.clone());
            }
        }
        kept
    }
}

impl<'r, B> From<&'r Request<B>> for Head<'r> {
    fn from(request: &'r Request<B>) -> Self {
        Self {
            more: Some((request.uri(), request.extensions())),
            ..Self::new(request.method(), request.headers())
        }
    }
}

impl<'r> From<&'r Parts> for Head<'r> {
    fn from(parts: &'r Parts) -> Self {
        Self {
            more: Some((&parts.uri, &parts.extensions)),
            ..Self::new(&parts.method, &parts.headers)
        }
    }
}

impl<'r> From<(&'r Method, &'r HeaderMap)> for Head<'r> {
    fn from((method, headers): (&'r Method, &'r HeaderMap)) -> Self {
        Self::new(method, headers)
    }
}

/// Tokens may stand in the rest: it is not shown.
impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("method", self.method)
            .finish_non_exhaustive()
    }
}

/// What a layer that reads bodies found in one: an extension of the request, for the gate.
#[derive(Clone, Debug)]
pub struct InBody(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    token: Found<AccessTokenText>,
    csrf: Found<CsrfToken>,
}

impl InBody {
    /// Takes the access token of a JSON body, and the CSRF token of a form.
    #[must_use]
    pub fn new(token: Found<AccessTokenText>, csrf: Found<CsrfToken>) -> Self {
        Self(Arc::new(Inner { token, csrf }))
    }

    pub(super) fn token(&self) -> Found<&str> {
        self.0.token.as_ref().map(AccessTokenText::expose)
    }

    pub(super) fn csrf(&self) -> Found<&str> {
        self.0.csrf.as_ref().map(CsrfToken::expose)
    }
}
