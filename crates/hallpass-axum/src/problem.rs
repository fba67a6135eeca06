//! From what went wrong to the answer. The statuses are in `hallpass_verify::problem`.

use crate::put::TokenCookies;
use axum::response::{IntoResponse, Response};
use hallpass_core::Error;
use hallpass_verify::problem::{Code, Problem};
use std::error::Error as _;

/// An answer that is a problem, for `?` in handlers. When a session is really over, it takes the
/// cookies out as well.
#[derive(Debug)]
pub struct Refused {
    problem: Problem,
    cookies: TokenCookies,
}

impl Refused {
    /// Returns the problem that the request is answered with.
    #[must_use]
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Takes cookies out as well.
    pub(crate) fn and(self, cookies: TokenCookies) -> Self {
        Self { cookies, ..self }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.problem.into_response();
        self.cookies.put_into(response.headers_mut());
        response
    }
}

impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        Problem::new(code).into()
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            cookies: TokenCookies::default(),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::InvalidCredentials => Code::InvalidCredentials,
            Error::EmailTaken => Code::EmailTaken,
            Error::SessionEnded => Code::SessionEnded,
            Error::RefreshReused => Code::RefreshReused,
            Error::NotFound => Code::NotFound,
            Error::InvalidTicket => Code::TokenInvalid,
            Error::RateLimited { retry_after } => {
                return Problem::new(Code::RateLimited)
                    .retry_after(retry_after)
                    .into();
            }
            Error::Overloaded { retry_after } => {
                return Problem::new(Code::Overloaded)
                    .retry_after(retry_after)
                    .into();
            }
            other => {
                log(&other);
                Code::Internal
            }
        };
        code.into()
    }
}

/// The client gets a fixed sentence, the log the whole chain.
pub(crate) fn log(error: &Error) {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        chain.push_str(": ");
        chain.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(error = chain, "a request failed");
}

pub(crate) async fn not_found() -> Refused {
    Code::NotFound.into()
}

pub(crate) async fn sign_up_closed() -> Refused {
    Code::SignUpClosed.into()
}

pub(crate) async fn method_not_allowed() -> Refused {
    Code::MethodNotAllowed.into()
}
