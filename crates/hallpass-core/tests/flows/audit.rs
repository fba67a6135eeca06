//! What happened can be found out later, and nothing secret with it.

use crate::common::*;
use hallpass_core::audit::EventKind;
use hallpass_core::store::SessionStore as _;
use hallpass_core::user::Password;
use hallpass_core::{Hallpass, Issued, Opening, SignUp};
use hallpass_verify::UserId;

/// Everything secret that a test saw.
#[derive(Default)]
struct Seen(Vec<String>);

impl Seen {
    fn take(&mut self, issued: &Issued) {
        self.0.push(issued.refresh.expose().to_owned());
        self.0.push(issued.access.expose().to_owned());
        self.0.push(issued.csrf.expose().to_owned());
    }
}

/// Does everything that is told of, once; returns what was secret, and whose it was.
async fn everything(world: &World, hallpass: &Hallpass) -> (Seen, UserId) {
    let mut seen = Seen(vec![PASSWORD.into(), "a guess of mine".into(), KEY.into()]);
    let signed_up = sign_up(hallpass, "ada").await;
    seen.take(&signed_up);
    let user = signed_up.session.user.clone();
    let replacing = Opening {
        replaces: Some(signed_up.session.id),
        ..opening()
    };
    let first = sign_in(hallpass, "ada", PASSWORD, replacing).await.unwrap();
    seen.take(&first);
    hallpass
        .sign_out(first.session.id, &device(1))
        .await
        .unwrap();
    let second = sign_in(hallpass, "ada", PASSWORD, opening()).await.unwrap();
    let next = refresh_keyed(hallpass, second.refresh.expose(), Some(KEY)).await;
    seen.take(&second);
    seen.take(&next.unwrap());
    world.clock.advance(11 * SECOND);
    expect(
        &refresh(hallpass, second.refresh.expose()).await,
        "refresh_reused",
    );
    let third = sign_in(hallpass, "ada", PASSWORD, opening()).await.unwrap();
    let early = world.row(third.session.id).await;
    let fourth = refresh(hallpass, third.refresh.expose()).await.unwrap();
    world.store.insert_session(&early).await.unwrap();
    seen.take(&fourth);
    seen.take(&refresh(hallpass, fourth.refresh.expose()).await.unwrap());
    hallpass
        .end_own_session(&user, third.session.id, &device(1))
        .await
        .unwrap();
    for name in ["ada", "nobody"] {
        let failed = sign_in(hallpass, name, "a guess of mine", opening()).await;
        expect(&failed, "invalid_credentials");
    }
    for _ in 0..10 {
        drop(sign_in(hallpass, "ada", "a guess of mine", opening()).await);
    }
    (seen, user)
}

#[tokio::test]
async fn kl_03_every_event_says_when_what_who_which_session_and_from_where() {
    let (world, hallpass) = World::started().await;
    let (_, user) = everything(&world, &hallpass).await;
    let events = world.audit.events();
    for kind in [
        EventKind::SignedUp,
        EventKind::SessionOpened,
        EventKind::SignedOut,
        EventKind::SessionReplaced,
        EventKind::RefreshReused,
        EventKind::RefreshHealed,
        EventKind::SessionRevoked,
    ] {
        let of_kind: Vec<_> = events.iter().filter(|e| e.kind == kind).collect();
        assert!(!of_kind.is_empty(), "{kind:?}");
        for event in of_kind {
            assert_eq!(event.user.as_ref(), Some(&user), "{event:?}");
            let is_about_a_session = kind != EventKind::SignedUp;
            assert_eq!(event.session.is_some(), is_about_a_session, "{event:?}");
        }
    }
    for event in &events {
        assert!(event.at >= NOW && event.at <= world.now(), "{event:?}");
        assert!(event.device.ip.is_some(), "{event:?}");
        assert!(event.device.user_agent.is_some(), "{event:?}");
    }
    assert!(world.audit.count(EventKind::SignInRateLimited) >= 1);
}

#[tokio::test]
async fn kl_03_a_failed_sign_in_names_the_account_if_there_is_one() {
    let (world, hallpass) = World::started().await;
    let user = sign_up(&hallpass, "ada").await.session.user;
    for (name, expected) in [("ada", Some(&user)), ("nobody", None)] {
        let failed = sign_in(&hallpass, name, "a guess of mine", opening()).await;
        expect(&failed, "invalid_credentials");
        let event = world.audit.last(EventKind::SignInFailed);
        assert_eq!(event.user.as_ref(), expected);
        assert_eq!(event.session, None);
    }
}

#[tokio::test]
async fn a_plain_day_raises_no_alarm() {
    let (world, hallpass) = World::started().await;
    let mut issued = sign_up(&hallpass, "ada").await;
    for _ in 0..10 {
        world.clock.advance(HOUR);
        issued = refresh(&hallpass, issued.refresh.expose()).await.unwrap();
    }
    hallpass
        .sign_out(issued.session.id, &device(1))
        .await
        .unwrap();
    let kinds: Vec<_> = world.audit.events().iter().map(|e| e.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::SignedUp,
            EventKind::SessionOpened,
            EventKind::SignedOut
        ]
    );
}

#[tokio::test]
async fn kl_01_no_event_contains_a_token_a_password_or_a_key() {
    let (world, hallpass) = World::started().await;
    let (seen, user) = everything(&world, &hallpass).await;
    let log: String = world.audit.events().iter().map(|e| &*e.printed).collect();
    // The search works: it finds what may be there.
    assert!(log.contains(user.as_str()));
    for secret in &seen.0 {
        assert!(!log.contains(secret.as_str()), "{secret}");
    }
    assert!(!log.contains("example.test"));
}

#[tokio::test]
async fn kl_08_nothing_an_app_holds_prints_a_secret() {
    let (world, hallpass) = World::started().await;
    let issued = sign_up(&hallpass, "ada").await;
    let sign_up = SignUp {
        email: email("bob"),
        password: Password::chosen(PASSWORD).unwrap(),
        name: None,
        roles: Vec::new(),
    };
    let presented =
        hallpass.open_refresh_token(issued.refresh.expose(), hallpass_core::Carrier::Cookie);
    let printed = format!(
        "{issued:?} {sign_up:?} {hallpass:?} {presented:?} {:?} {:?}",
        secret(0),
        verify(&hallpass, &issued)
    );
    assert!(printed.contains("RefreshToken(redacted)"), "{printed}");
    assert!(printed.contains("MasterSecret(redacted)"), "{printed}");
    let mut seen = Seen(vec![
        PASSWORD.into(),
        "ada@example".into(),
        "bob@example".into(),
    ]);
    seen.take(&issued);
    for secret in &seen.0 {
        assert!(!printed.contains(secret.as_str()), "{secret}");
    }
    drop(world);
}
