//! Descriptors that a program has by number: handed over by the one that started it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// A descriptor of our own (close-on-exec) for what `number` refers to; an error where it is not open.
/// The number itself stays as it was, whoever owns it.
pub fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_DUPFD_CLOEXEC takes any number and says EBADF where it is no open descriptor.
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `copy` is new: the kernel just made it for this call, so nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// A copy of it (close-on-exec) whose number is at least `lowest`.
pub fn duplicate_above(descriptor: BorrowedFd, lowest: RawFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(descriptor, lowest)?)
}

/// Puts a copy under that very number, kept over exec(3); what was there is closed. For a process that is about to
/// execute another program: whoever owned the number owns something else from then on.
pub fn place(descriptor: BorrowedFd, number: RawFd) -> io::Result<()> {
    // SAFETY: dup2 takes numbers; that the number's owner is a process at its end is the contract above.
    match unsafe { libc::dup2(descriptor.as_raw_fd(), number) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Closes a number that a program was started with and has a copy of.
pub fn close(number: RawFd) {
    // SAFETY: the caller has the number from its command line, so nothing in this process owns it; one that is not open
    // makes an error that nothing follows from.
    unsafe { libc::close(number) };
}
