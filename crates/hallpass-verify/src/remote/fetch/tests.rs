use super::*;

#[track_caller]
fn check(lines: &[(&str, &str)], seconds: Option<u64>) {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    assert_eq!(
        freshness(&headers),
        seconds.map(Duration::from_secs),
        "{lines:?}"
    );
}

#[test]
fn an_answer_is_fresh_for_as_long_as_it_says_less_its_age() {
    let cache = "cache-control";
    check(&[(cache, "public, max-age=300")], Some(300));
    check(&[(cache, "public"), (cache, "MAX-AGE = \"60\"")], Some(60));
    check(&[(cache, "max-age=300"), ("age", "100")], Some(200));
    check(&[(cache, "max-age=300"), ("age", "400")], Some(0));
    check(&[(cache, "max-age=300"), ("age", "junk")], Some(300));
    check(&[], None);
    check(&[(cache, "public")], None);
    check(&[(cache, "max-age=-1")], None);
    check(&[(cache, "max-age=99999999999999999999999")], None);
    check(&[(cache, "max-age=300, no-store")], None);
    check(&[(cache, "no-cache"), (cache, "max-age=300")], None);
}
