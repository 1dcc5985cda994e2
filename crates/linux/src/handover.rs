//! Words and descriptors that one process hands to another over a pair of sockets (unix(7), SCM_RIGHTS).

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

/// More than this is not handed over at once.
const WORDS: usize = 16 << 10;
const DESCRIPTORS: usize = 64;

/// The first message of who waits for the others.
pub const READY: &[u8] = b"ready";

/// The two ends.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// All or nothing, without waiting.
pub fn send(socket: BorrowedFd, words: &[u8], descriptors: &[BorrowedFd]) -> io::Result<()> {
    if words.len() > WORDS || descriptors.len() > DESCRIPTORS {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too much to be handed over at once"));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    rustix::io::retry_on_intr(|| sendmsg(socket, &[IoSlice::new(words)], &mut control, flags))?;
    Ok(())
}

/// Waits for a message; none where the other end is closed without one. The descriptors are close-on-exec.
pub fn receive(socket: BorrowedFd) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut words = vec![0; WORDS];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message = rustix::io::retry_on_intr(|| {
        recvmsg(socket, &mut [IoSliceMut::new(&mut words)], &mut control, RecvFlags::CMSG_CLOEXEC)
    })?;
    if message.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not all that was handed over has arrived"));
    }
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(more) = message {
            descriptors.extend(more);
        }
    }
    words.truncate(message.bytes);
    Ok((message.bytes > 0).then_some((words, descriptors)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::AsFd;

    #[test]
    fn words_and_descriptors_arrive_together() {
        let (ours, theirs) = pair().unwrap();
        let (read, write) = std::io::pipe().unwrap();
        send(ours.as_fd(), b"a\0b", &[write.as_fd(), ours.as_fd()]).unwrap();
        let (words, descriptors) = receive(theirs.as_fd()).unwrap().unwrap();
        assert_eq!((words.as_slice(), descriptors.len()), (&b"a\0b"[..], 2));
        drop(write);
        rustix::io::write(&descriptors[0], b"through").unwrap();
        drop(descriptors);
        let mut through = String::new();
        std::fs::File::from(OwnedFd::from(read)).read_to_string(&mut through).unwrap();
        assert_eq!(through, "through");

        assert!(send(ours.as_fd(), &[0; WORDS + 1], &[]).is_err());
        assert!(send(ours.as_fd(), b"x", &[ours.as_fd(); DESCRIPTORS + 1]).is_err());
        drop(ours);
        assert!(receive(theirs.as_fd()).unwrap().is_none());
        assert!(send(theirs.as_fd(), b"x", &[]).is_err());
    }
}
