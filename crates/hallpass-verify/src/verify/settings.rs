//! What a verifier expects of tokens.

use std::time::Duration;

/// The greatest leeway there may be.
const LEEWAY_MAX: Duration = Duration::from_mins(1);

/// The greatest [`VerifierSettings::token_len_max`] there may be, in bytes.
const TOKEN_LEN_LIMIT: usize = 65_536;

/// What a verifier expects of access tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierSettings {
    /// The issuer. `iss` must be equal, byte by byte.
    pub issuer: String,
    /// We. `aud` must contain it, byte by byte.
    pub audience: String,
    /// Whether tokens say whom they are for. Default: they must.
    pub audience_claim: AudienceClaim,
    /// How far clocks may differ. Default 10 s, at most 60 s.
    pub leeway: Duration,
    /// The longest time between `iat` and `exp`. Default 24 h: a token that is good for years
    /// was not issued by a sane issuer.
    pub lifetime_max: Duration,
    /// Whether tokens need a `sid`. Default: required, so that every token can be revoked.
    pub session_claim: SessionClaim,
    /// The longest token, in bytes. Default 16,384, at most 65,536.
    pub token_len_max: usize,
    /// How many verified tokens are kept in mind. Default 10,000; 0 turns it off.
    pub remembered_tokens_max: usize,
}

/// Whether tokens say whom they are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AudienceClaim {
    /// A token is refused unless its `aud` names us (RFC 9068 §4).
    #[default]
    Required,
    /// A token with an `aud` is refused: an issuer whose tokens go to libraries that know no
    /// audience writes none.
    ///
    /// # Security
    /// Whoever accepts the issuer's tokens accepts all of them: a service can present what it was
    /// sent to another one. Only among services that trust each other.
    Absent,
}

/// Whether tokens need a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SessionClaim {
    /// A token without `sid` is refused.
    #[default]
    Required,
    /// A token without `sid` belongs to no session and is good until it expires.
    Optional,
}

/// Why settings were refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsFault {
    /// The issuer is empty.
    #[error("expected an issuer")]
    Issuer,
    /// The audience is empty.
    #[error("expected an audience")]
    Audience,
    /// The leeway is too great.
    #[error("expected a leeway of at most 60 s")]
    Leeway,
    /// The lifetime is zero.
    #[error("expected a greatest lifetime of at least 1 s")]
    Lifetime,
    /// The token length is out of range.
    #[error("expected a greatest token length of 1 to 65,536 bytes")]
    TokenLength,
}

impl VerifierSettings {
    /// Returns the default settings for tokens of `issuer` that are meant for `audience`.
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            audience_claim: AudienceClaim::Required,
            leeway: Duration::from_secs(10),
            lifetime_max: Duration::from_hours(24),
            session_claim: SessionClaim::Required,
            token_len_max: 16_384,
            remembered_tokens_max: 10_000,
        }
    }

    pub(super) fn check(&self) -> Result<(), SettingsFault> {
        if self.issuer.is_empty() {
            return Err(SettingsFault::Issuer);
        }
        if self.audience.is_empty() && self.audience_claim == AudienceClaim::Required {
            return Err(SettingsFault::Audience);
        }
        if self.leeway > LEEWAY_MAX {
            return Err(SettingsFault::Leeway);
        }
        if self.lifetime_max < Duration::from_secs(1) {
            return Err(SettingsFault::Lifetime);
        }
        if !(1..=TOKEN_LEN_LIMIT).contains(&self.token_len_max) {
            return Err(SettingsFault::TokenLength);
        }
        Ok(())
    }
}
