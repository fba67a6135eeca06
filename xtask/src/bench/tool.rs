//! A program that measures on its own, told what to do line by line.

use crate::steps::Stop;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// A program that is ended when it is dropped.
pub(crate) struct Tool {
    child: Child,
    told: Option<ChildStdin>,
    says: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl Tool {
    /// Starts a program that sees nothing of our environment. What it complains of goes to a file in
    /// `folder`.
    pub(crate) fn start(program: &Path, arguments: &[&str], folder: &Path) -> Result<Self, Stop> {
        std::fs::create_dir_all(folder)?;
        let log = folder.join("tool.log");
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        let says = child.stdout.take();
        let says = says.ok_or_else(|| Stop::because("a tool without output"))?;
        Ok(Self {
            told: child.stdin.take(),
            says: BufReader::new(says).lines(),
            child,
            log,
        })
    }

    /// Writes a line.
    pub(crate) async fn tell(&mut self, line: &str) -> Result<(), Stop> {
        if let Some(told) = &mut self.told {
            let written = told.write_all(format!("{line}\n").as_bytes()).await;
            if written.is_err() {
                return Err(self.ended());
            }
        }
        Ok(())
    }

    /// Says that no more lines come.
    pub(crate) fn told_all(&mut self) {
        self.told = None;
    }

    /// Waits for a line of JSON.
    pub(crate) async fn hear(&mut self, within: Duration) -> Result<Value, Stop> {
        let line = timeout(within, self.says.next_line()).await;
        let line =
            line.map_err(|_| Stop::because(format!("a tool said nothing for {within:?}")))?;
        match line? {
            Some(line) => serde_json::from_str(&line)
                .map_err(|fault| Stop::because(format!("a tool said {line}: {fault}"))),
            None => Err(self.ended()),
        }
    }

    /// Returns the id of its process.
    pub(crate) fn id(&self) -> Result<u32, Stop> {
        self.child.id().ok_or_else(|| self.ended())
    }

    fn ended(&self) -> Stop {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        Stop::because(format!("a tool ended early: {said}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_tool_is_told_lines_and_answers_in_json() {
        let folder = tempfile::tempdir().unwrap();
        let mut tool = Tool::start(Path::new("/bin/cat"), &[], folder.path()).unwrap();
        tool.tell(r#"{"a":1}"#).await.unwrap();
        assert_eq!(tool.hear(SOON).await.unwrap(), json!({ "a": 1 }));
        tool.tell("no JSON").await.unwrap();
        assert!(tool.hear(SOON).await.is_err());
        tool.told_all();
        assert!(tool.hear(SOON).await.is_err());
    }

    #[tokio::test]
    async fn a_tool_that_ends_early_is_reported_with_what_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let complains = ["-c", "echo 'no such issuer' >&2; exit 1"];
        let mut tool = Tool::start(Path::new("/bin/sh"), &complains, folder.path()).unwrap();
        let stop = tool.hear(SOON).await.unwrap_err();
        assert!(stop.to_string().contains("no such issuer"), "{stop}");
    }
}
