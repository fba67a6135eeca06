//! Runs one command after another, and says which.

use crate::machine;
use crate::tally::Tally;
use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Why a command of ours stops.
#[derive(Debug)]
pub(crate) struct Stop(String);

impl Stop {
    /// Returns a stop for this reason.
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<std::io::Error> for Stop {
    fn from(fault: std::io::Error) -> Self {
        Self(fault.to_string())
    }
}

/// Returns a command line of cargo, in the root of the project.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(machine::cargo());
    command.args(arguments).current_dir(machine::root());
    command
}

/// Runs a command to its end and shows what it prints. Returns the tests it ran.
///
/// # Errors
/// When it cannot be started, or fails.
pub(crate) fn run(title: &str, command: &mut Command) -> Result<Tally, Stop> {
    println!("\n==> {title}\n    {}", shown(command));
    let started = machine::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|fault| Stop::because(format!("{title}: cannot start: {fault}")))?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            tally += Tally::of_line(&line);
            println!("{line}");
        }
    }
    let status = child.wait()?;
    if status.success() {
        println!("    done in {:.1} s", started.elapsed().as_secs_f64());
        return Ok(tally);
    }
    let tests = if tally == Tally::default() {
        String::new()
    } else {
        format!(" ({tally})")
    };
    Err(Stop(format!("{title}: {status}{tests}")))
}

/// Returns where cargo puts what it builds.
pub(crate) fn target_dir() -> Result<PathBuf, Stop> {
    let output = cargo(&["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|fault| Stop::because(format!("cargo metadata: {fault}")))?;
    let folder = metadata
        .get("target_directory")
        .and_then(serde_json::Value::as_str);
    folder
        .map(PathBuf::from)
        .ok_or_else(|| Stop::because("cargo metadata names no target folder"))
}

/// Runs a command silently and tells whether it succeeded: for asking, not for working.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let silent = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_tests_of_a_command_are_counted() {
        let tally = run(
            "count",
            &mut shell("echo '# pass 3'; echo 'test result: ok. 2 passed; 0 failed'"),
        );
        assert_eq!(
            tally.unwrap(),
            Tally {
                passed: 5,
                failed: 0
            }
        );
    }

    #[test]
    fn a_command_that_fails_stops_the_run_and_says_how_many_tests_failed() {
        let stop = run("count", &mut shell("echo '# fail 2'; exit 3")).unwrap_err();
        assert_eq!(
            stop.to_string(),
            "count: exit status: 3 (0 passed, 2 failed)"
        );
    }

    #[test]
    fn a_program_that_is_not_there_stops_the_run() {
        let stop = run("look", &mut Command::new("no-such-program-here")).unwrap_err();
        assert!(
            stop.to_string().starts_with("look: cannot start: "),
            "{stop}"
        );
    }

    #[test]
    fn a_command_has_nobody_to_ask() {
        // Reading the standard input ends at once: no step can wait for an answer.
        assert!(run("ask", &mut shell("read answer && exit 1; exit 0")).is_ok());
    }
}
