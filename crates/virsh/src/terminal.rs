//! The person's terminal: raw while a console is open, and afterwards as it was, whatever happens.

use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, Winsize, isatty, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{stdin, stdout};

/// A raw terminal on standard input, restored when dropped.
pub struct Raw {
    before: Termios,
}

impl Raw {
    pub fn enter() -> Result<Raw, Errno> {
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        // What is typed ahead is kept for the console.
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Raw { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that has hung up cannot be restored, and need not be.
        _ = tcsetattr(stdin(), OptionalActions::Drain, &self.before);
    }
}

pub fn is_terminal() -> bool {
    isatty(stdin())
}

pub fn is_fully_terminal() -> bool {
    isatty(stdin()) && isatty(stdout())
}

pub fn window() -> Option<Winsize> {
    tcgetwinsize(stdin()).ok()
}

/// Reads one answer that a person types as a line.
pub fn ask(question: &str) -> Option<String> {
    use std::io::Write;
    let mut out = stdout().lock();
    _ = write!(out, "{question}");
    _ = out.flush();
    let mut line = String::new();
    match stdin().read_line(&mut line) {
        Ok(1..) => Some(line.trim().to_string()),
        _ => None,
    }
}
