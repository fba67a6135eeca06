//! `orders`: a service that trusts the tokens of an auth server elsewhere, and the page that calls
//! it. `examples/services/README.md` says how to start it and what is around it.
#![expect(clippy::disallowed_methods, reason = "settings, read at the start")]

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, Response, sse::Event};
use axum::routing::{get, post};
use axum::{Json, Router, extract::State};
use futures_util::stream;
use hallpass_verify::live::Live;
use hallpass_verify::remote::{Remote, ServiceSecret};
use hallpass_verify::{Caller, UserId, WhenStale};
use serde_json::{Value, json};
use std::{convert::Infallible, env, error::Error, fs, time::Duration};
use tokio::sync::watch;
use tower_http::cors::CorsLayer;

/// All orders, and whoever wants to be told of the next one.
type Orders = watch::Sender<Vec<(UserId, Value)>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let others = setting("TRUSTED_ORIGINS", "");
    let others: Vec<&str> = others.split(',').filter(|own| !own.is_empty()).collect();
    let auth = verifier(&others)?;
    // What other pages may read; what they may do is decided by `auth`.
    let origins: Result<Vec<HeaderValue>, _> = others.iter().map(|own| own.parse()).collect();
    let cors = CorsLayer::new()
        .allow_origin(origins?)
        .allow_credentials(true)
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, "x-csrf-token".parse()?]);
    let page = include_str!("../../../examples/services/page.html")
        .replace("{auth}", &auth.verifier().settings().issuer)
        .replace("{invoices}", &setting("INVOICES", "http://localhost:4001"));
    let app = Router::new()
        .route("/orders", get(list).post(order).layer(auth.layer()))
        // Money: when ended sessions are not known up to date, the issuer is asked.
        .route("/pay", post(pay).layer(auth.layer().when_stale(WhenStale::Ask)))
        .route("/feed", get(feed).layer(auth.live()))
        .route("/", get(async || Html(page)))
        .layer(cors)
        .with_state(Orders::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind(setting("LISTEN", "127.0.0.1:4000")).await?;
    Ok(axum::serve(listener, app).await?)
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn verifier(others: &[&str]) -> Result<Remote, Box<dyn Error>> {
    let mut auth = Remote::builder(&setting("ISSUER", "http://localhost:8080"))
        .public_url(setting("PUBLIC_URL", "http://localhost:4000"))
        .service("orders", ServiceSecret::new(env::var("ORDERS_SECRET")?))
        .stream_bound(Duration::from_secs(10));
    for origin in others {
        auth = auth.trusted_origin(*origin);
    }
    // Where the issuer is not at its public address, or trusted by a root of your own.
    if let Ok(address) = env::var("ISSUER_ADDRESS") {
        auth = auth.issuer_address(address.parse()?);
    }
    if let Ok(file) = env::var("ISSUER_ROOT") {
        auth = auth.trusted_root_pem(&fs::read(file)?);
    }
    Ok(auth.start()?)
}

async fn list(caller: Caller, State(orders): State<Orders>) -> Json<Value> {
    Json(json!({ "orders": of(&caller, &orders.borrow()) }))
}

async fn order(by: Caller, State(orders): State<Orders>, Json(new): Json<Value>) -> StatusCode {
    orders.send_modify(|all| all.push((by.user().clone(), new)));
    StatusCode::CREATED
}

async fn pay(caller: Caller, State(orders): State<Orders>) -> Json<Value> {
    Json(json!({ "paid": of(&caller, &orders.borrow()).len() }))
}

/// Tells how many orders there are, each time there is another. It ends with the session.
async fn feed(live: Live, State(orders): State<Orders>) -> Response {
    let mut told = orders.subscribe();
    told.mark_changed();
    let counts = stream::unfold((told, live.caller().clone()), async |(mut told, caller)| {
        told.changed().await.ok()?;
        let count = of(&caller, &told.borrow_and_update()).len();
        let event = Event::default().data(count.to_string());
        Some((Ok::<_, Infallible>(event), (told, caller)))
    });
    live.events(Box::pin(counts))
}

fn of<'a>(caller: &Caller, all: &'a [(UserId, Value)]) -> Vec<&'a Value> {
    let own = all.iter().filter(|(user, _)| user == caller.user());
    own.map(|(_, order)| order).collect()
}
