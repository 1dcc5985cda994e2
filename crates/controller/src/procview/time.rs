//! `/proc/uptime` and `/proc/loadavg` (proc_uptime(5), proc_loadavg(5)).
//!
//! The kernel looks every five seconds how many tasks want to run. We wake nobody for that: when somebody reads, the time that
//! was used since the last look tells how many tasks ran meanwhile on the average, and the same decay is applied at once.

use std::time::Duration;

/// How long it has been running, and how long its processors had nothing to do.
pub fn uptime(since: Duration, used: Duration, processors: usize) -> String {
    let idle = (since.as_secs_f64() * processors as f64 - used.as_secs_f64()).max(0.0);
    format!("{:.2} {idle:.2}\n", since.as_secs_f64())
}

/// Averages over one, five and fifteen minutes.
#[derive(Default)]
pub struct Load {
    averages: [f64; 3],
    last: (Duration, Duration),
}

impl Load {
    /// `at` is the time since the container's start, `used` the time its processes have used until then.
    pub fn update(&mut self, at: Duration, used: Duration) {
        let (last_at, last_used) = self.last;
        let elapsed = at.saturating_sub(last_at).as_secs_f64();
        // Two looks in a moment say nothing.
        if elapsed < 0.1 {
            return;
        }
        let running = used.saturating_sub(last_used).as_secs_f64() / elapsed;
        for (average, minutes) in self.averages.iter_mut().zip([1.0, 5.0, 15.0]) {
            let kept = (-elapsed / (minutes * 60.0)).exp();
            *average = *average * kept + running * (1.0 - kept);
        }
        self.last = (at, used);
    }
}

/// The averages, one task running of all there are, and no number of the latest process: that one is the machine's.
pub fn loadavg(load: &Load, tasks: u64) -> String {
    let [one, five, fifteen] = load.averages;
    format!("{one:.2} {five:.2} {fifteen:.2} 1/{tasks} {tasks}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_is_never_negative() {
        let seconds = Duration::from_secs;
        assert_eq!(uptime(seconds(10), seconds(5), 2), "10.00 15.00\n");
        assert_eq!(uptime(seconds(10), seconds(50), 2), "10.00 0.00\n");
    }

    #[test]
    fn the_load_follows_the_time_used() {
        let mut load = Load::default();
        assert_eq!(loadavg(&load, 3), "0.00 0.00 0.00 1/3 3\n");
        let mut used = Duration::ZERO;
        for second in 1..=3600 {
            used += Duration::from_secs(2);
            load.update(Duration::from_secs(second), used);
        }
        assert_eq!(loadavg(&load, 3), "2.00 2.00 1.96 1/3 3\n");
        // An hour without a look, and without work.
        load.update(Duration::from_secs(7200), used);
        assert_eq!(loadavg(&load, 3), "0.00 0.00 0.04 1/3 3\n");
    }
}
