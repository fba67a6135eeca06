use super::*;

fn merged(
    file: &str,
    environment: &[(&str, &str)],
    flags: &[Flag],
) -> Result<Config, ConfigFaults> {
    let environment = environment
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    merge(Some(("hallpass.toml", file)), environment, flags)
}

fn faults(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    merged(file, environment, &[]).unwrap_err().0
}

#[test]
fn each_layer_lies_over_the_one_before() {
    let file = "listen = '127.0.0.1:1'\npublic_url = 'http://file'\ndata = 'file'\n[tokens]\naccess_ttl = '1m'\nleeway = '1s'";
    let environment = [
        ("HALLPASS_PUBLIC_URL", "http://env"),
        ("HALLPASS_DATA", "env"),
        ("HALLPASS_TOKENS_LEEWAY", "2s"),
        ("PATH", "x"),
    ];
    let flags = [
        ("data", "--data", Some("flag".to_owned())),
        ("listen", "--listen", None),
    ];
    let config = merged(file, &environment, &flags).unwrap();
    assert_eq!(config.listen.port(), 1);
    assert_eq!(config.public_url.as_deref(), Some("http://env"));
    assert_eq!(config.data, PathBuf::from("flag"));
    assert_eq!(config.tokens.access_ttl.unwrap().to_string(), "1m");
    assert_eq!(config.tokens.leeway.to_string(), "2s");
    assert_eq!(config.tokens.session_ttl, None);
    assert_eq!(config.tokens.refresh_grace.to_string(), "10s");
}

#[test]
fn no_configuration_at_all_is_the_defaults() {
    let config = merge(None, [], &[]).unwrap();
    let defaults = serde_json::to_value(Config::default()).unwrap();
    assert_eq!(serde_json::to_value(config).unwrap(), defaults);
}

#[test]
fn unknown_names_are_refused_with_the_nearest_known_one() {
    assert_eq!(
        faults(
            "lisen = 'x'\n[token]\naccess_ttl = '1m'\n[tokens]\nacces_ttl = '1m'",
            &[("HALLPASS_TOKENS_ACCES_TTL", "1m")]
        ),
        [
            "`lisen` in hallpass.toml: there is no such setting, did you mean `listen`?",
            "`token` in hallpass.toml: there is no such setting, did you mean `tokens`?",
            "`tokens.acces_ttl` in hallpass.toml: there is no such setting, did you mean `tokens.access_ttl`?",
            "`HALLPASS_TOKENS_ACCES_TTL` in the environment: there is no such setting, did you mean `HALLPASS_TOKENS_ACCESS_TTL`?",
        ]
    );
}

#[test]
fn a_setting_of_another_system_that_cannot_be_said_is_refused_with_the_reason() {
    let found = faults(
        "debug = true\ncookie_secure = false\ntoken_delivery = 'cookie'\n[cookies]\nhttponly = false\nsamesite = 'lax'",
        &[
            ("HALLPASS_COOKIES_HTTP_ONLY", "false"),
            ("HALLPASS_CSRF_ENABLED", "false"),
            ("HALLPASS_JWT_COOKIE_CSRF_PROTECT", "false"),
            ("HALLPASS_JWT_COOKIE_MAX_AGE", "86400"),
            ("HALLPASS_JWT_IMPLICIT_REFRESH_DELTATIME", "600"),
            ("HALLPASS_JWT_SECRET_KEY", "your-secret-key"),
        ],
    );
    let reasons = [
        ("`debug` in", "`danger_allow_http`"),
        ("`cookie_secure` in", "follows from `public_url`"),
        ("`token_delivery` in", "`delivery.default`"),
        ("`cookies.httponly` in", "always HttpOnly"),
        ("`cookies.samesite` in", "`cookies.access_same_site`"),
        ("`HALLPASS_COOKIES_HTTP_ONLY` in", "always HttpOnly"),
        ("`HALLPASS_CSRF_ENABLED` in", "always proves"),
        ("`HALLPASS_JWT_COOKIE_CSRF_PROTECT` in", "always proves"),
        ("`HALLPASS_JWT_COOKIE_MAX_AGE` in", "as long as its token"),
        (
            "`HALLPASS_JWT_IMPLICIT_REFRESH_DELTATIME` in",
            "only a refresh refreshes",
        ),
        ("`HALLPASS_JWT_SECRET_KEY` in", "`hallpass key import`"),
    ];
    for (place, reason) in reasons {
        let mut faults = found.iter();
        let fault = faults.find(|fault| fault.starts_with(place)).unwrap();
        let begin = ": there is no such setting: ";
        assert!(fault.contains(begin) && fault.contains(reason), "{fault}");
    }
    assert_eq!(found.len(), reasons.len(), "{found:#?}");
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_where_it_was_said() {
    let environment = [
        ("HALLPASS_DANGER_ALLOW_HTTP", "yes"),
        ("HALLPASS_LISTEN", "8080"),
        ("HALLPASS_PASSWORDS_QUEUE", "many"),
        ("HALLPASS_PASSWORDS_WORKERS", "-1"),
    ];
    let faults = faults(
        "tokens = 3\n[log]\nformat = 'xml'\n[tokens_]\n",
        &environment,
    );
    let begins = [
        "`tokens` in hallpass.toml: expected a section, `[tokens]`",
        "`tokens_` in hallpass.toml: there is no such setting",
        "`HALLPASS_DANGER_ALLOW_HTTP` in the environment: expected `true` or `false`, got `yes`",
        "`HALLPASS_PASSWORDS_QUEUE` in the environment: expected a whole number, got `many`",
        "`log.format` in hallpass.toml: expected `human` or `json`, got `xml`",
        "`HALLPASS_LISTEN` in the environment: ",
        "`HALLPASS_PASSWORDS_WORKERS` in the environment: ",
    ];
    let mut found = faults.clone();
    for begin in begins {
        found.retain(|fault| !fault.starts_with(begin));
    }
    assert!(found.is_empty(), "{found:#?} of {faults:#?}");
    assert_eq!(faults.len(), begins.len(), "{faults:#?}");
}

#[test]
fn kl_08_a_secret_of_the_wrong_kind_is_not_repeated() {
    let file = "secret = 1234567890\ndatabase = ['hunter2']\nformer_secrets = 'hunter2'\n\
                services = 'orders:hunter2'";
    assert_eq!(
        faults(file, &[]),
        [
            "`database` in hallpass.toml: expected a text",
            "`former_secrets` in hallpass.toml: expected a list of texts",
            "`secret` in hallpass.toml: expected a text",
            "`services` in hallpass.toml: expected a list of texts",
        ]
    );
}

#[test]
fn lists_in_the_environment_are_separated_by_commas() {
    let config = merged(
        "",
        &[("HALLPASS_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1,")],
        &[],
    )
    .unwrap();
    assert_eq!(config.trusted_proxies, ["10.0.0.0/8", "127.0.0.1"]);
    let config = merged("", &[("HALLPASS_DELIVERY_ALLOWED", "body")], &[]).unwrap();
    assert_eq!(config.delivery.allowed.len(), 1);
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let faults = faults("data = 'x'\nsecret = hunter2\n", &[]);
    assert!(
        faults[0].starts_with("hallpass.toml, line 2: "),
        "{faults:?}"
    );
    assert!(!faults[0].contains("hunter2"), "{faults:?}");
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let fault = read_file(Some(Path::new("/nonexistent/hallpass.toml"))).unwrap_err();
    assert!(
        fault.starts_with("the configuration file `/nonexistent/hallpass.toml` cannot be read")
    );
}
