//! `/proc/cpuinfo`, `/proc/stat` (proc_stat(5)) and the list of processors under `/sys`.

use linux::cgroup::CpuTime;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Those of `online` that are allowed, no more than the quota (period and microseconds in it) has time for.
pub fn shown(online: &[u32], allowed: &[u32], quota: Option<(u64, i64)>) -> Vec<u32> {
    let mut shown: Vec<u32> =
        online.iter().copied().filter(|number| allowed.is_empty() || allowed.contains(number)).collect();
    if shown.is_empty() {
        shown = online.to_vec();
    }
    if let Some((period, quota)) = quota {
        if let (Ok(quota), true) = (u64::try_from(quota), period > 0) {
            let count = usize::try_from(quota.div_ceil(period)).unwrap_or(usize::MAX);
            shown.truncate(count.max(1));
        }
    }
    shown
}

/// `0-3,5` as numbers. The kernel has at most some thousands of processors; a list of more is cut.
pub fn parse_list(list: &str) -> Vec<u32> {
    const MOST: usize = 1 << 16;
    let ranges = list.trim().split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.trim().parse::<u32>().ok()?..=last.trim().parse::<u32>().ok()?)
    });
    ranges.flatten().take(MOST).collect()
}

/// Numbers as `0-3,5`, with the end of line that the file has.
pub fn list(numbers: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let shown = ranges.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    shown.collect::<Vec<_>>().join(",") + "\n"
}

/// The machine's paragraphs of the processors shown; text of another form, as some architectures have, stays.
pub fn cpuinfo(host: &str, shown: &[u32]) -> String {
    let mut text = String::with_capacity(host.len());
    for paragraph in host.split_inclusive("\n\n") {
        let number = paragraph.lines().next().and_then(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == "processor").then(|| value.trim().parse::<u32>().ok())?
        });
        if number.is_none_or(|number| shown.contains(&number)) {
            text += paragraph;
        }
    }
    text
}

/// What the container has used of the processors.
pub struct Times {
    /// Nanoseconds on each of the machine's processors; none where they are not told apart.
    pub each: Option<Vec<u64>>,
    pub total: CpuTime,
    /// How long it has been running.
    pub since: Duration,
}

/// Lines of the machine's file with the container's time, in hundredths of a second; what only the machine knows,
/// as interrupts, is nought.
pub fn stat(host: &str, shown: &[u32], times: &Times, tasks: u64) -> String {
    let hundredths = |nanoseconds: u64| nanoseconds / 10_000_000;
    let since = hundredths(u64::try_from(times.since.as_nanos()).unwrap_or(u64::MAX));
    let total = times.total;
    // The two parts are counted in coarser steps than their sum.
    let parts = (total.user + total.system).max(1);
    let line = |name: &str, used: u64, room: u64| {
        let user =
            hundredths(u64::try_from(u128::from(used) * u128::from(total.user) / u128::from(parts)).unwrap_or(0));
        let system = hundredths(used).saturating_sub(user);
        format!("{name} {user} 0 {system} {} 0 0 0 0 0 0\n", room.saturating_sub(user + system))
    };
    let mut text = String::with_capacity(1024);
    let count = shown.len().max(1) as u64;
    text += &line("cpu ", total.total, since.saturating_mul(count));
    for number in shown {
        let used = match &times.each {
            Some(each) => each.get(*number as usize).copied().unwrap_or(0),
            None => total.total / count,
        };
        text += &line(&format!("cpu{number}"), used, since);
    }
    for line in host.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some(name @ ("intr" | "ctxt")) => text += &format!("{name} 0\n"),
            Some("softirq") => text += &format!("softirq{}\n", " 0".repeat(words.count())),
            Some("btime") => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                text += &format!("btime {}\n", now.saturating_sub(times.since).as_secs());
            }
            Some("processes") => text += &format!("processes {tasks}\n"),
            Some("procs_running") => text += "procs_running 1\n",
            Some("procs_blocked") => text += "procs_blocked 0\n",
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        for (text, numbers) in [("0-3,5\n", vec![0, 1, 2, 3, 5]), ("1\n", vec![1]), ("0,2,4-5\n", vec![0, 2, 4, 5])] {
            assert_eq!(parse_list(text), numbers);
            assert_eq!(list(&numbers), text);
        }
        assert_eq!(parse_list(""), Vec::<u32>::new());
        assert_eq!(parse_list("0-4294967295").len(), 1 << 16);
    }

    #[test]
    fn processors_by_set_and_quota() {
        let online = [0, 1, 2, 3];
        for (allowed, quota, expect) in [
            (&[][..], None, &[0, 1, 2, 3][..]),
            (&[1, 3, 9], None, &[1, 3]),
            (&[], Some((100_000, 150_000)), &[0, 1]),
            (&[2, 3], Some((100_000, 1000)), &[2]),
            (&[], Some((100_000, -1)), &[0, 1, 2, 3]),
            (&[9], None, &[0, 1, 2, 3]),
        ] {
            assert_eq!(shown(&online, allowed, quota), expect, "{allowed:?} {quota:?}");
        }
    }

    #[test]
    fn paragraphs_of_processors() {
        let host = "processor\t: 0\nmodel : x\n\nprocessor\t: 1\nmodel : y\n\n";
        assert_eq!(cpuinfo(host, &[1]), "processor\t: 1\nmodel : y\n\n");
        assert_eq!(cpuinfo("vendor_id : IBM/S390\n\n", &[0]), "vendor_id : IBM/S390\n\n");
    }

    #[test]
    fn time_is_the_containers() {
        const SECOND: u64 = 1_000_000_000;
        let times = Times {
            each: Some(vec![SECOND, 3 * SECOND]),
            total: CpuTime { total: 4 * SECOND, user: 3 * SECOND, system: SECOND },
            since: Duration::from_secs(10),
        };
        let host = "cpu  1 2 3 4\ncpu0 1 2\ncpu1 3 4\nintr 5 6 7\nctxt 8\nbtime 9\nprocesses 10\nprocs_running 11\n\
                    procs_blocked 12\nsoftirq 13 14 15\n";
        let text = stat(host, &[0, 1], &times, 6);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "cpu  300 0 100 1600 0 0 0 0 0 0");
        assert_eq!(lines[1], "cpu0 75 0 25 900 0 0 0 0 0 0");
        assert_eq!(lines[2], "cpu1 225 0 75 700 0 0 0 0 0 0");
        assert_eq!(&lines[3..5], ["intr 0", "ctxt 0"]);
        assert!(lines[5].starts_with("btime "));
        assert_eq!(&lines[6..], ["processes 6", "procs_running 1", "procs_blocked 0", "softirq 0 0 0"]);
        let together = stat(host, &[0], &Times { each: None, ..times }, 6);
        assert_eq!(together.lines().nth(1), Some("cpu0 300 0 100 600 0 0 0 0 0 0"));
    }
}
