//! Whose wire is spoken: what differs are names, paths and shapes, never a rule.

use crate::delivery::Delivery;
use crate::settings::Lifetimes;
use hallpass_verify::{Algorithm, AudienceClaim};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A wire: the names and shapes that clients and other services expect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Profile {
    /// Ours.
    #[default]
    Native,
    /// That of `AuthFort`: what its package `authfort-service` reads verifies our tokens.
    AuthFort,
    /// That of `FastAuth`. Access tokens are as in ours.
    FastAuth,
    /// That of `BluefoxAuth`. Access tokens are as in ours.
    Bluefox,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Native, Self::AuthFort, Self::FastAuth, Self::Bluefox];

    /// Returns the name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::AuthFort => "authfort",
            Self::FastAuth => "fastauth",
            Self::Bluefox => "bluefox",
        }
    }

    /// Returns what access tokens are signed with unless a setting says something else.
    #[must_use]
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::Native | Self::FastAuth | Self::Bluefox => Algorithm::EdDsa,
            // `authfort-service` takes nothing else unless it is told to.
            Self::AuthFort => Algorithm::Rs256,
        }
    }

    /// Returns whether access tokens say whom they are for.
    #[must_use]
    pub const fn audience_claim(self) -> AudienceClaim {
        match self {
            Self::Native | Self::FastAuth | Self::Bluefox => AudienceClaim::Required,
            // `authfort-service` expects no audience, and then refuses a token that has one
            // (RFC 7519 §4.1.3).
            Self::AuthFort => AudienceClaim::Absent,
        }
    }

    /// Returns the profile whose access tokens this one has.
    #[must_use]
    pub const fn of_tokens(self) -> Self {
        match self {
            Self::Native | Self::FastAuth | Self::Bluefox => Self::Native,
            Self::AuthFort => Self::AuthFort,
        }
    }

    /// Returns how long an access token lives unless a setting says something else.
    #[must_use]
    pub const fn access_ttl(self) -> Duration {
        match self {
            Self::Native | Self::AuthFort | Self::FastAuth => Duration::from_mins(15),
            Self::Bluefox => Duration::from_mins(30),
        }
    }

    /// Returns how long a session lives whose user is remembered, unless a setting says something
    /// else.
    ///
    /// The other systems know no lifetime in all: a session that is refreshed goes on for ever.
    #[must_use]
    pub const fn remembered(self) -> Lifetimes {
        let (idle, absolute) = match self {
            Self::Native | Self::AuthFort => (30, 90),
            // `remember_me_ttl`, which it forgets at the first refresh.
            Self::FastAuth => (90, 180),
            Self::Bluefox => (7, 90),
        };
        Lifetimes {
            idle: DAY.saturating_mul(idle),
            absolute: DAY.saturating_mul(absolute),
        }
    }

    /// Returns how long a session lives whose user is not remembered, unless a setting says
    /// something else.
    #[must_use]
    pub const fn transient(self) -> Lifetimes {
        match self {
            Self::Native | Self::AuthFort | Self::Bluefox => Lifetimes {
                idle: HOUR.saturating_mul(12),
                absolute: DAY,
            },
            // Who does not ask to be remembered stays signed in when the window closes.
            Self::FastAuth => Lifetimes {
                idle: DAY.saturating_mul(30),
                absolute: DAY.saturating_mul(90),
            },
        }
    }

    /// Returns the claims that access tokens of this profile have besides those of all: an app
    /// cannot have them for its own.
    pub(crate) const fn claims(self) -> &'static [&'static str] {
        match self {
            Self::Native | Self::FastAuth | Self::Bluefox => &[],
            Self::AuthFort => &["email", "name", "ver", "mfa_enabled"],
        }
    }

    /// Returns how tokens are handed out to whoever does not say, unless a setting says something
    /// else.
    #[must_use]
    pub const fn delivery(self) -> Delivery {
        match self {
            Self::Native => Delivery::Cookie,
            Self::FastAuth => Delivery::Body,
            Self::AuthFort | Self::Bluefox => Delivery::Both,
        }
    }

    /// Returns the deliveries there are in this profile.
    #[must_use]
    pub const fn deliveries(self) -> &'static [Delivery] {
        match self {
            Self::Native | Self::FastAuth => &[Delivery::Cookie, Delivery::Split, Delivery::Body],
            Self::AuthFort | Self::Bluefox => &Delivery::ALL,
        }
    }

    /// Returns the names of the access, the refresh and the CSRF cookie, unless they are ours.
    pub(crate) const fn cookie_names(self) -> Option<[&'static str; 3]> {
        match self {
            Self::Native => None,
            // Under `AuthFort` no CSRF cookie is set; the third name is taken all the same.
            Self::AuthFort | Self::FastAuth => {
                Some(["access_token", "refresh_token", "csrf_token"])
            }
            Self::Bluefox => Some(["bf_access_token", "bf_refresh_token", "bf_csrf_token"]),
        }
    }
}
