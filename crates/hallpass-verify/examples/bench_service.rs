//! A service with a protected route that trusts the tokens of an issuer, for measuring. It is told
//! by its arguments where to listen and who issues; the secret it proves itself with comes as the
//! line it reads.

use axum::{Router, routing::get};
use hallpass_verify::Caller;
use hallpass_verify::remote::{Feed, Remote, ServiceSecret};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or(format!("expected {what}"));
    let address = next("an address to listen on")?;
    let issuer = next("an issuer")?;
    let service = next("the name of this service")?;
    let mut secret = String::new();
    std::io::stdin().read_line(&mut secret)?;
    let auth = Remote::builder(&issuer)
        .service(service, ServiceSecret::new(secret.trim().to_owned()))
        .public_url(format!("http://{address}"))
        .start()?;
    auth.ready().await;
    let app = Router::new()
        .route("/protected", get(greet).post(greet))
        .layer(auth.layer())
        .route("/hello", get(async || "Hello, world!"))
        .route("/current", get(async move || current(&auth)));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
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

/// Tells whether what was revoked is known as it happens.
fn current(auth: &Remote) -> &'static str {
    let status = auth.status().revocations;
    let heard =
        status.is_some_and(|status| status.feed == Feed::Stream && status.heard_at.is_some());
    if heard { "yes" } else { "no" }
}
