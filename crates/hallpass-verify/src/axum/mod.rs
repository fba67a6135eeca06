//! The gate for axum: a layer that decides once per request, and the extractors [`Caller`] and
//! [`MaybeCaller`].
//!
//! [`Caller`]: crate::Caller

mod extract;
mod layer;

pub use extract::{MaybeCaller, Rejection};
pub use layer::{GateFuture, GateLayer, GateService};
