use crate::extract::{Authenticated, KnownService, form_or_json};
use crate::mount::Mount;
use crate::problem::Refused;
use crate::respond::{redeemed_answer, ticket_answer};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hallpass_core::Error;
use http::Request;

/// `POST /auth/ticket`
///
/// A ticket for one connection to another service, for a client that cannot send a header with
/// it: it is good once, for seconds, so that an address may carry it.
pub(crate) async fn ticket(
    State(mount): State<Mount>,
    Authenticated { session, .. }: Authenticated,
) -> Result<Response, Refused> {
    let ticket = mount.hallpass().issue_ticket(session).await?;
    Ok(ticket_answer(&ticket))
}

/// `POST /auth/ticket/redeem`
///
/// The access token that a ticket was good for. The service verifies it like any other.
pub(crate) async fn redeem_ticket(
    State(mount): State<Mount>,
    _: KnownService,
    request: Request<Body>,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let mut fields = form_or_json(&parts.headers, body).await?;
    let ticket = fields.text("ticket", |text| Ok(text.to_owned()));
    let Some(ticket) = ticket else {
        return Err(fields.refused());
    };
    match mount.hallpass().redeem_ticket(&ticket).await {
        Ok((token, expires_in)) => Ok(redeemed_answer(&token, expires_in)),
        // It is the ticket that does not do: the service's own credentials do.
        Err(Error::SessionEnded) => Err(Error::InvalidTicket.into()),
        Err(fault) => Err(fault.into()),
    }
}
