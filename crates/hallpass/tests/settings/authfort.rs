//! `AuthFort` 0.0.31: `CookieConfig`, and what else its documents set.

use crate::{AS_IT_IS, Flip, Refusal, Tried, attribute, check, check_all, check_refused};
use hallpass::core::{Delivery, Profile, Web, WebSettings};
use hallpass::verify::cookies::{Partitioning, SameSite, Security};
use std::time::Duration;

const PAGE: &str = include_str!("../../../../docs/coming-from/authfort.md");

const FLIPS: [Flip; 11] = [
    Flip {
        theirs: "secure=False",
        ours: |_, web| web.public_url = "http://localhost:8000".into(),
        seen_in: |seen| attribute(&seen.cookie("access"), "Secure"),
        seen: ["Secure", ""],
    },
    Flip {
        theirs: r#"samesite="strict""#,
        ours: |_, web| web.same_site.access = SameSite::Strict,
        seen_in: |seen| attribute(&seen.cookie("access"), "SameSite"),
        seen: ["SameSite=Lax", "SameSite=Strict"],
    },
    Flip {
        theirs: r#"samesite="none""#,
        ours: |_, web| web.same_site.refresh = SameSite::None,
        seen_in: |seen| attribute(&seen.cookie("refresh"), "SameSite"),
        seen: ["SameSite=Strict", "SameSite=None"],
    },
    Flip {
        theirs: r#"path="/app""#,
        ours: |_, web| web.cookie_path = "/app".into(),
        seen_in: |seen| attribute(&seen.cookie("access"), "Path"),
        seen: ["Path=/", "Path=/app"],
    },
    Flip {
        theirs: r#"domain="example.com""#,
        ours: |_, web| web.cookie_domain = Some("example.com".into()),
        seen_in: |seen| attribute(&seen.cookie("refresh"), "Domain"),
        seen: ["", "Domain=example.com"],
    },
    Flip {
        theirs: r#"access_cookie_name="at""#,
        ours: |_, web| web.cookie_names.access = Some("at".into()),
        seen_in: |seen| seen.cookies[0].clone(),
        seen: [
            "access_token=…; Max-Age=900; Path=/; Secure; HttpOnly; SameSite=Lax",
            "at=…; Max-Age=900; Path=/; Secure; HttpOnly; SameSite=Lax",
        ],
    },
    Flip {
        theirs: r#"refresh_cookie_name="rt""#,
        ours: |_, web| web.cookie_names.refresh = Some("rt".into()),
        seen_in: |seen| seen.cookies[1].clone(),
        seen: [
            "refresh_token=…; Max-Age=2592000; Path=/auth; Secure; HttpOnly; SameSite=Strict",
            "rt=…; Max-Age=2592000; Path=/auth; Secure; HttpOnly; SameSite=Strict",
        ],
    },
    Flip {
        theirs: "cookie=None",
        ours: |_, web| {
            web.delivery = Delivery::Body;
            web.deliveries = vec![Delivery::Body];
        },
        seen_in: |seen| format!("{} cookies, refresh {}", seen.cookies.len(), seen.refreshed),
        seen: ["2 cookies, refresh 200", "0 cookies, refresh 401"],
    },
    Flip {
        theirs: "access_token_ttl=300",
        ours: |settings, _| settings.access_ttl = Duration::from_mins(5),
        seen_in: |seen| {
            let age = attribute(&seen.cookie("access"), "Max-Age");
            format!("{age}, {}", seen.body["tokens"]["expires_in"])
        },
        seen: ["Max-Age=900, 900", "Max-Age=300, 300"],
    },
    Flip {
        theirs: "refresh_token_ttl=86400",
        ours: |settings, _| settings.remembered.idle = Duration::from_hours(24),
        seen_in: |seen| attribute(&seen.cookie("refresh"), "Max-Age"),
        seen: ["Max-Age=2592000", "Max-Age=86400"],
    },
    Flip {
        theirs: r#"prefix="/api/auth""#,
        ours: |_, web| web.prefix = "/api/auth".into(),
        seen_in: |seen| attribute(&seen.cookie("refresh"), "Path"),
        seen: ["Path=/auth", "Path=/api/auth"],
    },
];

const REFUSALS: [Refusal; 4] = [
    Refusal {
        theirs: r#"samesite="none", secure=False"#,
        ours: |_, web| {
            web.public_url = "http://localhost:8000".into();
            web.same_site.access = SameSite::None;
        },
        reason: "SameSite=None",
    },
    Refusal {
        theirs: "secure=False, on a host that is not loopback",
        ours: |_, web| web.public_url = "http://api.example.com".into(),
        reason: "`public_url`: expected https",
    },
    Refusal {
        theirs: r#"domain=".example.com""#,
        ours: |_, web| web.cookie_domain = Some(".example.com".into()),
        reason: "`cookies.domain`: expected `example.com`, without a dot in front",
    },
    Refusal {
        theirs: r#"domain="com""#,
        ours: |_, web| web.cookie_domain = Some("com".into()),
        reason: "public suffix",
    },
];

#[tokio::test]
async fn each_setting_of_authfort_that_is_flipped_is_seen_on_the_wire() {
    check((Profile::AuthFort, AS_IT_IS), &FLIPS).await;
}

#[tokio::test]
async fn what_authfort_takes_without_complaint_is_refused_with_a_reason() {
    check_refused((Profile::AuthFort, AS_IT_IS), &REFUSALS).await;
}

#[test]
fn every_field_of_cookie_config_is_tested_and_on_the_page() {
    let documented = [
        "secure",
        "httponly",
        "samesite",
        "path",
        "domain",
        "access_cookie_name",
        "refresh_cookie_name",
    ];
    let tried = Tried {
        flips: &[&FLIPS],
        refusals: &REFUSALS,
        // The test below.
        never: &["httponly"],
    };
    check_all(&documented, PAGE, &tried);
}

/// `httponly=False` cannot be said: whatever else is, both tokens are out of reach of scripts.
#[test]
fn no_setting_makes_a_token_cookie_readable_for_scripts() {
    let mut checked = 0;
    for profile in Profile::ALL {
        for public_url in ["https://api.example.com", "http://localhost:8000"] {
            for cookie_domain in [None, Some("example.com")] {
                for same_site in [SameSite::Strict, SameSite::Lax, SameSite::None] {
                    for partitioned in [Partitioning::Shared, Partitioning::Partitioned] {
                        let mut web = WebSettings::for_profile(profile, public_url);
                        web.cookie_domain = cookie_domain.map(Into::into);
                        (web.same_site.access, web.same_site.refresh) = (same_site, same_site);
                        web.partitioned = partitioned;
                        web.same_site.csrf = same_site;
                        let Ok(web) = Web::checked(web) else { continue };
                        check_unreadable(&web);
                        checked += 1;
                    }
                }
            }
        }
    }
    assert!(checked > 20, "{checked}");
}

#[track_caller]
fn check_unreadable(web: &Web) {
    let cookies = web.cookies();
    for cookie in [cookies.access(), cookies.refresh()] {
        let line = cookie.clear().to_str().unwrap().to_owned();
        assert_eq!(attribute(&line, "HttpOnly"), "HttpOnly", "{line}");
        let is_secure = web.security() == Security::Secure;
        assert_eq!(!attribute(&line, "Secure").is_empty(), is_secure, "{line}");
    }
}
