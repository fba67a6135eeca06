//! The wire of `BluefoxAuth` 0.1, as it is documented.

use super::{
    Asked, Done, Handed, InBody, Remember, Said, Shown, SignUpAnswer, Wire, fastapi, native,
};
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use hallpass_verify::CsrfRule;
use hallpass_verify::problem::{Code, Problem};
use serde_json::json;

/// Whoever has this role is what it calls a superuser.
const SUPERUSER: &str = "superuser";

pub(super) static WIRE: Wire = Wire {
    sign_up_path: "/register",
    sign_up: SignUpAnswer::User,
    sign_out: Done::Message("Logged out"),
    in_body: InBody::PutUpWith,
    remember: Remember::BeyondTheWindow,
    csrf: CsrfRule::OriginAndToken,
    session,
    user,
    sessions: native::SESSIONS,
    tokens: None,
    introspection: native::introspection,
    problem: Some(problem),
};

/// Clients expect both tokens to be texts: one that is not handed out is empty.
fn session(handed: &Handed<'_>) -> Response {
    let answer = json!({
        "access_token": handed.access.unwrap_or_default(),
        "refresh_token": handed.refresh.unwrap_or_default(),
        "token_type": "bearer",
    });
    Json(answer).into_response()
}

fn user(shown: &Shown<'_>) -> Response {
    let user = shown.user;
    let answer = json!({
        "id": shown.id.as_str(),
        "email": user.map(|user| user.email.as_str()),
        "is_active": true,
        "is_superuser": user.is_some_and(|user| user.roles.iter().any(|role| role == SUPERUSER)),
        "email_verified": false,
    });
    Json(answer).into_response()
}

fn problem(asked: Asked, problem: &Problem) -> Said {
    if let Some(said) = fastapi::answer(problem) {
        return said;
    }
    if !problem.errors.is_empty() {
        let faults = problem.errors.iter();
        let faults = faults.map(|error| fastapi::fault("value_error", error, error.message));
        return fastapi::unprocessable(&faults.collect::<Vec<_>>());
    }
    let sentence = match (problem.code, asked) {
        (Code::NotAuthenticated, Asked::ToRefresh) => "Missing refresh token",
        (Code::TokenMalformed | Code::TokenExpired | Code::TokenInvalid, Asked::ToRefresh) => {
            "Invalid refresh token"
        }
        (Code::SessionEnded, Asked::ToRefresh) | (Code::RefreshReused, _) => {
            "Refresh token has been revoked"
        }
        (
            Code::NotAuthenticated
            | Code::TokenMalformed
            | Code::TokenExpired
            | Code::TokenInvalid
            | Code::SessionEnded,
            _,
        ) => "Not authenticated",
        (Code::CsrfMissing, _) => "Missing CSRF token",
        (Code::CsrfInvalid, _) => "CSRF token mismatch",
        (Code::InvalidCredentials, _) => "Invalid email or password",
        (Code::EmailTaken, _) => "Email already registered",
        (code, _) => code.detail(),
    };
    fastapi::plain(problem.code, sentence)
}
