//! From settings to what the crates below ask for, with every refusal at once.

use super::load::ConfigFaults;
use super::schema::{Config, Cookies, Http, Passwords, Tokens};
use super::values::Span;
use hallpass_axum::TrustedProxies;
use hallpass_axum::serve::{Limits, PublicScheme};
use hallpass_core::key::KeySettings;
use hallpass_core::password::{Argon2idCost, HashPoolSettings};
use hallpass_core::service::Service;
use hallpass_core::{
    CookieNames, Lifetimes, SameSites, SettingFault, Settings, ThrottleSettings, Web, WebSettings,
};
use hallpass_io::Database;
use hallpass_verify::Algorithm;
use hallpass_verify::cookies::{Partitioning, Security};
use std::path::PathBuf;
use std::time::Duration;

/// The smallest head that hyper can be told to stop at, in bytes.
const HEAD_LEN_MIN: usize = 8 * 1024;

/// Everything the program needs to start, checked.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The settings of the rules.
    pub(crate) settings: Settings,
    /// The settings of the web side.
    pub(crate) web: Web,
    /// Whose word about the client's address counts.
    pub(crate) proxies: TrustedProxies,
    /// What a connection may cost.
    pub(crate) limits: Limits,
    /// How browsers reach us.
    pub(crate) scheme: PublicScheme,
    /// Where things are kept.
    pub(crate) database: Database,
    /// The file of the master secret, unless the configuration itself holds it.
    pub(crate) secret_file: PathBuf,
    /// What is allowed, and probably not meant.
    pub(crate) warnings: Vec<String>,
}

impl Config {
    /// Checks everything before the program listens.
    ///
    /// # Errors
    /// With every refusal.
    pub(crate) fn check(&self) -> Result<Plan, ConfigFaults> {
        // The system picks a port for port 0, so any real one will do.
        self.plan(self.listen.port().max(1))
    }

    /// Checks everything, given the port that the program really listens on.
    ///
    /// # Errors
    /// With every refusal.
    pub(crate) fn plan(&self, port: u16) -> Result<Plan, ConfigFaults> {
        let mut faults = Vec::new();
        let public_url = self.public_url(port).unwrap_or_else(|fault| {
            faults.push(fault);
            // Stands in, so that the rest is checked as well.
            "https://hallpass.invalid".into()
        });
        let services = services(&self.services, &mut faults);
        let settings = settings(self, &public_url, services);
        faults.extend(settings.faults());
        let web = Web::checked(web_settings(self, &public_url, port))
            .map_err(|refused| faults.extend(refused.0))
            .ok();
        let proxies = TrustedProxies::parse(self.trusted_proxies.iter().map(String::as_str))
            .map_err(|fault| faults.push(SettingFault::new("trusted_proxies", fault.to_string())))
            .unwrap_or_default();
        let database = self.database().map_err(|fault| faults.push(fault)).ok();
        faults.extend(secret_faults(self));
        faults.extend(http_faults(&self.http));
        match (web, database) {
            (Some(web), Some(database)) if faults.is_empty() => Ok(Plan {
                scheme: scheme(&web),
                settings,
                web,
                proxies,
                limits: limits(&self.http),
                database,
                secret_file: self.data.join("secret"),
                warnings: warnings(self),
            }),
            _ => Err(ConfigFaults(
                faults.iter().map(ToString::to_string).collect(),
            )),
        }
    }

    fn public_url(&self, port: u16) -> Result<String, SettingFault> {
        match &self.public_url {
            Some(url) => Ok(url.clone()),
            None if self.listen.ip().is_loopback() => Ok(format!("http://localhost:{port}")),
            None => Err(SettingFault::new(
                "public_url",
                format!(
                    "expected the URL under which users reach us, such as `https://auth.example.com`, \
                     since we listen on {}, not on loopback",
                    self.listen
                ),
            )),
        }
    }

    fn database(&self) -> Result<Database, SettingFault> {
        match &self.database {
            None => Ok(Database::Sqlite(self.data.join("hallpass.db"))),
            Some(url) => Database::parse(url)
                .map_err(|fault| SettingFault::new("database", fault.to_string())),
        }
    }
}

/// The texts are not repeated: somebody may have put the secret there instead of its hash.
fn services(texts: &[String], faults: &mut Vec<SettingFault>) -> Vec<Service> {
    let read = texts.iter().map(|text| Service::parse(text));
    read.filter_map(|service| {
        service
            .map_err(|fault| faults.push(SettingFault::new("services", fault.to_string())))
            .ok()
    })
    .collect()
}

fn secret_faults(config: &Config) -> Vec<SettingFault> {
    let current = config.secret.iter().map(|secret| ("secret", secret));
    let former = config.former_secrets.iter();
    current
        .chain(former.map(|secret| ("former_secrets", secret)))
        .filter_map(|(setting, secret)| {
            let fault = secret.read().err()?;
            Some(SettingFault::new(setting, fault.to_string()))
        })
        .collect()
}

fn warnings(config: &Config) -> Vec<String> {
    let is_symmetric = algorithm(config) == Algorithm::Hs256;
    let mut warnings = Vec::new();
    if is_symmetric && !config.services.is_empty() {
        warnings.push(
            "`tokens.algorithm`: HS256 has no public keys, so services cannot verify tokens on their own, \
             only ask about each (introspection): choose EdDSA"
                .into(),
        );
    }
    warnings
}

/// What access tokens are signed with: by default what the profile expects.
fn algorithm(config: &Config) -> Algorithm {
    let by_profile = config.profile.0.algorithm();
    config.tokens.algorithm.map_or(by_profile, |name| name.0)
}

fn settings(config: &Config, public_url: &str, services: Vec<Service>) -> Settings {
    let Tokens {
        algorithm: _,
        issuer,
        audience,
        access_ttl,
        sessionless_ttl_max,
        refresh_idle_ttl,
        session_ttl,
        transient_idle_ttl,
        transient_session_ttl,
        refresh_grace,
        leeway,
    } = &config.tokens;
    let throttle = &config.throttle;
    let by_profile = Settings::for_profile(config.profile.0, public_url);
    Settings {
        issuer: issuer
            .clone()
            .unwrap_or_else(|| public_url.trim_end_matches('/').to_owned()),
        profile: config.profile.0,
        audience: audience.clone(),
        algorithm: algorithm(config),
        access_ttl: span(*access_ttl, by_profile.access_ttl),
        sessionless_ttl_max: sessionless_ttl_max.map(|span| span.0),
        leeway: leeway.0,
        remembered: Lifetimes {
            idle: span(*refresh_idle_ttl, by_profile.remembered.idle),
            absolute: span(*session_ttl, by_profile.remembered.absolute),
        },
        transient: Lifetimes {
            idle: span(*transient_idle_ttl, by_profile.transient.idle),
            absolute: span(*transient_session_ttl, by_profile.transient.absolute),
        },
        refresh_grace: refresh_grace.0,
        password_cost: password_cost(&config.passwords),
        password_pool: password_pool(&config.passwords),
        throttle: ThrottleSettings {
            account_and_address_failures_max: throttle.account_and_address_failures_max,
            account_failures_max: throttle.account_failures_max,
            address_failures_max: throttle.address_failures_max,
            window: throttle.window.0,
        },
        keys: KeySettings {
            rotate_every: config.keys.rotate_every.0,
            announce: config.keys.announce.0,
            jwks_max_age: config.keys.jwks_max_age.0,
        },
        services,
    }
}

fn password_cost(passwords: &Passwords) -> Argon2idCost {
    let Passwords {
        memory_kib,
        iterations,
        parallelism,
        ..
    } = *passwords;
    Argon2idCost {
        memory_kib,
        iterations,
        parallelism,
    }
}

fn span(said: Option<Span>, by_profile: Duration) -> Duration {
    said.map_or(by_profile, |span| span.0)
}

fn password_pool(passwords: &Passwords) -> HashPoolSettings {
    let by_cores = HashPoolSettings::default().workers;
    let workers = if passwords.workers == 0 {
        by_cores
    } else {
        passwords.workers
    };
    HashPoolSettings {
        workers,
        queue_len_max: passwords.queue,
    }
}

fn web_settings(config: &Config, public_url: &str, port: u16) -> WebSettings {
    let Cookies {
        domain,
        path,
        partitioned,
        ..
    } = &config.cookies;
    let cookies = &config.cookies;
    let mut trusted_origins = config.trusted_origins.clone();
    if config.public_url.is_none() {
        // `http://localhost:8080` and `http://127.0.0.1:8080` are one program to whoever tries it.
        let mut listening = config.listen;
        listening.set_port(port);
        trusted_origins.push(format!("http://{listening}"));
    }
    let by_profile = WebSettings::for_profile(config.profile.0, public_url);
    let delivery = &config.delivery;
    let allowed: Vec<_> = delivery.allowed.iter().map(|name| name.0).collect();
    WebSettings {
        public_url: public_url.to_owned(),
        profile: config.profile.0,
        prefix: config.http.prefix.clone(),
        accounts: config.accounts.0,
        trusted_origins,
        csrf_header: config.http.csrf_header.clone(),
        delivery: delivery.default.map_or(by_profile.delivery, |name| name.0),
        deliveries: if allowed.is_empty() {
            by_profile.deliveries
        } else {
            allowed
        },
        cookie_domain: domain.clone(),
        cookie_names: CookieNames {
            access: cookies.access_name.clone(),
            refresh: cookies.refresh_name.clone(),
            csrf: cookies.csrf_name.clone(),
            csrf_of_refresh: None,
        },
        same_site: SameSites {
            access: cookies.access_same_site.0,
            refresh: cookies.refresh_same_site.0,
            csrf: cookies.csrf_same_site.0,
        },
        cookie_path: path.clone(),
        partitioned: if *partitioned {
            Partitioning::Partitioned
        } else {
            Partitioning::Shared
        },
        danger_allow_http: config.danger_allow_http,
        ..WebSettings::new(public_url)
    }
}

fn scheme(web: &Web) -> PublicScheme {
    match web.security() {
        Security::Secure => PublicScheme::Https,
        Security::Plain => PublicScheme::Http,
    }
}

fn limits(http: &Http) -> Limits {
    Limits {
        head: http.head_timeout.0,
        body: http.body_timeout.0,
        idle: http.idle_timeout.0,
        write: http.write_timeout.0,
        drain: http.drain_timeout.0,
        head_len_max: http.head_len_max,
        target_len_max: http.target_len_max,
        body_len_max: http.body_len_max,
        connections_max: http.connections_max,
    }
}

fn http_faults(http: &Http) -> Vec<SettingFault> {
    let mut faults = Vec::new();
    for (setting, timeout) in [
        ("http.head_timeout", http.head_timeout),
        ("http.body_timeout", http.body_timeout),
        ("http.idle_timeout", http.idle_timeout),
        ("http.write_timeout", http.write_timeout),
    ] {
        if timeout.0.is_zero() {
            faults.push(SettingFault::new(
                setting,
                "expected more than 0 s: nobody could be served",
            ));
        }
    }
    if http.head_len_max < HEAD_LEN_MIN {
        faults.push(SettingFault::new(
            "http.head_len_max",
            "expected 8192 bytes at least",
        ));
    }
    if !(1..=1_000_000).contains(&http.connections_max) {
        faults.push(SettingFault::new(
            "http.connections_max",
            "expected 1 to 1000000",
        ));
    }
    faults
}

#[cfg(test)]
mod tests;
