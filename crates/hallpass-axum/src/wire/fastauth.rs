//! The wire of `FastAuth` 0.5.8.

use super::{
    Asked, Handed, InBody, Remember, Said, Shown, SignOutAnswer, SignUpAnswer, Wire, fastapi,
    native,
};
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use hallpass_verify::CsrfRule;
use hallpass_verify::problem::{Code, FieldError, Problem};
use serde::Serialize;
use serde_json::json;

pub(super) static WIRE: Wire = Wire {
    sign_up_path: "/register",
    sign_up: SignUpAnswer::Session,
    sign_out: SignOutAnswer::Message("Logged out"),
    in_body: InBody::PutUpWith,
    remember: Remember::Always,
    csrf: CsrfRule::OriginAndToken,
    session,
    user,
    introspection: native::introspection,
    problem: Some(problem),
};

/// Tokens in a body.
#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    token_type: &'static str,
    expires_in: u64,
}

/// Cookies alone are answered with a sentence; what the body holds is told as always.
fn session(handed: &Handed<'_>) -> Response {
    let Some(access_token) = handed.access else {
        return Json(json!({ "message": "Authentication successful" })).into_response();
    };
    let answer = TokenAnswer {
        access_token,
        refresh_token: handed.refresh,
        token_type: "bearer",
        expires_in: handed.access_expires_in_seconds,
    };
    Json(answer).into_response()
}

/// Nobody here has a picture or is switched off.
fn user(shown: &Shown<'_>) -> Response {
    let user = shown.user;
    let answer = json!({
        "id": shown.id.as_str(),
        "email": user.map(|user| user.email.as_str().to_lowercase()),
        "name": user.and_then(|user| user.name.as_deref()),
        "image": null,
        "email_verified": false,
        "is_active": true,
    });
    Json(answer).into_response()
}

fn problem(asked: Asked, problem: &Problem) -> Said {
    if let Some(said) = fastapi::answer(problem) {
        return said;
    }
    if let Some(error) = problem.errors.first() {
        return of_field(error);
    }
    let sentence = match (problem.code, asked) {
        (Code::NotAuthenticated, Asked::ToRefresh) => "Refresh token required",
        (Code::TokenMalformed | Code::TokenExpired | Code::TokenInvalid, Asked::ToRefresh) => {
            "Invalid refresh token"
        }
        (Code::SessionEnded, Asked::ToRefresh) | (Code::RefreshReused, _) => {
            "Refresh token has already been used"
        }
        (
            Code::NotAuthenticated
            | Code::TokenMalformed
            | Code::TokenExpired
            | Code::TokenInvalid
            | Code::SessionEnded,
            _,
        ) => "Not authenticated",
        (Code::CsrfMissing | Code::CsrfInvalid, _) => "CSRF token missing or invalid",
        (Code::InvalidCredentials, _) => "Invalid email or password",
        (Code::EmailTaken, _) => "A user with this email already exists",
        (Code::InsufficientScope, _) => "Insufficient role",
        (code, _) => code.detail(),
    };
    fastapi::plain(problem.code, sentence)
}

fn of_field(error: &FieldError) -> Said {
    match (error.field, error.code) {
        ("email", _) => fastapi::unprocessable(&[fastapi::fault(
            "value_error",
            error,
            "value is not a valid email address",
        )]),
        // Its own policy, not the form: 400.
        ("password", "too_short") => fastapi::plain(
            Code::MalformedBody,
            "Password must be at least 8 characters long",
        ),
        _ => fastapi::plain(Code::MalformedBody, error.message),
    }
}
