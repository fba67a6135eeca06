//! A WebSocket and an event stream that end with the session, and a page that opens both.
//!
//! `cargo run -p hallpass --features live --example live`, then <http://localhost:3000>. It takes
//! an address to listen on, a folder for its data, and the URL at which browsers reach it.

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::sse::Event;
use axum::response::{Html, Response};
use axum::routing::{any, get};
use futures_util::{Stream, stream};
use hallpass::Hallpass;
use hallpass::verify::live::{Live, LiveSocket};
use std::convert::Infallible;
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let (address, folder) = (next("127.0.0.1:3000"), next("."));
    let auth = Hallpass::builder(&format!("sqlite://{folder}/live.db"))
        .public_url(&next("http://localhost:3000"))
        .open()
        .await?;
    let live = Router::new()
        .route("/socket", any(socket))
        .route("/events", get(events))
        .layer(auth.live());
    let page = Router::new().route("/", get(async || Html(include_str!("live.html"))));
    auth.serve(address, auth.protect(page).merge(live)).await?;
    Ok(())
}

async fn socket(live: Live, upgrade: WebSocketUpgrade) -> Response {
    live.websocket(upgrade, echo)
}

/// Sends back what it hears. Nothing in here knows of expiry, renewal or sign-out.
async fn echo(mut socket: LiveSocket) {
    while let Some(message) = socket.recv().await {
        if socket.send(message).await.is_err() {
            break;
        }
    }
}

async fn events(live: Live) -> Response {
    live.events(Box::pin(ticks()))
}

/// Counts the seconds.
fn ticks() -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(1_u32, async |count| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok(Event::default().data(count.to_string())), count + 1))
    })
}
