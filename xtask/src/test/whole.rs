//! The levels of whole programs: each test of the crate `tests`, alone in a sandbox, some at once.

use super::images;
use crate::packages::{self, BUSYBOX, DNSMASQ, IPROUTE, NFTABLES, PROCPS};
use crate::sandbox::Layout;
use crate::{Result, build, run};
use ::tests::program;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A sandbox with a test in it is killed after that long.
const PATIENCE: Duration = Duration::from_secs(420);
/// No further test is begun after that long, which no machine takes that gets on at all.
const BUDGET: Duration = Duration::from_secs(60 * 60);
/// Nor when so many did not end, so that they cannot hold up who waits for the end.
const HANGING: usize = 4;
/// Tests of these modules run on every layout of cgroups.
const ON_EVERY_LAYOUT: [&str; 2] = ["debian::", "layouts::"];

/// Debian's programs with each other: they test what is recorded of them, not us.
const REFERENCE: [&str; 3] =
    ["calls::answers_of_debians_daemon", "compared::", "recorded::debians_virsh_with_debians_daemon::"];
/// Debian's libvirtd misses now and then what a controller tells it, or is told too soon. What it answers to these tests counts
/// only when a second sandbox shows it again.
const WITH_DEBIANS_DAEMON: [&str; 4] = [
    "recorded::our_virsh_with_debians_daemon::",
    "exchange::our_virsh_and_debians_libvirtd",
    "exchange::debians_libvirtd_and_our_controller",
    "exchange::a_container_of_debians_libvirtd_is_taken_over",
];

/// What is said first of a test that did not end.
const LATE: &str = "killed after";

/// A test and the sandbox it wants.
struct Case {
    name: String,
    layout: Layout,
}

impl Case {
    fn wants_debian(&self) -> bool {
        self.name.contains("debian_root")
    }

    fn title(&self) -> String {
        match self.layout {
            Layout::Mixed => self.name.clone(),
            layout => format!("{}::{}", self.name, layout.name()),
        }
    }
}

/// All but the reference.
pub fn run(filters: &[String]) -> Result<String> {
    run_those(filters, |name| !begins(name, &REFERENCE))
}

/// What is recorded of Debian's programs, by themselves.
pub fn reference(filters: &[String]) -> Result<String> {
    run_those(filters, |name| begins(name, &REFERENCE))
}

fn begins(name: &str, with: &[&str]) -> bool {
    with.iter().any(|beginning| name.starts_with(beginning))
}

fn run_those(filters: &[String], belongs: fn(&str) -> bool) -> Result<String> {
    if !rustix::process::geteuid().is_root() {
        return Err("whole programs start containers, in a sandbox that only root can make: run this as root".into());
    }
    packages::ensure(&[BUSYBOX, DNSMASQ, NFTABLES, IPROUTE, PROCPS])?;
    build::build()?;
    build::build_probe()?;
    let program = built()?;
    let list = run::output(Command::new(&program).args(["--list", "--format", "terse"]))?;
    let cases = cases(&list, filters, belongs);
    // Where there is no network to make it from, the others are run all the same.
    let without_debian = match cases.iter().any(Case::wants_debian) {
        true => images::debian_root().err(),
        false => None,
    };
    let Counts { all, again, failed } = in_turn(&program, cases, without_debian.as_deref())?;
    match failed.len() {
        0 => Ok(format!("{all} tests{}", at_second(again))),
        count => Err(format!("{count} of {all} tests: {}{}", failed.join(", "), at_second(again))),
    }
}

/// The tests' program, freshly built.
pub fn built() -> Result<PathBuf> {
    let mut cargo = run::cargo()?;
    cargo.args(["test", "--quiet", "-p", "tests", "--test", "whole", "--no-run", "--message-format", "json"]);
    let messages = run::output(&mut cargo)?;
    test_program(&messages).ok_or_else(|| "cargo names no test program".to_string())
}

/// Of the programs that cargo has built: the container's probe is one too, and may be told of last.
fn test_program(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut ours = messages.filter(|message| message.pointer("/target/name").and_then(Value::as_str) == Some("whole"));
    ours.find_map(|message| message.get("executable").and_then(Value::as_str).map(PathBuf::from))
}

fn cases(list: &str, filters: &[String], belongs: fn(&str) -> bool) -> Vec<Case> {
    let names = list.lines().filter_map(|line| line.strip_suffix(": test")).filter(|name| belongs(name));
    let wanted = names.filter(|name| filters.is_empty() || filters.iter().any(|filter| name.contains(filter)));
    let each = |name: &str| match begins(name, &ON_EVERY_LAYOUT) {
        true => vec![Layout::Mixed, Layout::V1, Layout::V2],
        false => vec![Layout::Mixed],
    };
    wanted.flat_map(|name| each(name).into_iter().map(|layout| Case { name: name.to_string(), layout })).collect()
}

/// How tests went.
struct Counts {
    all: usize,
    /// Of those that passed, so many only when they were run again.
    again: usize,
    failed: Vec<String>,
}

/// Behind a result: what is not quite as good as it says.
fn at_second(again: usize) -> String {
    if again == 0 { String::new() } else { format!("; {again} only at the second attempt") }
}

/// A test that passed.
struct Passed {
    took: Duration,
    /// It had failed before.
    again: bool,
}

impl Passed {
    fn line(&self, title: &str) -> String {
        let how = if self.again { "ok (second attempt)" } else { "ok" };
        format!("test {title} ... {how} <{:.1}s>", self.took.as_secs_f64())
    }
}

/// Runs them all, as many at once as the machine has processors. There may be a reason why those that want a Debian cannot be run.
fn in_turn(program: &Path, cases: Vec<Case>, without_debian: Option<&str>) -> Result<Counts> {
    let count = cases.len();
    let begun = Instant::now();
    let queue = Mutex::new(cases.into_iter());
    let failed = Mutex::new(Vec::new());
    let hanging = AtomicUsize::new(0);
    let again = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(1, |count| count.get().min(4));
    let images = images::folder()?;
    let programs = run::programs()?;
    println!("\nrunning {count} tests");
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let outcome = if begun.elapsed() > BUDGET {
                        Err(format!("not begun: {} s were over", BUDGET.as_secs()))
                    } else if hanging.load(Ordering::Relaxed) >= HANGING {
                        Err(format!("not begun: {HANGING} others did not end"))
                    } else if let (true, Some(why)) = (case.wants_debian(), without_debian) {
                        Err(format!("there is no Debian for it: {why}"))
                    } else {
                        attempts(program, &case, &programs, &images)
                    };
                    // In one piece: the workers share the output.
                    match outcome {
                        Ok(passed) => {
                            println!("{}", passed.line(&case.title()));
                            again.fetch_add(usize::from(passed.again), Ordering::Relaxed);
                        }
                        Err(why) => {
                            println!("test {} ... FAILED\n{why}", case.title());
                            hanging.fetch_add(usize::from(why.trim_start().starts_with(LATE)), Ordering::Relaxed);
                            if let Ok(mut failed) = failed.lock() {
                                failed.push(case.title());
                            }
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    let again = again.into_inner();
    let word = if failed.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {} passed; {} failed; 0 ignored; 0 measured; 0 filtered out; finished in {:.2}s{}\n",
        count - failed.len(),
        failed.len(),
        begun.elapsed().as_secs_f64(),
        at_second(again)
    );
    Ok(Counts { all: count, again, failed })
}

/// Runs one test, and once more where Debian's daemon has a second chance.
fn attempts(program: &Path, case: &Case, programs: &Path, images: &Path) -> Result<Passed> {
    let attempt = |again| alone(program, case, programs, images).map(|took| Passed { took, again });
    let outcome = attempt(false);
    match &outcome {
        Err(why) if begins(&case.name, &REFERENCE) || begins(&case.name, &WITH_DEBIANS_DAEMON) => {
            println!("{}: once more, since this time Debian's daemon did otherwise:\n{why}", case.title());
            attempt(true)
        }
        _ => outcome,
    }
}

/// Runs one test in its sandbox; how long it took, or what it said when it failed.
fn alone(program: &Path, case: &Case, programs: &Path, images: &Path) -> Result<Duration> {
    let begun = Instant::now();
    let mut command = run::ourselves()?;
    command.args(["sandbox", "--layout", case.layout.name(), "--"]).arg(program);
    command.args(["--exact", &case.name, "--nocapture", "--test-threads=1"]);
    // Of who runs this only what is meant for the tests: words of other languages, settings of clients and a terminal's kind would
    // have others fail.
    let kept = |name: &str| name.starts_with("VIRTLXC_") || name.starts_with("RUST") || name.starts_with("CARGO");
    command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(kept)));
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{path}"));
    command.env("HOME", "/root").env("LANG", "C.UTF-8").env("TERM", "xterm").env("TZ", "UTC");
    command.env("VIRTLXC_PROGRAMS", programs).env("VIRTLXC_IMAGES", images);
    // Every step of a start, one by one, takes its time; so does stress as long as it is asked for.
    let stress = std::env::var("VIRTLXC_STRESS_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let patience =
        if std::env::var_os("VIRTLXC_EVERY_STEP").is_some() { BUDGET } else { PATIENCE } + Duration::from_secs(stress);
    let outcome = program::observe(command, b"", patience)?;
    if outcome.code == 0 && outcome.out.contains("1 passed") {
        return Ok(begun.elapsed());
    }
    let late = if outcome.late { format!("{LATE} {} s\n", patience.as_secs()) } else { String::new() };
    // Set off, so that its own harness's lines are not taken for ours.
    Err((late + &outcome.out + &outcome.err).lines().map(|line| format!("    {line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::{Passed, at_second, cases, test_program};
    use std::path::Path;
    use std::time::Duration;

    #[test]
    fn a_second_attempt_is_told() {
        let line = |again| Passed { took: Duration::from_millis(1200), again }.line("a::b");
        assert_eq!(line(false), "test a::b ... ok <1.2s>");
        assert_eq!(line(true), "test a::b ... ok (second attempt) <1.2s>");
        assert_eq!((at_second(0).as_str(), at_second(2).as_str()), ("", "; 2 only at the second attempt"));
    }

    #[test]
    fn the_test_program_is_not_taken_for_another() {
        let message = |name: &str, program: &str| {
            format!("{{\"target\":{{\"name\":\"{name}\"}},\"executable\":\"{program}\"}}\n")
        };
        let (whole, probe) = (message("whole", "/t/whole-1"), message("probe", "/t/probe"));
        for messages in [whole.clone() + &probe, probe.clone() + &whole] {
            assert_eq!(test_program(&messages).as_deref(), Some(Path::new("/t/whole-1")));
        }
        assert_eq!(test_program(&probe), None);
    }

    #[test]
    fn tests_about_layouts_run_on_each() {
        let list = "console::a: test\nlayouts::b: test\nother::c: test\n\n3 tests, 0 benchmarks\n";
        let shown = |filters: &[&str]| {
            let filters: Vec<String> = filters.iter().map(|filter| filter.to_string()).collect();
            cases(list, &filters, |name| name != "other::c")
                .iter()
                .map(|case| format!("{} {}", case.name, case.layout.name()))
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(&[]), ["console::a mixed", "layouts::b mixed", "layouts::b v1", "layouts::b v2"]);
        assert_eq!(shown(&["sole"]), ["console::a mixed"]);
    }
}
