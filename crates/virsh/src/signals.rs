//! Signals as bytes on a socket, so that a loop can wait for them beside everything else and clean up before the end.

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
use signal_hook::{SigId, low_level};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// Watches signals for as long as it lives; what they did before comes back after it, except that a process which has
/// watched them once no longer dies of them without one.
pub struct Signals {
    registered: Vec<SigId>,
    ends: Vec<(i32, UnixStream)>,
}

impl Signals {
    /// What asks a program to end: interrupt, quit, terminate, hang-up.
    pub fn of_the_end() -> io::Result<Signals> {
        Signals::watch(&[SIGINT, SIGQUIT, SIGTERM, SIGHUP])
    }

    pub fn of_the_window() -> io::Result<Signals> {
        Signals::watch(&[SIGWINCH])
    }

    fn watch(signals: &[i32]) -> io::Result<Signals> {
        let mut watched = Signals { registered: Vec::new(), ends: Vec::new() };
        for signal in signals {
            let (near, far) = UnixStream::pair()?;
            near.set_nonblocking(true)?;
            watched.registered.push(low_level::pipe::register(*signal, far)?);
            watched.ends.push((*signal, near));
        }
        Ok(watched)
    }

    pub fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.ends.iter().map(|(_, end)| end.as_fd())
    }

    /// A signal that has come since the last look.
    pub fn take(&mut self) -> Option<i32> {
        let mut bytes = [0; 16];
        self.ends.iter_mut().find_map(|(signal, end)| matches!(end.read(&mut bytes), Ok(1..)).then_some(*signal))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            low_level::unregister(id);
        }
    }
}

/// Ends the program as the signal would have.
pub fn die_of(signal: i32) {
    // Where even that fails, the caller's own exit code tells of the failure.
    _ = low_level::emulate_default_handler(signal);
}
