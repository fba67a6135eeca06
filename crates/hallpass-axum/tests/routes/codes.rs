//! Every code of the contract, reached by a request.

use crate::common::{
    ALICE, Answer, App, BOB, FOREIGN, GRACE, MINUTE, OWN, REFRESH, SECOND, credentials, secret,
};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use hallpass_core::password::{Argon2id, HashError, HashPoolSettings, PasswordHasher, Verdict};
use hallpass_core::store::MemoryStore;
use hallpass_core::user::{Password, PasswordHash};
use hallpass_core::{Accounts, Parts, Settings, WebSettings};
use hallpass_verify::axum::GateLayer;
use hallpass_verify::problem::Code;
use hallpass_verify::{Caller, Gate, GateSettings, KeySet, Keys, Verifier, VerifierSettings};
use http::Request;
use http_body::Frame;
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};
use tower::ServiceExt as _;

/// The codes that were reached.
#[derive(Default)]
struct Reached(BTreeSet<&'static str>);

impl Reached {
    #[track_caller]
    fn note(&mut self, code: Code, answer: &Answer) {
        let told = (answer.status, answer.code());
        assert_eq!(told, (code.status().as_u16(), code.as_str().to_owned()));
        let body = answer.json();
        assert_eq!(body["title"], code.title());
        assert_eq!(body["detail"], code.detail());
        assert_eq!(body["status"], code.status().as_u16());
        assert_eq!(
            body["type"],
            format!("urn:hallpass:problem:{}", code.as_str())
        );
        self.0.insert(code.as_str());
    }
}

/// A body that stays away, or breaks off.
enum Trouble {
    Silence,
    Break,
}

impl http_body::Body for Trouble {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match *self {
            Self::Silence => Poll::Pending,
            Self::Break => Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into()))),
        }
    }
}

#[tokio::test]
async fn every_code_of_the_contract_is_reached_by_a_request() {
    let mut reached = Reached::default();
    of_credentials(&mut reached).await;
    of_sessions(&mut reached).await;
    of_services(&mut reached).await;
    of_forgery(&mut reached).await;
    of_bodies(&mut reached).await;
    of_limits(&mut reached).await;
    let all: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let missing: Vec<_> = all.difference(&reached.0).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

async fn of_credentials(reached: &mut Reached) {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let answer = app.get("/auth/me").send().await;
    reached.note(Code::NotAuthenticated, &answer);
    let answer = app.get("/auth/me").bearer("junk").send().await;
    reached.note(Code::TokenMalformed, &answer);
    let answer = app
        .post("/auth/refresh")
        .cookie(REFRESH, "junk")
        .send()
        .await;
    reached.note(Code::TokenInvalid, &answer);
    let mut body = credentials(ALICE);
    body["password"] = "another fox".into();
    let answer = app.post("/auth/login").json(&body).send().await;
    reached.note(Code::InvalidCredentials, &answer);
    let answer = alice.get("/admin").send().await;
    reached.note(Code::InsufficientScope, &answer);
    let challenge = r#"Bearer realm="hallpass", error="insufficient_scope""#;
    assert_eq!(answer.header("www-authenticate"), Some(challenge));
    let answer = alice.get("/fresh").send().await;
    assert_eq!(answer.status, 200);
    app.advance(5 * MINUTE);
    // A refresh is no new proof of who somebody is.
    alice.refresh().await;
    assert_eq!(alice.get("/fresh").send().await.status, 200);
    app.advance(SECOND);
    let answer = alice.get("/fresh").send().await;
    reached.note(Code::FreshRequired, &answer);
    alice.sign_in(ALICE).await;
    assert_eq!(alice.get("/fresh").send().await.status, 200);
    let held = alice.access();
    app.advance(16 * MINUTE);
    let answer = app.get("/auth/me").bearer(&held).send().await;
    reached.note(Code::TokenExpired, &answer);
    // Whoever has the role gets in.
    app.add_user(BOB, &["admin"]).await;
    let mut bob = app.signed_in(BOB).await;
    assert_eq!(bob.get("/admin").send().await.status, 200);
}

async fn of_sessions(reached: &mut Reached) {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let mut used = alice.clone();
    let csrf = alice.csrf();
    alice.refresh().await;
    app.advance(GRACE);
    let answer = used.post("/auth/refresh").csrf(&csrf).send().await;
    reached.note(Code::RefreshReused, &answer);
    let answer = alice.post("/auth/refresh").csrf(&csrf).send().await;
    reached.note(Code::SessionEnded, &answer);
    let answer = app.get("/auth/nothing").send().await;
    reached.note(Code::NotFound, &answer);
    let answer = app.get("/auth/login").send().await;
    reached.note(Code::MethodNotAllowed, &answer);
}

async fn of_services(reached: &mut Reached) {
    let app = App::start().await;
    let answer = app.post("/auth/introspect").send().await;
    reached.note(Code::InvalidClient, &answer);
    // A verifier that knows no key cannot tell who is calling.
    let token = app.signed_up(ALICE).await.access();
    let cold = Verifier::new(
        VerifierSettings::new(OWN, OWN),
        Arc::new(Keys::new(KeySet::default())),
        Arc::default(),
    );
    let settings = GateSettings::new(
        app.mount.web().cookies().access().clone(),
        app.mount.web().origins().clone(),
    );
    let gate = Gate::new(settings, Arc::new(cold.unwrap()), app.clock.clone());
    let router = Router::new()
        .route("/elsewhere", get(async |_: Caller| "in"))
        .layer(GateLayer::new(Arc::new(gate)));
    let elsewhere = App { router, ..app };
    let request = elsewhere.get("/elsewhere").bearer(&token).may_fail();
    reached.note(Code::Unavailable, &request.send().await);
}

async fn of_forgery(reached: &mut Reached) {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let answer = alice.post("/auth/logout").send().await;
    reached.note(Code::CsrfMissing, &answer);
    let answer = alice.post("/auth/logout").csrf("junk").send().await;
    reached.note(Code::CsrfInvalid, &answer);
    let request = alice.bare("POST", "/auth/logout").header("origin", FOREIGN);
    reached.note(Code::OriginDenied, &request.send().await);
}

async fn of_bodies(reached: &mut Reached) {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let json = |body: Body| {
        let request = app.post("/auth/signup");
        request
            .header("content-type", "application/json")
            .body(body)
    };
    let answer = app
        .post("/auth/signup")
        .json(&credentials(ALICE))
        .send()
        .await;
    reached.note(Code::EmailTaken, &answer);
    let answer = app.post("/auth/signup").json(&serde_json::json!({})).send();
    reached.note(Code::ValidationFailed, &answer.await);
    reached.note(Code::MalformedBody, &json("x".into()).send().await);
    let answer = app.post("/auth/signup").body("x").send().await;
    reached.note(Code::UnsupportedMediaType, &answer);
    let answer = json(" ".repeat(17_000).into()).send().await;
    reached.note(Code::PayloadTooLarge, &answer);
    let answer = json(Body::new(Trouble::Break)).send().await;
    reached.note(Code::BadRequest, &answer);
    // Nothing else is under way, so the clock of the runtime jumps to the deadline.
    tokio::time::pause();
    let answer = json(Body::new(Trouble::Silence)).send().await;
    reached.note(Code::RequestTimeout, &answer);
    tokio::time::resume();
}

async fn of_limits(reached: &mut Reached) {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let mut body = credentials(ALICE);
    body["password"] = "another fox".into();
    for _ in 0..10 {
        app.post("/auth/login").json(&body).send().await;
    }
    let answer = app
        .post("/auth/login")
        .json(&credentials(ALICE))
        .send()
        .await;
    reached.note(Code::RateLimited, &answer);
    assert_eq!(answer.header("retry-after"), Some("900"));
    // Failures are forgotten in time, and another address is not held up.
    let elsewhere = app.post("/auth/login").json(&credentials(ALICE)).from(2);
    assert_eq!(elsewhere.send().await.status, 200);
    app.advance(15 * MINUTE);
    let answer = app
        .post("/auth/login")
        .json(&credentials(ALICE))
        .send()
        .await;
    assert_eq!(answer.status, 200);
    reached.note(Code::Overloaded, &overloaded().await);
    let app = App::start_with(|_, web| web.accounts = Accounts::ByInvitation).await;
    let request = app.post("/auth/signup").json(&credentials(ALICE));
    reached.note(Code::SignUpClosed, &request.send().await);
    let app = App::start_with(|settings, _| settings.audience = Some("a".repeat(4000))).await;
    let request = app.post("/auth/signup").json(&credentials(ALICE));
    reached.note(Code::Internal, &request.may_fail().send().await);
}

/// Waits for a nod before each password.
struct Gated(Argon2id, mpsc::Receiver<()>);

impl PasswordHasher for Gated {
    fn hash(&mut self, password: &Password, salt: &[u8; 16]) -> Result<PasswordHash, HashError> {
        self.1.recv().map_err(|_| HashError::Failed("test over"))?;
        self.0.hash(password, salt)
    }

    fn verify(&mut self, password: &Password, stored: &PasswordHash) -> Result<Verdict, HashError> {
        self.1.recv().map_err(|_| HashError::Failed("test over"))?;
        self.0.verify(password, stored)
    }
}

/// Sends three sign-ins to a server that hashes one password at a time and lets one wait.
async fn overloaded() -> Answer {
    let (nod, nods) = mpsc::channel();
    let nods = Mutex::new(Some(nods));
    let mut settings = Settings::new(OWN);
    settings.password_cost.memory_kib = 64;
    settings.password_pool = HashPoolSettings {
        workers: 1,
        queue_len_max: 1,
    };
    let cost = settings.password_cost;
    let store = Arc::new(MemoryStore::default());
    let parts = Parts::new(store.clone(), secret()).hasher(move || {
        let nods = nods.lock().unwrap().take().unwrap();
        Box::new(Gated(Argon2id::new(cost).unwrap(), nods))
    });
    let web = WebSettings::new(OWN);
    let app = App::start_from(settings, web, store, parts).await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let request = Request::post("/auth/login")
            .header("content-type", "application/json")
            .body(Body::from(credentials(ALICE).to_string()))
            .unwrap();
        requests.spawn(app.router.clone().oneshot(request));
    }
    // Only one that is refused can be answered before a nod.
    let response = requests.join_next().await.unwrap().unwrap().unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1 << 16).await.unwrap().to_vec();
    for _ in 0..2 {
        nod.send(()).unwrap();
    }
    while let Some(done) = requests.join_next().await {
        let status = done.unwrap().unwrap().status().as_u16();
        assert!([401, 503].contains(&status));
    }
    assert_eq!(parts.headers["retry-after"], "2");
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}
