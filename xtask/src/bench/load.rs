//! Load: so many connections, each sending its next request when the answer is there.

use super::histogram::Histogram;
use super::http::Connection;
use crate::machine;
use crate::steps::Stop;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// What one connection sends.
#[derive(Clone)]
pub(crate) enum Script {
    /// The same request again and again, always answered by this status.
    Same { request: Arc<[u8]>, status: u16 },
    /// Refreshes a session of delivery `body`: each request carries the token of the last answer.
    Refresh { address: SocketAddr, token: String },
}

impl Script {
    /// Returns the next request.
    pub(crate) fn next(&self) -> Arc<[u8]> {
        match self {
            Self::Same { request, .. } => Arc::clone(request),
            Self::Refresh { address, token } => {
                let body = format!("{{\"refresh_token\":\"{token}\"}}");
                post(*address, "/auth/refresh", "", &body).into()
            }
        }
    }

    /// Takes an answer, if it is the expected one.
    pub(crate) fn answered(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        let expected = match self {
            Self::Same { status, .. } => *status,
            Self::Refresh { .. } => 200,
        };
        if status != expected {
            let body = String::from_utf8_lossy(body).into_owned();
            return Err(format!("expected {expected}, got {status}: {body}"));
        }
        if let Self::Refresh { token, .. } = self {
            let answer: Value = serde_json::from_slice(body).map_err(|fault| fault.to_string())?;
            let next = answer.get("refresh_token").and_then(Value::as_str);
            let next = next.ok_or("no refresh_token in the answer to a refresh")?;
            if next == token {
                return Err("the answer to a refresh repeats the token".into());
            }
            *token = next.into();
        }
        Ok(())
    }
}

/// Returns a request without a body. `fields` are header lines, each with its line end.
pub(crate) fn get(address: SocketAddr, path: &str, fields: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{fields}\r\n").into_bytes()
}

/// Returns a request with a JSON body. `fields` are header lines, each with its line end.
pub(crate) fn post(address: SocketAddr, path: &str, fields: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\n{fields}");
    format!("{head}content-type: application/json\r\ncontent-length: {len}\r\n\r\n{body}")
        .into_bytes()
}

/// What a load did.
pub(crate) struct Load {
    pub(crate) latencies: Histogram,
    pub(crate) elapsed: Duration,
    /// The scripts as they stand now: a chain of refreshes goes on where it was.
    pub(crate) scripts: Vec<Script>,
}

/// Sends what the scripts say, one connection each, for `span`.
///
/// # Errors
/// With the first answer that is not the expected one: a load of errors measures nothing.
pub(crate) async fn drive(
    address: SocketAddr,
    scripts: Vec<Script>,
    span: Duration,
) -> Result<Load, Stop> {
    let mut open = Vec::with_capacity(scripts.len());
    for script in scripts {
        open.push((Connection::open(address).await?, script));
    }
    let started = machine::now();
    let mut tasks = JoinSet::new();
    for (number, (connection, script)) in open.into_iter().enumerate() {
        tasks.spawn(async move { (number, repeat(connection, script, started, span).await) });
    }
    let mut load = Load {
        latencies: Histogram::new(),
        elapsed: Duration::ZERO,
        scripts: Vec::new(),
    };
    let mut numbered = Vec::with_capacity(tasks.len());
    while let Some(joined) = tasks.join_next().await {
        let (number, outcome) = joined.map_err(|fault| Stop::because(fault.to_string()))?;
        let (script, latencies) = outcome?;
        load.latencies.merge(&latencies);
        numbered.push((number, script));
    }
    load.elapsed = started.elapsed();
    numbered.sort_unstable_by_key(|(number, _)| *number);
    load.scripts = numbered.into_iter().map(|(_, script)| script).collect();
    Ok(load)
}

async fn repeat(
    mut connection: Connection,
    mut script: Script,
    started: std::time::Instant,
    span: Duration,
) -> Result<(Script, Histogram), Stop> {
    let mut latencies = Histogram::new();
    let mut sent = machine::now();
    while sent.duration_since(started) < span {
        let answer = connection.exchange(&script.next()).await?;
        script
            .answered(answer.status, answer.body)
            .map_err(Stop::because)?;
        let answered = machine::now();
        latencies.record(answered.duration_since(sent));
        sent = answered;
    }
    Ok((script, latencies))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fake;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    const SPAN: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn every_request_that_is_counted_was_sent() {
        let served = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&served);
        let address = fake::serve(move |request| {
            assert!(
                request.starts_with("GET /hello HTTP/1.1\r\nhost: 127.0.0.1:"),
                "{request}"
            );
            counter.fetch_add(1, Ordering::SeqCst);
            fake::answer(200, "hello")
        })
        .await;
        let script = Script::Same {
            request: get(address, "/hello", "").into(),
            status: 200,
        };
        let load = drive(address, vec![script; 4], SPAN).await.unwrap();
        assert_eq!(load.latencies.count(), served.load(Ordering::SeqCst));
        assert!(load.latencies.count() >= 4);
        assert!(load.elapsed >= SPAN);
    }

    #[tokio::test]
    async fn an_unexpected_answer_ends_the_measurement() {
        let address = fake::serve(|_| fake::answer(429, "{\"code\":\"rate_limited\"}")).await;
        let script = Script::Same {
            request: get(address, "/", "").into(),
            status: 200,
        };
        let stop = drive(address, vec![script], SPAN)
            .await
            .err()
            .unwrap()
            .to_string();
        assert_eq!(stop, "expected 200, got 429: {\"code\":\"rate_limited\"}");
    }

    #[tokio::test]
    async fn a_chain_of_refreshes_sends_each_token_once_and_in_turn() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let address = fake::serve(move |request| {
            let mut seen = log.lock().unwrap();
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            assert!(
                head.contains(&format!("content-length: {}", body.len())),
                "{head}"
            );
            let body: Value = serde_json::from_str(body).unwrap();
            seen.push(body["refresh_token"].as_str().unwrap().to_string());
            fake::answer(200, &format!("{{\"refresh_token\":\"t{}\"}}", seen.len()))
        })
        .await;
        let first = vec![Script::Refresh {
            address,
            token: "t0".into(),
        }];
        let load = drive(address, first, SPAN).await.unwrap();
        let load = drive(address, load.scripts, SPAN).await.unwrap();
        let seen = seen.lock().unwrap();
        assert!(seen.len() >= 2 && load.latencies.count() >= 1);
        let expected: Vec<String> = (0..seen.len()).map(|n| format!("t{n}")).collect();
        assert_eq!(*seen, expected);
    }

    #[tokio::test]
    async fn a_refresh_that_does_not_rotate_is_a_fault() {
        let address = fake::serve(|_| fake::answer(200, "{\"refresh_token\":\"t0\"}")).await;
        let script = Script::Refresh {
            address,
            token: "t0".into(),
        };
        assert!(drive(address, vec![script], SPAN).await.is_err());
    }
}
