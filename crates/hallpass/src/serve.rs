use crate::Error;
use axum::Router;
use hallpass_axum::serve::{Limits, stop_signal};
use tokio::net::{TcpListener, ToSocketAddrs};

/// Serves an app with read timeouts and limits until Ctrl-C or SIGTERM, then lets requests in
/// flight finish.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn serve(address: impl ToSocketAddrs, app: Router) -> Result<(), Error> {
    let listener = TcpListener::bind(address).await?;
    let stop = stop_signal()?;
    Ok(hallpass_axum::serve::serve(listener, app, Limits::default(), stop).await?)
}
