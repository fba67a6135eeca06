use crate::extract::{KnownService, form_or_json};
use crate::mount::Mount;
use crate::problem::Refused;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;

/// `POST /auth/introspect`
///
/// The store is asked: the session is live, and the roles are those of this moment. About
/// anything else nothing is said but that it is not active.
pub(crate) async fn introspect(
    State(mount): State<Mount>,
    _: KnownService,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let mut fields = form_or_json(&parts.headers, body).await?;
    let token = fields.text("token", |text| Ok(text.to_owned()));
    // The hint is read and not needed: there is one kind of token to look for.
    fields.optional_text("token_type_hint");
    let (Some(token), true) = (token, fields.is_fine()) else {
        return Err(fields.refused());
    };
    mount.learn_key_of(&token).await;
    let found = mount.hallpass().introspect(&token).await?;
    Ok((mount.wire().introspection)(found.as_ref()))
}
