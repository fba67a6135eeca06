//! WebSockets and event streams of an app.

use crate::Hallpass;
use hallpass_core::Error;
use hallpass_verify::AccessTokenText;
use hallpass_verify::live::{LiveLayer, Redeeming, Ticket, TicketFault, Tickets};

impl Hallpass {
    /// Returns the layer for routes with WebSockets and event streams, whose handlers ask for
    /// [`Live`](hallpass_verify::live::Live): see [`hallpass_verify::live`]. Tickets are redeemed in
    /// this process.
    ///
    /// Merge such routes beside those that have [`layer`](hallpass_axum::Mount::layer) around them.
    #[must_use]
    pub fn live(&self) -> LiveLayer {
        LiveLayer::new(&self.layer()).tickets(std::sync::Arc::new(Own(self.clone())))
    }
}

/// The tickets of this process.
#[derive(Debug)]
struct Own(Hallpass);

impl Tickets for Own {
    fn redeem<'a>(&'a self, ticket: &'a Ticket) -> Redeeming<'a> {
        Box::pin(async move {
            match self.0.redeem_ticket(ticket.expose()).await {
                Ok((token, _)) => Ok(AccessTokenText::new(token.expose().to_owned())),
                Err(Error::InvalidTicket | Error::SessionEnded) => Err(TicketFault::Refused),
                Err(_) => Err(TicketFault::Unavailable),
            }
        })
    }
}
