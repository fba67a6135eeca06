//! A service far from the issuer, whose clients come with tickets.

use crate::issuer::{ALICE, NOW, public_key};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_verify::live::{Live, Over};
use hallpass_verify::problem::{Code, Problem};
use hallpass_verify::remote::{Remote, ServiceSecret};
use hallpass_verify::{ManualClock, Revoked, Timestamp};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

const TICKET: &str = "hpt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What the issuer knows: who it is, and how often it was asked.
struct Asked {
    url: String,
    times: u32,
}

/// An issuer that knows one ticket once.
struct Issuer {
    url: String,
    asked: Arc<Mutex<Asked>>,
    task: JoinHandle<()>,
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Asked {
            url: url.clone(),
            times: 0,
        }));
        let metadata = json!({
            "issuer": url, "jwks_uri": format!("{url}/keys"),
            "hallpass_ticket_endpoint": format!("{url}/auth/ticket"),
        });
        let x = URL_SAFE_NO_PAD.encode(public_key(42));
        let keys = json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "kid": "k1", "use": "sig", "alg": "EdDSA", "x": x,
        }] });
        let app = Router::new()
            .route(
                "/.well-known/oauth-authorization-server",
                get(async || Json(metadata)),
            )
            .route("/keys", get(async || Json(keys)))
            .route("/auth/ticket/redeem", post(redeem))
            .with_state(Arc::clone(&asked));
        let task = tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self { url, asked, task }
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn redeem(State(asked): State<Arc<Mutex<Asked>>>, form: String) -> Response {
    let mut asked = asked.lock().unwrap();
    asked.times += 1;
    if asked.times > 1 || form != format!("ticket={TICKET}") {
        return Problem::new(Code::TokenInvalid).into_response();
    }
    let token = ALICE.token_with(json!({ "iss": asked.url }));
    Json(json!({ "access_token": token, "token_type": "Bearer", "expires_in": 60 })).into_response()
}

#[tokio::test]
async fn a_ticket_is_redeemed_at_the_issuer_once_and_an_issuer_that_is_gone_is_no_refusal() {
    let issuer = Issuer::start().await;
    let remote = Remote::builder(&issuer.url)
        .service("chat", ServiceSecret::new("hps_secret".into()))
        .audience("api")
        .clock(Arc::new(ManualClock::at(Timestamp::from_seconds(NOW))))
        .start()
        .unwrap();
    remote.ready().await;
    let guards = Arc::<Mutex<Vec<_>>>::default();
    let kept = Arc::clone(&guards);
    let whoami = async move |live: Live| {
        let name = live.caller().subject().to_owned();
        kept.lock().unwrap().push(live.into_guard());
        name
    };
    let app = Router::new().route("/", any(whoami)).layer(remote.live());
    let ask = async |target: &str| {
        let request = http::Request::builder().uri(target);
        let request = request.body(axum::body::Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 10_000)
            .await
            .unwrap();
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = String::from_utf8(body.to_vec()).unwrap();
        (status, problem["code"].as_str().map_or(text, str::to_owned))
    };
    let with_ticket = format!("/?ticket={TICKET}");
    assert_eq!(ask(&with_ticket).await, (200, "alice".to_owned()));
    assert_eq!(ask(&with_ticket).await, (401, "token_invalid".to_owned()));
    assert_eq!(issuer.asked.lock().unwrap().times, 2);
    drop(issuer);
    assert_eq!(ask(&with_ticket).await, (503, "unavailable".to_owned()));
    // Whoever is in is in, until the verifier learns otherwise.
    let mut guard = guards.lock().unwrap().pop().unwrap();
    assert_eq!(guard.is_over(), None);
    let now = Timestamp::from_seconds(NOW);
    let ended = Revoked::Session(ALICE.session());
    remote.verifier().learn(&ended, now, now);
    assert_eq!(guard.over().await, Over::Ended);
}
