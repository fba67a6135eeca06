//! The gate for axum: a layer that decides once per request, and the extractors [`Caller`],
//! [`MaybeCaller`] and [`Fresh`]. [`ErrorShape`] says errors in the app's own words.
//!
//! [`Caller`]: crate::Caller

mod extract;
mod layer;
mod shape;

pub use extract::{Fresh, MaybeCaller, Rejection};
pub use layer::{GateFuture, GateLayer, GateService};
pub use shape::{ErrorShape, ErrorShapeFuture, ErrorShapeService};
