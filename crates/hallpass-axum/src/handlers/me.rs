use crate::extract::Authenticated;
use crate::mount::Mount;
use crate::problem::Refused;
use crate::respond::UserAnswer;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

/// `GET /auth/me`
pub(crate) async fn me(
    State(mount): State<Mount>,
    Authenticated { caller, .. }: Authenticated,
) -> Result<Response, Refused> {
    let user = mount.hallpass().user(caller.user()).await?;
    Ok(Json(UserAnswer::new(caller.user(), user.as_ref())).into_response())
}
