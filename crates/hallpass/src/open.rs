//! From a database URL to routes and a layer.

use crate::Error;
use axum::Router;
use hallpass_axum::{Mount, TrustedProxies};
use hallpass_core::key::MasterSecret;
use hallpass_core::service::Service;
use hallpass_core::{Parts, Profile, Settings, SystemRandom, Web, WebSettings};
use hallpass_io::sqlite::{Options, SqliteStore};
use hallpass_io::{Database, former_secret_path, load_if_there, load_or_create};
use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where an app in development is reached.
const DEVELOPMENT_URL: &str = "http://localhost:3000";

/// Everything an app needs. By `Deref`: the routes to mount, the layer for its own routes and what
/// those need ([`Mount`]), and the rules themselves ([`hallpass_core::Hallpass`]). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hallpass {
    mount: Mount,
}

impl Hallpass {
    /// Opens a database such as `sqlite://app.db`, and makes it if it is not there, with the
    /// defaults of development: reached at `http://localhost:3000`.
    ///
    /// The master secret is kept beside the database in `app.db.secret`, mode 0600.
    ///
    /// # Errors
    /// When the database or the secret cannot be used.
    pub async fn open(database: &str) -> Result<Self, Error> {
        Self::builder(database).open().await
    }

    /// Returns a builder, to say where the app is reached and what else is different.
    pub fn builder(database: &str) -> Builder {
        let web = WebSettings::new(DEVELOPMENT_URL);
        Builder {
            database: database.to_owned(),
            settings: None,
            changes: Vec::new(),
            web,
            secret: None,
            former_secrets: Vec::new(),
            services: Vec::new(),
            proxies: TrustedProxies::default(),
        }
    }

    /// Adds the routes under `/auth` to an app, and puts around all of it what
    /// [`around`](Mount::around) does. Under a [profile](Builder::profile) errors of the app's own
    /// routes are said in its words too.
    pub fn protect(&self, app: Router) -> Router {
        self.around(app.merge(self.routes()))
    }
}

impl Deref for Hallpass {
    type Target = Mount;

    fn deref(&self) -> &Mount {
        &self.mount
    }
}

/// Changes the settings of the rules.
type Change = Box<dyn FnOnce(&mut Settings) + Send>;

/// Opens a [`Hallpass`] with settings of your own.
#[must_use]
pub struct Builder {
    database: String,
    settings: Option<Settings>,
    changes: Vec<Change>,
    web: WebSettings,
    secret: Option<MasterSecret>,
    former_secrets: Vec<MasterSecret>,
    services: Vec<Service>,
    proxies: TrustedProxies,
}

impl Builder {
    /// Says where users reach the app, such as `https://app.example.com`. Cookies follow from it.
    /// Default: `http://localhost:3000`.
    pub fn public_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.web.public_url);
        self
    }

    /// Speaks to clients and services in the names and shapes of a profile. Default: ours.
    ///
    /// With [`settings`](Self::settings) of your own, start from [`Settings::for_profile`]; say
    /// what is different on the [web](Self::web) side afterwards.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.web.profile = profile;
        self.web.delivery = profile.delivery();
        self.web.deliveries = profile.deliveries().to_vec();
        self
    }

    /// Names a kind of users, such as `admins`, where an app has several: each has a database and
    /// keys of its own, and this name in its cookies, in the path of its routes
    /// (`/admins/auth`), and in the issuer and audience of its tokens.
    ///
    /// # Security
    /// Nothing of one kind is good for another. That holds as long as they do not share a database.
    pub fn kind(mut self, kind: &str) -> Self {
        self.web.prefix = format!("/{kind}/auth");
        self.web.kind = Some(kind.to_owned());
        self
    }

    /// Changes the settings of the web side: cookies, origins, delivery.
    pub fn web(mut self, change: impl FnOnce(&mut WebSettings)) -> Self {
        change(&mut self.web);
        self
    }

    /// Changes the settings of the rules: lifetimes, algorithm, password cost. What changes nothing
    /// stays as it is for the public URL, the profile and the kind, said before or after.
    pub fn rules(mut self, change: impl FnOnce(&mut Settings) + Send + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Takes the settings of the rules: lifetimes, algorithm, password cost. Default: those for
    /// the public URL as the issuer.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Takes the master secret from elsewhere. Default: the file beside the database.
    pub fn secret(mut self, secret: MasterSecret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Opens what is still sealed with a former master secret too; may be said several times.
    /// Beside it the file `app.db.secret.former` is read, if it is there.
    ///
    /// To replace the master secret without signing anyone out: give the new one as
    /// [`secret`](Self::secret) and the old one here, restart every process, call
    /// [`reseal`](hallpass_core::Hallpass::reseal), and forget the old one.
    pub fn former_secret(mut self, secret: MasterSecret) -> Self {
        self.former_secrets.push(secret);
        self
    }

    /// Lets a service ask about tokens and learn what was revoked; may be said several times.
    ///
    /// `hallpass service new NAME` prints its secret and what [`Service::parse`] reads.
    pub fn service(mut self, service: Service) -> Self {
        self.services.push(service);
        self
    }

    /// Believes these proxies when they say whom they speak for. Default: none.
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Opens the database and starts.
    ///
    /// # Errors
    /// When a setting is refused, or the database or the secret cannot be used.
    pub async fn open(self) -> Result<Hallpass, Error> {
        let Database::Sqlite(path) = Database::parse(&self.database)?;
        let secret_file = secret_path(&path);
        let secret = match self.secret {
            Some(secret) => secret,
            None => load_or_create(&secret_file, &SystemRandom)?,
        };
        let mut former_secrets = self.former_secrets;
        former_secrets.extend(load_if_there(&former_secret_path(&secret_file))?);
        let store = SqliteStore::open(&path, Options::default())?;
        let mut settings = self
            .settings
            .unwrap_or_else(|| Settings::for_profile(self.web.profile, issuer(&self.web)));
        for change in self.changes {
            change(&mut settings);
        }
        settings.services.extend(self.services);
        let parts = Parts::new(Arc::new(store), secret).former_secrets(former_secrets);
        let web = Web::checked(self.web)?;
        let rules = hallpass_core::Hallpass::start(settings, parts).await?;
        let mount = Mount::new(rules, web, self.proxies)?;
        mount.spawn_jobs();
        Ok(Hallpass { mount })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("database", &self.database)
            .field("web", &self.web)
            .finish_non_exhaustive()
    }
}

/// Returns the name of the deployment, or of this kind of users in it.
fn issuer(web: &WebSettings) -> String {
    match &web.kind {
        Some(kind) => format!("{}/{kind}", web.public_url.trim_end_matches('/')),
        None => web.public_url.clone(),
    }
}

fn secret_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".secret");
    path.into()
}
