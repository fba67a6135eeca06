//! A body, read strictly and within limits.

use super::{Fields, form, from_our_page};
use crate::mount::Mount;
use crate::problem::Refused;
use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use hallpass_verify::json::{self, Limits, Object, Value};
use hallpass_verify::problem::Code;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::time::Duration;

/// The longest body of our routes, in bytes: a password of 1,024 bytes fits many times over.
pub(crate) const BODY_LEN_MAX: usize = 16 * 1024;
/// How long a whole body may take to arrive.
pub(crate) const BODY_READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How deep a body may nest: ours are flat.
const BODY_DEPTH_MAX: usize = 8;

/// Reads the body of a request that may ride on a cookie.
///
/// A forged form is told that it is forged, not that it is a form.
pub(crate) async fn json_object_from_our_page(
    mount: &Mount,
    parts: &Parts,
    body: Body,
) -> Result<Object, Refused> {
    match json_object(&parts.headers, body, Presence::Optional).await {
        Err(refused) => Err(from_our_page(mount, parts).err().unwrap_or(refused)),
        read => read,
    }
}

/// Whether a request may come without a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Presence {
    Required,
    Optional,
}

/// Reads the body as a JSON object in which no member stands twice.
///
/// A body that is optional may be missing; then the object is empty, and no media type is asked.
pub(crate) async fn json_object(
    headers: &HeaderMap,
    body: Body,
    presence: Presence,
) -> Result<Object, Refused> {
    if presence == Presence::Optional && is_empty(headers, &body) {
        return Ok(Object::default());
    }
    if !is_json(headers) {
        return Err(Code::UnsupportedMediaType.into());
    }
    let bytes = read(headers, body).await?;
    if presence == Presence::Optional && bytes.is_empty() {
        return Ok(Object::default());
    }
    parsed(&bytes)
}

/// Reads the whole body, if it is neither too long nor too slow.
async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Refused> {
    if announced_len(headers).is_some_and(|len| len > BODY_LEN_MAX) {
        return Err(Code::PayloadTooLarge.into());
    }
    let reading = Limited::new(body, BODY_LEN_MAX).collect();
    match tokio::time::timeout(BODY_READ_TIMEOUT, reading).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(fault)) if fault.is::<LengthLimitError>() => Err(Code::PayloadTooLarge.into()),
        Ok(Err(_)) => Err(Code::BadRequest.into()),
        Err(_) => Err(Code::RequestTimeout.into()),
    }
}

fn parsed(bytes: &[u8]) -> Result<Object, Refused> {
    let limits = Limits {
        bytes_max: BODY_LEN_MAX,
        depth_max: BODY_DEPTH_MAX,
    };
    match json::parse(bytes, limits) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) | Err(_) => Err(Code::MalformedBody.into()),
    }
}

/// Reads the body of a service: a form, as RFC 7662 §2.1 and RFC 7009 §2.1 have it, or a JSON
/// object. In both, no field stands twice.
pub(crate) async fn form_or_json(headers: &HeaderMap, body: Body) -> Result<Fields, Refused> {
    if is_form(headers) {
        let bytes = read(headers, body).await?;
        let form = form::parse(&bytes).ok_or(Code::MalformedBody)?;
        return Ok(Fields::of_form(form));
    }
    let object = json_object(headers, body, Presence::Required).await?;
    Ok(Fields::new(object))
}

fn is_empty(headers: &HeaderMap, body: &Body) -> bool {
    !headers.contains_key(CONTENT_TYPE) && body.is_end_stream()
}

pub(crate) fn announced_len(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Accepts `application/json`, alone or with `charset=utf-8`, on exactly one line.
///
/// What a cross-site form or beacon can send without a preflight is none of these (Fetch §2.2.2).
fn is_json(headers: &HeaderMap) -> bool {
    is_utf8_of("application/json", headers)
}

/// Accepts `application/x-www-form-urlencoded`, alone or with `charset=utf-8`, on exactly one line.
fn is_form(headers: &HeaderMap) -> bool {
    is_utf8_of("application/x-www-form-urlencoded", headers)
}

fn is_utf8_of(media_type: &str, headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let Ok(line) = line.to_str() else {
        return false;
    };
    let mut parts = line.split(';').map(str::trim);
    let is_named = parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case(media_type));
    is_named
        && parts.all(|parameter| {
            parameter.eq_ignore_ascii_case("charset=utf-8")
                || parameter.eq_ignore_ascii_case("charset=\"utf-8\"")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn cs_17_only_real_json_is_json() {
        for (lines, expected) in [
            (&["application/json"][..], true),
            (&["Application/JSON; Charset=UTF-8"], true),
            (&["application/json; charset=\"utf-8\""], true),
            (&[], false),
            (&["text/plain"], false),
            (&["text/plain; application/json"], false),
            (&["application/json; charset=utf-16"], false),
            (&["application/json; charset=x"], false),
            (&["application/json, text/plain"], false),
            (&["application/json", "application/json"], false),
            (&["application/problem+json"], false),
            (&["application/x-www-form-urlencoded"], false),
            (&["multipart/form-data; boundary=x"], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CONTENT_TYPE, HeaderValue::from_static(line));
            }
            assert_eq!(is_json(&headers), expected, "{lines:?}");
        }
    }
}
