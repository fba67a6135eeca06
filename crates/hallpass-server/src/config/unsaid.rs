//! Settings that other systems have and that cannot be said here, with the reason.

/// What is not a setting here, by its name there without `cookie`, and why.
const UNSAID: &[(&[&str], &str)] = &[
    (
        &["httponly", "http_only"],
        "token cookies are always HttpOnly, out of reach of scripts; for tokens that a client holds itself \
         there is `delivery.default`",
    ),
    (
        &["secure"],
        "it follows from `public_url`: over https every cookie is Secure, http is for loopback",
    ),
    (
        &["debug"],
        "on loopback http is fine as it is; for a test network there is `danger_allow_http`",
    ),
    (
        &["csrf_enabled", "csrf"],
        "a request that rides on a cookie always proves that our own page made it",
    ),
    (
        &["samesite", "same_site"],
        "each cookie has its own: `cookies.access_same_site`, `cookies.refresh_same_site`, `cookies.csrf_same_site`",
    ),
    (
        &["token_delivery"],
        "there are `delivery.default` and `delivery.allowed`",
    ),
];

/// Returns why there is no such setting, if somebody who comes from another system may look for it.
pub(super) fn why_unsaid(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase().replace('.', "_");
    let bare = ["cookies_", "cookie_"]
        .iter()
        .find_map(|section| name.strip_prefix(section))
        .unwrap_or(&name);
    let mut rows = UNSAID.iter();
    rows.find(|(names, _)| names.contains(&bare))
        .map(|(_, why)| *why)
}
