//! Passwords: what is stored, what is equal, what may be chosen, and what an answer tells.

use crate::common::*;
use hallpass_core::password::{
    Argon2id, Argon2idCost, HashError, PasswordHasher, SALT_LEN, Verdict,
};
use hallpass_core::store::{MemoryStore, UserStore as _};
use hallpass_core::user::{Password, PasswordFault, PasswordHash};
use hallpass_core::{Hallpass, Settings, SignUp};
use serde_json::Value;
use std::sync::Arc;

fn vectors(part: &str) -> Vec<Value> {
    let text = include_str!("../data/passwords.json");
    let mut file: Value = serde_json::from_str(text).unwrap();
    let list = file[part].take();
    list.as_array().unwrap().clone()
}

fn text<'v>(vector: &'v Value, member: &str) -> &'v str {
    vector[member].as_str().unwrap()
}

async fn stored(world: &World, name: &str) -> String {
    let found = world.store.credentials(&email(name).key()).await.unwrap();
    found.unwrap().password.expose().to_owned()
}

async fn sign_up_with(hallpass: &Hallpass, name: &str, password: Password) {
    let sign_up = SignUp {
        email: email(name),
        password,
        name: None,
        roles: Vec::new(),
    };
    hallpass.add_user(sign_up, &device(1)).await.unwrap();
}

#[tokio::test]
async fn pw_01_a_password_is_stored_as_argon2id_with_a_salt_of_its_own() {
    let world = World::new();
    let settings = Settings {
        password_cost: Argon2idCost::default(),
        ..cheap()
    };
    let hallpass = world.process_with(settings).await;
    sign_up(&hallpass, "ada").await;
    sign_up(&hallpass, "bob").await;
    let (ada, bob) = (stored(&world, "ada").await, stored(&world, "bob").await);
    for hash in [&ada, &bob] {
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let parts: Vec<_> = hash.split('$').collect();
        // 16 bytes of salt and 32 of hash, in base64 without padding.
        assert_eq!((parts[4].len(), parts[5].len()), (22, 43), "{hash}");
        assert!(!hash.contains(PASSWORD));
    }
    assert_ne!(ada.split('$').nth(4), bob.split('$').nth(4));
    assert_ne!(ada.split('$').nth(5), bob.split('$').nth(5));
}

#[tokio::test]
async fn pw_02_passwords_are_equal_as_the_vectors_say() {
    let (_world, hallpass) = World::started().await;
    let vectors = vectors("equality");
    assert_eq!(vectors.len(), 8);
    for vector in &vectors {
        let id = text(vector, "id");
        // Some would be refused as a new password; here they only have to be told apart.
        let set = Password::presented(text(vector, "set")).unwrap();
        sign_up_with(&hallpass, id, set).await;
        let same = sign_in(&hallpass, id, text(vector, "set"), opening()).await;
        expect(&same, "ok");
        let other = sign_in(&hallpass, id, text(vector, "login_with"), opening()).await;
        // Form C is documented, so the two ways to write an accent are one password.
        let expected = if id == "PE06" {
            "ok"
        } else {
            let expects = text(vector, "expect_login");
            assert!(
                expects == "fail" || expects.starts_with("different"),
                "{id}"
            );
            "invalid_credentials"
        };
        assert_eq!(outcome(&other), expected, "{id}");
    }
}

#[test]
fn pw_03_passwords_are_chosen_as_the_vectors_say() {
    let vectors = vectors("policy");
    assert_eq!(vectors.len(), 7);
    for vector in &vectors {
        let id = text(vector, "id");
        let chosen = match id {
            "PP11" => Password::chosen(&"z".repeat(1 << 20)),
            _ => Password::chosen(text(vector, "password")),
        };
        // The documented minimum is 8, so 14 characters are enough.
        let accepts = id == "PP01" || text(vector, "expect").starts_with("accept");
        assert_eq!(chosen.is_ok(), accepts, "{id}");
    }
}

#[tokio::test]
async fn pw_04_and_pw_05_what_is_refused_is_never_cut_to_fit() {
    let refused = |text: &str| Password::chosen(text).unwrap_err();
    assert_eq!(refused("vxqjmzk"), PasswordFault::TooShort);
    assert_eq!(refused("password"), PasswordFault::TooCommon);
    let long = "vxqjmzkrtw".repeat(103);
    assert_eq!(refused(&long), PasswordFault::TooLong);
    // The longest one is compared to its last byte.
    let (_world, hallpass) = World::started().await;
    let longest = &long[..1024];
    sign_up_with(&hallpass, "ada", Password::chosen(longest).unwrap()).await;
    expect(&sign_in(&hallpass, "ada", longest, opening()).await, "ok");
    for other in [&longest[..1023], &format!("{}x", &longest[..1023])] {
        let refused = sign_in(&hallpass, "ada", other, opening()).await;
        expect(&refused, "invalid_credentials");
    }
}

#[tokio::test]
async fn pw_10_a_new_user_has_a_drawn_id_and_the_roles_the_app_gave() {
    let (world, hallpass) = World::started().await;
    let issued = sign_up(&hallpass, "ada").await;
    let user = issued.user.as_ref().unwrap();
    assert_eq!(user.id.as_str().len(), 22);
    assert_eq!(user.roles, [""; 0]);
    assert_eq!(user.created_at, NOW);
    let caller = verify(&hallpass, &issued).unwrap();
    assert_eq!(caller.user(), &user.id);
    assert_eq!(caller.roles(), [""; 0]);
    assert_eq!(
        world.store.user(&user.id).await.unwrap().as_ref(),
        Some(user)
    );
}

#[tokio::test]
async fn roles_of_the_store_are_in_the_token_and_follow_at_the_next_refresh() {
    let (_world, hallpass) = World::started().await;
    let sign_up = SignUp {
        email: email("root"),
        password: Password::chosen(PASSWORD).unwrap(),
        name: Some("Root".into()),
        roles: vec!["admin".into()],
    };
    let issued = hallpass.sign_up(sign_up, opening()).await.unwrap();
    assert!(verify(&hallpass, &issued).unwrap().has_role("admin"));
    let next = refresh(&hallpass, issued.refresh.expose()).await.unwrap();
    assert!(verify(&hallpass, &next).unwrap().has_role("admin"));
}

#[tokio::test]
async fn pw_13_one_address_is_one_account_however_it_is_spelled() {
    let (_world, hallpass) = World::started().await;
    sign_up(&hallpass, "Ada").await;
    let again = SignUp {
        email: email("aDA"),
        password: Password::chosen(PASSWORD).unwrap(),
        name: None,
        roles: Vec::new(),
    };
    expect(&hallpass.sign_up(again, opening()).await, "email_taken");
    let issued = sign_in(&hallpass, "ADA", PASSWORD, opening())
        .await
        .unwrap();
    assert_eq!(issued.user.unwrap().email.as_str(), "Ada@example.test");
}

#[tokio::test]
async fn en_01_an_unknown_user_and_a_wrong_password_are_answered_alike() {
    let (world, hallpass) = World::started().await;
    sign_up(&hallpass, "ada").await;
    let mut answers = Vec::new();
    for name in ["ada", "nobody"] {
        let before = world.hashes();
        let refused = sign_in(&hallpass, name, "another one", opening()).await;
        let fault = refused.unwrap_err();
        answers.push((
            format!("{fault:?}"),
            fault.to_string(),
            world.hashes() - before,
        ));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].2, 1, "hashes for one refusal");
}

#[tokio::test]
async fn a_hash_of_former_cost_is_replaced_at_the_next_sign_in() {
    let (world, before) = World::started().await;
    sign_up(&before, "ada").await;
    assert!(stored(&world, "ada").await.contains("$m=64,t=1,p=1$"));
    drop(before);
    let settings = Settings {
        password_cost: Argon2idCost {
            memory_kib: 128,
            ..CHEAP
        },
        ..cheap()
    };
    let after = world.process_with(settings).await;
    let refused = sign_in(&after, "ada", "another one", opening()).await;
    expect(&refused, "invalid_credentials");
    assert!(stored(&world, "ada").await.contains("$m=64,t=1,p=1$"));
    expect(&sign_in(&after, "ada", PASSWORD, opening()).await, "ok");
    let rehashed = stored(&world, "ada").await;
    assert!(rehashed.contains("$m=128,t=1,p=1$"), "{rehashed}");
    expect(&sign_in(&after, "ada", PASSWORD, opening()).await, "ok");
    assert_eq!(stored(&world, "ada").await, rehashed);
}

/// Finds every hash outdated; while it makes the new one, the user changes the password.
struct Interrupted {
    store: Arc<MemoryStore>,
    inner: Argon2id,
}

impl PasswordHasher for Interrupted {
    fn hash(
        &mut self,
        password: &Password,
        salt: &[u8; SALT_LEN],
    ) -> Result<PasswordHash, HashError> {
        let key = email("ada").key();
        let found = wrapped::run(self.store.credentials(&key)).unwrap().unwrap();
        let changed = PasswordHash::new("changed meanwhile".into());
        let replace = self
            .store
            .replace_password(&found.user.id, &found.password, &changed);
        wrapped::run(replace).unwrap();
        self.inner.hash(password, salt)
    }

    fn verify(&mut self, password: &Password, stored: &PasswordHash) -> Result<Verdict, HashError> {
        let verdict = self.inner.verify(password, stored)?;
        Ok(match verdict {
            Verdict::Right => Verdict::RightButOutdated,
            other => other,
        })
    }
}

#[tokio::test]
async fn a_password_that_was_changed_meanwhile_is_not_overwritten_by_a_new_hash() {
    let (world, hallpass) = World::started().await;
    sign_up(&hallpass, "ada").await;
    let store = world.store.clone();
    let parts = world.parts(world.store.clone()).hasher(move || {
        Box::new(Interrupted {
            store: store.clone(),
            inner: Argon2id::new(CHEAP).unwrap(),
        })
    });
    let interrupted = Hallpass::start(cheap(), parts).await.unwrap();
    expect(
        &sign_in(&interrupted, "ada", PASSWORD, opening()).await,
        "ok",
    );
    assert_eq!(stored(&world, "ada").await, "changed meanwhile");
}

#[tokio::test]
async fn a_stored_hash_that_cannot_be_read_lets_nobody_in() {
    let (world, hallpass) = World::started().await;
    let user = sign_up(&hallpass, "ada").await.user.unwrap();
    let old = PasswordHash::new(stored(&world, "ada").await);
    for planted in ["", "plain", "$argon2id$v=19$m=64,t=1,p=1$$", "*"] {
        let new = PasswordHash::new(planted.into());
        let old = PasswordHash::new(stored(&world, "ada").await);
        world
            .store
            .replace_password(&user.id, &old, &new)
            .await
            .unwrap();
        for password in [PASSWORD, planted] {
            let refused = sign_in(&hallpass, "ada", password, opening()).await;
            expect(&refused, "internal");
        }
    }
    let now = PasswordHash::new(stored(&world, "ada").await);
    world
        .store
        .replace_password(&user.id, &now, &old)
        .await
        .unwrap();
    // Nobody is locked out by what was no failure of theirs.
    expect(&sign_in(&hallpass, "ada", PASSWORD, opening()).await, "ok");
}
