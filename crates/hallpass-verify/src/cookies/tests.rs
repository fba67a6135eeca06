use super::*;
use crate::Found;
use http::HeaderMap;
use proptest::prelude::*;
use std::time::Duration;

fn plain(name: &str) -> CookieSettings {
    CookieSettings {
        secure: Security::Plain,
        ..CookieSettings::new(name)
    }
}

fn cookie(name: &str) -> Cookie {
    let secure = if name.starts_with("__") {
        Security::Secure
    } else {
        Security::Plain
    };
    Cookie::checked(CookieSettings {
        secure,
        ..plain(name)
    })
    .unwrap()
}

fn request(lines: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("cookie", HeaderValue::from_bytes(line).unwrap());
    }
    headers
}

/// Reads the cookie `name`: `None` for malformed, no values for absent.
fn read(name: &str, lines: &[&[u8]]) -> Option<Vec<String>> {
    match cookie(name).read(&request(lines)) {
        Found::Absent => Some(Vec::new()),
        Found::Present(values) => {
            assert_eq!(values.iter().count(), values.len());
            Some(values.iter().map(str::to_owned).collect())
        }
        Found::Malformed => None,
    }
}

#[track_caller]
fn check(name: &str, lines: &[&[u8]], expected: &[&str]) {
    let expected = expected.iter().map(|value| (*value).to_owned()).collect();
    assert_eq!(read(name, lines), Some(expected), "{name} in {lines:?}");
}

mod reading {
    use super::*;

    #[test]
    fn a_value_is_found_among_neighbours() {
        check("at", &[b"at=AAA"], &["AAA"]);
        check("at", &[b"a=1; at=AAA; b=2"], &["AAA"]);
        check("at", &[b"a=at=1; at=AAA"], &["AAA"]);
        check("at", &[b"at=at=1"], &["at=1"]);
        check("at", &[b"; ;;at=AAA;"], &["AAA"]);
        check("at", &[b"a=1;\t at=AAA \t;b"], &["AAA"]);
        check("aa", &[b"aaa=1; aa=2"], &["2"]);
        check(
            "at",
            &[b"xat=1; at2=2; AT=3; at; a t=4; x at=5; =at=6"],
            &[],
        );
        check("at", &[b"at =1"], &[]);
        check("at", &[b"at\t=1"], &[]);
        check("at", &[], &[]);
        check("at", &[b""], &[]);
    }

    #[test]
    fn an_empty_value_is_absent() {
        check("at", &[b"at="], &[]);
        check("at", &[b"at= \t; b=1"], &[]);
        check("at", &[b"at=; at=AAA"], &["AAA"]);
    }

    #[test]
    fn a_neighbour_of_any_bytes_does_no_harm() {
        check(
            "at",
            &[b"x=\xff\xfe; \xc3\xa9=1; at=AAA; y=\"; z"],
            &["AAA"],
        );
    }

    #[test]
    fn a_value_that_is_not_visible_ascii_is_malformed() {
        for line in [
            &b"at=A\xc3\xa9"[..],
            b"at=A A",
            b"at=A\tA",
            b"at= A",
            b"at=ok; at=\xff",
        ] {
            assert_eq!(read("at", &[line]), None, "{line:?}");
        }
    }

    #[test]
    fn ck_09_several_values_are_all_candidates_in_either_order() {
        check("at", &[b"at=EVIL; at=AAA"], &["EVIL", "AAA"]);
        check("at", &[b"at=AAA; at=EVIL"], &["AAA", "EVIL"]);
        check(
            "at",
            &[b"at=1; at=2; at=1; at=3; at=4"],
            &["1", "2", "3", "4"],
        );
        assert_eq!(read("at", &[b"at=1; at=2; at=3; at=4; at=5"]), None);
    }

    #[test]
    fn ck_09_a_second_value_for_a_host_name_is_malformed() {
        for name in ["__Host-at", "__Host-Http-at"] {
            let pair = |value: &str| format!("{name}={value}");
            let twice = format!("{}; {}", pair("AAA"), pair("AAA"));
            check(name, &[twice.as_bytes()], &["AAA"]);
            let two = format!("{}; {}", pair("AAA"), pair("EVIL"));
            assert_eq!(read(name, &[two.as_bytes()]), None);
        }
        check(
            "__Secure-at",
            &[b"__Secure-at=1; __Secure-at=2"],
            &["1", "2"],
        );
    }

    #[test]
    fn ck_10_a_percent_encoded_name_is_another_name() {
        check("__Host-at", &[b"__Host-at=AAA; __%48ost-at=EVIL"], &["AAA"]);
        check("__Host-at", &[b"__%48ost-at=EVIL; __Host-at=AAA"], &["AAA"]);
        check(
            "__Host-at",
            &[b"__%48ost-at=EVIL; __host-at=EVIL; __HOST-at=EVIL"],
            &[],
        );
    }

    #[test]
    fn ck_13_the_real_cookie_is_found_behind_300_neighbours() {
        let neighbours: Vec<_> = (0..300).map(|n| format!("o{n}=1")).collect();
        let line = format!("{}; at=AAA", neighbours.join("; "));
        check("at", &[line.as_bytes()], &["AAA"]);
    }

    #[test]
    fn ck_15_all_cookie_lines_are_read() {
        check("at", &[b"at=AAA", b"at=EVIL"], &["AAA", "EVIL"]);
        check("at", &[b"x=1", b"at=AAA"], &["AAA"]);
        assert_eq!(
            read("__Host-at", &[b"__Host-at=AAA", b"__Host-at=EVIL"]),
            None
        );
    }

    #[test]
    fn ck_16_quotes_are_part_of_the_value() {
        check("__Host-at", &[b"__Host-at=\"AAA\""], &["\"AAA\""]);
        check("at", &[b"d=\"; at=1; x=\"; at=2"], &["1", "2"]);
    }

    #[test]
    fn candidates_do_not_print_themselves() {
        let headers = request(&[b"at=AAA"]);
        let printed = format!("{:?}", cookie("at").read(&headers));
        assert_eq!(printed, "Present(Candidates(1 redacted))");
    }
}

/// The vectors in `cookie-request-header.json`.
mod vectors {
    use super::*;
    use serde_json::Value;

    /// `\xNN` is that raw byte, `\uNNNN` that character in UTF-8.
    fn unescape(text: &str) -> Vec<u8> {
        let mut pieces = text.split('\\');
        let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
        for piece in pieces {
            let digits = if piece.starts_with('x') { 3 } else { 5 };
            let number = u32::from_str_radix(&piece[1..digits], 16).unwrap();
            match digits {
                3 => bytes.push(u8::try_from(number).unwrap()),
                _ => bytes.extend(char::from_u32(number).unwrap().to_string().bytes()),
            }
            bytes.extend(piece[digits..].bytes());
        }
        bytes
    }

    fn lines(case: &Value) -> Vec<Vec<u8>> {
        match (&case["cookie"], case["id"].as_str().unwrap()) {
            // Written in the file as `<10006 bytes: …>` and `<100010 bytes: …>`.
            (_, "CH26") => vec![[&b"x=1; ".repeat(2_000)[..], b"at=AAA"].concat()],
            (_, "CH27") => vec![[b"x=", &b"y".repeat(100_000)[..], b"; at=AAA"].concat()],
            (Value::Array(lines), _) => lines
                .iter()
                .map(|line| unescape(line.as_str().unwrap()))
                .collect(),
            (line, _) => vec![unescape(line.as_str().unwrap())],
        }
    }

    /// What we answer where the file leaves a choice: all candidates are tried, one must verify.
    fn expected(case: &Value) -> Option<Vec<String>> {
        let some = |values: &[&str]| Some(values.iter().map(|v| (*v).to_owned()).collect());
        match case["id"].as_str().unwrap() {
            "CH08" => some(&[]),
            "CH12" | "CH16" => some(&["EVIL", "AAA"]),
            "CH17" => None,
            "CH15" | "CH26" | "CH27" => some(&["AAA"]),
            _ => {
                assert!(
                    case["expect_value"].as_str().unwrap().starts_with("AAA"),
                    "{case}"
                );
                some(&["AAA"])
            }
        }
    }

    #[test]
    fn every_vector_is_read_as_documented() {
        let file = include_str!("../../tests/data/cookie-request-header.json");
        let file: Value = serde_json::from_str(file).unwrap();
        let cases = file["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 19);
        for case in cases {
            let lines = lines(case);
            let lines: Vec<_> = lines.iter().map(Vec::as_slice).collect();
            let named_host = lines
                .iter()
                .any(|line| line.windows(9).any(|w| w == b"__Host-at"));
            let name = if named_host { "__Host-at" } else { "at" };
            assert_eq!(read(name, &lines), expected(case), "{case}");
        }
    }
}

/// Against the crate `cookie`, where both are defined: it decodes nothing with `split_parse`, but
/// trims names behind, so names with a blank behind them are left out.
mod differential {
    use super::*;

    fn reference(name: &str, line: &str) -> Option<Vec<String>> {
        let mut values: Vec<String> = Vec::new();
        for pair in ::cookie::Cookie::split_parse(line).flatten() {
            let value = pair.value();
            if pair.name() == name && !value.is_empty() && !values.iter().any(|v| v == value) {
                values.push(value.to_owned());
            }
        }
        (values.len() <= CANDIDATES_MAX).then_some(values)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn our_reader_agrees_with_the_crate_cookie(
            pairs in proptest::collection::vec(
                ("[ \t]{0,2}", "(at|aat|ata|a|t|x|AT)", "[at=!#x.]{0,4}", "[ \t]{0,2}"),
                0..9,
            )
        ) {
            let pairs: Vec<_> =
                pairs.iter().map(|(a, name, value, b)| format!("{a}{name}={value}{b}")).collect();
            let line = pairs.join(";");
            prop_assert_eq!(read("at", &[line.trim().as_bytes()]), reference("at", &line));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic_and_as_the_plain_rule_says(
            line in proptest::collection::vec(
                prop_oneof![Just(b'a'), Just(b't'), Just(b'='), Just(b';'), Just(b' '), 0x20u8..=0x7e, 0x80u8..],
                0..60,
            )
        ) {
            prop_assert_eq!(read("at", &[&line]), plain_rule(&line));
        }
    }

    /// The rule of the documentation, written down without any cleverness.
    fn plain_rule(line: &[u8]) -> Option<Vec<String>> {
        let mut values = Vec::new();
        for pair in line.split(|byte| *byte == b';') {
            let blanks = pair.iter().take_while(|byte| b" \t".contains(byte)).count();
            let Some(value) = pair[blanks..].strip_prefix(b"at=") else {
                continue;
            };
            let trailing = value
                .iter()
                .rev()
                .take_while(|byte| b" \t".contains(byte))
                .count();
            let value = &value[..value.len() - trailing];
            if !value.iter().all(|byte| (0x21..=0x7e).contains(byte)) {
                return None;
            }
            let value = String::from_utf8(value.to_vec()).unwrap();
            if !value.is_empty() && !values.contains(&value) {
                values.push(value);
            }
        }
        (values.len() <= 4).then_some(values)
    }
}

mod settings {
    use super::*;

    #[track_caller]
    fn refused(settings: CookieSettings, fault: CookieFault) {
        let told = format!("{settings:?}");
        assert_eq!(Cookie::checked(settings), Err(fault), "{told}");
    }

    fn with_path(path: &str) -> CookieSettings {
        CookieSettings {
            path: path.into(),
            ..CookieSettings::new("at")
        }
    }

    fn with_domain(domain: &str) -> CookieSettings {
        CookieSettings {
            domain: Some(domain.into()),
            ..CookieSettings::new("at")
        }
    }

    #[test]
    fn a_name_that_is_no_token_is_refused() {
        for name in [
            "", "a b", "a=b", "a;b", "a,b", "a\"b", "a\u{e9}", "a\tb", "a/b", "at ",
        ] {
            refused(CookieSettings::new(name), CookieFault::Name);
        }
        refused(CookieSettings::new("a".repeat(4096)), CookieFault::TooLong);
    }

    #[test]
    fn a_path_that_browsers_would_read_otherwise_is_refused() {
        for path in ["", "auth", "/a;b", "/a b", "/a\r\nb", "/\u{e9}"] {
            refused(with_path(path), CookieFault::Path);
        }
        refused(
            with_path(&format!("/{}", "a".repeat(1024))),
            CookieFault::AttributeTooLong,
        );
        assert!(Cookie::checked(with_path(&format!("/{}", "a".repeat(1023)))).is_ok());
    }

    #[test]
    fn a_domain_that_browsers_would_refuse_is_refused() {
        let long_label = format!("{}.test", "a".repeat(64));
        for domain in [
            "",
            ".",
            "localhost",
            "test",
            ".example.test",
            "example.test.",
            "a..test",
            "-a.test",
            "a-.test",
            "a_b.test",
            "127.0.0.1",
            "1.2.3.0x4",
            "[::1]",
            "a b.test",
            "a;b.test",
            "b\u{fc}cher.test",
            "example.test:80",
            &long_label,
        ] {
            refused(with_domain(domain), CookieFault::Domain);
        }
        let long = vec!["a"; 513].join(".");
        refused(with_domain(&long), CookieFault::AttributeTooLong);
        for domain in [
            "example.test",
            "Example.Test",
            "a.b.c.test",
            "1.example.test",
        ] {
            assert!(Cookie::checked(with_domain(domain)).is_ok(), "{domain}");
        }
    }

    #[test]
    fn a_prefix_is_a_promise_whatever_its_case() {
        for prefix in [
            "__Host-",
            "__host-",
            "__SECURE-",
            "__Secure-",
            "__Http-",
            "__Host-Http-",
        ] {
            let name = format!("{prefix}at");
            refused(plain(&name), CookieFault::PrefixNeedsSecure);
            assert!(
                Cookie::checked(CookieSettings::new(name)).is_ok(),
                "{prefix}"
            );
        }
        for prefix in ["__Host-", "__HOST-", "__Host-Http-", "__hosT-httP-"] {
            let name = format!("{prefix}at");
            let domain = with_domain("example.test");
            refused(
                CookieSettings {
                    name: name.clone(),
                    ..domain
                },
                CookieFault::HostPrefixWithDomain,
            );
            refused(
                CookieSettings {
                    name,
                    ..with_path("/auth")
                },
                CookieFault::HostPrefixWithPath,
            );
        }
        for prefix in ["__Http-", "__http-", "__Host-Http-", "__HOST-HTTP-"] {
            let name = format!("{prefix}at");
            let readable = CookieSettings {
                http_only: Readable::Script,
                ..CookieSettings::new(name)
            };
            refused(readable, CookieFault::HttpPrefixNeedsHttpOnly);
        }
        let shared = CookieSettings {
            name: "__Secure-at".into(),
            ..with_domain("example.test")
        };
        assert!(Cookie::checked(shared).is_ok());
        assert!(Cookie::checked(plain("_Host-at")).is_ok());
    }

    #[test]
    fn same_site_none_and_partitioned_need_secure() {
        let none = CookieSettings {
            same_site: SameSite::None,
            ..CookieSettings::new("at")
        };
        assert!(Cookie::checked(none.clone()).is_ok());
        refused(
            CookieSettings {
                secure: Security::Plain,
                ..none.clone()
            },
            CookieFault::SameSiteNoneNeedsSecure,
        );
        let partitioned = CookieSettings {
            partitioned: Partitioning::Partitioned,
            ..none
        };
        assert!(Cookie::checked(partitioned.clone()).is_ok());
        for wrong in [
            CookieSettings {
                secure: Security::Plain,
                ..partitioned.clone()
            },
            CookieSettings {
                same_site: SameSite::Lax,
                ..partitioned.clone()
            },
            CookieSettings {
                same_site: SameSite::Strict,
                ..partitioned
            },
        ] {
            refused(wrong, CookieFault::PartitionedNeedsSecureAndNone);
        }
    }
}

mod writing {
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
}

mod policy {
    use super::*;

    fn policy(names: [&str; 3], retired: CookieSettings) -> Result<CookiePolicy, CookieFault> {
        let [access, refresh, csrf] = names.map(cookie);
        CookiePolicy::checked(
            access,
            refresh,
            csrf,
            vec![Cookie::checked(retired).unwrap()],
        )
    }

    #[test]
    fn two_cookies_of_one_name_are_refused() {
        assert!(policy(["a", "b", "c"], plain("old")).is_ok());
        for names in [["a", "a", "c"], ["a", "b", "a"], ["a", "b", "b"]] {
            assert_eq!(policy(names, plain("old")), Err(CookieFault::NamesClash));
        }
    }

    #[test]
    fn a_retired_cookie_is_not_one_in_use() {
        assert_eq!(
            policy(["a", "b", "c"], plain("c")),
            Err(CookieFault::RetiredInUse)
        );
        let elsewhere = CookieSettings {
            domain: Some("example.test".into()),
            ..plain("c")
        };
        let policy = policy(["a", "b", "c"], elsewhere).unwrap();
        assert_eq!(policy.retired().len(), 1);
        let names = [policy.access(), policy.refresh(), policy.csrf()].map(|c| c.name().as_str());
        assert_eq!(names, ["a", "b", "c"]);
    }
}
