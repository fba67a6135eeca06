//! Tickets for long-lived connections, redeemed at the issuer.

use super::{RedeemFault, Remote};
use crate::live::{Redeeming, Ticket, TicketFault, Tickets};

impl Tickets for Remote {
    fn redeem<'a>(&'a self, ticket: &'a Ticket) -> Redeeming<'a> {
        Box::pin(async move {
            let redeemed = self.far.redeem(ticket.expose()).await;
            redeemed.map_err(|fault| match fault {
                RedeemFault::Refused => TicketFault::Refused,
                RedeemFault::Unavailable(_) => TicketFault::Unavailable,
            })
        })
    }
}
