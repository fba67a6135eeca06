//! Where Hallpass is mounted: the rules, the settings of the web side, and the gate.

use crate::client_ip::TrustedProxies;
use crate::{jobs, router};
use axum::Router;
use hallpass_core::{Hallpass, RefusedSettings, SettingFault, Web};
use hallpass_verify::axum::GateLayer;
use hallpass_verify::{Gate, GateSettings};
use http::HeaderName;
use std::sync::Arc;

/// The routes and the layer of one mount. Cheap to clone.
///
/// One [`Hallpass`] can be mounted several times, under other paths and cookie names: users and
/// sessions are the same.
#[derive(Clone, Debug)]
pub struct Mount(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) hallpass: Hallpass,
    pub(crate) web: Web,
    pub(crate) gate: Arc<Gate>,
    pub(crate) proxies: TrustedProxies,
}

impl Mount {
    /// Mounts the rules with these settings.
    ///
    /// # Errors
    /// When the CSRF header is not the name of a header.
    pub fn new(
        hallpass: Hallpass,
        web: Web,
        proxies: TrustedProxies,
    ) -> Result<Self, RefusedSettings> {
        let csrf_header = HeaderName::try_from(&web.settings().csrf_header).map_err(|_| {
            let expected = "expected the name of a header";
            RefusedSettings(vec![SettingFault::new("http.csrf_header", expected)])
        })?;
        let settings = GateSettings {
            csrf_header,
            ..GateSettings::new(web.cookies().access().clone(), web.origins().clone())
        };
        let gate = Gate::new(
            settings,
            hallpass.verifier().clone(),
            hallpass.clock().clone(),
        );
        Ok(Self(Arc::new(Inner {
            hallpass,
            web,
            gate: Arc::new(gate),
            proxies,
        })))
    }

    /// Returns the routes: those under the prefix, and the key set for other services.
    pub fn routes(&self) -> Router {
        router::routes(self)
    }

    /// Returns the layer for the app's own routes: it finds out who is calling, and refuses
    /// state-changing requests that ride on a cookie without proof.
    ///
    /// It may go around our routes too. It leaves them alone: they ask the gate themselves, and
    /// signing in again owes no proof of the session that it replaces.
    #[must_use]
    pub fn layer(&self) -> GateLayer {
        let prefix = self.0.web.settings().prefix.clone();
        GateLayer::new(self.0.gate.clone()).leaving(move |path| {
            path.strip_prefix(prefix.as_str())
                .is_some_and(router::is_ours)
        })
    }

    /// Starts what has to happen now and then: learning which sessions other processes ended, and
    /// forgetting those that are over. It goes on until the last router and layer are gone.
    ///
    /// Call it once for each [`Hallpass`], inside a Tokio runtime.
    pub fn spawn_jobs(&self) {
        tokio::spawn(jobs::run(
            self.0.hallpass.clone(),
            Arc::downgrade(&self.0.gate),
        ));
    }

    /// Returns the rules.
    #[must_use]
    pub fn hallpass(&self) -> &Hallpass {
        &self.0.hallpass
    }

    /// Returns the settings of the web side.
    #[must_use]
    pub fn web(&self) -> &Web {
        &self.0.web
    }
}
