//! One-time tickets: taken once, and in time.

use super::{HOUR, NOW, at_once};
use crate::store::{Store, Ticket, TicketHash};
use hallpass_verify::{SessionId, Timestamp};
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn check<S: Store + 'static>(make: impl Fn() -> Arc<S>) {
    a_ticket_is_taken_once(make().as_ref()).await;
    of_fifty_that_take_a_ticket_at_once_one_gets_it(make()).await;
    a_ticket_that_expired_is_taken_by_nobody(make().as_ref()).await;
    tickets_that_expired_are_purged(make().as_ref()).await;
}

fn ticket(number: u8, expires_at: Timestamp) -> Ticket {
    Ticket {
        hash: TicketHash([number; 32]),
        session: SessionId::from_bytes([number; 16]),
        expires_at,
    }
}

async fn take(store: &dyn Store, number: u8, now: Timestamp) -> Option<SessionId> {
    store
        .take_ticket(&TicketHash([number; 32]), now)
        .await
        .unwrap()
}

async fn a_ticket_is_taken_once(store: &dyn Store) {
    for number in [1, 2, 255] {
        store
            .insert_ticket(ticket(number, NOW.plus(HOUR)))
            .await
            .unwrap();
    }
    assert_eq!(take(store, 3, NOW).await, None);
    for number in [2, 255, 1] {
        let session = SessionId::from_bytes([number; 16]);
        assert_eq!(take(store, number, NOW).await, Some(session));
        assert_eq!(take(store, number, NOW).await, None);
    }
}

async fn of_fifty_that_take_a_ticket_at_once_one_gets_it<S: Store + 'static>(store: Arc<S>) {
    for round in 0..20 {
        store
            .insert_ticket(ticket(round, NOW.plus(HOUR)))
            .await
            .unwrap();
        let came = at_once(50, |_| {
            let store = store.clone();
            async move { take(store.as_ref(), round, NOW).await }
        })
        .await;
        let taken: Vec<_> = came.into_iter().flatten().collect();
        assert_eq!(taken, [SessionId::from_bytes([round; 16])]);
    }
}

async fn a_ticket_that_expired_is_taken_by_nobody(store: &dyn Store) {
    let millisecond = Duration::from_millis(1);
    for (number, expires_at) in [
        (1, NOW.minus(millisecond)),
        (2, NOW),
        (3, NOW.plus(millisecond)),
    ] {
        store
            .insert_ticket(ticket(number, expires_at))
            .await
            .unwrap();
        assert_eq!(take(store, number, NOW).await.is_some(), number == 3);
        // It is gone: no other clock makes it good again.
        assert_eq!(take(store, number, NOW.minus(HOUR)).await, None);
    }
}

async fn tickets_that_expired_are_purged(store: &dyn Store) {
    for number in 0..10 {
        let expires_at = NOW.plus(Duration::from_secs(u64::from(number)));
        store
            .insert_ticket(ticket(number, expires_at))
            .await
            .unwrap();
    }
    store
        .purge_tickets(NOW.plus(Duration::from_secs(5)))
        .await
        .unwrap();
    for number in 0..10 {
        let kept = take(store, number, NOW.minus(HOUR)).await.is_some();
        assert_eq!(kept, number >= 5, "{number}");
    }
}
