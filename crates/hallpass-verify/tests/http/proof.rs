//! The proof that a cookie owes: in a form field, for more methods, and waived for one route.

use crate::locations::Asked;
use crate::support::{ALICE, BOB, COOKIE, FOREIGN, OWN, cookies, gate_with, settings};
use hallpass_verify::{CsrfRule, CsrfToken, Found, Gate, GateSettings, InBody};
use http::Method;

/// A form whose field for the CSRF token, as a layer read it, has this in it.
fn form(csrf: Found<&str>) -> InBody {
    InBody::new(
        Found::Absent,
        csrf.map(|token| CsrfToken::new(token.to_owned())),
    )
}

fn with_field() -> Gate {
    gate_with(GateSettings {
        csrf_field: Some("csrf_token".into()),
        ..settings(COOKIE)
    })
}

/// A POST that rides on alice's cookie.
fn post() -> Asked {
    Asked::new("POST").header("cookie", &cookies(&[&ALICE.token()]))
}

#[test]
fn a_form_field_counts_where_the_header_is_absent() {
    let gate = with_field();
    for (csrf, verdict) in [
        (Found::Present(ALICE.csrf()), "alice by Cookie"),
        (Found::Absent, "csrf_missing"),
        (Found::Malformed, "csrf_invalid"),
        (Found::Present(String::new()), "csrf_invalid"),
    ] {
        let asked = post().body(form(csrf.as_ref().map(String::as_str)));
        assert_eq!(asked.told(&gate), verdict, "{csrf:?}");
    }
}

#[test]
fn of_header_and_field_the_header_counts_even_if_it_is_wrong() {
    let (gate, good) = (with_field(), ALICE.csrf());
    for header in ["", "junk", &BOB.csrf()] {
        let asked = post().header("x-csrf-token", header);
        let asked = asked.body(form(Found::Present(&good)));
        assert_eq!(asked.told(&gate), "csrf_invalid", "{header}");
    }
    let asked = post().header("x-csrf-token", &good);
    let asked = asked.body(form(Found::Present("junk")));
    assert_eq!(asked.told(&gate), "alice by Cookie");
}

#[test]
fn without_the_setting_no_field_counts() {
    let gate = gate_with(settings(COOKIE));
    let asked = post().body(form(Found::Present(&ALICE.csrf())));
    assert_eq!(asked.told(&gate), "csrf_missing");
}

#[test]
fn cs_04_cs_05_a_cross_site_form_is_denied_in_spite_of_a_right_field() {
    for (origin, site) in [
        (FOREIGN, "cross-site"),
        ("null", "cross-site"),
        (FOREIGN, "same-site"),
    ] {
        let asked = post()
            .header("origin", origin)
            .header("sec-fetch-site", site);
        let asked = asked.body(form(Found::Present(&ALICE.csrf())));
        assert_eq!(asked.told(&with_field()), "origin_denied", "{origin}");
    }
}

#[test]
fn cs_10_a_field_of_another_session_is_refused() {
    let asked = post().body(form(Found::Present(&BOB.csrf())));
    assert_eq!(asked.told(&with_field()), "csrf_invalid");
}

#[test]
fn cs_11_a_self_made_pair_of_cookie_and_field_is_refused() {
    let both = cookies(&[&ALICE.token()]) + "; __Secure-hp_csrf=same";
    let asked = Asked::new("POST").header("cookie", &both);
    let asked = asked.body(form(Found::Present("same")));
    assert_eq!(asked.told(&with_field()), "csrf_invalid");
}

#[test]
fn cs_15_a_token_in_a_cookie_alone_is_missing_where_a_field_would_do() {
    let both = format!(
        "{}; __Secure-hp_csrf={}",
        cookies(&[&ALICE.token()]),
        ALICE.csrf()
    );
    let asked = Asked::new("POST").header("cookie", &both);
    let asked = asked.body(form(Found::Absent));
    assert_eq!(asked.told(&with_field()), "csrf_missing");
}

#[test]
fn cs_21_more_methods_can_owe_the_proof_and_none_can_owe_less() {
    let gate = gate_with(GateSettings {
        csrf_also: vec![Method::GET, Method::POST],
        ..settings(COOKIE)
    });
    let cookie = cookies(&[&ALICE.token()]);
    for (method, verdict) in [
        ("GET", "csrf_missing"),
        ("HEAD", "alice by Cookie"),
        ("OPTIONS", "alice by Cookie"),
        ("POST", "csrf_missing"),
        ("PUT", "csrf_missing"),
        ("QUERY", "csrf_missing"),
    ] {
        let asked = Asked::new(method).header("cookie", &cookie);
        let asked = asked.header("x-http-method-override", "HEAD");
        assert_eq!(asked.told(&gate), verdict, "{method}");
    }
    let foreign = Asked::new("GET").header("cookie", &cookie);
    let foreign = foreign.header("origin", FOREIGN);
    let foreign = foreign.header("x-csrf-token", &ALICE.csrf());
    assert_eq!(foreign.told(&gate), "origin_denied");
    let proved = Asked::new("GET").header("cookie", &cookie);
    let proved = proved.header("x-csrf-token", &ALICE.csrf());
    assert_eq!(proved.told(&gate), "alice by Cookie");
}

#[test]
fn where_the_origin_alone_is_asked_for_a_field_changes_nothing() {
    let gate = gate_with(GateSettings {
        csrf_rule: CsrfRule::OriginAlone,
        csrf_field: Some("csrf_token".into()),
        ..settings(COOKIE)
    });
    let asked = |origin: &str| post().header("origin", origin).body(form(Found::Malformed));
    assert_eq!(asked(OWN).told(&gate), "alice by Cookie");
    assert_eq!(asked(FOREIGN).told(&gate), "origin_denied");
}
