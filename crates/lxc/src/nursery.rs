//! The daemon's end of the process that controllers are copied from. To load our controller program takes a third of a start, and
//! more in a daemon with thousands of descriptors; a copy of one that is loaded is there in a tenth of that.

use crate::controller::environment;
use crate::driver::lock;
use crate::monitor::wait;
use linux::handover;
use linux::spawn::{Spawn, Spawned, spawn};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open, pidfd_send_signal,
    waitid,
};
use rustix::thread::sched_getcpu;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A copy takes a fraction of a millisecond.
const PATIENCE: Duration = Duration::from_secs(5);

/// It ends when this is dropped, or when the daemon ends.
struct Nursery {
    process: Spawned,
    socket: OwnedFd,
    program: PathBuf,
    /// What the program was when it was executed.
    version: Version,
    /// How many controllers were asked for.
    requests: u64,
}

/// Another file, or other content, is another version.
#[derive(PartialEq, Eq)]
struct Version(u64, u64, i64, i64, u64);

impl Version {
    fn of(program: &Path) -> io::Result<Version> {
        let found = std::fs::metadata(program)?;
        Ok(Version(found.dev(), found.ino(), found.ctime(), found.ctime_nsec(), found.size()))
    }
}

impl Nursery {
    /// None where it was killed, or had no time to get ready: another one may be luckier.
    fn start(program: &Path) -> io::Result<Option<Nursery>> {
        let version = Version::of(program)?;
        let (socket, theirs) = handover::pair()?;
        let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
        let null = null.as_fd();
        let process = spawn(&Spawn {
            program,
            arguments: vec![program.into(), "--nursery".into(), "3".into()],
            environment: environment(),
            descriptors: vec![(null, 0), (null, 1), (null, 2), (theirs.as_fd(), 3)],
            new_session: true,
            folder: Some(Path::new("/")),
        })?;
        // Closed where it is of no use.
        drop(theirs);
        let nursery = Nursery { process, socket, program: program.to_path_buf(), version, requests: 0 };
        let [said] = wait(&[&nursery.socket], PATIENCE);
        let word = if said { handover::receive(nursery.socket.as_fd())? } else { None };
        match word {
            Some((word, _)) if word == handover::READY => Ok(Some(nursery)),
            None if !said || nursery.was_killed() => Ok(None),
            _ => Err(io::Error::other("the kernel, or a filter, does not let it change its command line")),
        }
    }

    /// Of one that has said its last.
    fn was_killed(&self) -> bool {
        wait(&[&self.process.pidfd], PATIENCE);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let ended = waitid(WaitId::PidFd(self.process.pidfd.as_fd()), options);
        ended.ok().flatten().is_some_and(|status| status.terminating_signal().is_some())
    }

    /// Whether it would be the same to execute the program now.
    fn is_of(&self, program: &Path) -> bool {
        self.program == program && Version::of(program).is_ok_and(|version| version == self.version)
    }

    /// What came of the request with that number, which has been sent. Both the nursery and its copy tell, so that the end of
    /// either leaves no copy unknown: when all who could tell are gone, there is none.
    fn answer(&self, number: u64) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let [told] = wait(&[&self.socket], deadline.saturating_duration_since(Instant::now()));
            if !told {
                return Answer::Silence;
            }
            let words = match handover::receive(self.socket.as_fd()) {
                Ok(Some((words, _))) => words,
                Ok(None) => return Answer::End,
                // The same, with what it has not read.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Answer::End,
                Err(_) => return Answer::Silence,
            };
            let Some((to, pid)) = words.split_first_chunk() else { return Answer::End };
            // One that could not be read has none.
            if ![0, number].contains(&u64::from_ne_bytes(*to)) {
                // The other one of the two who told of a request before.
                continue;
            }
            let Ok(pid) = pid.try_into() else { return Answer::End };
            return Pid::from_raw(i32::from_ne_bytes(pid)).map_or(Answer::Nothing, Answer::Copy);
        }
    }

    /// Nobody waits for it yet: its number stays its own.
    fn kill(&self) {
        _ = pidfd_send_signal(&self.process.pidfd, Signal::KILL);
    }

    /// With the copies that have not told: they are of its group yet.
    fn end_with_copies(self) {
        _ = kill_process_group(self.process.pid, Signal::KILL);
        while let Ok(Some(_)) = waitid(WaitId::Pgid(Some(self.process.pid)), WaitIdOptions::EXITED) {}
    }

    fn end(&self) {
        self.kill();
        _ = waitid(WaitId::PidFd(self.process.pidfd.as_fd()), WaitIdOptions::EXITED);
    }
}

/// What came of a request.
enum Answer {
    Copy(Pid),
    /// No process could be made.
    Nothing,
    /// Nothing, for nobody is there any more.
    End,
    Silence,
}

fn copied(pid: Pid) -> io::Result<Spawned> {
    // Our child, and nobody has waited for it: the number is its own.
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Spawned { pid, pidfd }),
        Err(errno) => {
            _ = kill_process(pid, Signal::KILL);
            _ = linux::process::wait(pid);
            Err(errno.into())
        }
    }
}

impl Drop for Nursery {
    fn drop(&mut self) {
        self.end();
        // Copies that were killed with it, before they could tell anybody: they are of its group yet.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        while let Ok(Some(_)) = waitid(WaitId::Pgid(Some(self.process.pid)), options) {}
    }
}

/// Where controllers come from: nowhere before the first start.
pub(crate) struct Nurseries {
    nursery: Mutex<Option<Nursery>>,
    /// Not any more where it could not be made.
    wanted: AtomicBool,
}

impl Nurseries {
    pub fn new(wanted: bool) -> Nurseries {
        Nurseries { nursery: Mutex::default(), wanted: AtomicBool::new(wanted) }
    }

    /// A controller of this program, with this command line and these descriptors under these numbers; none where it has to be
    /// executed. An error where it cannot be, for there may be one that has the descriptors.
    pub fn copy(
        &self,
        program: &Path,
        arguments: &[OsString],
        descriptors: &[(BorrowedFd, RawFd)],
    ) -> io::Result<Option<Spawned>> {
        let mut place = lock(&self.nursery);
        let Some(nursery) = place.as_mut().filter(|nursery| nursery.is_of(program)) else { return Ok(None) };
        nursery.requests += 1;
        let numbers: Vec<String> = descriptors.iter().map(|(_, number)| number.to_string()).collect();
        // The processor that we are on, and most likely still are when it has a copy.
        let mut message = format!("{}\0{}\0{}", nursery.requests, sched_getcpu(), numbers.join(",")).into_bytes();
        for word in arguments {
            message.push(0);
            message.extend_from_slice(word.as_bytes());
        }
        let descriptors: Vec<BorrowedFd> = descriptors.iter().map(|(from, _)| *from).collect();
        let answer = match handover::send(nursery.socket.as_fd(), &message, &descriptors) {
            Ok(()) => nursery.answer(nursery.requests),
            // Too much at once.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(None),
            Err(_) => Answer::End,
        };
        let answer = match answer {
            // Once it has ended it makes no copy; one that it has made will tell.
            Answer::Silence => {
                nursery.kill();
                nursery.answer(nursery.requests)
            }
            answer => answer,
        };
        match answer {
            Answer::Copy(pid) => copied(pid).map(Some),
            Answer::Nothing => Ok(None),
            Answer::End => {
                tracing::info!("the process that controllers are copied from has gone");
                *place = None;
                Ok(None)
            }
            Answer::Silence => {
                // Other starts do not wait for it.
                let silent = place.take();
                drop(place);
                silent.into_iter().for_each(Nursery::end_with_copies);
                Err(io::Error::other("no controller came of it"))
            }
        }
    }

    /// One that is there and not wanted any more ends.
    pub fn set_wanted(&self, wanted: bool) {
        self.wanted.store(wanted, Ordering::Relaxed);
        let old = if wanted { None } else { lock(&self.nursery).take() };
        drop(old);
    }

    /// Whether there is something to prepare.
    pub fn lacks(&self, program: &Path) -> bool {
        self.wanted.load(Ordering::Relaxed)
            && lock(&self.nursery).as_ref().is_none_or(|nursery| !nursery.is_of(program))
    }

    /// From the next start on, if it can be.
    pub fn prepare(&self, program: &Path) {
        if !self.lacks(program) {
            return;
        }
        // Starts that begin meanwhile do not wait for it. One that another has made meanwhile ends.
        let old = match Nursery::start(program) {
            Ok(Some(nursery)) => lock(&self.nursery).replace(nursery),
            Ok(None) => None,
            Err(error) => {
                tracing::warn!("every controller is loaded by itself: {error}");
                self.wanted.store(false, Ordering::Relaxed);
                None
            }
        };
        drop(old);
        // It may have been told meanwhile that it is not.
        if !self.wanted.load(Ordering::Relaxed) {
            self.set_wanted(false);
        }
    }
}
