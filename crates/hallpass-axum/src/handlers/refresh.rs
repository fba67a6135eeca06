use crate::extract::{Fields, json_object_from_our_page};
use crate::mount::Mount;
use crate::problem::Refused;
use crate::respond::{Occasion, session_answer};
use crate::wire::InBody;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hallpass_core::Carrier;
use http::{Request, StatusCode};

/// `POST /auth/refresh`
///
/// The token is in the body or in the cookie; the first place where there is one counts.
pub(crate) async fn refresh(
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
    let (carrier, issued) = match in_body {
        Some(text) => (Carrier::Body, mount.refresh_by_body(&parts, &text).await?),
        None => (Carrier::Cookie, mount.refresh_by_cookie(&parts).await?),
    };
    let occasion = Occasion::Refreshed(carrier);
    session_answer(&mount, StatusCode::OK, occasion, &issued)
}

/// Takes the refresh token out of a body.
pub(super) fn refresh_token_in(mount: &Mount, fields: &mut Fields) -> Option<String> {
    let is_absent = |text: &str| text.is_empty() && mount.wire().in_body == InBody::PutUpWith;
    fields
        .optional_text("refresh_token")
        .filter(|text| !is_absent(text))
}
