//! Cookies alone, with the `SameSite` of your choice, for front ends on this origin and on others:
//! what `FastAuth`'s manual shows in "Cookie Delivery".
//!
//! `cargo run -p hallpass-examples --bin fastauth_cookies`, then <http://localhost:3000>.
//! Arguments: an address to listen on, a folder for the data, the URL at which everybody reaches
//! the server, `lax`, `strict`, `none` or `partitioned`, and the origins of other front ends:
//! `127.0.0.1:3000 . https://api.example.net none https://app.example.com`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use hallpass::verify::cookies::{Partitioning, SameSite};
use hallpass::{Caller, Delivery, Hallpass, Profile, SameSites, UserId};
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
    // Over http on loopback the cookies go without Secure: there is no `debug=True` to forget.
    let (url, cookie) = (next("http://localhost:3000"), next("lax"));
    let (same_site, partitioned) = match cookie.as_str() {
        "strict" => (SameSite::Strict, Partitioning::Shared),
        "none" => (SameSite::None, Partitioning::Shared),
        "partitioned" => (SameSite::None, Partitioning::Partitioned),
        _ => (SameSite::Lax, Partitioning::Shared),
    };
    let auth = Hallpass::builder(&format!("sqlite://{folder}/fastauth.db"))
        .public_url(&url)
        .profile(Profile::FastAuth)
        .web(|web| {
            // `token_delivery="cookie"`
            web.delivery = Delivery::Cookie;
            web.deliveries = vec![Delivery::Cookie];
            // `cookie_samesite`. Only our own pages need the refresh cookie: where others do not
            // either, it stays Strict.
            let refresh = match same_site {
                SameSite::None => SameSite::None,
                SameSite::Lax | SameSite::Strict => SameSite::Strict,
            };
            web.same_site = SameSites {
                access: same_site,
                refresh,
                csrf: same_site,
            };
            web.partitioned = partitioned;
            // `cors_origins`: each by name, with credentials.
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

/// `require_auth`
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
