//! The gate for axum: a layer that decides once per request, and the extractors [`Caller`],
//! [`MaybeCaller`] and [`Fresh`].
//!
//! [`Caller`]: crate::Caller

mod extract;
mod layer;

pub use extract::{Fresh, MaybeCaller, Rejection};
pub use layer::{GateFuture, GateLayer, GateService};
