use super::*;

fn settings(public_url: &str) -> WebSettings {
    WebSettings::new(public_url)
}

fn names(settings: WebSettings) -> [String; 3] {
    let web = Web::checked(settings).unwrap();
    let cookies = web.cookies();
    [cookies.access(), cookies.refresh(), cookies.csrf()]
        .map(|cookie| format!("{} {}", cookie.name(), cookie.settings().path))
}

fn faults(settings: WebSettings) -> Vec<&'static str> {
    Web::checked(settings)
        .unwrap_err()
        .0
        .iter()
        .map(|fault| fault.setting)
        .collect()
}

#[test]
fn cookie_names_follow_from_the_declared_url() {
    assert_eq!(
        names(settings("https://app.example.com")),
        [
            "__Host-hp_access /",
            "__Secure-hp_refresh /auth",
            "__Host-hp_csrf /"
        ]
    );
    let shared = WebSettings {
        cookie_domain: Some("example.com".into()),
        ..settings("https://app.example.com")
    };
    assert_eq!(
        names(shared),
        [
            "__Secure-hp_access /",
            "__Secure-hp_refresh /auth",
            "__Secure-hp_csrf /"
        ]
    );
    for loopback in [
        "http://localhost:8080",
        "http://127.0.0.1:1",
        "http://[::1]:8080",
    ] {
        assert_eq!(
            names(settings(loopback)),
            ["hp_access /", "hp_refresh /auth", "hp_csrf /"]
        );
    }
}

#[test]
fn ck_23_http_is_refused_off_loopback() {
    for url in [
        "http://app.example.com",
        "http://192.0.2.1",
        "http://localhost.example.com",
    ] {
        assert_eq!(faults(settings(url)), ["public_url"], "{url}");
        let danger = WebSettings {
            danger_allow_http: true,
            ..settings(url)
        };
        assert!(Web::checked(danger).is_ok());
    }
    for url in [
        "",
        "app.example.com",
        "ftp://a.bc",
        "https://a.bc/x",
        "https://a.bc/?q",
        "data:x",
    ] {
        assert_eq!(faults(settings(url)), ["public_url"], "{url}");
    }
}

#[test]
fn a_cookie_domain_is_a_parent_of_our_host_and_ours() {
    for (url, domain, ok) in [
        ("https://app.example.com", "example.com", true),
        ("https://app.example.com", "app.example.com", true),
        ("https://app.example.com", "com", false),
        ("https://app.example.co.uk", "co.uk", false),
        ("https://me.github.io", "github.io", false),
        ("https://app.example.com", "ample.com", false),
        ("https://app.example.com", "evil.com", false),
        ("https://app.example.com", ".example.com", false),
        ("https://192.0.2.1", "192.0.2.1", false),
    ] {
        let settings = WebSettings {
            cookie_domain: Some(domain.into()),
            ..settings(url)
        };
        assert_eq!(Web::checked(settings).is_ok(), ok, "{url} {domain}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn kl_13_settings_that_browsers_would_not_honour_are_refused() {
    let base = || settings("https://app.example.com");
    let none = SameSites {
        access: SameSite::None,
        ..SameSites::default()
    };
    let clash = CookieNames {
        access: Some("__Host-hp_csrf".into()),
        ..CookieNames::default()
    };
    let host_refresh = CookieNames {
        refresh: Some("__Host-hp_refresh".into()),
        ..CookieNames::default()
    };
    for (wrong, setting) in [
        (
            WebSettings {
                same_site: none,
                ..settings("http://localhost:1")
            },
            "cookies",
        ),
        (
            WebSettings {
                cookie_names: clash,
                ..base()
            },
            "cookies",
        ),
        (
            WebSettings {
                cookie_names: host_refresh,
                ..base()
            },
            "cookies",
        ),
        (
            WebSettings {
                partitioned: Partitioning::Partitioned,
                ..base()
            },
            "cookies",
        ),
        (
            WebSettings {
                trusted_origins: vec!["*".into()],
                ..base()
            },
            "trusted_origins",
        ),
        (
            WebSettings {
                trusted_origins: vec!["https://*.example.com".into()],
                ..base()
            },
            "trusted_origins",
        ),
        (
            WebSettings {
                trusted_origins: vec!["null".into()],
                ..base()
            },
            "trusted_origins",
        ),
        (
            WebSettings {
                csrf_header: "content-type".into(),
                ..base()
            },
            "http.csrf_header",
        ),
        (
            WebSettings {
                csrf_header: "a b".into(),
                ..base()
            },
            "http.csrf_header",
        ),
        (
            WebSettings {
                prefix: "/".into(),
                ..base()
            },
            "http.prefix",
        ),
        (
            WebSettings {
                prefix: "/a/../b".into(),
                ..base()
            },
            "http.prefix",
        ),
        (
            WebSettings {
                deliveries: vec![Delivery::Body],
                ..base()
            },
            "delivery.default",
        ),
        (
            WebSettings {
                deliveries: Delivery::ALL.to_vec(),
                ..base()
            },
            "delivery.allowed",
        ),
    ] {
        assert_eq!(faults(wrong.clone()), [setting], "{wrong:?}");
    }
}

#[test]
fn a_profile_brings_its_cookie_names_and_its_delivery() {
    for (profile, names, delivery) in [
        (
            Profile::Native,
            ["__Host-hp_access", "__Secure-hp_refresh", "__Host-hp_csrf"],
            Delivery::Cookie,
        ),
        (
            Profile::AuthFort,
            ["access_token", "refresh_token", "csrf_token"],
            Delivery::Both,
        ),
        (
            Profile::FastAuth,
            ["access_token", "refresh_token", "csrf_token"],
            Delivery::Body,
        ),
        (
            Profile::Bluefox,
            ["bf_access_token", "bf_refresh_token", "bf_csrf_token"],
            Delivery::Both,
        ),
    ] {
        let web = Web::checked(WebSettings::for_profile(profile, "https://app.example.com"));
        let web = web.unwrap();
        let cookies = web.cookies();
        let found = [cookies.access(), cookies.refresh(), cookies.csrf()];
        assert_eq!(found.map(|cookie| cookie.name().as_str()), names);
        assert_eq!(web.settings().delivery, delivery);
        let is_offered = web.settings().deliveries.contains(&Delivery::Both);
        assert_eq!(is_offered, delivery == Delivery::Both, "{profile:?}");
    }
}
