//! Single attacks and honest cases, by name.

use crate::support::{
    ALICE, BOB, COOKIE, FOREIGN, NOW, OWN, TRUSTED, cookies, gate, gate_with, headers, settings,
    told, verdict, verifier,
};
use hallpass_verify::{
    CsrfRule, Gate, Location, Locations, ManualClock, Refusal, SessionClaim, Timestamp, TokenError,
};
use http::Method;
use serde_json::json;
use std::sync::Arc;

/// A POST that rides on alice's cookie.
fn post(more: &[(&str, &str)]) -> String {
    let cookie = cookies(&[&ALICE.token()]);
    let lines: Vec<_> = [("cookie", cookie.as_str())]
        .iter()
        .chain(more)
        .copied()
        .collect();
    verdict(&gate(), "POST", &lines)
}

/// A GET with these access cookies.
fn get_with(values: &[&str]) -> String {
    verdict(&gate(), "GET", &[("cookie", &cookies(values))])
}

#[test]
fn ck_09_a_sibling_that_shadows_the_cookie_wins_in_neither_order() {
    let (alice, mallory) = (ALICE.token(), BOB.token());
    assert_eq!(get_with(&[&alice, &mallory]), "token_malformed");
    assert_eq!(get_with(&[&mallory, &alice]), "token_malformed");
    assert_eq!(get_with(&[&alice, "EVIL"]), "alice by Cookie");
    assert_eq!(get_with(&["EVIL", &alice]), "alice by Cookie");
    assert_eq!(get_with(&["EVIL", "e2", "e3", &alice]), "alice by Cookie");
    assert_eq!(
        get_with(&["EVIL", "e2", "e3", "e4", &alice]),
        "token_malformed"
    );
}

#[test]
fn two_cookies_that_verify_for_different_sessions_are_ambiguous() {
    let cookie = cookies(&[&ALICE.token(), &BOB.token()]);
    let admission = gate().admit((&Method::GET, &headers(&[("cookie", &cookie)])));
    let hallpass_verify::Admission::Refused(refusal) = admission else {
        panic!("{admission:?}");
    };
    assert_eq!(refusal, Refusal::AmbiguousCookies);
}

#[test]
fn of_two_tokens_of_one_session_the_later_one_counts_in_either_order() {
    let older = ALICE.token_with(json!({ "exp": NOW + 30, "jti": "older" }));
    let newer = ALICE.token_with(json!({ "exp": NOW + 50, "jti": "newer" }));
    for pair in [[&older, &newer], [&newer, &older]] {
        let cookie = cookies(&pair.map(String::as_str));
        let admission = gate().admit((&Method::GET, &headers(&[("cookie", &cookie)])));
        let hallpass_verify::Admission::Caller(caller) = admission else {
            panic!("{admission:?}");
        };
        assert_eq!(caller.token_id(), "newer");
    }
}

#[test]
fn two_tokens_without_a_session_are_ambiguous() {
    let token = |id: &str| ALICE.token_with(json!({ "sid": null, "jti": id }));
    let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(NOW)));
    let gate = Gate::new(settings(COOKIE), verifier(SessionClaim::Optional), clock);
    let get = |values: &[&str]| verdict(&gate, "GET", &[("cookie", &cookies(values))]);
    assert_eq!(get(&[&token("1")]), "alice by Cookie");
    assert_eq!(get(&[&token("1"), &token("2")]), "token_malformed");
}

#[test]
fn of_several_bad_cookies_the_one_that_was_genuine_is_answered() {
    let expired = ALICE.expired_token();
    assert_eq!(get_with(&["EVIL", &expired]), "token_expired");
    assert_eq!(get_with(&[&expired, "EVIL"]), "token_expired");
    let foreign = ALICE.token_with(json!({ "aud": "elsewhere" }));
    assert_eq!(get_with(&[&foreign, "EVIL"]), "token_invalid");
    assert_eq!(get_with(&["EVIL", &foreign]), "token_malformed");
}

#[test]
fn ck_10_a_percent_encoded_name_does_not_alias_the_host_cookie() {
    let gate = gate_with(settings("__Host-at"));
    let real = format!("__Host-at={}", ALICE.token());
    let evil = format!("__%48ost-at={}", BOB.token());
    for line in [format!("{real}; {evil}"), format!("{evil}; {real}")] {
        assert_eq!(
            verdict(&gate, "GET", &[("cookie", &line)]),
            "alice by Cookie"
        );
    }
    assert_eq!(verdict(&gate, "GET", &[("cookie", &evil)]), "anonymous");
}

#[test]
fn ck_15_two_cookie_lines_that_conflict_are_refused() {
    let (one, two) = (cookies(&[&ALICE.token()]), cookies(&[&BOB.token()]));
    let lines = [("cookie", one.as_str()), ("cookie", &two)];
    assert_eq!(verdict(&gate(), "GET", &lines), "token_malformed");
    assert_eq!(
        verdict(&gate(), "GET", &[("cookie", &one), ("cookie", "a=b")]),
        "alice by Cookie"
    );
}

#[test]
fn ck_16_a_quoted_token_is_malformed() {
    assert_eq!(
        get_with(&[&format!("\"{}\"", ALICE.token())]),
        "token_malformed"
    );
}

#[test]
fn cs_01_a_cookie_alone_changes_nothing() {
    assert_eq!(
        post(&[("origin", OWN), ("sec-fetch-site", "same-origin")]),
        "csrf_missing"
    );
}

#[test]
fn cs_04_a_cross_site_request_is_denied_in_spite_of_a_right_token() {
    let token = ALICE.csrf();
    let from = |origin| {
        post(&[
            ("x-csrf-token", &token),
            ("sec-fetch-site", "cross-site"),
            ("origin", origin),
        ])
    };
    assert_eq!(from(FOREIGN), "origin_denied");
    assert_eq!(from(TRUSTED), "alice by Cookie");
}

#[test]
fn cs_05_a_null_origin_is_denied_in_spite_of_a_right_token() {
    let token = ALICE.csrf();
    let from = |site| {
        post(&[
            ("x-csrf-token", &token),
            ("sec-fetch-site", site),
            ("origin", "null"),
        ])
    };
    assert_eq!(from("cross-site"), "origin_denied");
    assert_eq!(from("same-origin"), "alice by Cookie");
}

#[test]
fn cs_08_a_client_that_is_no_browser_needs_the_token() {
    assert_eq!(post(&[("x-csrf-token", &ALICE.csrf())]), "alice by Cookie");
    assert_eq!(post(&[]), "csrf_missing");
}

#[test]
fn cs_10_a_token_of_another_session_is_refused() {
    assert_eq!(post(&[("x-csrf-token", &BOB.csrf())]), "csrf_invalid");
}

#[test]
fn cs_11_a_self_made_pair_of_cookie_and_header_is_refused() {
    let both = cookies(&[&ALICE.token()]) + "; __Secure-hp_csrf=same";
    let lines = [("cookie", both.as_str()), ("x-csrf-token", "same")];
    assert_eq!(verdict(&gate(), "POST", &lines), "csrf_invalid");
}

#[test]
fn cs_15_a_token_in_a_cookie_alone_is_missing() {
    let cookie = format!(
        "{}; __Secure-hp_csrf={}",
        cookies(&[&ALICE.token()]),
        ALICE.csrf()
    );
    assert_eq!(
        verdict(&gate(), "POST", &[("cookie", &cookie)]),
        "csrf_missing"
    );
}

#[test]
fn two_csrf_headers_or_one_of_other_bytes_are_refused() {
    let token = ALICE.csrf();
    assert_eq!(
        post(&[("x-csrf-token", &token), ("x-csrf-token", &token)]),
        "csrf_invalid"
    );
    assert_eq!(post(&[("x-csrf-token", "")]), "csrf_invalid");
    assert_eq!(post(&[("x-csrf-token", "\u{e9}")]), "csrf_invalid");
}

#[test]
fn a_cookie_token_without_a_csrf_hash_changes_nothing() {
    let cookie = cookies(&[&ALICE.token_with(json!({ "csh": null }))]);
    let token = ALICE.csrf();
    let lines = [("cookie", cookie.as_str()), ("x-csrf-token", &token)];
    assert_eq!(verdict(&gate(), "POST", &lines), "csrf_invalid");
    assert_eq!(verdict(&gate(), "GET", &lines), "alice by Cookie");
}

#[test]
fn cs_21_only_get_head_and_options_owe_no_proof() {
    let cookie = cookies(&[&ALICE.token()]);
    let of = |method| {
        let lines = [
            ("cookie", cookie.as_str()),
            ("x-http-method-override", "GET"),
        ];
        verdict(&gate(), method, &lines)
    };
    for method in ["GET", "HEAD", "OPTIONS"] {
        assert_eq!(of(method), "alice by Cookie", "{method}");
    }
    for method in [
        "POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "get", "QUERY",
    ] {
        assert_eq!(of(method), "csrf_missing", "{method}");
    }
}

#[test]
fn cs_24_a_handshake_that_rides_on_a_cookie_needs_a_good_origin() {
    let cookie = cookies(&[&ALICE.token()]);
    for handshake in [("upgrade", "websocket"), ("accept", "text/event-stream")] {
        let from = |more: &[(&str, &str)]| {
            let all: Vec<_> = [("cookie", cookie.as_str()), handshake]
                .iter()
                .chain(more)
                .copied()
                .collect();
            verdict(&gate(), "GET", &all)
        };
        for origin in [FOREIGN, "https://evil.example.test", "null"] {
            assert_eq!(from(&[("origin", origin)]), "origin_denied", "{origin}");
        }
        for origin in [OWN, TRUSTED] {
            assert_eq!(from(&[("origin", origin)]), "alice by Cookie", "{origin}");
        }
        // No browser opens one without an origin.
        assert_eq!(from(&[]), "alice by Cookie");
    }
    let bearer = format!("Bearer {}", ALICE.token());
    let lines = [
        ("authorization", bearer.as_str()),
        ("upgrade", "websocket"),
        ("origin", FOREIGN),
    ];
    assert_eq!(verdict(&gate(), "GET", &lines), "alice by Header");
}

#[test]
fn cs_26_a_bearer_request_owes_no_csrf_proof() {
    let bearer = format!("Bearer {}", ALICE.token());
    let lines = [("authorization", bearer.as_str()), ("origin", FOREIGN)];
    assert_eq!(verdict(&gate(), "POST", &lines), "alice by Header");
}

#[test]
fn a_junk_bearer_token_never_falls_through_to_the_cookie() {
    for junk in [
        "Bearer",
        "Bearer junk",
        "Bearer a.b.c",
        "bearer x y",
        "Bearer \u{e9}",
        "",
    ] {
        let lines = [("authorization", junk), ("x-csrf-token", &ALICE.csrf())];
        assert_eq!(post(&lines), "token_malformed", "{junk:?}");
    }
    let twice = [
        ("authorization", "Basic eA=="),
        ("authorization", "Basic eA=="),
    ];
    assert_eq!(post(&twice), "token_malformed");
}

#[test]
fn a_route_can_narrow_the_locations() {
    let cookie = cookies(&[&ALICE.token()]);
    let bearer = format!("Bearer {}", BOB.token());
    let both = headers(&[("cookie", &cookie), ("authorization", &bearer)]);
    let at = |locations| told(&gate().admit_at(&locations, (&Method::GET, &both)));
    assert_eq!(at(Locations::default()), "bob by Header");
    assert_eq!(at(Locations::HEADER_ONLY), "bob by Header");
    assert_eq!(at(Locations::COOKIE_ONLY), "alice by Cookie");
    let swapped = Locations::new(&[Location::Cookie, Location::Header]).unwrap();
    assert_eq!(at(swapped), "alice by Cookie");
    let cookie_alone = headers(&[("cookie", &cookie)]);
    let narrow = gate().admit_at(&Locations::HEADER_ONLY, (&Method::POST, &cookie_alone));
    assert_eq!(told(&narrow), "anonymous");
}

#[test]
fn a_session_that_ended_is_refused_at_once() {
    let gate = gate();
    let cookie = cookies(&[&ALICE.token()]);
    let get = || verdict(&gate, "GET", &[("cookie", &cookie)]);
    assert_eq!(get(), "alice by Cookie");
    gate.verifier()
        .revocations()
        .end_session(ALICE.session(), Timestamp::from_seconds(NOW + 60));
    assert_eq!(get(), "session_ended");
}

#[test]
fn a_front_end_that_knows_no_csrf_token_must_say_where_it_comes_from() {
    let settings = hallpass_verify::GateSettings {
        csrf_rule: CsrfRule::OriginAlone,
        ..settings(COOKIE)
    };
    let gate = gate_with(settings);
    let cookie = cookies(&[&ALICE.token()]);
    for (more, expected) in [
        (&[][..], "origin_denied"),
        (&[("origin", OWN)], "alice by Cookie"),
        (&[("origin", TRUSTED)], "alice by Cookie"),
        (&[("origin", FOREIGN)], "origin_denied"),
        (&[("origin", "null")], "origin_denied"),
        (&[("referer", OWN)], "alice by Cookie"),
        (&[("sec-fetch-site", "same-origin")], "alice by Cookie"),
        (&[("sec-fetch-site", "same-site")], "origin_denied"),
    ] {
        let lines: Vec<_> = [("cookie", cookie.as_str())]
            .iter()
            .chain(more)
            .copied()
            .collect();
        assert_eq!(verdict(&gate, "POST", &lines), expected, "{more:?}");
    }
    assert_eq!(
        verdict(&gate, "GET", &[("cookie", &cookie)]),
        "alice by Cookie"
    );
}

#[test]
fn a_refresh_cookie_owes_the_same_proof() {
    let hash = ALICE.secret().hash();
    let check = |method: Method, lines: &[(&str, &str)]| {
        gate().check_csrf((&method, &headers(lines)), &hash)
    };
    let (mine, other) = (ALICE.csrf(), BOB.csrf());
    assert_eq!(check(Method::POST, &[("x-csrf-token", &mine)]), Ok(()));
    assert_eq!(
        check(Method::POST, &[("x-csrf-token", &other)]),
        Err(Refusal::CsrfInvalid)
    );
    assert_eq!(check(Method::POST, &[]), Err(Refusal::CsrfMissing));
    let foreign = [("x-csrf-token", mine.as_str()), ("origin", FOREIGN)];
    assert_eq!(check(Method::POST, &foreign), Err(Refusal::OriginDenied));
    assert_eq!(check(Method::GET, &foreign), Ok(()));
}

#[test]
fn a_request_that_opens_a_session_needs_a_good_origin() {
    let check = |lines: &[(&str, &str)]| gate().check_origin(&headers(lines));
    assert_eq!(check(&[("origin", OWN)]), Ok(()));
    assert_eq!(check(&[]), Ok(()));
    assert_eq!(check(&[("origin", FOREIGN)]), Err(Refusal::OriginDenied));
}

#[test]
fn only_a_missing_csrf_proof_is_a_forgery() {
    for refusal in [
        Refusal::OriginDenied,
        Refusal::CsrfMissing,
        Refusal::CsrfInvalid,
    ] {
        assert!(refusal.is_forgery());
    }
    let expired = Refusal::Token(TokenError::Expired);
    for refusal in [Refusal::Malformed, Refusal::AmbiguousCookies, expired] {
        assert!(!refusal.is_forgery());
    }
}
