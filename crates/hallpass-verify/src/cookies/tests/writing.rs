use super::*;

const MINUTE: Lifetime = Lifetime::MaxAge(Duration::from_mins(1));

#[test]
fn a_cookie_is_set_with_all_its_attributes() {
    let line = cookie("__Host-at").set("a.b-c_d~", MINUTE).unwrap();
    assert!(line.is_sensitive());
    assert_eq!(
        line,
        "__Host-at=a.b-c_d~; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax"
    );
    let settings = CookieSettings {
        path: "/auth".into(),
        domain: Some("example.test".into()),
        same_site: SameSite::None,
        http_only: Readable::Script,
        partitioned: Partitioning::Partitioned,
        ..CookieSettings::new("__Secure-rt")
    };
    assert_eq!(
        Cookie::checked(settings)
            .unwrap()
            .set("x", Lifetime::Session)
            .unwrap(),
        "__Secure-rt=x; Path=/auth; Domain=example.test; Secure; SameSite=None; Partitioned"
    );
    let strict = CookieSettings {
        same_site: SameSite::Strict,
        ..plain("at")
    };
    assert_eq!(
        Cookie::checked(strict)
            .unwrap()
            .set("x", Lifetime::Session)
            .unwrap(),
        "at=x; Path=/; HttpOnly; SameSite=Strict"
    );
}

#[test]
fn a_cookie_is_deleted_with_the_attributes_it_was_set_with() {
    let settings = CookieSettings {
        path: "/auth".into(),
        domain: Some("example.test".into()),
        same_site: SameSite::None,
        partitioned: Partitioning::Partitioned,
        ..CookieSettings::new("__Secure-rt")
    };
    let cookie = Cookie::checked(settings).unwrap();
    assert_eq!(
        cookie.clear(),
        "__Secure-rt=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/auth; \
         Domain=example.test; Secure; HttpOnly; SameSite=None; Partitioned"
    );
    let attributes = |line: &HeaderValue| {
        let text = line.to_str().unwrap();
        text[text.find("; Path").unwrap()..].to_owned()
    };
    assert_eq!(
        attributes(&cookie.clear()),
        attributes(&cookie.set("x", MINUTE).unwrap())
    );
}

#[test]
fn a_value_of_other_characters_is_refused() {
    for value in [
        "", "a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\nb", "\u{e9}", "a=b", "a%20",
    ] {
        assert_eq!(
            cookie("at").set(value, MINUTE),
            Err(CookieFault::Value),
            "{value:?}"
        );
    }
}

#[test]
fn a_cookie_of_4096_bytes_is_set_and_a_longer_one_is_an_error() {
    assert!(cookie("at").set(&"a".repeat(4094), MINUTE).is_ok());
    assert_eq!(
        cookie("at").set(&"a".repeat(4095), MINUTE),
        Err(CookieFault::TooLong)
    );
}

#[test]
fn a_lifetime_is_at_most_400_days() {
    let line = cookie("at")
        .set("x", Lifetime::MaxAge(LIFETIME_MAX))
        .unwrap();
    assert!(line.to_str().unwrap().contains("; Max-Age=34560000;"));
    let longer = Lifetime::MaxAge(LIFETIME_MAX + Duration::from_secs(1));
    assert_eq!(
        cookie("at").set("x", longer),
        Err(CookieFault::LifetimeTooLong)
    );
}

#[test]
fn what_was_set_is_read_again() {
    let cookie = cookie("__Host-at");
    let line = cookie.set("a.b-c_d~", MINUTE).unwrap();
    let pair = line.to_str().unwrap().split(';').next().unwrap();
    check("__Host-at", &[pair.as_bytes()], &["a.b-c_d~"]);
}
