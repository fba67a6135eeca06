//! What can be done, one file for each flow.

mod end;
mod end_token;
mod inspect;
mod keys;
mod lone;
mod open;
mod refresh;
mod roles;
mod sign_in;
mod sign_up;

pub use inspect::{Introspected, IntrospectedRefresh, TICKET_TTL};
pub use lone::{AUDIENCES_LEN_MAX, AccessGrant, Freshness, LoneToken};
pub use open::{Issued, Opening};
pub use refresh::{
    IDEMPOTENCY_KEY_LEN_MAX, IDEMPOTENCY_KEY_LEN_MIN, IdempotencyKey, InvalidIdempotencyKey,
};
pub use sign_in::SignIn;
pub use sign_up::SignUp;
