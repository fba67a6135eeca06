//! The configuration: defaults < `hallpass.toml` < `HALLPASS_…` in the environment < flags.
//!
//! The only module that reads files and the environment.

mod data;
mod load;
mod paths;
mod plan;
mod reference;
mod schema;
mod unsaid;
mod values;

pub(crate) use data::{MasterSecrets, master_secrets, private_key_text};
pub(crate) use load::{ConfigFaults, Flag, load};
pub(crate) use plan::Plan;
pub(crate) use reference::reference;
pub(crate) use schema::{Config, Log};
pub(crate) use values::LogFormat;
