use super::*;

const OWN: &str = "https://app.example.test";
const TRUSTED: &str = "https://spa.other.test";

fn policy() -> OriginPolicy {
    OriginPolicy::new(
        Origin::parse(OWN).unwrap(),
        vec![Origin::parse(TRUSTED).unwrap()],
    )
}

fn verdict(lines: &[(&'static str, &str)]) -> Result<Provenance, OriginDenied> {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, value.parse().unwrap());
    }
    let provenance = policy().provenance(&headers);
    assert_eq!(policy().check(&headers).is_ok(), provenance.is_ok());
    provenance
}

#[track_caller]
fn passes(lines: &[(&'static str, &str)]) {
    assert_eq!(verdict(lines), Ok(Provenance::Trusted), "{lines:?}");
}

#[track_caller]
fn denied(lines: &[(&'static str, &str)]) {
    assert_eq!(verdict(lines), Err(OriginDenied), "{lines:?}");
}

#[test]
fn an_origin_is_kept_as_browsers_write_it() {
    for (text, kept) in [
        (OWN, OWN),
        ("HTTPS://App.Example.TEST", OWN),
        ("https://app.example.test:443", OWN),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://[0:0::1]", "http://[::1]"),
        (
            "https://xn--bcher-kva.example",
            "https://xn--bcher-kva.example",
        ),
        ("capacitor://localhost", "capacitor://localhost"),
    ] {
        assert_eq!(
            Origin::parse(text).map(|origin| origin.to_string()),
            Ok(kept.into()),
            "{text}"
        );
    }
}

#[test]
fn a_text_that_is_not_one_exact_origin_is_refused() {
    for (text, fault) in [
        ("", OriginFault::Scheme),
        ("null", OriginFault::Scheme),
        ("*", OriginFault::Scheme),
        ("app.example.test", OriginFault::Scheme),
        ("://app.example.test", OriginFault::Scheme),
        ("1s://app.example.test", OriginFault::Scheme),
        (" https://app.example.test", OriginFault::Scheme),
        ("file://host", OriginFault::Scheme),
        ("https://", OriginFault::Host),
        ("https://*.example.test", OriginFault::Host),
        ("https://user@app.example.test", OriginFault::Host),
        ("https://app.example.test.", OriginFault::Host),
        ("https://app example.test", OriginFault::Host),
        ("https://app.example.test\r\n", OriginFault::Host),
        ("https://bücher.example", OriginFault::Host),
        ("https://127.1", OriginFault::Host),
        ("https://0x7f.0.0.0x1", OriginFault::Host),
        ("https://[::1", OriginFault::Port),
        ("https://[::g]", OriginFault::Host),
        ("https://[::ffff:1.2.3.4]", OriginFault::Host),
        ("https://app.example.test:", OriginFault::Port),
        ("https://app.example.test:0", OriginFault::Port),
        ("https://app.example.test:0443", OriginFault::Port),
        ("https://app.example.test:65536", OriginFault::Port),
        ("https://app.example.test:+443", OriginFault::Port),
        ("https://app.example.test::443", OriginFault::Port),
        ("https://app.example.test/", OriginFault::Trailing),
        ("https://app.example.test/login", OriginFault::Trailing),
        ("https://app.example.test?x", OriginFault::Trailing),
        ("https://app.example.test\\", OriginFault::Trailing),
    ] {
        assert_eq!(Origin::parse(text), Err(fault), "{text:?}");
    }
}

#[test]
fn fetch_metadata_decides_before_the_origin() {
    passes(&[("sec-fetch-site", "same-origin")]);
    passes(&[("sec-fetch-site", "none")]);
    passes(&[("sec-fetch-site", "same-origin"), ("origin", "null")]);
    passes(&[("sec-fetch-site", "same-site"), ("origin", TRUSTED)]);
    passes(&[("sec-fetch-site", "cross-site"), ("origin", TRUSTED)]);
    denied(&[("sec-fetch-site", "same-site")]);
    denied(&[("sec-fetch-site", "same-site"), ("referer", TRUSTED)]);
    denied(&[("sec-fetch-site", "cross-site"), ("origin", OWN)]);
    denied(&[
        ("sec-fetch-site", "same-site"),
        ("origin", TRUSTED),
        ("origin", TRUSTED),
    ]);
    denied(&[("sec-fetch-site", "Same-Origin"), ("origin", OWN)]);
    denied(&[("sec-fetch-site", ""), ("origin", OWN)]);
    denied(&[("sec-fetch-site", "same-origin, none"), ("origin", OWN)]);
    denied(&[
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "same-origin"),
    ]);
}

#[test]
fn cs_04_a_cross_site_request_from_a_foreign_origin_is_denied() {
    denied(&[
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.test"),
    ]);
    denied(&[("sec-fetch-site", "cross-site")]);
}

#[test]
fn cs_05_a_null_origin_is_denied_unless_the_browser_says_same_origin() {
    denied(&[("sec-fetch-site", "cross-site"), ("origin", "null")]);
    denied(&[("sec-fetch-site", "same-site"), ("origin", "null")]);
    denied(&[("origin", "null")]);
    denied(&[("origin", "null"), ("referer", OWN)]);
}

#[test]
fn cs_08_a_request_that_says_nothing_is_left_to_the_csrf_token() {
    assert_eq!(verdict(&[]), Ok(Provenance::Unknown));
}

#[test]
fn cs_29_port_and_scheme_count() {
    passes(&[("origin", OWN)]);
    passes(&[("origin", TRUSTED)]);
    for other in [
        "https://app.example.test:8444",
        "http://app.example.test",
        "https://app.example.test:443",
        "https://APP.example.test",
        "https://app.example.test/",
        "https://app.example.test.evil.test",
        "https://evil-app.example.test",
        "https://example.test",
        "https://evil.example.test",
        "",
    ] {
        denied(&[("origin", other)]);
        denied(&[("origin", other), ("sec-fetch-site", "same-site")]);
    }
    denied(&[("origin", OWN), ("origin", OWN)]);
}

#[test]
fn a_referer_stands_in_for_a_missing_origin() {
    passes(&[("referer", OWN)]);
    passes(&[(
        "referer",
        "https://app.example.test/page?x=https://evil.test/",
    )]);
    passes(&[("referer", "https://spa.other.test/#top")]);
    passes(&[("origin", OWN), ("referer", "https://evil.test/")]);
    denied(&[("origin", "https://evil.test"), ("referer", OWN)]);
    for other in [
        "https://evil.test/https://app.example.test/",
        "https://app.example.test@evil.test/",
        "https://app.example.test.evil.test/",
        "https://app.example.test:8444/",
        "http://app.example.test/",
        "app.example.test/",
        "about:blank",
        "",
    ] {
        denied(&[("referer", other)]);
    }
    denied(&[("referer", OWN), ("referer", OWN)]);
}

/// The column `server_must` of the measured table, for a policy that trusts no other origin.
#[test]
fn what_browsers_really_send_gets_the_verdict_it_must() {
    let table = include_str!("../../tests/data/browser-truth-table.json");
    let table: serde_json::Value = serde_json::from_str(table).unwrap();
    let policy = OriginPolicy::new(Origin::parse(OWN).unwrap(), Vec::new());
    let (mut accepted, mut rejected, mut without_effect) = (0, 0, 0);
    for request in table["requests"].as_array().unwrap() {
        let mut headers = HeaderMap::new();
        for (member, name) in [("origin", "origin"), ("sec_fetch_site", "sec-fetch-site")] {
            if let Some(value) = request[member].as_str() {
                headers.insert(name, value.parse().unwrap());
            }
        }
        let verdict = policy.check(&headers);
        let must = request["server_must"].as_str().unwrap();
        if must.starts_with("accept") {
            accepted += 1;
            assert_eq!(verdict, Ok(()), "{request}");
        } else if must.starts_with("reject") {
            rejected += 1;
            assert_eq!(verdict, Err(OriginDenied), "{request}");
        } else {
            // The rest are GET and OPTIONS, which have no effects and so no origin check.
            without_effect += 1;
            assert!(
                ["GET", "OPTIONS"].contains(&request["method"].as_str().unwrap()),
                "{request}"
            );
        }
    }
    assert_eq!((accepted, rejected, without_effect), (3, 11, 8));
}
