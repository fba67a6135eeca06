//! The wire of `FastAuth` 0.5.8.

use super::{
    Asked, Done, Handed, InBody, OwnSessions, OwnTokens, Remember, Said, Shown, SignUpAnswer, Wire,
    Worth, fastapi, native,
};
use crate::handlers::{NO_REFRESH_TOKEN, NO_TOKEN};
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use hallpass_core::Introspected;
use hallpass_core::session::Session;
use hallpass_core::user::User;
use hallpass_verify::problem::{Code, FieldError, Problem};
use hallpass_verify::{CsrfRule, SessionId};
use serde::Serialize;
use serde_json::json;

pub(super) static WIRE: Wire = Wire {
    sign_up_path: "/register",
    sign_up: SignUpAnswer::Session,
    sign_out: Done::Message("Logged out"),
    in_body: InBody::PutUpWith,
    remember: Remember::Longer,
    csrf: CsrfRule::OriginAndToken,
    session,
    user,
    sessions: OwnSessions {
        listed: sessions,
        ended: Done::Message("Session revoked"),
        all_ended: Some(Done::Message("All sessions revoked")),
    },
    tokens: Some(OwnTokens {
        introspection,
        revoked: Done::Message("Token revoked"),
    }),
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

fn sessions(live: &[Session], _: SessionId) -> Response {
    let listed = live.iter().map(|session| {
        json!({
            "id": session.id.to_string(),
            "user_id": session.user.as_str(),
            "ip_address": session.device.ip,
            "user_agent": session.device.user_agent,
        })
    });
    Json(listed.collect::<Vec<_>>()).into_response()
}

/// What is said about a token: all members are always there.
#[derive(Serialize, Default)]
struct Introspection<'a> {
    active: bool,
    sub: Option<&'a str>,
    exp: Option<u64>,
    jti: Option<String>,
    token_type: Option<&'static str>,
    email: Option<String>,
}

fn introspection(found: Option<&Worth>) -> Response {
    let email = |user: Option<&User>| user.map(|user| user.email.as_str().to_lowercase());
    let answer = match found {
        None => Introspection::default(),
        Some(Worth::Access(Introspected { caller, user, .. })) => Introspection {
            active: true,
            sub: Some(caller.subject()),
            exp: Some(caller.claims().expires_at.as_seconds()),
            jti: Some(caller.token_id().to_owned()),
            token_type: Some("access"),
            email: email(user.as_ref()),
        },
        Some(Worth::Refresh(session, user)) => Introspection {
            active: true,
            sub: Some(session.user.as_str()),
            exp: Some(session.refresh_expires_at().as_seconds()),
            jti: Some(format!("{}.{}", session.id, session.generation)),
            token_type: Some("refresh"),
            email: email(user.as_ref()),
        },
    };
    Json(answer).into_response()
}

fn problem(asked: Asked, problem: &Problem) -> Said {
    match (problem.code, asked, problem.errors.as_slice()) {
        (Code::NotFound, Asked::ToEndSession, _) => {
            return fastapi::plain(problem.code, "Session not found");
        }
        (_, Asked::ToRevoke, [error]) if matches!(error.code, NO_TOKEN | NO_REFRESH_TOKEN) => {
            // What the token is, not the form of the body: 400.
            return fastapi::plain(Code::MalformedBody, error.message);
        }
        _ => {}
    }
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
        (Code::InsufficientScope, Asked::ToRevoke) => "Cannot revoke another user's token",
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
