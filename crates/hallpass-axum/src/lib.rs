//! The listener and the routes.
