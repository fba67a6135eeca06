//! What stands in a body.

use super::Sought;
use super::replayed::Replayed;
use crate::extract::{BODY_READ_TIMEOUT, announced_len};
use crate::problem::Refused;
use axum::body::Body;
use hallpass_verify::json::{self, Limits, Value};
use hallpass_verify::problem::Code;
use hallpass_verify::{AccessTokenText, CsrfToken, Found, GateSettings, InBody};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, LengthLimitError};
use url::form_urlencoded;

/// The longest body that is read for the gate, in bytes.
pub const READ_LEN_MAX: usize = 64 * 1024;

/// How deep JSON may nest that a token is looked for in.
const DEPTH_MAX: usize = 64;

/// Reads the body of a request, if it is not too long, and hands it on with what was found.
pub(super) async fn request(
    request: Request<Body>,
    sought: Sought,
    settings: &GateSettings,
) -> Result<Request<Body>, Refused> {
    if announced_len(request.headers()).is_some_and(|len| len > READ_LEN_MAX) {
        return Ok(request);
    }
    let (mut parts, mut body) = request.into_parts();
    let reading = tokio::time::timeout(BODY_READ_TIMEOUT, start(&mut body));
    let read = reading.await.map_err(|_| Code::RequestTimeout)??;
    if read.is_whole {
        let found = match sought {
            Sought::TokenInJson => InBody::new(token(&read.data, settings), Found::Absent),
            Sought::CsrfInForm => InBody::new(Found::Absent, csrf(&read.data, settings)),
        };
        parts.extensions.insert(found);
    }
    let body = Body::new(Replayed::new(read.data.into(), read.trailers, body));
    Ok(Request::from_parts(parts, body))
}

/// The start of a body.
struct Start {
    /// In one piece: many small ones would cost more than they hold.
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
    is_whole: bool,
}

/// Reads a body to its end, or until it is too long.
async fn start(body: &mut Body) -> Result<Start, Code> {
    let mut read = Start {
        data: Vec::new(),
        trailers: None,
        is_whole: false,
    };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|fault| {
            let too_long = std::error::Error::source(&fault)
                .is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
            if too_long {
                Code::PayloadTooLarge
            } else {
                Code::BadRequest
            }
        })?;
        match frame.into_data() {
            Ok(data) => read.data.extend_from_slice(&data),
            Err(frame) => read.trailers = frame.into_trailers().ok(),
        }
        if read.data.len() > READ_LEN_MAX {
            return Ok(read);
        }
    }
    read.is_whole = true;
    Ok(read)
}

/// Returns the token of a JSON body. What is not an object has no members; what cannot be read may
/// have one.
fn token(body: &[u8], settings: &GateSettings) -> Found<AccessTokenText> {
    let limits = Limits {
        bytes_max: READ_LEN_MAX,
        depth_max: DEPTH_MAX,
    };
    let Ok(value) = json::parse(body, limits) else {
        return Found::Malformed;
    };
    let Value::Object(mut members) = value else {
        return Found::Absent;
    };
    match members.remove(&settings.body_name) {
        None | Some(Value::Null) => Found::Absent,
        Some(Value::String(token)) => Found::Present(AccessTokenText::new(token)),
        Some(_) => Found::Malformed,
    }
}

/// Returns the CSRF token of a form, in which it may stand once.
fn csrf(body: &[u8], settings: &GateSettings) -> Found<CsrfToken> {
    let field = settings.csrf_field.as_deref().unwrap_or_default();
    let mut values = form_urlencoded::parse(body).filter(|(name, _)| name == field);
    match (values.next(), values.next()) {
        (None, _) => Found::Absent,
        (Some((_, token)), None) => Found::Present(CsrfToken::new(token.into_owned())),
        _ => Found::Malformed,
    }
}
