//! The program `hallpass`: authentication as a server you run.

mod cli;
mod config;
mod demo;
mod health;
mod outcome;
mod telemetry;
mod users;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
