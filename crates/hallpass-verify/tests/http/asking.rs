//! A gate far from the issuer: when it asks, and what it makes of the answers.

use crate::support::{
    ALICE, BOB, COOKIE, NOW, User, cookies, headers, settings, sign_with, told, verifier,
};
use hallpass_verify::{
    AccessTokenText, Active, AskFault, BoxFuture, Gate, Head, KeySet, ManualClock, RouteTerms,
    SessionClaim, Timestamp, Upstream, Verifier, VerifyingKey, WhenStale,
};
use http::Method;
use serde_json::json;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// An upstream that does as it is told.
#[derive(Debug)]
struct Fake {
    verifier: Arc<Verifier>,
    current: AtomicBool,
    /// What a fetch brings; none may be made when there is nothing.
    brings: Mutex<Option<KeySet>>,
    fetches: AtomicUsize,
    says: Result<Active, AskFault>,
    asked: Mutex<Vec<String>>,
}

impl Upstream for Fake {
    fn keys_wanted(&self) -> Option<BoxFuture<'static, ()>> {
        let set = self.brings.lock().unwrap().take()?;
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let verifier = Arc::clone(&self.verifier);
        let mut polled = false;
        Some(Box::pin(std::future::poll_fn(move |context| {
            // Not at the first look: nobody may count on an answer that is there already.
            if !std::mem::replace(&mut polled, true) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            verifier.keys().replace(set.clone());
            Poll::Ready(())
        })))
    }

    fn is_current(&self, _: Timestamp) -> bool {
        self.current.load(Ordering::SeqCst)
    }

    fn ask(&self, token: AccessTokenText) -> BoxFuture<'static, Result<Active, AskFault>> {
        self.asked.lock().unwrap().push(token.expose().to_owned());
        Box::pin(std::future::ready(self.says))
    }
}

struct Far {
    gate: Arc<Gate>,
    upstream: Arc<Fake>,
}

fn far(says: Result<Active, AskFault>) -> Far {
    let verifier = verifier(SessionClaim::Required);
    let upstream = Arc::new(Fake {
        verifier: Arc::clone(&verifier),
        current: AtomicBool::new(true),
        brings: Mutex::new(None),
        fetches: AtomicUsize::new(0),
        says,
        asked: Mutex::new(Vec::new()),
    });
    let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(NOW)));
    let gate = Gate::new(settings(COOKIE), verifier, clock).with_upstream(upstream.clone());
    Far {
        gate: Arc::new(gate),
        upstream,
    }
}

impl Far {
    fn stale(says: Result<Active, AskFault>) -> Self {
        let far = far(says);
        far.upstream.current.store(false, Ordering::SeqCst);
        far
    }

    /// A fetch, when one is made, brings the key `k2`.
    fn with_key_to_fetch(self) -> Self {
        let public = VerifyingKey::ed25519("k2", &crate::support::public_key(43)).unwrap();
        *self.upstream.brings.lock().unwrap() = Some(KeySet::new(vec![public]).unwrap());
        self
    }

    fn verdict(&self, when_stale: WhenStale, method: &str, lines: &[(&str, &str)]) -> String {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let headers = headers(lines);
        let terms = RouteTerms {
            when_stale,
            ..self.gate.terms()
        };
        let asking = self.gate.admit_asking(terms, Head::new(&method, &headers));
        told(&finished(asking))
    }

    fn bearer(&self, when_stale: WhenStale, token: &str) -> String {
        let line = format!("Bearer {token}");
        self.verdict(when_stale, "GET", &[("authorization", &line)])
    }

    fn fetches(&self) -> usize {
        self.upstream.fetches.load(Ordering::SeqCst)
    }

    fn asked(&self) -> Vec<String> {
        self.upstream.asked.lock().unwrap().clone()
    }
}

/// Drives a future that wakes itself when it waits.
fn finished<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

fn token_of_k2(user: User, changes: serde_json::Value) -> String {
    sign_with(43, "k2", &user.claims_with(changes))
}

#[test]
fn a_token_of_a_key_that_is_new_is_good_after_one_fetch() {
    let far = far(Ok(Active::No)).with_key_to_fetch();
    let token = token_of_k2(ALICE, json!({}));
    assert_eq!(far.bearer(WhenStale::GoOn, &token), "alice by Header");
    assert_eq!(far.bearer(WhenStale::GoOn, &token), "alice by Header");
    assert_eq!(far.fetches(), 1);
}

#[test]
fn a_token_in_a_cookie_makes_the_verifier_fetch_as_well() {
    let far = far(Ok(Active::No)).with_key_to_fetch();
    let line = cookies(&["junk", &token_of_k2(ALICE, json!({}))]);
    assert_eq!(
        far.verdict(WhenStale::GoOn, "GET", &[("cookie", &line)]),
        "alice by Cookie"
    );
}

#[test]
fn a_key_that_stays_unknown_is_an_invalid_token_and_no_second_fetch() {
    let far = far(Ok(Active::No)).with_key_to_fetch();
    let token = sign_with(44, "k3", &ALICE.claims());
    assert_eq!(far.bearer(WhenStale::GoOn, &token), "token_invalid");
    assert_eq!(far.fetches(), 1);
    assert_eq!(far.bearer(WhenStale::GoOn, &token), "token_invalid");
}

#[test]
fn jk_05_junk_makes_the_verifier_want_nothing() {
    let far = far(Ok(Active::No)).with_key_to_fetch();
    for (changes, what) in [
        (json!({ "iss": "https://evil.test" }), "another issuer"),
        (json!({ "aud": "other" }), "another audience"),
        (json!({ "iat": NOW + 600 }), "from the future"),
        (
            json!({ "exp": NOW + 1_000_000 }),
            "of a lifetime nobody issues",
        ),
        (json!({ "sub": 7 }), "no user"),
        (json!({ "sid": null }), "no session"),
    ] {
        let token = token_of_k2(ALICE, changes);
        assert_eq!(
            far.bearer(WhenStale::GoOn, &token),
            "token_invalid",
            "{what}"
        );
        assert_eq!(far.fetches(), 0, "{what}");
    }
    assert_eq!(far.bearer(WhenStale::GoOn, "a.b.c"), "token_malformed");
    let expired = token_of_k2(ALICE, json!({ "exp": NOW - 30 }));
    assert_eq!(far.bearer(WhenStale::GoOn, &expired), "token_expired");
    let other_type = json!({ "alg": "EdDSA", "kid": "k2", "typ": "JWT" });
    let token = crate::support::sign_as(43, &other_type, &ALICE.claims());
    assert_eq!(far.bearer(WhenStale::GoOn, &token), "token_invalid");
    assert_eq!(far.fetches(), 0);
}

#[test]
fn a_token_of_a_session_that_has_ended_makes_the_verifier_want_nothing() {
    let far = far(Ok(Active::No)).with_key_to_fetch();
    let until = Timestamp::from_seconds(NOW + 600);
    far.gate
        .verifier()
        .revocations()
        .end_session(ALICE.session(), until);
    assert_eq!(
        far.bearer(WhenStale::GoOn, &token_of_k2(ALICE, json!({}))),
        "token_invalid"
    );
    assert_eq!(far.fetches(), 0);
}

#[test]
fn without_any_key_the_answer_is_unavailable_until_a_fetch_brings_one() {
    let far = far(Ok(Active::No));
    far.gate.verifier().keys().replace(KeySet::default());
    let token = token_of_k2(ALICE, json!({}));
    assert_eq!(far.bearer(WhenStale::GoOn, &token), "unavailable");
    let far = far.with_key_to_fetch();
    assert_eq!(far.bearer(WhenStale::GoOn, &token), "alice by Header");
}

#[test]
fn while_what_was_revoked_is_known_nobody_is_asked() {
    for when_stale in [WhenStale::GoOn, WhenStale::Ask, WhenStale::Refuse] {
        let far = far(Err(AskFault::Unreachable));
        assert_eq!(far.bearer(when_stale, &ALICE.token()), "alice by Header");
        assert_eq!(far.verdict(when_stale, "GET", &[]), "anonymous");
        assert!(far.asked().is_empty());
    }
}

#[test]
fn after_the_bound_a_route_goes_on_asks_or_refuses_as_it_says() {
    let unreachable = Err(AskFault::Unreachable);
    for (when_stale, says, verdict, asked) in [
        (WhenStale::GoOn, unreachable, "alice by Header", 0),
        (WhenStale::Refuse, Ok(Active::Yes), "unavailable", 0),
        (WhenStale::Ask, Ok(Active::Yes), "alice by Header", 1),
        (WhenStale::Ask, Ok(Active::No), "session_ended", 1),
        (WhenStale::Ask, unreachable, "unavailable", 1),
        (WhenStale::Ask, Err(AskFault::NotSetUp), "unavailable", 1),
        (WhenStale::Ask, Err(AskFault::Credentials), "unavailable", 1),
        (WhenStale::Ask, Err(AskFault::Answer), "unavailable", 1),
    ] {
        let far = Far::stale(says);
        assert_eq!(far.bearer(when_stale, &ALICE.token()), verdict, "{says:?}");
        assert_eq!(far.asked(), vec![ALICE.token(); asked], "{when_stale:?}");
    }
}

#[test]
fn after_the_bound_what_is_refused_anyway_is_asked_about_by_nobody() {
    for when_stale in [WhenStale::Ask, WhenStale::Refuse] {
        let far = Far::stale(Ok(Active::Yes));
        assert_eq!(
            far.bearer(when_stale, &ALICE.expired_token()),
            "token_expired"
        );
        assert_eq!(far.bearer(when_stale, "junk"), "token_malformed");
        assert_eq!(far.verdict(when_stale, "GET", &[]), "anonymous");
        let line = cookies(&[&ALICE.token()]);
        assert_eq!(
            far.verdict(when_stale, "POST", &[("cookie", &line)]),
            "csrf_missing"
        );
        assert!(far.asked().is_empty());
    }
}

#[test]
fn of_several_cookies_the_issuer_is_asked_about_the_one_that_counts() {
    let far = Far::stale(Ok(Active::Yes));
    let older = ALICE.token_with(json!({ "exp": NOW + 30 }));
    let line = cookies(&[&older, "junk", &BOB.expired_token(), &ALICE.token()]);
    let lines = [("cookie", line.as_str())];
    assert_eq!(
        far.verdict(WhenStale::Ask, "GET", &lines),
        "alice by Cookie"
    );
    assert_eq!(far.asked(), [ALICE.token()]);
}

#[test]
fn a_token_that_a_fetch_made_good_is_asked_about_too() {
    let far = Far::stale(Ok(Active::No)).with_key_to_fetch();
    let token = token_of_k2(ALICE, json!({}));
    assert_eq!(far.bearer(WhenStale::Ask, &token), "session_ended");
    assert_eq!(far.asked(), std::slice::from_ref(&token));
    assert_eq!(far.bearer(WhenStale::Refuse, &token), "unavailable");
}

#[test]
fn a_gate_next_to_the_issuer_asks_nobody() {
    let gate = Arc::new(crate::support::gate());
    let line = format!("Bearer {}", token_of_k2(ALICE, json!({})));
    let headers = headers(&[("authorization", &line)]);
    let terms = RouteTerms {
        when_stale: WhenStale::Refuse,
        ..gate.terms()
    };
    let asking = gate.admit_asking(terms, Head::new(&Method::GET, &headers));
    assert_eq!(told(&finished(asking)), "token_invalid");
}

#[cfg(feature = "axum")]
mod in_a_router {
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use hallpass_verify::Caller;
    use hallpass_verify::axum::GateLayer;
    use http::Request;
    use tower::{Layer as _, Service as _, ServiceExt as _};

    async fn me(caller: Caller) -> String {
        caller.subject().to_owned()
    }

    fn answer(layer: &GateLayer, method: &str, lines: &[(&str, &str)]) -> (u16, String) {
        let app = Router::new()
            .route("/me", get(me).post(me))
            .layer(layer.clone());
        let mut request = Request::builder().method(method).uri("/me");
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        finished(async {
            let answer = app.oneshot(request.body(Body::empty()).unwrap()).await;
            let (head, body) = answer.unwrap().into_parts();
            let body = to_bytes(body, 10_000).await.unwrap();
            (
                head.status.as_u16(),
                String::from_utf8(body.to_vec()).unwrap(),
            )
        })
    }

    #[test]
    fn a_request_waits_for_the_fetch_and_reaches_its_route() {
        let far = far(Ok(Active::No)).with_key_to_fetch();
        let layer = GateLayer::new(Arc::clone(&far.gate));
        let line = format!("Bearer {}", token_of_k2(ALICE, json!({})));
        let (status, body) = answer(&layer, "GET", &[("authorization", &line)]);
        assert_eq!((status, body.as_str()), (200, "alice"));
    }

    #[test]
    fn a_forged_request_ends_at_the_layer_after_a_fetch_too() {
        let far = far(Ok(Active::No)).with_key_to_fetch();
        let layer = GateLayer::new(Arc::clone(&far.gate));
        let line = cookies(&[&token_of_k2(ALICE, json!({}))]);
        let (status, body) = answer(&layer, "POST", &[("cookie", &line)]);
        assert_eq!(status, 403, "{body}");
        assert_eq!(far.fetches(), 1);
    }

    #[test]
    fn a_layer_says_for_its_routes_what_happens_after_the_bound() {
        let far = Far::stale(Ok(Active::Yes));
        let line = format!("Bearer {}", ALICE.token());
        let status = |layer: &GateLayer| answer(layer, "GET", &[("authorization", &line)]).0;
        let layer = GateLayer::new(Arc::clone(&far.gate));
        assert_eq!(status(&layer), 200);
        assert_eq!(status(&layer.clone().when_stale(WhenStale::Refuse)), 503);
        assert_eq!(far.asked().len(), 0);
        assert_eq!(status(&layer.when_stale(WhenStale::Ask)), 200);
        assert_eq!(far.asked().len(), 1);
    }

    /// What is awaited in the slow case is on the heap, so a request that waits for nothing
    /// carries nothing of it.
    #[test]
    fn the_future_of_a_request_is_no_bigger_than_that_of_its_route() {
        let layer = GateLayer::new(Arc::new(crate::support::gate()));
        let mut inner: Router = Router::new().route("/me", get(me));
        let mut outer = layer.layer(inner.clone());
        let request = || Request::builder().uri("/me").body(Body::empty()).unwrap();
        let bare = size_of_val(&inner.call(request()));
        let gated = size_of_val(&outer.call(request()));
        assert!(gated <= bare + 16, "{gated} for {bare}");
    }
}
