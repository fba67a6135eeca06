//! An app that issues, and verifiers elsewhere that hear of everything, over real sockets.
#![cfg(test)]

mod common;

use common::{PASSWORD, refresh, send, sign_up};
use hallpass::core::service::{Service, ServiceSecret as Secret};
use hallpass::core::session::Device;
use hallpass::core::{AccessGrant, LoneToken, Settings, SystemRandom};
use hallpass::verify::remote::{Feed, Remote, ServiceSecret};
use hallpass::verify::{Admission, Caller, Refusal, SessionClaim, TokenError, jws};
use hallpass::{Hallpass, Proof, UserId};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

const VERIFIERS: usize = 20;
/// Longer than anything takes here; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// An issuer on loopback, and the secret of a service that it knows.
struct Issuer {
    auth: Hallpass,
    app: axum::Router,
    url: String,
    secret: Secret,
}

impl Issuer {
    async fn start(folder: &Path) -> Self {
        Self::start_with(folder, |_| {}).await
    }

    async fn start_with(folder: &Path, rules: fn(&mut Settings)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let secret = Secret::draw(&SystemRandom).unwrap();
        let service = format!("orders:{}", secret.hash().to_hex());
        let auth = Hallpass::builder(&format!("sqlite://{}", folder.join("app.db").display()))
            .public_url(&url)
            .service(Service::parse(&service).unwrap())
            .rules(rules)
            .open()
            .await
            .unwrap();
        let app = auth.protect(axum::Router::new());
        let served = app
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, served).await });
        Self {
            auth,
            app,
            url,
            secret,
        }
    }

    fn verifier(&self) -> Remote {
        self.verifier_of(SessionClaim::Required)
    }

    fn verifier_of(&self, session_claim: SessionClaim) -> Remote {
        let secret = ServiceSecret::new(self.secret.expose().to_owned());
        let builder = Remote::builder(&self.url).service("orders", secret);
        builder.session_claim(session_claim).start().unwrap()
    }

    async fn verifiers(&self) -> Vec<Remote> {
        let verifiers: Vec<Remote> = (0..VERIFIERS).map(|_| self.verifier()).collect();
        for verifier in &verifiers {
            verifier.ready().await;
            listening(verifier).await;
        }
        verifiers
    }
}

/// Waits until a verifier has heard everything there is to hear.
async fn listening(verifier: &Remote) {
    let hears = || {
        verifier
            .status()
            .revocations
            .is_some_and(|told| told.feed == Feed::Stream)
    };
    let waiting = async {
        while !hears() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("the stream stands");
}

async fn verdict(verifier: &Remote, session: &Value) -> Result<Caller, Refusal> {
    let bearer = format!("Bearer {}", session["access_token"].as_str().unwrap());
    let request = http::Request::get("/")
        .header("authorization", bearer)
        .body(())
        .unwrap();
    match verifier.admit(&request).await {
        Admission::Caller(caller) => Ok(caller),
        Admission::Refused(refusal) => Err(refusal),
        Admission::Anonymous => panic!("a bearer token is a credential"),
    }
}

fn kid(session: &Value) -> String {
    let token = session["access_token"].as_str().unwrap();
    let header = jws::Compact::split(token).unwrap().header().unwrap();
    header.key_id.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_03_a_sign_out_is_heard_by_every_verifier() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = Issuer::start(folder.path()).await;
    let verifiers = issuer.verifiers().await;
    let (ended, kept) = (sign_up(&issuer.app).await, sign_in(&issuer.app).await);
    let mut waiting = Vec::new();
    for verifier in &verifiers {
        let caller = verdict(verifier, &ended).await.unwrap();
        verdict(verifier, &kept).await.unwrap();
        waiting.push(verifier.verifier().until_refused(&caller));
    }
    let body = serde_json::json!({ "refresh_token": ended["refresh_token"] });
    let (status, _, _) = send(&issuer.app, "POST /auth/logout", &[], Some(body)).await;
    assert_eq!(status, 204);
    for refused in waiting {
        timeout(PATIENCE, refused)
            .await
            .expect("every verifier hears of it");
    }
    for verifier in &verifiers {
        let refusal = verdict(verifier, &ended).await.unwrap_err();
        assert_eq!(refusal, Refusal::Token(TokenError::SessionEnded));
        verdict(verifier, &kept).await.unwrap();
    }
}

async fn lone(issuer: &Issuer) -> (Value, LoneToken) {
    let proof = Proof::asserted_by_app(UserId::parse("ada").unwrap(), &["pwd"]);
    let grant = AccessGrant::default();
    let lone = issuer.auth.issue_access_token(proof, grant).await.unwrap();
    (json!({ "access_token": lone.token.expose() }), lone)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_without_a_session_is_ended_alone_or_with_all_of_its_users_at_every_verifier() {
    let folder = tempfile::tempdir().unwrap();
    let allow = |rules: &mut Settings| rules.sessionless_ttl_max = Some(Duration::from_hours(1));
    let issuer = Issuer::start_with(folder.path(), allow).await;
    let (takes, refuses) = (
        issuer.verifier_of(SessionClaim::Optional),
        issuer.verifier(),
    );
    for verifier in [&takes, &refuses] {
        verifier.ready().await;
        listening(verifier).await;
    }
    let ((ended, named), (kept, _)) = (lone(&issuer).await, lone(&issuer).await);
    let invalid = Refusal::Token(TokenError::Invalid);
    assert_eq!(verdict(&refuses, &ended).await.unwrap_err(), invalid);
    let verifier = takes.verifier();
    let one = verifier.until_refused(&verdict(&takes, &ended).await.unwrap());
    let all = verifier.until_refused(&verdict(&takes, &kept).await.unwrap());
    let (ada, device) = (UserId::parse("ada").unwrap(), Device::default());
    let end = issuer.auth.end_token_id(&named.token_id, None, &device);
    end.await.unwrap();
    timeout(PATIENCE, one).await.expect("the token is ended");
    let over = Refusal::Token(TokenError::SessionEnded);
    assert_eq!(verdict(&takes, &ended).await.unwrap_err(), over);
    verdict(&takes, &kept).await.unwrap();
    let end = issuer.auth.end_sessions(&ada, None, &device);
    end.await.unwrap();
    let (after, _) = lone(&issuer).await;
    timeout(PATIENCE, all).await.expect("all of them are ended");
    assert_eq!(verdict(&takes, &kept).await.unwrap_err(), over);
    verdict(&takes, &after).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jk_04_a_revoked_key_is_refused_by_every_verifier_and_the_next_one_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = Issuer::start(folder.path()).await;
    let verifiers = issuer.verifiers().await;
    let session = sign_up(&issuer.app).await;
    let mut waiting = Vec::new();
    for verifier in &verifiers {
        let caller = verdict(verifier, &session).await.unwrap();
        waiting.push(verifier.verifier().until_refused(&caller));
    }
    issuer.auth.revoke_key(&kid(&session)).await.unwrap();
    for refused in waiting {
        timeout(PATIENCE, refused)
            .await
            .expect("every verifier hears of it");
    }
    // Nobody is signed out: a refresh gives a token of another key, which everybody takes.
    let (status, next) = refresh(&issuer.app, &session["refresh_token"]).await;
    assert_eq!(status, 200);
    assert_ne!(kid(&next), kid(&session));
    for verifier in &verifiers {
        verdict(verifier, &session).await.unwrap_err();
        verdict(verifier, &next).await.unwrap();
    }
}

async fn sign_in(app: &axum::Router) -> Value {
    let body = serde_json::json!({
        "email": common::EMAIL, "password": PASSWORD, "delivery": "body"
    });
    let (status, _, body) = send(app, "POST /auth/login", &[], Some(body)).await;
    assert_eq!(status, 200);
    body
}
