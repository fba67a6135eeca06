//! How the program is put together.

use crate::config::{Config, MasterSecrets, Plan, master_secrets};
use crate::health;
use crate::outcome::{Failure, say};
use axum::Router;
use hallpass_axum::serve::{Server, stop_signal};
use hallpass_axum::{Mount, Refused};
use hallpass_core::{Hallpass, Parts, SystemRandom};
use hallpass_io::Database;
use hallpass_io::sqlite::{Options, SqliteStore};
use hallpass_verify::problem::Code;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// When a setting is refused, the address is taken, or the database or the secret cannot be used.
pub(crate) async fn serve(config: &Config) -> Result<(), Failure> {
    // From here on a signal stops us in good order.
    let stop = stop_signal()?;
    let (listener, plan) = listen(config).await?;
    let mount = mount(config, &plan).await?;
    mount.spawn_jobs();
    let app = app(&mount);
    greet(config, &plan, listener.local_addr()?);
    server(app, config, &plan)?.run(listener, stop).await;
    Ok(())
}

/// Listens, and plans for the port that it got.
pub(crate) async fn listen(config: &Config) -> Result<(TcpListener, Plan), Failure> {
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|fault| format!("cannot listen on {}: {fault}", config.listen))?;
    let plan = config.plan(listener.local_addr()?.port())?;
    Ok((listener, plan))
}

/// Says where the program listens, and where users reach it if that is somewhere else.
pub(crate) fn greet(config: &Config, plan: &Plan, local: SocketAddr) {
    let public_url = &plan.web.settings().public_url;
    if config.public_url.is_none() {
        return say(format_args!("listening on {public_url}"));
    }
    say(format_args!("listening on http://{local}"));
    say(format_args!("users reach it at {public_url}"));
}

/// Opens the store and the master secret, and starts the rules.
pub(crate) async fn start(config: &Config, plan: &Plan) -> Result<Hallpass, Failure> {
    let MasterSecrets { current, former } = master_secrets(config, plan, &SystemRandom)?;
    let Database::Sqlite(path) = &plan.database;
    let store = SqliteStore::open(path, Options::default())?;
    let parts = Parts::new(Arc::new(store), current).former_secrets(former);
    Ok(Hallpass::start(plan.settings.clone(), parts).await?)
}

/// Starts the rules and mounts them.
pub(crate) async fn mount(config: &Config, plan: &Plan) -> Result<Mount, Failure> {
    for warning in &plan.warnings {
        tracing::warn!("{warning}");
    }
    let hallpass = start(config, plan).await?;
    if hallpass.has_former_seals().await? {
        tracing::warn!(
            "keys are still sealed with a former master secret: run `hallpass key reseal` when every process \
             has the new one, then throw the former one away"
        );
    }
    Ok(Mount::new(
        hallpass,
        plan.web.clone(),
        plan.proxies.clone(),
    )?)
}

/// Returns everything that a mount serves, and the health of the program.
pub(crate) fn app(mount: &Mount) -> Router {
    mount
        .routes()
        .merge(health::routes(mount.hallpass().clone()))
        .fallback(async || Refused::from(Code::NotFound))
        .method_not_allowed_fallback(async || Refused::from(Code::MethodNotAllowed))
}

/// Returns the listener to be, with the limits of the configuration.
pub(crate) fn server(app: Router, config: &Config, plan: &Plan) -> Result<Server, Failure> {
    Ok(Server::new(app, &SystemRandom)?
        .limits(plan.limits.clone())
        .request_log(config.log.requests.0)
        .public_scheme(plan.scheme))
}
