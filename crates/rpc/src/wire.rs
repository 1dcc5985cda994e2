//! Messages on a socket, in both directions, in as many pieces as the socket likes to give and take.
//!
//! Reading never blocks; writing does where the socket does. A descriptor travels behind the complete message, attached to one
//! byte of its own; so exactly the message is read, and not a byte more.

use crate::message::{FDS_MAX, HEADER, Header, LENGTH_MAX, LENGTH_MIN, Message, Outgoing, Type};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use std::collections::VecDeque;
use std::fmt;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What came of reading.
#[derive(Debug)]
pub enum Received {
    Message(Message),
    /// The socket has no more for now; what was read is kept.
    WouldBlock,
    Closed,
}

/// The connection is of no use any more.
#[derive(Debug)]
pub enum WireError {
    Io(Errno),
    /// A length word outside the protocol's limits.
    Length(u32),
    /// A message that announces descriptors without their number, too many, or a byte without one.
    Descriptors,
    /// The peer went away inside a message.
    Truncated,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WireError::Io(errno) => write!(f, "{errno}"),
            WireError::Length(length) => {
                write!(f, "message length {length} is outside the limits")
            }
            WireError::Descriptors => f.write_str("the message's file descriptors did not come as announced"),
            WireError::Truncated => f.write_str("end of file inside a message"),
        }
    }
}

impl std::error::Error for WireError {}

impl From<Errno> for WireError {
    fn from(errno: Errno) -> WireError {
        WireError::Io(errno)
    }
}

enum State {
    /// The length word and the header: no message is shorter.
    Head {
        bytes: [u8; LENGTH_MIN],
        have: usize,
    },
    /// `frame` holds what is behind the length word, `have` bytes of `total`.
    Body {
        header: Header,
        frame: Vec<u8>,
        have: usize,
        total: usize,
    },
    Fds {
        header: Header,
        frame: Vec<u8>,
        fds: Vec<OwnedFd>,
        want: usize,
    },
}

const HEAD: State = State::Head { bytes: [0; LENGTH_MIN], have: 0 };

/// Puts messages together from what a socket gives.
pub struct Receiver {
    state: State,
    /// The one type of message that the peer sends with descriptors.
    with_fds: Type,
    /// The largest length word that is accepted.
    length_max: usize,
}

impl Receiver {
    /// Of a client's messages.
    pub fn of_calls() -> Receiver {
        Receiver { state: HEAD, with_fds: Type::CallWithFds, length_max: LENGTH_MAX }
    }

    /// Of a server's messages.
    pub fn of_replies() -> Receiver {
        Receiver { state: HEAD, with_fds: Type::ReplyWithFds, length_max: LENGTH_MAX }
    }

    /// The same for a peer that has no business with longer messages.
    pub fn at_most(self, length_max: usize) -> Receiver {
        Receiver { length_max, ..self }
    }

    /// Reads on until a message is complete, the socket is empty, or nothing can come any more.
    pub fn receive(&mut self, socket: BorrowedFd<'_>) -> Result<Received, WireError> {
        loop {
            let step = match &mut self.state {
                State::Head { bytes, have } => read(socket, bytes.get_mut(*have..).unwrap_or_default())?,
                State::Body { frame, have, total, .. } => {
                    // Memory follows what has arrived, never what the length word promises.
                    frame.resize((*total).min((*have * 2).max(65_536)), 0);
                    read(socket, frame.get_mut(*have..).unwrap_or_default())?
                }
                State::Fds { fds, .. } => match receive_fd(socket)? {
                    ReadFd::Fd(fd) => {
                        fds.push(fd);
                        Read::Bytes(1)
                    }
                    ReadFd::WouldBlock => Read::WouldBlock,
                    ReadFd::Closed => Read::Closed,
                },
            };
            match step {
                Read::WouldBlock => return Ok(Received::WouldBlock),
                Read::Closed if matches!(self.state, State::Head { have: 0, .. }) => return Ok(Received::Closed),
                Read::Closed => return Err(WireError::Truncated),
                Read::Bytes(count) => {
                    if let Some(message) = self.advance(count)? {
                        return Ok(Received::Message(message));
                    }
                }
            }
        }
    }

    /// Whether a message has begun and is not complete.
    pub fn inside_message(&self) -> bool {
        !matches!(self.state, State::Head { have: 0, .. })
    }

    fn advance(&mut self, count: usize) -> Result<Option<Message>, WireError> {
        match &mut self.state {
            State::Head { bytes, have } => {
                *have += count;
                if *have >= 4 {
                    // A wrong length ends the connection at once, complete header or not.
                    check_length(bytes, self.length_max)?;
                }
                if *have < LENGTH_MIN {
                    return Ok(None);
                }
                let length = check_length(bytes, self.length_max)?;
                let frame = bytes.get(4..).unwrap_or_default().to_vec();
                let Some(header) = Header::decode(&frame) else { return Err(WireError::Truncated) };
                self.state = State::Body { header, frame, have: HEADER, total: length - 4 };
            }
            State::Body { have, .. } => *have += count,
            State::Fds { .. } => {}
        }
        self.finish()
    }

    /// Takes the message out where it is complete.
    fn finish(&mut self) -> Result<Option<Message>, WireError> {
        let (header, frame, fds) = match std::mem::replace(&mut self.state, HEAD) {
            State::Body { header, frame, have, total } if have == total => {
                let want = if header.kind == self.with_fds { announced(&frame)? } else { 0 };
                if want > 0 {
                    self.state = State::Fds { header, frame, fds: Vec::new(), want };
                    return Ok(None);
                }
                (header, frame, Vec::new())
            }
            State::Fds { header, frame, fds, want } if fds.len() == want => (header, frame, fds),
            unfinished => {
                self.state = unfinished;
                return Ok(None);
            }
        };
        let start = if header.kind == self.with_fds { HEADER + 4 } else { HEADER };
        Ok(Some(Message::from_frame(header, frame, start, fds)))
    }
}

fn check_length(bytes: &[u8; LENGTH_MIN], length_max: usize) -> Result<usize, WireError> {
    let [a, b, c, d, ..] = *bytes;
    let length = u32::from_be_bytes([a, b, c, d]);
    if (LENGTH_MIN..=length_max).contains(&(length as usize)) {
        Ok(length as usize)
    } else {
        Err(WireError::Length(length))
    }
}

/// How many descriptors follow the message.
fn announced(frame: &[u8]) -> Result<usize, WireError> {
    match frame.get(HEADER..HEADER + 4) {
        Some(&[0, 0, 0, count]) if usize::from(count) <= FDS_MAX => Ok(usize::from(count)),
        _ => Err(WireError::Descriptors),
    }
}

enum Read {
    Bytes(usize),
    WouldBlock,
    Closed,
}

fn read(socket: BorrowedFd<'_>, into: &mut [u8]) -> Result<Read, WireError> {
    if into.is_empty() {
        return Ok(Read::Bytes(0));
    }
    loop {
        match rustix::net::recv(socket, &mut *into, RecvFlags::DONTWAIT) {
            Ok((0, _)) => return Ok(Read::Closed),
            Ok((count, _)) => return Ok(Read::Bytes(count)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(Read::WouldBlock),
            Err(Errno::CONNRESET) => return Ok(Read::Closed),
            Err(errno) => return Err(errno.into()),
        }
    }
}

enum ReadFd {
    Fd(OwnedFd),
    WouldBlock,
    Closed,
}

fn receive_fd(socket: BorrowedFd<'_>) -> Result<ReadFd, WireError> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut data = [IoSliceMut::new(&mut byte)];
    match rustix::io::retry_on_intr(|| {
        rustix::net::recvmsg(socket, &mut data, &mut control, RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT)
    }) {
        Ok(message) if message.bytes == 0 => return Ok(ReadFd::Closed),
        Ok(_) => {}
        Err(Errno::AGAIN) => return Ok(ReadFd::WouldBlock),
        Err(errno) => return Err(errno.into()),
    }
    let mut fds: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        })
        .flatten()
        .collect();
    match (fds.pop(), fds.is_empty()) {
        (Some(fd), true) => Ok(ReadFd::Fd(fd)),
        _ => Err(WireError::Descriptors),
    }
}

/// Messages on their way out, in order.
#[derive(Default)]
pub struct Sender {
    queue: VecDeque<Outgoing>,
    /// Bytes of the first message that are gone.
    sent: usize,
    /// Descriptors of the first message that are gone.
    sent_fds: usize,
}

/// So many messages leave with one system call.
const BATCH: usize = 16;

impl Sender {
    pub fn push(&mut self, message: Outgoing) {
        self.queue.push_back(message);
    }

    /// The same for a message in two pieces: where nothing waits before it, what the socket takes at once is not copied. A
    /// failure shows with what is left.
    pub fn push_pieces(&mut self, socket: BorrowedFd<'_>, pieces: [&[u8]; 2]) {
        let sent = if self.queue.is_empty() { send(socket, &pieces.map(IoSlice::new)).ok().flatten() } else { None };
        let [mut head, mut payload] = pieces;
        let mut sent = sent.unwrap_or(0);
        for piece in [&mut head, &mut payload] {
            let here = sent.min(piece.len());
            *piece = piece.get(here..).unwrap_or_default();
            sent -= here;
        }
        if !head.is_empty() || !payload.is_empty() {
            self.queue.push_back(Outgoing { bytes: [head, payload].concat().into(), fds: Vec::new() });
        }
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Messages that are not wholly gone.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Writes until all is gone (true) or the socket takes no more (false).
    pub fn flush(&mut self, socket: BorrowedFd<'_>) -> Result<bool, Errno> {
        while let Some(first) = self.queue.front() {
            if self.sent < first.bytes.len() {
                match self.write_batch(socket)? {
                    Some(count) => self.account(count),
                    None => return Ok(false),
                }
            } else if let Some(fd) = first.fds.get(self.sent_fds) {
                if !send_fd(socket, fd.as_fd())? {
                    return Ok(false);
                }
                self.sent_fds += 1;
                self.pop_finished();
            } else {
                self.pop_finished();
            }
        }
        Ok(true)
    }

    /// As much of the first messages as goes in one call, up to the first that has descriptors behind it.
    fn write_batch(&self, socket: BorrowedFd<'_>) -> Result<Option<usize>, Errno> {
        let mut slices = Vec::with_capacity(BATCH.min(self.queue.len()));
        for (at, message) in self.queue.iter().take(BATCH).enumerate() {
            let from = if at == 0 { self.sent } else { 0 };
            slices.push(IoSlice::new(message.bytes.get(from..).unwrap_or_default()));
            if !message.fds.is_empty() {
                break;
            }
        }
        send(socket, &slices)
    }

    fn account(&mut self, mut count: usize) {
        while let Some(first) = self.queue.front() {
            let here = count.min(first.bytes.len() - self.sent);
            self.sent += here;
            count -= here;
            if self.sent < first.bytes.len() || !first.fds.is_empty() {
                return;
            }
            self.pop_finished();
            if count == 0 {
                return;
            }
        }
    }

    fn pop_finished(&mut self) {
        let finished = |first: &Outgoing| self.sent == first.bytes.len() && self.sent_fds == first.fds.len();
        if self.queue.front().is_some_and(finished) {
            self.queue.pop_front();
            self.sent = 0;
            self.sent_fds = 0;
        }
    }
}

/// None: the socket takes nothing now.
fn send(socket: BorrowedFd<'_>, pieces: &[IoSlice<'_>]) -> Result<Option<usize>, Errno> {
    let mut control = SendAncillaryBuffer::default();
    match rustix::io::retry_on_intr(|| rustix::net::sendmsg(socket, pieces, &mut control, SendFlags::NOSIGNAL)) {
        Ok(count) => Ok(Some(count)),
        Err(Errno::AGAIN) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn send_fd(socket: BorrowedFd<'_>, fd: BorrowedFd<'_>) -> Result<bool, Errno> {
    let fds = [fd];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    match rustix::io::retry_on_intr(|| {
        rustix::net::sendmsg(socket, &[IoSlice::new(&[0])], &mut control, SendFlags::NOSIGNAL)
    }) {
        Ok(_) => Ok(true),
        Err(Errno::AGAIN) => Ok(false),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lxc::{DomainOpenNamespaceArgs, Procedure};
    use crate::message::Status;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    fn call(name: &str) -> Outgoing {
        let header = Header::call(crate::remote::Procedure::DomainLookupByName, 7);
        Outgoing::new::<crate::remote::DomainLookupByNameArgs>(
            &header,
            &crate::remote::DomainLookupByNameArgs { name: name.into() },
        )
        .unwrap()
    }

    fn pair() -> (UnixStream, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        (near, far)
    }

    fn message(received: Result<Received, WireError>) -> Message {
        match received.unwrap() {
            Received::Message(message) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_message_in_single_bytes_and_two_in_one_write() {
        let (mut near, far) = pair();
        let mut receiver = Receiver::of_calls();
        let bytes = call("one").bytes;
        for (at, byte) in bytes.iter().enumerate() {
            assert!(matches!(receiver.receive(far.as_fd()), Ok(Received::WouldBlock)), "{at}");
            near.write_all(&[*byte]).unwrap();
        }
        assert_eq!(message(receiver.receive(far.as_fd())).header.serial, 7);
        near.write_all(&[&bytes[..], &bytes[..]].concat()).unwrap();
        drop(near);
        message(receiver.receive(far.as_fd()));
        message(receiver.receive(far.as_fd()));
        assert!(matches!(receiver.receive(far.as_fd()), Ok(Received::Closed)));
    }

    #[test]
    fn lengths_beyond_the_limits_end_the_connection_with_four_bytes_read() {
        for length in [0u32, 4, 27, LENGTH_MAX as u32 + 1, u32::MAX] {
            let (mut near, far) = pair();
            near.write_all(&length.to_be_bytes()).unwrap();
            let mut receiver = Receiver::of_calls();
            assert!(matches!(receiver.receive(far.as_fd()), Err(WireError::Length(l)) if l == length), "{length}");
        }
    }

    #[test]
    fn a_promise_of_much_data_takes_no_memory_for_it() {
        let (mut near, far) = pair();
        near.write_all(&(LENGTH_MAX as u32).to_be_bytes()).unwrap();
        near.write_all(&[0; HEADER]).unwrap();
        let mut receiver = Receiver::of_calls();
        assert!(matches!(receiver.receive(far.as_fd()), Ok(Received::WouldBlock)));
        let State::Body { frame, .. } = &receiver.state else { panic!("in the body") };
        assert!(frame.capacity() <= 131_072, "{}", frame.capacity());
        drop(near);
        assert!(matches!(receiver.receive(far.as_fd()), Err(WireError::Truncated)));
    }

    #[test]
    fn descriptors_follow_their_message_and_the_next_message_follows_them() {
        let (near, far) = pair();
        let header =
            Header::call(Procedure::DomainOpenNamespace, 3).answer(Type::ReplyWithFds, crate::message::Status::Ok);
        let files = vec![OwnedFd::from(std::fs::File::open("/dev/null").unwrap()), near.try_clone().unwrap().into()];
        let mut sender = Sender::default();
        sender.push(Outgoing::with_fds::<()>(&header, &(), files).unwrap());
        sender.push(call("after"));
        assert_eq!(sender.flush(near.as_fd()), Ok(true));
        assert!(sender.is_empty());
        let mut receiver = Receiver::of_replies();
        let first = message(receiver.receive(far.as_fd()));
        assert_eq!((first.fds.len(), first.payload().len()), (2, 0));
        assert!(message(receiver.receive(far.as_fd())).fds.is_empty());
    }

    #[test]
    fn a_byte_without_its_descriptor_ends_the_connection() {
        let args = DomainOpenNamespaceArgs {
            dom: crate::remote::NonnullDomain { name: "a".into(), uuid: [0; 16], id: 1 },
            flags: 0,
        };
        let header = Header { kind: Type::CallWithFds, ..Header::call(Procedure::DomainOpenNamespace, 3) };
        let null = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        let mut bytes =
            Outgoing::with_fds::<DomainOpenNamespaceArgs>(&header, &args, vec![null]).unwrap().bytes.to_vec();
        let (mut near, far) = pair();
        near.write_all(&bytes).unwrap();
        near.write_all(&[0]).unwrap();
        assert!(matches!(Receiver::of_calls().receive(far.as_fd()), Err(WireError::Descriptors)));
        bytes[LENGTH_MIN + 3] = 33;
        let (mut near, far) = pair();
        near.write_all(&bytes).unwrap();
        assert!(matches!(Receiver::of_calls().receive(far.as_fd()), Err(WireError::Descriptors)), "too many");
    }

    #[test]
    fn what_is_sent_in_pieces_arrives_in_its_place() {
        let (far, near) = pair();
        far.set_nonblocking(true).unwrap();
        let (mut sender, mut receiver) = (Sender::default(), Receiver::of_replies());
        let header =
            Header::call(crate::remote::Procedure::DomainOpenConsole, 3).answer(Type::Stream, Status::Continue);
        // More than a socket holds, so that there are messages sent at once, one in part, and those that wait.
        let payloads: Vec<Vec<u8>> = (0..20u8).map(|number| vec![number; 50_000 + usize::from(number)]).collect();
        for (at, payload) in payloads.iter().enumerate() {
            sender.push_pieces(near.as_fd(), [&header.head(payload.len()), payload]);
            if at == 0 {
                assert!(sender.is_empty(), "nothing waits where the socket takes all");
            }
        }
        sender.push(call("last"));
        assert!((2..20).contains(&sender.len()), "{}", sender.len());
        for payload in payloads {
            let message = loop {
                _ = sender.flush(near.as_fd()).unwrap();
                if let Received::Message(message) = receiver.receive(far.as_fd()).unwrap() {
                    break message;
                }
            };
            assert_eq!(message.header, header);
            assert!(message.payload() == payload, "{} bytes of {}", message.payload().len(), payload.len());
        }
        assert!(sender.flush(near.as_fd()).unwrap());
        assert_eq!(message(receiver.receive(far.as_fd())).header.serial, 7);
        // A socket that takes nothing any more says so with the next try.
        drop(far);
        sender.push_pieces(near.as_fd(), [b"head", b"payload"]);
        assert!(sender.flush(near.as_fd()).is_err());
    }
}
