//! Failed sign-ins are limited, and nothing else is.

use crate::common::*;
use hallpass_core::audit::EventKind;
use hallpass_core::password::{
    Argon2id, HashError, HashPoolSettings, PasswordHasher, SALT_LEN, Verdict,
};
use hallpass_core::user::{Password, PasswordHash};
use hallpass_core::{Error, Hallpass, Issued, Opening, Settings, SignUp, ThrottleSettings};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

const LIMITS: ThrottleSettings = ThrottleSettings {
    account_and_address_failures_max: 3,
    account_failures_max: 6,
    address_failures_max: 5,
    window: std::time::Duration::from_mins(1),
};

async fn started() -> (World, Hallpass) {
    let world = World::new();
    let settings = Settings {
        throttle: LIMITS,
        ..cheap()
    };
    let hallpass = world.process_with(settings).await;
    sign_up(&hallpass, "ada").await;
    (world, hallpass)
}

async fn try_from(
    hallpass: &Hallpass,
    number: u8,
    name: &str,
    password: &str,
) -> Result<Issued, Error> {
    let opening = Opening {
        device: device(number),
        ..Opening::default()
    };
    sign_in(hallpass, name, password, opening).await
}

#[tokio::test]
async fn rl_01_and_rl_02_guesses_are_limited_and_a_stranger_locks_nobody_out() {
    let (world, hallpass) = started().await;
    for _ in 0..3 {
        let failed = try_from(&hallpass, 66, "ada", "a guess of mine").await;
        expect(&failed, "invalid_credentials");
    }
    // Even the right password is not looked at from there.
    let refused = try_from(&hallpass, 66, "ada", PASSWORD).await;
    expect(&refused, "rate_limited");
    expect(&try_from(&hallpass, 1, "ada", PASSWORD).await, "ok");
    let event = world.audit.last(EventKind::SignInRateLimited);
    assert_eq!(event.device, device(66));
    for number in 67..70 {
        let failed = try_from(&hallpass, number, "ada", "a guess of mine").await;
        expect(&failed, "invalid_credentials");
    }
    // Six guesses from everywhere are all there are, for a minute.
    expect(
        &try_from(&hallpass, 70, "ada", PASSWORD).await,
        "rate_limited",
    );
    world.clock.advance(60 * SECOND);
    expect(&try_from(&hallpass, 66, "ada", PASSWORD).await, "ok");
}

#[tokio::test]
async fn rl_03_one_address_tries_few_accounts() {
    let (_world, hallpass) = started().await;
    for number in 0..5 {
        let failed = try_from(&hallpass, 66, &format!("user{number}"), "one for all").await;
        expect(&failed, "invalid_credentials");
    }
    let refused = try_from(&hallpass, 66, "user5", "one for all").await;
    expect(&refused, "rate_limited");
    expect(&try_from(&hallpass, 67, "ada", PASSWORD).await, "ok");
}

#[tokio::test]
async fn rl_06_a_sign_in_of_ones_own_does_not_launder_guesses() {
    let (_world, hallpass) = started().await;
    sign_up(&hallpass, "mallory").await;
    for _ in 0..3 {
        let failed = try_from(&hallpass, 66, "ada", "a guess of mine").await;
        expect(&failed, "invalid_credentials");
        expect(&try_from(&hallpass, 66, "mallory", PASSWORD).await, "ok");
    }
    let refused = try_from(&hallpass, 66, "ada", "a guess of mine").await;
    expect(&refused, "rate_limited");
}

#[tokio::test]
async fn rl_12_a_limited_attempt_costs_no_hash_and_tells_how_long_to_wait() {
    let (world, hallpass) = started().await;
    for _ in 0..3 {
        let failed = try_from(&hallpass, 66, "ada", "a guess of mine").await;
        expect(&failed, "invalid_credentials");
    }
    world.clock.advance(20 * SECOND);
    let before = world.hashes();
    let refused = try_from(&hallpass, 66, "ada", PASSWORD).await;
    assert!(
        matches!(refused, Err(Error::RateLimited { retry_after }) if retry_after == 40 * SECOND)
    );
    assert_eq!(world.hashes(), before);
}

#[tokio::test]
async fn asking_which_addresses_are_taken_is_limited_and_costs_no_hash() {
    let (world, hallpass) = started().await;
    let before = world.hashes();
    let mut answers = Vec::new();
    for _ in 0..4 {
        let sign_up = SignUp {
            email: email("ada"),
            password: Password::chosen(PASSWORD).unwrap(),
            name: None,
            roles: Vec::new(),
        };
        let answer = hallpass.sign_up(sign_up, opening()).await;
        answers.push(outcome(&answer));
    }
    assert_eq!(
        answers,
        ["email_taken", "email_taken", "email_taken", "rate_limited"]
    );
    assert_eq!(world.hashes(), before);
}

#[tokio::test]
async fn successes_are_never_limited() {
    let (world, hallpass) = started().await;
    for _ in 0..20 {
        expect(&try_from(&hallpass, 1, "ada", PASSWORD).await, "ok");
    }
    assert_eq!(world.audit.count(EventKind::SignInRateLimited), 0);
}

/// Tells when it begins to check a password, and waits for a nod.
struct Gated {
    inner: Argon2id,
    begun: Sender<()>,
    nods: Receiver<()>,
}

impl PasswordHasher for Gated {
    fn hash(
        &mut self,
        password: &Password,
        salt: &[u8; SALT_LEN],
    ) -> Result<PasswordHash, HashError> {
        self.inner.hash(password, salt)
    }

    fn verify(&mut self, password: &Password, stored: &PasswordHash) -> Result<Verdict, HashError> {
        self.begun.send(()).unwrap();
        self.nods.recv().unwrap();
        self.inner.verify(password, stored)
    }
}

#[tokio::test]
async fn ds_03_an_attempt_that_finds_the_queue_full_is_no_failure() {
    let (world, _) = started().await;
    let (begun, begins) = channel();
    let (nod, nods) = channel();
    let ends = Mutex::new(Some((begun, nods)));
    let parts = world.parts(world.store.clone()).hasher(move || {
        let (begun, nods) = ends.lock().unwrap().take().unwrap();
        let inner = Argon2id::new(CHEAP).unwrap();
        Box::new(Gated { inner, begun, nods })
    });
    let settings = Settings {
        throttle: LIMITS,
        password_pool: HashPoolSettings {
            workers: 1,
            queue_len_max: 1,
        },
        ..cheap()
    };
    let hallpass = Hallpass::start(settings, parts).await.unwrap();
    let spawn = || {
        let hallpass = hallpass.clone();
        tokio::spawn(async move { try_from(&hallpass, 1, "ada", PASSWORD).await })
    };
    // One is being checked, one waits: the queue is full.
    let first = spawn();
    tokio::task::yield_now().await;
    begins.recv().unwrap();
    let second = spawn();
    tokio::task::yield_now().await;
    for _ in 0..10 {
        let refused = try_from(&hallpass, 1, "ada", PASSWORD).await;
        expect(&refused, "overloaded");
    }
    for _ in 0..3 {
        nod.send(()).unwrap();
    }
    expect(&first.await.unwrap(), "ok");
    expect(&second.await.unwrap(), "ok");
    expect(&try_from(&hallpass, 1, "ada", PASSWORD).await, "ok");
    assert_eq!(world.audit.count(EventKind::SignInFailed), 0);
    assert_eq!(world.audit.count(EventKind::SignInRateLimited), 0);
}
