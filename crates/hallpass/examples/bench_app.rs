//! An app with protected routes of its own, for measuring: an address, and a folder for its data.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use hallpass::core::{OwnClaims, Scopes};
use hallpass::verify::problem::Problem;
use hallpass::{Caller, Delivery, ErrorShape, Fresh, Hallpass, Opening, Proof, Refused, UserId};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("expected an address to listen on")?;
    let folder = arguments.next().ok_or("expected a folder")?;
    let auth = Hallpass::builder(&format!("sqlite://{folder}/app.db"))
        .public_url(&format!("http://{address}"))
        .open()
        .await?;
    // An app with users, a sign-in and an error shape of its own. Two layers in one step: each step
    // of the router is an allocation more.
    let errors = ErrorShape::new(|problem: &Problem| (problem.code.status(), problem.code.title()));
    let own = Router::new()
        .route("/own", get(greet_fresh).post(greet_fresh))
        .layer((errors, auth.layer()))
        .route("/enter", post(enter))
        .with_state(auth.clone());
    let app = Router::new()
        .route("/protected", get(greet).post(greet))
        .merge(auth.routes())
        .layer(auth.layer())
        .route("/hello", get(async || "Hello, world!"))
        .merge(own);
    auth.serve(address, app).await?;
    Ok(())
}

async fn greet(caller: Caller) -> &'static str {
    // The caller is known and proved; the answer is as long as the bare server's.
    if caller.user().as_str().is_empty() {
        ""
    } else {
        "Hello, world!"
    }
}

/// Opens a session with a scope and a claim of the app's own, for whoever asks.
async fn enter(
    State(auth): State<Hallpass>,
    request: Parts,
    Json(asked): Json<Value>,
) -> Result<impl IntoResponse, Refused> {
    let text = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
    let fault = |_| hallpass::verify::problem::Code::MalformedBody;
    let delivery = Delivery::parse(text("delivery")).unwrap_or_default();
    let opening = Opening {
        scopes: Scopes::parse("hello:*").unwrap_or_default(),
        claims: OwnClaims::default()
            .with("plan", json!("pro"))
            .unwrap_or_default(),
        ..auth.opening_as(&request, delivery)?
    };
    let user = UserId::parse(text("email")).map_err(fault)?;
    let proof = Proof::asserted_by_app(user, &["pwd"]);
    let issued = auth.open_session(proof, opening).await?;
    let body =
        json!({ "access_token": issued.access.expose(), "csrf_token": issued.csrf.expose() });
    Ok((StatusCode::CREATED, auth.put(&issued)?, Json(body)))
}

async fn greet_fresh(Fresh(caller): Fresh<86_400>) -> Result<&'static str, Refused> {
    caller.require_scope("hello:world")?;
    Ok("Hello, world!")
}
