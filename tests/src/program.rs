//! Running a program to its end, with a limit on how long it may take.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::ffi::OsStr;
use std::fmt;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing here takes longer, except what says so: no less than the daemon itself waits for anything, on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub command: String,
    /// The exit status, or 128 and the number of the signal that killed it.
    pub code: i32,
    pub out: String,
    pub err: String,
    /// Killed because its time was over.
    pub late: bool,
}

impl Outcome {
    /// Standard output of a program that succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self}");
        self.out
    }

    /// The complaint of a program that failed.
    #[track_caller]
    pub fn failure(self) -> String {
        assert_ne!(self.code, 0, "{self}");
        self.err
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$ {}\n{}{}[status {}]", self.command, self.out, self.err, self.code)
    }
}

/// Runs the program with these arguments.
pub fn run<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: &[S]) -> Outcome {
    let mut command = Command::new(program);
    command.args(arguments);
    finish(command, b"", PATIENCE)
}

/// Runs a line of shell.
pub fn shell(line: &str) -> Outcome {
    run("sh", &["-c", line])
}

/// Runs the command to its end with this input; fails when it cannot be run or does not end in time.
#[track_caller]
pub fn finish(command: Command, input: &[u8], patience: Duration) -> Outcome {
    let outcome = watch(command, input, patience, processes).unwrap_or_else(|error| panic!("{error}"));
    assert!(!outcome.late, "still running after {} s: {outcome}", patience.as_secs());
    outcome
}

/// What each process waits for, for who looks for the reason of a standstill.
fn processes() -> String {
    let shown = Command::new("ps").args(["-eo", "pid,ppid,stat,wchan:32,args"]).output();
    shown.map(|shown| String::from_utf8_lossy(&shown.stdout).into_owned()).unwrap_or_default()
}

/// Runs the command to its end with this input; kills it when the time is over.
pub fn observe(command: Command, input: &[u8], patience: Duration) -> Result<Outcome, String> {
    watch(command, input, patience, String::new)
}

/// The same, with something to be said of the moment when the time is over.
fn watch(mut command: Command, input: &[u8], patience: Duration, then: fn() -> String) -> Result<Outcome, String> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let shown = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot run {shown}: {error}"))?;
    let (to, out, err) = (child.stdin.take(), Reader::of(child.stdout.take()), Reader::of(child.stderr.take()));
    if let Some(mut to) = to {
        let input = input.to_vec();
        // A program need not read its input to the end.
        thread::spawn(move || _ = to.write_all(&input));
    }
    let late = !ended_within(child.id(), patience);
    let about = if late { then() } else { String::new() };
    if late {
        _ = child.kill();
    }
    let status = child.wait().map_err(|error| format!("waiting for {shown}: {error}"))?;
    let code = {
        use std::os::unix::process::ExitStatusExt;
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
    };
    Ok(Outcome { command: shown, code, out: out.text(), err: err.text() + &about, late })
}

/// What comes out of a pipe, read beside the program so that neither waits for the other.
struct Reader {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: mpsc::Receiver<()>,
}

/// A program that ended may have left another one, with the same output, that lives on: its end is not waited for.
const REST: Duration = Duration::from_secs(5);

impl Reader {
    fn of(from: Option<impl Read + Send + 'static>) -> Reader {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (end, ended) = mpsc::channel();
        let into = Arc::clone(&bytes);
        thread::spawn(move || {
            let mut part = [0; 8192];
            let mut from = from;
            while let Some(count) = from.as_mut().and_then(|from| from.read(&mut part).ok()).filter(|count| *count > 0)
            {
                into.lock().unwrap_or_else(PoisonError::into_inner).extend(&part[..count]);
            }
            _ = end.send(());
        });
        Reader { bytes, ended }
    }

    fn text(self) -> String {
        _ = self.ended.recv_timeout(REST);
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

/// Waits for the end of any process, ours or not; false when it outlives the patience.
pub fn ended_within(pid: u32, patience: Duration) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return true };
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return true };
    let timeout = Timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: patience.subsec_nanos().into(),
    };
    poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&timeout)).is_ok_and(|ready| ready > 0)
}

/// Sends a signal to a process, if it is still there.
pub fn kill(pid: u32, signal: Signal) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    if let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) {
        _ = pidfd_send_signal(&process, signal);
    }
}

/// Asks again until the answer is there. For what no descriptor announces, as a lease or an address.
#[track_caller]
pub fn eventually<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {} s: {what}", patience.as_secs());
        thread::sleep(Duration::from_millis(20));
    }
}

/// One of our three programs, as `cargo xtask build` leaves them, or where the variable says.
pub fn ours(name: &str) -> PathBuf {
    match std::env::var_os("VIRTLXC_PROGRAMS") {
        Some(dir) => PathBuf::from(dir).join(name),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release")).join(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_left_behind_holds_nobody_up() {
        let mut command = Command::new("sh");
        command.args(["-c", "cat; sleep 60 & echo over"]);
        let begun = Instant::now();
        let outcome = observe(command, b"in ", PATIENCE).unwrap();
        assert_eq!((outcome.out.as_str(), outcome.code, outcome.late), ("in over\n", 0, false));
        assert!(begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_late_program_is_killed() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let outcome = observe(command, b"", Duration::from_millis(50)).unwrap();
        assert!(outcome.late && outcome.code == 137, "{outcome}");
    }
}
