//! The program as others trust it: with a service that may ask and listen.

use super::process::{Server, free_address};
use super::servers::{Programs, start};
use crate::steps::Stop;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the service is called.
pub(crate) const SERVICE: &str = "bench";

/// How a service proves to the issuer which one it is.
pub(crate) struct Credentials {
    pub(crate) secret: String,
    /// The entry of the issuer's setting `services`.
    entry: String,
}

impl Credentials {
    /// Has the program draw them.
    pub(crate) fn draw(programs: &Programs) -> Result<Self, Stop> {
        let mut command = Command::new(&programs.program);
        let output = command.args(["service", "new", SERVICE]).env_clear();
        let said = String::from_utf8_lossy(&output.output()?.stdout).into_owned();
        Self::read(&said)
            .ok_or_else(|| Stop::because(format!("expected credentials of a service, got: {said}")))
    }

    fn read(said: &str) -> Option<Self> {
        let words = || said.split_whitespace().map(|word| word.trim_matches('"'));
        let starting = |start: &str| words().find(|word| word.starts_with(start));
        Some(Self {
            secret: starting("hps_")?.into(),
            entry: starting(&format!("{SERVICE}:"))?.into(),
        })
    }

    /// Returns the setting that makes an issuer know this service.
    pub(crate) fn setting(&self) -> (&'static str, String) {
        ("HALLPASS_SERVICES", self.entry.clone())
    }
}

/// A running program that a service trusts.
pub(crate) struct Issuer {
    pub(crate) server: Server,
    /// What its tokens name.
    pub(crate) url: String,
    credentials: Credentials,
}

impl Issuer {
    /// Starts it with these settings beside those that make it cheap to sign up.
    pub(crate) async fn start(
        programs: &Programs,
        folder: &Path,
        settings: &[(&str, &str)],
    ) -> Result<Self, Stop> {
        let address = free_address()?;
        Self::start_behind(programs, folder, settings, [address, address]).await
    }

    /// Starts it on the first of two addresses; its users and services know the second.
    pub(crate) async fn start_behind(
        programs: &Programs,
        folder: &Path,
        settings: &[(&str, &str)],
        [own, public]: [SocketAddr; 2],
    ) -> Result<Self, Stop> {
        let credentials = Credentials::draw(programs)?;
        let url = format!("http://{public}");
        let mut command = programs.serve(folder, own, &url);
        let (name, value) = credentials.setting();
        command
            .env(name, value)
            .env("HALLPASS_PASSWORDS_MEMORY_KIB", "64")
            .envs(settings.iter().copied());
        let server = start(&mut command, folder, own, "/healthz", Stdio::null()).await?;
        Ok(Self {
            server,
            url,
            credentials,
        })
    }

    /// Returns what so many verifiers are to be told. `others` are further members.
    pub(crate) fn setup(&self, verifiers: usize, others: &Value) -> String {
        let mut setup = json!({
            "issuer": self.url,
            "service": [SERVICE, self.credentials.secret],
            "verifiers": verifiers,
        });
        if let (Some(setup), Some(others)) = (setup.as_object_mut(), others.as_object()) {
            setup.extend(others.clone());
        }
        setup.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_from_what_the_program_says() {
        let said = "for the service, shown this once:\n  hps_abc\nfor the configuration, an entry of `services`:\n  \"bench:0123\"\n";
        let read = Credentials::read(said).unwrap();
        assert_eq!(read.secret, "hps_abc");
        assert_eq!(read.setting(), ("HALLPASS_SERVICES", "bench:0123".into()));
        assert!(Credentials::read("error: no randomness").is_none());
    }
}
