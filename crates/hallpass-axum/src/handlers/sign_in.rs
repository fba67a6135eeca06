use crate::extract::{Fields, Presence, from_our_page, json_object, opening};
use crate::mount::Mount;
use crate::problem::Refused;
use crate::respond::{Occasion, session_answer};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hallpass_core::SignIn;
use hallpass_core::user::{Email, Password};
use http::{Request, StatusCode};

/// `POST /auth/login`
pub(crate) async fn sign_in(
    State(mount): State<Mount>,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    from_our_page(&mount, &parts)?;
    let object = json_object(&parts.headers, body, Presence::Required).await?;
    let mut fields = Fields::new(object);
    let email = fields.text("email", email);
    let password = fields.text("password", |text| {
        Password::presented(text).map_err(|_| ("too_long", "expected at most 1,024 bytes"))
    });
    let opening = opening(&mount, &parts, &mut fields);
    let (Some(email), Some(password), true) = (email, password, fields.is_fine()) else {
        return Err(fields.refused());
    };
    let issued = mount
        .hallpass()
        .sign_in(SignIn { email, password }, opening)
        .await?;
    session_answer(&mount, StatusCode::OK, Occasion::Opened, &issued)
}

pub(super) fn email(text: &str) -> Result<Email, (&'static str, &'static str)> {
    Email::parse(text).map_err(|_| ("invalid", "expected an e-mail address"))
}
