//! The daemon's own log, in libvirt's form: time, process, level, message.

use api::{errno_text, stamp};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::SystemTime;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Where lines go and which do.
#[derive(Debug, Default)]
pub struct Outputs {
    list: Vec<(u32, Output)>,
    /// As in the settings.
    text: String,
}

#[derive(Debug)]
enum Output {
    Stderr,
    File(File),
    /// With the name that the lines carry.
    Syslog(UnixDatagram, String),
    Journal(UnixDatagram),
}

/// An output as it is named.
enum Target<'a> {
    Stderr,
    Journal,
    Syslog(&'a str),
    File(&'a str),
}

impl Target<'_> {
    fn open(&self) -> std::io::Result<Output> {
        Ok(match self {
            Target::Stderr => Output::Stderr,
            Target::Journal => Output::Journal(socket()?),
            Target::Syslog(name) => Output::Syslog(socket()?, name.to_string()),
            Target::File(path) => Output::File(OpenOptions::new().create(true).append(true).open(path)?),
        })
    }
}

fn level_and_target(item: &str) -> Result<(u32, Target<'_>), String> {
    let target = |text| match text {
        "stderr" => Some(Target::Stderr),
        "journald" => Some(Target::Journal),
        _ => match text.split_once(':')? {
            ("syslog", name) => Some(Target::Syslog(name)),
            ("file", path) => Some(Target::File(path)),
            _ => None,
        },
    };
    split_level(item).and_then(|(level, text)| Some((level, target(text)?))).ok_or_else(|| {
        let forms = "stderr, journald, syslog:NAME or file:PATH";
        format!(
            "Malformed format for log output '{item}': expected LEVEL:TARGET, LEVEL being 1 to 4 and TARGET {forms}"
        )
    })
}

/// A log that is stuck loses lines; the daemon does not wait for it.
fn socket() -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

impl Output {
    /// A log that cannot be written has nowhere to say so.
    fn write(&mut self, level: u32, message: &str, line: &str) {
        _ = match self {
            Output::Stderr => std::io::stderr().write_all(line.as_bytes()),
            Output::File(file) => file.write_all(line.as_bytes()),
            Output::Syslog(socket, name) => {
                /// The facility of system daemons.
                const DAEMON: u32 = 3 << 3;
                let datagram = format!("<{}>{name}[{}]: {message}", DAEMON | severity(level), std::process::id());
                socket.send_to(datagram.as_bytes(), "/dev/log").map(drop)
            }
            Output::Journal(socket) => {
                let mut datagram =
                    format!("PRIORITY={}\nSYSLOG_IDENTIFIER=virtlxcd\nMESSAGE\n", severity(level)).into_bytes();
                datagram.extend((message.len() as u64).to_le_bytes());
                datagram.extend(message.bytes());
                datagram.push(b'\n');
                socket.send_to(&datagram, "/run/systemd/journal/socket").map(drop)
            }
        };
    }
}

/// As syslog counts.
fn severity(level: u32) -> u32 {
    match level {
        4 => 3,
        3 => 4,
        2 => 6,
        _ => 7,
    }
}

/// Levels for parts of the program, before the general level.
#[derive(Debug, Default)]
pub struct Filters {
    /// (level, part of a module's name)
    list: Vec<(u32, String)>,
    text: String,
}

#[derive(Debug, Default)]
struct Log {
    outputs: Outputs,
    filters: Filters,
    level: u32,
}

static LOG: OnceLock<Mutex<Log>> = OnceLock::new();

impl Outputs {
    /// `LEVEL:TARGET`, separated by blanks. Empty: standard error. Files and sockets are opened.
    pub fn parse(text: &str) -> Result<Outputs, String> {
        let text = if text.trim().is_empty() { "1:stderr" } else { text };
        let mut list = Vec::new();
        for item in text.split_whitespace() {
            let (level, target) = level_and_target(item)?;
            let opened = target.open().map_err(|e| format!("log output '{item}': {}", errno_text(&e)))?;
            list.push((level, opened));
        }
        Ok(Outputs { list, text: text.to_string() })
    }

    /// Whether it is of that form; nothing is opened.
    pub fn check(text: &str) -> Result<(), String> {
        text.split_whitespace().try_for_each(|item| level_and_target(item).map(drop))
    }
}

impl Filters {
    /// `LEVEL:NAME`, separated by blanks: modules with NAME in their name log from LEVEL on.
    pub fn parse(text: &str) -> Result<Filters, String> {
        let mut list = Vec::new();
        for item in text.split_whitespace() {
            let wrong = || format!("Malformed format for filter '{item}': expected LEVEL:NAME, LEVEL being 1 to 4");
            let (level, name) = split_level(item).filter(|(_, name)| !name.is_empty()).ok_or_else(wrong)?;
            list.push((level, name.to_string()));
        }
        Ok(Filters { list, text: text.to_string() })
    }
}

fn split_level(item: &str) -> Option<(u32, &str)> {
    let (level, rest) = item.split_once(':')?;
    Some((level.parse().ok().filter(|level| (1..=4).contains(level))?, rest))
}

/// Begins logging: everything from `level` on, to each output what it wants of that.
pub fn start(level: u32, outputs: Outputs, filters: Filters) {
    change(level, outputs, Some(filters));
    let subscriber = tracing_subscriber::registry().with(Lines);
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        tracing::debug!("logging has begun already");
    }
}

/// Takes new settings. Without filters those that are there stay.
pub fn change(level: u32, outputs: Outputs, filters: Option<Filters>) {
    let mut log = log();
    log.level = level;
    log.outputs = outputs;
    if let Some(filters) = filters {
        log.filters = filters;
    }
    drop(log);
    tracing::callsite::rebuild_interest_cache();
}

pub fn set_outputs(outputs: Outputs) {
    log().outputs = outputs;
}

pub fn set_filters(filters: Filters) {
    log().filters = filters;
    tracing::callsite::rebuild_interest_cache();
}

pub fn outputs_text() -> String {
    log().outputs.text.clone()
}

pub fn filters_text() -> String {
    log().filters.text.clone()
}

/// Why the daemon ends, for those who do not see its standard error, where the caller says it.
pub fn last_words(why: &str) {
    const ERROR: u32 = 4;
    let line = line(ERROR, why);
    for (_, output) in log().outputs.list.iter_mut().filter(|(_, output)| !matches!(output, Output::Stderr)) {
        output.write(ERROR, why, &line);
    }
}

fn line(level: u32, message: &str) -> String {
    format!("{}: {}: {} : {message}\n", stamp(SystemTime::now()), std::process::id(), word(level))
}

fn log() -> MutexGuard<'static, Log> {
    LOG.get_or_init(Mutex::default).lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let log = log();
        let filter = log.filters.list.iter().find(|(_, name)| metadata.target().contains(name.as_str()));
        number(metadata.level()) >= filter.map_or(log.level, |(level, _)| *level)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let level = number(event.metadata().level());
        let line = line(level, &message.0);
        for (_, output) in log().outputs.list.iter_mut().filter(|(least, _)| level >= *least) {
            output.write(level, &message.0, &line);
        }
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

fn number(level: &Level) -> u32 {
    match *level {
        Level::ERROR => 4,
        Level::WARN => 3,
        Level::INFO => 2,
        _ => 1,
    }
}

fn word(level: u32) -> &'static str {
    match level {
        4 => "error",
        3 => "warning",
        2 => "info",
        _ => "debug",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_checked() {
        assert_eq!(Outputs::parse("").unwrap().list.len(), 1);
        assert_eq!(Outputs::parse("1:stderr 3:syslog:virtlxcd 2:journald").unwrap().list.len(), 3);
        for wrong in ["stderr", "5:stderr", "1:pigeon", "1:file:/nowhere/at/all/x"] {
            assert!(Outputs::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Filters::parse("1:rpc 4:network").unwrap().list.len(), 2);
        for wrong in ["rpc", "0:rpc", "1:"] {
            assert!(Filters::parse(wrong).is_err(), "{wrong}");
        }
    }
}
