//! `BluefoxAuth` 0.1: `cookie_secure`, `cookie_domain`, and what else its documents set.

use crate::{AS_IT_IS, Base, Flip, Refusal, Tried, attribute, check, check_all, check_refused};
use hallpass::core::Profile;
use hallpass::verify::cookies::SameSite;
use std::time::Duration;

const PAGE: &str = include_str!("../../../../docs/coming-from/bluefox.md");

const BLUEFOX: Base = (Profile::Bluefox, AS_IT_IS);

const FLIPS: [Flip; 9] = [
    Flip {
        theirs: "cookie_secure=False",
        ours: |_, web| web.public_url = "http://localhost:8000".into(),
        seen_in: |seen| {
            let secure = seen.cookies.iter().filter(|line| line.contains("; Secure"));
            format!("{} of {}", secure.count(), seen.cookies.len())
        },
        seen: ["3 of 3", "0 of 3"],
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
        theirs: r#"cookie_samesite="strict""#,
        ours: |_, web| web.same_site.access = SameSite::Strict,
        seen_in: |seen| attribute(&seen.cookie("access"), "SameSite"),
        seen: ["SameSite=Lax", "SameSite=Strict"],
    },
    Flip {
        theirs: r#"cookie_path="/app""#,
        ours: |_, web| web.cookie_path = "/app".into(),
        seen_in: |seen| attribute(&seen.cookie("access"), "Path"),
        seen: ["Path=/", "Path=/app"],
    },
    Flip {
        theirs: r#"cookie_name_access="at""#,
        ours: |_, web| web.cookie_names.access = Some("at".into()),
        seen_in: |seen| seen.cookies[0].clone(),
        seen: [
            "bf_access_token=…; Max-Age=1800; Path=/; Secure; HttpOnly; SameSite=Lax",
            "at=…; Max-Age=1800; Path=/; Secure; HttpOnly; SameSite=Lax",
        ],
    },
    Flip {
        theirs: r#"cookie_name_refresh="rt""#,
        ours: |_, web| web.cookie_names.refresh = Some("rt".into()),
        seen_in: |seen| seen.cookies[1].clone(),
        seen: [
            "bf_refresh_token=…; Max-Age=604800; Path=/auth; Secure; HttpOnly; SameSite=Strict",
            "rt=…; Max-Age=604800; Path=/auth; Secure; HttpOnly; SameSite=Strict",
        ],
    },
    Flip {
        theirs: "access_token_expire_minutes=5",
        ours: |settings, _| settings.access_ttl = Duration::from_mins(5),
        seen_in: |seen| attribute(&seen.cookie("access"), "Max-Age"),
        seen: ["Max-Age=1800", "Max-Age=300"],
    },
    Flip {
        theirs: "refresh_token_expire_days=1",
        ours: |settings, _| settings.remembered.idle = Duration::from_hours(24),
        seen_in: |seen| attribute(&seen.cookie("refresh"), "Max-Age"),
        seen: ["Max-Age=604800", "Max-Age=86400"],
    },
    Flip {
        theirs: r#"auth_prefix="/api/auth""#,
        ours: |_, web| web.prefix = "/api/auth".into(),
        seen_in: |seen| attribute(&seen.cookie("refresh"), "Path"),
        seen: ["Path=/auth", "Path=/api/auth"],
    },
];

const REFUSALS: [Refusal; 2] = [
    Refusal {
        theirs: "cookie_secure=False, on a host that is not loopback",
        ours: |_, web| web.public_url = "http://api.example.com".into(),
        reason: "`public_url`: expected https",
    },
    Refusal {
        theirs: r#"cookie_domain=".example.com""#,
        ours: |_, web| web.cookie_domain = Some(".example.com".into()),
        reason: "`cookies.domain`: expected `example.com`, without a dot in front",
    },
];

#[tokio::test]
async fn each_setting_of_bluefox_that_is_flipped_is_seen_on_the_wire() {
    check(BLUEFOX, &FLIPS).await;
}

#[tokio::test]
async fn what_bluefox_takes_without_complaint_is_refused_with_a_reason() {
    check_refused(BLUEFOX, &REFUSALS).await;
}

#[test]
fn the_cookie_settings_of_bluefox_are_tested_and_on_the_page() {
    let documented = ["cookie_secure", "cookie_domain"];
    let tried = Tried {
        flips: &[&FLIPS],
        refusals: &REFUSALS,
        never: &[],
    };
    check_all(&documented, PAGE, &tried);
}
