//! A bare axum server: what everything else is measured against.

use axum::{Router, routing::get};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args()
        .nth(1)
        .ok_or("expected an address to listen on")?;
    let app = Router::new().route("/hello", get(async || "Hello, world!"));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
    Ok(())
}
