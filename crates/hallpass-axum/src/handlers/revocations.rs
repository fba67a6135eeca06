use crate::extract::KnownService;
use crate::feed::{PAGE_ENTRIES_MAX, entries, stream};
use crate::mount::Mount;
use crate::problem::Refused;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use hallpass_core::store::Cursor;
use http::header::ACCEPT;
use http::request::Parts;
use http::{HeaderMap, Uri};
use serde_json::json;
use url::form_urlencoded;

/// `GET /auth/revocations`
///
/// What was revoked, in order, from a cursor on: as a stream for whoever accepts one, else page
/// by page.
pub(crate) async fn revocations(
    State(mount): State<Mount>,
    _: KnownService,
    parts: Parts,
) -> Result<Response, Refused> {
    let after = place(&mount, cursor(&parts.headers, &parts.uri)).await;
    if accepts_stream(&parts.headers) {
        return stream(&mount, after);
    }
    let page = mount.hallpass().feed().since(after, PAGE_ENTRIES_MAX);
    let answer = json!({
        "cursor": page.cursor.0.to_string(),
        "kept_seconds": mount.kept_seconds(),
        "more": page.more,
        "entries": entries(&page.entries),
    });
    Ok(Json(answer).into_response())
}

/// Returns where to go on. A cursor that is none of ours, or that the feed has not reached, is
/// from another life of the store: then everything is told from the beginning, which does no harm.
async fn place(mount: &Mount, cursor: Option<Cursor>) -> Cursor {
    let Some(cursor) = cursor else {
        return Cursor::default();
    };
    if cursor > mount.hallpass().feed().latest() {
        // Another process may have told more than this one knows yet.
        mount.resync().await;
    }
    if cursor > mount.hallpass().feed().latest() {
        return Cursor::default();
    }
    cursor
}

/// Returns the cursor of a request: `Last-Event-ID` of a stream that broke, or else `?after=`.
fn cursor(headers: &HeaderMap, uri: &Uri) -> Option<Cursor> {
    if let Some(last) = headers.get("last-event-id") {
        return read(last.to_str().ok()?);
    }
    let query = uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(name, _)| name == "after")?;
    read(&value)
}

/// Reads a cursor as it was told: decimal digits alone.
fn read(text: &str) -> Option<Cursor> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    is_decimal.then(|| text.parse().ok().map(Cursor)).flatten()
}

fn accepts_stream(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter();
    let mut ranges = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim());
    ranges.any(|range| range.eq_ignore_ascii_case("text/event-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_cursor_comes_from_the_header_or_else_from_the_query() {
        let asked = |header: Option<&str>, uri: &str| {
            let mut headers = HeaderMap::new();
            if let Some(header) = header {
                headers.insert("last-event-id", HeaderValue::from_str(header).unwrap());
            }
            cursor(&headers, &uri.parse().unwrap()).map(|cursor| cursor.0)
        };
        assert_eq!(asked(None, "/x?after=7"), Some(7));
        assert_eq!(asked(None, "/x?a=1&after=%37"), Some(7));
        assert_eq!(asked(Some("9"), "/x?after=7"), Some(9));
        let greatest = u64::MAX.to_string();
        assert_eq!(asked(Some(&greatest), "/x"), Some(u64::MAX));
        for junk in [
            "",
            "-1",
            "+1",
            "1.0",
            " 1",
            "0x1",
            "18446744073709551616",
            "x",
        ] {
            assert_eq!(asked(Some(junk), "/x?after=7"), None, "{junk}");
        }
        assert_eq!(asked(None, "/x"), None);
        assert_eq!(asked(None, "/x?after="), None);
        assert_eq!(asked(None, "/x?After=7"), None);
    }

    #[test]
    fn whoever_accepts_a_stream_gets_one() {
        let accepts = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(ACCEPT, HeaderValue::from_static(line));
            }
            accepts_stream(&headers)
        };
        assert!(accepts(&["text/event-stream"]));
        assert!(accepts(&["application/json, Text/Event-Stream;q=0.9"]));
        assert!(accepts(&["application/json", "text/event-stream"]));
        assert!(!accepts(&[]));
        assert!(!accepts(&["*/*"]));
        assert!(!accepts(&["text/event-streams"]));
    }
}
