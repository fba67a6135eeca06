//! An app with protected routes of its own, for measuring: an address, and a folder for its data.

use axum::{Router, routing::get};
use hallpass::{Caller, Hallpass};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("expected an address to listen on")?;
    let folder = arguments.next().ok_or("expected a folder")?;
    let auth = Hallpass::builder(&format!("sqlite://{folder}/app.db"))
        .public_url(&format!("http://{address}"))
        .open()
        .await?;
    let app = Router::new()
        .route("/protected", get(greet).post(greet))
        .merge(auth.routes())
        .layer(auth.layer())
        .route("/hello", get(async || "Hello, world!"));
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
