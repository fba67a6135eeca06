//! kill -9 in the middle of 64 refresh chains: after the restart every chain goes on, and nothing
//! that was signed out comes back.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it fails"
)]

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The program, listening on a free port. Dropped, it is killed.
struct Running {
    child: Child,
    address: SocketAddr,
}

impl Running {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hallpass"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .current_dir(folder)
            .env("HALLPASS_PASSWORDS_MEMORY_KIB", "64")
            // A slow machine may take longer to restart than the default grace period lasts.
            .env("HALLPASS_TOKENS_REFRESH_GRACE", "60s")
            .env("HALLPASS_LOG_LEVEL", "error")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.strip_prefix("listening on http://localhost:")
                    .map(str::to_owned)
            })
            .expect("the program says where it listens");
        let address = format!("127.0.0.1:{url}").parse().unwrap();
        Self { child, address }
    }

    /// SIGKILL: nothing is flushed, nobody says goodbye.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Posts JSON on a connection of its own; `None` when the server died before it answered.
fn post(address: SocketAddr, path: &str, body: &Value) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .ok()?;
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    if body.is_empty() {
        return Some((status, Value::Null));
    }
    // An answer that broke off is no answer.
    serde_json::from_str(body).ok().map(|body| (status, body))
}

/// A client that refreshes one session over and over, and keeps the token it last got.
struct Chain {
    token: String,
    answers: usize,
}

fn sign_up(address: SocketAddr, number: usize) -> Chain {
    let body = json!({
        "email": format!("user-{number}@example.com"),
        "password": "correct horse battery",
        "delivery": "body",
    });
    let (status, answer) = post(address, "/auth/signup", &body).unwrap();
    assert_eq!(status, 201, "{answer}");
    Chain {
        token: token(&answer),
        answers: 0,
    }
}

fn token(answer: &Value) -> String {
    answer["refresh_token"]
        .as_str()
        .expect("a refresh token")
        .to_owned()
}

impl Chain {
    /// Refreshes until the server dies.
    fn run(mut self, address: SocketAddr, refreshed: &AtomicUsize) -> Self {
        while let Some((status, answer)) = post(
            address,
            "/auth/refresh",
            &json!({"refresh_token": self.token}),
        ) {
            assert_eq!(status, 200, "{answer}");
            self.token = token(&answer);
            self.answers += 1;
            refreshed.fetch_add(1, Ordering::Relaxed);
        }
        self
    }
}

#[test]
fn after_kill_9_every_refresh_chain_goes_on_and_nothing_signed_out_comes_back() {
    const CHAINS: usize = 64;
    const SIGNED_OUT: usize = 16;
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path());
    let mut chains: Vec<_> = (0..CHAINS).map(|n| sign_up(running.address, n)).collect();
    let over: Vec<_> = (0..SIGNED_OUT)
        .map(|n| sign_up(running.address, CHAINS + n))
        .collect();
    let refreshed = Arc::new(AtomicUsize::new(0));

    for round in 1..=3 {
        let address = running.address;
        let clients: Vec<_> = chains
            .drain(..)
            .map(|chain| {
                let refreshed = Arc::clone(&refreshed);
                std::thread::spawn(move || chain.run(address, &refreshed))
            })
            .collect();
        if round == 1 {
            for chain in &over {
                let body = json!({"refresh_token": chain.token});
                assert_eq!(post(address, "/auth/logout", &body).unwrap().0, 204);
            }
        }
        // In the middle: when a few hundred refreshes are done and all chains are under way.
        while refreshed.load(Ordering::Relaxed) < round * 400 {
            std::thread::yield_now();
        }
        running.kill();
        chains = clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect();
        running = Running::start(folder.path());
        for chain in &mut chains {
            let body = json!({"refresh_token": chain.token});
            let (status, answer) = post(running.address, "/auth/refresh", &body).unwrap();
            assert_eq!(status, 200, "round {round}: {answer}");
            chain.token = token(&answer);
        }
        for chain in &over {
            let body = json!({"refresh_token": chain.token});
            let (status, answer) = post(running.address, "/auth/refresh", &body).unwrap();
            assert_eq!((status, &answer["code"]), (401, &json!("session_ended")));
        }
    }
    assert!(chains.iter().map(|chain| chain.answers).sum::<usize>() >= 1200);
}
