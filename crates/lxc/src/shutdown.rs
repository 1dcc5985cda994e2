//! Shutdown and reboot from outside: a word to the init program through its control pipe, or a signal to it.
//!
//! Both go to the container's own init and nowhere else: the pipe is looked up in the container's root, so that no link in it
//! leads out, and only where that root is not the host's own; the signal goes by process descriptor.

use crate::driver::Driver;
use crate::files::system;
use crate::guarded::within_patience;
use crate::object::{DomainObject, not_running};
use api::{Code, Error, ErrorDomain, Result};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Signal, pidfd_send_signal};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// `VIR_DOMAIN_SHUTDOWN_INITCTL` and `VIR_DOMAIN_REBOOT_INITCTL`.
pub const INITCTL: u32 = 1 << 2;
/// `VIR_DOMAIN_SHUTDOWN_SIGNAL` and `VIR_DOMAIN_REBOOT_SIGNAL`.
pub const SIGNAL: u32 = 1 << 3;

/// What the container is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Shutdown,
    Reboot,
}

impl Wish {
    /// As init knows it.
    fn runlevel(self) -> u8 {
        match self {
            Wish::Shutdown => b'0',
            Wish::Reboot => b'6',
        }
    }

    fn signal(self) -> Signal {
        match self {
            Wish::Shutdown => Signal::TERM,
            Wish::Reboot => Signal::HUP,
        }
    }
}

/// Where init programs have their control pipe, and some a link to it.
const PIPES: [&str; 3] = ["/run/initctl", "/dev/initctl", "/etc/.initctl"];

impl Driver {
    /// `flags`: by which means; none leaves the choice to us.
    pub fn ask_to_end(&self, object: &Arc<DomainObject>, wish: Wish, flags: u32) -> Result<()> {
        let _job = object.begin("shutdown")?;
        let no_init = || Error::operation_invalid(ErrorDomain::Lxc, "Init process ID is not yet known");
        let init = object.lock().running()?.handles().init.ok_or_else(no_init)?;
        let by_pipe = flags == 0 || flags & INITCTL != 0;
        let by_signal = flags == 0 || flags & SIGNAL != 0;
        if by_pipe {
            let (proc, asked) = (self.paths.proc.clone(), init.clone());
            match within_patience(move || write_to_pipe(&asked.root(&proc)?, wish)) {
                Ok(true) => return Ok(()),
                Ok(false) if by_signal => {}
                Ok(false) => {
                    let words = "Container does not provide an initctl pipe";
                    return Err(Error::new(ErrorDomain::Lxc, Code::OperationUnsupported, words));
                }
                Err(e) if by_signal => tracing::warn!("domain '{}': its initctl pipe: {e}", object.name),
                Err(e) => return Err(system(&e, "Unable to send the request to the initctl pipe".into())),
            }
        }
        match pidfd_send_signal(&init.process, wish.signal()) {
            Ok(()) => Ok(()),
            Err(Errno::SRCH) => Err(not_running()),
            Err(errno) => {
                let name = if wish == Wish::Shutdown { "SIGTERM" } else { "SIGHUP" };
                Err(system(&errno.into(), format!("Unable to send {name} to init pid {}", init.pid)))
            }
        }
    }
}

/// False: there is no such pipe, or nobody reads it.
fn write_to_pipe(root: &OwnedFd, wish: Wish) -> io::Result<bool> {
    if is_own_root(root)? {
        // The pipe there is the host's.
        return Ok(false);
    }
    for path in PIPES {
        if let Some(pipe) = open_pipe(root, Path::new(path))? {
            let request = request(wish.runlevel());
            return Ok(rustix::io::retry_on_intr(|| rustix::io::write(&pipe, &request))? == request.len());
        }
    }
    Ok(false)
}

/// Whether the container's root is the daemon's own folder: a `/run` in it is then the host's, unless it is mounted over.
fn is_own_root(root: &OwnedFd) -> io::Result<bool> {
    let (theirs, ours) = (rustix::fs::fstat(root)?, std::fs::metadata("/")?);
    Ok((theirs.st_dev, theirs.st_ino) == (ours.dev(), ours.ino()))
}

/// The pipe's writing end, if there is a pipe and somebody reads it.
fn open_pipe(root: &OwnedFd, path: &Path) -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    // Looked at first: to open a device may do something.
    let found = match linux::beneath::find(root.as_fd(), path) {
        Ok(found) => found,
        Err(_) => return Ok(None),
    };
    let stat = rustix::fs::fstat(&found)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Fifo {
        return Ok(None);
    }
    // A folder of the host's that is mounted in the container may hold the pipe of the host's init.
    let hosts =
        |path: &&str| std::fs::metadata(path).is_ok_and(|own| (own.dev(), own.ino()) == (stat.st_dev, stat.st_ino));
    if PIPES.iter().any(hosts) {
        return Ok(None);
    }
    // What was looked at, and not what the container has put in its place meanwhile.
    let looked_at = format!("/proc/self/fd/{}", found.as_raw_fd());
    match rustix::fs::open(looked_at, flags | OFlags::CLOEXEC, Mode::empty()) {
        Ok(pipe) => Ok(Some(pipe)),
        Err(Errno::NXIO) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// `struct init_request` of sysvinit's `initreq.h`: magic, command, run level, time to sleep, then padding to 384 bytes.
fn request(runlevel: u8) -> [u8; 384] {
    const MAGIC: i32 = 0x0309_1969;
    const CHANGE_RUNLEVEL: i32 = 1;
    let mut request = [0; 384];
    let words = [MAGIC, CHANGE_RUNLEVEL, i32::from(runlevel), 0];
    for (place, word) in request.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_as_init_reads_it() {
        let bytes = request(b'0');
        assert_eq!(bytes.len(), 384);
        assert_eq!(bytes[..4], 0x0309_1969_i32.to_ne_bytes());
        assert_eq!(bytes[4..12], [1, 0, 0, 0, b'0', 0, 0, 0]);
    }

    #[test]
    fn only_a_pipe_that_is_read_counts() {
        let root = linux::beneath::host(Path::new("/")).unwrap();
        assert!(open_pipe(&root, Path::new("/dev/null")).unwrap().is_none());
        assert!(open_pipe(&root, Path::new("/nonexistent/initctl")).unwrap().is_none());
        let path = std::env::temp_dir().join(format!("initctl-{}", std::process::id()));
        rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert!(open_pipe(&root, &path).unwrap().is_none());
        let reader = std::fs::File::options().read(true).write(true).open(&path).unwrap();
        let pipe = open_pipe(&root, &path).unwrap().unwrap();
        assert_eq!(rustix::io::write(&pipe, b"6"), Ok(1));
        drop(reader);
        std::fs::remove_file(&path).unwrap();
        assert!(is_own_root(&root).unwrap());
    }
}
