//! Many containers at once on one daemon, started by one client.

use super::daemons::{Client, controller_memory, memory_of, processor_time};
use super::{ROOT, SLEEP, summary};
use crate::Result;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::daemon::Daemon;
use tests::documents::domain;

pub fn measure(count: usize) -> Result<Value> {
    let daemon = Daemon::start();
    let client = Client::open()?;
    let begun = Instant::now();
    let names: Vec<String> = (1..=count).map(|number| format!("bench{number}")).collect();
    let domains =
        names.iter().map(|name| client.define(&domain(name, ROOT, &SLEEP, ""))).collect::<Result<Vec<_>>>()?;
    let define = begun.elapsed();
    let begun = Instant::now();
    let starts = domains.iter().map(|dom| client.start(dom)).collect::<Result<Vec<_>>>()?;
    let start_all = begun.elapsed();
    let (listed, mut list) = client.list()?;
    if listed != count {
        return Err(format!("{count} domains were started, {listed} are listed"));
    }
    let mut statistics = client.statistics();
    // Questions can be asked again: whatever else the machine does makes an answer only later.
    let before = processor_time(&daemon.pid().to_string());
    const AGAIN: u32 = 4;
    for _ in 0..AGAIN {
        list = list.min(client.list()?.1);
        statistics = statistics.min(client.statistics());
    }
    let processor = processor_time(&daemon.pid().to_string()).saturating_sub(before) / AGAIN;
    let daemon_memory = memory_of(&daemon.pid().to_string());
    let controllers: u64 = names.iter().filter_map(|name| controller_memory(name)["anonymous"].as_u64()).sum();
    let controllers_rss: u64 = names.iter().filter_map(|name| controller_memory(name)["rss"].as_u64()).sum();
    drop(client);
    drop(daemon);
    // Ready to serve, and all that runs is found: then it is in the background.
    let begun = Instant::now();
    let _daemon = Daemon::start();
    let restart = begun.elapsed();
    let client = Client::open()?;
    let begun = Instant::now();
    let ends = domains.iter().map(|dom| client.destroy(dom)).collect::<Result<Vec<_>>>()?;
    let destroy_all = begun.elapsed();
    // The machine is never quiet for long: of a tenth of all starts the middle one, at the beginning and at the end.
    let tenth = (starts.len() / 10).max(1);
    let middle = |part: &[Duration]| {
        let mut sorted = part.to_vec();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default().as_secs_f64()
    };
    let tenths: Vec<f64> = starts.chunks(tenth).map(|part| (middle(part) * 100_000.0).round() / 100.0).collect();
    let growth = middle(starts.get(starts.len() - tenth..).unwrap_or_default())
        / middle(starts.get(..tenth).unwrap_or_default()).max(f64::MIN_POSITIVE);
    Ok(json!({
        "unit": "ms",
        "containers": count,
        "define_all": milliseconds(define),
        "start_all": milliseconds(start_all),
        "start": summary(&starts),
        "start_of_each_tenth": tenths,
        "growth": (growth * 100.0).round() / 100.0,
        "list_all": milliseconds(list),
        "daemon_restart": milliseconds(restart),
        "controllers_rss_kib": controllers_rss,
        "statistics_of_all": statistics.map(milliseconds),
        "statistics_and_list_on_processor": milliseconds(processor),
        "destroy_all": milliseconds(destroy_all),
        "destroy": summary(&ends),
        "daemon_kib": daemon_memory,
        "controllers_anonymous_kib": controllers,
    }))
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
