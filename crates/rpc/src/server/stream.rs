//! A stream between a client and a descriptor of the daemon: a container's console.
//!
//! To the client one packet is under way at a time; from it, a backlog is kept that ends the reading of its socket when it
//! grows too big. Whatever the container does with its terminal, nothing here blocks.

use super::Service;
use super::client::Client;
use super::event_loop::{EventFlags, Source, Token, lock};
use crate::message::{Header, STREAM_DATA_MAX, Status};
use api::{Code, Error, ErrorDomain, Result};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

/// Data of the client that a stuck terminal may leave waiting.
const BACKLOG: usize = 1 << 20;

pub(super) struct ServerStream<S: Service> {
    client: Arc<Client<S>>,
    header: Header,
    fd: OwnedFd,
    token: Token,
    session: Option<Arc<StreamSession>>,
    state: Mutex<State>,
}

/// An open stream as seen from outside: by who wants its terminal for another client.
#[derive(Default)]
pub struct StreamSession {
    state: Mutex<Session>,
}

/// How a stream is ended from outside.
type Ending = Box<dyn Fn(&Error) + Send>;

#[derive(Default)]
struct Session {
    ended: bool,
    end: Option<Ending>,
}

impl std::fmt::Debug for StreamSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamSession").field("open", &self.is_open()).finish()
    }
}

impl StreamSession {
    /// False from the end of the stream on.
    pub fn is_open(&self) -> bool {
        !lock(&self.state).ended
    }

    /// Ends the stream, if it is open; its client is told why.
    pub fn end(&self, why: &Error) {
        let end = {
            let mut state = lock(&self.state);
            state.ended = true;
            state.end.take()
        };
        if let Some(end) = end {
            end(why);
        }
    }

    /// False: it was ended before it began.
    fn begin(&self, end: Ending) -> bool {
        let mut state = lock(&self.state);
        if !state.ended {
            state.end = Some(end);
        }
        !state.ended
    }

    fn over(&self) {
        *lock(&self.state) = Session { ended: true, end: None };
    }
}

struct State {
    to_terminal: VecDeque<u8>,
    stalled: bool,
    /// A packet of ours is not wholly written yet.
    packet_under_way: bool,
    /// The terminal has given its last byte.
    ended: bool,
    closed: bool,
}

impl<S: Service> ServerStream<S> {
    pub fn open(
        client: &Arc<Client<S>>,
        header: Header,
        fd: OwnedFd,
        session: Option<Arc<StreamSession>>,
    ) -> Result<Arc<ServerStream<S>>> {
        let opened = ServerStream::prepare(client, header, fd, session.clone());
        if let (Err(_), Some(session)) = (&opened, &session) {
            session.over();
        }
        opened
    }

    fn prepare(
        client: &Arc<Client<S>>,
        header: Header,
        fd: OwnedFd,
        session: Option<Arc<StreamSession>>,
    ) -> Result<Arc<ServerStream<S>>> {
        rustix::io::ioctl_fionbio(&fd, true)
            .map_err(|e| Error::system(ErrorDomain::Streams, &e.into(), "cannot make the stream nonblocking"))?;
        let token = client.event_loop().token();
        let state = State {
            to_terminal: VecDeque::new(),
            stalled: false,
            packet_under_way: false,
            ended: false,
            closed: false,
        };
        let client = Arc::clone(client);
        let stream = Arc::new(ServerStream { client, header, fd, token, session, state: Mutex::new(state) });
        let itself = Arc::downgrade(&stream);
        let end = move |why: &Error| {
            if let Some(stream) = itself.upgrade() {
                stream.end(Some(why.clone()));
            }
        };
        if stream.session.as_ref().is_some_and(|session| !session.begin(Box::new(end))) {
            return Err(Error::new(
                ErrorDomain::Streams,
                Code::OperationFailed,
                "the stream was ended before it began",
            ));
        }
        // Not armed before it is known to the client.
        stream.client.event_loop().add(
            token,
            &stream.fd,
            EventFlags::ONESHOT,
            Arc::clone(&stream) as Arc<dyn Source>,
        )?;
        Ok(stream)
    }

    pub fn start(&self) {
        self.arm(&lock(&self.state));
    }

    pub fn is_for(&self, header: &Header) -> bool {
        (header.program, header.procedure) == (self.header.program, self.header.procedure)
    }

    /// One packet from the client.
    pub fn packet(&self, header: &Header, data: &[u8]) {
        match header.status {
            Status::Continue => {
                let mut state = lock(&self.state);
                if state.closed {
                    return;
                }
                state.to_terminal.extend(data);
                let failed = self.write(&mut state).err();
                self.after_write(state, failed);
            }
            Status::Ok => {
                // What the terminal does not take now is not waited for: the client wants to leave.
                _ = self.write(&mut lock(&self.state));
                self.end(None);
            }
            Status::Error => self.end(None),
            Status::Other(number) => {
                let words = format!("stream aborted with unexpected status {number}");
                self.end(Some(Error::new(ErrorDomain::Streams, Code::Rpc, words)));
            }
        }
    }

    /// The last packet to the client is written: the next may follow.
    pub fn written(&self) {
        let mut state = lock(&self.state);
        state.packet_under_way = false;
        self.arm(&state);
    }

    /// Ends the stream without a word.
    pub fn close(&self) {
        let mut state = lock(&self.state);
        if std::mem::replace(&mut state.closed, true) {
            return;
        }
        state.to_terminal = VecDeque::new();
        let stalled = std::mem::take(&mut state.stalled);
        drop(state);
        if let Some(session) = &self.session {
            session.over();
        }
        self.client.event_loop().remove(self.token, &self.fd);
        self.client.forget_stream(self.header.serial, self);
        if stalled {
            self.client.stream_stalled(false);
        }
    }

    fn end(&self, error: Option<Error>) {
        if lock(&self.state).closed {
            return;
        }
        self.close();
        self.client.stream_end(&self.header, error.as_ref());
    }

    /// As much as the terminal takes.
    fn write(&self, state: &mut State) -> std::result::Result<(), Errno> {
        while !state.to_terminal.is_empty() {
            let (front, _) = state.to_terminal.as_slices();
            match rustix::io::write(&self.fd, front) {
                Ok(count) => drop(state.to_terminal.drain(..count)),
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    fn after_write(&self, mut state: std::sync::MutexGuard<'_, State>, failed: Option<Errno>) {
        // A terminal whose container is gone: its end of file tells the client.
        if failed.is_some() {
            state.to_terminal.clear();
        }
        let stalled = state.to_terminal.len() > BACKLOG;
        let changed = stalled != std::mem::replace(&mut state.stalled, stalled);
        self.arm(&state);
        drop(state);
        if changed {
            self.client.stream_stalled(stalled);
        }
    }

    fn arm(&self, state: &State) {
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, !state.packet_under_way && !state.ended);
        flags.set(EventFlags::OUT, !state.to_terminal.is_empty());
        // A terminal that hangs up reports it for ever: one shot, and none where nothing is expected.
        if !flags.is_empty() && !state.closed {
            self.client.event_loop().modify(self.token, &self.fd, flags | EventFlags::ONESHOT);
        }
    }

    /// Everything that is there, as far as it goes into a packet: how much, and whether there will be no more.
    fn read(&self, packet: &mut [u8]) -> (usize, bool) {
        let mut have = 0;
        while let Some(free) = packet.get_mut(have..).filter(|free| !free.is_empty()) {
            match rustix::io::read(&self.fd, free) {
                Ok(0) => return (have, true),
                Ok(count) => have += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return (have, false),
                // EIO: the other side of a pseudo terminal is closed.
                Err(_) => return (have, true),
            }
        }
        (have, false)
    }
}

impl<S: Service> Source for ServerStream<S> {
    fn ready(self: Arc<Self>, flags: EventFlags) {
        let mut state = lock(&self.state);
        if state.closed {
            return;
        }
        let may_read = !state.packet_under_way && !state.ended;
        let unwatched = flags.is_empty();
        if unwatched {
            state.to_terminal.clear();
        }
        if (unwatched || flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR)) && may_read {
            let mut packet = self.client.event_loop().scratch(STREAM_DATA_MAX);
            let (have, ended) = self.read(&mut packet);
            let data = packet.get(..have).unwrap_or_default();
            let ended = ended || unwatched;
            state.ended = ended;
            // Data that came with the end goes first; the empty packet behind it says that it was the last.
            let packets = usize::from(!data.is_empty()) + usize::from(ended);
            state.packet_under_way = packets > 0;
            drop(state);
            if !data.is_empty() {
                self.client.stream_data(&self.header, data);
            }
            if ended {
                self.client.stream_data(&self.header, &[]);
            }
            drop(packet);
            state = lock(&self.state);
        }
        let failed = self.write(&mut state).err();
        self.after_write(state, failed);
    }
}
