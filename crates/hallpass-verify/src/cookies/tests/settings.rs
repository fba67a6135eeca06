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
