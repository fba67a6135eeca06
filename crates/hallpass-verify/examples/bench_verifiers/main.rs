//! Verifiers of one issuer, for measuring: what they are to do is the argument. The first line they
//! read says whom they trust; the lines after it are access tokens. What they find out they print
//! as JSON.

mod kids;
mod memory;
mod revocation;
mod rotation;
mod spans;

use hallpass_verify::remote::{Feed, Remote, ServiceSecret};
use serde_json::Value;
use std::io::BufRead as _;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How long it may take until all verifiers know the keys and hear of what is revoked.
const START_MAX: Duration = Duration::from_secs(30);

pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Whom to trust, and how many do.
#[derive(serde::Deserialize)]
pub(crate) struct Setup {
    pub(crate) issuer: String,
    /// Name and secret, for those who want to be told what is revoked.
    service: Option<(String, String)>,
    /// How many verifiers there are.
    verifiers: usize,
    /// The cool-down between two fetches for unknown keys.
    cooldown_seconds: Option<u64>,
    /// How many tokens with made-up keys there are.
    pub(crate) kids: Option<u64>,
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let what = std::env::args().nth(1).unwrap_or_default();
    if what == "memory" {
        return memory::run();
    }
    let mut lines = lines();
    let setup = lines.recv().await.ok_or("expected a line of JSON")?;
    let setup: Setup = serde_json::from_str(&setup)?;
    let verifiers = setup.start().await?;
    say(&"ready".into());
    let found = match what.as_str() {
        "revocation" => revocation::run(&setup.issuer, &verifiers, lines).await?,
        "rotation" => rotation::run(verifiers, lines).await?,
        "kids" => kids::run(&setup, &verifiers, lines).await?,
        _ => return Err("expected `revocation`, `rotation`, `kids` or `memory`".into()),
    };
    say(&found);
    Ok(())
}

impl Setup {
    /// Starts the verifiers, each with connections of its own, and waits until all are current.
    async fn start(&self) -> Result<Vec<Remote>, Fault> {
        let mut verifiers = Vec::with_capacity(self.verifiers);
        for _ in 0..self.verifiers {
            let mut builder = Remote::builder(&self.issuer);
            if let Some((name, secret)) = &self.service {
                builder = builder.service(name, ServiceSecret::new(secret.clone()));
            }
            if let Some(seconds) = self.cooldown_seconds {
                builder = builder.cooldown(Duration::from_secs(seconds));
            }
            verifiers.push(builder.start()?);
        }
        let current = async {
            for verifier in &verifiers {
                verifier.ready().await;
                while self.service.is_some() && !is_current(verifier) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        };
        tokio::time::timeout(START_MAX, current).await?;
        Ok(verifiers)
    }
}

/// Tells whether what was revoked is known as it happens.
fn is_current(verifier: &Remote) -> bool {
    let status = verifier.status().revocations;
    status.is_some_and(|status| status.feed == Feed::Stream && status.heard_at.is_some())
}

/// Returns what is written to us, line by line.
fn lines() -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[expect(clippy::print_stdout, reason = "this is how it answers")]
pub(crate) fn say(what: &Value) {
    println!("{what}");
}
