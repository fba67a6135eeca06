//! Nothing is left running: every process a run starts carries a mark in its environment.

use crate::machine;
use crate::steps::{Stop, succeeds};
use std::fs;
use std::process::Command;
use std::time::Duration;

const MARK: &str = "XTASK_RUN";
/// How often, and how long between, a process that is about to end is given time to.
const ROUNDS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(100);

/// The mark of one run.
pub(crate) struct Marked {
    value: String,
}

/// A process that outlived its run.
struct Leftover {
    id: u32,
    command_line: String,
}

impl Marked {
    /// Returns a mark that no other run has.
    pub(crate) fn new() -> Self {
        Self {
            value: format!(
                "{}-{}",
                std::process::id(),
                machine::nanoseconds_since_epoch()
            ),
        }
    }

    /// Marks a command, and so everything that it will start.
    pub(crate) fn on<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env(MARK, &self.value)
    }

    /// Checks that no marked process is left. Ends those that are.
    ///
    /// # Errors
    /// When one was left.
    pub(crate) fn all_gone(&self) -> Result<(), Stop> {
        for _ in 0..ROUNDS {
            if self.left().is_empty() {
                return Ok(());
            }
            machine::pause(PAUSE);
        }
        let left = self.left();
        let list = left.iter().map(|process| {
            // Only processes that this run started carry its mark.
            succeeds(Command::new("kill").args(["-KILL", &process.id.to_string()]));
            format!("{} {}", process.id, process.command_line)
        });
        let list: Vec<String> = list.collect();
        if list.is_empty() {
            return Ok(());
        }
        Err(Stop::because(format!(
            "left running, now ended:\n  {}",
            list.join("\n  ")
        )))
    }

    /// Returns the marked processes there are. On a system without `/proc` that is none.
    fn left(&self) -> Vec<Leftover> {
        let mark = format!("{MARK}={}", self.value).into_bytes();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let left = processes.filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let environment = fs::read(entry.path().join("environ")).ok()?;
            environment
                .split(|byte| *byte == 0)
                .find(|variable| *variable == mark)?;
            let command_line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let command_line = String::from_utf8_lossy(&command_line).replace('\0', " ");
            Some(Leftover { id, command_line })
        });
        left.collect()
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::process::{Child, Stdio};

    /// Starts a process that would run for a while, and waits until it does.
    fn start(marked: &Marked) -> Child {
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo; exec sleep 60"])
            .stdout(Stdio::piped());
        let mut child = marked.on(&mut command).spawn().unwrap();
        let mut ready = [0];
        child.stdout.take().unwrap().read_exact(&mut ready).unwrap();
        child
    }

    #[test]
    fn a_process_that_outlives_its_run_is_found_and_ended() {
        let marked = Marked::new();
        let mut started = start(&marked);
        let stop = marked.all_gone().unwrap_err();
        assert!(stop.to_string().contains("sleep 60"), "{stop}");
        started.wait().unwrap();
        assert!(marked.all_gone().is_ok());
    }

    #[test]
    fn processes_of_others_are_left_alone() {
        let (ours, theirs) = (Marked::new(), Marked::new());
        assert_ne!(ours.value, theirs.value);
        let mut other = start(&theirs);
        assert!(ours.all_gone().is_ok());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
