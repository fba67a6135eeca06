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
fn the_cookies_of_a_policy_keep_their_roles() {
    let policy = policy(["a", "b", "c"], plain("old")).unwrap();
    let names = [policy.access(), policy.refresh(), policy.csrf()].map(|c| c.name().as_str());
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(policy.retired().len(), 1);
}

#[test]
fn a_retired_cookie_is_not_one_in_use() {
    for name in ["a", "b", "c"] {
        let clash = policy(["a", "b", "c"], plain(name));
        assert_eq!(clash, Err(CookieFault::RetiredInUse));
    }
    let on_domain = |domain: &str| CookieSettings {
        domain: Some(domain.into()),
        ..CookieSettings::new("c")
    };
    let on_path = CookieSettings {
        path: "/auth".into(),
        ..plain("c")
    };
    let partitioned = CookieSettings {
        same_site: SameSite::None,
        partitioned: Partitioning::Partitioned,
        ..CookieSettings::new("c")
    };
    for elsewhere in [on_domain("example.test"), on_path, partitioned] {
        assert!(policy(["a", "b", "c"], elsewhere).is_ok());
    }
    let live = Cookie::checked(on_domain("example.test")).unwrap();
    let same = Cookie::checked(on_domain("EXAMPLE.test")).unwrap();
    let clash = CookiePolicy::checked(cookie("a"), cookie("b"), live, vec![same]);
    assert_eq!(clash, Err(CookieFault::RetiredInUse));
}
