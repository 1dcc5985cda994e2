//! `cargo xtask test`: the levels of tests, one after the other, with a summary.

mod images;
mod qemu;
mod units;
mod whole;

pub use units::limited;

use crate::{Result, tidy};
use std::time::{Duration, Instant};

/// One level: its name on the command line, what it is, and how it runs with the filters given; it answers with a summary.
struct Level {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<String>,
    /// Only when it is named.
    on_request: bool,
}

const LEVELS: &[Level] = &[
    Level { name: "tidy", about: "the house rules", run: rules, on_request: false },
    Level { name: "unit", about: "each crate by itself", run: units::run, on_request: false },
    Level {
        name: "whole",
        about: "whole programs, each test in a sandbox of its own",
        run: whole::run,
        on_request: false,
    },
    Level { name: "qemu", about: "an emulated machine with cgroup v2 only", run: qemu::run, on_request: false },
    Level {
        name: "reference",
        about: "what is recorded of Debian's libvirt, held against it again",
        run: whole::reference,
        on_request: true,
    },
];

/// Runs the levels that are named, or all but those on request; what follows `--` picks tests by parts of their names.
pub fn command(arguments: &[String]) -> Result<u8> {
    let mut parts = arguments.splitn(2, |argument| argument == "--");
    let (names, filters) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if let Some(unknown) = names.iter().find(|name| !LEVELS.iter().any(|level| level.name == name.as_str())) {
        let names: Vec<&str> = LEVELS.iter().map(|level| level.name).collect();
        return Err(format!("there is no level '{unknown}'; the levels are {}", names.join(", ")));
    }
    let mut lines = Vec::new();
    let mut failed = false;
    let wanted = |level: &&Level| match names {
        [] => !level.on_request,
        names => names.iter().any(|name| name == level.name),
    };
    for level in LEVELS.iter().filter(wanted) {
        println!("== {}: {}", level.name, level.about);
        let begun = Instant::now();
        let outcome = (level.run)(filters);
        failed |= outcome.is_err();
        lines.push(line(level.name, &outcome, begun.elapsed()));
    }
    println!("\n{}", lines.join("\n"));
    Ok(u8::from(failed))
}

fn line(name: &str, outcome: &Result<String>, took: Duration) -> String {
    let (word, detail) = match outcome {
        Ok(detail) => ("passed", detail),
        Err(detail) => ("FAILED", detail),
    };
    format!("{name:<10} {word} {:>6.1} s  {detail}", took.as_secs_f64())
}

fn rules(_: &[String]) -> Result<String> {
    let complaints = tidy::check()?;
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    match complaints.len() {
        0 => Ok("no rule is broken".into()),
        count => Err(format!("{count} rules are broken")),
    }
}
