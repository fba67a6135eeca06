//! Whose wire is spoken: what differs are names, paths and shapes, never a rule.

use hallpass_verify::{Algorithm, AudienceClaim};

/// A wire: the names and shapes that clients and other services expect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Profile {
    /// Ours.
    #[default]
    Native,
    /// That of `AuthFort`: what its package `authfort-service` reads verifies our tokens.
    AuthFort,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Native, Self::AuthFort];

    /// Returns the name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::AuthFort => "authfort",
        }
    }

    /// Returns what access tokens are signed with unless a setting says something else.
    #[must_use]
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::Native => Algorithm::EdDsa,
            // `authfort-service` takes nothing else unless it is told to.
            Self::AuthFort => Algorithm::Rs256,
        }
    }

    /// Returns whether access tokens say whom they are for.
    #[must_use]
    pub const fn audience_claim(self) -> AudienceClaim {
        match self {
            Self::Native => AudienceClaim::Required,
            // `authfort-service` expects no audience, and then refuses a token that has one
            // (RFC 7519 §4.1.3).
            Self::AuthFort => AudienceClaim::Absent,
        }
    }
}
