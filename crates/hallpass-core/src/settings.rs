//! The settings of the rules: plain data, checked once at start.

use crate::grant::TTL_MIN;
use crate::key::KeySettings;
use crate::password::{Argon2idCost, HashPoolSettings};
use crate::profile::Profile;
use crate::service::{self, Service};
use crate::throttle::ThrottleSettings;
use hallpass_verify::{Algorithm, AudienceClaim};
use std::fmt;
use std::time::Duration;

/// Browsers keep no cookie longer (RFC 6265bis §5.5).
pub const LIFETIME_MAX: Duration = Duration::from_hours(9600);
/// Verifiers refuse access tokens that live longer.
pub const ACCESS_TTL_MAX: Duration = Duration::from_hours(24);
/// A longer grace period would help thieves more than clients.
pub const GRACE_MAX: Duration = Duration::from_mins(1);
/// The widest gap between clocks that is put up with.
pub const LEEWAY_MAX: Duration = Duration::from_mins(1);

/// The settings of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The claim `iss`: a URL that names this deployment.
    pub issuer: String,
    /// Whose claims access tokens have. Default: ours.
    pub profile: Profile,
    /// The claim `aud`. Default: the issuer; none where the profile has none.
    pub audience: Option<String>,
    /// What access tokens are signed with. Default: `EdDSA`, or what the profile expects.
    pub algorithm: Algorithm,
    /// How long an access token lives. Default: 15 minutes, or [`Profile::access_ttl`].
    pub access_ttl: Duration,
    /// The longest lifetime of an access token that belongs to no session, at most 24 hours. Default:
    /// none, and then such tokens are neither issued nor accepted.
    ///
    /// # Security
    /// Such a token stands in no list and is not renewed. It ends alone, by its `jti`, or with all of
    /// its user's, and that long it is kept in mind what was revoked. So all processes on one store
    /// must have the same: one with less forgets for all. And whoever raises it again after it was
    /// lowered waits as long as it was before.
    pub sessionless_ttl_max: Option<Duration>,
    /// How far the clocks of machines may be apart. Default: 10 seconds.
    pub leeway: Duration,
    /// The lifetimes of a session that is remembered. Default: 30 days idle, 90 days in all, or
    /// [`Profile::remembered`].
    pub remembered: Lifetimes,
    /// The lifetimes of a session that is not. Default: 12 hours idle, 24 hours in all, or
    /// [`Profile::transient`].
    pub transient: Lifetimes,
    /// How long a refresh token may be used again after it was rotated. Default: 10 seconds;
    /// zero switches it off.
    pub refresh_grace: Duration,
    /// What a password hash costs. Default: 19 MiB, 2 passes, 1 lane.
    pub password_cost: Argon2idCost,
    /// How many passwords are hashed at once. Default: one for each core, 64 waiting.
    pub password_pool: HashPoolSettings,
    /// How many failed sign-ins are taken.
    pub throttle: ThrottleSettings,
    /// How signing keys come and go.
    pub keys: KeySettings,
    /// The services that may ask about tokens. Default: none.
    pub services: Vec<Service>,
}

/// How long a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Without a refresh.
    pub idle: Duration,
    /// In all.
    pub absolute: Duration,
}

impl Settings {
    /// Returns the defaults for an issuer.
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> Self {
        Self::for_profile(Profile::Native, issuer)
    }

    /// Returns the defaults of a profile for an issuer.
    #[must_use]
    pub fn for_profile(profile: Profile, issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            profile,
            audience: None,
            algorithm: profile.algorithm(),
            access_ttl: profile.access_ttl(),
            sessionless_ttl_max: None,
            leeway: Duration::from_secs(10),
            remembered: profile.remembered(),
            transient: profile.transient(),
            refresh_grace: Duration::from_secs(10),
            password_cost: Argon2idCost::default(),
            password_pool: HashPoolSettings::default(),
            throttle: ThrottleSettings::default(),
            keys: KeySettings::default(),
            services: Vec::new(),
        }
    }

    /// Returns whom access tokens are for.
    #[must_use]
    pub fn audience(&self) -> &str {
        self.audience.as_deref().unwrap_or(&self.issuer)
    }

    /// Returns the claim `aud`, if the profile has one.
    #[must_use]
    pub fn audience_claim(&self) -> Option<&str> {
        match self.profile.audience_claim() {
            AudienceClaim::Required => Some(self.audience()),
            AudienceClaim::Absent => None,
        }
    }

    /// Returns the longest lifetime that an access token may have.
    #[must_use]
    pub fn token_ttl_max(&self) -> Duration {
        self.access_ttl
            .max(self.sessionless_ttl_max.unwrap_or_default())
    }

    /// Returns how long it matters that a session has ended or a key no longer signs: until then an
    /// access token of it may be unexpired on some machine's clock.
    #[must_use]
    pub fn kept_for(&self) -> Duration {
        self.token_ttl_max()
            .saturating_add(self.leeway.saturating_mul(2))
    }

    /// Returns every reason to refuse these settings.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Vec::new();
        let mut refuse = |wrong: bool, setting, reason: &str| {
            if wrong {
                faults.push(SettingFault::new(setting, reason));
            }
        };
        refuse(
            self.issuer.is_empty(),
            "tokens.issuer",
            "expected a URL that names this deployment",
        );
        refuse(
            self.audience().is_empty(),
            "tokens.audience",
            "expected a name or a URL",
        );
        refuse(
            self.audience.is_some() && self.audience_claim().is_none(),
            "tokens.audience",
            "expected none: tokens of this profile name no audience",
        );
        refuse(
            self.access_ttl < TTL_MIN || self.access_ttl > ACCESS_TTL_MAX,
            "tokens.access_ttl",
            "expected 10 seconds to 24 hours: an access token is meant to be short-lived",
        );
        refuse(
            self.sessionless_ttl_max
                .is_some_and(|ttl| ttl < TTL_MIN || ttl > ACCESS_TTL_MAX),
            "tokens.sessionless_ttl_max",
            "expected 10 seconds to 24 hours: nothing renews such a token, and nothing lists it",
        );
        refuse(
            self.leeway > LEEWAY_MAX,
            "tokens.leeway",
            "expected at most 60 seconds: set the clocks of the machines instead",
        );
        refuse(
            self.refresh_grace > GRACE_MAX || self.refresh_grace >= self.access_ttl,
            "tokens.refresh_grace",
            "expected at most 60 seconds, and less than tokens.access_ttl: for that long a stolen token goes unnoticed",
        );
        for (setting, lifetimes) in [
            ("tokens.refresh_idle_ttl", self.remembered),
            ("tokens.transient_idle_ttl", self.transient),
        ] {
            refuse(
                lifetimes.idle < self.access_ttl,
                setting,
                "expected at least tokens.access_ttl: a refresh token must outlive the access token it renews",
            );
            refuse(
                lifetimes.absolute < lifetimes.idle,
                setting,
                "expected at most the lifetime of the session in all",
            );
            refuse(
                lifetimes.absolute > LIFETIME_MAX,
                setting,
                "expected a session of at most 400 days: browsers keep no cookie longer",
            );
        }
        refuse(
            self.password_pool.queue_len_max == 0,
            "passwords.queue",
            "expected a queue of at least 1",
        );
        for (setting, reason) in self.keys.faults(self.kept_for()) {
            faults.push(SettingFault::new(setting, reason));
        }
        faults.extend(service::faults(&self.services));
        if let Err(fault) = crate::password::Argon2id::new(self.password_cost) {
            faults.push(SettingFault::new("passwords", fault.to_string()));
        }
        faults
    }
}

/// Why a setting is refused, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    /// The setting, as the configuration file calls it.
    pub setting: &'static str,
    /// What was expected.
    pub reason: String,
}

impl SettingFault {
    /// Says which setting is refused and what was expected.
    pub fn new(setting: &'static str, reason: impl Into<String>) -> Self {
        Self {
            setting,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.setting, self.reason)
    }
}

/// Every reason why the settings are refused.
#[derive(Debug, thiserror::Error)]
#[error("the settings are refused: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct RefusedSettings(pub Vec<SettingFault>);

#[cfg(test)]
mod tests;
