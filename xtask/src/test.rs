//! `cargo xtask test`: every level of tests, one after the other, with a summary.

use crate::{Result, run, tidy};
use std::time::{Duration, Instant};

/// One level: its name on the command line, what it is, and how it runs.
struct Level {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<String>,
}

const LEVELS: &[Level] = &[
    Level { name: "tidy", about: "the house rules", run: rules },
    Level { name: "unit", about: "each crate by itself", run: units },
];

/// Runs the levels that are named, or all.
pub fn command(arguments: &[String]) -> Result<u8> {
    if let Some(unknown) = arguments.iter().find(|name| !LEVELS.iter().any(|level| level.name == name.as_str())) {
        let names: Vec<&str> = LEVELS.iter().map(|level| level.name).collect();
        return Err(format!("there is no level '{unknown}'; the levels are {}", names.join(", ")));
    }
    let mut lines = Vec::new();
    let mut failed = 0;
    for level in LEVELS.iter().filter(|level| arguments.is_empty() || arguments.iter().any(|name| name == level.name)) {
        println!("== {}: {}", level.name, level.about);
        let begun = Instant::now();
        let outcome = (level.run)();
        failed += u8::from(outcome.is_err());
        lines.push(line(level.name, &outcome, begun.elapsed()));
    }
    println!("\n{}", lines.join("\n"));
    Ok(u8::from(failed > 0))
}

fn line(name: &str, outcome: &Result<String>, took: Duration) -> String {
    let (word, detail) = match outcome {
        Ok(detail) => ("passed", detail),
        Err(detail) => ("FAILED", detail),
    };
    format!("{name:<10} {word} {:>6.1} s  {detail}", took.as_secs_f64())
}

fn rules() -> Result<String> {
    let complaints = tidy::check()?;
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    match complaints.len() {
        0 => Ok("no rule is broken".into()),
        count => Err(format!("{count} rules are broken")),
    }
}

fn units() -> Result<String> {
    run::run(run::cargo()?.args(["test", "--workspace", "--quiet"]))?;
    Ok("cargo test --workspace".into())
}
