//! An app with routes of its own around the routes of Hallpass, in memory, with a clock that a
//! test moves.
#![allow(dead_code, unused_imports, reason = "no test program needs all of it")]

mod browser;
mod events;
mod jar;
mod request;

pub(crate) use browser::Browser;
pub(crate) use events::{Events, Heard};
pub(crate) use jar::{Jar, SetCookie};
pub(crate) use request::{Answer, Req};

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use hallpass_axum::{Mount, TrustedProxies};
use hallpass_core::audit::{Audit, AuditLog, Event, EventKind};
use hallpass_core::key::MasterSecret;
use hallpass_core::password::{Argon2idCost, HashPoolSettings};
use hallpass_core::service::{Service, ServiceSecret};
use hallpass_core::session::Device;
use hallpass_core::store::MemoryStore;
use hallpass_core::user::{Email, Password};
use hallpass_core::{Hallpass, Parts, Profile, SeededRandom, Settings, SignUp, Web, WebSettings};
use hallpass_verify::axum::{Fresh, MaybeCaller};
use hallpass_verify::problem::Problem;
use hallpass_verify::{Caller, ManualClock, SessionId, Timestamp};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// 2027-01-15T08:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);
/// How long an access token lives, by default.
pub(crate) const ACCESS_TTL: Duration = Duration::from_mins(15);
pub(crate) const GRACE: Duration = Duration::from_secs(10);
pub(crate) const IDLE: Duration = Duration::from_hours(30 * 24);

pub(crate) const OWN: &str = "https://app.example.test";
/// The one other origin whose pages are trusted.
pub(crate) const SPA: &str = "https://spa.example.test";
pub(crate) const FOREIGN: &str = "https://evil.test";

pub(crate) const ALICE: &str = "alice@example.test";
pub(crate) const BOB: &str = "bob@example.test";
pub(crate) const PASSWORD: &str = "a fox on the moon";

pub(crate) const ACCESS: &str = "__Host-hp_access";
pub(crate) const REFRESH: &str = "__Secure-hp_refresh";
pub(crate) const CSRF: &str = "__Host-hp_csrf";

/// The one service that may ask.
pub(crate) const SERVICE: &str = "orders";
pub(crate) const SERVICE_SECRET: &str = "hps_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

const CHEAP: Argon2idCost = Argon2idCost {
    memory_kib: 64,
    iterations: 1,
    parallelism: 1,
};

/// An app, and everything a test may look at or move.
pub(crate) struct App {
    pub(crate) mount: Mount,
    pub(crate) router: Router,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) audit: Arc<Collected>,
    /// How often a route of the app's own did something.
    pub(crate) effects: Arc<AtomicUsize>,
}

impl App {
    /// Starts the app of `https://app.example.test`.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_, _| {}).await
    }

    /// Starts the same app in development.
    pub(crate) async fn on_localhost() -> Self {
        Self::start_with(|_, web| web.public_url = "http://localhost:3000".into()).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings, &mut WebSettings)) -> Self {
        let mut settings = Settings::new(OWN);
        settings.password_cost = CHEAP;
        settings.password_pool = HashPoolSettings {
            workers: 1,
            queue_len_max: 64,
        };
        settings.services = vec![service(SERVICE, SERVICE_SECRET)];
        let mut web = WebSettings::new(OWN);
        web.trusted_origins = vec![SPA.into()];
        change(&mut settings, &mut web);
        let store = Arc::new(MemoryStore::default());
        let parts = Parts::new(store.clone(), secret());
        Self::start_from(settings, web, store, parts).await
    }

    /// Starts the app with the wire of a profile.
    pub(crate) async fn of_profile(
        profile: Profile,
        change: impl FnOnce(&mut WebSettings),
    ) -> Self {
        Self::start_with(|settings, web| {
            *settings = Settings {
                password_cost: settings.password_cost,
                password_pool: settings.password_pool,
                services: settings.services.clone(),
                ..Settings::for_profile(profile, OWN)
            };
            *web = WebSettings {
                trusted_origins: web.trusted_origins.clone(),
                ..WebSettings::for_profile(profile, OWN)
            };
            change(web);
        })
        .await
    }

    /// Starts with other parts: another hasher, for example.
    pub(crate) async fn start_from(
        settings: Settings,
        web: WebSettings,
        store: Arc<MemoryStore>,
        parts: Parts,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        Self::start_at(clock, 7, settings, web, store, parts).await
    }

    /// Starts another process on the same store.
    pub(crate) async fn beside(&self) -> Self {
        let settings = self.mount.hallpass().settings().clone();
        let web = self.mount.web().settings().clone();
        let store = self.store.clone();
        let parts = Parts::new(store.clone(), secret());
        Self::start_at(self.clock.clone(), 8, settings, web, store, parts).await
    }

    async fn start_at(
        clock: Arc<ManualClock>,
        seed: u64,
        settings: Settings,
        web: WebSettings,
        store: Arc<MemoryStore>,
        parts: Parts,
    ) -> Self {
        let audit = Arc::new(Collected::default());
        let parts = parts
            .clock(clock.clone())
            .random(Arc::new(SeededRandom::new(seed)))
            .audit(audit.clone());
        let hallpass = Hallpass::start(settings, parts).await.unwrap();
        let web = Web::checked(web).unwrap();
        let mount = Mount::new(hallpass, web, TrustedProxies::default()).unwrap();
        let effects = Arc::new(AtomicUsize::new(0));
        Self {
            router: router(&mount, &effects),
            mount,
            store,
            clock,
            audit,
            effects,
        }
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    pub(crate) fn effects(&self) -> usize {
        self.effects.load(Ordering::SeqCst)
    }

    /// Learns what other processes on the store did, as the jobs do.
    pub(crate) async fn sync(&self) {
        self.mount.hallpass().sync().await.unwrap();
    }

    /// Everything that is stored, as text.
    pub(crate) fn database(&self) -> String {
        format!("{:?}", self.store)
    }

    /// A request without cookies, from no browser.
    pub(crate) fn request(&self, method: &str, path: &str) -> Req<'_> {
        Req::new(self, None, method, path)
    }

    pub(crate) fn get(&self, path: &str) -> Req<'_> {
        self.request("GET", path)
    }

    pub(crate) fn post(&self, path: &str) -> Req<'_> {
        self.request("POST", path)
    }

    /// Adds a user without opening a session.
    pub(crate) async fn add_user(&self, email: &str, roles: &[&str]) {
        let sign_up = SignUp {
            email: Email::parse(email).unwrap(),
            password: Password::chosen(PASSWORD).unwrap(),
            name: None,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        };
        let (hallpass, device) = (self.mount.hallpass(), Device::default());
        hallpass.add_user(sign_up, &device).await.unwrap();
    }

    /// A new user in a new browser.
    pub(crate) async fn signed_up(&self, email: &str) -> Browser<'_> {
        let mut browser = Browser::new(self);
        let answer = browser
            .post("/auth/signup")
            .json(&credentials(email))
            .send();
        assert_eq!(answer.await.status, 201);
        browser
    }

    /// A user who is there already, in a new browser.
    pub(crate) async fn signed_in(&self, email: &str) -> Browser<'_> {
        let mut browser = Browser::new(self);
        browser.sign_in(email).await;
        browser
    }

    /// A new session whose tokens travel in bodies: the answer that opened it.
    pub(crate) async fn signed_in_by_body(&self, email: &str) -> Value {
        let mut body = credentials(email);
        body["delivery"] = "body".into();
        let answer = self.post("/auth/login").json(&body).send().await;
        assert_eq!(answer.status, 200);
        answer.json()
    }
}

pub(crate) fn service(name: &str, secret: &str) -> Service {
    let secret_hash = ServiceSecret::new(secret.to_owned()).hash();
    let name = name.to_owned();
    Service { name, secret_hash }
}

/// A second less.
pub(crate) fn short_of(span: Duration) -> Duration {
    span.saturating_sub(SECOND)
}

pub(crate) fn secret() -> MasterSecret {
    MasterSecret::from_bytes((0..32).collect()).unwrap()
}

pub(crate) fn credentials(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD })
}

/// Shown by the app's own routes: who called, and by what.
fn told(caller: &Caller) -> Value {
    json!({ "user": caller.subject(), "location": format!("{:?}", caller.location()) })
}

fn router(mount: &Mount, effects: &Arc<AtomicUsize>) -> Router {
    let echo = {
        let effects = effects.clone();
        async move |caller: Caller| {
            effects.fetch_add(1, Ordering::SeqCst);
            Json(told(&caller))
        }
    };
    let me2 = async |MaybeCaller(caller): MaybeCaller| {
        Json(caller.map_or(json!({ "user": null }), |caller| told(&caller)))
    };
    let app = Router::new()
        .route("/echo", post(echo))
        .route("/mirror", post(mirror))
        .route("/me2", get(me2).post(me2).delete(me2))
        .route("/admin", get(admin))
        .route("/orders", get(orders))
        .route("/fresh", get(fresh))
        .route("/protected", get(protected).post(protected_post))
        .with_state(mount.clone());
    mount.around(app.merge(mount.routes()))
}

/// Answers with the body as it came.
async fn mirror(_: MaybeCaller, body: Bytes) -> Bytes {
    body
}

async fn protected(State(mount): State<Mount>, caller: Caller) -> Json<Value> {
    Json(json!({ "ok": true, "email": address(&mount, &caller).await }))
}

async fn protected_post(State(mount): State<Mount>, caller: Caller) -> Json<Value> {
    Json(json!({ "ok": true, "posted_by": address(&mount, &caller).await }))
}

async fn address(mount: &Mount, caller: &Caller) -> Option<String> {
    let user = mount.hallpass().user(caller.user()).await.unwrap();
    user.map(|user| user.email.as_str().to_lowercase())
}

async fn admin(caller: Caller) -> Result<&'static str, Problem> {
    caller.require_role("admin")?;
    Ok("in")
}

async fn orders(caller: Caller) -> Result<&'static str, Problem> {
    caller.require_scope("orders:read")?;
    Ok("in")
}

async fn fresh(Fresh(_): Fresh<300>) -> &'static str {
    "in"
}

/// Keeps every event, and logs it.
#[derive(Debug, Default)]
pub(crate) struct Collected(Mutex<Vec<Recorded>>);

#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) kind: EventKind,
    pub(crate) session: Option<SessionId>,
    pub(crate) device: Device,
}

impl Collected {
    pub(crate) fn events(&self) -> Vec<Recorded> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn of(&self, kind: EventKind) -> Vec<Recorded> {
        let mut events = self.events();
        events.retain(|event| event.kind == kind);
        events
    }
}

impl Audit for Collected {
    fn record(&self, event: &Event<'_>) {
        AuditLog.record(event);
        self.0.lock().unwrap().push(Recorded {
            kind: event.kind,
            session: event.session,
            device: event.device.clone(),
        });
    }
}
