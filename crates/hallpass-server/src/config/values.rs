//! Kinds of values that settings have beyond numbers and texts.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hallpass_core::key::{MasterSecret, WeakSecret};
use hallpass_core::{Accounts, Delivery, Profile};
use hallpass_verify::Algorithm;
use hallpass_verify::cookies::SameSite;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// A span of time, written as `15m` or `30d`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span(pub(crate) Duration);

impl Span {
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    pub(crate) const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if self.0.subsec_nanos() > 0 {
            return write!(f, "{}ms", self.0.as_millis());
        }
        for (unit, len) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
            if seconds > 0 && seconds.is_multiple_of(len) {
                return write!(f, "{}{unit}", seconds / len);
            }
        }
        write!(f, "{seconds}s")
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span = humantime::parse_duration(&text).map_err(|_| {
            D::Error::custom(format!(
                "expected a time such as `10s`, `15m` or `30d`, got `{text}`"
            ))
        })?;
        Ok(Self(span))
    }
}

/// One of a few names.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident($inner:ty) { $($text:literal = $value:expr,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) struct $name(pub(crate) $inner);

        impl $name {
            const ALL: &'static [(&'static str, $inner)] = &[$(($text, $value),)+];
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let found = Self::ALL.iter().find(|(_, value)| *value == self.0);
                serializer.serialize_str(found.map_or("", |(text, _)| text))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let found = Self::ALL.iter().find(|(name, _)| *name == text);
                found.map(|(_, value)| Self(*value)).ok_or_else(|| {
                    D::Error::custom(format!("expected {}, got `{text}`", [$(concat!("`", $text, "`")),+].join(" or ")))
                })
            }
        }
    };
}

named! {
    /// A signature algorithm.
    AlgorithmName(Algorithm) {
        "EdDSA" = Algorithm::EdDsa,
        "ES256" = Algorithm::Es256,
        "RS256" = Algorithm::Rs256,
        "PS256" = Algorithm::Ps256,
        "HS256" = Algorithm::Hs256,
    }
}

named! {
    /// A wire profile.
    ProfileName(Profile) {
        "native" = Profile::Native,
        "authfort" = Profile::AuthFort,
        "fastauth" = Profile::FastAuth,
        "bluefox" = Profile::Bluefox,
    }
}

named! {
    /// How tokens are handed out.
    DeliveryName(Delivery) {
        "cookie" = Delivery::Cookie,
        "split" = Delivery::Split,
        "body" = Delivery::Body,
        "both" = Delivery::Both,
    }
}

named! {
    /// Who may become a user.
    AccountsName(Accounts) {
        "open" = Accounts::Open,
        "by_invitation" = Accounts::ByInvitation,
    }
}

named! {
    /// What a cookie's SameSite says.
    SameSiteName(SameSite) {
        "strict" = SameSite::Strict,
        "lax" = SameSite::Lax,
        "none" = SameSite::None,
    }
}

/// How the log is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

named! {
    /// How the log is written.
    LogFormatName(LogFormat) {
        "human" = LogFormat::Human,
        "json" = LogFormat::Json,
    }
}

named! {
    /// How much is logged.
    LogLevelName(tracing::Level) {
        "error" = tracing::Level::ERROR,
        "warn" = tracing::Level::WARN,
        "info" = tracing::Level::INFO,
        "debug" = tracing::Level::DEBUG,
        "trace" = tracing::Level::TRACE,
    }
}

named! {
    /// Which requests get a line.
    RequestLogName(hallpass_axum::serve::RequestLog) {
        "failures" = hallpass_axum::serve::RequestLog::Failures,
        "all" = hallpass_axum::serve::RequestLog::All,
        "none" = hallpass_axum::serve::RequestLog::Nothing,
    }
}

/// The master secret as it stands in the environment or in the file: base64 of 32 random bytes.
pub(crate) struct SecretText(Zeroizing<String>);

/// Tells why a text is no master secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretFault {
    #[error("expected base64 of at least 32 random bytes: make one with `openssl rand -base64 32`")]
    NotBase64,
    #[error(transparent)]
    Weak(#[from] WeakSecret),
}

impl SecretText {
    /// Reads it as the secret file is read: both alphabets, with or without padding.
    pub(crate) fn read(&self) -> Result<MasterSecret, SecretFault> {
        let config =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let text = self.0.trim();
        let bytes = [alphabet::URL_SAFE, alphabet::STANDARD]
            .iter()
            .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
            .ok_or(SecretFault::NotBase64)?;
        Ok(MasterSecret::from_bytes(bytes)?)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(redacted)")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secret(text: &str) -> Result<MasterSecret, SecretFault> {
        SecretText(Zeroizing::new(text.to_owned())).read()
    }

    #[test]
    fn kl_05_a_weak_or_sample_secret_is_refused() {
        for weak in [
            "",
            "changeme",
            "secret",
            "a passphrase that is long enough but is no base64",
            "changemechangemechangemechangemechangemechangemechangeme",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "c2hvcnQ=",
        ] {
            assert!(secret(weak).is_err(), "{weak}");
        }
        for good in [
            "oFZbEjs0kcVJQmVxQp1W0n3m8q0yEJcWlrMdpXxvT0o=",
            "oFZbEjs0kcVJQmVxQp1W0n3m8q0yEJcWlrMdpXxvT0o\n",
            "-_ZbEjs0kcVJQmVxQp1W0n3m8q0yEJcWlrMdpXxvT0o",
        ] {
            assert!(secret(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn kl_08_a_secret_does_not_print_itself() {
        let secret: SecretText = serde_json::from_value(json!("s3cr3t")).unwrap();
        assert!(!format!("{secret:?}").contains("s3cr3t"));
        assert!(!serde_json::to_string(&secret).unwrap().contains("s3cr3t"));
    }

    #[test]
    fn a_span_reads_what_it_writes() {
        for text in ["0s", "10s", "90s", "15m", "12h", "36h", "30d", "1500ms"] {
            let span: Span = serde_json::from_value(json!(text)).unwrap();
            assert_eq!(span.to_string(), text);
        }
        for wrong in ["15", "soon", "-1s", "15 min 3", ""] {
            let read = serde_json::from_value::<Span>(json!(wrong));
            assert!(
                read.unwrap_err()
                    .to_string()
                    .starts_with("expected a time such as"),
                "{wrong}"
            );
        }
    }
}
