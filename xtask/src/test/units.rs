//! The level of unit tests: `cargo test` of the workspace, each of its test programs with a limit on its time.
//!
//! cargo has no such limit, and a test that hangs would hang everything that waits for it. So cargo is told to start each
//! program through the hidden command `limited` here, which passes its lines on, and names the tests that did not end.

use crate::{Result, run};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// One program with all its tests is killed after that long.
const PATIENCE: Duration = Duration::from_secs(600);

pub fn run(filters: &[String]) -> Result<String> {
    let ourselves = run::program()?;
    let ourselves = ourselves.to_str().ok_or("the path of the source tree is not UTF-8")?;
    // As TOML, where a runner may have blanks in its path; cfg(all()) is every target.
    let runner = format!("target.'cfg(all())'.runner = [{ourselves:?}, \"limited\"]");
    let mut cargo = run::cargo()?;
    cargo.args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests", "--config", &runner, "--"]);
    run::run(cargo.args(filters))?;
    Ok("cargo test --workspace".into())
}

/// Runs a test program to its end or to the end of patience.
pub fn limited(arguments: &[String]) -> Result<u8> {
    let (program, arguments) = arguments.split_first().ok_or("limited was told no program")?;
    let mut command = Command::new(program);
    command.args(arguments);
    let (code, hanging) = watch(command, PATIENCE, &mut std::io::stdout().lock())?;
    if hanging.is_empty() {
        return Ok(code);
    }
    Err(format!("killed after {} s; still running: {}", PATIENCE.as_secs(), hanging.join(", ")))
}

/// Passes on what the program writes, line by line; its exit status, and what of it was still running when time was over.
fn watch(mut command: Command, patience: Duration, to: &mut impl Write) -> Result<(u8, Vec<String>)> {
    let shown = run::shown(&command);
    // The list needs the program once more, before it runs for good.
    let mut unfinished = listed(&command);
    let deadline = Instant::now() + patience;
    // A group of its own, so that what a hanging test has started ends with it.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(|error| format!("cannot run {shown}: {error}"))?;
    let (line, lines) = mpsc::channel();
    if let Some(out) = child.stdout.take() {
        thread::spawn(move || {
            BufReader::new(out).lines().map_while(|text| text.ok()).try_for_each(|text| line.send(text))
        });
    }
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(text) => {
                // A person who stopped reading does not stop the test.
                _ = writeln!(to, "{text}");
                if let Some(name) = finished(&text) {
                    unfinished.retain(|unfinished| unfinished != name);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                    _ = kill_process_group(group, Signal::KILL);
                }
                _ = child.wait();
                unfinished.iter().for_each(|name| _ = writeln!(to, "test {name} ... FAILED (did not end)"));
                // Never empty: a program may also hang behind its last test.
                return Ok((101, if unfinished.is_empty() { vec![shown] } else { unfinished }));
            }
        }
    }
    let status = child.wait().map_err(|error| format!("waiting for {shown}: {error}"))?;
    Ok((status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(101), Vec::new()))
}

/// The tests that the program is going to run, as far as it can be asked.
fn listed(command: &Command) -> Vec<String> {
    let mut list = Command::new(command.get_program());
    list.args(command.get_args()).args(["--list", "--format", "terse"]);
    let list = run::output(&mut list).unwrap_or_default();
    list.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_string).collect()
}

/// The test that a line of the test harness tells the end of.
fn finished(line: &str) -> Option<&str> {
    let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    ["ok", "FAILED", "ignored"].iter().any(|word| outcome.starts_with(word)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{finished, watch};
    use std::process::Command;
    use std::time::Duration;

    /// A program that behaves as the test harness does.
    fn harness(body: &str) -> Command {
        let mut command = Command::new("sh");
        let list = "case \"$*\" in *--list*) echo 'a::quick: test'; echo 'a::stuck: test'; exit;; esac";
        command.args(["-c", &format!("{list}; {body}"), "sh"]);
        command
    }

    #[test]
    fn a_hanging_test_is_killed_with_what_it_started_and_named() {
        let mut shown = Vec::new();
        let command = harness("echo 'test a::quick ... ok'; sleep 1000 & wait");
        let (code, hanging) = watch(command, Duration::from_secs(5), &mut shown).unwrap();
        assert_eq!((code, hanging), (101, vec!["a::stuck".to_string()]));
        assert_eq!(String::from_utf8(shown).unwrap(), "test a::quick ... ok\ntest a::stuck ... FAILED (did not end)\n");
    }

    #[test]
    fn the_exit_status_is_the_programs() {
        let (code, hanging) = watch(harness("exit 7"), Duration::from_secs(60), &mut Vec::new()).unwrap();
        assert_eq!((code, hanging.len()), (7, 0));
    }

    #[test]
    fn lines_that_end_a_test() {
        assert_eq!(finished("test a::b ... ok"), Some("a::b"));
        assert_eq!(finished("test a::b - should panic ... ok"), Some("a::b"));
        assert_eq!(finished("test a::b has been running for over 60 seconds"), None);
    }
}
