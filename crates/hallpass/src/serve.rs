use crate::{Error, Hallpass};
use axum::Router;
use hallpass_axum::serve::{PublicScheme, Server, stop_signal};
use hallpass_core::SystemRandom;
use hallpass_verify::cookies::Security;
use tokio::net::{TcpListener, ToSocketAddrs};

impl Hallpass {
    /// Serves an app with read timeouts and limits until Ctrl-C or SIGTERM, then lets requests in
    /// flight finish.
    ///
    /// An app that is reached over https tells browsers so (`Strict-Transport-Security`).
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn serve(&self, address: impl ToSocketAddrs, app: Router) -> Result<(), Error> {
        let listener = TcpListener::bind(address).await?;
        let stop = stop_signal()?;
        let scheme = match self.web().security() {
            Security::Secure => PublicScheme::Https,
            Security::Plain => PublicScheme::Http,
        };
        Server::new(app, &SystemRandom)?
            .public_scheme(scheme)
            .run(listener, stop)
            .await;
        Ok(())
    }
}
