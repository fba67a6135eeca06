//! A strict JSON reader.
//!
//! Common readers let the last of two members with one name win, so two programs can read one
//! token differently (RFC 7515 §4, RFC 7519 §4). This one refuses duplicates after unescaping,
//! data after the value, a byte order mark, lone surrogates, invalid UTF-8 and deep nesting.

mod reader;
mod value;

pub use value::{Object, Value};

/// How much JSON is read before it is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The longest text, in bytes.
    pub bytes_max: usize,
    /// How many arrays and objects may lie in one another.
    pub depth_max: usize,
}

impl Limits {
    /// The limits for the header and the claims of a token: 16,384 bytes, 32 levels.
    pub const TOKEN: Self = Self {
        bytes_max: 16_384,
        depth_max: 32,
    };
}

/// Why a text was refused. It never repeats the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// Longer than [`Limits::bytes_max`].
    #[error("expected a shorter text")]
    TooLong,
    /// Nested deeper than [`Limits::depth_max`].
    #[error("expected less nesting")]
    TooDeep,
    /// Not UTF-8 (RFC 8259 §8.1).
    #[error("expected UTF-8")]
    NotUtf8,
    /// Two members of one object have the same name.
    #[error("expected each member name once")]
    Duplicate,
    /// A number beyond what a double holds.
    #[error("expected a number of ordinary size")]
    NumberTooBig,
    /// Not the grammar of RFC 8259.
    #[error("expected JSON")]
    Syntax,
}

/// Reads one JSON value that fills `bytes`.
///
/// # Errors
/// When the text is not JSON, is beyond the limits, or names a member twice.
///
/// # Security
/// The time is bounded by n·log n of the length. No hashing of names that a caller chose, so
/// there are no collisions to aim for.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, JsonFault> {
    if bytes.len() > limits.bytes_max {
        return Err(JsonFault::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| JsonFault::NotUtf8)?;
    reader::read(text, limits.depth_max)
}

#[cfg(test)]
mod tests;
