use super::*;
use crate::config::values::{AlgorithmName, DeliveryName, ProfileName, SameSiteName, Span};
use hallpass_core::{Delivery, Profile};
use hallpass_verify::cookies::SameSite;

fn faults(change: impl FnOnce(&mut Config)) -> Vec<String> {
    let mut config = Config::default();
    change(&mut config);
    config.plan(config.listen.port()).unwrap_err().0
}

fn https(change: impl FnOnce(&mut Config)) -> Vec<String> {
    faults(|config| {
        config.public_url = Some("https://app.example.com".into());
        change(config);
    })
}

#[test]
fn no_configuration_at_all_serves_on_loopback() {
    let plan = Config::default().plan(8080).unwrap();
    assert_eq!(plan.web.settings().public_url, "http://localhost:8080");
    assert_eq!(
        plan.web.settings().trusted_origins,
        ["http://127.0.0.1:8080"]
    );
    assert_eq!(plan.settings, Settings::new("http://localhost:8080"));
    assert_eq!(plan.limits, Limits::default());
    assert_eq!(plan.proxies, TrustedProxies::default());
    assert_eq!(
        plan.database,
        Database::Sqlite("hallpass-data/hallpass.db".into())
    );
    let expected = WebSettings {
        trusted_origins: plan.web.settings().trusted_origins.clone(),
        ..WebSettings::new("http://localhost:8080")
    };
    assert_eq!(*plan.web.settings(), expected);
}

#[test]
fn a_declared_url_stands_alone() {
    let config = Config {
        public_url: Some("https://app.example.com".into()),
        ..Config::default()
    };
    let plan = config.plan(8080).unwrap();
    assert!(plan.web.settings().trusted_origins.is_empty());
    assert_eq!(
        (plan.scheme, plan.settings.audience()),
        (PublicScheme::Https, "https://app.example.com")
    );
}

#[test]
fn kl_13_what_is_refused_is_named_with_the_reason() {
    let one = |found: Vec<String>, setting: &str| {
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("`{setting}`: ")), "{found:?}");
    };
    one(
        faults(|config| config.listen = "0.0.0.0:8080".parse().unwrap()),
        "public_url",
    );
    one(
        faults(|config| config.public_url = Some("http://app.example.com".into())),
        "public_url",
    );
    one(
        https(|config| config.trusted_origins = vec!["*".into()]),
        "trusted_origins",
    );
    one(
        https(|config| config.trusted_proxies = vec!["proxy".into()]),
        "trusted_proxies",
    );
    one(
        https(|config| config.database = Some("mysql://u:p@h/db".into())),
        "database",
    );
    one(
        https(|config| config.cookies.domain = Some("example.org".into())),
        "cookies.domain",
    );
    one(
        https(|config| config.cookies.access_name = Some("__Host-hp_csrf".into())),
        "cookies",
    );
    one(
        https(|config| config.tokens.refresh_grace = Span::minutes(2)),
        "tokens.refresh_grace",
    );
    one(
        https(|config| {
            config.tokens.access_ttl = Some(Span::seconds(5));
            config.tokens.refresh_grace = Span::seconds(1);
        }),
        "tokens.access_ttl",
    );
    one(https(|config| config.passwords.memory_kib = 1), "passwords");
    one(
        https(|config| config.http.prefix = "/auth/".into()),
        "http.prefix",
    );
    one(
        https(|config| config.http.idle_timeout = Span::seconds(0)),
        "http.idle_timeout",
    );
    one(
        https(|config| config.http.head_len_max = 100),
        "http.head_len_max",
    );
    let none = SameSiteName(SameSite::None);
    one(
        faults(|config| config.cookies.access_same_site = none),
        "cookies",
    );
}

#[test]
fn kl_05_a_weak_secret_is_refused_and_not_repeated() {
    for weak in [
        "",
        "changeme",
        "changemechangemechangemechangemechangemechange",
    ] {
        let secret = serde_json::from_value(weak.into()).unwrap();
        let found = https(|config| config.secret = Some(secret));
        assert!(found[0].starts_with("`secret`: expected"), "{found:?}");
        assert!(weak.is_empty() || !found[0].contains(weak), "{found:?}");
        let former = serde_json::from_value(serde_json::json!([weak])).unwrap();
        let found = https(|config| config.former_secrets = former);
        assert!(
            found[0].starts_with("`former_secrets`: expected"),
            "{found:?}"
        );
        assert!(weak.is_empty() || !found[0].contains(weak), "{found:?}");
    }
}

#[test]
fn keys_that_a_verifier_could_be_without_are_refused() {
    let one = |change: fn(&mut Config), setting: &str| {
        let found = https(change);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(&format!("`{setting}`: expected")),
            "{found:?}"
        );
    };
    one(
        |config| config.keys.announce = Span::seconds(599),
        "keys.announce",
    );
    one(
        |config| config.keys.jwks_max_age = Span::seconds(0),
        "keys.jwks_max_age",
    );
    one(
        |config| config.keys.rotate_every = Span::seconds(60),
        "keys.rotate_every",
    );
}

#[test]
fn a_time_of_any_length_is_refused_or_taken_and_never_a_panic() {
    let endless = Span(Duration::MAX);
    for change in [
        |config: &mut Config, span| config.keys.jwks_max_age = span,
        |config: &mut Config, span| config.keys.announce = span,
        |config: &mut Config, span| config.tokens.access_ttl = Some(span),
        |config: &mut Config, span| config.tokens.leeway = span,
    ] {
        assert!(!https(|config| change(config, endless)).is_empty());
    }
    let mut config = Config::default();
    config.keys.rotate_every = endless;
    config.throttle.window = endless;
    assert!(config.check().is_ok());
}

#[test]
fn a_service_without_a_hash_is_refused_and_its_secret_not_repeated() {
    let wrong = "orders:hps_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let found = https(|config| config.services = vec![wrong.into()]);
    assert_eq!(
        found,
        ["`services`: expected `name:hash`, as `hallpass service new NAME` prints it"]
    );
    let twice = vec![format!("orders:{}", "0".repeat(64)); 2];
    let found = https(|config| config.services = twice);
    assert_eq!(found, ["`services`: expected each name once"]);
}

#[test]
fn services_are_warned_that_hs256_has_no_public_keys() {
    let mut config = Config::default();
    config.tokens.algorithm = Some(AlgorithmName(Algorithm::Hs256));
    assert!(config.check().unwrap().warnings.is_empty());
    config.services = vec![format!("orders:{}", "0".repeat(64))];
    let warnings = config.check().unwrap().warnings;
    assert!(
        warnings[0].starts_with("`tokens.algorithm`: HS256"),
        "{warnings:?}"
    );
    config.tokens = Tokens::default();
    assert!(config.check().unwrap().warnings.is_empty());
}

#[test]
fn a_profile_names_tokens_and_routes_and_brings_its_algorithm() {
    let mut config = Config {
        profile: ProfileName(Profile::AuthFort),
        ..Config::default()
    };
    let plan = config.check().unwrap();
    let profiles = [plan.settings.profile, plan.web.settings().profile];
    assert_eq!(profiles, [Profile::AuthFort; 2]);
    assert_eq!(plan.settings.algorithm, Algorithm::Rs256);
    config.tokens.algorithm = Some(AlgorithmName(Algorithm::Es256));
    assert_eq!(config.check().unwrap().settings.algorithm, Algorithm::Es256);
    config.tokens.audience = Some("api".into());
    let refused = config.check().unwrap_err().0;
    assert!(refused[0].starts_with("`tokens.audience`: "), "{refused:?}");
}

/// What `crates/hallpass/tests/settings` flips, as the file says it.
#[test]
fn each_cookie_setting_of_the_other_systems_can_be_said_in_the_file() {
    let lax_to = |name: &str| format!("[cookies]\n{name}_same_site = 'none'");
    let flips = [
        "public_url = 'http://localhost:8000'".to_owned(),
        lax_to("access"),
        lax_to("refresh"),
        lax_to("csrf"),
        "[cookies]\npath = '/app'".into(),
        "[cookies]\ndomain = 'example.com'".into(),
        "[cookies]\naccess_name = 'at'".into(),
        "[cookies]\nrefresh_name = 'rt'".into(),
        "[cookies]\ncsrf_name = 'xsrf'".into(),
        "[http]\ncsrf_header = 'x-xsrf-token'".into(),
        "[http]\nprefix = '/api/auth'".into(),
        "[delivery]\ndefault = 'body'".into(),
        "[delivery]\nallowed = ['cookie']\ndefault = 'cookie'".into(),
    ];
    let web = |text: &str| {
        let mut config: Config = toml::from_str(text).unwrap();
        config.profile = ProfileName(Profile::AuthFort);
        let url = "https://api.example.com".to_owned();
        config.public_url = Some(config.public_url.unwrap_or(url));
        config.check().unwrap().web.settings().clone()
    };
    let mut seen = vec![web("")];
    for flip in &flips {
        let settings = web(flip);
        assert!(!seen.contains(&settings), "{flip}");
        seen.push(settings);
    }
}

#[test]
fn a_profile_brings_its_lifetimes_and_each_may_be_said_otherwise() {
    for profile in Profile::ALL {
        let mut config = Config {
            profile: ProfileName(profile),
            ..Config::default()
        };
        let settings = config.check().unwrap().settings;
        let defaults = Settings::for_profile(profile, settings.issuer.clone());
        assert_eq!(settings, defaults, "{profile:?}");
        let days = |days: u64| Some(Span(Duration::from_hours(24 * days)));
        config.tokens.access_ttl = Some(Span::minutes(5));
        config.tokens.refresh_idle_ttl = days(3);
        config.tokens.session_ttl = days(4);
        config.tokens.transient_idle_ttl = days(1);
        config.tokens.transient_session_ttl = days(2);
        let settings = config.check().unwrap().settings;
        let said = [
            settings.access_ttl,
            settings.remembered.idle,
            settings.remembered.absolute,
            settings.transient.idle,
            settings.transient.absolute,
        ];
        let minutes = said.map(|span| span.as_secs() / 60);
        let day = 24 * 60;
        assert_eq!(minutes, [5, 3 * day, 4 * day, day, 2 * day], "{profile:?}");
    }
}

#[test]
fn tokens_without_a_session_are_refused_unless_the_operator_says_how_long_they_live() {
    let ttl_max = |span| {
        let mut config = Config::default();
        config.tokens.sessionless_ttl_max = span;
        let plan = config.check().map_err(|refused| refused.0.join(", "))?;
        Ok::<_, String>(plan.settings.sessionless_ttl_max)
    };
    assert_eq!(ttl_max(None), Ok(None));
    let minutes = Duration::from_mins(5);
    assert_eq!(ttl_max(Some(Span::minutes(5))), Ok(Some(minutes)));
    let refused = ttl_max(Some(Span::seconds(9))).unwrap_err();
    assert!(
        refused.contains("`tokens.sessionless_ttl_max`"),
        "{refused}"
    );
}

#[test]
fn a_profile_brings_its_deliveries_and_the_native_one_has_no_both() {
    let delivery_of = |profile, default, allowed: &[Delivery]| {
        let mut config = Config {
            profile: ProfileName(profile),
            ..Config::default()
        };
        config.delivery.default = default;
        config.delivery.allowed = allowed.iter().copied().map(DeliveryName).collect();
        let plan = config.check().map_err(|refused| refused.0.join(", "))?;
        Ok::<_, String>(plan.web.settings().delivery)
    };
    for profile in Profile::ALL {
        assert_eq!(delivery_of(profile, None, &[]), Ok(profile.delivery()));
    }
    let both = Some(DeliveryName(Delivery::Both));
    assert_eq!(
        delivery_of(Profile::Bluefox, both, &[Delivery::Both]),
        Ok(Delivery::Both)
    );
    for profile in [Profile::Native, Profile::FastAuth] {
        let refused = delivery_of(profile, both, &[Delivery::Both]).unwrap_err();
        assert!(refused.contains("`delivery.allowed`: "), "{refused}");
    }
    let refused = delivery_of(Profile::AuthFort, None, &[Delivery::Cookie]).unwrap_err();
    assert!(refused.contains("`delivery.default`: "), "{refused}");
}

#[test]
fn all_refusals_are_shown_at_once() {
    let found = faults(|config| {
        config.listen = "0.0.0.0:8080".parse().unwrap();
        config.trusted_origins = vec!["*".into()];
        config.tokens.leeway = Span::minutes(5);
        config.http.prefix = "/".into();
    });
    assert_eq!(found.len(), 4, "{found:#?}");
}
