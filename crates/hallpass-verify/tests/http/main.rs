//! The gate as a request meets it: tokens signed with a real key, headers in, verdict out.
#![cfg(test)]

#[cfg(feature = "axum")]
mod asked_for;
mod asking;
#[cfg(feature = "axum")]
mod axum_layer;
#[cfg(feature = "axum")]
mod error_shape;
mod gate_cases;
mod gate_table;
mod locations;
mod proof;
mod support;
