//! The daemon's end of a controller's monitor socket, `NAME.sock`: it tells the init's process id and how the container ended;
//! its end is the container's end. All sockets are waited for in the daemon's one loop.

use crate::driver::{Driver, lock, shown};
use crate::files::system;
use crate::object::DomainObject;
use api::{Error, ErrorDomain, Result};
use rpc::monitor::{ExitEventMsg, ExitStatus, InitEventMsg, PROGRAM, Procedure};
use rpc::server::{EventFlags, Source, Token};
use rpc::wire::{Received, Receiver};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

pub struct Monitor {
    socket: OwnedFd,
    token: Token,
    driver: Weak<Driver>,
    object: Weak<DomainObject>,
    state: Mutex<State>,
}

struct State {
    receiver: Receiver,
    init: Option<i32>,
    exit: Option<ExitStatus>,
    watched: bool,
}

/// What came of listening.
enum Heard {
    /// Nothing more for now.
    Silence,
    End,
}

impl Monitor {
    pub fn connect(driver: &Arc<Driver>, object: &Arc<DomainObject>, path: &Path) -> Result<Arc<Monitor>> {
        let failed = |e: std::io::Error| system(&e, format!("Failed to connect to socket '{}'", shown(path)));
        let socket = connect(path).map_err(failed)?;
        Ok(Arc::new(Monitor {
            socket,
            token: driver.event_loop.token(),
            driver: Arc::downgrade(driver),
            object: Arc::downgrade(object),
            state: Mutex::new(State { receiver: Receiver::of_replies(), init: None, exit: None, watched: false }),
        }))
    }

    /// The process at the other end.
    pub fn peer(&self) -> Option<i32> {
        let credentials = rustix::net::sockopt::socket_peercred(&self.socket).ok()?;
        Some(credentials.pid.as_raw_nonzero().get())
    }

    /// The container's init, which a controller tells everybody who connects.
    pub fn wait_for_init(&self, patience: Duration) -> Result<i32> {
        let deadline = Instant::now() + patience;
        loop {
            let heard = self.listen();
            if let Some(init) = lock(&self.state).init {
                return Ok(init);
            }
            if matches!(heard, Heard::End) {
                return Err(Error::internal(ErrorDomain::Lxc, "the controller ended before it named the init process"));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let words = format!("the controller did not name the init process within {} s", patience.as_secs());
                return Err(Error::internal(ErrorDomain::Lxc, words));
            }
            wait(&[&self.socket], left);
        }
    }

    /// From now on the loop listens.
    pub fn watch(self: &Arc<Self>) -> Result<()> {
        let Some(driver) = self.driver.upgrade() else { return Ok(()) };
        lock(&self.state).watched = true;
        driver.event_loop.add(self.token, &self.socket, EventFlags::IN, Arc::clone(self) as Arc<dyn Source>)
    }

    /// Listens no more.
    pub fn close(&self) {
        let watched = std::mem::take(&mut lock(&self.state).watched);
        if let (true, Some(driver)) = (watched, self.driver.upgrade()) {
            driver.event_loop.remove(self.token, &self.socket);
        }
    }

    /// How the container ended, as far as the controller has said. What it said last is heard.
    pub fn exit(&self) -> Option<ExitStatus> {
        self.listen();
        lock(&self.state).exit
    }

    fn listen(&self) -> Heard {
        let mut state = lock(&self.state);
        loop {
            let message = match state.receiver.receive(self.socket.as_fd()) {
                Ok(Received::Message(message)) => message,
                Ok(Received::WouldBlock) => return Heard::Silence,
                Ok(Received::Closed) => return Heard::End,
                Err(error) => {
                    tracing::warn!("a controller's monitor socket: {error}");
                    return Heard::End;
                }
            };
            if message.header.program != PROGRAM {
                continue;
            }
            match Procedure::from_number(message.header.procedure) {
                Some(Procedure::InitEvent) => {
                    let init = message.decode::<InitEventMsg>().ok().and_then(|msg| i32::try_from(msg.initpid).ok());
                    state.init = init.filter(|pid| *pid > 0).or(state.init);
                }
                Some(Procedure::ExitEvent) => {
                    state.exit = message.decode::<ExitEventMsg>().ok().map(|msg| msg.status).or(state.exit);
                }
                None => {}
            }
        }
    }
}

impl Source for Monitor {
    fn ready(self: Arc<Self>, _: EventFlags) {
        if let Heard::Silence = self.listen() {
            return;
        }
        self.close();
        let (Some(driver), Some(object)) = (self.driver.upgrade(), self.object.upgrade()) else { return };
        let after = Arc::clone(&driver);
        driver.later(move || after.container_ended(&object, &self));
    }
}

/// Connects, however long the path is: a socket's address holds 107 bytes, so the folder goes by descriptor.
pub(crate) fn connect(path: &Path) -> std::io::Result<OwnedFd> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(std::io::ErrorKind::InvalidInput.into());
    };
    let folder = rustix::fs::open(folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut short = std::path::PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    short.push(name);
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(&short)?)?;
    Ok(socket)
}

/// Waits until one of the descriptors can be read, at most so long. Which ones can.
pub fn wait<const N: usize>(descriptors: &[&OwnedFd; N], patience: Duration) -> [bool; N] {
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let mut waited = descriptors.map(|fd| PollFd::new(fd, PollFlags::IN));
        match poll(&mut waited, Some(&timeout)) {
            Err(rustix::io::Errno::INTR) => {}
            _ => return waited.map(|one| !one.revents().is_empty()),
        }
    }
}
