//! What the main server answered to the attacker's requests: a browser does not let the attacker's
//! page see it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use hallpass_verify::Clock;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

/// How many answers are kept.
const ANSWERS_LEN_MAX: usize = 200;
/// The longest name of an attack, in bytes.
const NAME_LEN_MAX: usize = 40;
/// The longest answer that is looked into, in bytes. Answers of ours are much shorter.
const BODY_LEN_MAX: usize = 64 * 1024;

/// Remembers answers to requests whose URL says `?attack=…`.
#[derive(Clone)]
pub(super) struct Observer {
    clock: Arc<dyn Clock>,
    answers: Arc<Mutex<VecDeque<Value>>>,
}

impl Observer {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            answers: Arc::default(),
        }
    }

    /// Watches an app.
    pub(super) fn watch(&self, app: Router) -> Router {
        app.layer(from_fn_with_state(self.clone(), observe))
    }

    /// Returns what was answered, the oldest first.
    pub(super) fn answers(&self) -> Vec<Value> {
        self.answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    fn remember(&self, answer: Value) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= ANSWERS_LEN_MAX {
            answers.pop_front();
        }
        answers.push_back(answer);
    }
}

async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let Some(attack) = request
        .uri()
        .query()
        .and_then(attack_name)
        .map(str::to_owned)
    else {
        return next.run(request).await;
    };
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let (head, body) = next.run(request).await.into_parts();
    let body = to_bytes(body, BODY_LEN_MAX).await.unwrap_or_default();
    let at = UNIX_EPOCH.checked_add(std::time::Duration::from_millis(
        observer.clock.now().as_millis(),
    ));
    observer.remember(json!({
        "attack": attack,
        "method": method,
        "path": path,
        "status": head.status.as_u16(),
        "code": problem_code(&body),
        "at": at.map(|at| humantime::format_rfc3339_millis(at).to_string()),
    }));
    Response::from_parts(head, Body::from(body))
}

/// Returns the member `code` of a problem.
pub(super) fn problem_code(body: &[u8]) -> Value {
    let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
    body.get("code").cloned().unwrap_or_default()
}

fn attack_name(query: &str) -> Option<&str> {
    let name = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("attack="))?;
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    (plain && !name.is_empty() && name.len() <= NAME_LEN_MAX).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_remembered() {
        assert_eq!(attack_name("attack=logout-form"), Some("logout-form"));
        assert_eq!(attack_name("a=b&attack=x"), Some("x"));
        for query in ["", "attack=", "attack=%3Cb%3E", "attack=<b>", "xattack=y"] {
            assert_eq!(attack_name(query), None, "{query}");
        }
        assert_eq!(attack_name(&format!("attack={}", "x".repeat(41))), None);
    }
}
