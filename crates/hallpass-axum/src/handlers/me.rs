use crate::extract::Authenticated;
use crate::mount::Mount;
use crate::problem::Refused;
use crate::wire::Shown;
use axum::extract::State;
use axum::response::Response;

/// `GET /auth/me`
pub(crate) async fn me(
    State(mount): State<Mount>,
    Authenticated { caller, session }: Authenticated,
) -> Result<Response, Refused> {
    let user = mount.hallpass().user(caller.user()).await?;
    Ok((mount.wire().user)(&Shown {
        id: caller.user(),
        user: user.as_ref(),
        session: Some(session),
    }))
}
