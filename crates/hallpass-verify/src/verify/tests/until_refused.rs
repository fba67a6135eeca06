//! Whoever holds a connection open is told when its caller is refused.
use super::*;
use crate::{Revoked, UntilRefused, UserId};
use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A connection: what it waits for, and how often it was woken.
struct Connection {
    until: UntilRefused,
    woken: Arc<Woken>,
}

impl Connection {
    fn of(stage: &Stage, changes: &serde_json::Value) -> Self {
        let caller = stage.verify(&stage.token(changes)).unwrap();
        let mut connection = Self {
            until: stage.verifier.until_refused(&caller),
            woken: Arc::default(),
        };
        assert!(!connection.is_over());
        connection
    }

    fn is_over(&mut self) -> bool {
        let waker = Waker::from(Arc::clone(&self.woken));
        let polled = Pin::new(&mut self.until).poll(&mut Context::from_waker(&waker));
        assert_eq!(polled.is_ready(), self.until.is_refused());
        polled.is_ready()
    }

    fn times_woken(&self) -> usize {
        self.woken.0.load(Ordering::SeqCst)
    }
}

fn sessions() -> Stage {
    Stage::with(|settings| settings.session_claim = SessionClaim::Optional)
}

fn learn(stage: &Stage, revoked: &Revoked) {
    stage.verifier.learn(revoked, at(NOW), at(NOW + 900));
}

fn sid(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

#[test]
fn the_end_of_a_session_wakes_its_own_connections_alone() {
    let stage = Stage::new();
    let of = |number: u8, jti: &str| {
        let changes = json!({"sid": sid(number).to_string(), "jti": jti});
        Connection::of(&stage, &changes)
    };
    let (mut first, mut second, mut other) = (of(1, "a"), of(1, "b"), of(2, "c"));
    learn(&stage, &Revoked::Session(sid(1)));
    assert_eq!([first.times_woken(), second.times_woken()], [1, 1]);
    assert!(first.is_over() && second.is_over());
    assert_eq!(other.times_woken(), 0);
    assert!(!other.is_over());
}

#[test]
fn a_refused_token_ends_its_connection_and_no_other_of_the_session() {
    let stage = Stage::new();
    let mut one = Connection::of(&stage, &json!({"jti": "one"}));
    let mut other = Connection::of(&stage, &json!({"jti": "other"}));
    learn(&stage, &Revoked::Token("one".into()));
    assert_eq!((one.times_woken(), other.times_woken()), (1, 0));
    assert!(one.is_over());
    assert!(!other.is_over());
}

#[test]
fn a_refused_user_ends_connections_without_a_session() {
    let stage = sessions();
    let mut without = Connection::of(&stage, &json!({"sid": null, "jti": "a"}));
    let mut within = Connection::of(&stage, &json!({"jti": "b"}));
    let mut bob = Connection::of(&stage, &json!({"sid": null, "sub": "bob", "jti": "c"}));
    learn(&stage, &Revoked::User(UserId::parse("alice").unwrap()));
    let woken = [&without, &within, &bob].map(Connection::times_woken);
    assert_eq!(woken, [1, 0, 0]);
    assert!(without.is_over());
    assert!(!within.is_over() && !bob.is_over());
}

#[test]
fn jk_04_a_key_that_is_withdrawn_or_gone_ends_what_it_signed() {
    let spare = || VerifyingKey::ed25519("ed-2", stage_key().as_ref()).unwrap();
    let own = || VerifyingKey::ed25519("ed-1", stage_key().as_ref()).unwrap();
    let set = |keys| KeySet::new(keys).unwrap();

    let withdrawn = Stage::new();
    let mut connection = Connection::of(&withdrawn, &json!({}));
    learn(&withdrawn, &Revoked::Key("ed-2".into()));
    assert!(!connection.is_over());
    learn(&withdrawn, &Revoked::Key("ed-1".into()));
    assert_eq!(connection.times_woken(), 1);
    assert!(connection.is_over());

    let replaced = Stage::new();
    let mut connection = Connection::of(&replaced, &json!({}));
    replaced.verifier.keys().replace(set(vec![own(), spare()]));
    assert_eq!(connection.times_woken(), 0);
    replaced.verifier.keys().replace(set(vec![spare()]));
    assert_eq!(connection.times_woken(), 1);
    assert!(connection.is_over());
}

#[test]
fn without_any_key_a_connection_goes_on_until_its_key_is_known_to_be_gone() {
    let stage = Stage::new();
    let mut connection = Connection::of(&stage, &json!({}));
    stage.verifier.keys().replace(KeySet::default());
    assert!(!connection.is_over());
    let other = VerifyingKey::ed25519("ed-2", stage_key().as_ref()).unwrap();
    let woken_before = connection.times_woken();
    stage
        .verifier
        .keys()
        .replace(KeySet::new(vec![other]).unwrap());
    assert!(connection.times_woken() > woken_before);
    assert!(connection.is_over());
}

#[test]
fn what_ends_before_the_first_look_is_not_missed() {
    let stage = Stage::new();
    let caller = stage.verify(&stage.token(&json!({}))).unwrap();
    learn(&stage, &Revoked::Session(session()));
    let mut late = Connection {
        until: stage.verifier.until_refused(&caller),
        woken: Arc::default(),
    };
    assert!(late.is_over());
}

#[test]
fn the_last_waker_is_the_one_that_is_woken() {
    let stage = Stage::new();
    let mut connection = Connection::of(&stage, &json!({}));
    let before = std::mem::take(&mut connection.woken);
    assert!(!connection.is_over());
    learn(&stage, &Revoked::Session(session()));
    assert_eq!(before.0.load(Ordering::SeqCst), 0);
    assert_eq!(connection.times_woken(), 1);
}

#[test]
fn a_closed_connection_leaves_nothing_behind() {
    let stage = Stage::new();
    let verifier = &stage.verifier;
    let open = |number: u32| {
        let caller = stage.verify(&stage.token(&json!({"jti": number.to_string()})));
        verifier.until_refused(&caller.unwrap())
    };
    let one = stage
        .verifier
        .until_refused(&stage.verify(&stage.token(&json!({}))).unwrap());
    let crowd: Vec<_> = (0..1_000).map(open).collect();
    assert_eq!(verifier.revocations().waiting().len(), 2_002);
    drop(crowd);
    assert_eq!(verifier.revocations().waiting().len(), 2);
    drop(one);
    assert_eq!(verifier.revocations().waiting().len(), 0);
    assert_eq!(verifier.keys().waiting().len(), 0);
}

/// A waker that holds the connection itself, as a task does.
struct Task(std::sync::Mutex<Option<UntilRefused>>);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let connection = self.0.lock().unwrap().take();
        drop(connection);
    }
}

#[test]
fn a_connection_that_is_dropped_while_it_is_woken_blocks_nobody() {
    let stage = Stage::new();
    let caller = stage.verify(&stage.token(&json!({}))).unwrap();
    let task = Arc::new(Task(std::sync::Mutex::default()));
    let mut until = stage.verifier.until_refused(&caller);
    let waker = Waker::from(Arc::clone(&task));
    assert!(
        Pin::new(&mut until)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    *task.0.lock().unwrap() = Some(until);
    drop(waker);
    learn(&stage, &Revoked::Session(session()));
    assert!(task.0.lock().unwrap().is_none());
    assert_eq!(stage.verifier.revocations().waiting().len(), 0);
}

#[test]
fn an_end_that_races_with_the_wait_is_never_missed() {
    let stage = Stage::new();
    for round in 0..200_u64 {
        let sid = SessionId::from_bytes(u128::from(round + 1).to_be_bytes());
        let changes = json!({"sid": sid.to_string(), "jti": round.to_string()});
        let caller = stage.verify(&stage.token(&changes)).unwrap();
        std::thread::scope(|scope| {
            let until = stage.verifier.until_refused(&caller);
            let waits = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build();
                let soon = async { tokio::time::timeout(Duration::from_secs(20), until).await };
                runtime.unwrap().block_on(soon).expect("woken");
            });
            learn(&stage, &Revoked::Session(sid));
            waits.join().unwrap();
        });
    }
}
