//! Handshakes whose token stands elsewhere, and behind layers that ask for more or for less.

use crate::issuer::{ALICE, BOB, COOKIE, FOREIGN, cookies, settings};
use crate::support::{App, app, fresh, our_page};
use axum::Router;
use axum::body::Body;
use axum::routing::any;
use hallpass_verify::axum::GateLayer;
use hallpass_verify::live::{Live, LiveLayer};
use hallpass_verify::{Gate, GateSettings, Location, Locations, TokenHeader};
use http::{Method, Request};
use std::sync::Arc;
use tower::ServiceExt as _;

async fn whoami(live: Live) -> String {
    live.caller().subject().to_owned()
}

/// A route behind a gate of these settings, with the tickets of the app.
fn route(app: &App, settings: GateSettings, layer: impl FnOnce(GateLayer) -> GateLayer) -> Router {
    let gate = Gate::new(settings, app.verifier.clone(), app.clock.clone());
    let live = LiveLayer::new(&layer(GateLayer::new(Arc::new(gate)))).tickets(app.drawer.clone());
    Router::new().route("/", any(whoami)).layer(live)
}

async fn status(route: &Router, request: &str, lines: &[(&str, &str)]) -> u16 {
    let (method, target) = request.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let answer = route.clone().oneshot(request).await.unwrap();
    answer.status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn cs_24_a_layer_without_the_csrf_check_still_asks_where_a_handshake_comes_from() {
    let app = app();
    let route = route(&app, settings(COOKIE), GateLayer::danger_without_csrf);
    let cookie = cookies(&[&fresh(ALICE, &app)]);
    assert_eq!(status(&route, "GET /", &our_page(&cookie)).await, 200);
    let upgrade = ("upgrade", "websocket");
    for origin in [FOREIGN, "null", "https://evil.example.test"] {
        let lines = [("cookie", cookie.as_str()), ("origin", origin), upgrade];
        assert_eq!(status(&route, "GET /", &lines).await, 403, "{origin}");
    }
    assert_eq!(
        status(&route, "GET /", &[("cookie", &cookie), upgrade]).await,
        403
    );
    // What no handshake can be owes the whole proof.
    assert_eq!(status(&route, "POST /", &our_page(&cookie)).await, 403);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_owes_no_csrf_token_even_where_every_get_does() {
    let app = app();
    let settings = GateSettings {
        csrf_also: vec![Method::GET],
        ..settings(COOKIE)
    };
    let route = route(&app, settings, |layer| layer);
    let cookie = cookies(&[&fresh(ALICE, &app)]);
    assert_eq!(status(&route, "GET /", &our_page(&cookie)).await, 200);
    let foreign = [("cookie", cookie.as_str()), ("origin", FOREIGN)];
    assert_eq!(status(&route, "GET /", &foreign).await, 403);
}

#[tokio::test(start_paused = true)]
async fn a_token_in_the_address_opens_a_connection_where_the_locations_name_it() {
    let app = app();
    let order = [Location::Query, Location::Header, Location::Cookie];
    let settings = GateSettings {
        locations: Locations::new(&order).unwrap(),
        ..settings(COOKIE)
    };
    let route = route(&app, settings, |layer| layer);
    let token = fresh(ALICE, &app);
    let target = format!("GET /?access_token={token}");
    assert_eq!(status(&route, &target, &[]).await, 200);
    let bearer = format!("Bearer {}", fresh(BOB, &app));
    let both = [("authorization", bearer.as_str())];
    assert_eq!(status(&route, "GET /?access_token=x", &both).await, 401);
    let (code, _) = app
        .whoami(&target.replace("/?", "/whoami?"), &[], None)
        .await;
    assert_eq!(code, 401);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_is_good_where_the_header_has_another_name() {
    let app = app();
    for header in [
        TokenHeader::bare("x-token").unwrap(),
        TokenHeader::with_scheme("authorization", "JWT").unwrap(),
    ] {
        let settings = GateSettings {
            token_header: header,
            ..settings(COOKIE)
        };
        let route = route(&app, settings, |layer| layer);
        let ticket = app.drawer.ticket_for(fresh(ALICE, &app));
        assert_eq!(
            status(&route, &format!("GET /?ticket={ticket}"), &[]).await,
            200
        );
        assert_eq!(
            status(&route, &format!("GET /?ticket={ticket}"), &[]).await,
            401
        );
    }
}
