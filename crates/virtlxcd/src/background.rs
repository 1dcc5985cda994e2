//! `--daemon`: the program starts itself again without a terminal and leaves when that says it is ready.

use std::io::Read;
use std::process::{Command, Stdio};

/// Tells the second start that it is one.
const MARK: &str = "VIRTLXCD_BACKGROUND";

pub fn is_child() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Starts the daemon and waits until it is ready. Why it is not, it says itself on standard error.
pub fn start() -> Result<(), String> {
    let program = std::env::current_exe().map_err(|e| format!("cannot find the program to start: {e}"))?;
    let mut child = Command::new(&program)
        .args(std::env::args_os().skip(1))
        .env(MARK, "1")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start '{}': {e}", program.display()))?;
    let mut ready = [0];
    let said = child.stdout.take().map(|mut stdout| stdout.read(&mut ready));
    if matches!(said, Some(Ok(1))) {
        return Ok(());
    }
    _ = child.wait();
    Err("the daemon did not start".to_string())
}

/// In the second start: gives the terminal up, before anything is served.
pub fn detach() {
    if is_child() {
        if let Err(errno) = rustix::process::setsid() {
            tracing::debug!("setsid: {errno}");
        }
    }
}

/// In the second start: the first may leave. Standard error is the terminal's no more.
pub fn ready() {
    if !is_child() {
        return;
    }
    _ = rustix::io::write(rustix::stdio::stdout(), b"1");
    let nowhere = std::fs::File::options().read(true).write(true).open("/dev/null");
    if let Ok(nowhere) = nowhere {
        _ = rustix::stdio::dup2_stdout(&nowhere);
        _ = rustix::stdio::dup2_stderr(&nowhere);
    }
}
