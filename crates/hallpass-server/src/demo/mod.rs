//! `hallpass demo`: the program with pages to try it on, and an attacker's page beside them.
//!
//! It has a user whose password everybody knows, so it serves this machine alone and keeps its
//! users apart from those of `hallpass serve`.

mod attacker;
mod observer;
mod pages;

use crate::config::{Config, ConfigFaults, Plan};
use crate::outcome::{Failure, say};
use crate::wiring;
use axum::extract::{Request, State};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use axum::{Json, Router};
use hallpass_axum::serve::stop_signal;
use hallpass_axum::{Mount, Refused};
use hallpass_core::session::Device;
use hallpass_core::user::{Email, Password};
use hallpass_core::{CookieNames, Error, Hallpass, SignUp, Web, WebSettings};
use hallpass_verify::problem::Code;
use hallpass_verify::{Caller, Clock, Location};
use observer::Observer;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::ServiceExt as _;

const SAMPLE_EMAIL: &str = "sample@example.com";
const SAMPLE_PASSWORD: &str = "a hall pass for the demo";

/// Where the second mount is: the same users and sessions under other cookie names.
const SPLIT_PREFIX: &str = "/split/auth";

/// Serves the demo until Ctrl-C or SIGTERM.
///
/// # Errors
/// When it would be open to others than this machine, an address is taken, or the store fails.
pub(crate) async fn serve(mut config: Config) -> Result<(), Failure> {
    if !config.listen.ip().is_loopback() {
        let refusal = "`listen`: expected a loopback address: the demo has a user whose password everybody knows";
        return Err(ConfigFaults(vec![refusal.into()]).into());
    }
    config.data.push("demo");
    let stop = stop_signal()?;
    let (listener, plan) = wiring::listen(&config).await?;
    let attack_listener = TcpListener::bind(beside(listener.local_addr()?)).await?;
    let mount = wiring::mount(&config, &plan).await?;
    mount.spawn_jobs();
    add_sample_user(mount.hallpass()).await?;
    let about = Arc::new(about(
        &plan,
        mount.hallpass(),
        attack_listener.local_addr()?,
    ));
    let observer = Observer::new(Arc::clone(mount.hallpass().clock()));
    let app = observer.watch(app(&mount, &plan, Arc::clone(&about))?);
    let attack_app = attacker::app(
        app.clone(),
        &observer,
        about,
        &plan.web.settings().public_url,
    )?;
    wiring::greet(&config, &plan, listener.local_addr()?);
    greet(attack_listener.local_addr()?);
    // Both stop with the first signal.
    let (stopped, attack_stop) = watch::channel(());
    let attack_stop = async move {
        let mut attack_stop = attack_stop;
        // An error is the sender's end: the signal.
        let _ = attack_stop.changed().await;
    };
    let attacked = wiring::server(app, &config, &plan)?.run(listener, async {
        stop.await;
        drop(stopped);
    });
    let attacking = wiring::server(attack_app, &config, &plan)?.run(attack_listener, attack_stop);
    tokio::join!(attacked, attacking);
    Ok(())
}

/// The attacker has the next port; any, if ours was any.
fn beside(mut addr: SocketAddr) -> SocketAddr {
    addr.set_port(addr.port().checked_add(1).unwrap_or(0));
    addr
}

/// What the pages need to know.
fn about(plan: &Plan, hallpass: &Hallpass, attack: SocketAddr) -> Value {
    let settings = hallpass.settings();
    json!({
        "sample_user": { "email": SAMPLE_EMAIL, "password": SAMPLE_PASSWORD },
        "access_ttl_seconds": settings.access_ttl.as_secs(),
        "grace_seconds": settings.refresh_grace.as_secs(),
        "main_origin": plan.web.settings().public_url,
        "attack_origin": format!("http://{attack}"),
    })
}

fn greet(attack: SocketAddr) {
    say(format_args!("the attacker's page is on http://{attack}"));
    say(format_args!(
        "the sample user is {SAMPLE_EMAIL}, password: {SAMPLE_PASSWORD}"
    ));
}

async fn add_sample_user(hallpass: &Hallpass) -> Result<(), Failure> {
    let sample = SignUp {
        email: Email::parse(SAMPLE_EMAIL)?,
        password: Password::chosen(SAMPLE_PASSWORD)?,
        name: Some("Sam Sample".into()),
        roles: vec!["visitor".into()],
    };
    match hallpass.add_user(sample, &Device::default()).await {
        Ok(_) | Err(Error::EmailTaken) => Ok(()),
        Err(fault) => Err(fault.into()),
    }
}

/// Everything on the main origin: both mounts, an app with protected routes, and the pages.
fn app(mount: &Mount, plan: &Plan, about: Arc<Value>) -> Result<Router, Failure> {
    let split = Web::checked(WebSettings {
        prefix: SPLIT_PREFIX.into(),
        cookie_names: CookieNames {
            access: Some("hp_split_access".into()),
            refresh: Some("hp_split_refresh".into()),
            csrf: Some("hp_split_csrf".into()),
            csrf_of_refresh: None,
        },
        ..plan.web.settings().clone()
    })?;
    let split = Mount::new(mount.hallpass().clone(), split, plan.proxies.clone())?;
    let protected = Router::new()
        .route("/demo/whoami", get(whoami))
        .route(
            "/demo/note",
            post(async |_: Caller| Json(json!({ "ok": true }))),
        )
        .layer(mount.layer())
        .with_state(Arc::clone(mount.hallpass().clock()));
    let about = Router::new().route(
        "/demo/config",
        get(async move || Json(about.as_ref().clone())),
    );
    let split = split.routes();
    Ok(wiring::app(mount)
        .merge(protected)
        .merge(about)
        .merge(pages::main())
        .method_not_allowed_fallback(async || Refused::from(Code::MethodNotAllowed))
        .fallback(async move |request: Request| {
            if request.uri().path().starts_with(SPLIT_PREFIX) {
                return split.oneshot(request).await;
            }
            Ok(Refused::from(Code::NotFound).into_response())
        }))
}

async fn whoami(State(clock): State<Arc<dyn Clock>>, caller: Caller) -> Json<Value> {
    let location = match caller.location() {
        Location::Cookie => "cookie",
        _ => "header",
    };
    Json(json!({
        "user_id": caller.subject(),
        "session": caller.session().map(|session| session.to_string()),
        "location": location,
        "expires_in": caller.expires_at().since(clock.now()).as_secs(),
    }))
}
