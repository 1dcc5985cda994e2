//! A task inside a container, over our own program of the protocol: its stream's records one way and the other.

use crate::failure::Failure;
use crate::shell::Shell;
use api::{Code, ErrorDomain};
use rpc::client::Stream;
use rpc::records::{DATA_MAX, FIRST_ROOM, Reader, Record};
use rpc::remote::NonnullDomain;
use rpc::virtlxc::{DomainRunArgs, Procedure, Task};
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How a task ended.
#[derive(Debug, Clone)]
pub enum End {
    Exited(u8),
    Killed(u8),
    /// It was not begun.
    Refused {
        status: u8,
        text: String,
    },
    /// The connection or the daemon ended first.
    Lost(api::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Output,
    Errors,
}

/// A task under way. Dropped, it is hung up.
pub struct Session {
    stream: Stream,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// So much input may be sent.
    room: usize,
    over: bool,
}

impl Session {
    pub fn open(shell: &Shell, dom: NonnullDomain, task: Task) -> Result<Session, Failure> {
        let args = DomainRunArgs { dom, task, flags: 0 };
        let opened = shell.open_stream::<_, _, ()>(Procedure::DomainRun, &args);
        let ((), stream) = opened.map_err(|error| match is_unknown_program(&error) {
            true => Failure::new(format!(
                "the daemon of {} is not virtlxcd: it knows no commands inside containers",
                shell.uri
            )),
            false => error.into(),
        })?;
        Ok(Session { stream, state: Mutex::new(State { room: FIRST_ROOM, over: false }), changed: Condvar::new() })
    }

    /// Takes what comes until the task has ended.
    pub fn listen(&self, take: &mut dyn FnMut(Source, Vec<u8>)) -> End {
        let end = self.records(take).unwrap_or_else(End::Lost);
        self.state().over = true;
        self.changed.notify_all();
        end
    }

    fn records(&self, take: &mut dyn FnMut(Source, Vec<u8>)) -> api::Result<End> {
        let broken = |words: String| api::Error::new(ErrorDomain::Rpc, Code::Rpc, words);
        let mut reader = Reader::default();
        loop {
            let data = self.stream.recv()?;
            if data.is_empty() {
                return Err(broken("the task's stream ended before the task".into()));
            }
            reader.push(&data);
            while let Some(record) = reader.take().map_err(|malformed| broken(malformed.to_string()))? {
                match record {
                    Record::Room(count) => {
                        self.state().room += count as usize;
                        self.changed.notify_all();
                        take(Source::Output, Vec::new());
                    }
                    Record::Output(data) => take(Source::Output, data),
                    Record::Errors(data) => take(Source::Errors, data),
                    Record::Exited(status) => return Ok(End::Exited(status)),
                    Record::Killed(signal) => return Ok(End::Killed(signal)),
                    Record::Failed(status, text) => return Ok(End::Refused { status, text }),
                    _ => return Err(broken("the daemon sent a record that is not its own".into())),
                }
            }
        }
    }

    /// Sends input, and waits for room where there is none; an error where nobody takes it any more.
    pub fn input(&self, data: &[u8]) -> io::Result<()> {
        for part in data.chunks(DATA_MAX) {
            let mut state = self.state();
            while state.room < part.len() {
                if state.over {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.room -= part.len();
            drop(state);
            self.send(&Record::Input(part.to_vec()))?;
        }
        Ok(())
    }

    pub fn end_input(&self) -> io::Result<()> {
        self.send(&Record::Input(Vec::new()))
    }

    /// How much input can be sent without waiting.
    pub fn room(&self) -> usize {
        self.state().room
    }

    pub fn send(&self, record: &Record) -> io::Result<()> {
        let mut bytes = Vec::new();
        record.write(&mut bytes);
        self.stream.send(&bytes).map_err(|error| io::Error::other(error.message))
    }

    /// Ends the wait of [`Session::listen`]; the task is hung up.
    pub fn abort(&self) {
        // A stream that has ended already needs no end.
        _ = self.stream.abort();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a daemon says that has not our program.
fn is_unknown_program(error: &api::Error) -> bool {
    matches!(error.code, Code::Rpc | Code::NoSupport) && error.message.starts_with("Cannot find program")
}
