//! Services, from the command line.

use crate::cli::ServiceCommand;
use crate::config::ConfigFaults;
use crate::outcome::{Failure, say};
use hallpass_core::SystemRandom;
use hallpass_core::service::{Service, ServiceSecret};

/// Does what is asked for. Nothing is stored: the configuration has the hash, the service the
/// secret.
///
/// # Errors
/// When the name is refused, or there is no randomness.
pub(crate) fn run(command: &ServiceCommand) -> Result<(), Failure> {
    let ServiceCommand::New { name } = command;
    let secret = ServiceSecret::draw(&SystemRandom)?;
    let line = format!("{name}:{}", secret.hash().to_hex());
    if Service::parse(&line).is_err() {
        let refusal = "expected a name of 1 to 64 letters, digits, `-`, `_` or `.`";
        return Err(ConfigFaults(vec![refusal.into()]).into());
    }
    say("for the service, shown this once:");
    say(format_args!("  {}", secret.expose()));
    say("for the configuration, an entry of `services`:");
    say(format_args!("  \"{line}\""));
    Ok(())
}
