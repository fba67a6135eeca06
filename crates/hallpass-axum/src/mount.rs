//! Where Hallpass is mounted: the rules, the settings of the web side, and the gate.

use crate::client_ip::TrustedProxies;
use hallpass_core::{Hallpass, RefusedSettings, SettingFault, Web};
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
