//! Random lives of a few sessions, held against a model that knows the contract and no code.
#![cfg(test)]

mod common;

use common::schedule::{Choice, Request, drive};
use common::wrapped::{Mode, Wrapped, run};
use common::{
    HOUR, SECOND, World, cheap, device, opening, outcome, refresh_keyed, user_id, verify,
};
use hallpass_core::audit::EventKind;
use hallpass_core::session::Persistence;
use hallpass_core::store::SessionStore as _;
use hallpass_core::{Carrier, Error, Hallpass, Issued, Opening, Proof};
use hallpass_verify::{SessionId, Timestamp, TokenError};
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::Arc;
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(10);
const ACCESS_TTL: Duration = Duration::from_mins(15);
const LEEWAY: Duration = Duration::from_secs(10);
const KEYS: [&str; 2] = [
    "one-attempt-to-refresh-0001",
    "another-attempt-to-refresh-2",
];

/// What can happen. Slots 0 and 2 are browsers of ada, slot 1 is one of bob.
#[derive(Clone, Debug)]
enum Step {
    SignIn { slot: usize },
    Refresh { token: Index, key: Option<usize> },
    RefreshAtOnce { token: Index, order: Vec<u8> },
    Garbage { token: Index, at: Index },
    SignOut { slot: usize },
    EndOthers { slot: usize },
    Wait(Duration),
    Restart,
    Purge,
}

fn any_step() -> impl Strategy<Value = Step> {
    let token = any::<Index>;
    let key = proptest::option::weighted(0.4, 0..KEYS.len());
    let waits = [
        SECOND,
        9 * SECOND,
        10 * SECOND,
        11 * SECOND,
        15 * 60 * SECOND,
        6 * HOUR,
        12 * HOUR,
        29 * 24 * HOUR,
    ];
    prop_oneof![
        2 => (0..3_usize).prop_map(|slot| Step::SignIn { slot }),
        6 => (token(), key).prop_map(|(token, key)| Step::Refresh { token, key }),
        3 => (token(), proptest::collection::vec(any::<u8>(), 0..24))
            .prop_map(|(token, order)| Step::RefreshAtOnce { token, order }),
        1 => (token(), token()).prop_map(|(token, at)| Step::Garbage { token, at }),
        1 => (0..3_usize).prop_map(|slot| Step::SignOut { slot }),
        1 => (0..3_usize).prop_map(|slot| Step::EndOthers { slot }),
        4 => proptest::sample::select(waits.to_vec()).prop_map(Step::Wait),
        1 => Just(Step::Restart),
        1 => Just(Step::Purge),
    ]
}

/// What the contract says of a session.
#[derive(Debug)]
struct Known {
    id: SessionId,
    user: &'static str,
    generation: u32,
    rotated_at: Timestamp,
    rotation_key: Option<usize>,
    idle_ttl: Duration,
    idle_end: Timestamp,
    end: Timestamp,
    is_ended: bool,
}

impl Known {
    fn is_live(&self, now: Timestamp) -> bool {
        !self.is_ended && now < self.idle_end && now < self.end
    }
}

/// A refresh token that was ever issued, with the access token beside it.
struct Held {
    session: usize,
    generation: u32,
    issued: Issued,
    issued_at: Timestamp,
}

struct Life {
    world: World,
    store: Arc<Wrapped>,
    hallpass: Hallpass,
    sessions: Vec<Known>,
    held: Vec<Held>,
    slots: [Option<usize>; 3],
    alarms: usize,
}

impl Life {
    fn begin() -> Self {
        let world = World::new();
        let store = Arc::new(Wrapped::around(&world.store));
        let hallpass = run(Hallpass::start(cheap(), world.parts(store.clone()))).unwrap();
        Self {
            world,
            store,
            hallpass,
            sessions: Vec::new(),
            held: Vec::new(),
            slots: [None; 3],
            alarms: 0,
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::SignIn { slot } => self.sign_in(*slot),
            Step::Refresh { token, key } => self.refresh(*token, *key),
            Step::RefreshAtOnce { token, order } => self.refresh_at_once(*token, order),
            Step::Garbage { token, at } => self.garbage(*token, *at),
            Step::SignOut { slot } => self.sign_out(*slot),
            Step::EndOthers { slot } => self.end_others(*slot),
            Step::Wait(span) => {
                self.world.clock.advance(*span);
                run(self.hallpass.sync()).unwrap();
            }
            Step::Restart => {
                let parts = self.world.parts(self.store.clone());
                self.hallpass = run(Hallpass::start(cheap(), parts)).unwrap();
            }
            Step::Purge => drop(run(self.hallpass.purge()).unwrap()),
        }
    }

    fn sign_in(&mut self, slot: usize) {
        let user = ["ada", "bob"][slot % 2];
        let former = self.slots[slot];
        let (persistence, idle, absolute) = match slot {
            2 => (Persistence::Transient, 12 * HOUR, 24 * HOUR),
            _ => (Persistence::Remembered, 30 * 24 * HOUR, 90 * 24 * HOUR),
        };
        let opening = Opening {
            persistence,
            replaces: former.map(|former| self.sessions[former].id),
            ..opening()
        };
        let proof = Proof::asserted_by_app(user_id(user), &["pwd"]);
        let issued = run(self.hallpass.open_session(proof, opening)).unwrap();
        if let Some(former) = former {
            self.sessions[former].is_ended = true;
        }
        let now = self.world.now();
        self.slots[slot] = Some(self.sessions.len());
        self.sessions.push(Known {
            id: issued.session.id,
            user,
            generation: 0,
            rotated_at: now,
            rotation_key: None,
            idle_ttl: idle,
            idle_end: now.plus(idle),
            end: now.plus(absolute),
            is_ended: false,
        });
        self.hold(self.sessions.len() - 1, issued);
    }

    fn hold(&mut self, session: usize, issued: Issued) {
        self.held.push(Held {
            session,
            generation: issued.session.generation,
            issued_at: self.world.now(),
            issued,
        });
    }

    /// Says what the contract wants of a refresh, and writes down what it changes.
    fn foresee(&mut self, at: usize, key: Option<usize>) -> &'static str {
        let now = self.world.now();
        let presented = self.held[at].generation;
        let session = &mut self.sessions[self.held[at].session];
        if !session.is_live(now) {
            return "session_ended";
        }
        if presented == session.generation {
            session.generation += 1;
            session.rotated_at = now;
            session.rotation_key = key;
            session.idle_end = now.plus(session.idle_ttl).min(session.end);
            return "ok";
        }
        let is_retry = key.is_some() && key == session.rotation_key;
        let is_recent = now < session.rotated_at.plus(GRACE);
        if presented + 1 == session.generation && (is_retry || is_recent) {
            return "ok";
        }
        session.is_ended = true;
        self.alarms += 1;
        "refresh_reused"
    }

    /// Looks at an answer; returns the text of the successor, if there is one.
    fn see(&mut self, at: usize, answer: Result<Issued, Error>) -> Option<String> {
        let session = self.held[at].session;
        let issued = answer.ok()?;
        let known = &self.sessions[session];
        assert_eq!(issued.session.id, known.id);
        assert_eq!(issued.session.generation, known.generation);
        assert_eq!(issued.session.expires_at, known.end, "the lifetime grew");
        assert_eq!(issued.session.idle_expires_at, known.idle_end);
        let successor = issued.refresh.expose().to_owned();
        self.hold(session, issued);
        Some(successor)
    }

    fn refresh(&mut self, token: Index, key: Option<usize>) {
        if self.held.is_empty() {
            return;
        }
        let at = token.index(self.held.len());
        let text = self.held[at].issued.refresh.expose().to_owned();
        let key_text = key.map(|key| KEYS[key]);
        let answer = run(refresh_keyed(&self.hallpass, &text, key_text));
        assert_eq!(outcome(&answer), self.foresee(at, key));
        self.see(at, answer);
    }

    /// Three refreshes of one token, their steps in a random order.
    fn refresh_at_once(&mut self, token: Index, order: &[u8]) {
        if self.held.is_empty() {
            return;
        }
        let at = token.index(self.held.len());
        let request = |_| {
            let text = self.held[at].issued.refresh.expose().to_owned();
            let hallpass = self.hallpass.clone();
            let request = async move { refresh_keyed(&hallpass, &text, None).await };
            Box::pin(request) as Request<Result<Issued, Error>>
        };
        let requests = (0..3).map(request).collect();
        self.store.set(Mode::Yield);
        let answers = drive_in(requests, order);
        self.store.set(Mode::Pass);
        let mut outcomes: Vec<_> = answers.iter().map(outcome).collect();
        outcomes.sort_unstable();
        let mut foreseen: Vec<_> = (0..3).map(|_| self.foresee(at, None)).collect();
        foreseen.sort_unstable();
        assert_eq!(outcomes, foreseen);
        let mut successors: Vec<_> = Vec::new();
        for answer in answers {
            successors.extend(self.see(at, answer));
        }
        successors.dedup();
        assert!(successors.len() <= 1, "the chain forked");
    }

    /// A token with one character changed is nobody's, and presenting it changes nothing.
    fn garbage(&self, token: Index, at: Index) {
        let Some(held) = self.held.get(token.index(self.held.len().max(1))) else {
            return;
        };
        let before = format!("{:?}", self.world.store);
        let mut text = held.issued.refresh.expose().to_owned();
        let at = at.index(text.len());
        let other = if text[at..].starts_with('A') {
            "B"
        } else {
            "A"
        };
        text.replace_range(at..=at, other);
        for carrier in [Carrier::Cookie, Carrier::Body] {
            assert!(self.hallpass.open_refresh_token(&text, carrier).is_none());
        }
        assert_eq!(format!("{:?}", self.world.store), before);
    }

    fn sign_out(&mut self, slot: usize) {
        if let Some(at) = self.slots[slot].take() {
            let session = &mut self.sessions[at];
            run(self.hallpass.sign_out(session.id, &device(1))).unwrap();
            session.is_ended = true;
        }
    }

    fn end_others(&mut self, slot: usize) {
        let Some(at) = self.slots[slot] else {
            return;
        };
        let now = self.world.now();
        let (user, keep) = (self.sessions[at].user, self.sessions[at].id);
        let ending = async {
            let user = user_id(user);
            self.hallpass
                .end_sessions(&user, Some(keep), &device(1))
                .await
        };
        let ended = run(ending).unwrap();
        let others = self.sessions.iter_mut();
        let mut foreseen = 0;
        for other in others.filter(|s| s.user == user && s.id != keep) {
            foreseen += usize::from(other.is_live(now));
            other.is_ended = true;
        }
        assert_eq!(ended, foreseen);
    }

    /// What holds at any moment.
    fn check(&self) {
        let now = self.world.now();
        for known in &self.sessions {
            let row = run(self.world.store.session(&known.id)).unwrap();
            let is_live = row.as_ref().is_some_and(|row| row.is_live(now));
            assert_eq!(is_live, known.is_live(now));
            if let Some(row) = row.filter(|_| is_live) {
                assert_eq!(row.generation, known.generation);
                assert_eq!(row.expires_at, known.end);
            }
            let of_it = self
                .held
                .iter()
                .filter(|h| self.sessions[h.session].id == known.id);
            let mut leaves: Vec<_> = of_it
                .filter(|held| is_live && held.generation == known.generation)
                .map(|held| held.issued.refresh.expose())
                .collect();
            leaves.dedup();
            assert_eq!(leaves.len(), usize::from(is_live), "live leaves");
        }
        for held in &self.held {
            let is_ended = self.sessions[held.session].is_ended;
            let lives = held.issued.access_expires_in.min(ACCESS_TTL);
            match verify(&self.hallpass, &held.issued) {
                Ok(_) => assert!(!is_ended && now <= held.issued_at.plus(lives + LEEWAY)),
                Err(TokenError::SessionEnded) => assert!(is_ended),
                Err(TokenError::Expired) => assert!(now > held.issued_at.plus(lives)),
                Err(other) => panic!("{other}"),
            }
        }
        let alarms = self.world.audit.count(EventKind::RefreshReused);
        assert_eq!(alarms, self.alarms, "each reuse ends exactly one session");
    }
}

/// Drives requests in the order of some random numbers; then the first goes on.
fn drive_in<A>(requests: Vec<Request<A>>, order: &[u8]) -> Vec<A> {
    let mut order = order.iter();
    let choose = |of: usize| order.next().map_or(0, |number| usize::from(*number) % of);
    let mut path: Vec<Choice> = Vec::new();
    drive(requests, &mut path, choose)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_happens_the_sessions_are_as_the_contract_says(
        steps in proptest::collection::vec(any_step(), 1..40)
    ) {
        let mut life = Life::begin();
        life.sign_in(0);
        for step in &steps {
            life.take(step);
            life.check();
        }
    }
}

/// A life that chance found: the key of the first token is gone when its session ends.
#[test]
fn a_session_that_ends_after_the_key_of_its_token_is_gone_is_as_the_contract_says() {
    let month = Step::Wait(29 * 24 * HOUR);
    let mut life = Life::begin();
    life.sign_in(0);
    let steps = [
        Step::SignIn { slot: 2 },
        month.clone(),
        month.clone(),
        month.clone(),
        month,
        Step::Restart,
        Step::Wait(6 * HOUR),
        Step::SignIn { slot: 2 },
    ];
    for step in &steps {
        life.take(step);
        life.check();
    }
}
