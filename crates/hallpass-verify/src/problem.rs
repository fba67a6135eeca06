//! The one table from a stable error code to an HTTP answer (RFC 9457).

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use std::time::Duration;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $title:literal, $detail:literal;)+) => {
        /// A stable error code: what a client branches on.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)+
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Returns the HTTP status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)+
                }
            }

            /// Returns the code as it stands in the answer, such as `token_expired`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// Returns a short summary, the same each time (RFC 9457 §3.1.3).
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)+
                }
            }

            /// Returns a fixed sentence that says what to do.
            #[must_use]
            pub const fn detail(self) -> &'static str {
                match self {
                    $(Self::$name => $detail,)+
                }
            }

            const fn type_uri(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("urn:hallpass:problem:", $code),)+
                }
            }
        }
    };
}

codes! {
    /// No credential came with the request.
    NotAuthenticated = "not_authenticated", UNAUTHORIZED, "Not signed in",
        "Sign in, or send an access token.";
    /// The credential is not a token in form, or there are several.
    TokenMalformed = "token_malformed", UNAUTHORIZED, "The token cannot be read",
        "Send exactly one access token, as it was issued.";
    /// The access token was good until a moment ago.
    TokenExpired = "token_expired", UNAUTHORIZED, "The token has expired",
        "Refresh the session and try again.";
    /// The token is not one of ours, or not for here.
    TokenInvalid = "token_invalid", UNAUTHORIZED, "The token is not valid",
        "Refresh the session and try again, or sign in.";
    /// The session is over: signed out, ended, or too old.
    SessionEnded = "session_ended", UNAUTHORIZED, "The session has ended",
        "Sign in again.";
    /// A refresh token was used a second time: the session was ended.
    RefreshReused = "refresh_reused", UNAUTHORIZED, "The refresh token was used before",
        "The session was ended for safety. Sign in again.";
    /// Wrong password or unknown user: one answer for both.
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED, "E-mail address or password is wrong",
        "Check the e-mail address and the password.";
    /// A service did not prove who it is (RFC 6749 §5.2).
    InvalidClient = "invalid_client", UNAUTHORIZED, "The service is not known",
        "Send the name and the secret of the service.";
    /// The caller signed in too long ago for this (RFC 9470 §3).
    FreshRequired = "fresh_required", UNAUTHORIZED, "A recent sign-in is needed",
        "Sign in again to continue.";
    /// The caller may not do this.
    InsufficientScope = "insufficient_scope", FORBIDDEN, "Not allowed",
        "Ask for the scope or the role that this needs.";
    /// A request that rides on a cookie came without its CSRF token.
    CsrfMissing = "csrf_missing", FORBIDDEN, "The CSRF token is missing",
        "Send the CSRF token of the session in the CSRF header.";
    /// The CSRF token is not one of this session.
    CsrfInvalid = "csrf_invalid", FORBIDDEN, "The CSRF token is not valid",
        "Fetch a CSRF token for the session and try again.";
    /// The request comes from a page that is not trusted.
    OriginDenied = "origin_denied", FORBIDDEN, "The origin is not trusted",
        "Make the request from a page of a trusted origin.";
    /// Nobody signs up here by themselves.
    SignUpClosed = "sign_up_closed", FORBIDDEN, "Sign-up is closed",
        "Ask whoever runs this for an account.";
    /// The e-mail address already has an account.
    EmailTaken = "email_taken", CONFLICT, "The e-mail address is taken",
        "Sign in, or use another e-mail address.";
    /// Fields of the body are not acceptable: see `errors`.
    ValidationFailed = "validation_failed", UNPROCESSABLE_ENTITY, "Some fields are not acceptable",
        "Correct the fields listed in errors.";
    /// The body is not the JSON that was expected.
    MalformedBody = "malformed_body", BAD_REQUEST, "The body cannot be read",
        "Send a JSON object with each member once.";
    /// The body is of another media type.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE,
        "The media type is not supported", "Send the body as application/json.";
    /// The body is too large.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large",
        "Send a smaller body.";
    /// Too many requests: see `Retry-After`.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests",
        "Wait as long as Retry-After says, then try again.";
    /// The service is busy: see `Retry-After`.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "The service is busy",
        "Wait as long as Retry-After says, then try again.";
    /// Who is calling cannot be told now: see `Retry-After`.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Sign-ins cannot be checked now",
        "Wait as long as Retry-After says, then try again.";
    /// There is nothing here, or nothing for this caller.
    NotFound = "not_found", NOT_FOUND, "Not found",
        "Check the address.";
    /// The address has other methods: see `Allow`.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed",
        "Use one of the methods that Allow lists.";
    /// The request took too long to arrive.
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The request took too long",
        "Send the whole request without long pauses.";
    /// The request is not proper HTTP.
    BadRequest = "bad_request", BAD_REQUEST, "The request is not proper",
        "Send a well-formed HTTP request.";
    /// A fault of ours.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong here",
        "Try again later.";
}

impl Code {
    /// Returns the challenge that belongs to the code.
    const fn challenge(self) -> Option<HeaderValue> {
        let text = match self {
            // RFC 6750 §3.1: without a credential in the request, no error code.
            Self::NotAuthenticated | Self::InvalidCredentials | Self::RefreshReused => {
                r#"Bearer realm="hallpass""#
            }
            Self::TokenMalformed | Self::TokenExpired | Self::TokenInvalid | Self::SessionEnded => {
                r#"Bearer realm="hallpass", error="invalid_token""#
            }
            Self::InvalidClient => r#"Basic realm="hallpass""#,
            // RFC 9470 §3.
            Self::FreshRequired => {
                r#"Bearer realm="hallpass", error="insufficient_user_authentication""#
            }
            // RFC 6750 §3.1.
            Self::InsufficientScope => r#"Bearer realm="hallpass", error="insufficient_scope""#,
            _ => return None,
        };
        Some(HeaderValue::from_static(text))
    }
}

/// What is wrong with one field of a body. All of it is fixed text: input is never echoed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct FieldError {
    /// The name of the field.
    pub field: &'static str,
    /// A stable code, such as `too_short`.
    pub code: &'static str,
    /// A fixed sentence for people.
    pub message: &'static str,
}

/// An error answer: RFC 9457 `application/problem+json`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// What went wrong.
    pub code: Code,
    /// What is wrong with which field; for [`Code::ValidationFailed`].
    pub errors: Vec<FieldError>,
    /// When to try again; for [`Code::RateLimited`] and [`Code::Overloaded`], which say one second
    /// when this is empty.
    pub retry_after: Option<Duration>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'static str,
    code: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// Returns the problem with this code and nothing more to say.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Returns the answer to a body whose fields are not acceptable.
    #[must_use]
    pub const fn fields(errors: Vec<FieldError>) -> Self {
        Self {
            code: Code::ValidationFailed,
            errors,
            retry_after: None,
        }
    }

    /// Adds when to try again.
    #[must_use]
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Returns the HTTP answer. A 405 needs its `Allow` from the router.
    ///
    /// The problem goes along as an extension of the response, for whoever says it in other words.
    #[must_use]
    pub fn response(&self) -> Response<Vec<u8>> {
        let mut response = Response::new(self.body());
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.code.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self.clone());
        response
    }

    fn body(&self) -> Vec<u8> {
        let body = Body {
            r#type: self.code.type_uri(),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: self.code.detail(),
            code: self.code.as_str(),
            errors: &self.errors,
        };
        // Fixed texts and a number: there is nothing in it that cannot be written.
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// Whole seconds, rounded up: whoever waits as told is not told to wait again.
    fn retry_after_seconds(&self) -> Option<u64> {
        let owed = matches!(
            self.code,
            Code::RateLimited | Code::Overloaded | Code::Unavailable
        );
        let wait = self
            .retry_after
            .or(owed.then_some(Duration::from_secs(1)))?;
        Some(
            wait.as_secs()
                .saturating_add(u64::from(wait.subsec_nanos() > 0))
                .max(1),
        )
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::collections::HashSet;

    fn header<'r>(response: &'r Response<Vec<u8>>, name: &str) -> Option<&'r str> {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    }

    #[test]
    fn every_code_answers_with_its_status_and_a_body_of_fixed_members() {
        let mut names = HashSet::new();
        for &code in Code::ALL {
            let response = Problem::new(code).response();
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(
                body,
                json!({
                    "type": format!("urn:hallpass:problem:{}", code.as_str()),
                    "title": code.title(),
                    "status": code.status().as_u16(),
                    "detail": code.detail(),
                    "code": code.as_str(),
                })
            );
            assert_eq!(response.status(), code.status());
            assert!(code.status().is_client_error() || code.status().is_server_error());
            assert_eq!(
                header(&response, "content-type"),
                Some("application/problem+json")
            );
            assert_eq!(header(&response, "cache-control"), Some("no-store"));
            assert!(names.insert(code.as_str()), "{} twice", code.as_str());
        }
        assert_eq!(names.len(), 27);
    }

    #[test]
    fn every_401_has_a_challenge_and_names_an_error_only_when_a_token_was_sent() {
        for &code in Code::ALL {
            let response = Problem::new(code).response();
            let challenge = header(&response, "www-authenticate");
            if code.status() == StatusCode::UNAUTHORIZED {
                let expected = match code {
                    Code::InvalidClient => r#"Basic realm="hallpass""#,
                    _ => r#"Bearer realm="hallpass""#,
                };
                assert!(challenge.unwrap().starts_with(expected), "{code:?}");
            } else {
                assert_eq!(
                    challenge.is_some(),
                    code == Code::InsufficientScope,
                    "{code:?}"
                );
            }
            let token = matches!(
                code,
                Code::TokenMalformed | Code::TokenExpired | Code::TokenInvalid | Code::SessionEnded
            );
            let named = challenge.is_some_and(|text| text.contains(r#"error="invalid_token""#));
            assert_eq!(named, token, "{code:?}");
        }
    }

    #[test]
    fn a_busy_answer_always_says_when_to_come_back() {
        let seconds = |problem: Problem| {
            header(&problem.response(), "retry-after").map(|text| text.parse::<u64>().unwrap())
        };
        assert_eq!(seconds(Problem::new(Code::Overloaded)), Some(1));
        assert_eq!(seconds(Problem::new(Code::RateLimited)), Some(1));
        assert_eq!(seconds(Problem::new(Code::NotFound)), None);
        for (wait_millis, told) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_500, 60)] {
            let wait = Duration::from_millis(wait_millis);
            assert_eq!(
                seconds(Problem::new(Code::RateLimited).retry_after(wait)),
                Some(told)
            );
        }
    }

    #[test]
    fn a_field_error_stands_in_the_answer() {
        let error = FieldError {
            field: "password",
            code: "too_short",
            message: "Use 8 or more.",
        };
        let response = Problem::fields(vec![error]).response();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            body["errors"],
            json!([{"field": "password", "code": "too_short", "message": "Use 8 or more."}])
        );
    }
}
