//! Times as libvirt's logs have them.

use std::time::{SystemTime, UNIX_EPOCH};

/// `2026-11-23 20:08:01.123+0000`; what lies before 1970 is its beginning.
pub fn stamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs();
    let (year, month, day) = civil_date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:03}+0000", since.subsec_millis())
}

/// Year, month and day of a day counted from 1970-01-01, by eras of 400 years that begin on the first of March.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn stamps_are_civil_dates() {
        for (seconds, millis, text) in [
            (0, 5, "1970-01-01 00:00:00.005+0000"),
            (951_782_399, 0, "2000-02-28 23:59:59.000+0000"),
            (951_782_400, 0, "2000-02-29 00:00:00.000+0000"),
            (1_709_164_800, 0, "2024-02-29 00:00:00.000+0000"),
            (1_795_547_860, 93, "2026-11-24 19:17:40.093+0000"),
        ] {
            assert_eq!(stamp(UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_millis(millis)), text);
        }
    }
}
