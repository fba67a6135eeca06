//! Requests of any shape.

use crate::common::{ACCESS, ALICE, App, OWN, REFRESH, SERVICE_SECRET};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X-Y",
];
const PATHS: [&str; 21] = [
    "/auth/signup",
    "/auth/login",
    "/auth/refresh",
    "/auth/logout",
    "/auth/me",
    "/auth/csrf",
    "/auth/sessions",
    "/auth/sessions?keep=current",
    "/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA",
    "/auth/sessions/%00",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/auth/introspect",
    "/auth/revoke",
    "/auth/revocations",
    "/auth/revocations?after=1",
    "/auth/ticket",
    "/auth/ticket/redeem",
    "/echo",
    "/me2",
    "/nothing",
];
const NAMES: [&str; 17] = [
    "authorization",
    "cookie",
    "x-csrf-token",
    "origin",
    "sec-fetch-site",
    "referer",
    "content-type",
    "content-length",
    "idempotency-key",
    "user-agent",
    "accept",
    "upgrade",
    "access-control-request-method",
    "x-forwarded-for",
    "host",
    "last-event-id",
    "if-none-match",
];

/// What a real client would have, to get past the first checks.
#[derive(Clone, Debug)]
struct Known {
    values: Vec<String>,
    bodies: Vec<String>,
}

#[derive(Clone, Debug)]
struct Shape {
    method: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => select(&PATHS[..]).prop_map(str::to_owned),
        1 => "/auth/[!-~&&[^#<>\"`{}\\\\^|%]]{0,40}",
        1 => "/auth/sessions/[A-Za-z0-9_-]{22}",
    ]
}

fn header(known: &Known) -> impl Strategy<Value = (String, Vec<u8>)> + use<> {
    let value = prop_oneof![
        3 => select(known.values.clone()).prop_map(String::into_bytes),
        2 => vec(prop_oneof![0x20_u8..0x7f, 0x80_u8..=0xff, Just(b'\t')], 0..80),
        1 => "(Bearer |hpr_|eyJ|__Host-hp_access=|;|=| |,){0,6}".prop_map(String::into_bytes),
    ];
    (select(&NAMES[..]).prop_map(str::to_owned), value)
}

fn shape(known: &Known) -> impl Strategy<Value = Shape> + use<> {
    let body = prop_oneof![
        2 => select(known.bodies.clone()).prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..200),
        1 => r#"[\{\}\[\]",:a-f0-9\\u]{0,120}"#.prop_map(String::into_bytes),
    ];
    let method = prop_oneof![
        3 => Just("POST"),
        2 => Just("GET"),
        3 => select(&METHODS[..]),
    ];
    let json = prop::bool::weighted(0.4);
    (method, path(), vec(header(known), 0..7), body, json).prop_map(
        |(method, path, mut headers, body, json)| {
            if json {
                headers.push(("content-type".into(), b"application/json".to_vec()));
            }
            Shape {
                method: method.into(),
                path,
                headers,
                body,
            }
        },
    )
}

#[test]
fn ds_07_no_request_of_any_shape_makes_a_fault_of_ours() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let app = runtime.block_on(App::start());
    let alice = runtime.block_on(app.signed_up(ALICE));
    let tokens = runtime.block_on(app.signed_in_by_body(ALICE));
    let (access, refresh, csrf) = (alice.access(), alice.refresh_token(), alice.csrf());
    let known = Known {
        values: vec![
            format!("Bearer {access}"),
            format!("{ACCESS}={access}; {REFRESH}={refresh}"),
            format!("{ACCESS}={access}; {REFRESH}=junk; {REFRESH}={refresh}"),
            csrf,
            OWN.into(),
            "null".into(),
            "same-origin".into(),
            "cross-site".into(),
            "application/json".into(),
            "attempt-00000001".into(),
            "websocket".into(),
            "text/event-stream".into(),
            format!("Bearer {SERVICE_SECRET}"),
            "application/x-www-form-urlencoded".into(),
        ],
        bodies: vec![
            String::new(),
            "{}".into(),
            crate::common::credentials(ALICE).to_string(),
            serde_json::json!({ "refresh_token": tokens["refresh_token"] }).to_string(),
            serde_json::json!({ "token": access, "ticket": "hpt_" }).to_string(),
            format!("token={access}&token_type_hint=access_token"),
            format!("ticket={}", "A".repeat(43)),
        ],
    };
    let config = ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut statuses = std::collections::BTreeMap::new();
    let seen = std::cell::RefCell::new(&mut statuses);
    TestRunner::new(config)
        .run(&shape(&known), |shape| {
            let mut request = app.request(&shape.method, &shape.path);
            for (name, value) in &shape.headers {
                request = request.raw_header(name, value);
            }
            // The request itself refuses every status of 500 and above but `overloaded`.
            let request = request.body(shape.body).may_stay_open();
            let answer = runtime.block_on(request.send());
            *seen.borrow_mut().entry(answer.status).or_insert(0) += 1;
            Ok(())
        })
        .unwrap();
    // It was not all refused at the door.
    for status in [200, 204, 400, 401, 403, 404, 405, 415] {
        assert!(statuses.contains_key(&status), "{statuses:?}");
    }
}
