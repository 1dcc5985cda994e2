//! Terminals of a devpts of one's own (pty(7), devpts in the kernel's documentation).

use rustix::fs::{Mode, OFlags, openat};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, ptsname, unlockpt};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Both ends of a terminal, and its number: `pts/NUMBER`.
#[derive(Debug)]
pub struct Pty {
    pub master: OwnedFd,
    pub slave: OwnedFd,
    pub number: u32,
}

impl Pty {
    /// A new terminal of the devpts whose root this is, attached anywhere or nowhere. It becomes no one's controlling
    /// terminal by being opened; the master does not block.
    pub fn new(devpts: BorrowedFd) -> io::Result<Pty> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let master = openat(devpts, c"ptmx", flags, Mode::empty())?;
        unlockpt(&master)?;
        let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        let name = ptsname(&master, Vec::new())?;
        let number = name.to_str().ok().and_then(|name| name.rsplit('/').next()?.parse().ok());
        Ok(Pty { number: number.ok_or(io::ErrorKind::InvalidData)?, master, slave })
    }
}

impl Pty {
    /// More descriptors of the same terminal.
    pub fn copy(&self) -> io::Result<Pty> {
        Ok(Pty { master: self.master.try_clone()?, slave: self.slave.try_clone()?, number: self.number })
    }
}

/// Makes a terminal pass bytes as they are; either end may be given.
pub fn set_raw(end: BorrowedFd) -> io::Result<()> {
    let mut termios = rustix::termios::tcgetattr(end)?;
    termios.make_raw();
    Ok(rustix::termios::tcsetattr(end, rustix::termios::OptionalActions::Now, &termios)?)
}

/// Makes a terminal whose slave nobody has opened yet look as if the last one had closed it: the kernel holds what is written
/// to the master for a first one to come, and takes no more when that is full.
pub fn look_closed(master: BorrowedFd) -> io::Result<()> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    Ok(ioctl_tiocgptpeer(master, flags).map(drop)?)
}

/// Drops what was written to the master and not read from the slave yet, as far as the kernel still has it.
pub fn discard_output(master: BorrowedFd) {
    // There may be nothing: no failure matters.
    _ = rustix::termios::tcflush(master, rustix::termios::QueueSelector::OFlush);
}

/// Makes a terminal's end not block.
pub fn set_nonblocking(end: BorrowedFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(end)?;
    Ok(rustix::fs::fcntl_setfl(end.as_fd(), flags | OFlags::NONBLOCK)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_through() {
        let devpts = crate::beneath::host(std::path::Path::new("/dev/pts")).unwrap();
        let pty = Pty::new(devpts.as_fd()).unwrap();
        rustix::io::write(&pty.slave, b"word\n").unwrap();
        let mut buffer = [0; 16];
        let length = rustix::io::read(&pty.master, &mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"word\r\n");
        assert_eq!(rustix::io::read(&pty.master, &mut buffer).unwrap_err(), rustix::io::Errno::AGAIN);
        assert!(std::path::Path::new(&format!("/dev/pts/{}", pty.number)).exists());
    }
}
