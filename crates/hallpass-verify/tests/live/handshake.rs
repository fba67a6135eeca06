//! Who may open a connection, and from where.

use crate::issuer::{ALICE, BOB, FOREIGN, OWN, TRUSTED, cookies};
use crate::support::{App, Refused, app, fresh, our_page};
use hallpass_verify::axum::GateLayer;
use hallpass_verify::live::LiveLayer;
use hallpass_verify::{Locations, Revoked};

/// Opens a WebSocket and uses it, or returns the refusal.
async fn opened(app: &App, target: &str, lines: &[(&str, &str)]) -> Result<(), Refused> {
    let mut client = app.open(target, lines).await?;
    assert_eq!(client.ask("hello").await, "hello");
    Ok(())
}

#[track_caller]
fn refused(result: Result<(), Refused>, status: u16, code: &str) {
    assert_eq!(result.err(), Some(Refused(status, code.into())));
}

#[tokio::test(start_paused = true)]
async fn each_of_the_three_credentials_opens_a_socket() {
    let app = app();
    let bearer = format!("Bearer {}", fresh(ALICE, &app));
    opened(&app, "/ws", &[("authorization", &bearer)])
        .await
        .unwrap();
    let cookie = cookies(&[&fresh(ALICE, &app)]);
    opened(&app, "/ws", &our_page(&cookie)).await.unwrap();
    let from_trusted = [("origin", TRUSTED), ("cookie", cookie.as_str())];
    opened(&app, "/ws", &from_trusted).await.unwrap();
    let offered = format!(
        "hallpass.ticket, {}",
        app.drawer.ticket_for(fresh(ALICE, &app))
    );
    let protocols = [("sec-websocket-protocol", offered.as_str())];
    let client = app.open("/ws", &protocols).await.unwrap();
    assert_eq!(client.protocol.as_deref(), Some("hallpass.ticket"));
    let target = format!("/ws?ticket={}", app.drawer.ticket_for(fresh(ALICE, &app)));
    opened(&app, &target, &[]).await.unwrap();
    refused(opened(&app, "/ws", &[]).await, 401, "not_authenticated");
}

#[tokio::test(start_paused = true)]
async fn cs_24_a_page_of_a_foreign_origin_cannot_open_a_socket_with_our_cookie() {
    let app = app();
    let cookie = cookies(&[&fresh(ALICE, &app)]);
    let cookie = ("cookie", cookie.as_str());
    let sibling = "https://evil.app.example.test";
    for origin in [
        FOREIGN,
        sibling,
        "null",
        "",
        "http://app.example.test",
        "https://app.example.test/",
    ] {
        let lines = [("origin", origin), cookie];
        refused(opened(&app, "/ws", &lines).await, 403, "origin_denied");
        // What Firefox and Safari add, and what an attacker's program might.
        for site in ["same-origin", "none", "same-site", "cross-site"] {
            let lines = [("origin", origin), ("sec-fetch-site", site), cookie];
            refused(opened(&app, "/ws", &lines).await, 403, "origin_denied");
        }
    }
    refused(opened(&app, "/ws", &[cookie]).await, 403, "origin_denied");
    let by_referer = [("referer", "https://app.example.test/page"), cookie];
    refused(opened(&app, "/ws", &by_referer).await, 403, "origin_denied");
    let twice = [("origin", OWN), ("origin", FOREIGN), cookie];
    refused(opened(&app, "/ws", &twice).await, 403, "origin_denied");
    // The cookie is not looked at before: whether it is good is nobody's business there.
    let junk = [("origin", FOREIGN), ("cookie", &cookies(&["junk"]))];
    refused(opened(&app, "/ws", &junk).await, 403, "origin_denied");
}

#[tokio::test(start_paused = true)]
async fn browsers_that_say_more_are_believed_only_as_far_as_it_fits() {
    let app = app();
    let cookie = cookies(&[&fresh(ALICE, &app)]);
    let said = |origin, site| {
        [
            ("origin", origin),
            ("sec-fetch-site", site),
            ("cookie", cookie.as_str()),
        ]
    };
    for (origin, site) in [
        (OWN, "same-origin"),
        (TRUSTED, "same-site"),
        (TRUSTED, "cross-site"),
    ] {
        opened(&app, "/ws", &said(origin, site)).await.unwrap();
    }
    for site in ["same-site", "cross-site"] {
        refused(
            opened(&app, "/ws", &said(OWN, site)).await,
            403,
            "origin_denied",
        );
    }
}

#[tokio::test(start_paused = true)]
async fn broken_never_falls_through_to_the_next_credential() {
    let app = app();
    let cookie = cookies(&[&fresh(ALICE, &app)]);
    let good_ticket = || format!("/ws?ticket={}", app.drawer.ticket_for(fresh(ALICE, &app)));
    let expired = format!(
        "Bearer {}",
        ALICE.token_with(serde_json::json!({ "exp": 1 }))
    );
    for (bearer, code) in [
        ("Bearer junk", "token_malformed"),
        ("Bearer", "token_malformed"),
        (expired.as_str(), "token_invalid"),
    ] {
        let [origin, cookie] = our_page(&cookie);
        let lines = [("authorization", bearer), origin, cookie];
        refused(opened(&app, "/ws", &lines).await, 401, code);
        refused(opened(&app, &good_ticket(), &lines).await, 401, code);
    }
    let unknown = format!("/ws?ticket=hpt_{}", "B".repeat(43));
    refused(
        opened(&app, &unknown, &our_page(&cookie)).await,
        401,
        "token_invalid",
    );
    for junk in ["/ws?ticket=hpt_", "/ws?ticket=hpt_junk"] {
        refused(
            opened(&app, junk, &our_page(&cookie)).await,
            401,
            "token_malformed",
        );
    }
    let [origin, cookie] = our_page(&cookie);
    for protocols in ["hallpass.ticket", "hallpass.ticket, hpt_junk", "hpt_junk"] {
        let lines = [("sec-websocket-protocol", protocols), origin, cookie];
        refused(opened(&app, "/ws", &lines).await, 401, "token_malformed");
    }
}

#[tokio::test(start_paused = true)]
async fn the_header_counts_before_the_ticket_and_the_ticket_before_the_cookie() {
    let app = app();
    let token_of =
        |user, name| crate::issuer::User::token_with(user, serde_json::json!({ "jti": name }));
    let bearer = format!("Bearer {}", token_of(ALICE, "by-header"));
    let cookie = cookies(&[&token_of(ALICE, "by-cookie")]);
    let ticket = app.drawer.ticket_for(token_of(BOB, "by-ticket"));
    let target = format!("/ws?ticket={ticket}");
    let [origin, cookie] = our_page(&cookie);
    let all = [("authorization", bearer.as_str()), origin, cookie];
    let mut client = app.open(&target, &all).await.unwrap();
    // The notice of a token that lives for a minute comes first.
    assert!(client.hear().await.contains("hallpass.expiring"));
    assert_eq!(client.ask("who").await, "by-header");
    // The ticket next to it was not used up.
    let mut client = app
        .open(&target, &[("origin", FOREIGN), cookie])
        .await
        .unwrap();
    assert!(client.hear().await.contains("hallpass.expiring"));
    assert_eq!(client.ask("who").await, "by-ticket");
    let mut client = app.open("/ws", &[origin, cookie]).await.unwrap();
    assert!(client.hear().await.contains("hallpass.expiring"));
    assert_eq!(client.ask("who").await, "by-cookie");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_is_good_once() {
    let app = app();
    let ticket = app.drawer.ticket_for(fresh(ALICE, &app));
    let target = format!("/ws?ticket={ticket}");
    opened(&app, &target, &[]).await.unwrap();
    refused(opened(&app, &target, &[]).await, 401, "token_invalid");
    let offered = format!("hallpass.ticket, {ticket}");
    let protocols = [("sec-websocket-protocol", offered.as_str())];
    refused(opened(&app, "/ws", &protocols).await, 401, "token_invalid");
}

#[tokio::test(start_paused = true)]
async fn the_token_that_a_ticket_brings_is_verified_like_any_other() {
    let app = app();
    let expired = app.drawer.ticket_for(ALICE.expired_token());
    refused(
        opened(&app, &format!("/ws?ticket={expired}"), &[]).await,
        401,
        "token_expired",
    );
    let junk = app.drawer.ticket_for("not a token".into());
    refused(
        opened(&app, &format!("/ws?ticket={junk}"), &[]).await,
        401,
        "token_malformed",
    );
    let ended = app.drawer.ticket_for(fresh(ALICE, &app));
    app.end(ALICE.session());
    refused(
        opened(&app, &format!("/ws?ticket={ended}"), &[]).await,
        401,
        "session_ended",
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_that_has_ended_opens_nothing() {
    let app = app();
    let token = fresh(ALICE, &app);
    let (bearer, cookie) = (format!("Bearer {token}"), cookies(&[&token]));
    app.end(ALICE.session());
    let by_header = [("authorization", bearer.as_str())];
    refused(opened(&app, "/ws", &by_header).await, 401, "session_ended");
    refused(
        opened(&app, "/ws", &our_page(&cookie)).await,
        401,
        "session_ended",
    );
    let now = hallpass_verify::Clock::now(app.clock.as_ref());
    app.verifier.learn(&Revoked::Key("k1".into()), now, now);
    let bob = format!("Bearer {}", fresh(BOB, &app));
    let by_header = [("authorization", bob.as_str())];
    assert!(opened(&app, "/ws", &by_header).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_layer_without_tickets_refuses_them_and_one_without_cookies_never_reads_one() {
    use axum::routing::any;
    use hallpass_verify::live::Live;
    use tower::ServiceExt as _;
    async fn whoami(live: Live) -> String {
        live.caller().subject().to_owned()
    }
    let app = app();
    let narrow = GateLayer::new(app.gate.clone()).locations(Locations::HEADER_ONLY);
    let router = axum::Router::new()
        .route("/", any(whoami))
        .layer(LiveLayer::new(&narrow));
    let status = async |target: &str, lines: &[(&str, &str)]| {
        let mut request = http::Request::builder().uri(target);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        let request = request.body(axum::body::Body::empty()).unwrap();
        router
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    let ticket = app.drawer.ticket_for(fresh(ALICE, &app));
    let cookie = cookies(&[&fresh(ALICE, &app)]);
    let bearer = format!("Bearer {}", fresh(ALICE, &app));
    assert_eq!(status(&format!("/?ticket={ticket}"), &[]).await, 401);
    assert_eq!(status("/", &our_page(&cookie)).await, 401);
    assert_eq!(status("/", &[("authorization", &bearer)]).await, 200);
    let bare = axum::Router::new().route("/", any(whoami));
    let request = http::Request::builder().header("authorization", &bearer);
    let answer = bare
        .oneshot(request.body(axum::body::Body::empty()).unwrap())
        .await;
    assert_eq!(answer.unwrap().status(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_is_gone_before_the_handler_sees_the_request() {
    let app = app();
    let ticket = || app.drawer.ticket_for(fresh(ALICE, &app));
    let target = format!("GET /whoami?x=1&ticket={}", ticket());
    // The handler panics if it sees one.
    assert_eq!(app.whoami(&target, &[], None).await, (200, "alice".into()));
    let offered = format!("hallpass.ticket, {}, chat", ticket());
    let lines = [("sec-websocket-protocol", offered.as_str())];
    let told = app.whoami("GET /whoami", &lines, None).await;
    assert_eq!(told, (200, "alice".into()));
}

#[tokio::test(start_paused = true)]
async fn cs_24_a_socket_over_http_2_owes_the_same_and_no_csrf_token() {
    let app = app();
    let cookie = cookies(&[&fresh(ALICE, &app)]);
    let cookie = ("cookie", cookie.as_str());
    for (lines, expected) in [
        (vec![], (403, "origin_denied")),
        (vec![("origin", FOREIGN)], (403, "origin_denied")),
        (vec![("origin", "null")], (403, "origin_denied")),
        // A page of another site is not made ours by this.
        (
            vec![("sec-fetch-site", "same-origin")],
            (403, "origin_denied"),
        ),
        // An answer to CONNECT has no body.
        (vec![("origin", OWN)], (200, "")),
        (vec![("origin", TRUSTED)], (200, "")),
    ] {
        let lines = [lines.as_slice(), &[cookie]].concat();
        let (status, told) = app.whoami("CONNECT /whoami", &lines, None).await;
        assert_eq!((status, told.as_str()), expected, "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn inside_a_gate_layer_a_ticket_still_counts_but_not_beside_a_foreign_pages_cookie() {
    let app = app();
    let gate = || Some(GateLayer::new(app.gate.clone()));
    let with_ticket = || {
        format!(
            "GET /whoami?ticket={}",
            app.drawer.ticket_for(fresh(ALICE, &app))
        )
    };
    let upgrade = ("upgrade", "websocket");
    assert_eq!(
        app.whoami(&with_ticket(), &[upgrade], gate()).await,
        (200, "alice".into())
    );
    let bobs = cookies(&[&fresh(BOB, &app)]);
    let foreign = [upgrade, ("origin", FOREIGN), ("cookie", bobs.as_str())];
    let denied = (403, "origin_denied".into());
    assert_eq!(app.whoami(&with_ticket(), &foreign, gate()).await, denied);
    assert_eq!(
        app.whoami(&with_ticket(), &foreign, None).await,
        (200, "alice".into())
    );
}
