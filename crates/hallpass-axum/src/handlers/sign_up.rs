use super::sign_in::email;
use crate::extract::{Fields, Presence, from_our_page, json_object, opening};
use crate::mount::Mount;
use crate::problem::Refused;
use crate::respond::{Occasion, session_answer};
use crate::wire::{Shown, SignUpAnswer};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hallpass_core::SignUp;
use hallpass_core::user::{NAME_LEN_MAX, Password, PasswordFault, User};
use http::{Request, StatusCode};

/// `POST /auth/signup`
pub(crate) async fn sign_up(
    State(mount): State<Mount>,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    from_our_page(&mount, &parts)?;
    let object = json_object(&parts.headers, body, Presence::Required).await?;
    let mut fields = Fields::new(object);
    let email = fields.text("email", email);
    let password = fields.text("password", |text| Password::chosen(text).map_err(explain));
    let name = name(&mut fields);
    let opening = opening(&mount, &parts, &mut fields);
    let (Some(email), Some(password), true) = (email, password, fields.is_fine()) else {
        return Err(fields.refused());
    };
    // What a user may do never comes from their own request (mass assignment).
    let sign_up = SignUp {
        email,
        password,
        name,
        roles: Vec::new(),
    };
    let rules = mount.hallpass();
    match mount.wire().sign_up {
        SignUpAnswer::Session => {
            let issued = rules.sign_up(sign_up, opening).await?;
            session_answer(&mount, StatusCode::CREATED, Occasion::Opened, &issued)
        }
        SignUpAnswer::User => {
            let user = rules.add_user(sign_up, &opening.device).await?;
            Ok(user_answer(&mount, &user))
        }
    }
}

fn user_answer(mount: &Mount, user: &User) -> Response {
    let mut response = (mount.wire().user)(&Shown {
        id: &user.id,
        user: Some(user),
        session: None,
    });
    *response.status_mut() = StatusCode::CREATED;
    response
}

fn explain(fault: PasswordFault) -> (&'static str, &'static str) {
    match fault {
        PasswordFault::TooShort => ("too_short", "expected at least 8 characters"),
        PasswordFault::TooLong => ("too_long", "expected at most 1,024 bytes"),
        PasswordFault::TooCommon => ("too_common", "expected a password that is not a common one"),
    }
}

fn name(fields: &mut Fields) -> Option<String> {
    let name = fields.optional_text("name")?;
    if name.len() > NAME_LEN_MAX {
        fields.refuse("name", "too_long", "expected at most 200 bytes");
    }
    if name.chars().any(char::is_control) {
        fields.refuse(
            "name",
            "invalid",
            "expected a name without control characters",
        );
    }
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
