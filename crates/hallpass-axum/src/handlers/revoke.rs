use crate::extract::{device, form_or_json, known_service};
use crate::mount::Mount;
use crate::problem::Refused;
use axum::body::Body;
use axum::extract::State;
use http::{Request, StatusCode};

/// `POST /auth/revoke`
///
/// Ends the session of a token (RFC 7009 §2). Whoever has the token may: a client without a
/// secret proves nothing more, and a service with credentials proves them. What is no token of
/// ours is revoked already.
pub(crate) async fn revoke(
    State(mount): State<Mount>,
    request: Request<Body>,
) -> Result<StatusCode, Refused> {
    let (parts, body) = request.into_parts();
    known_service(&mount, &parts)?;
    let mut fields = form_or_json(&parts.headers, body).await?;
    let token = fields.text("token", |text| Ok(text.to_owned()));
    fields.optional_text("token_type_hint");
    let (Some(token), true) = (token, fields.is_fine()) else {
        return Err(fields.refused());
    };
    mount.learn_key_of(&token).await;
    let device = device(&mount, &parts);
    mount.hallpass().revoke_token(&token, &device).await?;
    Ok(StatusCode::OK)
}
