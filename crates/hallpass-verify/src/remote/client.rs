//! How the issuer is reached: settings of every connection.

use super::RemoteFault;
use reqwest::{Certificate, Client, ClientBuilder, redirect};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long it may take until a connection stands.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a document may take, from the first byte of the request to the last of the answer.
pub(super) const DOCUMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// The most header lines of an answer.
const HEADER_LINES_MAX: usize = 100;

/// Whom to trust when the issuer answers.
#[derive(Clone, Default)]
pub(super) struct Trust {
    /// These alone; those of the machine when there is none.
    pub(super) roots: Vec<Certificate>,
    /// Where the issuer's host is; what DNS says when it is not said.
    address: Option<IpAddr>,
}

impl Trust {
    /// Takes one or more certificates as PEM.
    pub(super) fn pem(pem: &[u8]) -> Result<Self, RemoteFault> {
        let roots = Certificate::from_pem_bundle(pem).map_err(|_| RemoteFault::Certificate)?;
        if roots.is_empty() {
            return Err(RemoteFault::Certificate);
        }
        Ok(Self {
            roots,
            ..Self::default()
        })
    }

    /// Takes the address of the issuer's host, if it is not to be looked up.
    pub(super) fn at(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// Returns a client without a limit of time for the whole of an answer: for streams.
    ///
    /// # Security
    /// Redirects are not followed: they would lead our credentials, or our trust, elsewhere. What
    /// is compressed stays so: a small answer cannot become a large one.
    pub(super) fn client(&self, issuer: &url::Url) -> ClientBuilder {
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .http1_only()
            .http1_max_headers(HEADER_LINES_MAX)
            .no_proxy()
            .referer(false)
            .user_agent(concat!("hallpass-verify/", env!("CARGO_PKG_VERSION")));
        if let (Some(address), Some(host)) = (self.address, issuer.host_str()) {
            // The port is that of the URL.
            client = client.resolve(host, SocketAddr::new(address, 0));
        }
        // Without https nothing is to be trusted, and machines without certificates will do.
        if issuer.scheme() == "https" && self.roots.is_empty() {
            return client.https_only(true);
        }
        let https_only = issuer.scheme() == "https";
        client
            .https_only(https_only)
            .tls_certs_only(self.roots.clone())
    }
}
