//! AuthX's dual-location example: the access token in memory and in the header, the refresh token
//! in a cookie. The same routes, the same port, the same success bodies.
//!
//! `cargo run -p hallpass-examples --bin authx_dual_location`, then <http://localhost:8000/page>. Arguments:
//! an address to listen on, a folder for the data, the URL at which browsers reach it.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hallpass::verify::problem::{Code, Problem};
use hallpass::verify::{Found, Locations};
use hallpass::{
    Caller, Delivery, ErrorShape, Hallpass, Issued, Proof, Refused, UserId, WebSettings,
};
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
    let auth = Hallpass::builder(&format!("sqlite://{folder}/authx_dual_location.db"))
        .public_url(&next("http://localhost:8000"))
        .web(WebSettings::use_authx_names)
        .web(|web| web.delivery = Delivery::Split)
        .open()
        .await?;
    let page = include_str!("page.html").replace("{style}", include_str!("../page.css"));
    // The header is the only place that counts here, so no request ever owes a CSRF token.
    let protected = Router::new()
        .route("/protected", get(protected))
        .route("/protected-action", post(protected_action))
        .layer(auth.layer().locations(Locations::HEADER_ONLY))
        .layer(from_fn_with_state(auth.clone(), no_endless_retry));
    let doors = Router::new()
        .route("/login", post(login))
        .route("/refresh", post(refresh))
        .route("/logout", post(logout));
    let pages = Router::new()
        .route("/", get(read_root))
        .route("/page", get(async || Html(page)));
    let app = protected
        .merge(doors)
        .merge(pages)
        .layer(ErrorShape::new(said))
        .with_state(auth.clone());
    auth.serve(address, app).await?;
    Ok(())
}

/// Errors have the document's shape.
fn said(problem: &Problem) -> (StatusCode, Json<Value>) {
    let detail = Json(json!({ "detail": problem.code.title() }));
    (problem.code.status(), detail)
}

/// The document's page refreshes after a 401 and asks again, without end: when the refresh was refused
/// it sends `Bearer undefined`. What is no token, where there is no cookie to refresh by either, is
/// a 400 therefore (RFC 6750 §3.1, `invalid_request`).
async fn no_endless_retry(State(auth): State<Hallpass>, request: Request, next: Next) -> Response {
    let cookie = auth.web().cookies().refresh().read(request.headers());
    let nothing_to_refresh_by = matches!(cookie, Found::Absent);
    let mut response = next.run(request).await;
    let problem = response.extensions().get::<Problem>();
    let no_token = problem.is_some_and(|problem| problem.code == Code::TokenMalformed);
    if nothing_to_refresh_by && no_token {
        response
            .extensions_mut()
            .insert(Problem::new(Code::BadRequest));
    }
    response
}

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

/// The refresh token goes into its cookie, the access token into the body.
fn handed_out(auth: &Hallpass, issued: &Issued) -> Result<Response, Refused> {
    let body = json!({ "access_token": issued.access.expose(), "token_type": "bearer" });
    Ok((auth.put(issued)?, Json(body)).into_response())
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
    let (Some(_), Ok(user)) = (USERS.iter().find(known), UserId::parse(&login.username)) else {
        let detail = Json(json!({ "detail": "Invalid username or password" }));
        return Ok((StatusCode::UNAUTHORIZED, detail).into_response());
    };
    let proof = Proof::asserted_by_app(user, &["pwd"]);
    handed_out(&auth, &auth.open_session(proof, opening).await?)
}

async fn refresh(State(auth): State<Hallpass>, request: Parts) -> Result<Response, Refused> {
    handed_out(&auth, &auth.refresh_by_cookie(&request).await?)
}

async fn protected(caller: Caller) -> Json<Value> {
    let user = USERS.iter().find(|user| user.0 == caller.subject());
    Json(json!({
        "message": "Access granted",
        "username": caller.subject(),
        "email": user.map(|user| user.2),
        "token_location": "headers",
    }))
}

async fn protected_action(caller: Caller) -> Json<Value> {
    Json(json!({ "message": "Action performed successfully", "username": caller.subject() }))
}

/// The session ends: the access token in the page's memory is good nowhere any more.
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

async fn read_root() -> Json<Value> {
    Json(json!({
        "message": "AuthX Dual Token Location Example",
        "description": "Access tokens in headers, refresh tokens in cookies",
        "flow": {
            "1_login": "POST /login - Returns access_token in body, sets refresh_token cookie",
            "2_api_call": "GET /protected - Send access_token in Authorization header",
            "3_refresh": "POST /refresh - Refresh token sent via cookie, returns new access_token",
            "4_logout": "POST /logout - Clears refresh_token cookie",
        },
        "example_requests": {
            "login": "curl -X POST -H \"Content-Type: application/json\" -d '{\"username\":\"user1\",\"password\":\"password1\"}' http://localhost:8000/login",
            "protected": "curl -H \"Authorization: Bearer <access_token>\" http://localhost:8000/protected",
            "refresh": "curl -X POST -b \"refresh_token_cookie=<token>\" -H \"X-CSRF-TOKEN: <csrf_token>\" http://localhost:8000/refresh",
            "logout": "curl -X POST http://localhost:8000/logout",
        },
    }))
}
