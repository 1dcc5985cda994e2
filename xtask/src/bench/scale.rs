//! Many containers at once on one daemon, started by one client; some of them on Debian's libvirt too, where that is installed.

use super::daemons::{Client, controller_memory, has_libvirt, libvirtd, memory_of, processor_time};
use super::{ROOT, SLEEP, summary};
use crate::Result;
use ::tests::daemon::Daemon;
use ::tests::documents::domain;
use rpc::remote::NonnullDomain;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// So many on both: libvirt takes seconds for each that it ends.
const BESIDE: usize = 100;
const ENDED_BY_LIBVIRT: usize = 10;

pub fn measure(count: usize) -> Result<Value> {
    let mut result = ours(count)?;
    if has_libvirt() {
        let beside = count.min(BESIDE);
        // Last: version 2 of cgroups is hidden from it.
        result["beside"] = json!({ "virtlxc": ours(beside)?, "libvirt": libvirt(beside)? });
    }
    Ok(result)
}

fn ours(count: usize) -> Result<Value> {
    let daemon = Daemon::start();
    let pid = daemon.pid().to_string();
    let client = Client::open()?;
    let (domains, mut result) = fill(&client, count)?;
    let (_, mut list) = client.list()?;
    let mut statistics = client.statistics();
    // Questions can be asked again: whatever else the machine does makes an answer only later.
    let before = processor_time(&pid);
    const AGAIN: u32 = 4;
    for _ in 0..AGAIN {
        list = list.min(client.list()?.1);
        statistics = statistics.min(client.statistics());
    }
    let processor = processor_time(&pid).saturating_sub(before) / AGAIN;
    result["list_all"] = milliseconds(list).into();
    result["statistics_of_all"] = statistics.map(milliseconds).into();
    result["statistics_and_list_on_processor"] = milliseconds(processor).into();
    result["daemon_kib"] = memory_of(&pid);
    drop(client);
    drop(daemon);
    // Ready to serve, and all that runs is found: then it is in the background.
    let begun = Instant::now();
    let _daemon = Daemon::start();
    result["daemon_restart"] = milliseconds(begun.elapsed()).into();
    let client = Client::open()?;
    let begun = Instant::now();
    let ends = domains.iter().map(|dom| client.destroy(dom)).collect::<Result<Vec<_>>>()?;
    result["destroy_all"] = milliseconds(begun.elapsed()).into();
    result["destroy"] = summary(&ends);
    domains.iter().try_for_each(|dom| client.undefine(dom))?;
    Ok(result)
}

fn libvirt(count: usize) -> Result<Value> {
    let _daemon = libvirtd();
    let client = Client::open()?;
    let (domains, mut result) = fill(&client, count)?;
    result["list_all"] = milliseconds(client.list()?.1).into();
    let pid = std::fs::read_to_string("/run/libvirtd.pid").unwrap_or_default();
    result["daemon_kib"] = memory_of(pid.trim());
    let some = domains.iter().take(ENDED_BY_LIBVIRT);
    let ends = some.map(|dom| client.destroy(dom)).collect::<Result<Vec<_>>>()?;
    result["destroy"] = summary(&ends);
    Ok(result)
}

/// Defines and starts so many.
fn fill(client: &Client, count: usize) -> Result<(Vec<NonnullDomain>, Value)> {
    let names: Vec<String> = (1..=count).map(|number| format!("bench{number}")).collect();
    let begun = Instant::now();
    let domains =
        names.iter().map(|name| client.define(&domain(name, ROOT, &SLEEP, ""))).collect::<Result<Vec<_>>>()?;
    let define = begun.elapsed();
    let begun = Instant::now();
    let starts = domains.iter().map(|dom| client.start(dom)).collect::<Result<Vec<_>>>()?;
    let start = begun.elapsed();
    let (listed, _) = client.list()?;
    if listed != count {
        return Err(format!("{count} domains were started, {listed} are listed"));
    }
    let controllers = |what: &str| names.iter().filter_map(|name| controller_memory(name)[what].as_u64()).sum::<u64>();
    // The machine is never quiet for long: of a tenth of all starts the middle one, at the beginning and at the end.
    let tenths: Vec<f64> = tenths(&starts).map(middle).collect();
    let (first, last) = (tenths.first().copied().unwrap_or_default(), tenths.last().copied().unwrap_or_default());
    let result = json!({
        "unit": "ms",
        "containers": count,
        "define_all": milliseconds(define),
        "start_all": milliseconds(start),
        "start": summary(&starts),
        "start_of_each_tenth": tenths,
        "growth": (last / first.max(f64::MIN_POSITIVE) * 100.0).round() / 100.0,
        "controllers_rss_kib": controllers("rss"),
        "controllers_anonymous_kib": controllers("anonymous"),
    });
    Ok((domains, result))
}

/// All of them in ten parts, as equal as they can be; fewer than ten by themselves.
fn tenths(times: &[Duration]) -> impl Iterator<Item = &[Duration]> {
    let (count, parts) = (times.len(), times.len().min(10));
    (0..parts).map(move |part| times.get(part * count / parts..(part + 1) * count / parts).unwrap_or_default())
}

fn middle(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().map(milliseconds).unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::tenths;
    use std::time::Duration;

    #[test]
    fn tenths_are_ten_and_all() {
        let times: Vec<Duration> = (0..119).map(Duration::from_millis).collect();
        for count in [0, 1, 9, 10, 19, 20, 101, 109, 119] {
            let times = &times[..count];
            let parts: Vec<&[Duration]> = tenths(times).collect();
            assert_eq!((parts.len(), parts.concat().as_slice()), (count.min(10), times));
            let lengths = || parts.iter().map(|part| part.len());
            assert!(lengths().max().unwrap_or(0) - lengths().min().unwrap_or(0) <= 1, "{count}");
        }
    }
}
