//! An app with routes of its own: what its tokens say, who is let in where, and how one token ends.
#![cfg(test)]

mod common;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::routing::{any, get, post};
use axum::{Json, Router};
use common::{send, send_text};
use hallpass::core::{Error, GrantFault};
use hallpass::{
    AccessGrant, Caller, Code, ErrorShape, Fresh, Freshness, Hallpass, Lifetimes, Location,
    Locations, LoneToken, MaybeCaller, Opening, OwnClaims, Problem, Proof, Refused, Scopes,
    TokenCookies, UserId,
};
use serde_json::{Value, json};
use std::time::Duration;

/// Opens an app in a folder of its own, in which tokens without a session live for an hour at most.
async fn open() -> (tempfile::TempDir, Hallpass) {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("app.db").display());
    let auth = Hallpass::builder(&database)
        .public_url("https://app.example.com")
        .rules(|rules| rules.sessionless_ttl_max = Some(Duration::from_hours(1)))
        .web(|web| web.locations = Some(Locations::new(&Location::ALL).unwrap()))
        .open();
    (folder, auth.await.unwrap())
}

fn ada() -> Proof {
    Proof::asserted_by_app(UserId::parse("ada").unwrap(), &["pwd"])
}

async fn enter(State(auth): State<Hallpass>, request: Parts) -> Result<TokenCookies, Refused> {
    let opening = Opening {
        scopes: Scopes::new(["reports:*", "orders:read"]).unwrap(),
        claims: OwnClaims::default().with("tenant", "acme").unwrap(),
        lifetimes: Some(Lifetimes {
            idle: Duration::from_hours(1),
            absolute: Duration::from_hours(8),
        }),
        ..auth.opening(&request)?
    };
    auth.put(&auth.open_session(ada(), opening).await?)
}

async fn renew(State(auth): State<Hallpass>, request: Parts) -> Result<TokenCookies, Refused> {
    auth.put(&auth.refresh_by_cookie(&request).await?)
}

async fn leave(State(auth): State<Hallpass>, request: Parts) -> Result<TokenCookies, Refused> {
    auth.sign_out_by(&request).await
}

async fn end(
    State(auth): State<Hallpass>,
    caller: Caller,
    request: Parts,
) -> Result<&'static str, Refused> {
    auth.end_token(&caller, &auth.device(&request)).await?;
    Ok("ended")
}

async fn said(caller: Caller) -> Json<Value> {
    let claim = |name| caller.claim(name).and_then(|claim| claim.as_str());
    Json(json!({ "scopes": caller.scopes(), "tenant": claim("tenant") }))
}

async fn all_of(caller: Caller) -> Result<(), Problem> {
    caller.require_every_scope(&["reports:read:own", "orders:read"])
}

async fn too_much(caller: Caller) -> Result<(), Problem> {
    caller.require_every_scope(&["reports", "orders:write"])
}

async fn one_of(caller: Caller) -> Result<(), Problem> {
    caller.require_any_scope(&["admin", "reports:write"])
}

async fn none_of(caller: Caller) -> Result<(), Problem> {
    caller.require_any_scope(&["admin", "orders", "Orders:read"])
}

async fn who(MaybeCaller(caller): MaybeCaller) -> String {
    caller.map_or("nobody".into(), |caller| caller.location().name().into())
}

async fn fresh(Fresh(caller): Fresh<300>) -> String {
    caller.subject().to_owned()
}

fn app(auth: &Hallpass) -> Router {
    let narrowed = |path, locations| {
        let layer = auth.layer().locations(locations);
        let bodies = hallpass::BodyLayer::new(&layer);
        let route = Router::new().route(path, any(who));
        route.layer(layer).layer(bodies)
    };
    let protected = Router::new()
        .route("/said", get(said))
        .route("/all-of", get(all_of))
        .route("/too-much", get(too_much))
        .route("/one-of", get(one_of))
        .route("/none-of", get(none_of))
        .route("/fresh", get(fresh))
        .route("/who", any(who))
        .route("/end", post(end))
        .with_state(auth.clone());
    let exempt = Router::new()
        .route("/exempt", any(who))
        .layer(auth.layer().danger_without_csrf());
    let doors = Router::new()
        .route("/enter", post(enter))
        .route("/renew", post(renew))
        .route("/leave", post(leave))
        .with_state(auth.clone());
    let own = ErrorShape::new(|problem| {
        let body = json!({ "oops": problem.code.as_str() });
        (problem.code.status(), Json(body))
    });
    auth.around(protected)
        .merge(exempt)
        .merge(narrowed("/header", Locations::HEADER_ONLY))
        .merge(narrowed("/cookie", Locations::COOKIE_ONLY))
        .merge(narrowed("/query", Locations::only(Location::Query)))
        .merge(narrowed("/body", Locations::only(Location::Body)))
        .merge(doors)
        .layer(own)
        .merge(auth.routes())
}

/// A browser that keeps cookies.
#[derive(Clone, Default)]
struct Browser(Vec<(String, String)>);

impl Browser {
    async fn signed_in(app: &Router) -> Self {
        let mut browser = Self::default();
        assert_eq!(browser.ask(app, "POST /enter", &[]).await.0, 200);
        browser
    }

    /// Asks as a page of ours, with these header lines more.
    async fn ask(&mut self, app: &Router, request: &str, more: &[(&str, &str)]) -> (u16, Value) {
        let cookies = self.line();
        let own = ("sec-fetch-site", "same-origin");
        let headers = [&[("cookie", cookies.as_str()), own], more].concat();
        let (status, headers, body) = send(app, request, &headers, None).await;
        self.keep(&headers);
        (status, body)
    }

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

    fn value(&self, part: &str) -> String {
        let mut named = self.0.iter().filter(|(name, _)| name.contains(part));
        named.next().unwrap().1.clone()
    }
}

/// Asks with a token in the header.
async fn with(app: &Router, request: &str, token: &LoneToken) -> (u16, Value) {
    let bearer = format!("Bearer {}", token.token.expose());
    let (status, _, body) = send(app, request, &[("authorization", &bearer)], None).await;
    (status, body)
}

fn oops(code: Code) -> (u16, Value) {
    (code.status().as_u16(), json!({ "oops": code.as_str() }))
}

#[tokio::test]
async fn what_a_sign_in_says_of_scopes_and_claims_holds_over_every_refresh() {
    let (_folder, auth) = open().await;
    let app = app(&auth);
    let mut ada = Browser::signed_in(&app).await;
    let expected = json!({ "scopes": ["reports:*", "orders:read"], "tenant": "acme" });
    for _ in 0..3 {
        let said = ada.ask(&app, "GET /said", &[]).await;
        assert_eq!(said, (200, expected.clone()));
        for path in ["/all-of", "/one-of"] {
            let (status, _) = ada.ask(&app, &format!("GET {path}"), &[]).await;
            assert_eq!(status, 200, "{path}");
        }
        for path in ["/too-much", "/none-of"] {
            let refused = ada.ask(&app, &format!("GET {path}"), &[]).await;
            assert_eq!(refused, oops(Code::InsufficientScope), "{path}");
        }
        let (former, csrf) = (ada.value("refresh"), ada.value("csrf"));
        let proof = [("x-csrf-token", csrf.as_str())];
        assert_eq!(ada.ask(&app, "POST /renew", &proof).await.0, 200);
        assert_ne!(ada.value("refresh"), former);
    }
    let sessions = auth.sessions(&UserId::parse("ada").unwrap()).await.unwrap();
    assert_eq!(sessions[0].idle_ttl, Duration::from_hours(1));
}

#[tokio::test]
async fn a_token_without_a_session_owes_a_proof_in_a_cookie_and_nowhere_else() {
    let (_folder, auth) = open().await;
    let app = app(&auth);
    let grant = AccessGrant {
        scopes: Scopes::new(["orders:read"]).unwrap(),
        claims: OwnClaims::default().with("tenant", "acme").unwrap(),
        ..AccessGrant::default()
    };
    let lone = auth.issue_access_token(ada(), grant).await.unwrap();
    let said = json!({ "scopes": ["orders:read"], "tenant": "acme" });
    assert_eq!(with(&app, "GET /said", &lone).await, (200, said));
    assert_eq!(with(&app, "POST /who", &lone).await, (200, json!("header")));
    let mut browser = Browser::default();
    let cookies = auth.put_lone(&lone).unwrap();
    browser.keep(axum::response::IntoResponse::into_response(cookies).headers());
    assert_eq!(browser.ask(&app, "GET /who", &[]).await.1, "cookie");
    let refused = browser.ask(&app, "POST /who", &[]).await;
    assert_eq!(refused, oops(Code::CsrfMissing));
    let (_, asked) = browser.ask(&app, "GET /auth/csrf", &[]).await;
    let other = auth.issue_access_token(ada(), AccessGrant::default());
    let other = other.await.unwrap();
    for (csrf, expected) in [
        (lone.csrf.expose(), 200),
        (asked["csrf_token"].as_str().unwrap(), 200),
        (other.csrf.expose(), 403),
    ] {
        let proof = [("x-csrf-token", csrf)];
        let (status, _) = browser.ask(&app, "POST /who", &proof).await;
        assert_eq!(status, expected);
    }
}

#[tokio::test]
async fn a_token_without_a_session_is_issued_as_it_is_asked_for_or_not_at_all() {
    let (_folder, auth) = open().await;
    let app = app(&auth);
    let now = auth.clock().now();
    for (freshness, expected) in [
        (Freshness::Now, (200, json!("ada"))),
        (
            Freshness::At(now.minus(Duration::from_mins(2))),
            (200, json!("ada")),
        ),
        (
            Freshness::At(now.minus(Duration::from_mins(6))),
            oops(Code::FreshRequired),
        ),
        (Freshness::Unknown, oops(Code::FreshRequired)),
    ] {
        let grant = AccessGrant {
            freshness,
            ..AccessGrant::default()
        };
        let lone = auth.issue_access_token(ada(), grant).await.unwrap();
        assert_eq!(
            with(&app, "GET /fresh", &lone).await,
            expected,
            "{freshness:?}"
        );
    }
    let grant = AccessGrant {
        audiences: vec!["https://orders.example.com".into()],
        ..AccessGrant::default()
    };
    let lone = auth.issue_access_token(ada(), grant).await.unwrap();
    let refused = with(&app, "GET /said", &lone).await;
    assert_eq!(refused, oops(Code::TokenInvalid), "it is for others");
    let grant = AccessGrant {
        ttl: Some(Duration::from_hours(2)),
        ..AccessGrant::default()
    };
    let refused = auth.issue_access_token(ada(), grant).await.unwrap_err();
    let is_too_long = matches!(refused, Error::Grant(GrantFault::Lifetime));
    assert!(is_too_long, "{refused:?}");
}

#[tokio::test]
async fn one_token_ends_and_the_others_of_its_session_go_on() {
    let (_folder, auth) = open().await;
    let app = app(&auth);
    let mut ada = Browser::signed_in(&app).await;
    let first = ada.clone();
    let csrf = ada.value("csrf");
    let proof = [("x-csrf-token", csrf.as_str())];
    assert_eq!(ada.ask(&app, "POST /renew", &proof).await.0, 200);
    assert_eq!(ada.ask(&app, "POST /end", &proof).await.0, 200);
    let refused = ada.ask(&app, "GET /said", &[]).await;
    assert_eq!(refused, oops(Code::TokenInvalid));
    assert_eq!(first.clone().ask(&app, "GET /said", &[]).await.0, 200);
    assert_eq!(ada.ask(&app, "POST /renew", &proof).await.0, 200);
    assert_eq!(ada.ask(&app, "GET /said", &[]).await.0, 200);
    let lone = auth.issue_access_token(self::ada(), AccessGrant::default());
    let lone = lone.await.unwrap();
    assert_eq!(with(&app, "POST /end", &lone).await.0, 200);
    assert_eq!(
        with(&app, "GET /said", &lone).await,
        oops(Code::SessionEnded)
    );
}

#[tokio::test]
async fn a_route_that_looks_in_one_place_sees_nothing_in_the_others() {
    let (_folder, auth) = open().await;
    let app = app(&auth);
    let lone = auth.issue_access_token(ada(), AccessGrant::default());
    let lone = lone.await.unwrap();
    let token = lone.token.expose();
    let (bearer, cookie) = (
        format!("Bearer {token}"),
        format!("__Host-hp_access={token}"),
    );
    let body = json!({ "access_token": token }).to_string();
    let json = ("content-type", "application/json; charset=utf-8");
    for (route, seen) in [
        ("/header", "header"),
        ("/cookie", "cookie"),
        ("/query", "query"),
        ("/body", "body"),
    ] {
        let plain = format!("GET {route}");
        let in_query = format!("GET {route}?access_token={token}");
        let ways = [
            ("header", &plain, &[("authorization", bearer.as_str())], ""),
            ("cookie", &plain, &[("cookie", cookie.as_str())], ""),
            ("query", &in_query, &[("accept", "*/*")], ""),
            ("body", &plain, &[json], body.as_str()),
        ];
        for (place, request, headers, body) in ways {
            let answer = send_text(&app, request, headers, body.to_owned()).await;
            let expected = if place == seen { seen } else { "nobody" };
            assert_eq!(
                (answer.0, answer.2),
                (200, json!(expected)),
                "{place}, {route}"
            );
        }
    }
}

#[tokio::test]
async fn one_credential_counts_and_a_broken_one_is_not_overlooked() {
    let (_folder, auth) = open().await;
    let app = app(&auth);
    let mut ada = Browser::signed_in(&app).await;
    let junk = [("authorization", "Bearer x")];
    let malformed = oops(Code::TokenMalformed);
    for request in ["GET /who", "POST /who", "GET /header", "POST /exempt"] {
        assert_eq!(ada.ask(&app, request, &junk).await, malformed, "{request}");
    }
    // No header is looked at there, so the cookie counts.
    assert_eq!(ada.ask(&app, "GET /cookie", &junk).await.1, "cookie");
    assert_eq!(
        ada.ask(&app, "POST /cookie", &junk).await,
        oops(Code::CsrfMissing)
    );
    // And a cookie that owes a proof does not give way to a token in the address.
    let access = ada.value("access");
    let in_query = format!("POST /who?access_token={access}");
    assert_eq!(ada.ask(&app, &in_query, &[]).await, oops(Code::CsrfMissing));
}

#[tokio::test]
async fn one_route_is_exempt_from_the_proof_and_from_nothing_else() {
    let (_folder, auth) = open().await;
    let app = app(&auth);
    let mut ada = Browser::signed_in(&app).await;
    let hostile = [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    let cookies = ada.line();
    let forged = [&hostile[..], &[("cookie", cookies.as_str())]].concat();
    for (request, expected) in [
        ("POST /exempt", (200, json!("cookie"))),
        ("POST /who", oops(Code::OriginDenied)),
        ("DELETE /cookie", oops(Code::OriginDenied)),
    ] {
        let (status, _, body) = send(&app, request, &forged, None).await;
        assert_eq!((status, body), expected, "{request}");
    }
    assert_eq!(
        ada.ask(&app, "POST /exempt", &[]).await,
        (200, json!("cookie"))
    );
    let csrf = ada.value("csrf");
    let held = ada.clone();
    let proof = [("x-csrf-token", csrf.as_str())];
    assert_eq!(ada.ask(&app, "POST /leave", &proof).await.0, 200);
    assert!(ada.0.is_empty(), "{:?}", ada.0);
    let ended = held.clone().ask(&app, "POST /exempt", &[]).await;
    assert_eq!(ended, oops(Code::SessionEnded));
}

#[tokio::test]
async fn an_answer_in_the_apps_own_words_still_takes_the_cookies_out() {
    let (_folder, auth) = open().await;
    let app = app(&auth);
    let mut ada = Browser::signed_in(&app).await;
    let (mut held, csrf) = (ada.clone(), ada.value("csrf"));
    let proof = [("x-csrf-token", csrf.as_str())];
    assert_eq!(ada.ask(&app, "POST /leave", &proof).await.0, 200);
    let refused = held.ask(&app, "POST /renew", &proof).await;
    assert_eq!(refused, oops(Code::SessionEnded));
    assert!(held.0.is_empty(), "{:?}", held.0);
}
