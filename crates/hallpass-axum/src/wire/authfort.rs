//! The wire of `AuthFort` 0.0.31.

use super::{
    Asked, Done, Handed, InBody, Remember, Said, Shown, SignUpAnswer, Wire, fastapi, native,
};
use crate::respond::rfc3339;
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use hallpass_core::{Introspected, TOKEN_VERSION};
use hallpass_verify::CsrfRule;
use hallpass_verify::problem::{Code, FieldError, Problem};
use serde::Serialize;
use serde_json::{Value, json};

pub(super) static WIRE: Wire = Wire {
    sign_up_path: "/signup",
    sign_up: SignUpAnswer::Session,
    sign_out: Done::NoContent,
    in_body: InBody::PutUpWith,
    remember: Remember::BeyondTheWindow,
    // Its clients know no CSRF token.
    csrf: CsrfRule::OriginAlone,
    session,
    user,
    sessions: native::SESSIONS,
    tokens: None,
    introspection,
    problem: Some(problem),
};

/// Clients expect both tokens to be texts: one that is not handed out is empty.
fn session(handed: &Handed<'_>) -> Response {
    let answer = json!({
        "user": user_of(&handed.user),
        "tokens": {
            "access_token": handed.access.unwrap_or_default(),
            "refresh_token": handed.refresh.unwrap_or_default(),
            "expires_in": handed.access_expires_in_seconds,
        },
    });
    Json(answer).into_response()
}

fn user(shown: &Shown<'_>) -> Response {
    Json(user_of(shown)).into_response()
}

/// Nobody here has a picture or a telephone, is banned, or has a second factor.
fn user_of(shown: &Shown<'_>) -> Value {
    let user = shown.user;
    json!({
        "id": shown.id.as_str(),
        "email": user.map(|user| user.email.as_str().to_lowercase()),
        "name": user.and_then(|user| user.name.as_deref()),
        "email_verified": false,
        "avatar_url": null,
        "phone": null,
        "banned": false,
        "is_deleted": false,
        "deleted_at": null,
        "roles": user.map_or(&[][..], |user| &user.roles),
        "created_at": user.map(|user| rfc3339(user.created_at)),
        "session_id": shown.session.map(|session| session.to_string()),
        "mfa_enabled": false,
    })
}

fn problem(asked: Asked, problem: &Problem) -> Said {
    if let Some(said) = fastapi::answer(problem) {
        return said;
    }
    if let Some(error) = problem.errors.first() {
        let (error, message) = policy(error);
        // What a field says is wrong, not its form: 400.
        return said(Code::MalformedBody, error, message);
    }
    let (error, message) = match (problem.code, asked) {
        (Code::NotAuthenticated, Asked::ToRefresh) => {
            ("refresh_token_missing", "No refresh token provided")
        }
        (Code::NotAuthenticated, _) => ("token_missing", "No access token provided"),
        (Code::TokenInvalid, Asked::ToRefresh) => {
            ("refresh_token_invalid", "Invalid refresh token")
        }
        (Code::TokenMalformed, _) => ("token_invalid", "Malformed token"),
        (Code::TokenInvalid, _) => ("token_invalid", "Invalid token"),
        (Code::TokenExpired, _) => ("token_expired", "Token has expired"),
        (Code::SessionEnded, Asked::ToRefresh) => {
            ("refresh_token_revoked", "The session has ended")
        }
        (Code::SessionEnded, _) => ("token_version_mismatch", "Token has been invalidated"),
        (Code::RefreshReused, _) => (
            "refresh_token_revoked",
            "Refresh token reuse detected — session revoked",
        ),
        (Code::InvalidCredentials, _) => ("invalid_credentials", "Invalid email or password"),
        (Code::SignUpClosed, _) => ("signup_disabled", "Sign-up is disabled"),
        (Code::EmailTaken, _) => ("user_exists", "Email already registered"),
        (Code::RateLimited, _) => (
            "rate_limit_exceeded",
            "Too many requests. Please try again later.",
        ),
        (Code::InsufficientScope, _) => ("insufficient_role", problem.code.detail()),
        (Code::InvalidClient, _) => ("unauthorized", problem.code.detail()),
        (code, _) => (code.as_str(), code.detail()),
    };
    said(problem.code, error, message)
}

fn policy(error: &FieldError) -> (&'static str, &'static str) {
    match (error.field, error.code) {
        ("email", _) => ("invalid_email", "Invalid email address"),
        ("password", "too_short") => (
            "password_too_short",
            "Password must be at least 8 characters",
        ),
        ("password", "too_common") => ("password_pwned", error.message),
        ("password", _) => ("password_too_long", error.message),
        ("name", _) => ("invalid_name", error.message),
        _ => (error.code, error.message),
    }
}

fn said(like: Code, error: &str, message: &str) -> Said {
    Said {
        like,
        body: json!({ "detail": { "error": error, "message": message } }),
    }
}

/// What is said about a token: all members are always there.
#[derive(Serialize, Default)]
struct Introspection<'a> {
    active: bool,
    sub: Option<&'a str>,
    email: Option<&'a str>,
    name: Option<&'a str>,
    roles: Option<&'a [String]>,
    token_version: Option<u64>,
    exp: Option<u64>,
    iat: Option<u64>,
    iss: Option<&'a str>,
}

impl<'a> From<&'a Introspected> for Introspection<'a> {
    fn from(found: &'a Introspected) -> Self {
        let (claims, user) = (found.caller.claims(), found.user.as_ref());
        Self {
            active: true,
            sub: Some(claims.subject.as_str()),
            email: user.map(|user| user.email.as_str()),
            name: user.and_then(|user| user.name.as_deref()),
            roles: Some(&found.roles),
            token_version: Some(TOKEN_VERSION),
            exp: Some(claims.expires_at.as_seconds()),
            iat: Some(claims.issued_at.as_seconds()),
            iss: Some(&claims.issuer),
        }
    }
}

fn introspection(found: Option<&Introspected>) -> Response {
    let answer = found.map_or_else(Introspection::default, Introspection::from);
    Json(answer).into_response()
}
