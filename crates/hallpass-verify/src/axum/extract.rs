//! The extractors.

use super::layer::Undecided;
use crate::problem::{Code, Problem};
use crate::{Admission, Caller};
use axum_core::body::Body;
use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use std::time::Duration;

/// The caller, or nobody.
///
/// # Security
/// Broken is not absent: a request whose credential does not do is refused, it never counts as
/// nobody's.
#[derive(Clone, Debug)]
pub struct MaybeCaller(pub Option<Caller>);

/// A caller who proved who they are at most `WITHIN_SECONDS` before the request: signed in, or
/// proved it again. A refresh is no such proof.
///
/// Whoever did so longer ago gets 401 `fresh_required` (RFC 9470 §3), as does a token that does not
/// say when; somebody without a credential 401 `not_authenticated`.
///
/// # Examples
/// ```
/// use hallpass_verify::axum::Fresh;
///
/// async fn change_address(Fresh(caller): Fresh<300>) -> String {
///     format!("{} proved it within five minutes", caller.subject())
/// }
/// # let _: axum::routing::MethodRouter = axum::routing::post(change_address);
/// ```
#[derive(Clone, Debug)]
pub struct Fresh<const WITHIN_SECONDS: u64>(pub Caller);

/// The answer to a request whose credential does not do: a [`Problem`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejection(Problem);

impl Rejection {
    /// Returns the problem that the request is answered with.
    #[must_use]
    pub const fn problem(&self) -> &Problem {
        &self.0
    }
}

impl From<Code> for Rejection {
    fn from(code: Code) -> Self {
        Self(Problem::new(code))
    }
}

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.response().map(Body::from)
    }
}

/// Returns the caller. Somebody without a credential gets 401 `not_authenticated`.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        admitted(parts)
            .await?
            .ok_or_else(|| Code::NotAuthenticated.into())
    }
}

impl<S: Sync> FromRequestParts<S> for MaybeCaller {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        admitted(parts).await.map(Self)
    }
}

impl<S: Sync, const WITHIN_SECONDS: u64> FromRequestParts<S> for Fresh<WITHIN_SECONDS> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.require_fresh(Duration::from_secs(WITHIN_SECONDS))?;
        Ok(Self(caller))
    }
}

async fn admitted(parts: &Parts) -> Result<Option<Caller>, Rejection> {
    if let Some(admission) = parts.extensions.get::<Admission>() {
        return decided(admission.clone());
    }
    if let Some(undecided) = parts.extensions.get::<Undecided>() {
        return decided(undecided.decide(parts).await);
    }
    tracing::error!("this route asks for the caller, but no GateLayer is around it");
    Err(Code::Internal.into())
}

fn decided(admission: Admission) -> Result<Option<Caller>, Rejection> {
    match admission {
        Admission::Caller(caller) => Ok(Some(caller)),
        Admission::Anonymous => Ok(None),
        Admission::Refused(refusal) => Err(Code::from(refusal).into()),
    }
}
