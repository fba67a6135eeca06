//! How a remote verifier is put together.

use super::answer::Line;
use super::ask::Asker;
use super::builder::Builder;
use super::client::Trust;
use super::disk::KeyFile;
use super::endpoints::Issuer;
use super::fetch::{Fetcher, Known};
use super::listen::{Ears, Listener};
use super::refresh::Refresher;
use super::service::Service;
use super::state::RevocationState;
use super::upstream::{Far, Told};
use super::{Remote, RemoteFault};
use crate::cookies::Security;
use crate::{Cookie, CookieSettings, Gate, GateSettings, KeySet, Keys, Locations, Origin};
use crate::{OriginFault, OriginPolicy, Revocations, Verifier, VerifierSettings, WhenStale};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;
use url::Url;

impl Builder {
    /// Starts what goes on in the background, and does not wait for it.
    ///
    /// # Errors
    /// When a setting cannot be right, or there is no tokio runtime. An issuer that is down, and a
    /// file that is broken, are no errors: both are logged.
    pub fn start(self) -> Result<Remote, RemoteFault> {
        let runtime = Handle::try_current().map_err(|_| RemoteFault::NoRuntime)?;
        let issuer = Issuer::checked(&self.issuer, self.plain_http)?;
        let gate = self.gate_settings(&issuer)?;
        let verifier = self.verifier()?;
        let service = self.checked_service()?;
        let trust = self.trust()?;
        let client = trust.client(issuer.url()).timeout(self.document_timeout);
        let client = client.build().map_err(RemoteFault::Client)?;
        let line = trust.client(issuer.url()).build();
        let line = line.map_err(RemoteFault::Client)?;
        let line = service.map(|service| Line::new(line, &service));
        let keys = Arc::new(self.refresher(&issuer, verifier.keys()));
        let known = Known::default();
        let mut far = Far {
            keys: Arc::clone(&keys),
            endpoints: known.endpoints.subscribe(),
            told: line.as_ref().map(|line| self.told(line)),
            tasks: Vec::new(),
        };
        if let (Some(line), Some(told)) = (line, &far.told) {
            let endpoint = known.revocations.subscribe();
            let listener = self.listener(line, endpoint, told, &verifier, &keys);
            far.tasks.push(runtime.spawn(listener.run()).abort_handle());
        }
        let fetching = keys.run(Fetcher::new(client, issuer, known));
        far.tasks.push(runtime.spawn(fetching).abort_handle());
        let far = Arc::new(far);
        let gate = Gate::new(gate, verifier, self.clock)
            .with_upstream(Arc::clone(&far) as _)
            .with_when_stale(self.when_stale);
        let gate = Arc::new(gate);
        Ok(Remote { gate, far })
    }

    fn checked_service(&self) -> Result<Option<Service>, RemoteFault> {
        match &self.service {
            Some((name, secret)) => Service::checked(name, secret).map(Some),
            None if self.when_stale != WhenStale::GoOn => Err(RemoteFault::NoService),
            None => Ok(None),
        }
    }

    fn refresher(&self, issuer: &Issuer, keys: &Arc<Keys>) -> Refresher {
        let file = self.cache_file.clone().map(KeyFile::at);
        let (keys, clock) = (Arc::clone(keys), Arc::clone(&self.clock));
        Refresher::new(issuer.as_str(), keys, clock, file, self.pace)
    }

    fn told(&self, line: &Line) -> Told {
        Told {
            state: Arc::new(RevocationState::new(self.stream_bound)),
            asker: Asker::new(line.clone()),
        }
    }

    fn listener(
        &self,
        line: Line,
        endpoint: watch::Receiver<Option<Url>>,
        told: &Told,
        verifier: &Arc<Verifier>,
        keys: &Arc<Refresher>,
    ) -> Listener {
        let keys = Arc::clone(keys);
        Listener {
            line,
            endpoint,
            ears: Ears {
                verifier: Arc::clone(verifier),
                state: Arc::clone(&told.state),
                clock: Arc::clone(&self.clock),
                key_withdrawn: Arc::new(move || keys.withdrawn()),
            },
            pace: self.listening,
        }
    }

    fn trust(&self) -> Result<Trust, RemoteFault> {
        let trust = if self.trusted_roots.is_empty() {
            Trust::default()
        } else {
            Trust::pem(&self.trusted_roots)?
        };
        Ok(trust.at(self.issuer_address))
    }

    fn verifier(&self) -> Result<Arc<Verifier>, RemoteFault> {
        let audience = self.audience.as_ref().unwrap_or(&self.issuer);
        let settings = VerifierSettings {
            leeway: self.leeway,
            audience_claim: self.audience_claim,
            session_claim: self.session_claim,
            ..VerifierSettings::new(&self.issuer, audience)
        };
        let keys = Arc::new(Keys::new(KeySet::default()));
        let verifier = Verifier::new(settings, keys, Arc::new(Revocations::default()))?;
        Ok(Arc::new(verifier))
    }

    fn gate_settings(&self, issuer: &Issuer) -> Result<GateSettings, RemoteFault> {
        let public_url = self.public_url.as_deref().map(parsed).transpose()?;
        // Without a public URL no cookie is looked at, so nothing rides on this origin.
        let own = origin(public_url.as_ref().unwrap_or(issuer.url()))?;
        let trusted: Result<_, _> = self
            .trusted_origins
            .iter()
            .map(|text| Origin::parse(text))
            .collect();
        let cookie = self.access_cookie.clone();
        let cookie = cookie.unwrap_or_else(|| cookie_of(issuer.url(), public_url.as_ref()));
        let by_default = match public_url {
            Some(_) => Locations::default(),
            None => Locations::HEADER_ONLY,
        };
        Ok(GateSettings {
            locations: self.locations.unwrap_or(by_default),
            token_header: self.token_header.clone(),
            ..GateSettings::new(Cookie::checked(cookie)?, OriginPolicy::new(own, trusted?))
        })
    }
}

fn parsed(url: &str) -> Result<Url, OriginFault> {
    Url::parse(url).map_err(|_| OriginFault::Scheme)
}

fn origin(url: &Url) -> Result<Origin, OriginFault> {
    Origin::parse(&url.origin().ascii_serialization())
}

/// Returns the access cookie as the issuer sets it. A `__Host-` cookie goes to the issuer's host
/// alone; whoever is on another host sees the one that a domain shares.
fn cookie_of(issuer: &Url, public_url: Option<&Url>) -> CookieSettings {
    if issuer.scheme() != "https" {
        return CookieSettings {
            secure: Security::Plain,
            ..CookieSettings::new("hp_access")
        };
    }
    let on_its_host = public_url.is_some_and(|url| url.host() == issuer.host());
    CookieSettings::new(if on_its_host {
        "__Host-hp_access"
    } else {
        "__Secure-hp_access"
    })
}
