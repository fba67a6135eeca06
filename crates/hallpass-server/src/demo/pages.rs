//! The pages of the demo, as they are compiled in.

use axum::Router;
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, InvalidHeaderValue, REFERRER_POLICY,
};
use http::{HeaderName, HeaderValue};

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file: its path, its type, its content.
type Asset = (&'static str, &'static str, &'static [u8]);

macro_rules! asset {
    ($path:literal, $kind:expr, $file:literal) => {
        (
            $path,
            $kind,
            include_bytes!(concat!("../pages/assets/", $file)),
        )
    };
}

const SHARED: &[Asset] = &[
    asset!("/app.css", CSS, "app.css"),
    asset!("/favicon.svg", SVG, "favicon.svg"),
];

const MAIN: &[Asset] = &[
    asset!("/", HTML, "index.html"),
    asset!("/app.js", JS, "app.js"),
    asset!("/client.js", JS, "client.js"),
    asset!("/panel.js", JS, "panel.js"),
    asset!("/passes.js", JS, "passes.js"),
    asset!("/sessions.js", JS, "sessions.js"),
    asset!("/wire.js", JS, "wire.js"),
];

const ATTACK: &[Asset] = &[
    asset!("/", HTML, "attack.html"),
    asset!("/attack.css", CSS, "attack.css"),
    asset!("/attack.js", JS, "attack.js"),
];

const MAIN_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// Returns the pages of the main origin.
pub(super) fn main() -> Router {
    routes(&[SHARED, MAIN], &MAIN_POLICY)
}

/// Returns the attacker's page. It may send requests and forms to `victim`, as an attacker would.
pub(super) fn attack(victim: &str) -> Result<Router, InvalidHeaderValue> {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self' {victim}; form-action 'self' {victim}; frame-src {victim}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    Ok(routes(&[SHARED, ATTACK], &HeaderValue::try_from(policy)?))
}

fn routes(lists: &[&'static [Asset]], policy: &HeaderValue) -> Router {
    let mut router = Router::new();
    for (path, kind, content) in lists.iter().copied().flatten() {
        let mut headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static(kind)),
            // The next version of the program has other pages.
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        if *kind == HTML {
            headers.extend([
                (CONTENT_SECURITY_POLICY, policy.clone()),
                (OPENER_POLICY, HeaderValue::from_static("same-origin")),
                (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
            ]);
        }
        let headers = http::HeaderMap::from_iter(headers);
        router = router.route(path, get(async move || (headers, *content)));
    }
    router
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_pages_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages/assets");
        let served: Vec<_> = [SHARED, MAIN, ATTACK].concat();
        for file in std::fs::read_dir(folder).unwrap() {
            let content = std::fs::read(file.unwrap().path()).unwrap();
            assert!(
                served
                    .iter()
                    .any(|(_, _, asset)| *asset == content.as_slice())
            );
        }
    }

    #[test]
    fn hp_01_no_page_needs_inline_script_or_style() {
        for (path, kind, content) in [MAIN, ATTACK].concat() {
            let text = std::str::from_utf8(content).unwrap();
            if kind == HTML {
                assert!(
                    !text.contains("<style") && !text.contains(" style="),
                    "{path}"
                );
                assert!(
                    !text.contains("<script>") && !text.contains(" onclick="),
                    "{path}"
                );
            }
        }
        assert!(!MAIN_POLICY.to_str().unwrap().contains("unsafe"));
    }
}
