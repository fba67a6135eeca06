//! A verifier for a service far from the issuer: it learns the keys, and what was revoked, by
//! itself.
//!
//! ```no_run
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! use hallpass_verify::remote::Remote;
//!
//! let auth = Remote::new("https://auth.example.com")?;
//! # let request = http::Request::new(());
//! let admission = auth.admit(&request).await;
//! # Ok(()) }
//! ```
//!
//! It starts and serves while the issuer is down: with the last good keys, from a file where one is
//! named. Keys are fetched anew when they are stale, when a token names one that is not known (at
//! most once per cool-down, whatever tokens come), and when the issuer withdraws one.

mod answer;
mod ask;
mod builder;
mod client;
mod decide;
mod disk;
mod endpoints;
mod fault;
mod feed;
mod fetch;
mod listen;
mod pace;
mod poll;
mod refresh;
mod service;
mod sse;
mod start;
mod state;
mod stream;
#[cfg(feature = "live")]
mod tickets;
mod upstream;

pub use ask::RedeemFault;
pub use builder::Builder;
pub use fault::RemoteFault;
pub use refresh::KeysStatus;
pub use service::ServiceSecret;
pub use state::{Feed, RevocationStatus};

use crate::{AccessTokenText, Admission, Gate, Head, Verifier};
use std::sync::Arc;
use upstream::Far;

/// Who is calling, for a service far from the issuer.
///
/// Cheap to clone. What it does in the background ends with the last clone, [`Gate`] and layer.
#[derive(Clone, Debug)]
pub struct Remote {
    gate: Arc<Gate>,
    far: Arc<Far>,
}

impl Remote {
    /// Starts a verifier of tokens that `issuer` issues for itself as the audience, found in the
    /// `Authorization` header. It learns keys; what was revoked it learns with
    /// [service credentials](Builder::service).
    ///
    /// # Errors
    /// When the issuer cannot be one, or there is no tokio runtime. An issuer that is down is no
    /// error.
    pub fn new(issuer: &str) -> Result<Self, RemoteFault> {
        Self::builder(issuer).start()
    }

    /// Returns the settings of a verifier for tokens of `issuer`, to change and to start.
    pub fn builder(issuer: &str) -> Builder {
        Builder::new(issuer)
    }

    /// Decides who is calling. Waits only where the issuer has to be asked.
    pub async fn admit<'r>(&self, request: impl Into<Head<'r>>) -> Admission {
        let asking = self.gate.admit_asking(self.gate.terms(), request.into());
        asking.await
    }

    /// Returns the layer for an axum router. Behind it, the extractors
    /// [`Caller`](crate::Caller) and [`MaybeCaller`](crate::axum::MaybeCaller) work.
    #[cfg(feature = "axum")]
    #[must_use]
    pub fn layer(&self) -> crate::axum::GateLayer {
        crate::axum::GateLayer::new(Arc::clone(&self.gate))
    }

    /// Returns the gate.
    #[must_use]
    pub const fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Returns the verifier.
    #[must_use]
    pub fn verifier(&self) -> &Arc<Verifier> {
        self.gate.verifier()
    }

    /// Waits until keys are known, or the first attempt to fetch them has failed: for a service
    /// that does not want to answer 503 in its first moments.
    pub async fn ready(&self) {
        self.far.keys.ready().await;
    }

    /// Changes a one-time ticket into the access token that it stands for, which is verified as
    /// any other then.
    ///
    /// # Errors
    /// When the ticket is not good, or the issuer cannot be asked.
    pub async fn redeem(&self, ticket: &str) -> Result<AccessTokenText, RedeemFault> {
        self.far.redeem(ticket).await
    }

    /// Returns how current it is.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            keys: self.far.keys.status(),
            revocations: self.far.revocation_status(),
        }
    }
}

/// How current a [`Remote`] is.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Status {
    /// What is known of the keys.
    pub keys: KeysStatus,
    /// What is known of what was revoked; `None` without service credentials.
    pub revocations: Option<RevocationStatus>,
}

#[cfg(test)]
mod tests;
