//! `FastAuth` 0.5.8: `token_delivery`, the `cookie_*` settings, `debug`, and what else its
//! documents set.

use crate::{AS_IT_IS, Base, Flip, Refusal, Tried, attribute, check, check_all, check_refused};
use hallpass::core::{Delivery, Profile};
use hallpass::verify::cookies::SameSite;
use std::time::Duration;

const PAGE: &str = include_str!("../../../../docs/coming-from/fastauth.md");

const WITH_JSON: Base = (Profile::FastAuth, AS_IT_IS);
const WITH_COOKIES: Base = (Profile::FastAuth, |_, web| web.delivery = Delivery::Cookie);

const OF_JSON: [Flip; 2] = [
    Flip {
        theirs: r#"token_delivery="cookie""#,
        ours: |_, web| web.delivery = Delivery::Cookie,
        seen_in: |seen| format!("{}; {} cookies", seen.members(), seen.cookies.len()),
        seen: [
            "access_token expires_in refresh_token token_type; 0 cookies",
            "message; 3 cookies",
        ],
    },
    Flip {
        theirs: "jwt.access_token_ttl=300",
        ours: |settings, _| settings.access_ttl = Duration::from_mins(5),
        seen_in: |seen| seen.body["expires_in"].to_string(),
        seen: ["900", "300"],
    },
];

const OF_COOKIES: [Flip; 11] = [
    Flip {
        theirs: r#"cookie_name_access="at""#,
        ours: |_, web| web.cookie_names.access = Some("at".into()),
        seen_in: |seen| seen.cookies[0].clone(),
        seen: [
            "access_token=…; Max-Age=900; Path=/; Secure; HttpOnly; SameSite=Lax",
            "at=…; Max-Age=900; Path=/; Secure; HttpOnly; SameSite=Lax",
        ],
    },
    Flip {
        theirs: r#"cookie_name_refresh="rt""#,
        ours: |_, web| web.cookie_names.refresh = Some("rt".into()),
        seen_in: |seen| seen.cookies[1].clone(),
        seen: [
            "refresh_token=…; Max-Age=2592000; Path=/auth; Secure; HttpOnly; SameSite=Strict",
            "rt=…; Max-Age=2592000; Path=/auth; Secure; HttpOnly; SameSite=Strict",
        ],
    },
    Flip {
        theirs: "cookie_secure=False",
        ours: |_, web| web.public_url = "http://localhost:8000".into(),
        seen_in: |seen| attribute(&seen.cookie("access"), "Secure"),
        seen: ["Secure", ""],
    },
    Flip {
        theirs: "debug=True",
        ours: |_, web| {
            web.public_url = "http://api.example.com".into();
            web.danger_allow_http = true;
        },
        seen_in: |seen| {
            let secure = seen.cookies.iter().filter(|line| line.contains("; Secure"));
            format!("{} of {}", secure.count(), seen.cookies.len())
        },
        seen: ["3 of 3", "0 of 3"],
    },
    Flip {
        theirs: r#"cookie_samesite="strict""#,
        ours: |_, web| web.same_site.access = SameSite::Strict,
        seen_in: |seen| attribute(&seen.cookie("access"), "SameSite"),
        seen: ["SameSite=Lax", "SameSite=Strict"],
    },
    Flip {
        theirs: r#"cookie_samesite="none""#,
        ours: |_, web| web.same_site.csrf = SameSite::None,
        seen_in: |seen| attribute(&seen.cookie("csrf"), "SameSite"),
        seen: ["SameSite=Lax", "SameSite=None"],
    },
    Flip {
        theirs: r#"cookie_domain="example.com""#,
        ours: |_, web| web.cookie_domain = Some("example.com".into()),
        seen_in: |seen| {
            let domains = seen.cookies.iter().map(|line| attribute(line, "Domain"));
            domains.collect::<Vec<_>>().join(" ")
        },
        seen: [
            "  ",
            "Domain=example.com Domain=example.com Domain=example.com",
        ],
    },
    Flip {
        theirs: r#"csrf_cookie_name="xsrf""#,
        ours: |_, web| web.cookie_names.csrf = Some("xsrf".into()),
        seen_in: |seen| seen.cookies[2].clone(),
        seen: [
            "csrf_token=…; Max-Age=2592000; Path=/; Secure; SameSite=Lax",
            "xsrf=…; Max-Age=2592000; Path=/; Secure; SameSite=Lax",
        ],
    },
    Flip {
        theirs: r#"csrf_header_name="X-XSRF-Token""#,
        ours: |_, web| web.csrf_header = "x-xsrf-token".into(),
        seen_in: |seen| format!("with X-CSRF-Token: {}", seen.refreshed),
        seen: ["with X-CSRF-Token: 200", "with X-CSRF-Token: 403"],
    },
    Flip {
        theirs: r#"route_prefix="/api/auth""#,
        ours: |_, web| web.prefix = "/api/auth".into(),
        seen_in: |seen| attribute(&seen.cookie("refresh"), "Path"),
        seen: ["Path=/auth", "Path=/api/auth"],
    },
    Flip {
        theirs: "jwt.refresh_token_ttl=86400",
        ours: |settings, _| settings.transient.idle = Duration::from_hours(24),
        seen_in: |seen| attribute(&seen.cookie("refresh"), "Max-Age"),
        seen: ["Max-Age=2592000", "Max-Age=86400"],
    },
];

const REFUSALS: [Refusal; 4] = [
    Refusal {
        theirs: "debug=True, and nothing that sounds dangerous",
        ours: |_, web| web.public_url = "http://api.example.com".into(),
        reason: "`public_url`: expected https",
    },
    Refusal {
        theirs: r#"cookie_samesite="none", cookie_secure=False"#,
        ours: |_, web| {
            web.public_url = "http://localhost:8000".into();
            web.same_site.access = SameSite::None;
        },
        reason: "SameSite=None",
    },
    Refusal {
        theirs: r#"cookie_name_access="csrf_token""#,
        ours: |_, web| web.cookie_names.access = Some("csrf_token".into()),
        reason: "name",
    },
    Refusal {
        theirs: r#"cors_origins=["*"]"#,
        ours: |_, web| web.trusted_origins = vec!["*".into()],
        reason: "`trusted_origins`: ",
    },
];

#[tokio::test]
async fn each_setting_of_fastauth_that_is_flipped_is_seen_on_the_wire() {
    check(WITH_JSON, &OF_JSON).await;
    check(WITH_COOKIES, &OF_COOKIES).await;
}

#[tokio::test]
async fn what_fastauth_takes_without_complaint_is_refused_with_a_reason() {
    check_refused(WITH_COOKIES, &REFUSALS).await;
}

#[test]
fn every_cookie_setting_of_fastauth_is_tested_and_on_the_page() {
    let documented = [
        "token_delivery",
        "cookie_name_access",
        "cookie_name_refresh",
        "cookie_secure",
        "cookie_httponly",
        "cookie_samesite",
        "cookie_domain",
        "debug",
    ];
    // That no setting makes a token cookie readable: see `authfort`.
    let tried = Tried {
        flips: &[&OF_JSON, &OF_COOKIES],
        refusals: &REFUSALS,
        never: &["cookie_httponly"],
    };
    check_all(&documented, PAGE, &tried);
}
