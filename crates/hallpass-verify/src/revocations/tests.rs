use super::*;
use std::time::Duration;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn session(number: u64) -> SessionId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    SessionId::from_bytes(bytes)
}

/// What a table of ended sessions takes, in bytes: each place has room for an entry and one byte
/// that tells whether it is taken; 16 such bytes are repeated at the end. One place in eight stays
/// free.
fn bytes_of(sessions: &HashMap<SessionId, Timestamp>) -> usize {
    let places = match sessions.capacity() {
        0 => return 0,
        capacity @ 1..8 => capacity + 1,
        capacity => capacity * 8 / 7,
    };
    assert!(places.is_power_of_two());
    places * (size_of::<(SessionId, Timestamp)>() + 1) + 16
}

#[test]
fn an_ended_session_is_known_until_its_last_token_has_expired() {
    let ended = Revocations::default();
    let session = SessionId::from_bytes([1; 16]);
    assert!(!ended.has_session(&session));
    ended.end_session(session, at(100));
    ended.end_session(session, at(50));
    ended.forget_expired(at(100));
    assert!(ended.has_session(&session));
    ended.forget_expired(at(101));
    assert!(!ended.has_session(&session));
    assert!(ended.is_empty());
}

#[test]
fn an_ended_session_takes_at_most_58_bytes_and_the_first_one_116() {
    let ended = Revocations::default();
    ended.end_session(session(1), at(100));
    let sessions = &mut ended.known.write().unwrap().sessions;
    assert_eq!(bytes_of(sessions), 116);
    for number in 2..=1_000_000 {
        sessions.insert(session(number), at(100));
        assert!(bytes_of(sessions) <= 58 * sessions.len(), "{number}");
    }
    assert_eq!(sessions.len(), 1_000_000);
}

#[test]
fn the_memory_of_a_flood_is_given_back() {
    let ended = Revocations::default();
    for number in 0..20_000 {
        let until = if number < 100 { at(500) } else { at(100) };
        ended.end_session(session(number), until);
        ended.end_token(&format!("t{number}"), until);
        ended.end_user(&UserId::parse(&format!("u{number}")).unwrap(), at(1), until);
    }
    let capacities = || {
        let known = ended.known.read().unwrap();
        [
            known.sessions.capacity(),
            known.tokens.capacity(),
            known.users.capacity(),
        ]
    };
    assert!(capacities().iter().all(|capacity| *capacity >= 20_000));
    ended.forget_expired(at(101));
    assert_eq!(ended.len(), 300);
    assert!(capacities().iter().all(|capacity| *capacity <= 800));
    assert!((0..100).all(|number| ended.has_session(&session(number))));
    ended.forget_expired(at(501));
    assert_eq!(capacities(), [0; 3]);
}

#[test]
fn what_is_ended_again_while_it_is_forgotten_stays() {
    let ended = Revocations::default();
    ended.end_session(session(1), at(100));
    let names = expired(&ended.known.read().unwrap().sessions, |until| {
        *until < at(101)
    });
    ended.end_session(session(1), at(200));
    ended.forget(
        &names,
        |known| &mut known.sessions,
        |until| *until < at(101),
    );
    assert!(ended.has_session(&session(1)));
    ended.forget_expired(at(200).plus(Duration::from_millis(1)));
    assert!(ended.is_empty());
}
