//! The house rules as tests, and the commands of whoever works on Hallpass.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

mod bench;
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
    /// Runs everything that must hold: lints, tests, tests in a browser and with
    /// libraries of others. Installs what is missing.
    Test {
        /// Runs one part alone.
        #[arg(long, value_enum)]
        only: Option<suite::Part>,
    },
    /// Runs what takes little: formatting, clippy, house rules, dependencies.
    Check,
    /// Measures the server and an app against a bare one. Wants an idle machine with Linux.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Task::Test { only } => suite::test(only).map(|tally| format!("\n{tally}")),
        Task::Check => suite::check().map(|tally| format!("\n{tally}")),
        Task::Bench(options) => bench::run(&options),
    };
    match outcome {
        Ok(last_line) => {
            println!("{last_line}");
            ExitCode::SUCCESS
        }
        Err(stop) => {
            eprintln!("\nstopped: {stop}");
            ExitCode::FAILURE
        }
    }
}
