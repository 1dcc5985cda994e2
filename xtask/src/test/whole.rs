//! The level of whole programs: each test of the crate `tests`, alone in a sandbox, some at once.

use super::images;
use crate::packages::{self, BUSYBOX, DNSMASQ, IPROUTE, NFTABLES, PROCPS};
use crate::sandbox::Layout;
use crate::{Result, build, run};
use ::tests::program;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// A sandbox with a test in it is killed after that long.
const PATIENCE: Duration = Duration::from_secs(300);
/// Tests of this module run on every layout of cgroups.
const ON_EVERY_LAYOUT: &str = "layouts::";

/// A test and the sandbox it wants.
struct Case {
    name: String,
    layout: Layout,
}

pub fn run(filters: &[String]) -> Result<String> {
    if !rustix::process::geteuid().is_root() {
        return Err("whole programs start containers, in a sandbox that only root can make: run this as root".into());
    }
    packages::ensure(&[BUSYBOX, DNSMASQ, NFTABLES, IPROUTE, PROCPS])?;
    build::build()?;
    let program = built()?;
    let list = run::output(Command::new(&program).args(["--list", "--format", "terse"]))?;
    let cases = cases(&list, filters);
    if cases.iter().any(|case| case.name.contains("debian_root")) {
        images::debian_root()?;
    }
    let failed = in_turn(&program, cases)?;
    match failed.1.len() {
        0 => Ok(format!("{} tests", failed.0)),
        count => Err(format!("{count} of {} tests: {}", failed.0, failed.1.join(", "))),
    }
}

/// The tests' program, freshly built.
fn built() -> Result<PathBuf> {
    let mut cargo = run::cargo()?;
    cargo.args(["test", "--quiet", "-p", "tests", "--test", "whole", "--no-run", "--message-format", "json"]);
    let messages = run::output(&mut cargo)?;
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        message.get("executable").and_then(Value::as_str).map(PathBuf::from)
    };
    messages.lines().rev().find_map(executable).ok_or_else(|| "cargo names no test program".to_string())
}

fn cases(list: &str, filters: &[String]) -> Vec<Case> {
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let wanted = names.filter(|name| filters.is_empty() || filters.iter().any(|filter| name.contains(filter)));
    let each = |name: &str| match name.starts_with(ON_EVERY_LAYOUT) {
        true => vec![Layout::Mixed, Layout::V1, Layout::V2],
        false => vec![Layout::Mixed],
    };
    wanted.flat_map(|name| each(name).into_iter().map(|layout| Case { name: name.to_string(), layout })).collect()
}

/// Runs them all, as many at once as the machine has processors; how many there were, and who failed.
fn in_turn(program: &std::path::Path, cases: Vec<Case>) -> Result<(usize, Vec<String>)> {
    let count = cases.len();
    let queue = Mutex::new(cases.into_iter());
    let failed = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, |count| count.get().min(4));
    let (programs, images) = (run::programs()?, images::folder()?);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let begun = Instant::now();
                    let outcome = run::ourselves().and_then(|mut command| {
                        command.args(["sandbox", "--layout", case.layout.name(), "--"]).arg(program);
                        command.args(["--exact", &case.name, "--nocapture", "--test-threads=1"]);
                        command.env("VIRTLXC_PROGRAMS", &programs).env("VIRTLXC_IMAGES", &images);
                        program::observe(command, b"", PATIENCE)
                    });
                    let title = match case.layout {
                        Layout::Mixed => case.name,
                        layout => format!("{} ({})", case.name, layout.name()),
                    };
                    let passed =
                        outcome.as_ref().is_ok_and(|outcome| outcome.code == 0 && outcome.out.contains("1 passed"));
                    let word = if passed { "ok" } else { "FAILED" };
                    println!("{title:<60} {word} {:.1} s", begun.elapsed().as_secs_f64());
                    if !passed {
                        match outcome {
                            Ok(outcome) => println!("{}{}", outcome.out, outcome.err),
                            Err(message) => println!("{message}"),
                        }
                        if let Ok(mut failed) = failed.lock() {
                            failed.push(title);
                        }
                    }
                }
            });
        }
    });
    Ok((count, failed.into_inner().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::cases;

    #[test]
    fn tests_about_layouts_run_on_each() {
        let list = "console::a: test\nlayouts::b: test\n\n2 tests, 0 benchmarks\n";
        let shown = |filters: &[&str]| {
            let filters: Vec<String> = filters.iter().map(|filter| filter.to_string()).collect();
            cases(list, &filters).iter().map(|case| format!("{} {}", case.name, case.layout.name())).collect::<Vec<_>>()
        };
        assert_eq!(shown(&[]), ["console::a mixed", "layouts::b mixed", "layouts::b v1", "layouts::b v2"]);
        assert_eq!(shown(&["sole"]), ["console::a mixed"]);
    }
}
