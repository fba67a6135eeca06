use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn faults(change: impl FnOnce(&mut Settings)) -> Vec<&'static str> {
    let mut settings = Settings::new("https://auth.example.test");
    change(&mut settings);
    let faults = settings.faults();
    faults.iter().map(|fault| fault.setting).collect()
}

#[test]
fn the_defaults_of_an_issuer_are_good() {
    assert_eq!(faults(|_| {}), [""; 0]);
    let settings = Settings::new("https://auth.example.test");
    assert_eq!(settings.audience(), "https://auth.example.test");
    let named = Settings {
        audience: Some("api".into()),
        ..settings
    };
    assert_eq!(named.audience(), "api");
}

#[test]
fn every_profile_brings_lifetimes_that_are_good() {
    for profile in Profile::ALL {
        let settings = Settings::for_profile(profile, "https://auth.example.test");
        assert_eq!(settings.faults(), [], "{profile:?}");
        // Who asks to be remembered is, for no shorter time than who does not.
        assert!(settings.transient.idle <= settings.remembered.idle);
        assert!(settings.transient.absolute <= settings.remembered.absolute);
    }
    let of = |profile| Settings::for_profile(profile, "https://auth.example.test");
    assert_eq!(of(Profile::Bluefox).access_ttl, 1800 * SECOND);
    assert_eq!(of(Profile::Bluefox).remembered.idle, 7 * 86_400 * SECOND);
    assert_eq!(of(Profile::FastAuth).remembered.idle, 90 * 86_400 * SECOND);
    assert_eq!(of(Profile::FastAuth).transient.idle, 30 * 86_400 * SECOND);
    assert_eq!(of(Profile::AuthFort).remembered.idle, 30 * 86_400 * SECOND);
}

#[test]
fn a_profile_brings_its_algorithm_and_may_have_no_audience() {
    let settings = Settings::for_profile(Profile::AuthFort, "https://auth.example.test");
    assert_eq!(settings.faults(), []);
    assert_eq!(settings.algorithm, Algorithm::Rs256);
    assert_eq!(settings.audience_claim(), None);
    let named = Settings {
        audience: Some("api".into()),
        ..settings
    };
    assert_eq!(named.faults()[0].setting, "tokens.audience");
    let native = Settings::new("https://auth.example.test");
    assert_eq!(
        (native.profile, native.algorithm),
        (Profile::Native, Algorithm::EdDsa)
    );
    assert_eq!(native.audience_claim(), Some("https://auth.example.test"));
}

#[test]
fn an_empty_name_is_refused() {
    assert_eq!(
        faults(|s| s.issuer.clear()),
        ["tokens.issuer", "tokens.audience"]
    );
    assert_eq!(
        faults(|s| s.audience = Some(String::new())),
        ["tokens.audience"]
    );
}

#[test]
fn an_access_token_lives_ten_seconds_to_a_day() {
    let ttl = |ttl| {
        faults(|s| {
            s.refresh_grace = SECOND;
            s.transient = s.remembered;
            s.access_ttl = ttl;
        })
    };
    assert_eq!(ttl(9 * SECOND), ["tokens.access_ttl"]);
    assert_eq!(ttl(10 * SECOND), [""; 0]);
    assert_eq!(ttl(ACCESS_TTL_MAX), [""; 0]);
    assert_eq!(ttl(ACCESS_TTL_MAX + SECOND), ["tokens.access_ttl"]);
}

#[test]
fn a_token_without_a_session_lives_ten_seconds_to_a_day_and_is_kept_in_mind_as_long() {
    let ttl = |ttl| faults(|s| s.sessionless_ttl_max = Some(ttl));
    assert_eq!(ttl(9 * SECOND), ["tokens.sessionless_ttl_max"]);
    assert_eq!(ttl(10 * SECOND), [""; 0]);
    assert_eq!(ttl(ACCESS_TTL_MAX), [""; 0]);
    assert_eq!(ttl(ACCESS_TTL_MAX + SECOND), ["tokens.sessionless_ttl_max"]);
    let kept = |sessionless_ttl_max| {
        let settings = Settings {
            sessionless_ttl_max,
            ..Settings::new("https://auth.example.test")
        };
        settings.kept_for().as_secs()
    };
    assert_eq!(kept(None), 920);
    assert_eq!(kept(Some(60 * SECOND)), 920);
    assert_eq!(kept(Some(3600 * SECOND)), 3620);
}

#[test]
fn kl_13_a_grace_period_that_outlives_the_access_token_is_refused() {
    let grace = |grace, ttl| {
        faults(|s| {
            s.refresh_grace = grace;
            s.access_ttl = ttl;
        })
    };
    assert_eq!(grace(Duration::ZERO, 900 * SECOND), [""; 0]);
    assert_eq!(grace(GRACE_MAX, 900 * SECOND), [""; 0]);
    assert_eq!(
        grace(GRACE_MAX + SECOND, 900 * SECOND),
        ["tokens.refresh_grace"]
    );
    assert_eq!(grace(19 * SECOND, 20 * SECOND), [""; 0]);
    assert_eq!(grace(20 * SECOND, 20 * SECOND), ["tokens.refresh_grace"]);
}

#[test]
fn kl_13_a_refresh_token_that_the_access_token_outlives_is_refused() {
    let idle = |idle| faults(|s| s.remembered.idle = idle);
    assert_eq!(idle(900 * SECOND), [""; 0]);
    assert_eq!(idle(899 * SECOND), ["tokens.refresh_idle_ttl"]);
    assert_eq!(
        faults(|s| s.transient.idle = 899 * SECOND),
        ["tokens.transient_idle_ttl"]
    );
}

#[test]
fn a_session_ends_no_earlier_than_idle_and_within_400_days() {
    assert_eq!(
        faults(|s| s.remembered.absolute = s.remembered.idle),
        [""; 0]
    );
    assert_eq!(
        faults(|s| s.remembered.idle = s.remembered.absolute + SECOND),
        ["tokens.refresh_idle_ttl"]
    );
    assert_eq!(faults(|s| s.remembered.absolute = LIFETIME_MAX), [""; 0]);
    assert_eq!(
        faults(|s| s.remembered.absolute = LIFETIME_MAX + SECOND),
        ["tokens.refresh_idle_ttl"]
    );
}

#[test]
fn clocks_no_queue_and_an_impossible_hash_are_refused() {
    assert_eq!(faults(|s| s.leeway = LEEWAY_MAX), [""; 0]);
    assert_eq!(
        faults(|s| s.leeway = LEEWAY_MAX + SECOND),
        ["tokens.leeway"]
    );
    assert_eq!(
        faults(|s| s.password_pool.queue_len_max = 0),
        ["passwords.queue"]
    );
    for (memory_kib, iterations, parallelism) in [
        (0, 2, 1),
        (64, 0, 1),
        (64, 1, 0),
        (7, 1, 1),
        (u32::MAX, 1, 1),
    ] {
        let cost = Argon2idCost {
            memory_kib,
            iterations,
            parallelism,
        };
        assert_eq!(
            faults(|s| s.password_cost = cost),
            ["passwords"],
            "{cost:?}"
        );
    }
}

#[test]
fn every_fault_is_told_at_once_with_what_was_expected() {
    let mut settings = Settings::new("");
    settings.leeway = Duration::from_hours(1);
    let refused = RefusedSettings(settings.faults()).to_string();
    assert!(refused.contains("`tokens.issuer`: expected"), "{refused}");
    assert!(refused.contains("`tokens.leeway`: expected"), "{refused}");
}
