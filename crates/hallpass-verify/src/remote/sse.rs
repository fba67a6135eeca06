//! `text/event-stream`, as the HTML standard has it, within limits.

use memchr::memchr2;

/// The longest line, in bytes.
pub(super) const LINE_LEN_MAX: usize = 524_288;

/// The most data of one event, in bytes.
pub(super) const EVENT_LEN_MAX: usize = 1_048_576;

/// Why the stream cannot be read on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum SseFault {
    #[error("expected lines of at most 512 kB")]
    LineTooLong,
    #[error("expected events of at most 1 MB")]
    EventTooLong,
    #[error("expected UTF-8")]
    NotUtf8,
}

/// One event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Event {
    /// Its name; empty when it has none.
    pub(super) name: String,
    pub(super) data: String,
    /// The last id that was told, by this event or an earlier one; empty when none was.
    pub(super) last_id: String,
}

/// Reads a stream, wherever it is cut into chunks.
#[derive(Default)]
pub(super) struct Parser {
    /// The beginning of the line that is not complete yet.
    line: Vec<u8>,
    /// A line ended with CR: an LF behind it belongs to it.
    after_cr: bool,
    name: String,
    data: String,
    last_id: String,
    lines: u64,
}

impl Parser {
    /// Reads on in `bytes` up to the end of the next event, and takes away what it has read.
    /// `None` when all of it is read.
    ///
    /// # Security
    /// Whatever the bytes, it keeps at most a line and an event, and returns no event before it
    /// is complete: what a broken connection cut off is never taken for the whole.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Event>, SseFault> {
        while let Some(first) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                *bytes = bytes.get(1..).unwrap_or_default();
                continue;
            }
            let end = memchr2(b'\r', b'\n', bytes);
            let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if self.line.len() + part.len() > LINE_LEN_MAX {
                return Err(SseFault::LineTooLong);
            }
            self.line.extend_from_slice(part);
            *bytes = rest.get(1..).unwrap_or_default();
            if end.is_some() {
                self.after_cr = rest.first() == Some(&b'\r');
                if let Some(event) = self.end_of_line()? {
                    return Ok(Some(event));
                }
            }
        }
        Ok(None)
    }

    /// Returns how many lines there have been, comments and empty ones too.
    pub(super) const fn lines(&self) -> u64 {
        self.lines
    }

    fn end_of_line(&mut self) -> Result<Option<Event>, SseFault> {
        let line = std::mem::take(&mut self.line);
        let mut line = std::str::from_utf8(&line).map_err(|_| SseFault::NotUtf8)?;
        if self.lines == 0 {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        self.lines += 1;
        if line.is_empty() {
            return Ok(self.end_of_event());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => self.add(value)?,
            "id" if !value.contains('\0') => value.clone_into(&mut self.last_id),
            // Comments have an empty name. `retry` is for browsers: our pace is our own.
            _ => {}
        }
        Ok(None)
    }

    fn add(&mut self, value: &str) -> Result<(), SseFault> {
        if self.data.len() + value.len() >= EVENT_LEN_MAX {
            return Err(SseFault::EventTooLong);
        }
        self.data.push_str(value);
        self.data.push('\n');
        Ok(())
    }

    /// An event without data is none.
    fn end_of_event(&mut self) -> Option<Event> {
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        data.pop()?;
        Some(Event {
            name,
            data,
            last_id: self.last_id.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
