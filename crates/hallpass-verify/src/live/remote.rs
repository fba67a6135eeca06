//! Long-lived connections of a service far from the issuer.

use super::LiveLayer;
use crate::remote::Remote;
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
