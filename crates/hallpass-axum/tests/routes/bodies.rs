//! What is found in bodies: a CSRF token in a form, an access token in JSON. The body goes on as it
//! came.

use crate::common::{ALICE, App, BOB, Browser, FOREIGN, MINUTE};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::post;
use futures_util::stream;
use hallpass_axum::{BodyLayer, READ_LEN_MAX};
use hallpass_core::{Profile, WebSettings};
use hallpass_verify::{Caller, Location, Locations};
use http::Request;
use serde_json::{Value, json};
use std::io;
use tower::ServiceExt as _;

const FORM: &str = "application/x-www-form-urlencoded";

async fn app_with(change: impl FnOnce(&mut WebSettings)) -> App {
    App::start_with(|_, web| change(web)).await
}

/// An app whose forms carry the CSRF token in a field.
async fn app_of_forms() -> App {
    app_with(|web| web.csrf_field = Some("csrf_token".into())).await
}

/// An app whose tokens may stand in a JSON body; they are looked for there first.
async fn app_of_bodies() -> App {
    let order = [Location::Body, Location::Header, Location::Cookie];
    app_with(|web| web.locations = Some(Locations::new(&order).unwrap())).await
}

/// The access token of a new user's session whose tokens travel in bodies.
async fn access(app: &App, email: &str) -> String {
    app.add_user(email, &[]).await;
    let answer = app.signed_in_by_body(email).await;
    answer["access_token"].as_str().unwrap().to_owned()
}

/// The code of the answer to a form that rides on the cookies of a browser, or who it came from.
async fn posted(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> String {
    let answer = browser.post("/echo").form(fields).send().await;
    answer.code_or("location")
}

#[tokio::test]
async fn cs_10_a_form_field_proves_that_our_own_page_asks_and_one_of_another_session_does_not() {
    let app = app_of_forms().await;
    let mut alice = app.signed_up(ALICE).await;
    let bob = app.signed_up(BOB).await;
    let (csrf, of_bob) = (alice.csrf(), bob.csrf());
    for (fields, expected) in [
        (
            &[("item", "1"), ("csrf_token", csrf.as_str())][..],
            "Cookie",
        ),
        (&[("csrf_token", &csrf), ("item", "1")], "Cookie"),
        (&[("item", "1")], "csrf_missing"),
        (&[("CSRF_TOKEN", &csrf)], "csrf_missing"),
        (&[("csrf_token", "")], "csrf_invalid"),
        (&[("csrf_token", "junk")], "csrf_invalid"),
        (&[("csrf_token", &of_bob)], "csrf_invalid"),
        // Two readers may see two values.
        (
            &[("csrf_token", &csrf), ("csrf_token", &csrf)],
            "csrf_invalid",
        ),
    ] {
        assert_eq!(posted(&mut alice, fields).await, expected, "{fields:?}");
    }
    assert_eq!(app.effects(), 2);
}

#[tokio::test]
async fn the_header_counts_before_the_field() {
    let app = app_of_forms().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    let wrong = alice
        .post("/echo")
        .csrf("junk")
        .form(&[("csrf_token", &csrf)]);
    wrong.send().await.expect(403, "csrf_invalid");
    let right = alice
        .post("/echo")
        .csrf(&csrf)
        .form(&[("csrf_token", "junk")]);
    assert_eq!(right.send().await.status, 200);
}

#[tokio::test]
async fn cs_04_cs_05_a_form_of_another_site_is_denied_in_spite_of_a_right_field() {
    let app = app_of_forms().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    for (origin, site) in [
        (FOREIGN, "cross-site"),
        (FOREIGN, "same-site"),
        ("null", "cross-site"),
    ] {
        let forged = alice.bare("POST", "/echo").form(&[("csrf_token", &csrf)]);
        let forged = forged
            .header("origin", origin)
            .header("sec-fetch-site", site);
        forged.send().await.expect(403, "origin_denied");
    }
    assert_eq!(app.effects(), 0);
}

#[tokio::test]
async fn cs_17_ht_11_only_a_real_form_has_fields() {
    let app = app_of_forms().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    let form = format!("csrf_token={csrf}");
    let multipart = format!(
        "--x\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n{csrf}\r\n--x--\r\n"
    );
    for (media_type, body) in [
        ("text/plain", form.clone()),
        ("multipart/form-data; boundary=x", multipart),
        (
            "application/json",
            json!({ "csrf_token": csrf }).to_string(),
        ),
        (
            "text/plain; application/x-www-form-urlencoded",
            form.clone(),
        ),
    ] {
        let request = alice.post("/echo").header("content-type", media_type);
        request.body(body).send().await.expect(403, "csrf_missing");
    }
    let untyped = alice.post("/echo").body(form.clone());
    untyped.send().await.expect(403, "csrf_missing");
    let shouted = "Application/X-WWW-Form-Urlencoded; charset=UTF-8";
    let real = alice
        .post("/echo")
        .header("content-type", shouted)
        .body(form);
    assert_eq!(real.send().await.status, 200);
}

#[tokio::test]
async fn without_the_setting_a_field_is_none() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let csrf = alice.csrf();
    let fields = [("csrf_token", csrf.as_str())];
    assert_eq!(posted(&mut alice, &fields).await, "csrf_missing");
}

#[tokio::test]
async fn cs_26_a_token_in_json_is_good_where_the_app_says_so() {
    let app = app_of_bodies().await;
    let token = access(&app, ALICE).await;
    let answer = app
        .post("/echo")
        .json(&json!({ "access_token": token, "x": 1 }));
    let answer = answer.send().await;
    assert_eq!(answer.json()["location"], "Body");
    // No browser adds it by itself, so it owes no CSRF proof.
    let answer = app.post("/echo").json(&json!({ "access_token": token }));
    let answer = answer.header("origin", FOREIGN).send().await;
    assert_eq!(answer.status, 200);
    let not_there = App::start().await;
    let token = access(&not_there, ALICE).await;
    let request = not_there
        .post("/echo")
        .json(&json!({ "access_token": token }));
    request.send().await.expect(401, "not_authenticated");
}

#[tokio::test]
async fn ht_15_a_broken_token_in_json_never_falls_through() {
    let app = app_of_bodies().await;
    let (token, other) = (access(&app, ALICE).await, access(&app, BOB).await);
    for body in [
        json!({ "access_token": "" }).to_string(),
        json!({ "access_token": "junk" }).to_string(),
        json!({ "access_token": 1 }).to_string(),
        json!({ "access_token": [token] }).to_string(),
        format!(r#"{{"access_token":"{token}","access_token":"{token}"}}"#),
        format!(r#"{{"access_token":"{token}","access\u005ftoken":"{other}"}}"#),
        // What cannot be read may hold a token.
        format!(r#"{{"access_token":"{token}"}} x"#),
        format!("\u{feff}{{\"access_token\":\"{token}\"}}"),
        format!(r#"{{"access_token":"{token}","x":NaN}}"#),
        format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
        r#"{"access_token":"#.to_owned(),
        String::new(),
    ] {
        let request = app.post("/echo").header("content-type", "application/json");
        let answer = request.bearer(&other).body(body.clone()).send().await;
        assert_eq!(answer.code(), "token_malformed", "{body}");
    }
    for body in [
        json!({}),
        json!({ "access_token": null }),
        json!([token]),
        json!(token),
    ] {
        let answer = app.post("/echo").json(&body).bearer(&other).send().await;
        assert_eq!(answer.json()["location"], "Header", "{body}");
    }
}

#[tokio::test]
async fn ht_11_json_is_what_the_apps_extractors_take_for_it() {
    let app = app_of_bodies().await;
    let token = access(&app, ALICE).await;
    let body = json!({ "access_token": token }).to_string();
    for (lines, is_found) in [
        (&["application/json"][..], true),
        (&["Application/JSON ; charset=utf-8"], true),
        (&["application/json; charset=utf-16"], true),
        (&["application/json", "text/plain"], true),
        (&["text/plain", "application/json"], false),
        (&["text/plain"], false),
        (&["text/plain; application/json"], false),
        (&[FORM], false),
        (&["application/problem+json"], false),
        (&["application/json, text/plain"], false),
        (&[], false),
    ] {
        let mut request = app.post("/echo");
        for line in lines {
            request = request.header("content-type", line);
        }
        let answer = request.body(body.clone()).send().await;
        assert_eq!(answer.status == 200, is_found, "{lines:?}");
    }
}

#[tokio::test]
async fn our_own_routes_take_a_token_in_json_too() {
    let app = app_of_bodies().await;
    let body = json!({ "access_token": access(&app, ALICE).await });
    let ticket = app.post("/auth/ticket").json(&body).send().await;
    assert_eq!(ticket.status, 201);
    app.advance(20 * MINUTE);
    let answer = app.post("/auth/logout").json(&body).send().await;
    assert_eq!(answer.status, 204);
    app.post("/echo")
        .json(&body)
        .send()
        .await
        .expect(401, "session_ended");
}

/// A body in pieces whose length nobody has announced.
fn in_pieces(bytes: &[u8], piece_len: usize) -> Body {
    let pieces: Vec<_> = bytes
        .chunks(piece_len)
        .map(|piece| Ok::<_, io::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    Body::from_stream(stream::iter(pieces))
}

#[tokio::test]
async fn a_body_goes_on_as_it_came_whatever_its_length() {
    let app = app_with(|web| {
        let order = [Location::Header, Location::Body];
        web.locations = Some(Locations::new(&order).unwrap());
        web.deliveries = vec![hallpass_core::Delivery::Body];
        web.delivery = hallpass_core::Delivery::Body;
        web.csrf_field = Some("csrf_token".into());
    })
    .await;
    let token = access(&app, ALICE).await;
    for len in [0, 1, 1000, READ_LEN_MAX, READ_LEN_MAX + 1, 3 * READ_LEN_MAX] {
        let text: Vec<u8> = (b'a'..=b'z').cycle().take(len).collect();
        for media_type in ["application/json", FORM, "text/plain"] {
            for body in [
                Body::from(text.clone()),
                in_pieces(&text, 999),
                in_pieces(&text, 40_000),
            ] {
                let request = app.post("/mirror").header("content-type", media_type);
                let answer = request.bearer(&token).body(body).send().await;
                assert_eq!(answer.status, 200, "{len} {media_type}");
                assert!(
                    answer.body == text,
                    "{len} {media_type}: {}",
                    answer.body.len()
                );
            }
        }
    }
}

/// JSON of a length, with a token in it.
fn padded(token: &str, len: usize) -> String {
    let start = format!(r#"{{"access_token":"{token}","x":""#);
    let padding = "x".repeat(len - start.len() - 2);
    format!(r#"{start}{padding}"}}"#)
}

#[tokio::test]
async fn a_longer_body_is_not_read_and_proves_nothing() {
    let app = app_of_bodies().await;
    let token = access(&app, ALICE).await;
    for (len, status) in [(READ_LEN_MAX, 200), (READ_LEN_MAX + 1, 401)] {
        let body = padded(&token, len);
        for announced in [true, false] {
            let mut request = app.post("/echo").header("content-type", "application/json");
            request = if announced {
                let len = body.len().to_string();
                request.header("content-length", &len).body(body.clone())
            } else {
                request.body(in_pieces(body.as_bytes(), 10_000))
            };
            assert_eq!(request.send().await.status, status, "{len} {announced}");
        }
    }
    let app = app_of_forms().await;
    let mut alice = app.signed_up(ALICE).await;
    let (csrf, long) = (alice.csrf(), "x".repeat(READ_LEN_MAX));
    let fields = [("csrf_token", csrf.as_str()), ("text", &long)];
    assert_eq!(posted(&mut alice, &fields).await, "csrf_missing");
}

#[tokio::test]
async fn a_body_that_breaks_off_ends_the_request() {
    let app = app_of_bodies().await;
    let token = access(&app, ALICE).await;
    let broken = stream::iter([
        Ok(Bytes::from_static(b"{")),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ]);
    let request = app.post("/echo").header("content-type", "application/json");
    let answer = request
        .bearer(&token)
        .body(Body::from_stream(broken))
        .send();
    answer.await.expect(400, "bad_request");
    assert_eq!(app.effects(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_not_waited_for() {
    let app = app_of_bodies().await;
    let never = stream::pending::<Result<Bytes, io::Error>>();
    let request = app.post("/echo").header("content-type", "application/json");
    let answer = request.body(Body::from_stream(never)).send().await;
    answer.expect(408, "request_timeout");
}

#[tokio::test]
async fn a_route_reads_bodies_for_locations_of_its_own() {
    let app = App::start().await;
    let token = access(&app, ALICE).await;
    let gate = app.mount.layer().locations(Locations::only(Location::Body));
    let routes = Router::new()
        .route(
            "/hook",
            post(async |caller: Caller| caller.subject().to_owned()),
        )
        .layer(gate.clone())
        .layer(BodyLayer::new(&gate));
    let status = async |body: Value, bearer: &str| {
        let request = Request::post("/hook")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {bearer}"))
            .body(Body::from(body.to_string()));
        let answer = routes.clone().oneshot(request.unwrap()).await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(status(json!({ "access_token": token }), "junk").await, 200);
    assert_eq!(status(json!({}), &token).await, 401);
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_said_in_the_words_of_the_profile() {
    let app = App::of_profile(Profile::FastAuth, |web| {
        web.csrf_field = Some("csrf_token".into());
    })
    .await;
    let broken = stream::iter([Err::<Bytes, _>(io::Error::from(
        io::ErrorKind::ConnectionReset,
    ))]);
    let request = app.post("/echo").header("content-type", FORM);
    let answer = request.body(Body::from_stream(broken)).send().await;
    assert_eq!(answer.status, 400);
    assert!(answer.json()["detail"].is_string(), "{answer:?}");
}
