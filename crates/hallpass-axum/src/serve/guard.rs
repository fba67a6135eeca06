//! What no handler should have to look at: refused before any runs.

use super::limits::Limits;
use super::watched::Notes;
use hallpass_verify::problem::{Code, Problem};
use http::header::{ALLOW, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version};

/// Checks a request's head, and returns the refusal if it is refused.
pub(super) fn check<B>(head: &Request<B>, notes: &Notes, limits: &Limits) -> Result<(), Code> {
    if notes.is_ambiguous() || !has_plain_framing(head.headers()) {
        return Err(Code::BadRequest);
    }
    // RFC 9110 §9.3.8: TRACE echoes what a script must not read. CONNECT is for proxies.
    if matches!(*head.method(), Method::TRACE | Method::CONNECT) {
        return Err(Code::MethodNotAllowed);
    }
    if !names_one_host(head) || target_len(head.uri()) > limits.target_len_max {
        return Err(Code::BadRequest);
    }
    if content_length(head.headers()).is_some_and(|len| len > limits.body_len_max) {
        return Err(Code::PayloadTooLarge);
    }
    Ok(())
}

/// Returns the answer to a refused request. The connection ends with it.
pub(super) fn refusal(code: Code) -> Response<Vec<u8>> {
    let mut response = Problem::new(code).response();
    if code == Code::MethodNotAllowed {
        let allow = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

/// Only `chunked`, once: other codings are ours to answer with an error (RFC 9112 §6.1).
fn has_plain_framing(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

/// RFC 9112 §3.2: exactly one proper Host line, and a target in absolute form names the same.
fn names_one_host<B>(head: &Request<B>) -> bool {
    let mut hosts = head.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => {
            is_host(host.as_bytes())
                && head.uri().authority().is_none_or(|named| {
                    named
                        .as_str()
                        .as_bytes()
                        .eq_ignore_ascii_case(host.as_bytes())
                })
        }
        (None, _) => head.version() < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// RFC 3986 §3.2: a name or an address, and a port; no user, no path, no blank.
fn is_host(host: &[u8]) -> bool {
    let proper = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+,;=".contains(byte);
    !host.is_empty() && host.iter().all(proper)
}

fn target_len(target: &Uri) -> usize {
    target
        .path_and_query()
        .map_or(0, |path| path.as_str().len())
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(target: &str, fields: &[(&str, &str)]) -> Result<(), Code> {
        let mut request = Request::builder().method("POST").uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        check(
            &request.body(()).unwrap(),
            &Notes::default(),
            &Limits::default(),
        )
    }

    #[test]
    fn a_request_names_one_host() {
        for host in [
            "a",
            "a.example:8080",
            "127.0.0.1",
            "[::1]:80",
            "xn--bcher-kva.example",
        ] {
            assert_eq!(verdict("/", &[("host", host)]), Ok(()), "{host}");
        }
        for host in ["", "a b", "a/b", "user@a", "a?b", "a\\b", "a#b", "a\tb"] {
            assert_eq!(
                verdict("/", &[("host", host)]),
                Err(Code::BadRequest),
                "{host}"
            );
        }
        assert_eq!(verdict("/", &[]), Err(Code::BadRequest));
        assert_eq!(
            verdict("/", &[("host", "a"), ("host", "a")]),
            Err(Code::BadRequest)
        );
        assert_eq!(verdict("http://a/x", &[("host", "A")]), Ok(()));
        assert_eq!(
            verdict("http://evil/x", &[("host", "a")]),
            Err(Code::BadRequest)
        );
        assert_eq!(
            verdict("http://a:81/x", &[("host", "a")]),
            Err(Code::BadRequest)
        );
    }

    #[test]
    fn ht_05_only_one_plain_chunked_coding_is_understood() {
        let with = |codings: &[&str]| {
            let mut fields = vec![("host", "a")];
            fields.extend(codings.iter().map(|coding| ("transfer-encoding", *coding)));
            verdict("/", &fields)
        };
        assert_eq!(with(&["chunked"]), Ok(()));
        assert_eq!(with(&["Chunked"]), Ok(()));
        for codings in [
            &["gzip, chunked"][..],
            &["chunked, chunked"],
            &["chunked", "chunked"],
            &["identity", "chunked"],
            &["chunked;q=1"],
            &["\"chunked\""],
        ] {
            assert_eq!(with(codings), Err(Code::BadRequest), "{codings:?}");
        }
    }

    #[test]
    fn ds_01_a_long_target_or_body_is_refused_by_its_declared_length() {
        let host = ("host", "a");
        let length_max = Limits::default().body_len_max;
        let declared = |len: u64| verdict("/", &[host, ("content-length", &len.to_string())]);
        assert_eq!(declared(length_max), Ok(()));
        assert_eq!(declared(length_max + 1), Err(Code::PayloadTooLarge));
        let target = |len: usize| verdict(&format!("/{}", "x".repeat(len - 1)), &[host]);
        assert_eq!(target(8 * 1024), Ok(()));
        assert_eq!(target(8 * 1024 + 1), Err(Code::BadRequest));
    }
}
