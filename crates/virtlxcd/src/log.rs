//! The daemon's own log, in libvirt's form: time, process, level, message.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Where lines go and which do: replaced as a whole when the settings are read again.
#[derive(Debug, Default)]
pub struct Outputs {
    list: Vec<(u32, Output)>,
    /// The texts of the settings, for the admin interface.
    pub text: String,
}

#[derive(Debug)]
enum Output {
    Stderr,
    File(File),
}

static OUTPUTS: OnceLock<Mutex<Outputs>> = OnceLock::new();
static LEVEL: AtomicU32 = AtomicU32::new(3);

impl Outputs {
    /// `LEVEL:stderr` and `LEVEL:file:PATH`, separated by blanks. Empty: standard error.
    pub fn parse(text: &str) -> Result<Outputs, String> {
        let mut list = Vec::new();
        for item in text.split_whitespace() {
            let wrong = || format!("log output '{item}': expected LEVEL:stderr or LEVEL:file:PATH, LEVEL being 1 to 4");
            let (level, target) = item.split_once(':').ok_or_else(wrong)?;
            let level = level.parse().ok().filter(|level| (1..=4).contains(level)).ok_or_else(wrong)?;
            let output = match target.split_once(':') {
                None if target == "stderr" => Output::Stderr,
                Some(("file", path)) => {
                    let path = PathBuf::from(path);
                    let file = OpenOptions::new().create(true).append(true).open(&path);
                    Output::File(file.map_err(|e| format!("log output '{}': {e}", path.display()))?)
                }
                _ => return Err(wrong()),
            };
            list.push((level, output));
        }
        if list.is_empty() {
            list.push((1, Output::Stderr));
        }
        Ok(Outputs { list, text: text.to_string() })
    }
}

/// Begins logging: everything from `level` on, to each output what it wants of that.
pub fn start(level: u32, outputs: Outputs) {
    change(level, outputs);
    let subscriber = tracing_subscriber::registry().with(Lines);
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        tracing::debug!("logging has begun already");
    }
}

/// Takes new settings.
pub fn change(level: u32, outputs: Outputs) {
    LEVEL.store(level, Ordering::Relaxed);
    let place = OUTPUTS.get_or_init(Mutex::default);
    *place.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = outputs;
    tracing::callsite::rebuild_interest_cache();
}

pub fn level() -> u32 {
    LEVEL.load(Ordering::Relaxed)
}

pub fn outputs_text() -> String {
    let Some(place) = OUTPUTS.get() else { return String::new() };
    place.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).text.clone()
}

struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        number(metadata.level()) >= level()
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let level = number(event.metadata().level());
        let line = format!("{}: {}: {} : {}\n", time(SystemTime::now()), std::process::id(), word(level), message.0);
        let Some(place) = OUTPUTS.get() else { return };
        let mut outputs = place.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for (_, output) in outputs.list.iter_mut().filter(|(least, _)| level >= *least) {
            // There is nowhere to say that a log cannot be written.
            _ = match output {
                Output::Stderr => std::io::stderr().write_all(line.as_bytes()),
                Output::File(file) => file.write_all(line.as_bytes()),
            };
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
        assert!(Outputs::parse("1:stderr").is_ok());
        for wrong in ["stderr", "5:stderr", "1:pigeon", "1:file:/nowhere/at/all/x"] {
            assert!(Outputs::parse(wrong).is_err(), "{wrong}");
        }
    }
}
