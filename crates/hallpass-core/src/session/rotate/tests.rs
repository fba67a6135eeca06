//! The seven cases of the rule as one table, and the rule against a second reading of it.

use super::*;
use crate::session::EndReason;
use crate::store::contract;
use proptest::prelude::*;

const GRACE: Duration = Duration::from_secs(10);
const KEY: RotationKeyHash = RotationKeyHash([1; 16]);
const OTHER_KEY: RotationKeyHash = RotationKeyHash([2; 16]);

const fn seconds(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// A session that was rotated to `generation` at `at`, lives to 1,000 idle and to 2,000 in all.
fn rotated(generation: u32, at: Timestamp) -> Session {
    Session {
        generation,
        rotated_at: at,
        rotation_key: None,
        idle_expires_at: seconds(1_000),
        expires_at: seconds(2_000),
        ended: None,
        ..contract::session(1, "ada")
    }
}

/// A presented token, and the row it meets.
struct Case {
    presented: u32,
    row: Session,
    key: Option<RotationKeyHash>,
    grace: Duration,
}

impl Case {
    fn with_keys(self, row: Option<RotationKeyHash>, request: Option<RotationKeyHash>) -> Self {
        let row = Session {
            rotation_key: row,
            ..self.row
        };
        Self {
            row,
            key: request,
            ..self
        }
    }

    fn without_grace(self) -> Self {
        Self {
            grace: Duration::ZERO,
            ..self
        }
    }
}

fn token(presented: u32, row: Session) -> Case {
    Case {
        presented,
        row,
        key: None,
        grace: GRACE,
    }
}

/// The current token of a session.
fn current() -> Case {
    token(5, rotated(5, seconds(100)))
}

/// A token that was used at `second`: the one before the current one.
fn used_at(second: u64) -> Case {
    token(4, rotated(5, seconds(second)))
}

/// A token that is two generations old.
fn long_used() -> Case {
    token(3, rotated(5, seconds(100)))
}

/// A token that the store knows nothing of yet.
fn ahead_by(generations: u32) -> Case {
    token(5 + generations, rotated(5, seconds(100)))
}

#[track_caller]
fn check(case: &Case, now: Timestamp, expected: Rotation) {
    let Case {
        presented,
        row,
        key,
        grace,
    } = case;
    assert_eq!(decide(*presented, row, *key, now, *grace), expected);
}

#[test]
fn the_current_token_rotates_at_any_age() {
    check(&current(), seconds(100), Rotation::Rotate);
    check(&current(), seconds(999), Rotation::Rotate);
    let keyed = current().with_keys(Some(KEY), Some(KEY));
    check(&keyed, seconds(500), Rotation::Rotate);
}

#[test]
fn rf_02_a_used_token_is_accepted_again_only_within_the_grace_period() {
    check(&used_at(100), seconds(100), Rotation::Replay);
    check(&used_at(100), seconds(109), Rotation::Replay);
    let millis = Timestamp::from_millis;
    check(&used_at(100), millis(109_999), Rotation::Replay);
    check(&used_at(100), millis(110_000), Rotation::Reuse);
    check(&used_at(100), millis(110_001), Rotation::Reuse);
    check(&used_at(100), seconds(999), Rotation::Reuse);
}

#[test]
fn a_grace_period_of_zero_takes_no_token_twice() {
    let strict = used_at(100).without_grace();
    check(&strict, seconds(99), Rotation::Reuse);
    check(&strict, seconds(100), Rotation::Reuse);
    check(&current().without_grace(), seconds(100), Rotation::Rotate);
}

#[test]
fn rf_07_the_idempotency_key_of_the_rotation_replays_it_at_any_time() {
    let late = seconds(999);
    let keys = |row, request| used_at(100).with_keys(row, request);
    check(&keys(Some(KEY), Some(KEY)), late, Rotation::Replay);
    check(&keys(Some(KEY), Some(OTHER_KEY)), late, Rotation::Reuse);
    check(&keys(Some(KEY), None), late, Rotation::Reuse);
    check(&keys(None, Some(KEY)), late, Rotation::Reuse);
    check(&keys(None, None), late, Rotation::Reuse);
    let strict = keys(Some(KEY), Some(KEY)).without_grace();
    check(&strict, late, Rotation::Replay);
    // Within the grace period the key does not matter.
    check(
        &keys(Some(KEY), Some(OTHER_KEY)),
        seconds(109),
        Rotation::Replay,
    );
}

#[test]
fn a_token_two_generations_old_is_reuse_even_within_the_grace_period() {
    check(&long_used(), seconds(100), Rotation::Reuse);
    let keyed = long_used().with_keys(Some(KEY), Some(KEY));
    check(&keyed, seconds(100), Rotation::Reuse);
}

#[test]
fn a_token_ahead_of_the_store_heals_it() {
    check(&ahead_by(1), seconds(100), Rotation::Heal);
    check(&ahead_by(1000), seconds(999), Rotation::Heal);
}

#[test]
fn a_session_that_is_over_raises_no_alarm_whatever_the_token() {
    for case in [current(), used_at(100), long_used(), ahead_by(1)] {
        let last_moment = Timestamp::from_millis(999_999);
        assert_ne!(
            decide(case.presented, &case.row, None, last_moment, GRACE),
            Rotation::Ended
        );
        check(&case, seconds(1_000), Rotation::Ended);
        for reason in EndReason::ALL {
            let mut ended = token(case.presented, case.row.clone());
            ended.row.ended = Some((seconds(100), reason));
            check(&ended, seconds(100), Rotation::Ended);
        }
        let mut outlived = token(case.presented, case.row);
        outlived.row.idle_expires_at = seconds(3_000);
        check(&outlived, seconds(2_000), Rotation::Ended);
    }
}

#[test]
fn the_first_and_the_last_generation_have_no_neighbours_beyond() {
    let first = |presented| token(presented, rotated(0, seconds(100)));
    check(&first(0), seconds(100), Rotation::Rotate);
    check(&first(1), seconds(100), Rotation::Heal);
    check(&first(u32::MAX), seconds(100), Rotation::Heal);
    let last = |presented| token(presented, rotated(u32::MAX, seconds(100)));
    check(&last(u32::MAX), seconds(100), Rotation::Rotate);
    check(&last(u32::MAX - 1), seconds(100), Rotation::Replay);
    check(&last(u32::MAX - 2), seconds(100), Rotation::Reuse);
    check(&last(0), seconds(100), Rotation::Reuse);
}

#[test]
fn rf_26_machines_whose_clocks_are_a_little_apart_raise_no_alarm() {
    // Rotated by a machine whose clock is ahead.
    check(&used_at(100), seconds(99), Rotation::Replay);
    check(&used_at(100), seconds(40), Rotation::Replay);
}

#[test]
fn rf_26_a_clock_set_back_makes_no_used_token_valid_again() {
    // Rotated at 900; then the clock is set back by far more than clocks may be apart.
    check(&used_at(900), seconds(839), Rotation::Reuse);
    check(&used_at(900), seconds(100), Rotation::Reuse);
    // Who has the current token, or retries with the key, notices nothing.
    check(
        &token(5, rotated(5, seconds(900))),
        seconds(100),
        Rotation::Rotate,
    );
    let keyed = used_at(900).with_keys(Some(KEY), Some(KEY));
    check(&keyed, seconds(100), Rotation::Replay);
}

/// The table of the contract, read a second time: wide integers, no early return.
fn oracle(case: &Case, now: Timestamp) -> Rotation {
    let millis = |at: Timestamp| i128::from(at.as_millis());
    let (n, g) = (i128::from(case.presented), i128::from(case.row.generation));
    let is_over = case.row.ended.is_some()
        || millis(now) >= millis(case.row.idle_expires_at)
        || millis(now) >= millis(case.row.expires_at);
    let age = millis(now) - millis(case.row.rotated_at);
    let grace = i128::try_from(case.grace.as_millis()).unwrap();
    // One minute: the widest gap between clocks.
    let is_recent = age < grace && age >= -60_000 && grace > 0;
    let is_retry = matches!((case.key, case.row.rotation_key), (Some(a), Some(b)) if a == b);
    match (is_over, n - g) {
        (true, _) => Rotation::Ended,
        (_, 0) => Rotation::Rotate,
        (_, 1..) => Rotation::Heal,
        (_, -1) if is_recent || is_retry => Rotation::Replay,
        _ => Rotation::Reuse,
    }
}

fn any_key() -> impl Strategy<Value = Option<RotationKeyHash>> {
    prop_oneof![Just(None), Just(Some(KEY)), Just(Some(OTHER_KEY))]
}

/// Small numbers and the last ones, so that neighbours meet often.
fn any_generation() -> impl Strategy<Value = u32> {
    prop_oneof![0_u32..5, u32::MAX - 4..=u32::MAX, any::<u32>()]
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![0_u64..200_000, Just(0), Just(u64::MAX), any::<u64>()]
        .prop_map(Timestamp::from_millis)
}

prop_compose! {
    fn any_case()(
        (presented, generation) in (any_generation(), any_generation()),
        (rotated_at, idle_expires_at, expires_at) in (any_time(), any_time(), any_time()),
        (row_key, key) in (any_key(), any_key()),
        ended in proptest::option::weighted(0.1, any_time()),
        grace in 0_u64..=60,
    ) -> Case {
        let row = Session {
            idle_expires_at,
            expires_at,
            rotation_key: row_key,
            ended: ended.map(|at| (at, EndReason::SignedOut)),
            ..rotated(generation, rotated_at)
        };
        Case { presented, row, key, grace: Duration::from_secs(grace) }
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {:?} {:?} {:?}",
            self.presented, self.row, self.key, self.grace
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_rule_is_the_table_of_the_contract(case in any_case(), now in any_time()) {
        prop_assert_eq!(
            decide(case.presented, &case.row, case.key, now, case.grace),
            oracle(&case, now)
        );
    }
}
