//! The thread that reads a connection: replies to their callers, data to its stream, events to the queue, pings answered.

use super::connection::{CloseReason, Shared, SignOfLife, State, remote_error};
use crate::error::rpc_error;
use crate::keepalive;
use crate::message::{Header, Message, Status, Type};
use crate::wire::{Received, Receiver, WireError};
use api::{Code, Error, ErrorDomain};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::AsFd;
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

/// So much unread data of one stream makes the reader rest, unless somebody waits for a reply.
const STREAM_BACKLOG: usize = 8 << 20;
/// While it rests, the daemon hears of us so often: it must not take us for dead.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

pub(super) fn run(shared: &Shared) {
    let mut receiver = Receiver::of_replies();
    let mut pulse = Pulse { heard: Instant::now(), unanswered: 0 };
    let (reason, error) = loop {
        if let Err(end) = step(shared, &mut receiver, &mut pulse) {
            break end;
        }
    };
    shared.close(reason, error);
}

struct Pulse {
    /// When anything last came from the daemon, or a ping was last sent.
    heard: Instant,
    unanswered: u32,
}

type End = (CloseReason, Error);

fn step(shared: &Shared, receiver: &mut Receiver, pulse: &mut Pulse) -> Result<(), End> {
    match receiver.receive(shared.socket.as_fd()) {
        Ok(Received::Message(message)) => {
            pulse.heard = Instant::now();
            pulse.unanswered = 0;
            hand_out(shared, message)
        }
        Ok(Received::WouldBlock) => wait_for_data(shared, pulse),
        Ok(Received::Closed) | Err(WireError::Truncated) => {
            let eof = io::Error::from_raw_os_error(Errno::IO.raw_os_error());
            Err((CloseReason::Eof, Error::system(ErrorDomain::Rpc, &eof, "End of file while reading data")))
        }
        Err(WireError::Io(errno)) => {
            Err((CloseReason::Error, Error::system(ErrorDomain::Rpc, &errno.into(), "Cannot read data")))
        }
        Err(other) => Err((CloseReason::Error, rpc_error(other.to_string()))),
    }
}

fn wait_for_data(shared: &Shared, pulse: &mut Pulse) -> Result<(), End> {
    let keepalive = shared.state().keepalive;
    let left = keepalive.map(|keepalive| (pulse.heard + keepalive.interval).saturating_duration_since(Instant::now()));
    if let Some(keepalive) = keepalive.filter(|_| left.is_some_and(|left| left.is_zero())) {
        if pulse.unanswered >= keepalive.count {
            let words = "connection closed due to keepalive timeout";
            return Err((CloseReason::Keepalive, Error::new(ErrorDomain::Rpc, Code::InternalError, words)));
        }
        pulse.unanswered += 1;
        pulse.heard = Instant::now();
        return shared.show_life(SignOfLife::Ping).map_err(failed);
    }
    let timeout = left.map(|left| Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() });
    let mut wanted = PollFlags::IN;
    wanted.set(PollFlags::OUT, shared.show_owed_life().map_err(failed)?);
    match poll(&mut [PollFd::new(&shared.socket, wanted)], timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err((CloseReason::Error, Error::system(ErrorDomain::Rpc, &errno.into(), "Cannot poll"))),
    }
}

fn failed(error: Error) -> End {
    (CloseReason::Error, error)
}

fn hand_out(shared: &Shared, message: Message) -> Result<(), End> {
    let header = message.header;
    match header.kind {
        Type::Reply | Type::ReplyWithFds => {
            let waiting = shared.state().calls.remove(&(header.program, header.serial));
            let Some(waiting) = waiting else {
                let words = format!(
                    "got unexpected RPC call prog {} vers {} proc {} serial {}",
                    header.program, header.version, header.procedure, header.serial
                );
                return Err((CloseReason::Error, rpc_error(words)));
            };
            _ = waiting.try_send(Ok(message));
            Ok(())
        }
        Type::Message if header.program == keepalive::PROGRAM => {
            if header.procedure == keepalive::Procedure::Ping.number() {
                shared.show_life(SignOfLife::Pong).map_err(failed)?;
            }
            Ok(())
        }
        Type::Message => {
            shared.state().events.push_back(message);
            shared.changed.notify_all();
            Ok(())
        }
        Type::Stream => stream_packet(shared, &header, &message),
        Type::StreamHole | Type::Call | Type::CallWithFds | Type::Other(_) => {
            Err((CloseReason::Error, rpc_error(format!("got unexpected message type {}", header.kind.number()))))
        }
    }
}

fn stream_packet(shared: &Shared, header: &Header, message: &Message) -> Result<(), End> {
    let mut state = shared.state();
    // A packet for a stream that is gone is no fault: it was on its way.
    let Some(stream) = state.streams.get_mut(&header.serial) else { return Ok(()) };
    match header.status {
        Status::Continue => stream.receive(message.payload()),
        Status::Ok => stream.confirm(),
        Status::Error => stream.fail(remote_error(message)),
        Status::Other(_) => stream.fail(rpc_error(format!("Unexpected message status {}", header.status.number()))),
    }
    shared.changed.notify_all();
    let serial = header.serial;
    while stream_is_full(&state, serial) {
        state = rest(shared, state, serial).map_err(failed)?;
    }
    Ok(())
}

fn stream_is_full(state: &State, serial: u32) -> bool {
    let full = state.streams.get(&serial).is_some_and(|stream| stream.backlog() > STREAM_BACKLOG);
    full && state.calls.is_empty() && state.closed.is_none()
}

fn rest<'a>(shared: &'a Shared, state: MutexGuard<'a, State>, serial: u32) -> api::Result<MutexGuard<'a, State>> {
    let state = shared.wait(state, Some(SIGN_OF_LIFE));
    if !stream_is_full(&state, serial) {
        return Ok(state);
    }
    drop(state);
    shared.show_life(SignOfLife::Pong)?;
    Ok(shared.state())
}
