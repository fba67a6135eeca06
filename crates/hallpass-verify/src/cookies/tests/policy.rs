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
