//! The program at work, and how a test talks to it.

use hallpass_verify::{Clock as _, SystemClock};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::rc::Rc;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "a long and quiet password";

/// Asks until something is so; fails when it is not within `span`.
#[track_caller]
pub(crate) fn within(span: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = SystemClock.now().plus(span);
    while !is_so() {
        assert!(SystemClock.now() < deadline, "{what} within {span:?}");
        std::thread::yield_now();
    }
}

/// A command in an empty directory and an empty environment.
pub(crate) fn hallpass(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
    command
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .stdin(Stdio::null());
    command
}

pub(crate) fn output(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    told(hallpass(directory, arguments).output().unwrap())
}

pub(crate) fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// The program at work. Killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) directory: Rc<TempDir>,
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_in(Rc::new(TempDir::new().unwrap()), arguments, environment)
    }

    pub(crate) fn start_in(
        directory: Rc<TempDir>,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        Self::spawn(directory, arguments, environment).listening()
    }

    /// Starts it, and waits for nothing.
    pub(crate) fn spawn(
        directory: Rc<TempDir>,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut child = hallpass(directory.path(), arguments)
            .args(["--listen", "127.0.0.1:0"])
            .envs(environment.iter().copied())
            .env("HALLPASS_PASSWORDS_MEMORY_KIB", "64")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            stdout,
            directory,
            address: String::new(),
        }
    }

    /// Waits until it says where it listens.
    pub(crate) fn listening(mut self) -> Self {
        let line = self.line();
        let url = line.trim().strip_prefix("listening on ");
        let url = url.unwrap_or_else(|| panic!("{line:?}"));
        let port = url.rsplit(':').next().unwrap();
        self.address = format!("127.0.0.1:{port}");
        self
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// Stops it as a service manager does; returns its exit code and what it logged.
    pub(crate) fn stop(mut self) -> (i32, String) {
        let id = i32::try_from(self.child.id()).unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let mut log = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        (self.child.wait().unwrap().code().unwrap(), log)
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        exchange(&self.address, "GET", path, headers, "")
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let json = [("Content-Type", "application/json")];
        exchange(
            &self.address,
            "POST",
            path,
            &[&json, headers].concat(),
            &body.to_string(),
        )
    }

    pub(crate) fn sign_up(&self, delivery: &str) -> Answer {
        let body =
            json!({ "email": "ada@example.com", "password": PASSWORD, "delivery": delivery });
        let answer = self.post("/auth/signup", &[], &body);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn cookies(&self) -> HashMap<&str, &str> {
        let set = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        set.filter_map(|(_, cookie)| cookie.split(';').next()?.split_once('='))
            .collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

pub(crate) fn exchange(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.extend([*name, ": ", *value, "\r\n"]);
    }
    let len = body.len().to_string();
    request.extend(["Content-Length: ", &len, "\r\n\r\n", body]);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap()[9..12].parse().unwrap();
    let split = |line: &str| {
        line.split_once(": ")
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    Answer {
        status,
        headers: lines.filter_map(split).collect(),
        text: text.to_owned(),
    }
}

/// Posts a refresh token; returns the session answer.
pub(crate) fn refresh(running: &Running, opened: &Value) -> Value {
    let body = json!({ "refresh_token": opened["refresh_token"] });
    let answer = running.post("/auth/refresh", &[], &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Returns the status of a request with this answer's access token.
pub(crate) fn me(running: &Running, opened: &Value) -> u16 {
    let bearer = format!("Bearer {}", opened["access_token"].as_str().unwrap());
    let answer = running.get("/auth/me", &[("Authorization", &bearer)]);
    answer.status
}
