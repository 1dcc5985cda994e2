//! `--daemon`: the program starts itself again without a terminal and leaves when that says it is ready.

use api::errno_text;
use std::io::Read;
use std::process::{Command, ExitCode, Stdio};

/// Tells the second start that it is one.
const MARK: &str = "VIRTLXCD_BACKGROUND";

pub fn is_child() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Starts the daemon and waits until it is ready. Why it is not, it says itself on standard error, and ends with this status.
pub fn start() -> Result<ExitCode, String> {
    let program = std::env::current_exe().map_err(|e| format!("cannot find the program to start: {e}"))?;
    let mut child = Command::new(&program)
        .args(std::env::args_os().skip(1))
        .env(MARK, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start '{}': {}", program.display(), errno_text(&e)))?;
    let mut ready = [0];
    let said = child.stdout.take().map(|mut stdout| stdout.read(&mut ready));
    if matches!(said, Some(Ok(1))) {
        return Ok(ExitCode::SUCCESS);
    }
    let status = child.wait().map_err(|e| format!("cannot wait for the daemon: {}", errno_text(&e)))?;
    match status.code() {
        Some(code) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        None => Err(format!("the daemon ended before it was ready: {status}")),
    }
}

/// In the second start: gives the terminal and the folder up, before anything is served.
pub fn detach() {
    if is_child() {
        if let Err(errno) = rustix::process::setsid() {
            tracing::debug!("setsid: {errno}");
        }
        if let Err(error) = std::env::set_current_dir("/") {
            tracing::debug!("chdir: {error}");
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
