//! Documents for everybody: cacheable, and named by what they say.

use crate::mount::Mount;
use aws_lc_rs::digest::{SHA256, digest};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

/// Answers with a document, or with 304 when the client has it (RFC 9110 §13.1.2).
///
/// It may be kept as long as the settings say of the key set, and read by pages of any origin:
/// nothing in it depends on who asks.
pub(crate) fn published(
    mount: &Mount,
    request: &HeaderMap,
    media_type: &'static str,
    document: &Value,
) -> Response {
    let body = document.to_string();
    let tag = entity_tag(body.as_bytes());
    let mut response = if knows(request, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let media_type = HeaderValue::from_static(media_type);
        ([(CONTENT_TYPE, media_type)], body).into_response()
    };
    let max_age_seconds = mount.hallpass().settings().keys.jwks_max_age.as_secs();
    let cached = format!("public, max-age={max_age_seconds}");
    let headers = response.headers_mut();
    for (name, value) in [(CACHE_CONTROL, cached), (ETAG, tag)] {
        headers.extend(HeaderValue::try_from(value).map(|value| (name, value)));
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Returns a strong tag: the same for the same bytes, on every process (RFC 9110 §8.8.3).
fn entity_tag(body: &[u8]) -> String {
    let hash = digest(&SHA256, body);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash.as_ref()))
}

/// Tells whether `If-None-Match` names this tag. The comparison is the weak one: proxies that
/// compress make tags weak.
fn knows(request: &HeaderMap, tag: &str) -> bool {
    let lines = request.get_all(IF_NONE_MATCH).iter();
    let mut known = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim);
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_tag_is_found_in_any_list() {
        let tag = entity_tag(b"{}");
        assert_eq!(tag, entity_tag(b"{}"));
        assert_ne!(tag, entity_tag(b"{ }"));
        let asked = |lines: &[String]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(IF_NONE_MATCH, line.parse().unwrap());
            }
            knows(&headers, &tag)
        };
        assert!(asked(std::slice::from_ref(&tag)));
        assert!(asked(&[format!("W/{tag}")]));
        assert!(asked(&[format!("\"x\", {tag} ,\"y\"")]));
        assert!(asked(&["\"x\"".into(), tag.clone()]));
        assert!(asked(&["*".into()]));
        assert!(!asked(&[]));
        assert!(!asked(&["\"x\"".into()]));
        assert!(!asked(&[tag.replace('"', "")]));
        assert!(!asked(&[format!("w/{tag}")]));
    }
}
