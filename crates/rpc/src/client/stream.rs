//! A stream of data inside a connection: a console, as far as containers are concerned.

use super::connection::{Connection, Shared};
use crate::error::rpc_error;
use crate::message::{Header, Outgoing, STREAM_DATA_MAX, Status, Type};
use api::{Error, Result};
use std::collections::VecDeque;
use std::sync::Arc;

/// What has come for a stream and is not read yet.
#[derive(Default)]
pub(super) struct StreamState {
    data: VecDeque<Vec<u8>>,
    backlog: usize,
    /// The daemon has sent its last byte.
    ended: bool,
    /// The answer to our finish or abort.
    confirmed: bool,
    /// Nobody wants data any more.
    closing: bool,
    failed: Option<Error>,
}

impl StreamState {
    pub fn receive(&mut self, data: &[u8]) {
        if self.closing {
            return;
        }
        if data.is_empty() {
            self.ended = true;
        } else {
            self.backlog += data.len();
            self.data.push_back(data.to_vec());
        }
    }

    pub fn confirm(&mut self) {
        self.confirmed = true;
        self.ended = true;
    }

    pub fn fail(&mut self, error: Error) {
        self.failed.get_or_insert(error);
    }

    pub fn backlog(&self) -> usize {
        self.backlog
    }
}

/// One stream. All methods may be called from several threads; dropping it aborts what is not finished.
pub struct Stream {
    /// Keeps the connection open.
    _connection: Connection,
    shared: Arc<Shared>,
    header: Header,
}

impl Stream {
    pub(super) fn new(connection: Connection, shared: Arc<Shared>, header: Header) -> Stream {
        Stream { _connection: connection, shared, header: Header { kind: Type::Stream, ..header } }
    }

    /// Waits for data. Empty: there is no more to come.
    pub fn recv(&self) -> Result<Vec<u8>> {
        let mut state = self.shared.state();
        loop {
            let Some(stream) = state.streams.get_mut(&self.header.serial) else { return Ok(Vec::new()) };
            if let Some(data) = stream.data.pop_front() {
                stream.backlog -= data.len();
                drop(state);
                self.shared.changed.notify_all();
                return Ok(data);
            }
            if let Some(error) = &stream.failed {
                return Err(error.clone());
            }
            if stream.ended || stream.closing {
                return Ok(Vec::new());
            }
            state = self.shared.wait(state, None);
        }
    }

    /// Sends data; returns when the socket has taken it.
    pub fn send(&self, data: &[u8]) -> Result<()> {
        for part in data.chunks(STREAM_DATA_MAX) {
            if let Some(error) = self.shared.state().streams.get(&self.header.serial).and_then(|s| s.failed.clone()) {
                return Err(error);
            }
            self.packet(Status::Continue, part)?;
        }
        Ok(())
    }

    /// Ends the stream in good order and waits for the daemon to agree.
    pub fn finish(&self) -> Result<()> {
        self.end(Status::Ok)
    }

    /// Ends the stream at once; the daemon throws away what it holds.
    pub fn abort(&self) -> Result<()> {
        self.end(Status::Error)
    }

    fn end(&self, how: Status) -> Result<()> {
        {
            let mut state = self.shared.state();
            let Some(stream) = state.streams.get_mut(&self.header.serial) else { return Ok(()) };
            if stream.closing {
                return Ok(());
            }
            stream.closing = true;
            stream.data.clear();
            stream.backlog = 0;
            if let Some(error) = stream.failed.clone() {
                state.streams.remove(&self.header.serial);
                return if how == Status::Ok { Err(error) } else { Ok(()) };
            }
        }
        self.shared.changed.notify_all();
        self.packet(how, &[])?;
        let mut state = self.shared.state();
        loop {
            let Some(stream) = state.streams.get(&self.header.serial) else { return Ok(()) };
            let outcome = if stream.confirmed { Some(Ok(())) } else { stream.failed.clone().map(Err) };
            if let Some(outcome) = outcome {
                state.streams.remove(&self.header.serial);
                return outcome;
            }
            state = self.shared.wait(state, None);
        }
    }

    fn packet(&self, status: Status, data: &[u8]) -> Result<()> {
        let header = Header { status, ..self.header };
        let message = Outgoing::raw(&header, data).map_err(|e| rpc_error(e.to_string()))?;
        self.shared.send(message)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Err(error) = self.abort() {
            tracing::debug!("a stream could not be aborted: {error}");
        }
        self.shared.state().streams.remove(&self.header.serial);
    }
}
