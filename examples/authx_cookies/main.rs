//! AuthX's complete cookie example: the same routes, the same port, the same success bodies.
//!
//! `cargo run -p hallpass-examples --bin authx_cookies`, then <http://localhost:8000>. Arguments:
//! an address to listen on, a folder for the data, the URL at which browsers reach it.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hallpass::verify::problem::{Code, Problem};
use hallpass::{Caller, ErrorShape, Hallpass, Proof, Refused, UserId, WebSettings};
use serde::Deserialize;
use serde_json::{Value, json};

/// A real app keeps its users in a database, and hashes of their passwords.
const USERS: [(&str, &str, &str); 2] = [
    ("user1", "password1", "user1@example.com"),
    ("user2", "password2", "user2@example.com"),
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let (address, folder) = (next("localhost:8000"), next("."));
    let auth = Hallpass::builder(&format!("sqlite://{folder}/authx_cookies.db"))
        .public_url(&next("http://localhost:8000"))
        .web(WebSettings::use_authx_names)
        .open()
        .await?;
    let page = include_str!("page.html").replace("{style}", include_str!("../page.css"));
    // Who is calling is asked here: a POST that rides on the cookie owes the CSRF token.
    let protected = Router::new()
        .route("/protected", get(protected))
        .route("/posts", post(create_post))
        .layer(auth.layer());
    // The one route that owes no proof: what it does, anybody may make a user's browser do.
    let webhook = Router::new()
        .route("/webhook", post(webhook))
        .layer(auth.layer().danger_without_csrf());
    // Where a session is opened, refreshed and left, each asks for what it needs.
    let doors = Router::new()
        .route("/login", post(login))
        .route("/refresh", post(refresh))
        .route("/logout", post(logout))
        .route("/logout-access", post(logout_access));
    let page = Router::new().route("/", get(async || Html(page)));
    let app = protected
        .merge(webhook)
        .merge(doors)
        .merge(page)
        .layer(ErrorShape::new(said))
        .with_state(auth.clone());
    auth.serve(address, app).await?;
    Ok(())
}

/// Errors have AuthX's shape and its names; their statuses are those of RFC 6750.
fn said(problem: &Problem) -> (StatusCode, Json<Value>) {
    let (message, error_type) = match problem.code {
        Code::NotAuthenticated => ("Token Error", "MissingTokenError"),
        Code::TokenExpired => ("Token has expired", "TokenExpiredError"),
        Code::TokenMalformed | Code::TokenInvalid => ("Invalid Token", "JWTDecodeError"),
        Code::SessionEnded => ("Session has been revoked", "SessionRevoked"),
        Code::RefreshReused => ("Invalid token", "RevokedTokenError"),
        Code::CsrfMissing => ("Missing CSRF token", "MissingCSRFTokenError"),
        Code::CsrfInvalid => ("CSRF double submit does not match", "CSRFError"),
        code => (code.title(), code.as_str()),
    };
    let body = json!({ "message": message, "error_type": error_type });
    (problem.code.status(), Json(body))
}

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

async fn login(
    State(auth): State<Hallpass>,
    request: Parts,
    login: Result<Json<Login>, JsonRejection>,
) -> Result<Response, Refused> {
    let Ok(Json(login)) = login else {
        let detail = Json(json!({ "detail": "expected JSON with username and password" }));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, detail).into_response());
    };
    // A page of another site shall not sign anyone in.
    let opening = auth.opening(&request)?;
    let known = |user: &&(&str, &str, &str)| user.0 == login.username && user.1 == login.password;
    let (Some((username, ..)), Ok(user)) =
        (USERS.iter().find(known), UserId::parse(&login.username))
    else {
        let detail = Json(json!({ "detail": "Invalid credentials" }));
        return Ok((StatusCode::UNAUTHORIZED, detail).into_response());
    };
    let proof = Proof::asserted_by_app(user, &["pwd"]);
    let issued = auth.open_session(proof, opening).await?;
    let body = Json(json!({ "message": "Login successful", "username": username }));
    Ok((auth.put(&issued)?, body).into_response())
}

async fn protected(caller: Caller) -> Json<Value> {
    let user = USERS.iter().find(|user| user.0 == caller.subject());
    Json(json!({
        "message": "Access granted",
        "username": caller.subject(),
        "email": user.map(|user| user.2),
    }))
}

async fn create_post(caller: Caller) -> Json<Value> {
    Json(json!({ "message": "Post created", "user": caller.subject() }))
}

async fn webhook(_: Caller) -> Json<Value> {
    Json(json!({ "message": "Webhook processed" }))
}

async fn refresh(
    State(auth): State<Hallpass>,
    request: Parts,
) -> Result<impl IntoResponse, Refused> {
    let issued = auth.refresh_by_cookie(&request).await?;
    let body = Json(json!({ "message": "Token refreshed" }));
    Ok((auth.put(&issued)?, body))
}

/// The session ends, so its tokens are good nowhere any more; the document only drops the cookies.
async fn logout(
    State(auth): State<Hallpass>,
    request: Parts,
) -> Result<impl IntoResponse, Refused> {
    // The document's front end sends no CSRF token here: where it comes from is asked.
    let cleared = auth.sign_out_by_origin(&request).await?;
    Ok((
        cleared,
        Json(json!({ "message": "Successfully logged out" })),
    ))
}

async fn logout_access(
    State(auth): State<Hallpass>,
    request: Parts,
) -> Result<impl IntoResponse, Refused> {
    // It drops a cookie and asks for none: a page of another site shall not make a browser do it.
    let from_our_page = auth.layer().gate().check_origin(&request.headers);
    from_our_page.map_err(|refusal| Refused::from(Code::from(refusal)))?;
    let body = Json(json!({ "message": "Access token cleared" }));
    Ok((auth.clear_access(), body))
}
