//! A whole app with a protected route.

use axum::{Router, routing::get};
use hallpass::{Caller, Hallpass};

#[tokio::main]
async fn main() -> Result<(), hallpass::Error> {
    let auth = Hallpass::open("sqlite://app.db").await?;
    let app = Router::new().route("/hello", get(hello));
    auth.serve("127.0.0.1:3000", auth.protect(app)).await
}

async fn hello(caller: Caller) -> String {
    format!("Hello, {}!", caller.user())
}
