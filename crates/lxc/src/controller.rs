//! The controller program of one start: its command line, its start, and the signs that it and the daemon give each other.
//!
//! Signs are single bytes in two pipes. First the controller says that it has its cgroup and its child; then the daemon that
//! the links are there; then the controller that the container is complete. Its end closes its pipe. Our own controller is told
//! before all that whether its control groups are there: they are made while it is loaded.

use crate::driver::shown;
use crate::emulator::Chosen;
use crate::files::system;
use crate::log::DomainLog;
use crate::monitor::wait;
use crate::nursery::Nurseries;
use crate::shares::Shared;
use crate::sources::Asked;
use api::{Error, ErrorDomain, Result};
use conf::domain::Domain;
use linux::cgroup::Group;
use linux::spawn::{Loading, Spawn, Spawned, begin, path_variable};
use rustix::pipe::{PipeFlags, pipe_with};
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What one side writes when the other may go on.
const SIGN: &[u8; 1] = b"c";
/// What we write in its place to our own controller once the control groups are there, before the length of what there is to be
/// said about them and that itself.
const GROUPS: u8 = b'g';

/// Work of a controller's takes so long only where it is held up.
const QUIET: Duration = Duration::from_secs(5);

/// A controller that has failed ends within this time.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A controller of others reads the status file, which names its process id, so it begins only when that is written. The shell
/// that waits becomes it.
const LAUNCHER: &str = "/bin/sh";
const LAUNCH: &str = "read -r go && exec \"$0\" \"$@\" </dev/null";

/// A command line with the descriptors that it names.
pub struct Command<'a> {
    program: PathBuf,
    ours: bool,
    arguments: Vec<OsString>,
    /// Words behind those for the handshake.
    links: Vec<OsString>,
    descriptors: Vec<(BorrowedFd<'a>, RawFd)>,
    next: RawFd,
}

impl<'a> Command<'a> {
    pub fn new(emulator: &Chosen, name: &str, own_options: &[OsString]) -> Command<'a> {
        let mut arguments: Vec<OsString> = vec![emulator.program.clone().into(), "--name".into(), name.into()];
        if emulator.ours {
            arguments.extend_from_slice(own_options);
        }
        Command {
            program: emulator.program.clone(),
            ours: emulator.ours,
            arguments,
            links: Vec::new(),
            descriptors: Vec::new(),
            next: 3,
        }
    }

    pub fn consoles(&mut self, masters: &'a [OwnedFd]) {
        masters.iter().for_each(|master| self.descriptor("--console", master.as_fd()));
    }

    pub fn share(&mut self, shared: &'a [Shared]) {
        shared.iter().for_each(|one| self.descriptor(one.option, one.namespace.as_fd()));
    }

    /// What the status file will say, for our own controller, which has no need to wait for the file.
    pub fn document(&mut self, document: &'a OwnedFd) {
        self.descriptor("--document", document.as_fd());
    }

    pub fn pass(&mut self, files: &'a [OwnedFd]) {
        files.iter().for_each(|file| self.descriptor("--passfd", file.as_fd()));
    }

    pub fn links(&mut self, names: &[String]) {
        for name in names {
            self.links.extend(["--veth".into(), name.into()]);
        }
    }

    fn descriptor(&mut self, option: &str, fd: BorrowedFd<'a>) {
        let number = self.number(fd);
        self.arguments.extend([option.into(), number.to_string().into()]);
    }

    /// The number under which the controller finds this descriptor.
    fn number(&mut self, fd: BorrowedFd<'a>) -> RawFd {
        let number = self.next;
        self.next += 1;
        self.descriptors.push((fd, number));
        number
    }
}

/// A controller that runs, or, where it is not ours, waits to be released.
pub struct Controller {
    pid: i32,
    pidfd: Arc<OwnedFd>,
    from: OwnedFd,
    to: Option<OwnedFd>,
    /// What the launcher of a foreign one waits for.
    launcher: Option<OwnedFd>,
    program: PathBuf,
    loading: Option<Loading>,
}

impl Controller {
    /// Starts it, or has it copied; one that is not ours is held back until it is released.
    pub fn start(command: Command, nurseries: &Nurseries, log: &mut DomainLog) -> Result<Controller> {
        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(|e| system(&e.into(), "Unable to create pipe".into()));
        let ((from, their_to), (their_from, to)) = (pipe()?, pipe()?);
        let Command { program, ours, mut arguments, links, mut descriptors, next } = command;
        descriptors.extend([(their_from.as_fd(), next), (their_to.as_fd(), next + 1)]);
        arguments.push("--security=none".into());
        arguments.extend(["--handshakefds".into(), format!("{next}:{}", next + 1).into()]);
        arguments.extend(links);
        let environment = environment();
        log.starting(&environment, &program, &arguments);
        let out = log.file.try_clone().map_err(|e| system(&e, "cannot use the domain's log".into()))?;
        descriptors.extend([(out.as_fd(), 1), (out.as_fd(), 2)]);
        let ((spawned, loading), launcher) = if ours {
            let null = std::fs::File::open("/dev/null").map_err(|e| system(&e, "cannot open '/dev/null'".into()))?;
            descriptors.push((null.as_fd(), 0));
            let copied = nurseries.copy(&program, &arguments, &descriptors);
            let started = match copied.map_err(|e| not_executed(&program, &e))? {
                Some(spawned) => (spawned, None),
                None => {
                    let started = run(&program, arguments, environment, descriptors);
                    let (spawned, loading) = started.map_err(|e| not_executed(&program, &e))?;
                    (spawned, Some(loading))
                }
            };
            (started, None)
        } else {
            let (held, release) = pipe()?;
            descriptors.push((held.as_fd(), 0));
            let held_arguments = ["sh", "-c", LAUNCH].map(OsString::from).into_iter().chain(arguments).collect();
            let started = run(Path::new(LAUNCHER), held_arguments, environment, descriptors);
            let (spawned, loading) = started.map_err(|e| not_executed(&program, &e))?;
            ((spawned, Some(loading)), Some(release))
        };
        let pid = spawned.pid.as_raw_nonzero().get();
        Ok(Controller { pid, pidfd: Arc::new(spawned.pidfd), from, to: Some(to), launcher, program, loading })
    }

    /// Waits until it is loaded, which may fail.
    pub fn loaded(&mut self) -> Result<()> {
        self.loading.take().map_or(Ok(()), Loading::finish).map_err(|e| not_executed(&self.program, &e))
    }

    /// Lets one that is not ours begin: the status file is there. If this goes wrong it ends by itself, and the wait for its sign
    /// says so.
    pub fn release(&mut self) {
        if let Some(launcher) = self.launcher.take() {
            _ = rustix::io::write(&launcher, b"go\n");
        }
    }

    /// Tells our own controller of its groups, or that they are its to make. If this goes wrong its pipe is closed: then it ends
    /// by itself, and the wait for its sign says so.
    pub fn groups(&mut self, made: Option<&Group>) {
        let words = made.map(|group| {
            let told = group.told();
            let length = u32::try_from(told.len()).unwrap_or(0).to_le_bytes();
            [&[GROUPS], &length[..], &told].concat()
        });
        if self.to.as_ref().is_some_and(|to| rustix::io::write(to, words.as_deref().unwrap_or(SIGN)).is_err()) {
            self.to = None;
        }
    }

    pub fn pid(&self) -> i32 {
        self.pid
    }

    pub fn pidfd(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.pidfd)
    }

    /// Waits for the controller's next sign. Who is quiet for long may be held up by what the domain is lent, which may be slow
    /// only: it is asked meanwhile.
    pub fn wait_for_sign(&mut self, patience: Duration, log: &DomainLog, domain: &Domain) -> Result<()> {
        let either = |patience| wait(&[&self.from, &self.pidfd], patience);
        let mut seen = either(QUIET);
        if seen == [false, false] {
            let asked = Asked::ask(domain);
            if let Some(words) = asked.mute_for(patience) {
                return Err(log.failure(&format!("{words}, still does not answer")));
            }
            seen = either(patience.saturating_sub(QUIET));
            if let ([false, false], Some(words)) = (seen, asked.mute_for(Duration::ZERO)) {
                return Err(log.failure(&format!("{words}, does not answer")));
            }
        }
        let [signed, ended] = seen;
        if !signed && !ended {
            return Err(log.failure(&format!("the controller gave no sign within {} s", patience.as_secs())));
        }
        let mut byte = [0];
        // Where it has ended without a sign, something of the container's may still hold the pipe: a read could wait for ever.
        let read = match signed {
            true => rustix::io::retry_on_intr(|| rustix::io::read(&self.from, &mut byte)),
            false => Ok(0),
        };
        if read == Ok(1) && &byte == SIGN {
            return Ok(());
        }
        Err(self.failure("the controller ended without saying why", log))
    }

    /// It has failed and is about to end, with its last words in the log.
    pub fn failure(&self, otherwise: &str, log: &DomainLog) -> Error {
        wait(&[&self.pidfd], LAST_WORDS);
        log.failure(otherwise)
    }

    /// Lets the controller go on.
    pub fn go_on(&mut self, log: &DomainLog) -> Result<()> {
        let Some(to) = self.to.take() else { return Ok(()) };
        match rustix::io::retry_on_intr(|| rustix::io::write(&to, SIGN)) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.failure("the controller ended without saying why", log)),
        }
    }
}

fn run(
    program: &Path,
    arguments: Vec<OsString>,
    environment: Vec<OsString>,
    descriptors: Vec<(BorrowedFd, RawFd)>,
) -> std::io::Result<(Spawned, Loading)> {
    begin(&Spawn { program, arguments, environment, descriptors, new_session: true, folder: Some(Path::new("/")) })
}

fn not_executed(program: &Path, error: &std::io::Error) -> Error {
    let words = format!("guest failed to start: libvirt:  error : cannot execute binary {}", shown(program));
    Error::internal(ErrorDomain::Lxc, words)
        .explain(format!(": {}", system(error, String::new()).message.trim_start_matches(": ")))
}

/// Of every controller.
pub(crate) fn environment() -> Vec<OsString> {
    vec![path_variable(), "LIBVIRT_DEBUG=3".into(), "LIBVIRT_LOG_OUTPUTS=3:stderr".into()]
}

pub(crate) fn cgroup_error(error: linux::cgroup::Error) -> Error {
    match error.io() {
        Some(source) => {
            let text = error.to_string();
            let reason = Error::system(ErrorDomain::Cgroup, source, "").message;
            Error::system(
                ErrorDomain::Cgroup,
                source,
                text.trim_end_matches(&reason).trim_end_matches(": ").to_string(),
            )
        }
        None => Error::internal(ErrorDomain::Cgroup, error.to_string()),
    }
}
