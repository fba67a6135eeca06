//! `AuthX` 1.7.1: the 52 keys of its `AuthXConfig`.

mod app;
mod flips;

use crate::{Tried, attribute, check_all};
use app::{Change, Setup, Visit, refreshed_by_body, visit};
use flips::{AUTHX, EVERYWHERE, OF_COOKIES, OF_REQUESTS, OF_REQUESTS_EVERYWHERE, OF_TOKENS};
use flips::{REFUSALS, Seen};
use hallpass::core::key::{ImportedKey, MasterSecret};
use hallpass::{Hallpass, Locations, OwnClaims};

const PAGE: &str = include_str!("../../../../../docs/coming-from/authx.md");

/// Every key that it has.
const DOCUMENTED: [&str; 52] = [
    "JWT_ALGORITHM",
    "JWT_SECRET_KEY",
    "JWT_PRIVATE_KEY",
    "JWT_PUBLIC_KEY",
    "JWT_PREVIOUS_SECRET_KEY",
    "JWT_PREVIOUS_PUBLIC_KEY",
    "JWT_ACCESS_TOKEN_EXPIRES",
    "JWT_REFRESH_TOKEN_EXPIRES",
    "JWT_ENCODE_AUDIENCE",
    "JWT_ENCODE_ISSUER",
    "JWT_DECODE_AUDIENCE",
    "JWT_DECODE_ISSUER",
    "JWT_DECODE_ALGORITHMS",
    "JWT_DECODE_LEEWAY",
    "JWT_ENCODE_NBF",
    "JWT_ERROR_MESSAGE_KEY",
    "JWT_IDENTITY_CLAIM",
    "JWT_TOKEN_LOCATION",
    "JWT_HEADER_NAME",
    "JWT_HEADER_TYPE",
    "JWT_QUERY_STRING_NAME",
    "JWT_JSON_KEY",
    "JWT_REFRESH_JSON_KEY",
    "JWT_ACCESS_COOKIE_NAME",
    "JWT_REFRESH_COOKIE_NAME",
    "JWT_ACCESS_COOKIE_PATH",
    "JWT_REFRESH_COOKIE_PATH",
    "JWT_COOKIE_DOMAIN",
    "JWT_COOKIE_SECURE",
    "JWT_COOKIE_HTTP_ONLY",
    "JWT_COOKIE_SAMESITE",
    "JWT_COOKIE_MAX_AGE",
    "JWT_SESSION_COOKIE",
    "JWT_COOKIE_CSRF_PROTECT",
    "JWT_CSRF_IN_COOKIES",
    "JWT_CSRF_METHODS",
    "JWT_CSRF_CHECK_FORM",
    "JWT_ACCESS_CSRF_COOKIE_NAME",
    "JWT_REFRESH_CSRF_COOKIE_NAME",
    "JWT_ACCESS_CSRF_COOKIE_PATH",
    "JWT_REFRESH_CSRF_COOKIE_PATH",
    "JWT_ACCESS_CSRF_HEADER_NAME",
    "JWT_REFRESH_CSRF_HEADER_NAME",
    "JWT_ACCESS_CSRF_FIELD_NAME",
    "JWT_REFRESH_CSRF_FIELD_NAME",
    "JWT_SESSION_TRACKING",
    "JWT_SESSION_UPDATE_LAST_ACTIVE",
    "JWT_IMPLICIT_REFRESH_DELTATIME",
    "JWT_IMPLICIT_REFRESH_ROUTE_EXCLUDE",
    "JWT_IMPLICIT_REFRESH_ROUTE_INCLUDE",
    "JWT_IMPLICIT_REFRESH_METHOD_EXCLUDE",
    "JWT_IMPLICIT_REFRESH_METHOD_INCLUDE",
];

/// What no setting says here, and what holds whatever the settings say: see `check_what_holds`.
const NEVER: [&str; 12] = [
    "JWT_COOKIE_HTTP_ONLY",
    "JWT_COOKIE_CSRF_PROTECT",
    "JWT_DECODE_ALGORITHMS",
    "JWT_ENCODE_NBF",
    "JWT_IDENTITY_CLAIM",
    "JWT_SESSION_TRACKING",
    "JWT_SESSION_UPDATE_LAST_ACTIVE",
    "JWT_IMPLICIT_REFRESH_DELTATIME",
    "JWT_IMPLICIT_REFRESH_ROUTE_EXCLUDE",
    "JWT_IMPLICIT_REFRESH_ROUTE_INCLUDE",
    "JWT_IMPLICIT_REFRESH_METHOD_EXCLUDE",
    "JWT_IMPLICIT_REFRESH_METHOD_INCLUDE",
];

/// What is flipped by a test of its own.
const BY_THEMSELVES: [&str; 2] = ["JWT_REFRESH_JSON_KEY", "JWT_PREVIOUS_SECRET_KEY"];

/// Flips each setting by itself.
async fn check(base: Change, flips: &[Seen]) {
    let before = visit(base, |_| {}).await;
    for flip in flips {
        let after = visit(base, flip.ours).await;
        let seen = [&before, &after].map(flip.seen_in);
        assert_eq!(seen, flip.seen, "{}", flip.theirs);
        assert_ne!(seen[0], seen[1], "{}", flip.theirs);
        check_what_holds(&after, flip.theirs);
    }
}

/// `JWT_COOKIE_HTTP_ONLY=False`, `JWT_COOKIE_CSRF_PROTECT=False` and implicit refresh cannot be
/// said; what the dead keys promise is so without a word.
#[track_caller]
fn check_what_holds(seen: &Visit, setting: &str) {
    let (csrf, tokens): (Vec<_>, Vec<_>) = seen.cookies.iter().partition(|line| {
        let name = line.split('=').next().unwrap();
        name.contains("csrf") || ["ca", "cr"].contains(&name)
    });
    let is_hidden = |line: &&String| attribute(line, "HttpOnly") == "HttpOnly";
    assert_eq!(tokens.len(), 2, "{setting}");
    assert!(tokens.iter().all(is_hidden), "{setting}: {tokens:?}");
    assert!(!csrf.iter().any(is_hidden), "{setting}: {csrf:?}");
    let without_proof = ["post", "put", "patch", "delete", "refresh"];
    assert_eq!(
        seen.asked(&without_proof),
        "403 403 403 403 403",
        "{setting}"
    );
    assert_eq!(seen.claims["sub"], "user1", "{setting}");
    assert_eq!(seen.claims.get("nbf"), None, "{setting}");
    let session = &seen.sessions["sessions"][0];
    assert_eq!(session["id"], seen.claims["sid"], "{setting}");
    assert!(session["last_used_at"].is_string(), "{setting}: {session}");
    assert_eq!(seen.set_by_others, 0, "{setting}");
}

#[tokio::test]
async fn each_setting_of_authx_about_tokens_that_is_flipped_is_seen_on_the_wire() {
    check(AUTHX, &OF_TOKENS).await;
}

#[tokio::test]
async fn each_setting_of_authx_about_cookies_that_is_flipped_is_seen_on_the_wire() {
    check(AUTHX, &OF_COOKIES).await;
}

#[tokio::test]
async fn each_setting_of_authx_about_requests_that_is_flipped_is_seen_on_the_wire() {
    check(AUTHX, &OF_REQUESTS).await;
    check(EVERYWHERE, &OF_REQUESTS_EVERYWHERE).await;
}

#[tokio::test]
async fn what_authx_takes_without_complaint_is_refused_with_a_reason() {
    for refusal in &REFUSALS {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup::with(&[AUTHX, refusal.ours]);
        let opened = setup.open(folder.path()).await;
        let said = opened.map(drop).unwrap_err().to_string();
        assert!(said.contains(refusal.reason), "{}: {said}", refusal.theirs);
    }
    let fault = Locations::new(&[]).unwrap_err().to_string();
    assert!(fault.contains("at least one location"), "{fault}");
}

/// `JWT_REFRESH_JSON_KEY="rt"`: the app's own route reads the member that it names.
#[tokio::test]
async fn a_refresh_route_of_the_apps_own_reads_the_member_that_it_names() {
    assert_eq!(refreshed_by_body(|_| {}).await, "200 401");
    assert_eq!(
        refreshed_by_body(|setup| setup.refresh_member = "rt").await,
        "401 200"
    );
}

/// `JWT_SECRET_KEY="your-secret-key"`: no 15 bytes seal or sign anything.
#[test]
fn a_short_secret_is_refused_wherever_it_is_given() {
    let fault = MasterSecret::from_bytes(b"your-secret-key".to_vec()).unwrap_err();
    assert!(fault.to_string().contains("at least 32 bytes"), "{fault}");
    let fault = ImportedKey::parse(r#"{"kty":"oct","k":"eW91ci1zZWNyZXQta2V5"}"#).unwrap_err();
    assert!(fault.to_string().contains("32 bytes"), "{fault}");
}

/// `JWT_PREVIOUS_SECRET_KEY="…"`: a new secret signs nobody out if the former one is named.
#[tokio::test]
async fn a_secret_is_replaced_and_what_it_sealed_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("app.db").display());
    let secret = |first: u8| MasterSecret::from_bytes((first..first + 32).collect()).unwrap();
    let first = Hallpass::builder(&database).secret(secret(1)).open().await;
    let keys = first.unwrap().keys();
    let refused = Hallpass::builder(&database).secret(secret(2)).open().await;
    assert!(refused.is_err());
    let builder = Hallpass::builder(&database).secret(secret(2));
    let auth = builder.former_secret(secret(1)).open().await.unwrap();
    assert_eq!(auth.keys()[0].kid, keys[0].kid);
}

/// `JWT_IDENTITY_CLAIM="user"`: who somebody is stands in `sub` alone, and no app says it again.
#[test]
fn no_claim_of_the_app_stands_for_the_user() {
    for name in ["sub", "SUB", "username", "jti", "exp", "nbf", "scope"] {
        assert!(OwnClaims::default().with(name, "eve").is_err(), "{name}");
    }
    assert!(OwnClaims::default().with("user", "eve").is_ok());
}

#[test]
fn all_52_settings_of_authx_are_tested_and_on_the_page() {
    let tried = Tried {
        flips: &[
            &OF_TOKENS,
            &OF_COOKIES,
            &OF_REQUESTS,
            &OF_REQUESTS_EVERYWHERE,
        ],
        refusals: &REFUSALS,
        never: &[&NEVER[..], &BY_THEMSELVES].concat(),
    };
    assert_eq!(DOCUMENTED.len(), 52);
    check_all(&DOCUMENTED, PAGE, &tried);
}
