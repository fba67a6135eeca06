//! The house rules as tests, and the commands of whoever works on Hallpass.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

#[cfg(test)]
mod house;
mod leftovers;
mod machine;
mod steps;
mod suite;
mod tally;
mod tools;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The commands of whoever works on Hallpass.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs everything that must hold: lints, tests, browser tests. Installs what is missing.
    Test {
        /// Runs one part alone.
        #[arg(long, value_enum)]
        only: Option<suite::Part>,
    },
    /// Runs what takes little: formatting, clippy, house rules, dependencies.
    Check,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Task::Test { only } => suite::test(only),
        Task::Check => suite::check(),
    };
    match outcome {
        Ok(tally) => {
            println!("\n{tally}");
            ExitCode::SUCCESS
        }
        Err(stop) => {
            eprintln!("\nstopped: {stop}");
            ExitCode::FAILURE
        }
    }
}
