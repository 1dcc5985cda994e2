//! One client of a server: its socket, its request window, what waits to be sent to it, its streams.

use super::event_loop::{EventFlags, Source, Token, lock};
use super::listener::{self, Control, Server};
use super::pool::Job;
use super::stream::{ServerStream, StreamSession};
use super::{Reply, Service, Then};
use crate::error::rpc_error;
use crate::keepalive;
use crate::message::{Header, Message, Outgoing, Status, Type};
use crate::protocol::Priority;
use crate::wire::{Received, Receiver, Sender};
use api::{Error, ErrorDomain, Result};
use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

/// Messages read from one client before the others have their turn.
const TURN: usize = 16;
/// Anybody may connect to a read-only socket, thousands of times; no call that is allowed there needs so much.
const READ_ONLY_LENGTH_MAX: usize = 256 << 10;
const PING: (u32, i32) = (keepalive::PROGRAM, keepalive::Procedure::Ping as i32);
/// A client that leaves so many bytes of events unread loses its connection with the next one. Replies are not counted: of
/// them there are no more than calls under way.
const UNREAD_MAX: usize = 8 << 20;

#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// It came through a read-only socket.
    pub read_only: bool,
    /// None where it did not come through a local socket.
    pub pid: Option<i32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub since: SystemTime,
}

pub struct Client<S: Service> {
    pub id: u64,
    pub peer: Peer,
    pub session: S::Session,
    server: Arc<Server<S>>,
    socket: OwnedFd,
    token: Token,
    /// Used by the loop alone.
    receiver: Mutex<Receiver>,
    io: Mutex<Io>,
    streams: Mutex<HashMap<u32, Arc<ServerStream<S>>>>,
    pulse: Mutex<Pulse>,
    closed: AtomicBool,
}

struct Io {
    sender: Sender,
    /// What each queued message is, in step with the sender's queue.
    notes: VecDeque<Note>,
    /// Bytes of the events among them.
    event_bytes: usize,
    /// Calls that are read and whose reply is not wholly written.
    in_flight: usize,
    /// Streams that hold more of the client's data than they should.
    stalled_streams: usize,
    /// Nothing more is read; the connection closes when everything is written.
    closing: bool,
    /// An answer to a ping waits to be written: it answers those that come meanwhile too.
    pong_queued: bool,
    armed: EventFlags,
}

#[derive(Clone, Copy, PartialEq)]
enum Note {
    Reply,
    /// The reply behind which the connection closes.
    Goodbye,
    Pong,
    StreamData(u32),
    /// So long.
    Event(usize),
    Nothing,
}

struct Pulse {
    /// The client asked for keepalive messages.
    wanted: bool,
    heard: Instant,
    unanswered: u32,
    /// When the loop's timer is of use next; those that were set before it come to nothing.
    due: Option<Instant>,
}

impl<S: Service> Client<S> {
    pub(super) fn new(id: u64, server: Arc<Server<S>>, socket: OwnedFd, read_only: bool) -> Arc<Client<S>> {
        let peer = listener::peer(&socket, read_only);
        Arc::new(Client {
            id,
            peer,
            session: server.service.session(&peer),
            token: server.event_loop.token(),
            server,
            socket,
            receiver: Mutex::new(if read_only {
                Receiver::of_calls().at_most(READ_ONLY_LENGTH_MAX)
            } else {
                Receiver::of_calls()
            }),
            io: Mutex::new(Io {
                sender: Sender::default(),
                notes: VecDeque::new(),
                event_bytes: 0,
                in_flight: 0,
                stalled_streams: 0,
                closing: false,
                pong_queued: false,
                armed: EventFlags::IN,
            }),
            streams: Mutex::default(),
            pulse: Mutex::new(Pulse { wanted: false, heard: Instant::now(), unanswered: 0, due: None }),
            closed: AtomicBool::new(false),
        })
    }

    pub(super) fn start(self: &Arc<Self>) -> Result<()> {
        let source = Arc::clone(self);
        self.server.event_loop.add(self.token, &self.socket, EventFlags::IN, source)?;
        // An administrator may have closed it before it was watched.
        if self.is_closed() {
            self.server.event_loop.remove(self.token, &self.socket);
        }
        Ok(())
    }

    pub fn server(&self) -> &Arc<Server<S>> {
        &self.server
    }

    /// Sends an event or another message that answers no call.
    pub fn send(self: &Arc<Self>, message: Outgoing) {
        if lock(&self.io).event_bytes > UNREAD_MAX {
            tracing::warn!("client {} does not read what it asked for: closing its connection", self.id);
            self.close();
            return;
        }
        let length = message.bytes.len();
        self.queue(message, Note::Event(length));
    }

    /// From now on the client is asked for signs of life, as the limits say.
    pub fn want_keepalive(self: &Arc<Self>) {
        let mut pulse = lock(&self.pulse);
        if !std::mem::replace(&mut pulse.wanted, true) {
            pulse.heard = Instant::now();
            self.await_silence(&mut pulse);
        }
    }

    /// The server's keepalive is another: silence before it counts for nothing.
    pub(super) fn keepalive_changed(&self) {
        let mut pulse = lock(&self.pulse);
        if pulse.wanted {
            pulse.heard = Instant::now();
            pulse.unanswered = 0;
            self.await_silence(&mut pulse);
        }
    }

    /// Sets the timer for when the client will have said nothing for too long.
    fn await_silence(&self, pulse: &mut Pulse) {
        pulse.due = self.server.limits().keepalive.map(|keepalive| pulse.heard + keepalive.interval);
        if let Some(due) = pulse.due {
            self.server.event_loop.set_timer(self.token, due);
        }
    }

    /// Ends the connection. Calls that run go on; their replies are lost.
    pub fn close(self: &Arc<Self>) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        self.server.event_loop.remove(self.token, &self.socket);
        _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
        let streams: Vec<_> = lock(&self.streams).drain().map(|(_, stream)| stream).collect();
        streams.iter().for_each(|stream| stream.close());
        // Waiting messages may hold descriptors.
        lock(&self.io).sender = Sender::default();
        if self.server.forget(self.id) {
            let client = Arc::clone(self);
            let gone: Job = Box::new(move || client.server.service.gone(&client));
            // With no worker left, at the end of the server, nobody else would tell the service.
            if let Err(gone) = self.server.pool.push(Priority::High, gone) {
                gone();
            }
        }
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn queue(self: &Arc<Self>, message: Outgoing, note: Note) {
        let mut io = lock(&self.io);
        if self.is_closed() || io.closing {
            return;
        }
        match note {
            Note::Pong if std::mem::replace(&mut io.pong_queued, true) => return,
            // Not earlier: the connection would close over the next message that is written.
            Note::Goodbye => io.closing = true,
            Note::Event(length) => io.event_bytes += length,
            _ => {}
        }
        io.sender.push(message);
        io.notes.push_back(note);
        // Behind others it has its turn when the socket takes data again.
        if io.sender.len() == 1 {
            self.flush(io);
        }
    }

    /// Writes what goes, then tells those who waited for it. Takes the lock, to let it go before telling.
    fn flush(self: &Arc<Self>, mut io: std::sync::MutexGuard<'_, Io>) {
        let written = io.sender.flush(self.socket.as_fd());
        let left = io.sender.len();
        let gone = io.notes.len().saturating_sub(left);
        let finished: Vec<Note> = io.notes.drain(..gone).collect();
        io.in_flight -= finished.iter().filter(|note| **note == Note::Reply).count().min(io.in_flight);
        let told: usize = finished.iter().map(|note| if let Note::Event(length) = note { *length } else { 0 }).sum();
        io.event_bytes = io.event_bytes.saturating_sub(told);
        io.pong_queued &= !finished.contains(&Note::Pong);
        let done = written.is_err() || (io.closing && left == 0);
        if !done {
            self.arm(&mut io);
        }
        let goodbye = io.closing && left == 0;
        drop(io);
        if goodbye {
            self.discard_input();
        }
        if done {
            self.close();
            return;
        }
        for note in finished {
            if let Note::StreamData(serial) = note {
                if let Some(stream) = self.stream(serial) {
                    stream.written();
                }
            }
        }
    }

    /// Reads away what nobody will answer: a socket closed with unread data takes the last reply with it.
    fn discard_input(&self) {
        let mut scratch = [0; 4096];
        for _ in 0..TURN {
            match rustix::net::recv(&self.socket, &mut scratch, rustix::net::RecvFlags::DONTWAIT) {
                Ok((count, _)) if count > 0 => {}
                _ => return,
            }
        }
    }

    fn arm(&self, io: &mut Io) {
        let window = io.in_flight < self.server.limits().max_requests;
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, window && io.stalled_streams == 0 && !io.closing);
        flags.set(EventFlags::OUT, !io.sender.is_empty());
        if flags != io.armed && !self.is_closed() {
            io.armed = flags;
            self.server.event_loop.modify(self.token, &self.socket, flags);
        }
    }

    fn may_read(&self) -> bool {
        let io = lock(&self.io);
        io.in_flight < self.server.limits().max_requests && io.stalled_streams == 0 && !io.closing && !self.is_closed()
    }

    fn read(self: &Arc<Self>) {
        for _ in 0..TURN {
            if !self.may_read() {
                return;
            }
            let received = lock(&self.receiver).receive(self.socket.as_fd());
            match received {
                Ok(Received::Message(message)) => self.dispatch(message),
                Ok(Received::WouldBlock) => return,
                Ok(Received::Closed) => return self.close(),
                Err(error) => {
                    tracing::debug!("client {}: {error}", self.id);
                    return self.close();
                }
            }
        }
    }

    fn dispatch(self: &Arc<Self>, message: Message) {
        {
            let mut pulse = lock(&self.pulse);
            pulse.heard = Instant::now();
            pulse.unanswered = 0;
        }
        let header = message.header;
        match header.kind {
            Type::Message if (header.program, header.procedure) == PING => self.queue(Outgoing::pong(), Note::Pong),
            Type::Call | Type::CallWithFds => self.dispatch_call(message),
            Type::Stream => {
                if let Some(stream) = self.stream(header.serial).filter(|stream| stream.is_for(&header)) {
                    stream.packet(&header, message.payload());
                }
            }
            // No stream here has holes.
            Type::StreamHole if self.stream(header.serial).is_some() => self.close(),
            _ => {}
        }
    }

    fn dispatch_call(self: &Arc<Self>, message: Message) {
        let header = message.header;
        {
            let mut io = lock(&self.io);
            io.in_flight += 1;
            self.arm(&mut io);
        }
        match self.server.service.admit(&header) {
            Ok(priority) => {
                let client = Arc::clone(self);
                // A server that ends answers no further calls.
                _ = self.server.pool.push(priority, Box::new(move || client.answer(message)));
            }
            Err(error) => self.queue(Outgoing::error(&header, Type::Reply, &error), Note::Reply),
        }
    }

    /// Runs one call on the current thread. A panic is this call's failure alone.
    fn answer(self: &Arc<Self>, message: Message) {
        if self.is_closed() || lock(&self.io).closing || self.server.ending.load(Ordering::Acquire) {
            return;
        }
        let header = message.header;
        let service = &self.server.service;
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| service.call(self, message)))
            .unwrap_or_else(|_| Err(Error::internal(ErrorDomain::Rpc, "the daemon failed while handling this call")));
        match outcome {
            Ok(reply) => self.reply(&header, reply),
            Err(error) => self.queue(Outgoing::error(&header, Type::Reply, &error), Note::Reply),
        }
    }

    fn reply(self: &Arc<Self>, header: &Header, reply: Reply) {
        let encoded = if reply.fds.is_empty() {
            Outgoing::raw(&header.answer(Type::Reply, Status::Ok), &reply.payload)
        } else {
            Outgoing::raw_with_fds(&header.answer(Type::ReplyWithFds, Status::Ok), &reply.payload, reply.fds)
        };
        let message = encoded.unwrap_or_else(|e| {
            let error = rpc_error(format!("Unable to encode message payload: {e}"));
            Outgoing::error(header, Type::Reply, &error)
        });
        let (fd, session) = match reply.then {
            Then::Nothing => return self.queue(message, Note::Reply),
            Then::Close => return self.queue(message, Note::Goodbye),
            Then::Stream(fd) => (fd, None),
            Then::SharedStream(fd, session) => (fd, Some(session)),
        };
        // Known here before the client can know of it: its first data may come on the heels of the reply.
        match self.open_stream(*header, fd, session) {
            Ok(stream) => {
                self.queue(message, Note::Reply);
                stream.start();
            }
            Err(error) => self.queue(Outgoing::error(header, Type::Reply, &error), Note::Reply),
        }
    }

    fn open_stream(
        self: &Arc<Self>,
        header: Header,
        fd: OwnedFd,
        session: Option<Arc<StreamSession>>,
    ) -> Result<Arc<ServerStream<S>>> {
        let stream = ServerStream::open(self, header, fd, session)?;
        let before = lock(&self.streams).insert(header.serial, Arc::clone(&stream));
        // A client that uses a serial twice has lost the first stream.
        before.inspect(|stream| stream.close());
        // Closed meanwhile: nobody else would close the stream.
        if self.is_closed() {
            stream.close();
        }
        Ok(stream)
    }

    fn stream(&self, serial: u32) -> Option<Arc<ServerStream<S>>> {
        lock(&self.streams).get(&serial).cloned()
    }

    pub(super) fn forget_stream(&self, serial: u32, gone: &ServerStream<S>) {
        let mut streams = lock(&self.streams);
        if streams.get(&serial).is_some_and(|stream| std::ptr::eq(&**stream, gone)) {
            streams.remove(&serial);
        }
    }

    /// One packet, of at most [`crate::message::STREAM_DATA_MAX`] bytes.
    pub(super) fn stream_data(self: &Arc<Self>, header: &Header, data: &[u8]) {
        let header = header.answer(Type::Stream, Status::Continue);
        let mut io = lock(&self.io);
        if self.is_closed() || io.closing {
            return;
        }
        let waits = !io.sender.is_empty();
        io.sender.push_pieces(self.socket.as_fd(), [&header.head(data.len()), data]);
        io.notes.push_back(Note::StreamData(header.serial));
        if !waits {
            self.flush(io);
        }
    }

    /// Tells the client that a stream is over: well, or with an error.
    pub(super) fn stream_end(self: &Arc<Self>, header: &Header, error: Option<&Error>) {
        let message = match error {
            Some(error) => Outgoing::error(header, Type::Stream, error),
            None => match Outgoing::raw(&header.answer(Type::Stream, Status::Ok), &[]) {
                Ok(message) => message,
                Err(_) => return,
            },
        };
        self.queue(message, Note::Nothing);
    }

    /// A stream holds too much of the client's data, or no more: reading rests, or goes on.
    pub(super) fn stream_stalled(&self, stalled: bool) {
        let mut io = lock(&self.io);
        io.stalled_streams = if stalled { io.stalled_streams + 1 } else { io.stalled_streams.saturating_sub(1) };
        self.arm(&mut io);
    }

    pub(super) fn event_loop(&self) -> &super::Loop {
        &self.server.event_loop
    }
}

impl<S: Service> Source for Client<S> {
    fn ready(self: Arc<Self>, flags: EventFlags) {
        if flags.is_empty() {
            tracing::warn!("client {} cannot be listened to any longer: closing its connection", self.id);
            return self.close();
        }
        if flags.contains(EventFlags::OUT) {
            self.flush(lock(&self.io));
        }
        if flags.contains(EventFlags::IN) {
            self.read();
        } else if flags.intersects(EventFlags::HUP | EventFlags::ERR) {
            // Both ends are shut: no reply can arrive.
            self.close();
        }
    }

    fn timer(self: Arc<Self>) {
        let Some(keepalive) = self.server.limits().keepalive else { return };
        let now = Instant::now();
        let mut pulse = lock(&self.pulse);
        if pulse.due.is_none_or(|due| now < due) {
            return;
        }
        if now < pulse.heard + keepalive.interval {
            self.await_silence(&mut pulse);
            return;
        }
        if pulse.unanswered >= keepalive.count {
            drop(pulse);
            tracing::debug!("client {} gives no sign of life", self.id);
            self.close();
            return;
        }
        pulse.unanswered += 1;
        pulse.heard = now;
        self.await_silence(&mut pulse);
        drop(pulse);
        self.queue(Outgoing::ping(), Note::Nothing);
    }
}
