//! Many containers at once on one daemon, started by one client.

use super::daemons::{Client, controller_memory, memory_of};
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
    let (listed, list) = client.list()?;
    if listed != count {
        return Err(format!("{count} domains were started, {listed} are listed"));
    }
    let statistics = client.statistics();
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
    let near = |at: usize| starts.get(at.min(starts.len().saturating_sub(5))..).unwrap_or_default().iter().take(5);
    let mean = |at: usize| near(at).sum::<Duration>().as_secs_f64() / near(at).count().max(1) as f64;
    Ok(json!({
        "unit": "ms",
        "containers": count,
        "define_all": milliseconds(define),
        "start_all": milliseconds(start_all),
        "start": summary(&starts),
        "growth": (mean(starts.len()) / mean(10) * 100.0).round() / 100.0,
        "list_all": milliseconds(list),
        "daemon_restart": milliseconds(restart),
        "controllers_rss_kib": controllers_rss,
        "statistics_of_all": statistics.map(milliseconds),
        "destroy_all": milliseconds(destroy_all),
        "destroy": summary(&ends),
        "daemon_kib": daemon_memory,
        "controllers_anonymous_kib": controllers,
    }))
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
