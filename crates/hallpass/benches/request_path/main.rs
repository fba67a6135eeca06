//! What the parts of a request cost: verify, cookie read, CSRF check, rotate; and how much more a
//! token that is seen for the first time costs than its bare signature.
//!
//! `cargo bench -p hallpass --bench request_path`
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot start has nothing to measure"
)]

mod first_time;

use axum::http::{HeaderMap, HeaderValue, Method, header};
use criterion::{Criterion, criterion_group};
use hallpass::core::store::MemoryStore;
use hallpass::core::{
    Carrier, Delivery, Hallpass, Issued, Opening, Parts, Proof, key::MasterSecret,
};
use hallpass::session::Device;
use hallpass::verify::{
    Cookie, CookieSettings, Gate, GateSettings, Location, Origin, OriginPolicy, Verifier,
    VerifierSettings,
};
use hallpass::{Settings, UserId};
use std::hint::black_box;
use std::sync::Arc;

const URL: &str = "https://app.example.com";

/// Rules on a store in memory, and an open session.
struct Stage {
    runtime: tokio::runtime::Runtime,
    hallpass: Hallpass,
    issued: Issued,
}

fn stage() -> Stage {
    stage_with(Settings::new(URL))
}

fn stage_with(settings: Settings) -> Stage {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let secret = MasterSecret::from_bytes((0..32).collect()).unwrap();
    let parts = Parts::new(Arc::new(MemoryStore::default()), secret);
    let (hallpass, issued) = runtime.block_on(async {
        let hallpass = Hallpass::start(settings, parts).await.unwrap();
        let proof = Proof::asserted_by_app(UserId::parse("customer-17").unwrap(), &["pwd"]);
        let opening = Opening {
            delivery: Delivery::Body,
            ..Opening::default()
        };
        let issued = hallpass.open_session(proof, opening).await.unwrap();
        (hallpass, issued)
    });
    Stage {
        runtime,
        hallpass,
        issued,
    }
}

fn verify(criterion: &mut Criterion) {
    let stage = stage();
    let token = stage.issued.access.expose();
    let now = stage.hallpass.clock().now();
    let known = stage.hallpass.verifier();
    criterion.bench_function("verify/remembered token", |bencher| {
        bencher.iter(|| {
            known
                .verify(black_box(token), Location::Header, now)
                .unwrap()
        });
    });
}

/// Returns a verifier to which each token is new.
fn forgetful(known: &Verifier) -> Verifier {
    let settings = VerifierSettings {
        remembered_tokens_max: 0,
        ..VerifierSettings::new(URL, URL)
    };
    Verifier::new(settings, known.keys().clone(), known.revocations().clone()).unwrap()
}

fn cookie(criterion: &mut Criterion) {
    let stage = stage();
    let cookie = Cookie::checked(CookieSettings::new("__Host-hp_access")).unwrap();
    let mut line = "_neighbour=0123456789; ".repeat(9);
    line.push_str("__Host-hp_access=");
    line.push_str(stage.issued.access.expose());
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, HeaderValue::from_str(&line).unwrap());
    criterion.bench_function("cookie/read ours behind nine others", |bencher| {
        bencher.iter(|| cookie.read(black_box(&headers)));
    });
}

fn csrf(criterion: &mut Criterion) {
    let stage = stage();
    let cookie = Cookie::checked(CookieSettings::new("__Host-hp_access")).unwrap();
    let origins = OriginPolicy::new(Origin::parse(URL).unwrap(), Vec::new());
    let settings = GateSettings::new(cookie, origins);
    let rules = &stage.hallpass;
    let gate = Gate::new(settings, rules.verifier().clone(), rules.clock().clone());
    let session = stage.issued.session.id;
    let hash = rules.csrf_hash(session);
    let mut headers = HeaderMap::new();
    headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    let token = rules.csrf_token(session).unwrap();
    headers.insert(
        "x-csrf-token",
        HeaderValue::from_str(token.expose()).unwrap(),
    );
    criterion.bench_function("csrf/check origin and token", |bencher| {
        bencher.iter(|| {
            gate.check_csrf((&Method::POST, black_box(&headers)), &hash)
                .unwrap();
        });
    });
}

fn rotate(criterion: &mut Criterion) {
    let stage = stage();
    let mut token = stage.issued.refresh.expose().to_owned();
    let device = Device::default();
    criterion.bench_function("rotate/in memory, with new tokens", |bencher| {
        bencher.iter(|| {
            let presented = stage
                .hallpass
                .open_refresh_token(&token, Carrier::Body)
                .unwrap();
            let issued = stage
                .runtime
                .block_on(stage.hallpass.refresh(presented, None, &device))
                .unwrap();
            issued.refresh.expose().clone_into(&mut token);
        });
    });
}

criterion_group!(
    request_path,
    verify,
    first_time::measure,
    cookie,
    csrf,
    rotate
);

fn main() {
    request_path();
    Criterion::default().configure_from_args().final_summary();
    first_time::compare();
}
