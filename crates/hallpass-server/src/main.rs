//! The program `hallpass`: authentication as a server you run.

mod cli;
mod config;
mod demo;
mod health;
mod keys;
mod outcome;
mod services;
mod sessions;
mod table;
mod telemetry;
mod users;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
