use super::*;

const NO_JITTER: Jitter = Jitter(0.0);
const PACE: Pace = Pace {
    cooldown: Duration::from_secs(30),
    stale_max: Duration::from_hours(24),
    tick: Duration::from_secs(1),
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A plan that fetched at 0 what is fresh for so many seconds.
fn fetched(fresh_seconds: u64) -> Plan {
    let mut plan = Plan::new(PACE, None);
    assert_eq!(plan.begin(at(0)), Some(Reason::Start));
    plan.end(Outcome::Good(Some(secs(fresh_seconds))), at(0), NO_JITTER);
    plan
}

fn fetch_now(plan: &mut Plan, now: Timestamp, outcome: Outcome) -> Option<Reason> {
    let reason = plan.begin(now)?;
    plan.end(outcome, now, NO_JITTER);
    Some(reason)
}

#[test]
fn keys_are_fetched_at_the_start_and_again_when_they_are_stale() {
    let mut plan = fetched(60);
    assert_eq!(plan.quiet(at(0)), secs(60));
    assert_eq!(plan.begin(at(59)), None);
    assert_eq!(plan.begin(at(60)), Some(Reason::Stale));
    assert_eq!(plan.good_at(), Some(at(0)));
    plan.end(Outcome::Good(Some(secs(60))), at(61), NO_JITTER);
    assert_eq!(plan.good_at(), Some(at(61)));
    assert_eq!(plan.begin(at(120)), None);
}

#[test]
fn what_the_issuer_says_is_clamped_to_a_second_and_an_hour() {
    for (said, fresh) in [
        (Some(secs(0)), secs(1)),
        (Some(secs(1)), secs(1)),
        (Some(secs(300)), secs(300)),
        (Some(secs(3600)), secs(3600)),
        (Some(secs(86_400)), secs(3600)),
        (Some(Duration::MAX), secs(3600)),
        (None, secs(300)),
    ] {
        let mut plan = Plan::new(PACE, None);
        plan.begin(at(0));
        plan.end(Outcome::Good(said), at(0), NO_JITTER);
        assert_eq!(plan.quiet(at(0)), fresh, "{said:?}");
        plan.begin(at(3600));
        plan.end(Outcome::Good(said), at(3600), Jitter(1.0));
        assert_eq!(plan.quiet(at(3600)), fresh.mul_f64(0.9), "{said:?}");
    }
}

#[test]
fn at_most_one_fetch_is_under_way() {
    let mut plan = Plan::new(PACE, None);
    assert_eq!(plan.wish(at(0)), Answer::Begins);
    assert_eq!(plan.wish(at(0)), Answer::Joins);
    assert_eq!(plan.begin(at(0)), Some(Reason::Start));
    assert_eq!(plan.wish(at(1)), Answer::Joins);
    plan.end(Outcome::Good(None), at(2), NO_JITTER);
    assert_eq!(plan.wish(at(2)), Answer::Begins);
    assert_eq!(plan.begin(at(2)), Some(Reason::UnknownKid));
}

#[test]
fn an_unknown_key_makes_one_fetch_per_cool_down_after_success_and_failure_alike() {
    for outcome in [Outcome::Good(Some(secs(3600))), Outcome::Failed] {
        let mut plan = fetched(3600);
        assert_eq!(plan.wish(at(100)), Answer::Begins);
        assert_eq!(
            fetch_now(&mut plan, at(100), outcome),
            Some(Reason::UnknownKid)
        );
        for seconds in [100, 101, 115, 129] {
            assert_eq!(plan.wish(at(seconds)), Answer::No, "{seconds} {outcome:?}");
        }
        assert_eq!(plan.wish(at(130)), Answer::Begins, "{outcome:?}");
    }
}

#[test]
fn a_fetch_for_another_reason_does_not_use_up_the_one_for_an_unknown_key() {
    let mut plan = fetched(60);
    assert_eq!(
        fetch_now(&mut plan, at(60), Outcome::Good(None)),
        Some(Reason::Stale)
    );
    assert_eq!(plan.wish(at(61)), Answer::Begins);
}

#[test]
fn jk_05_a_million_made_up_keys_in_an_hour_make_one_fetch_per_cool_down() {
    for outcome in [Outcome::Good(Some(secs(3600))), Outcome::Failed] {
        let mut plan = fetched(3600);
        let mut begun = 0;
        for number in 0..1_000_000_u64 {
            let now = at(0).plus(Duration::from_micros(3600 * number));
            if plan.wish(now) == Answer::Begins {
                begun += 1;
                assert_eq!(fetch_now(&mut plan, now, outcome), Some(Reason::UnknownKid));
            }
        }
        assert_eq!(begun, 3600 / 30, "{outcome:?}");
    }
}

#[test]
fn jk_05_made_up_keys_do_not_hurry_the_retries_of_a_verifier_without_keys() {
    let mut plan = Plan::new(PACE, None);
    let mut fetches = 0;
    for number in 0..1_000_000_u64 {
        let now = at(0).plus(Duration::from_micros(600 * number));
        if plan.wish(now) == Answer::Begins {
            fetches += 1;
        }
        fetch_now(&mut plan, now, Outcome::Failed);
    }
    // After 1, 2, 4, 8, 16 and then every 30 of 600 seconds.
    assert!((20..=25).contains(&fetches), "{fetches}");
}

#[test]
fn a_withdrawn_key_makes_a_fetch_at_once_whatever_the_cool_down() {
    let mut plan = fetched(3600);
    plan.wish(at(1));
    fetch_now(&mut plan, at(1), Outcome::Good(Some(secs(3600))));
    assert_eq!(plan.begin(at(2)), None);
    plan.withdrawn();
    assert_eq!(plan.quiet(at(2)), Duration::ZERO);
    assert_eq!(plan.begin(at(2)), Some(Reason::Withdrawn));
    plan.end(Outcome::Good(Some(secs(3600))), at(2), NO_JITTER);
    assert_eq!(plan.begin(at(3)), None);
}

#[test]
fn an_issuer_that_tells_of_a_key_without_end_is_asked_once_a_second() {
    let mut plan = fetched(3600);
    let mut fetches = 0;
    for millis in 0..10_000 {
        plan.withdrawn();
        let now = at(0).plus(Duration::from_millis(millis));
        fetches += u32::from(fetch_now(&mut plan, now, Outcome::Good(None)).is_some());
    }
    assert_eq!(fetches, 9);
}

#[test]
fn a_key_withdrawn_while_a_fetch_is_under_way_makes_another_one() {
    let mut plan = fetched(60);
    assert_eq!(plan.begin(at(60)), Some(Reason::Stale));
    plan.withdrawn();
    plan.end(Outcome::Good(Some(secs(60))), at(61), NO_JITTER);
    assert_eq!(plan.begin(at(62)), Some(Reason::Withdrawn));
    plan.end(Outcome::Good(Some(secs(60))), at(62), NO_JITTER);
    assert_eq!(plan.begin(at(63)), None);
}

#[test]
fn a_fetch_after_a_withdrawal_is_tried_again_until_it_succeeds() {
    let mut plan = fetched(3600);
    plan.withdrawn();
    assert_eq!(
        fetch_now(&mut plan, at(1), Outcome::Failed),
        Some(Reason::Withdrawn)
    );
    assert_eq!(plan.begin(at(1)), None);
    assert_eq!(
        fetch_now(&mut plan, at(2), Outcome::Good(None)),
        Some(Reason::Withdrawn)
    );
    assert_eq!(plan.begin(at(3)), None);
}

#[test]
fn failures_are_followed_by_waits_that_double() {
    let mut plan = fetched(10);
    let mut now = 10;
    for wait in [1, 2, 4, 8, 16, 30, 30, 30] {
        assert_eq!(
            fetch_now(&mut plan, at(now), Outcome::Failed),
            Some(Reason::Stale)
        );
        assert_eq!(plan.quiet(at(now)), secs(wait));
        assert_eq!(plan.begin(at(now + wait - 1)), None);
        now += wait;
    }
    fetch_now(&mut plan, at(now), Outcome::Good(Some(secs(10))));
    fetch_now(&mut plan, at(now + 10), Outcome::Failed);
    assert_eq!(plan.quiet(at(now + 10)), secs(1));
}

#[test]
fn a_wait_has_jitter_and_is_never_nothing() {
    let mut plan = fetched(10);
    plan.begin(at(10));
    plan.end(Outcome::Failed, at(10), Jitter(1.0));
    assert_eq!(plan.quiet(at(10)), Duration::from_millis(500));
    for wrong in [-7.0, 7.0] {
        let mut plan = fetched(10);
        plan.begin(at(10));
        plan.end(Outcome::Failed, at(10), Jitter(wrong));
        let wait = plan.quiet(at(10));
        assert!(
            (Duration::from_millis(500)..=secs(1)).contains(&wait),
            "{wait:?}"
        );
    }
}

#[test]
fn the_last_good_set_counts_for_a_day_without_the_issuer_and_not_longer() {
    let day = 86_400;
    let mut plan = fetched(60);
    let mut now = 60;
    while now < day {
        plan.begin(at(now));
        plan.end(Outcome::Failed, at(now), NO_JITTER);
        assert_eq!(plan.drop_what_is_over(at(now)), Dropped::No);
        now += 30;
    }
    assert_eq!(plan.drop_what_is_over(at(day)), Dropped::No);
    assert_eq!(plan.drop_what_is_over(at(day + 1)), Dropped::Yes);
    assert_eq!(plan.drop_what_is_over(at(day + 1)), Dropped::No);
    assert_eq!(plan.good_at(), None);
    assert_eq!(
        fetch_now(&mut plan, at(day + 60), Outcome::Good(None)),
        Some(Reason::Start)
    );
    assert_eq!(plan.good_at(), Some(at(day + 60)));
}

#[test]
fn a_set_that_another_process_fetched_is_fetched_anew_at_the_start() {
    let mut plan = Plan::new(PACE, Some(at(0)));
    assert_eq!(plan.good_at(), Some(at(0)));
    assert_eq!(plan.begin(at(5)), Some(Reason::Start));
    plan.end(Outcome::Failed, at(5), NO_JITTER);
    assert_eq!(plan.drop_what_is_over(at(86_400)), Dropped::No);
    assert_eq!(plan.drop_what_is_over(at(86_401)), Dropped::Yes);
}

#[test]
fn a_clock_that_is_set_back_keeps_nothing_waiting() {
    let mut plan = fetched(60);
    plan.wish(at(50));
    fetch_now(&mut plan, at(50), Outcome::Failed);
    let earlier = Timestamp::from_seconds(1_700_000_000);
    let later = |seconds| earlier.plus(secs(seconds));
    assert_eq!(plan.begin(earlier), None);
    assert_eq!(plan.wish(later(29)), Answer::No);
    assert_eq!(plan.wish(later(30)), Answer::Begins);
    fetch_now(&mut plan, later(30), Outcome::Failed);
    assert_eq!(plan.begin(later(59)), None);
    assert_eq!(plan.begin(later(60)), Some(Reason::Stale));
    plan.end(Outcome::Failed, later(60), NO_JITTER);
    assert_eq!(plan.drop_what_is_over(later(86_400)), Dropped::No);
    assert_eq!(plan.drop_what_is_over(later(86_401)), Dropped::Yes);
}
