//! How the program ends, and what it says.

use crate::config::ConfigFaults;
use std::error::Error;
use std::fmt;
use std::io::Write as _;

/// Why the program ends without having done its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The configuration or the command is wrong: exit code 2.
    Usage(ConfigFaults),
    /// Something else went wrong: exit code 1.
    Run(Box<dyn Error + Send + Sync>),
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.downcast::<ConfigFaults>() {
            Ok(faults) => Self::Usage(*faults),
            Err(error) => Self::Run(error),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(faults) => write!(f, "{faults}"),
            Self::Run(error) => {
                write!(f, "{error}")?;
                let mut source = error.source();
                while let Some(cause) = source {
                    write!(f, ": {cause}")?;
                    source = cause.source();
                }
                Ok(())
            }
        }
    }
}

/// Writes a line to standard output. A reader that went away is none of our business.
pub(crate) fn say(line: impl fmt::Display) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
