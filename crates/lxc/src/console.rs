//! A container's consoles for clients: found by name, opened for one client at a time.
//!
//! Our own controller gives a connection, which begins with the last of the output; of libvirt's, the terminal is opened.

use crate::driver::{Driver, state_file};
use crate::files::system;
use crate::monitor::{connect, wait};
use crate::object::DomainObject;
use api::{Error, ErrorDomain, Result};
use rpc::controller::{ControllerOpenConsoleArgs, PROGRAM, Procedure};
use rpc::message::{Header, Outgoing, Status, Type};
use rpc::wire::{Received, Receiver};
use rustix::fs::{Mode, OFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long a controller may take to give a connection. It is quick, unless the machine is not.
const PATIENCE: Duration = Duration::from_secs(10);

/// A console that a client is to be connected with.
pub struct FoundConsole {
    /// Which one it is, for all clients: its terminal's path.
    pub path: String,
    index: usize,
    /// The controller is one of ours.
    ours: bool,
    domain: String,
}

impl Driver {
    /// The console of that alias, the first one where none is named: where it is. Nothing is opened yet.
    pub fn find_console(&self, object: &DomainObject, name: Option<&str>) -> Result<FoundConsole> {
        let state = object.lock();
        let domain = &state.running()?.domain;
        let index = match name {
            Some(name) => domain.consoles.iter().position(|console| console.alias.as_deref() == Some(name)),
            None => Some(0),
        };
        let found = index.and_then(|index| Some((index, domain.consoles.get(index)?)));
        let unknown = || match name {
            Some(name) => format!("cannot find console device '{name}'"),
            None => "cannot find default console device".to_string(),
        };
        let (index, console) = found.ok_or_else(|| Error::internal(ErrorDomain::Lxc, unknown()))?;
        let no_terminal = || {
            let alias = console.alias.as_deref().unwrap_or("console");
            Error::internal(ErrorDomain::Lxc, format!("character device {alias} is not using a PTY"))
        };
        let path = console.source_path.clone().ok_or_else(no_terminal)?;
        let ours = self.emulator.choose(domain.emulator.as_deref()).is_ok_and(|chosen| chosen.ours);
        Ok(FoundConsole { path, index, ours, domain: domain.name.clone() })
    }

    /// A stream of its bytes, both ways, that does not block.
    pub fn open_console(&self, console: &FoundConsole) -> Result<OwnedFd> {
        let failed = |error| system(&error, format!("Unable to open console '{}'", console.path));
        if console.ours {
            match self.console_session(console) {
                Ok(Some(stream)) => return Ok(stream),
                // A controller that an older daemon of ours has started.
                Ok(None) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        rustix::fs::open(&console.path, flags, Mode::empty()).map_err(|error| failed(error.into()))
    }

    /// None: the controller does not know what is asked of it.
    fn console_session(&self, console: &FoundConsole) -> std::io::Result<Option<OwnedFd>> {
        let socket = connect(&state_file(&self.paths, &console.domain, "sock"))?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        let header = Header::call(Procedure::OpenConsole, 1);
        let arguments = ControllerOpenConsoleArgs { console: console.index as u32 };
        let call = Outgoing::new::<ControllerOpenConsoleArgs>(&header, &arguments).map_err(std::io::Error::other)?;
        rustix::io::write(&socket, &call.bytes)?;
        let deadline = Instant::now() + PATIENCE;
        let mut receiver = Receiver::of_replies();
        loop {
            match receiver.receive(socket.as_fd()) {
                Ok(Received::Message(message)) if message.header == header.answer(Type::Reply, Status::Ok) => {
                    return Ok(Some(socket));
                }
                // It introduces its container first.
                Ok(Received::Message(message)) if message.header.program != PROGRAM => {}
                Ok(Received::WouldBlock) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(std::io::ErrorKind::TimedOut.into());
                    }
                    wait(&[&socket], left);
                }
                Ok(Received::Message(_) | Received::Closed) | Err(_) => return Ok(None),
            }
        }
    }
}
