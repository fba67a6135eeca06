//! Cookies for a browser, with the CSRF token that each change needs: what `BluefoxAuth`'s manual
//! shows in "Cookie auth".
//!
//! `cargo run -p hallpass-examples --bin bluefox_cookies`, then <http://localhost:3000>.
//! Arguments: an address to listen on, a folder for the data, the URL at which everybody reaches
//! the server, the domain whose hosts share the cookies, and the origins of other front ends:
//! `127.0.0.1:3000 . https://api.example.com example.com https://app.example.com`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use hallpass::{Caller, Hallpass, Profile, UserId};
use serde::Deserialize;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Deserialize)]
struct Note {
    text: String,
}

/// Who wrote what.
type Notes = Arc<Mutex<Vec<(UserId, String)>>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let (address, folder) = (next("127.0.0.1:3000"), next("."));
    // Over http on loopback the cookies go without Secure: there is no `cookie_secure=False`.
    let (url, domain) = (next("http://localhost:3000"), next(""));
    let auth = Hallpass::builder(&format!("sqlite://{folder}/bluefox.db"))
        .public_url(&url)
        .profile(Profile::Bluefox)
        .web(|web| {
            // `cookie_domain=".example.com"`, without the dot: every host of the domain gets the
            // cookies, and its pages can read the CSRF token.
            web.cookie_domain = Some(domain).filter(|domain| !domain.is_empty());
            web.trusted_origins.extend(arguments);
        })
        .open()
        .await?;

    let notes = Router::new()
        .route("/notes", get(list).post(write))
        .with_state(Notes::default())
        .layer(auth.layer())
        .layer(auth.error_shape());
    let page = include_str!("page.html")
        .replace("{style}", include_str!("../page.css"))
        .replace("{api}", &url);
    let page = Router::new().route("/", get(async || Html(page)));
    let app = page.merge(auth.with_cors(notes)).merge(auth.routes());
    auth.serve(address, app).await?;
    Ok(())
}

/// `Depends(current_active_user)`
async fn list(caller: Caller, State(notes): State<Notes>) -> Json<Vec<String>> {
    let notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
    let own = notes.iter().filter(|(user, _)| user == caller.user());
    Json(own.map(|(_, text)| text.clone()).collect())
}

/// The cookie alone does not do for this one: the CSRF token has to come with it.
async fn write(caller: Caller, State(notes): State<Notes>, Json(note): Json<Note>) -> StatusCode {
    let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
    notes.push((caller.user().clone(), note.text));
    StatusCode::CREATED
}
