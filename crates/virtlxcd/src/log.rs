//! The daemon's own log, in libvirt's form: time, process, level, message.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};
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

/// A log that is stuck loses lines; the daemon does not wait for it.
fn socket() -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

impl Output {
    fn parse(target: &str) -> Option<Result<Output, String>> {
        let opened = match target.split_once(':') {
            None if target == "stderr" => Ok(Output::Stderr),
            None if target == "journald" => socket().map(Output::Journal),
            Some(("syslog", name)) => socket().map(|socket| Output::Syslog(socket, name.to_string())),
            Some(("file", path)) => OpenOptions::new().create(true).append(true).open(path).map(Output::File),
            _ => return None,
        };
        Some(opened.map_err(|e| format!("log output '{target}': {e}")))
    }

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
    /// `LEVEL:TARGET`, separated by blanks. Empty: standard error.
    pub fn parse(text: &str) -> Result<Outputs, String> {
        let text = if text.trim().is_empty() { "1:stderr" } else { text };
        let mut list = Vec::new();
        for item in text.split_whitespace() {
            let wrong = || {
                let forms = "stderr, journald, syslog:NAME or file:PATH";
                format!(
                    "Malformed format for log output '{item}': expected LEVEL:TARGET, LEVEL being 1 to 4 and TARGET {forms}"
                )
            };
            let (level, target) = split_level(item).ok_or_else(wrong)?;
            let output = Output::parse(target).ok_or_else(wrong)??;
            list.push((level, output));
        }
        Ok(Outputs { list, text: text.to_string() })
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
    change(level, outputs, filters);
    let subscriber = tracing_subscriber::registry().with(Lines);
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        tracing::debug!("logging has begun already");
    }
}

/// Takes new settings.
pub fn change(level: u32, outputs: Outputs, filters: Filters) {
    *log() = Log { outputs, filters, level };
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
        let line = format!("{}: {}: {} : {}\n", time(SystemTime::now()), std::process::id(), word(level), message.0);
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

/// `2026-11-23 20:08:01.123+0000`.
fn time(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = ((since.as_secs() / 86_400) as i64, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02}.{:03}+0000", second % 60, since.subsec_millis())
}

/// The civil date of a day since 1970, in eras of 400 years that begin on the first of March.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_civil() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00.000+0000"),
            (951_782_400, "2000-02-29 00:00:00.000+0000"),
            (1_795_464_481, "2026-11-23 20:08:01.000+0000"),
        ] {
            assert_eq!(time(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }

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
