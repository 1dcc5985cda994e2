//! Signals as bytes in a pipe, for a program whose loop waits on descriptors.
//!
//! Handlers, not a blocked mask and signalfd: a mask would be inherited by every program that is started.

use std::io;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

/// The pipe's writing end. It stays open for the life of the process, so a handler can always use it.
static WRITE_END: AtomicI32 = AtomicI32::new(-1);

extern "C" fn handler(signal: libc::c_int) {
    let byte = signal as u8;
    // SAFETY: write(2) and __errno_location are async-signal-safe; `byte` outlives the call; WRITE_END was stored before
    // any handler was installed and is never closed. A full pipe loses a byte, which is right: it holds plenty unread.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(WRITE_END.load(Ordering::Relaxed), (&raw const byte).cast(), 1);
        *libc::__errno_location() = errno;
    }
}

/// From now on each of `signals` appears as its number, one byte, in the returned descriptor (nonblocking).
/// May be called once in a process.
pub fn into_pipe(signals: &[i32]) -> io::Result<OwnedFd> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK)?;
    let write = write.into_raw_fd();
    if WRITE_END.compare_exchange(-1, write, Ordering::Relaxed, Ordering::Relaxed).is_err() {
        return Err(io::Error::other("signals are forwarded already"));
    }
    for signal in signals {
        // SAFETY: `action` is zeroed, which is a valid sigaction, and then filled; `handler` is async-signal-safe.
        let result = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as *const () as usize;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(*signal, &raw const action, std::ptr::null_mut())
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(read)
}
