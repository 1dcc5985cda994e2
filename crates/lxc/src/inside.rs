//! Tasks inside a running container: for each the program that carries it out is started, between the client and the container. What
//! the task is, the two know.

use crate::driver::{Driver, lock};
use crate::files::system;
use crate::object::DomainObject;
use api::{DomainState, Error, ErrorDomain, Result};
use linux::spawn::{Spawn, Spawned, spawn};
use rpc::server::{EventFlags, Loop, Source, Token};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{WaitOptions, waitpid};
use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What the process is called: nothing that looks for controllers may take it for one.
const NAME: &str = "virtlxc-inside";
/// Where it finds the client's stream and the container's init.
const STREAM: i32 = 3;
const INIT: i32 = 4;

impl Driver {
    /// Starts the program with a task that it understands, and gives the client's end of its stream.
    pub fn run_inside(&self, object: &DomainObject, task: &[u8]) -> Result<OwnedFd> {
        let init = {
            let state = object.lock();
            let live = state.running()?;
            if state.state == DomainState::Paused {
                return Err(Error::operation_invalid(ErrorDomain::Lxc, "domain is paused: nothing runs in it"));
            }
            let no_init = || Error::operation_invalid(ErrorDomain::Lxc, "Init pid is not yet available");
            live.init.as_ref().map(|(_, fd)| Arc::clone(fd)).ok_or_else(no_init)?
        };
        let failed = |e: std::io::Error| system(&e, "cannot start a task inside the container".into());
        // The guest can get hold of what is executed inside it, so that is a copy that cannot be changed.
        let program = linux::sealed::program(self.emulator.own_program())
            .map_err(|e| system(&e, format!("cannot use '{}'", self.emulator.own_program().display())))?;
        let task = linux::sealed::bytes(task).map_err(failed)?;
        let (client, stream) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .map_err(|e| failed(e.into()))?;
        let null = std::fs::File::options().write(true).open("/dev/null").map_err(failed)?;
        let mut arguments: Vec<OsString> = vec![NAME.into(), "--inside".into(), object.name.clone().into()];
        arguments.extend(self.emulator.own_options());
        let spawned = spawn(&Spawn {
            program: &PathBuf::from(format!("/proc/self/fd/{}", program.as_raw_fd())),
            arguments,
            environment: Vec::new(),
            descriptors: vec![
                (task.as_fd(), 0),
                (null.as_fd(), 1),
                (null.as_fd(), 2),
                (stream.as_fd(), STREAM),
                (init.as_fd(), INIT),
            ],
            new_session: true,
            folder: Some(Path::new("/")),
        })
        .map_err(failed)?;
        Reaper::watch(&self.event_loop, spawned)?;
        Ok(client)
    }
}

/// Takes the status of a process that nobody asks for.
struct Reaper {
    event_loop: Arc<Loop>,
    token: Token,
    process: Mutex<Option<Spawned>>,
}

impl Reaper {
    fn watch(event_loop: &Arc<Loop>, process: Spawned) -> Result<()> {
        let token = event_loop.token();
        let process = Mutex::new(Some(process));
        let reaper = Arc::new(Reaper { event_loop: Arc::clone(event_loop), token, process });
        let process = lock(&reaper.process);
        match process.as_ref() {
            Some(process) => {
                event_loop.add(token, &process.pidfd, EventFlags::IN, Arc::clone(&reaper) as Arc<dyn Source>)
            }
            None => Ok(()),
        }
    }
}

impl Source for Reaper {
    fn ready(self: Arc<Self>, _: EventFlags) {
        if let Some(process) = lock(&self.process).take() {
            self.event_loop.remove(self.token, &process.pidfd);
            if let Err(errno) = waitpid(Some(process.pid), WaitOptions::NOHANG) {
                tracing::debug!("the status of process {}: {errno}", process.pid.as_raw_nonzero());
            }
        }
    }
}
