//! Clocks that jump.

use crate::common::*;
use hallpass_core::audit::EventKind;
use hallpass_verify::Timestamp;

#[tokio::test]
async fn rf_26_a_clock_that_jumps_back_and_forth_revives_no_token_and_raises_no_alarm() {
    let (world, hallpass) = World::started().await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let first = open(&hallpass, "ada").await;
        clients.push(refresh(&hallpass, first.refresh.expose()).await.unwrap());
    }
    let victim = open(&hallpass, "bob").await;
    refresh(&hallpass, victim.refresh.expose()).await.unwrap();
    world.clock.advance(11 * SECOND);
    for jump in ["back", "forth"] {
        match jump {
            "back" => world.clock.set(NOW.minus(HOUR)),
            _ => world.clock.advance(2 * HOUR),
        }
        for client in &mut clients {
            let used = client.refresh.expose().to_owned();
            *client = refresh(&hallpass, &used).await.unwrap();
            // Two tabs, one of them late.
            let late = refresh(&hallpass, &used).await.unwrap();
            assert_eq!(late.refresh.expose(), client.refresh.expose());
            verify(&hallpass, client).unwrap();
        }
        assert_eq!(world.audit.count(EventKind::RefreshReused), 0, "{jump}");
    }
    world.clock.set(NOW.minus(HOUR));
    let revived = refresh(&hallpass, victim.refresh.expose()).await;
    expect(&revived, "refresh_reused");
}

#[tokio::test]
async fn ds_09_the_year_2038_is_a_year_like_any_other() {
    let (world, hallpass) = World::started().await;
    sign_up(&hallpass, "ada").await;
    // Around the moments at which 32 bits end, signed and unsigned, and a late one.
    for seconds in [1 << 31, 1 << 32, 10_000_000_000_u64] {
        world.clock.set(Timestamp::from_seconds(seconds - 1));
        let signed_in = sign_in(&hallpass, "ada", PASSWORD, opening())
            .await
            .unwrap();
        verify(&hallpass, &signed_in).unwrap();
        world.clock.advance(2 * SECOND);
        let caller = verify(&hallpass, &signed_in).unwrap();
        assert_eq!(caller.expires_at(), Timestamp::from_seconds(seconds + 899));
        let next = refresh(&hallpass, signed_in.refresh.expose())
            .await
            .unwrap();
        verify(&hallpass, &next).unwrap();
        assert_eq!(
            next.session.rotated_at,
            Timestamp::from_seconds(seconds + 1)
        );
        hallpass.sync().await.unwrap();
        hallpass.purge().await.unwrap();
    }
}

#[tokio::test]
async fn ds_09_a_clock_set_back_by_a_day_leaves_sane_tokens() {
    let (world, hallpass) = World::started().await;
    let before = open(&hallpass, "ada").await;
    world.clock.set(NOW.minus(24 * HOUR));
    // Issued in what is now the future: not good yet.
    assert!(verify(&hallpass, &before).is_err());
    let after = refresh(&hallpass, before.refresh.expose()).await.unwrap();
    let caller = verify(&hallpass, &after).unwrap();
    assert_eq!(caller.expires_at(), NOW.minus(24 * HOUR).plus(900 * SECOND));
    assert_eq!(after.access_expires_in, 900 * SECOND);
    assert_eq!(after.session.expires_at, before.session.expires_at);
    hallpass
        .sign_out(after.session.id, &device(1))
        .await
        .unwrap();
    assert!(verify(&hallpass, &after).is_err());
}
