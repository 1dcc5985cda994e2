//! Lines on standard error, which the daemon has directed to the domain's log, in the form that libvirt's tools expect.

use std::fmt::Display;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

pub fn error(message: impl Display) {
    line("error", message);
}

pub fn info(message: impl Display) {
    line("info", message);
}

fn line(level: &str, message: impl Display) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let pid = std::process::id();
    let text = format!("{}: {pid}: {level} : {message}\n", stamp(now.as_secs(), now.subsec_millis()));
    // There is no other place to complain.
    _ = std::io::stderr().write_all(text.as_bytes());
}

/// `2026-11-23 12:27:09.145+0000`
fn stamp(seconds: u64, millis: u32) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    // Days since the first of March of the year 0, in cycles of 400 years that begin with a March.
    let days = days + 719_468;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = days / 146_097 * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}+0000")
}

#[cfg(test)]
mod tests {
    use super::stamp;

    #[test]
    fn stamps_are_dates() {
        assert_eq!(stamp(0, 5), "1970-01-01 00:00:00.005+0000");
        assert_eq!(stamp(1_709_164_799, 0), "2024-02-28 23:59:59.000+0000");
        assert_eq!(stamp(1_709_164_800, 0), "2024-02-29 00:00:00.000+0000");
        assert_eq!(stamp(1_795_436_829, 145), "2026-11-23 12:27:09.145+0000");
    }
}
