//! Rotation, replay, reuse: what a client sees.

use crate::common::*;
use hallpass_core::audit::EventKind;
use hallpass_core::session::{EndReason, Persistence};
use hallpass_core::store::SessionStore as _;
use hallpass_core::{Carrier, Delivery, Hallpass, Issued, Opening, Proof};
use hallpass_verify::TokenError;
use std::collections::BTreeSet;

async fn open_transient(hallpass: &Hallpass) -> Issued {
    let opening = Opening {
        persistence: Persistence::Transient,
        ..opening()
    };
    let proof = Proof::asserted_by_app(user_id("ada"), &["pwd"]);
    hallpass.open_session(proof, opening).await.unwrap()
}

#[tokio::test]
async fn rf_01_a_refresh_gives_new_tokens_and_uses_the_old_one_up() {
    let (world, hallpass) = World::started().await;
    let first = open(&hallpass, "ada").await;
    let second = refresh(&hallpass, first.refresh.expose()).await.unwrap();
    assert_ne!(second.refresh.expose(), first.refresh.expose());
    assert_ne!(second.access.expose(), first.access.expose());
    assert_eq!(second.session.id, first.session.id);
    assert_eq!(world.row(first.session.id).await.generation, 1);
    let caller = verify(&hallpass, &second).unwrap();
    assert_eq!(caller.session(), Some(first.session.id));
    assert_eq!(caller.subject(), "ada");
    assert_eq!(caller.methods(), ["hwk"]);
}

#[tokio::test]
async fn rf_02_reuse_after_the_grace_period_ends_the_session_and_tells() {
    let (world, hallpass) = World::started().await;
    let other = open(&hallpass, "ada").await;
    let first = open(&hallpass, "ada").await;
    let second = refresh(&hallpass, first.refresh.expose()).await.unwrap();
    world.clock.advance(11 * SECOND);
    let reused = refresh(&hallpass, first.refresh.expose()).await;
    expect(&reused, "refresh_reused");
    let successor = refresh(&hallpass, second.refresh.expose()).await;
    expect(&successor, "session_ended");
    assert_eq!(
        verify(&hallpass, &second).unwrap_err(),
        TokenError::SessionEnded
    );
    let live = hallpass.sessions(&user_id("ada")).await.unwrap();
    assert_eq!(live.len(), 1);
    assert_eq!(live[0].id, other.session.id);
    let ended = world.row(first.session.id).await.ended;
    assert_eq!(ended, Some((world.now(), EndReason::RefreshReused)));
    let event = world.audit.last(EventKind::RefreshReused);
    assert_eq!(event.session, Some(first.session.id));
    assert_eq!(event.device, device(2));
    refresh(&hallpass, other.refresh.expose()).await.unwrap();
}

#[tokio::test]
async fn rf_03_when_the_thief_refreshes_first_both_lose() {
    let (world, hallpass) = World::started().await;
    let stolen = open(&hallpass, "ada").await;
    let thiefs = refresh(&hallpass, stolen.refresh.expose()).await.unwrap();
    world.clock.advance(11 * SECOND);
    let victim = refresh(&hallpass, stolen.refresh.expose()).await;
    expect(&victim, "refresh_reused");
    let thief = refresh(&hallpass, thiefs.refresh.expose()).await;
    expect(&thief, "session_ended");
    assert_eq!(
        verify(&hallpass, &thiefs).unwrap_err(),
        TokenError::SessionEnded
    );
}

/// Refreshes one token `count` times at once, spread over the processes; all get one successor.
async fn refresh_at_once(processes: &[Hallpass], token: &str, count: usize) -> Issued {
    let tasks: Vec<_> = processes
        .iter()
        .cycle()
        .take(count)
        .map(|process| {
            let (process, token) = (process.clone(), token.to_owned());
            tokio::spawn(async move { refresh(&process, &token).await })
        })
        .collect();
    let mut issued = Vec::new();
    for task in tasks {
        issued.push(task.await.unwrap().unwrap());
    }
    let successors: BTreeSet<_> = issued.iter().map(|i| i.refresh.expose()).collect();
    assert_eq!(successors.len(), 1);
    for process in processes {
        for issued in &issued {
            verify(process, issued).unwrap();
        }
    }
    issued.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_05_two_parallel_refreshes_both_succeed_with_one_successor() {
    let (world, hallpass) = World::started().await;
    let mut issued = open(&hallpass, "ada").await;
    for round in 1..=100 {
        let processes = [hallpass.clone()];
        issued = refresh_at_once(&processes, issued.refresh.expose(), 2).await;
        assert_eq!(world.row(issued.session.id).await.generation, round);
    }
    assert_eq!(world.audit.count(EventKind::RefreshReused), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_06_twenty_parallel_refreshes_leave_one_live_leaf_in_every_round() {
    let (world, hallpass) = World::started().await;
    let mut issued = open(&hallpass, "ada").await;
    for round in 1..=50 {
        let processes = [hallpass.clone()];
        issued = refresh_at_once(&processes, issued.refresh.expose(), 20).await;
        assert_eq!(world.row(issued.session.id).await.generation, round);
        assert_eq!(issued.session.generation, round);
    }
    assert_eq!(world.audit.count(EventKind::RefreshReused), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_29_refreshes_split_between_two_processes_are_like_those_of_one() {
    let (world, hallpass) = World::started().await;
    let processes = [hallpass, world.process().await];
    let mut issued = open(&processes[0], "ada").await;
    for round in 1..=50 {
        issued = refresh_at_once(&processes, issued.refresh.expose(), 20).await;
        assert_eq!(world.row(issued.session.id).await.generation, round);
    }
    assert_eq!(world.audit.count(EventKind::RefreshReused), 0);
}

#[tokio::test]
async fn rf_07_a_lost_answer_is_given_again() {
    let (world, hallpass) = World::started().await;
    let first = open(&hallpass, "ada").await;
    let lost = refresh(&hallpass, first.refresh.expose()).await.unwrap();
    world.clock.advance(SECOND);
    let again = refresh(&hallpass, first.refresh.expose()).await.unwrap();
    assert_eq!(again.refresh.expose(), lost.refresh.expose());
    assert_eq!(again.session, lost.session);
    verify(&hallpass, &again).unwrap();
    refresh(&hallpass, again.refresh.expose()).await.unwrap();
}

#[tokio::test]
async fn rf_07_a_retry_with_the_same_idempotency_key_is_answered_hours_later() {
    let (world, hallpass) = World::started().await;
    let first = open(&hallpass, "ada").await;
    let token = first.refresh.expose();
    let lost = refresh_keyed(&hallpass, token, Some(KEY)).await.unwrap();
    let written = world.row(first.session.id).await;
    world.clock.advance(5 * HOUR);
    let again = refresh_keyed(&hallpass, token, Some(KEY)).await.unwrap();
    assert_eq!(again.refresh.expose(), lost.refresh.expose());
    // A replay slides nothing.
    assert_eq!(world.row(first.session.id).await, written);
    let other = refresh_keyed(&hallpass, token, Some("another-attempt-0002")).await;
    expect(&other, "refresh_reused");
}

#[tokio::test]
async fn a_key_of_another_session_replays_nothing() {
    let (world, hallpass) = World::started().await;
    let (ada, bob) = (open(&hallpass, "ada").await, open(&hallpass, "bob").await);
    for issued in [&ada, &bob] {
        let token = issued.refresh.expose();
        refresh_keyed(&hallpass, token, Some(KEY)).await.unwrap();
    }
    let rows = [
        world.row(ada.session.id).await.rotation_key.unwrap(),
        world.row(bob.session.id).await.rotation_key.unwrap(),
    ];
    assert_ne!(rows[0], rows[1]);
}

#[tokio::test]
async fn rf_11_and_rf_12_the_absolute_lifetime_never_grows() {
    let (world, hallpass) = World::started().await;
    let mut issued = open_transient(&hallpass).await;
    let end = issued.session.expires_at;
    assert_eq!(end.since(NOW), 24 * HOUR);
    for _ in 0..3 {
        world.clock.advance(6 * HOUR);
        issued = refresh(&hallpass, issued.refresh.expose()).await.unwrap();
        assert_eq!(issued.session.expires_at, end);
    }
    world.clock.set(end.minus(5 * SECOND));
    let last = refresh(&hallpass, issued.refresh.expose()).await.unwrap();
    let again = refresh(&hallpass, issued.refresh.expose()).await.unwrap();
    for issued in [&last, &again] {
        assert_eq!(issued.session.expires_at, end);
        assert_eq!(issued.refresh_expires_in, 5 * SECOND);
        assert_eq!(issued.access_expires_in, 5 * SECOND);
        assert_eq!(verify(&hallpass, issued).unwrap().expires_at(), end);
    }
    world.clock.set(end);
    let over = refresh(&hallpass, last.refresh.expose()).await;
    expect(&over, "session_ended");
    assert_eq!(world.audit.count(EventKind::RefreshReused), 0);
}

#[tokio::test]
async fn rf_13_an_idle_session_ends() {
    let (world, hallpass) = World::started().await;
    let issued = open_transient(&hallpass).await;
    assert_eq!(issued.refresh_expires_in, 12 * HOUR);
    world.clock.set(NOW.plus(12 * HOUR).minus(SECOND));
    let issued = refresh(&hallpass, issued.refresh.expose()).await.unwrap();
    world.clock.advance(12 * HOUR);
    let over = refresh(&hallpass, issued.refresh.expose()).await;
    expect(&over, "session_ended");
    expect(
        &hallpass.expect_live(issued.session.id).await,
        "session_ended",
    );
}

#[tokio::test]
async fn no_access_token_outlives_its_session() {
    let (world, hallpass) = World::started().await;
    let issued = open_transient(&hallpass).await;
    let token = issued.refresh.expose();
    refresh_keyed(&hallpass, token, Some(KEY)).await.unwrap();
    let idle_end = NOW.plus(12 * HOUR);
    world.clock.set(idle_end.minus(5 * SECOND));
    // A late retry slides nothing, so the session is about to end.
    let again = refresh_keyed(&hallpass, token, Some(KEY)).await.unwrap();
    assert_eq!(again.access_expires_in, 5 * SECOND);
    let caller = verify(&hallpass, &again).unwrap();
    assert_eq!(caller.expires_at(), idle_end);
}

#[tokio::test]
async fn rf_14_sign_out_kills_the_token_and_its_successors_within_the_grace_period_too() {
    let (world, hallpass) = World::started().await;
    let first = open(&hallpass, "ada").await;
    let second = refresh_keyed(&hallpass, first.refresh.expose(), Some(KEY)).await;
    let second = second.unwrap();
    hallpass
        .sign_out(first.session.id, &device(1))
        .await
        .unwrap();
    for token in [&first, &second] {
        for key in [None, Some(KEY)] {
            let refused = refresh_keyed(&hallpass, token.refresh.expose(), key).await;
            expect(&refused, "session_ended");
        }
        assert_eq!(
            verify(&hallpass, token).unwrap_err(),
            TokenError::SessionEnded
        );
    }
    assert_eq!(world.audit.count(EventKind::RefreshReused), 0);
}

#[tokio::test]
async fn rf_22_a_token_is_good_only_where_its_delivery_put_it() {
    let (_world, hallpass) = World::started().await;
    for delivery in Delivery::ALL {
        let opening = Opening {
            delivery,
            ..opening()
        };
        let proof = Proof::asserted_by_app(user_id("ada"), &["pwd"]);
        let issued = hallpass.open_session(proof, opening).await.unwrap();
        let token = issued.refresh.expose();
        let home = if delivery == Delivery::Body {
            Carrier::Body
        } else {
            Carrier::Cookie
        };
        for carrier in [Carrier::Cookie, Carrier::Body] {
            let opened = hallpass.open_refresh_token(token, carrier);
            assert_eq!(opened.is_some(), carrier == home);
        }
        // Its successor travels the same way.
        let presented = hallpass.open_refresh_token(token, home).unwrap();
        let next = hallpass.refresh(presented, None, &device(1)).await.unwrap();
        assert_eq!(next.session.delivery, delivery);
        let token = next.refresh.expose();
        assert!(hallpass.open_refresh_token(token, home).is_some());
    }
}

#[tokio::test]
async fn rf_22_a_session_in_cookie_and_body_has_a_token_for_each_and_one_chain() {
    let (_world, hallpass) = World::started().await;
    let opening = Opening {
        delivery: Delivery::Both,
        ..opening()
    };
    let proof = Proof::asserted_by_app(user_id("ada"), &["pwd"]);
    let first = hallpass.open_session(proof, opening).await.unwrap();
    let in_body = first.refresh_in_body.as_ref().unwrap().expose();
    assert_ne!(in_body, first.refresh.expose());
    assert!(
        hallpass
            .open_refresh_token(in_body, Carrier::Cookie)
            .is_none()
    );
    let by_body = hallpass.open_refresh_token(in_body, Carrier::Body).unwrap();
    let second = hallpass.refresh(by_body, None, &device(1)).await.unwrap();
    assert_eq!(second.session.generation, 1);
    // One token renewed the session, so its twin is used too.
    let stale = hallpass.open_refresh_token(first.refresh.expose(), Carrier::Cookie);
    let replayed = hallpass.refresh(stale.unwrap(), None, &device(1)).await;
    assert_eq!(replayed.unwrap().refresh.expose(), second.refresh.expose());
}

#[tokio::test]
async fn a_write_that_the_store_lost_is_healed_and_told() {
    let (world, hallpass) = World::started().await;
    let first = open(&hallpass, "ada").await;
    let early = world.row(first.session.id).await;
    let second = refresh(&hallpass, first.refresh.expose()).await.unwrap();
    let third = refresh(&hallpass, second.refresh.expose()).await.unwrap();
    // A failover to a replica that is two writes behind.
    world.store.insert_session(&early).await.unwrap();
    let healed = refresh(&hallpass, third.refresh.expose()).await.unwrap();
    assert_eq!(healed.session.generation, 3);
    let event = world.audit.last(EventKind::RefreshHealed);
    assert_eq!(event.session, Some(first.session.id));
    assert_eq!(event.user, Some(user_id("ada")));
    let again = refresh(&hallpass, third.refresh.expose()).await.unwrap();
    assert_eq!(again.refresh.expose(), healed.refresh.expose());
    assert_eq!(world.audit.count(EventKind::RefreshHealed), 1);
    // What was used before the failover stays used.
    let reused = refresh(&hallpass, second.refresh.expose()).await;
    expect(&reused, "refresh_reused");
}

#[tokio::test]
async fn a_token_of_a_session_that_the_store_does_not_know_is_of_a_session_that_ended() {
    let (_world, hallpass) = World::started().await;
    let issued = open(&hallpass, "ada").await;
    let elsewhere = World::new().process().await;
    let unknown = refresh(&elsewhere, issued.refresh.expose()).await;
    expect(&unknown, "session_ended");
}
