use super::*;

const SETTINGS: KeySettings = KeySettings {
    rotate_every: Duration::from_secs(1_000),
    announce: Duration::from_secs(100),
    jwks_max_age: Duration::from_secs(10),
};
const KEPT_FOR: Duration = Duration::from_secs(50);

const fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn key(kid: &str, signs_from: u64) -> SealedKey {
    SealedKey {
        kid: kid.into(),
        algorithm: Algorithm::EdDsa,
        sealed: vec![],
        created_at: at(signs_from.saturating_sub(100)),
        signs_from: at(signs_from),
        revoked_at: None,
    }
}

fn revoked(kid: &str, signs_from: u64) -> SealedKey {
    SealedKey {
        revoked_at: Some(at(signs_from)),
        ..key(kid, signs_from)
    }
}

#[track_caller]
fn check(rows: &[SealedKey], now: u64, expected: &str) {
    let keys = stand(rows, at(now), KEPT_FOR);
    let found: Vec<_> = keys
        .iter()
        .map(|key| format!("{} {}", key.kid, key.state.name()))
        .collect();
    assert_eq!(found.join(", "), expected, "at {now}");
}

#[test]
fn a_key_is_announced_then_signs_then_verifies_then_is_gone() {
    let rows = [key("a", 1_000), key("b", 2_000)];
    check(&rows, 1_000, "a active, b next");
    check(&rows, 1_999, "a active, b next");
    check(&rows, 2_000, "a retired, b active");
    check(&rows, 2_050, "a retired, b active");
    check(&rows, 2_051, "a expired, b active");
}

#[test]
fn exactly_one_key_signs_whatever_the_clock_says() {
    check(&[], 1_000, "");
    check(&[key("a", 1_000)], 10, "a active");
    check(&[key("a", 1_000), key("b", 2_000)], 10, "a active, b next");
    check(
        &[key("a", 1_000), key("b", 1_000)],
        1_000,
        "a retired, b active",
    );
    check(
        &[key("b", 2_000), key("a", 1_000)],
        1_500,
        "a active, b next",
    );
}

#[test]
fn a_revoked_key_does_nothing_and_the_one_before_signs_again() {
    check(
        &[key("a", 1_000), revoked("b", 2_000)],
        3_000,
        "a active, b revoked",
    );
    check(
        &[revoked("a", 1_000), key("b", 2_000)],
        1_500,
        "a revoked, b active",
    );
    check(&[revoked("a", 1_000)], 1_500, "a revoked");
}

#[track_caller]
fn check_due(rows: &[SealedKey], occasion: Occasion, now: u64, expected: Option<u64>) {
    let keys = stand(rows, at(now), KEPT_FOR);
    let found = due(&keys, Algorithm::EdDsa, &SETTINGS, occasion, at(now));
    assert_eq!(found, expected.map(at), "at {now}");
}

#[test]
fn the_next_key_is_announced_so_early_that_it_signs_when_the_former_has_signed_long_enough() {
    let rows = [key("a", 1_000)];
    check_due(&rows, Occasion::Later, 1_899, None);
    check_due(&rows, Occasion::Later, 1_900, Some(2_000));
    check_due(&rows, Occasion::Later, 5_000, Some(5_100));
    check_due(
        &[key("a", 1_000), key("b", 2_000)],
        Occasion::Later,
        1_950,
        None,
    );
}

#[test]
fn the_very_first_key_signs_at_once_for_nobody_can_know_another() {
    check_due(&[], Occasion::Later, 1_000, Some(1_000));
    check_due(&[revoked("a", 500)], Occasion::Later, 1_000, Some(1_000));
}

#[test]
fn another_algorithm_is_announced_at_a_start_only() {
    let other = SealedKey {
        algorithm: Algorithm::Es256,
        ..key("a", 1_000)
    };
    check_due(std::slice::from_ref(&other), Occasion::Later, 1_100, None);
    check_due(
        std::slice::from_ref(&other),
        Occasion::Start,
        1_100,
        Some(1_200),
    );
    check_due(&[other, key("b", 1_200)], Occasion::Start, 1_150, None);
}

#[test]
fn rotation_can_be_switched_off() {
    let settings = KeySettings {
        rotate_every: Duration::ZERO,
        ..SETTINGS
    };
    let keys = stand(&[key("a", 1_000)], at(9_999_999), KEPT_FOR);
    let found = due(
        &keys,
        Algorithm::EdDsa,
        &settings,
        Occasion::Start,
        at(9_999_999),
    );
    assert_eq!(found, None);
}

#[test]
fn settings_under_which_a_verifier_could_miss_a_key_are_refused() {
    let fault = |settings: KeySettings| settings.faults(KEPT_FOR).first().map(|fault| fault.0);
    assert_eq!(fault(SETTINGS), None);
    assert_eq!(fault(KeySettings::default()), None);
    let announce = Duration::from_secs(19);
    assert_eq!(
        fault(KeySettings {
            announce,
            ..SETTINGS
        }),
        Some("keys.announce")
    );
    let jwks_max_age = Duration::from_millis(999);
    assert_eq!(
        fault(KeySettings {
            jwks_max_age,
            ..SETTINGS
        }),
        Some("keys.jwks_max_age")
    );
    let rotate_every = Duration::from_secs(2);
    assert_eq!(
        fault(KeySettings {
            rotate_every,
            ..SETTINGS
        }),
        Some("keys.rotate_every")
    );
}
