use super::refresh::refresh_token_in;
use crate::doors::Leaving;
use crate::extract::{Fields, json_object_from_our_page};
use crate::mount::Mount;
use crate::problem::Refused;
use crate::respond::done;
use crate::wire::InBody;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use hallpass_core::Carrier;
use hallpass_verify::SessionId;
use hallpass_verify::problem::Code;
use http::Request;

/// `POST /auth/logout`
///
/// Needs no live access token: a refresh token will do, wherever it is. Whoever has no credential
/// is signed out already. When the proof is missing nothing is ended and nothing cleared.
pub(crate) async fn sign_out(
    State(mount): State<Mount>,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let object = json_object_from_our_page(&mount, &parts, body).await?;
    let mut fields = Fields::new(object);
    let in_body = refresh_token_in(&mount, &mut fields);
    if !fields.is_fine() {
        return Err(fields.refused());
    }
    let cleared = match in_body {
        Some(text) => {
            let leaving = Leaving::Elsewhere(by_body(&mount, &text)?);
            mount.left(&parts, leaving).await?
        }
        None => mount.sign_out_by(&parts).await?,
    };
    Ok((cleared, done(mount.wire().sign_out)).into_response())
}

/// Returns the session of a refresh token in the body.
fn by_body(mount: &Mount, text: &str) -> Result<Option<SessionId>, Refused> {
    let token = mount.hallpass().open_refresh_token(text, Carrier::Body);
    match (token, mount.wire().in_body) {
        (Some(token), _) => Ok(Some(token.session())),
        (None, InBody::PutUpWith) => Ok(None),
        (None, InBody::Refused) => Err(Code::TokenInvalid.into()),
    }
}
