//! An app with sign-in, refresh and sign-out routes of its own: what it puts into responses, what it
//! takes out of them, and what is asked of a request.
#![cfg(test)]

mod common;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use common::send;
use hallpass::core::{AccessGrant, LoneToken};
use hallpass::{
    Accounts, Caller, CsrfCookie, Delivery, Hallpass, Issued, Proof, Refused, UserId, WebSettings,
};
use serde_json::{Value, json};
use std::time::Duration;

/// Opens an app, each in a folder of its own.
async fn open(change: impl FnOnce(&mut WebSettings)) -> (tempfile::TempDir, Hallpass) {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("app.db").display());
    let auth = Hallpass::builder(&database)
        .public_url("https://app.example.com")
        .web(change);
    (folder, auth.open().await.unwrap())
}

async fn issued(auth: &Hallpass, request: &Parts) -> Result<Issued, Refused> {
    let proof = Proof::asserted_by_app(UserId::parse("ada").unwrap(), &["pwd"]);
    Ok(auth.open_session(proof, auth.opening(request)?).await?)
}

async fn enter(State(auth): State<Hallpass>, request: Parts) -> Result<Response, Refused> {
    let issued = issued(&auth, &request).await?;
    let body = json!({ "refresh": issued.refresh.expose(), "access": issued.access.expose() });
    Ok((auth.put(&issued)?, Json(body)).into_response())
}

async fn renew(State(auth): State<Hallpass>, request: Parts) -> Result<Response, Refused> {
    let issued = auth.refresh_by_cookie(&request).await?;
    Ok((auth.put(&issued)?, "renewed").into_response())
}

async fn renew_by_body(
    State(auth): State<Hallpass>,
    request: Parts,
    token: String,
) -> Result<String, Refused> {
    let issued = auth.refresh_by_body(&request, &token).await?;
    Ok(issued.refresh.expose().to_owned())
}

async fn leave(State(auth): State<Hallpass>, request: Parts) -> Result<Response, Refused> {
    Ok((auth.sign_out_by(&request).await?, "left").into_response())
}

async fn leave_by_origin(
    State(auth): State<Hallpass>,
    request: Parts,
) -> Result<Response, Refused> {
    Ok((auth.sign_out_by_origin(&request).await?, "left").into_response())
}

fn app(auth: &Hallpass) -> Router {
    let who = async |caller: Caller| caller.subject().to_owned();
    let protected = Router::new()
        .route("/mine", get(who).post(who))
        .layer(auth.layer());
    let doors = Router::new()
        .route("/enter", post(enter))
        .route("/renew", post(renew))
        .route("/renew-by-body", post(renew_by_body))
        .route("/leave", post(leave))
        .route("/leave-by-origin", post(leave_by_origin));
    doors.merge(protected).with_state(auth.clone())
}

/// The `Set-Cookie` lines of a response, with `…` for what they say, or `-` where one is deleted.
fn set(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all("set-cookie").iter();
    let shown = |line: &str| {
        let (pair, attributes) = line.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let deletes = attributes.starts_with("Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(deletes, value.is_empty(), "{line}");
        format!("{name}={}", if deletes { "-" } else { "…" })
    };
    lines.map(|line| shown(line.to_str().unwrap())).collect()
}

/// A browser's cookies after these responses.
#[derive(Default)]
struct Jar(Vec<(String, String)>);

impl Jar {
    fn keep(&mut self, headers: &HeaderMap) {
        for line in headers.get_all("set-cookie") {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap().to_owned();
            self.0.retain(|(kept, _)| kept != name);
            if !value.is_empty() {
                self.0.push((name.to_owned(), value));
            }
        }
    }

    fn line(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(n, v)| format!("{n}={v}")).collect();
        pairs.join("; ")
    }

    fn value(&self, part: &str) -> &str {
        let mut named = self.0.iter().filter(|(name, _)| name.contains(part));
        &named.next().unwrap().1
    }
}

/// Sends a request as a page of our own does.
async fn ours(
    app: &Router,
    request: &str,
    jar: &Jar,
    csrf: Option<&str>,
) -> (u16, HeaderMap, Value) {
    let cookies = jar.line();
    let mut headers = vec![
        ("cookie", cookies.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    headers.extend(csrf.map(|csrf| ("x-csrf-token", csrf)));
    send(app, request, &headers, None).await
}

const HOSTILE: &[(&str, &str)] = &[
    ("sec-fetch-site", "cross-site"),
    ("origin", "https://evil.example"),
];

#[tokio::test]
async fn tokens_are_put_into_any_response_by_delivery_together_or_one_at_a_time() {
    for (delivery, expected) in [
        (
            Delivery::Cookie,
            &[
                "__Host-hp_access=…",
                "__Secure-hp_refresh=…",
                "__Host-hp_csrf=…",
            ][..],
        ),
        (
            Delivery::Split,
            &[
                "__Secure-hp_refresh=…",
                "__Host-hp_csrf=…",
                "__Host-hp_access=-",
            ],
        ),
        (Delivery::Body, &[]),
    ] {
        let (_folder, auth) = open(|web| web.delivery = delivery).await;
        let (status, headers, _) = send(&app(&auth), "POST /enter", &[], None).await;
        assert_eq!(status, 200);
        assert_eq!(set(&headers), expected);
        assert_eq!(headers["cache-control"], "no-store");
    }
    let (_folder, auth) = open(|_| {}).await;
    let (parts, ()) = Request::new(()).into_parts();
    let issued = issued(&auth, &parts).await.unwrap();
    let lines = |cookies: hallpass::TokenCookies| set(cookies.into_response().headers());
    assert_eq!(
        lines(auth.put_access(&issued).unwrap()),
        ["__Host-hp_access=…", "__Host-hp_csrf=…"]
    );
    assert_eq!(
        lines(auth.put_refresh(&issued).unwrap()),
        ["__Secure-hp_refresh=…", "__Host-hp_csrf=…"]
    );
    // The CSRF cookie serves both, so it goes when both go.
    assert_eq!(lines(auth.clear_access()), ["__Host-hp_access=-"]);
    assert_eq!(lines(auth.clear_refresh()), ["__Secure-hp_refresh=-"]);
    assert_eq!(
        lines(auth.clear()),
        [
            "__Host-hp_access=-",
            "__Secure-hp_refresh=-",
            "__Host-hp_csrf=-"
        ]
    );
}

#[tokio::test]
async fn with_two_csrf_cookies_each_comes_and_goes_with_its_token() {
    let (_folder, auth) = open(WebSettings::use_authx_names).await;
    let (parts, ()) = Request::new(()).into_parts();
    let issued = issued(&auth, &parts).await.unwrap();
    let lines = |cookies: hallpass::TokenCookies| set(cookies.into_response().headers());
    let both = [
        ["access_token_cookie=…", "csrf_access_token=…"],
        ["refresh_token_cookie=…", "csrf_refresh_token=…"],
    ];
    assert_eq!(lines(auth.put_access(&issued).unwrap()), both[0]);
    assert_eq!(lines(auth.put_refresh(&issued).unwrap()), both[1]);
    let mut all = lines(auth.put(&issued).unwrap());
    all.sort();
    let mut expected = both.concat();
    expected.sort_unstable();
    assert_eq!(all, expected);
    let gone = both.map(|pair| pair.map(|line| line.replace('…', "-")));
    assert_eq!(lines(auth.clear_access()), gone[0]);
    assert_eq!(lines(auth.clear_refresh()), gone[1]);
    assert_eq!(lines(auth.clear()).len(), 4);
}

#[tokio::test]
async fn a_refresh_token_of_a_body_is_put_into_no_cookie() {
    let (_folder, auth) = open(|web| web.delivery = Delivery::Body).await;
    let (parts, ()) = Request::new(()).into_parts();
    let issued = issued(&auth, &parts).await.unwrap();
    let refused = auth.put_refresh(&issued).unwrap_err();
    assert_eq!(refused.problem().code.as_str(), "internal");
}

#[tokio::test]
async fn an_own_refresh_route_rotates_owes_the_proof_and_clears_only_when_all_is_over() {
    let (_folder, auth) = open(|web| web.refresh_cookie_path = Some("/renew".into())).await;
    let (app, mut jar) = (app(&auth), Jar::default());
    let (_, headers, _) = send(&app, "POST /enter", &[], None).await;
    let path = headers.get_all("set-cookie").iter().nth(1).unwrap();
    assert!(
        path.to_str().unwrap().contains("; Path=/renew;"),
        "{path:?}"
    );
    jar.keep(&headers);
    let first = jar.value("refresh").to_owned();
    let csrf = jar.value("csrf").to_owned();
    let (status, headers, problem) = ours(&app, "POST /renew", &jar, None).await;
    assert_eq!((status, &problem["code"]), (403, &json!("csrf_missing")));
    assert_eq!(set(&headers), [""; 0]);
    let (status, headers, _) = ours(&app, "POST /renew", &jar, Some(&csrf)).await;
    assert_eq!(status, 200);
    jar.keep(&headers);
    assert_ne!(jar.value("refresh"), first);
    assert_eq!(ours(&app, "GET /mine", &jar, None).await.2, json!("ada"));
    let (status, headers, _) = ours(&app, "POST /leave", &jar, Some(&csrf)).await;
    assert_eq!((status, set(&headers).len()), (200, 3));
    let (status, headers, problem) = ours(&app, "POST /renew", &jar, Some(&csrf)).await;
    assert_eq!((status, &problem["code"]), (401, &json!("session_ended")));
    assert_eq!(set(&headers).len(), 3);
    assert_eq!(
        ours(&app, "GET /mine", &jar, None).await.2["code"],
        "session_ended"
    );
}

#[tokio::test]
async fn an_own_refresh_route_takes_a_body_and_not_a_cookies_token() {
    let (_folder, auth) = open(|web| web.delivery = Delivery::Body).await;
    let app = app(&auth);
    let (_, _, body) = send(&app, "POST /enter", &[], None).await;
    let plain = |token: &Value| {
        let request = Request::post("/renew-by-body");
        request.body(axum::body::Body::from(token.as_str().unwrap().to_owned()))
    };
    let answer = |token: &Value| tower::ServiceExt::oneshot(app.clone(), plain(token).unwrap());
    assert_eq!(answer(&body["refresh"]).await.unwrap().status(), 200);
    assert_eq!(answer(&body["access"]).await.unwrap().status(), 401);
    let (_folder, auth) = open(|_| {}).await;
    let (_, _, cookie) = send(&self::app(&auth), "POST /enter", &[], None).await;
    let (parts, ()) = Request::new(()).into_parts();
    let token = cookie["refresh"].as_str().unwrap();
    let refused = auth.refresh_by_body(&parts, token).await.unwrap_err();
    assert_eq!(refused.problem().code.as_str(), "token_invalid");
}

#[tokio::test]
async fn cs_13_a_page_of_another_site_neither_enters_nor_leaves_nor_renews_for_a_user() {
    let (_folder, auth) = open(|_| {}).await;
    let (app, mut jar) = (app(&auth), Jar::default());
    let (status, headers, problem) = send(&app, "POST /enter", HOSTILE, None).await;
    assert_eq!((status, &problem["code"]), (403, &json!("origin_denied")));
    assert_eq!(set(&headers), [""; 0]);
    jar.keep(&send(&app, "POST /enter", &[], None).await.1);
    let cookies = jar.line();
    let with_cookies = [HOSTILE, &[("cookie", cookies.as_str())]].concat();
    for route in ["POST /renew", "POST /leave", "POST /leave-by-origin"] {
        let (status, headers, problem) = send(&app, route, &with_cookies, None).await;
        assert_eq!(
            (status, &problem["code"]),
            (403, &json!("origin_denied")),
            "{route}"
        );
        assert_eq!(set(&headers), [""; 0], "{route}");
    }
    assert_eq!(ours(&app, "GET /mine", &jar, None).await.0, 200);
}

#[tokio::test]
async fn leaving_by_origin_needs_no_csrf_token_and_ends_the_session_at_once() {
    let (_folder, auth) = open(|_| {}).await;
    let app = app(&auth);
    for names in [
        &["access", "refresh", "csrf"][..],
        &["access"],
        &["refresh"],
    ] {
        let mut jar = Jar::default();
        jar.keep(&send(&app, "POST /enter", &[], None).await.1);
        let kept = Jar(jar.0.clone());
        jar.0
            .retain(|(name, _)| names.iter().any(|part| name.contains(part)));
        assert_eq!(
            ours(&app, "POST /leave", &jar, None).await.0,
            403,
            "{names:?}"
        );
        let (status, headers, _) = ours(&app, "POST /leave-by-origin", &jar, None).await;
        assert_eq!((status, set(&headers).len()), (200, 3), "{names:?}");
        assert_eq!(
            ours(&app, "GET /mine", &kept, None).await.0,
            401,
            "{names:?}"
        );
    }
    let (status, headers, _) = ours(&app, "POST /leave", &Jar::default(), None).await;
    assert_eq!((status, set(&headers).len()), (200, 3), "nobody");
}

#[tokio::test]
async fn entering_again_ends_the_session_that_the_browser_had() {
    let (_folder, auth) = open(|_| {}).await;
    let (app, mut jar) = (app(&auth), Jar::default());
    jar.keep(&send(&app, "POST /enter", &[], None).await.1);
    let (status, ..) = ours(&app, "POST /enter", &jar, None).await;
    assert_eq!(status, 200);
    assert_eq!(
        ours(&app, "GET /mine", &jar, None).await.2["code"],
        "session_ended"
    );
}

#[tokio::test]
async fn a_csrf_token_is_handed_out_without_a_cookie_when_the_app_wants_that() {
    let (_folder, auth) = open(|web| web.csrf_cookie = CsrfCookie::NotSent).await;
    let (own, mut jar) = (app(&auth).merge(auth.routes()), Jar::default());
    let (_, headers, _) = send(&own, "POST /enter", &[], None).await;
    assert_eq!(
        set(&headers),
        ["__Host-hp_access=…", "__Secure-hp_refresh=…"]
    );
    jar.keep(&headers);
    let (_, _, asked) = ours(&own, "GET /auth/csrf", &jar, None).await;
    let csrf = asked["csrf_token"].as_str().unwrap();
    assert_eq!(ours(&own, "POST /renew", &jar, None).await.0, 403);
    let (status, headers, _) = ours(&own, "POST /renew", &jar, Some(csrf)).await;
    assert_eq!((status, set(&headers).len()), (200, 2));
    let body = json!({ "email": common::EMAIL, "password": common::PASSWORD });
    let (_, headers, answer) = send(&own, "POST /auth/signup", &[], Some(body)).await;
    assert_eq!(set(&headers).len(), 2);
    assert_eq!(answer["csrf_token"].as_str().unwrap().len(), 86);
}

#[tokio::test]
async fn co_06_pages_of_trusted_origins_may_call_the_apps_own_routes() {
    let (_folder, auth) =
        open(|web| web.trusted_origins.push("https://www.example.com".into())).await;
    let own = auth.with_cors(app(&auth));
    let preflight = async |origin: &str| {
        let asks = [("origin", origin), ("access-control-request-method", "PUT")];
        send(&own, "OPTIONS /mine", &asks, None).await
    };
    let (status, headers, _) = preflight("https://www.example.com").await;
    assert_eq!(status, 204);
    assert_eq!(
        headers["access-control-allow-origin"],
        "https://www.example.com"
    );
    assert_eq!(headers["access-control-allow-credentials"], "true");
    let allowed = headers["access-control-allow-methods"].to_str().unwrap();
    assert!(
        allowed.contains("PUT") && allowed.contains("PATCH"),
        "{allowed}"
    );
    let (_, headers, _) = preflight("https://evil.example").await;
    assert!(!headers.contains_key("access-control-allow-origin"));
}

/// An app that issues tokens without a session for an hour at most.
async fn with_lone_tokens() -> (tempfile::TempDir, Hallpass) {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("app.db").display());
    let auth = Hallpass::builder(&database)
        .rules(|rules| rules.sessionless_ttl_max = Some(Duration::from_hours(1)))
        .public_url("https://app.example.com");
    (folder, auth.open().await.unwrap())
}

async fn lone(auth: &Hallpass) -> LoneToken {
    let proof = Proof::asserted_by_app(UserId::parse("ada").unwrap(), &["pwd"]);
    let issued = auth.issue_access_token(proof, AccessGrant::default()).await;
    issued.unwrap()
}

/// Tells whether a token is taken when it comes in a header.
async fn taken(app: &Router, lone: &LoneToken) -> bool {
    let bearer = format!("Bearer {}", lone.token.expose());
    send(app, "GET /mine", &[("authorization", &bearer)], None)
        .await
        .0
        == 200
}

#[tokio::test]
async fn signing_out_ends_a_token_without_a_session_wherever_it_is() {
    let (_folder, auth) = with_lone_tokens().await;
    let app = app(&auth).merge(auth.routes());
    for route in ["POST /leave", "POST /leave-by-origin", "POST /auth/logout"] {
        let (mine, other) = (lone(&auth).await, lone(&auth).await);
        let mut jar = Jar::default();
        jar.keep(auth.put_lone(&mine).unwrap().into_response().headers());
        let csrf = jar.value("csrf").to_owned();
        // Nobody else's page ends it.
        let cookies = jar.line();
        let foreign = [&[("cookie", cookies.as_str())], HOSTILE].concat();
        assert_eq!(send(&app, route, &foreign, None).await.0, 403, "{route}");
        assert!(taken(&app, &mine).await, "{route}");
        let (status, headers, _) = ours(&app, route, &jar, Some(&csrf)).await;
        assert!(matches!(status, 200 | 204), "{route} {status}");
        jar.keep(&headers);
        assert_eq!(jar.line(), "", "{route}");
        assert!(!taken(&app, &mine).await, "{route}");
        let bearer = format!("Bearer {}", other.token.expose());
        let in_header = [("authorization", bearer.as_str())];
        send(&app, route, &in_header, None).await;
        assert!(!taken(&app, &other).await, "{route}");
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_and_the_token_that_took_its_cookie() {
    let (_folder, auth) = with_lone_tokens().await;
    let (app, mut jar) = (app(&auth), Jar::default());
    let (_, headers, _) = ours(&app, "POST /enter", &jar, None).await;
    jar.keep(&headers);
    let session_csrf = jar.value("csrf").to_owned();
    let lone = lone(&auth).await;
    jar.keep(auth.put_lone(&lone).unwrap().into_response().headers());
    // The proof is that of the session: of the two it is the one that is renewed.
    let (status, _, _) = ours(&app, "POST /leave", &jar, Some(&session_csrf)).await;
    assert_eq!(status, 200);
    assert!(!taken(&app, &lone).await);
    let user = UserId::parse("ada").unwrap();
    assert!(auth.sessions(&user).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_token_without_a_session_is_put_into_the_access_cookie_for_as_long_as_it_lives() {
    let (_folder, auth) = with_lone_tokens().await;
    let proof = Proof::asserted_by_app(UserId::parse("ada").unwrap(), &["pwd"]);
    let grant = AccessGrant {
        ttl: Some(Duration::from_mins(20)),
        ..AccessGrant::default()
    };
    let lone = auth.issue_access_token(proof, grant).await.unwrap();
    let response = auth.put_lone(&lone).unwrap().into_response();
    assert_eq!(
        set(response.headers()),
        ["__Host-hp_access=…", "__Host-hp_csrf=…"]
    );
    let first = response.headers()["set-cookie"].to_str().unwrap();
    assert!(first.contains("; Max-Age=1200; "), "{first}");
    let (app, mut jar) = (app(&auth), Jar::default());
    jar.keep(response.headers());
    assert_eq!(ours(&app, "GET /mine", &jar, None).await.2, json!("ada"));
    assert_eq!(ours(&app, "POST /mine", &jar, None).await.0, 403);
    let csrf = jar.value("csrf").to_owned();
    assert_eq!(ours(&app, "POST /mine", &jar, Some(&csrf)).await.0, 200);
    let (parts, ()) = Request::new(()).into_parts();
    let device = auth.device(&parts);
    let ended = auth.end_token_id(&lone.token_id, None, &device);
    ended.await.unwrap();
    assert_eq!(ours(&app, "GET /mine", &jar, None).await.0, 401);
}

#[tokio::test]
async fn an_app_says_who_may_sign_up_and_by_which_routes() {
    for (accounts, answers) in [
        (Accounts::Open, [201, 200]),
        (Accounts::ByInvitation, [403, 401]),
        (Accounts::OfTheApp, [404, 404]),
    ] {
        let (_folder, auth) = open(|web| web.accounts = accounts).await;
        let own = app(&auth).merge(auth.routes());
        let body = json!({ "email": common::EMAIL, "password": common::PASSWORD });
        for (route, status) in ["POST /auth/signup", "POST /auth/login"]
            .into_iter()
            .zip(answers)
        {
            let (answered, ..) = send(&own, route, &[], Some(body.clone())).await;
            assert_eq!(answered, status, "{accounts:?} {route}");
        }
        // What a session needs is there in any case.
        let mut jar = Jar::default();
        jar.keep(&send(&own, "POST /enter", &[], None).await.1);
        let csrf = jar.value("csrf").to_owned();
        assert_eq!(ours(&own, "GET /auth/sessions", &jar, None).await.0, 200);
        assert_eq!(
            ours(&own, "POST /auth/refresh", &jar, Some(&csrf)).await.0,
            200
        );
        assert_eq!(
            ours(&own, "POST /auth/logout", &jar, Some(&csrf)).await.0,
            204
        );
    }
}

#[tokio::test]
async fn a_sign_in_of_another_delivery_ends_the_former_session_only_if_it_overwrites_its_cookies() {
    let (_folder, auth) = open(|_| {}).await;
    let (app, mut jar) = (app(&auth), Jar::default());
    jar.keep(&send(&app, "POST /enter", &[], None).await.1);
    let cookies = jar.line();
    let request = Request::builder().header("cookie", cookies);
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let replaced = |delivery| auth.opening_as(&parts, delivery).unwrap().replaces;
    assert_eq!(replaced(Delivery::Body), None);
    assert_eq!(replaced(Delivery::Cookie), replaced(Delivery::Split));
    assert!(replaced(Delivery::Cookie).is_some());
}
