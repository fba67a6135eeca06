//! Where Hallpass is mounted: the rules, the settings of the web side, and the gate.

use crate::client_ip::TrustedProxies;
use crate::feed::STREAMS_MAX;
use crate::resync::{OwnStore, Resync};
use crate::wire::Wire;
use hallpass_core::{Hallpass, Profile, RefusedSettings, SettingFault, Web};
use hallpass_verify::{Gate, GateSettings, Location, TokenError};
use http::{HeaderName, Method};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The routes and the layer of one mount, what routes of the app's own need, and, by `Deref`, the
/// rules. Cheap to clone.
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
    pub(crate) resync: Arc<Resync>,
    /// How many streams of revocations may still be opened.
    pub(crate) streams: Arc<Semaphore>,
}

impl Mount {
    /// Mounts the rules with these settings.
    ///
    /// # Errors
    /// When the CSRF header is not the name of a header, or the access tokens do not say what the
    /// profile of this mount promises.
    pub fn new(
        hallpass: Hallpass,
        web: Web,
        proxies: TrustedProxies,
    ) -> Result<Self, RefusedSettings> {
        let profile = web.settings().profile;
        let of_tokens = profile.of_tokens();
        if of_tokens != Profile::Native && of_tokens != hallpass.settings().profile {
            let expected = "expected the profile of the access tokens, or the native one";
            return Err(RefusedSettings(vec![SettingFault::new(
                "profile", expected,
            )]));
        }
        let settings = gate_settings(&web)?;
        let resync = Arc::new(Resync::new(hallpass.clone()));
        let gate = Gate::new(
            settings,
            hallpass.verifier().clone(),
            hallpass.clock().clone(),
        )
        .with_upstream(Arc::new(OwnStore(Arc::clone(&resync))));
        Ok(Self(Arc::new(Inner {
            resync,
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
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

    /// Returns the names and shapes of this mount's profile.
    pub(crate) fn wire(&self) -> &'static Wire {
        Wire::of(self.web().settings().profile)
    }

    /// Tells whether any token is handed out in a cookie here. If none is, none is read.
    pub(crate) fn uses_cookies(&self) -> bool {
        self.web().sets_cookies()
    }

    /// Returns how long a verifier has to keep in mind what was revoked, in whole seconds.
    pub(crate) fn kept_seconds(&self) -> u64 {
        let kept_for = self.0.hallpass.settings().kept_for() + Duration::from_millis(999);
        kept_for.as_secs()
    }

    /// Learns what other processes did up to now.
    pub(crate) async fn resync(&self) {
        self.0.resync.run().await;
    }

    /// Learns the keys that other processes made, if this token names one that is not known.
    pub(crate) async fn learn_key_of(&self, token: &str) {
        let (rules, now) = (self.hallpass(), self.hallpass().clock().now());
        let verified = rules.verifier().verify(token, Location::Header, now);
        if matches!(verified, Err(TokenError::UnknownKey | TokenError::NoKeys)) {
            self.resync().await;
        }
    }

    /// Returns the settings of the web side.
    #[must_use]
    pub fn web(&self) -> &Web {
        &self.0.web
    }
}

/// Returns what the gate looks at, by the settings of the web side.
fn gate_settings(web: &Web) -> Result<GateSettings, RefusedSettings> {
    let settings = web.settings();
    let refused =
        |setting, expected: &str| RefusedSettings(vec![SettingFault::new(setting, expected)]);
    let csrf_header = HeaderName::try_from(&settings.csrf_header)
        .map_err(|_| refused("http.csrf_header", "expected the name of a header"))?;
    let csrf_also = settings.csrf_also.iter();
    let csrf_also = csrf_also
        .map(|name| Method::from_bytes(name.as_bytes()))
        .collect::<Result<_, _>>()
        .map_err(|_| refused("http.csrf_also", "expected the names of methods"))?;
    Ok(GateSettings {
        locations: web.locations(),
        token_header: settings.token_header.clone(),
        query_name: settings.query_name.clone(),
        body_name: settings.body_name.clone(),
        csrf_header,
        csrf_field: settings.csrf_field.clone(),
        csrf_also,
        csrf_rule: Wire::of(settings.profile).csrf,
        ..GateSettings::new(web.cookies().access().clone(), web.origins().clone())
    })
}

impl Deref for Mount {
    type Target = Hallpass;

    fn deref(&self) -> &Hallpass {
        self.hallpass()
    }
}
