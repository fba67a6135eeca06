//! The log, on standard error: one event a line, and no field can forge a second one.

use crate::config::{Log, LogFormat};
use hallpass_axum::serve::RequestId;
use serde_json::{Map, Value};
use std::fmt::{self, Debug, Write as _};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts the log, and lets panics go there too.
pub(crate) fn start(log: &Log) {
    let lines = layer()
        .with_writer(std::io::stderr)
        .event_format(Lines(log.format.0));
    // Libraries are quiet below a warning: what they say at `debug` is not made for a log of ours.
    let levels = Targets::new()
        .with_default(Level::WARN.min(log.level.0))
        .with_targets([
            ("hallpass", log.level.0),
            ("hallpass_axum", log.level.0),
            ("hallpass_core", log.level.0),
            ("hallpass_io", log.level.0),
            ("hallpass_verify", log.level.0),
        ]);
    tracing_subscriber::registry()
        .with(lines)
        .with(levels)
        .init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let payload = panic.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let message = text.or_else(|| payload.downcast_ref::<&str>().copied());
        tracing::error!(target: "hallpass::panic", place, message, "a bug of ours");
    }));
}

/// Writes events as lines.
struct Lines(LogFormat);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some(id) = RequestId::current() {
            fields.0.push(("request", id.to_string().into()));
        }
        let about = event.metadata();
        let line = match self.0 {
            LogFormat::Human => human(&time, *about.level(), about.target(), fields.0),
            LogFormat::Json => json(time, *about.level(), about.target(), fields.0),
        };
        writeln!(writer, "{line}")
    }
}

/// The fields of an event, in order.
#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}").into()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name(), value.into()));
    }
}

fn human(time: &str, level: Level, target: &str, fields: Vec<(&'static str, Value)>) -> String {
    let mut line = format!("{time} {level:5} {target}");
    for (name, value) in fields {
        // Writing to a text does not fail.
        let _ = match (name, value) {
            ("message", Value::String(text)) => write!(line, ": {}", text.escape_debug()),
            (_, Value::String(text)) if is_plain(&text) => write!(line, " {name}={text}"),
            (_, Value::String(text)) => write!(line, " {name}={text:?}"),
            (_, other) => write!(line, " {name}={other}"),
        };
    }
    line
}

/// Needs no quotes to be told from what stands around it.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'=')
}

fn json(time: String, level: Level, target: &str, fields: Vec<(&'static str, Value)>) -> String {
    let mut members = Map::from_iter([
        ("time".to_owned(), Value::from(time)),
        ("level".to_owned(), level.as_str().into()),
        ("target".to_owned(), target.into()),
    ]);
    members.extend(
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    let mut line = String::new();
    // JSON leaves U+0080 and beyond as it is: C1 controls and marks of direction steer terminals.
    for character in Value::Object(members).to_string().chars() {
        if character.is_ascii_graphic() || character == ' ' {
            line.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(line, "\\u{unit:04x}");
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// What a client may send as its user agent.
    const FORGED: &str = "curl\r\n2026-11-21T00:00:00Z  INFO hallpass::audit event=signed_out\x1b[2K\u{9b}\u{2028}\u{202e}\", \"event\":\"x";

    fn logged(format: LogFormat, event: impl FnOnce()) -> String {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&written);
        let make = move || Sink(Arc::clone(&sink));
        let lines = layer().with_writer(make).event_format(Lines(format));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), event);
        let bytes = written.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn audit() {
        tracing::warn!(target: "hallpass::audit", event = "refresh_reused", user_agent = FORGED, tries = 3, "{FORGED}");
    }

    #[test]
    fn kl_02_no_field_can_forge_a_line_or_steer_a_terminal() {
        for format in [LogFormat::Human, LogFormat::Json] {
            let log = logged(format, audit);
            let line = log.strip_suffix('\n').unwrap();
            assert!(
                line.chars().all(|one| one.is_ascii_graphic() || one == ' '),
                "{line}"
            );
            assert_eq!(
                line.matches("event=refresh_reused").count()
                    + line.matches(r#""event":"refresh_reused""#).count(),
                1
            );
        }
    }

    #[test]
    fn kl_02_a_json_line_gives_back_what_was_sent_as_one_value() {
        let log = logged(LogFormat::Json, audit);
        let line: Value = serde_json::from_str(&log).unwrap();
        assert_eq!(line["user_agent"], FORGED);
        assert_eq!(line["event"], "refresh_reused");
        assert_eq!(line["tries"], 3);
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["target"], "hallpass::audit");
        assert!(line["time"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_human_line_reads_from_left_to_right() {
        let log = logged(LogFormat::Human, || {
            tracing::info!(target: "hallpass::audit", event = "signed_up", name = "Ada Lovelace", n = 1_u64, ok = true, "done");
        });
        let (_, rest) = log.split_once(' ').unwrap();
        assert_eq!(
            rest,
            "INFO  hallpass::audit: done event=signed_up name=\"Ada Lovelace\" n=1 ok=true\n"
        );
    }
}
