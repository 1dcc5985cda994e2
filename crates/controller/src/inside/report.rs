//! What the processes inside tell the one outside before the program runs: a terminal, the process that will be the program, or why
//! there is none. The channel's end is the program's begin.
//!
//! Until then the second process holds the channel too, and the guest may take hold of that one. So the kernel tells with each
//! message who has sent it: a terminal and a process are taken from the first alone, which the guest cannot see.

use crate::failure::{Doing, Failure, Result};
use linux::process::Child;
use rustix::fs::{Gid, Uid};
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_passcred;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::Pid;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Why a task was not begun, with the status by which a shell would say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub status: u8,
    pub text: String,
}

/// Not the program's fault.
const OURS: u8 = 125;

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Refused {
        Refused { status: OURS, text: failure.to_string() }
    }
}

const TERMINAL: u8 = b't';
const CHILD: u8 = b'c';
const REFUSED: u8 = b'r';

/// Ours and theirs: messages stay apart, and ours come with the process that has sent them.
pub fn channel() -> Result<(OwnedFd, OwnedFd)> {
    let make = || {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        set_socket_passcred(&ours, true)?;
        Ok((ours, theirs))
    };
    make().map_err(|errno: Errno| errno.into()).doing(|| "Unable to make a socket")
}

pub fn terminal(to: BorrowedFd, master: BorrowedFd) -> io::Result<()> {
    send(to, &[TERMINAL], Some(master))
}

pub fn child(to: BorrowedFd, child: &Child) -> io::Result<()> {
    let pid = child.pid.as_raw_nonzero().get().to_be_bytes();
    send(to, &[&[CHILD], &pid[..]].concat(), Some(child.pidfd.as_fd()))
}

pub fn refused(to: BorrowedFd, refused: &Refused) {
    // Nobody else listens.
    _ = send(to, &[&[REFUSED, refused.status], refused.text.as_bytes()].concat(), None);
}

/// Gives a file that is open to an owner.
pub fn give(file: BorrowedFd, uid: u32, gid: Option<u32>) -> io::Result<()> {
    Ok(rustix::fs::fchown(file, Some(Uid::from_raw(uid)), gid.map(Gid::from_raw))?)
}

fn send(to: BorrowedFd, bytes: &[u8], descriptor: Option<BorrowedFd>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors: Vec<BorrowedFd> = descriptor.into_iter().collect();
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    sendmsg(to, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

pub struct Heard {
    /// Who alone can hand out a terminal and a process.
    first: Pid,
    pub terminal: Option<OwnedFd>,
    pub child: Option<Child>,
    pub refused: Option<Refused>,
}

impl Heard {
    /// `first`: not waited for as long as this listens, so that its number stays its own.
    pub fn new(first: Pid) -> Heard {
        Heard { first, terminal: None, child: None, refused: None }
    }

    /// Takes one message; false at the end.
    pub fn listen(&mut self, from: &OwnedFd) -> io::Result<bool> {
        let mut bytes = [0; 8192];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1), ScmCredentials(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = recvmsg(from, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?.bytes;
        let (mut descriptor, mut sender) = (None, None);
        for message in control.drain() {
            match message {
                RecvAncillaryMessage::ScmRights(descriptors) => descriptor = descriptors.last(),
                RecvAncillaryMessage::ScmCredentials(credentials) => sender = Some(credentials.pid),
                _ => {}
            }
        }
        let is_first = sender == Some(self.first);
        match (bytes.get(..received).unwrap_or_default(), descriptor) {
            ([], _) => return Ok(false),
            ([TERMINAL], Some(master)) if is_first => self.terminal = Some(master),
            ([CHILD, a, b, c, d], Some(pidfd)) if is_first => {
                let pid = Pid::from_raw(i32::from_be_bytes([*a, *b, *c, *d])).ok_or(io::ErrorKind::InvalidData)?;
                self.child = Some(Child { pid, pidfd });
            }
            ([REFUSED, status, text @ ..], _) => {
                let text = String::from_utf8_lossy(text).into_owned();
                self.refused.get_or_insert(Refused { status: *status, text });
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{PidfdFlags, getpid, pidfd_open};

    #[test]
    fn a_process_and_a_terminal_are_taken_from_the_first_alone() {
        let own = getpid();
        let other = if own == Pid::INIT { Pid::from_raw(2).unwrap() } else { Pid::INIT };
        let itself = || Child { pid: own, pidfd: pidfd_open(own, PidfdFlags::empty()).unwrap() };
        let (ours, theirs) = channel().unwrap();

        let mut heard = Heard::new(other);
        child(theirs.as_fd(), &itself()).unwrap();
        assert_eq!(heard.listen(&ours).unwrap_err().kind(), io::ErrorKind::InvalidData);
        terminal(theirs.as_fd(), theirs.as_fd()).unwrap();
        assert_eq!(heard.listen(&ours).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(heard.child.is_none() && heard.terminal.is_none());
        // Why there is none, the second one may say.
        refused(theirs.as_fd(), &Refused { status: 7, text: "no".into() });
        assert!(heard.listen(&ours).unwrap());
        assert_eq!(heard.refused, Some(Refused { status: 7, text: "no".into() }));

        let mut heard = Heard::new(own);
        child(theirs.as_fd(), &itself()).unwrap();
        terminal(theirs.as_fd(), theirs.as_fd()).unwrap();
        assert!(heard.listen(&ours).unwrap() && heard.listen(&ours).unwrap());
        assert_eq!(heard.child.map(|child| child.pid), Some(own));
        assert!(heard.terminal.is_some());
        drop((theirs, heard.terminal));
        assert!(!Heard::new(own).listen(&ours).unwrap());
    }
}
