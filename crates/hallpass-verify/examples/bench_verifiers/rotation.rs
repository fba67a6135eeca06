//! Whether a valid token is ever refused while keys come and go.

use crate::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_verify::remote::Remote;
use hallpass_verify::{Admission, Clock as _, SystemClock, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// How often a token is looked at again, until it expires.
const AGAIN_EVERY: Duration = Duration::from_secs(1);

/// How often it is looked how late timers are.
const LATENESS_EVERY: Duration = Duration::from_millis(100);

/// A request with a token, and what the token says.
struct Presented {
    request: http::Request<()>,
    kid: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

/// Shows every token to every verifier: at once, and again and again until it expires.
pub(crate) async fn run(
    verifiers: Vec<Remote>,
    mut tokens: UnboundedReceiver<String>,
) -> Result<Value, Fault> {
    let worst = Arc::new(AtomicU64::new(0));
    let looking = tokio::spawn(lateness(Arc::clone(&worst)));
    let (mut senders, mut watching) = (Vec::new(), JoinSet::new());
    let count = verifiers.len();
    for verifier in verifiers {
        let (sender, receiver) = unbounded_channel();
        senders.push(sender);
        watching.spawn(watch(verifier, receiver));
    }
    let (mut shown, mut kids) = (0_u64, BTreeSet::new());
    while let Some(token) = tokens.recv().await {
        let presented = Arc::new(Presented::new(&token)?);
        for sender in &senders {
            sender.send(Arc::clone(&presented))?;
        }
        shown += 1;
        kids.insert(presented.kid.clone());
    }
    drop(senders);
    let mut all = Tally::default();
    while let Some(tally) = watching.join_next().await {
        all.add(tally?);
    }
    looking.abort();
    Ok(json!({
        "verifiers": count,
        "tokens": shown,
        "keys": kids.len(),
        "checks": all.checks,
        "oldest_millis": all.oldest_millis,
        "refused": all.refused,
        "refused_by_keys_of_millis": all.refused_by_keys_of_millis,
        "late_millis": worst.load(Ordering::Relaxed),
        "key_fetches": all.key_fetches,
        "key_fetches_failed": all.key_fetches_failed,
    }))
}

impl Presented {
    fn new(token: &str) -> Result<Self, Fault> {
        let request = http::Request::builder().header("authorization", format!("Bearer {token}"));
        let mut parts = token.split('.');
        let mut part = || -> Result<Value, Fault> {
            let text = parts.next().ok_or("expected three parts")?;
            Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text)?)?)
        };
        let (header, payload) = (part()?, part()?);
        let date = |name: &str| {
            let seconds = payload.get(name).and_then(Value::as_u64);
            seconds
                .map(Timestamp::from_seconds)
                .ok_or("expected a date")
        };
        let kid = header.get("kid").and_then(Value::as_str);
        Ok(Self {
            request: request.body(())?,
            kid: kid.ok_or("expected a key id")?.to_owned(),
            issued_at: date("iat")?,
            expires_at: date("exp")?,
        })
    }
}

/// What one verifier did.
#[derive(Default)]
struct Tally {
    checks: u64,
    oldest_millis: u64,
    refused: BTreeMap<String, u64>,
    /// How old the keys were that refused: the least and the most.
    refused_by_keys_of_millis: Option<(u64, u64)>,
    key_fetches: u64,
    key_fetches_failed: u64,
}

impl Tally {
    async fn check(&mut self, verifier: &Remote, presented: &Presented) {
        let now = SystemClock.now();
        if now >= presented.expires_at {
            return;
        }
        let admission = verifier.admit(&presented.request).await;
        self.checks += 1;
        let age = millis(now.since(presented.issued_at));
        self.oldest_millis = self.oldest_millis.max(age);
        let refused = match admission {
            Admission::Caller(_) => return,
            Admission::Refused(refusal) => format!("{refusal:?}"),
            Admission::Anonymous => "Anonymous".into(),
        };
        *self.refused.entry(refused).or_default() += 1;
        if let Some(at) = verifier.status().keys.fetched_at {
            self.refused_by(millis(now.since(at)));
        }
    }

    fn refused_by(&mut self, keys_of_millis: u64) {
        let (least, most) = self
            .refused_by_keys_of_millis
            .unwrap_or((keys_of_millis, keys_of_millis));
        let widened = (least.min(keys_of_millis), most.max(keys_of_millis));
        self.refused_by_keys_of_millis = Some(widened);
    }

    fn add(&mut self, other: Self) {
        self.checks += other.checks;
        self.oldest_millis = self.oldest_millis.max(other.oldest_millis);
        self.key_fetches += other.key_fetches;
        self.key_fetches_failed += other.key_fetches_failed;
        for (refused, count) in other.refused {
            *self.refused.entry(refused).or_default() += count;
        }
        if let Some((least, most)) = other.refused_by_keys_of_millis {
            self.refused_by(least);
            self.refused_by(most);
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the most by which a timer of ours was late: what a busy machine did to all of us.
async fn lateness(worst: Arc<AtomicU64>) {
    loop {
        let slept = Instant::now();
        sleep(LATENESS_EVERY).await;
        let late = slept.elapsed().saturating_sub(LATENESS_EVERY);
        worst.fetch_max(millis(late), Ordering::Relaxed);
    }
}

async fn watch(verifier: Remote, mut tokens: UnboundedReceiver<Arc<Presented>>) -> Tally {
    let mut tally = Tally::default();
    let mut held: VecDeque<Arc<Presented>> = VecDeque::new();
    let mut again = interval(AGAIN_EVERY);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            token = tokens.recv() => {
                let Some(presented) = token else { break };
                tally.check(&verifier, &presented).await;
                held.push_back(presented);
            }
            _ = again.tick() => {
                let now = SystemClock.now();
                held.retain(|presented| now < presented.expires_at);
                for presented in &held {
                    tally.check(&verifier, presented).await;
                    // As between two requests of a server: the others here have their turn.
                    yield_now().await;
                }
            }
        }
    }
    let keys = verifier.status().keys;
    tally.key_fetches = keys.fetches;
    tally.key_fetches_failed = keys.failures;
    tally
}
