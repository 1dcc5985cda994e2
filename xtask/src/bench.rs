//! `cargo xtask bench`: how long a container's start and end take, beside the kernel's work alone and, where they are
//! installed, Debian's libvirt, LXC and runc; all in one run in the sandbox, medians as a table and as JSON.
//!
//! A start counts from the call on a connection that is kept until its answer, or from the spawn of the program where
//! there is no daemon, spawning included. PID 1 is a `sleep`, which ignores SIGTERM as every init does that handles it not.

mod console;
mod daemons;
mod features;
mod floor;
mod peers;
mod scale;
mod table;

use crate::packages::{self, BUSYBOX, DNSMASQ, IPROUTE, NFTABLES};
use crate::{Result, build, run, sandbox};
pub use floor::command as floor;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The root of every container here.
const ROOT: &str = "/opt/bench";
const SLEEP: [&str; 2] = ["/bin/sleep", "100000"];

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Every program that is installed.
    All,
    /// Ours and the kernel's work only.
    Alone,
    /// What each feature adds to a start of ours.
    Features,
    /// How fast output comes to a client.
    Console,
}

struct Options {
    runs: usize,
    /// So many containers at once, instead.
    scale: Option<usize>,
    what: What,
    file: PathBuf,
}

pub fn command(arguments: &[String]) -> Result<u8> {
    let options = parse(arguments)?;
    packages::ensure(&[BUSYBOX, DNSMASQ, NFTABLES, IPROUTE])?;
    build::build()?;
    let folder = options.file.parent().map(Path::to_path_buf).unwrap_or_default();
    std::fs::create_dir_all(&folder).map_err(|error| format!("creating {}: {error}", folder.display()))?;
    let mut inside: Vec<String> = vec![
        run::program()?.display().to_string(),
        "bench-inside".into(),
        options.file.display().to_string(),
        options.runs.to_string(),
        options.scale.unwrap_or(0).to_string(),
    ];
    inside.push(format!("{:?}", options.what));
    sandbox::run_inside(&sandbox::Options { writable: vec![folder], ..Default::default() }, &inside)
}

/// The sandbox's part.
pub fn inside(arguments: &[String]) -> Result<u8> {
    let [file, runs, scale, what] = arguments else { return Err("bench-inside was told too little".into()) };
    let number = |text: &String| text.parse::<usize>().map_err(|_| format!("'{text}' is no number"));
    let (runs, scale) = (number(runs)?, number(scale)?);
    ::tests::image::busybox(Path::new(ROOT), "exec sleep 100000").map_err(|error| format!("making {ROOT}: {error}"))?;
    let result = match (scale, what.as_str()) {
        (0, "Features") => features::measure(runs)?,
        (0, "Console") => console::measure(runs.min(5))?,
        (0, what) => medians(runs, what == "Alone")?,
        (count, _) => scale::measure(count)?,
    };
    print!("{}", if result["features"].is_array() { features::shown(&result) } else { table::shown(&result) });
    let text = serde_json::to_string_pretty(&result).map_err(|error| error.to_string())? + "\n";
    std::fs::write(file, text).map_err(|error| format!("writing {file}: {error}"))?;
    println!("\nAs JSON: {file}");
    Ok(0)
}

/// Every program in turn; the kernel's work before and after, for a machine's speed may change meanwhile.
fn medians(runs: usize, alone: bool) -> Result<Value> {
    let mut kernel = floor::Figures::default();
    let mut programs = Vec::new();
    kernel.add(floor::measure(runs)?);
    programs.push(daemons::ours(runs)?);
    kernel.add(floor::measure(runs)?);
    if !alone {
        programs.extend(peers::lxc(runs)?);
        programs.extend(peers::runc(runs)?);
        kernel.add(floor::measure(runs)?);
        // Last: it cannot start a container while version 2 of cgroups is mounted beside version 1, so that is hidden from it.
        programs.extend(daemons::libvirt(runs.min(10))?);
    }
    Ok(json!({ "unit": "ms", "runs": runs, "kernel": kernel.json(), "programs": programs }))
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options = Options { runs: 30, scale: None, what: What::All, file: run::target()?.join("bench/bench.json") };
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{option} needs a value"));
        let number = |text: &String| {
            text.parse::<usize>().ok().filter(|number| *number > 0).ok_or_else(|| format!("{option} needs a number"))
        };
        match option.as_str() {
            "--runs" => options.runs = number(value()?)?,
            "--scale" => options.scale = Some(number(value()?)?),
            "--alone" => options.what = What::Alone,
            "--features" => options.what = What::Features,
            "--console" => options.what = What::Console,
            "--json" => {
                let file = value()?;
                options.file = std::path::absolute(file).map_err(|error| format!("{file}: {error}"))?;
            }
            _ => return Err("expected [--runs N] [--alone | --features | --console] [--scale N] [--json FILE]".into()),
        }
    }
    Ok(options)
}

/// Of several measurements the middle one, the least, and the one that only a twentieth exceeds; in milliseconds.
fn summary(times: &[Duration]) -> Value {
    let mut sorted: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let index = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
        let value = sorted.get(index).copied().unwrap_or(f64::NAN);
        (value * 1000.0).round() / 1000.0
    };
    json!({ "median": at(0.5), "min": at(0.0), "p95": at(0.95) })
}

#[cfg(test)]
mod tests {
    use super::summary;
    use std::time::Duration;

    #[test]
    fn the_middle_of_what_was_measured() {
        let times: Vec<Duration> = (1..=21).rev().map(Duration::from_millis).collect();
        let summary = summary(&times);
        assert_eq!(summary["median"], 11.0);
        assert_eq!(summary["min"], 1.0);
        assert_eq!(summary["p95"], 20.0);
    }
}
