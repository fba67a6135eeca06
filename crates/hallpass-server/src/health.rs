//! Is the program there, and can it work? No secret, no user data.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use hallpass_axum::Refused;
use hallpass_core::Hallpass;
use hallpass_verify::problem::Code;
use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue};

/// Returns `GET /healthz`, 200 while the process runs, and `GET /readyz`, 503 while the store does
/// not answer.
pub(crate) fn routes(hallpass: Hallpass) -> Router {
    Router::new()
        .route("/healthz", get(async || answer("ok")))
        .route("/readyz", get(ready))
        .with_state(hallpass)
}

async fn ready(State(hallpass): State<Hallpass>) -> Result<Answer, Refused> {
    match hallpass.store().keys().await {
        Ok(_) => Ok(answer("ready")),
        Err(fault) => {
            tracing::error!(error = %fault, "the store does not answer");
            Err(Code::Overloaded.into())
        }
    }
}

type Answer = ([(HeaderName, HeaderValue); 1], &'static str);

fn answer(text: &'static str) -> Answer {
    (
        [(CACHE_CONTROL, HeaderValue::from_static("no-store"))],
        text,
    )
}
