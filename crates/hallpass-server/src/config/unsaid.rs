//! Settings that other systems have and that cannot be said here, with the reason.

/// What is not a setting here, by its name there without `jwt` and `cookie`, and why.
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
        &["csrf_enabled", "csrf", "csrf_protect", "csrf_methods"],
        "a request that rides on a cookie always proves that our own page made it",
    ),
    (
        &["max_age", "session_cookie"],
        "a cookie lives as long as its token (`tokens.access_ttl`, `tokens.refresh_idle_ttl`), or as long as the browser \
         window for whoever signs in with `\"remember\": false`",
    ),
    (
        &["implicit_refresh_deltatime"],
        "only a refresh refreshes: the page asks for one when it reads `token_expired`",
    ),
    (
        &[
            "secret_key",
            "private_key",
            "previous_secret_key",
            "previous_public_key",
        ],
        "signing keys are made at the first start and rotate by themselves; `hallpass key import` takes one that was made \
         elsewhere",
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
    let name = name.strip_prefix("jwt_").unwrap_or(&name);
    let bare = ["cookies_", "cookie_"]
        .iter()
        .find_map(|section| name.strip_prefix(section))
        .unwrap_or(name);
    let mut rows = UNSAID.iter();
    rows.find(|(names, _)| names.contains(&bare))
        .map(|(_, why)| *why)
}
