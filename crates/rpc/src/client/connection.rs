//! Opening a connection and calling procedures on it.

use super::reader;
use super::stream::{Stream, StreamState};
use super::transport::{self, Transported};
use super::uri::Uri;
use crate::error::{from_wire, rpc_error};
use crate::message::{Header, Message, Outgoing, Status, Type};
use crate::protocol::ProgramProcedure;
use crate::remote::{self, Procedure};
use crate::virnet::MessageError;
use crate::wire::Sender;
use crate::xdr::{Codec, XdrError};
use api::{Code, Error, ErrorDomain, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

/// Feature numbers of `virDrvFeature` that a client asks for.
const FEATURE_KEEPALIVE: i32 = 10;

/// How often to ask whether the daemon still lives, and how many questions may stay unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    pub interval: Duration,
    pub count: u32,
}

impl Default for Keepalive {
    fn default() -> Keepalive {
        Keepalive { interval: Duration::from_secs(5), count: 6 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOptions {
    pub read_only: bool,
    /// None: this side never asks.
    pub keepalive: Option<Keepalive>,
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions { read_only: false, keepalive: Some(Keepalive::default()) }
    }
}

/// Why a connection is closed, with libvirt's numbers (`virConnectCloseReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    Error = 0,
    Eof = 1,
    Keepalive = 2,
    Client = 3,
}

/// A connection to a daemon. Clones are the same connection; it closes when the last is gone.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Owner>,
}

/// Ends the reader when the last handle goes away: the reader itself holds only [`Shared`].
struct Owner {
    shared: Arc<Shared>,
    child: Mutex<Option<Child>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.close(CloseReason::Client, rpc_error("the connection was closed"));
        if let Some(mut child) = self.child.lock().ok().and_then(|mut child| child.take()) {
            _ = child.wait();
        }
    }
}

/// What the reader has to write. It must not wait for it: a daemon that takes nothing for a while may be waiting for somebody to
/// read what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignOfLife {
    Ping = 1,
    Pong = 2,
}

pub(super) struct Shared {
    pub socket: OwnedFd,
    /// Held while a message is written: messages must not mix.
    writing: Mutex<()>,
    /// Signs of life that are to be written, as bits of [`SignOfLife`].
    owed: AtomicU8,
    state: Mutex<State>,
    /// Something in `state` changed that a waiter may wait for.
    pub changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    next_serial: u32,
    pub calls: HashMap<(u32, u32), SyncSender<Result<Message>>>,
    pub streams: HashMap<u32, StreamState>,
    pub events: VecDeque<Message>,
    /// Somebody wants whoever waits for events to look up.
    woken: bool,
    pub closed: Option<(CloseReason, Error)>,
    pub keepalive: Option<Keepalive>,
}

impl Connection {
    /// Connects, authenticates and opens the hypervisor. `None` lets the daemon choose.
    pub fn open(uri: Option<&str>, options: OpenOptions) -> Result<Connection> {
        let uri = Uri::parse(uri.filter(|uri| !uri.is_empty()).unwrap_or("remote:///"))?;
        let connection = Connection::connect(&uri, options.read_only)?;
        connection.authenticate()?;
        if let Some(keepalive) = options.keepalive {
            connection.start_keepalive(keepalive)?;
        }
        let args =
            remote::ConnectOpenArgs { name: Some(uri.daemon_name().into()), flags: u32::from(options.read_only) };
        connection.call::<_, ()>(Procedure::ConnectOpen, &args)?;
        Ok(connection)
    }

    /// Connects only: no call has been made yet.
    pub fn connect(uri: &Uri, read_only: bool) -> Result<Connection> {
        Connection::over(transport::connect(uri, read_only)?)
    }

    /// A connection on a socket that somebody else has connected.
    pub fn on_socket(socket: OwnedFd) -> Result<Connection> {
        Connection::over(Transported { socket, child: None })
    }

    fn over(transported: Transported) -> Result<Connection> {
        let shared = Arc::new(Shared {
            socket: transported.socket,
            writing: Mutex::new(()),
            owed: AtomicU8::new(0),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let reading = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("rpc-reader".into())
            .spawn(move || reader::run(&reading))
            .map_err(|e| Error::system(ErrorDomain::Rpc, &e, "cannot start the thread that reads the connection"))?;
        Ok(Connection { inner: Arc::new(Owner { shared, child: Mutex::new(transported.child) }) })
    }

    fn authenticate(&self) -> Result<()> {
        let offered = match self.call::<_, remote::AuthListRet>(Procedure::AuthList, &()) {
            Ok(ret) => ret.types,
            Err(error) if error.code == Code::NoSupport => Vec::new(),
            Err(error) => return Err(error),
        };
        match offered.first() {
            None | Some(remote::AuthType::None) => Ok(()),
            Some(remote::AuthType::Polkit) => {
                self.call::<_, remote::AuthPolkitRet>(Procedure::AuthPolkit, &()).map(|_| ())
            }
            Some(remote::AuthType::Sasl) => Err(Error::new(
                ErrorDomain::Remote,
                Code::NoSupport,
                "the daemon asks for SASL authentication; use lxc+ssh:// or its local socket",
            )),
        }
    }

    /// Asks the daemon to allow keepalive messages; where it does, this side pings from now on.
    pub fn start_keepalive(&self, keepalive: Keepalive) -> Result<bool> {
        let args = remote::ConnectSupportsFeatureArgs { feature: FEATURE_KEEPALIVE };
        let supported: remote::ConnectSupportsFeatureRet = match self.call(Procedure::ConnectSupportsFeature, &args) {
            Err(error) if error.code == Code::NoSupport => return Ok(false),
            other => other?,
        };
        let shared = &self.inner.shared;
        shared.state().keepalive = (supported.supported != 0).then_some(keepalive);
        // The reader must learn of it: a PONG that nobody asked for wakes nobody but costs nothing either, so the
        // first ping is sent from here and its answer wakes the reader.
        if supported.supported != 0 {
            shared.send(Outgoing::ping())?;
        }
        Ok(supported.supported != 0)
    }

    /// One call: sends `args`, waits for the reply.
    pub fn call<A, R>(&self, procedure: impl ProgramProcedure, args: &A) -> Result<R>
    where
        A: Codec<Value = A>,
        R: Codec<Value = R>,
    {
        self.call_with_fds(procedure, args, Vec::new()).map(|(ret, _)| ret)
    }

    /// One call with descriptors in either direction.
    pub fn call_with_fds<A, R>(
        &self,
        procedure: impl ProgramProcedure,
        args: &A,
        fds: Vec<OwnedFd>,
    ) -> Result<(R, Vec<OwnedFd>)>
    where
        A: Codec<Value = A>,
        R: Codec<Value = R>,
    {
        let serial = self.inner.shared.take_serial();
        self.call_as(procedure, serial, args, fds)
    }

    /// A call that opens a stream of data: to the daemon, from it, or both.
    pub fn open_stream<A, R>(&self, procedure: impl ProgramProcedure, args: &A) -> Result<(R, Stream)>
    where
        A: Codec<Value = A>,
        R: Codec<Value = R>,
    {
        let shared = &self.inner.shared;
        let serial = shared.take_serial();
        // Known before the call is sent: data may come ahead of the reply.
        shared.state().streams.insert(serial, StreamState::default());
        let stream = Stream::new(self.clone(), Arc::clone(shared), Header::call(procedure, serial));
        match self.call_as(procedure, serial, args, Vec::new()) {
            Ok((ret, _)) => Ok((ret, stream)),
            Err(error) => {
                // There is no stream at the other end: nothing to abort.
                shared.state().streams.remove(&serial);
                Err(error)
            }
        }
    }

    fn call_as<A, R>(
        &self,
        procedure: impl ProgramProcedure,
        serial: u32,
        args: &A,
        fds: Vec<OwnedFd>,
    ) -> Result<(R, Vec<OwnedFd>)>
    where
        A: Codec<Value = A>,
        R: Codec<Value = R>,
    {
        let header = Header::call(procedure, serial);
        let encoded = if fds.is_empty() {
            Outgoing::new::<A>(&header, args)
        } else {
            Outgoing::with_fds::<A>(&Header { kind: Type::CallWithFds, ..header }, args, fds)
        };
        let message = encoded.map_err(|e| rpc_error(format!("Unable to encode message payload: {e}")))?;
        let reply = self.inner.shared.exchange(&header, message)?;
        reply_value::<R>(reply)
    }

    /// The next event, waiting at most so long. `Ok(None)`: none came in time, or [`Connection::wake`] was called.
    pub fn next_event(&self, timeout: Option<Duration>) -> Result<Option<Message>> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let shared = &self.inner.shared;
        let mut state = shared.state();
        loop {
            if let Some(event) = state.events.pop_front() {
                return Ok(Some(event));
            }
            if let Some((_, error)) = &state.closed {
                return Err(error.clone());
            }
            if std::mem::take(&mut state.woken) {
                return Ok(None);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            state = shared.wait(state, left);
        }
    }

    /// Ends a wait for the next event, the present one or else the following one.
    pub fn wake(&self) {
        self.inner.shared.state().woken = true;
        self.inner.shared.changed.notify_all();
    }

    /// Why the connection is closed, or None while it is open.
    pub fn closed(&self) -> Option<CloseReason> {
        self.inner.shared.state().closed.as_ref().map(|(reason, _)| *reason)
    }

    /// Says goodbye to the daemon (`CONNECT_CLOSE`) and closes.
    pub fn close(self) -> Result<()> {
        let said = self.call::<_, ()>(Procedure::ConnectClose, &());
        self.inner.shared.close(CloseReason::Client, rpc_error("the connection was closed"));
        said
    }
}

fn reply_value<R: Codec>(mut reply: Message) -> Result<(R::Value, Vec<OwnedFd>)> {
    let undecodable = |e: XdrError| rpc_error(format!("Unable to decode message payload: {e}"));
    match reply.header.status {
        Status::Ok => {
            let fds = std::mem::take(&mut reply.fds);
            Ok((reply.decode::<R>().map_err(undecodable)?, fds))
        }
        Status::Error => Err(remote_error(&reply)),
        other => Err(rpc_error(format!("Unexpected message status {}", other.number()))),
    }
}

/// The error that a message carries. A daemon that lacks a procedure says so with an RPC error of its own.
pub(super) fn remote_error(reply: &Message) -> Error {
    match reply.decode::<MessageError>() {
        Err(e) => rpc_error(format!("Unable to decode message payload: {e}")),
        Ok(wire) => {
            let error = from_wire(wire);
            let layer = matches!(error.domain, ErrorDomain::Rpc | ErrorDomain::Remote) && error.code == Code::Rpc;
            if layer && error.message.starts_with("unknown procedure") {
                return Error::new(error.domain, Code::NoSupport, error.message);
            }
            error
        }
    }
}

impl Shared {
    /// A panic of another thread leaves the maps as they were between two statements: usable.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn wait<'a>(&self, state: MutexGuard<'a, State>, timeout: Option<Duration>) -> MutexGuard<'a, State> {
        match timeout {
            None => self.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner()),
            Some(timeout) => {
                self.changed.wait_timeout(state, timeout).unwrap_or_else(|poisoned| poisoned.into_inner()).0
            }
        }
    }

    fn take_serial(&self) -> u32 {
        let mut state = self.state();
        let serial = state.next_serial;
        state.next_serial = serial.wrapping_add(1);
        serial
    }

    /// Sends a call and waits for what answers it.
    pub fn exchange(&self, header: &Header, message: Outgoing) -> Result<Message> {
        let (answer, answered) = mpsc::sync_channel(1);
        let key = (header.program, header.serial);
        {
            let mut state = self.state();
            if let Some((_, error)) = &state.closed {
                return Err(error.clone());
            }
            state.calls.insert(key, answer);
        }
        // The reader may rest because nobody reads a stream; it must not while somebody waits for a reply.
        self.changed.notify_all();
        if let Err(error) = self.send(message) {
            self.state().calls.remove(&key);
            return Err(error);
        }
        answered.recv().unwrap_or_else(|_| Err(self.closed_error()))
    }

    pub fn send(&self, message: Outgoing) -> Result<()> {
        let guard = self.writing.lock();
        let sent = self.write(message);
        drop(guard);
        sent?;
        // The reader may have had something to say meanwhile.
        while let Some(_guard) = self.may_write_signs() {
            self.write_signs()?;
        }
        Ok(())
    }

    /// A sign of life from the reader: written now, or by who is writing, or when the socket takes it.
    pub fn show_life(&self, sign: SignOfLife) -> Result<()> {
        self.owed.fetch_or(sign as u8, Ordering::AcqRel);
        self.show_owed_life().map(drop)
    }

    /// Writes what is owed as far as that needs no waiting; true: it is for the reader to come back when the socket takes it.
    pub fn show_owed_life(&self) -> Result<bool> {
        while let Some(_guard) = self.may_write_signs() {
            let mut socket = [PollFd::new(&self.socket, PollFlags::OUT)];
            if !poll(&mut socket, Some(&Timespec::default())).is_ok_and(|ready| ready > 0) {
                return Ok(true);
            }
            self.write_signs()?;
        }
        Ok(false)
    }

    /// The right to write, where something is owed and nobody else is writing: who is looks again when he is done.
    fn may_write_signs(&self) -> Option<MutexGuard<'_, ()>> {
        if self.owed.load(Ordering::Acquire) == 0 {
            return None;
        }
        match self.writing.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn write_signs(&self) -> Result<()> {
        let owed = self.owed.swap(0, Ordering::AcqRel);
        let signs = [(SignOfLife::Pong, Outgoing::pong()), (SignOfLife::Ping, Outgoing::ping())];
        signs.into_iter().filter(|(sign, _)| owed & *sign as u8 != 0).try_for_each(|(_, message)| self.write(message))
    }

    /// Only with `writing` held.
    fn write(&self, message: Outgoing) -> Result<()> {
        let mut sender = Sender::default();
        sender.push(message);
        match sender.flush(self.socket.as_fd()) {
            Ok(_) => Ok(()),
            Err(errno) => {
                let error = Error::system(ErrorDomain::Rpc, &errno.into(), "Cannot write data");
                self.close(CloseReason::Error, error.clone());
                Err(error)
            }
        }
    }

    fn closed_error(&self) -> Error {
        let state = self.state();
        state.closed.as_ref().map_or_else(|| rpc_error("the connection was closed"), |(_, error)| error.clone())
    }

    /// Everybody who waits gets `error`; the socket carries nothing more. The first reason stays.
    pub fn close(&self, reason: CloseReason, error: Error) {
        let mut state = self.state();
        if state.closed.is_none() {
            state.closed = Some((reason, error.clone()));
        }
        for (_, waiting) in state.calls.drain() {
            _ = waiting.try_send(Err(error.clone()));
        }
        for stream in state.streams.values_mut() {
            stream.fail(error.clone());
        }
        drop(state);
        self.changed.notify_all();
        _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
    }
}
