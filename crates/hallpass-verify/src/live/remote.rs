//! Tickets of an issuer elsewhere.

use super::{LiveLayer, Redeeming, Ticket, TicketFault, Tickets};
use crate::remote::{RedeemFault, Remote};
use std::sync::Arc;

impl Remote {
    /// Returns the layer for routes with WebSockets and event streams, whose handlers ask for
    /// [`Live`](crate::live::Live): see [`crate::live`]. Tickets are redeemed at the issuer, which
    /// takes [service credentials](crate::remote::Builder::service).
    #[must_use]
    pub fn live(&self) -> LiveLayer {
        LiveLayer::new(&self.layer()).tickets(Arc::new(self.clone()))
    }
}

impl Tickets for Remote {
    fn redeem<'a>(&'a self, ticket: &'a Ticket) -> Redeeming<'a> {
        Box::pin(async move {
            self.redeem(ticket.expose())
                .await
                .map_err(|fault| match fault {
                    RedeemFault::Refused => TicketFault::Refused,
                    RedeemFault::Unavailable(fault) => {
                        tracing::warn!(%fault, "the issuer cannot be asked about a ticket");
                        TicketFault::Unavailable
                    }
                })
        })
    }
}
