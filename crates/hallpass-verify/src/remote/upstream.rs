//! What goes on in the background, as a gate asks for it.

use super::ask::{Asker, RedeemFault};
use super::endpoints::Endpoints;
use super::refresh::Refresher;
use super::state::{RevocationState, RevocationStatus};
use crate::{AccessTokenText, Active, AskFault, BoxFuture, Timestamp, Upstream};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use url::Url;

/// What goes on in the background. The gate holds it, and so each layer does.
#[derive(Debug)]
pub(super) struct Far {
    pub(super) keys: Arc<Refresher>,
    pub(super) endpoints: watch::Receiver<Option<Arc<Endpoints>>>,
    /// What needs the credentials of this service.
    pub(super) told: Option<Told>,
    pub(super) tasks: Vec<AbortHandle>,
}

/// What the issuer tells a service that it knows.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) state: Arc<RevocationState>,
    pub(super) asker: Asker,
}

impl Far {
    pub(super) fn revocation_status(&self) -> Option<RevocationStatus> {
        self.told.as_ref().map(|told| told.state.status())
    }

    pub(super) async fn redeem(&self, ticket: &str) -> Result<AccessTokenText, RedeemFault> {
        let (asker, url) = self.asked_at(Endpoints::redemption)?;
        asker.redeem(&url, ticket).await
    }

    /// Returns who asks, and where.
    fn asked_at(
        &self,
        endpoint: impl FnOnce(&Endpoints) -> Option<Url>,
    ) -> Result<(Asker, Url), AskFault> {
        let told = self.told.as_ref().ok_or(AskFault::NotSetUp)?;
        let known = self.endpoints.borrow().clone();
        let url = endpoint(known.ok_or(AskFault::Unreachable)?.as_ref());
        Ok((told.asker.clone(), url.ok_or(AskFault::NotSetUp)?))
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Upstream for Far {
    fn keys_wanted(&self) -> Option<BoxFuture<'static, ()>> {
        self.keys.keys_wanted()
    }

    /// Without credentials nothing is ever known.
    fn is_current(&self, now: Timestamp) -> bool {
        self.told
            .as_ref()
            .is_some_and(|told| told.state.is_current(now))
    }

    fn ask(&self, token: AccessTokenText) -> BoxFuture<'static, Result<Active, AskFault>> {
        let found = self.asked_at(|endpoints| endpoints.introspection.clone());
        Box::pin(async move {
            let (asker, url) = found?;
            asker.ask(&url, &token).await
        })
    }
}
