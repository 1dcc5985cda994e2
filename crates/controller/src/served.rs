//! Images in formats that the kernel does not know: qemu-nbd(8) reads them, and what it serves becomes a network block device.
//! The device goes with its last user, as a loop device does, and the program with the connection; so neither has to be thought
//! of at the container's end, however that comes about. They stay only where this process is killed after it has connected the
//! device and before it has opened it and said so. As the program writes what the kernel brings it after that end too, it
//! is no member of the container's control groups, where it would be killed with the container.

use crate::failure::{Doing, Failure, Result};
use crate::plan;
use linux::netlink::NetworkDisks;
use linux::process::{self, End};
use linux::spawn::{Spawn, path_variable, spawn};
use linux::{descriptor, lock};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::{Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest that one waits for the image to be opened, which a file system on a network may hold up, or another user. The daemon
/// waits longer for us.
const PATIENCE: Duration = Duration::from_secs(20);

/// The device's node, and that opened.
pub fn attach(file: &Path, format: &str, read_only: bool, state: &Path) -> Result<(PathBuf, OwnedFd)> {
    let deadline = Instant::now() + PATIENCE;
    let shown = file.display();
    let mut disks = network_disks().map_err(|failure| Failure::new(format!("Unable to serve {shown}: {failure}")))?;
    let program = find("qemu-nbd").ok_or_else(|| {
        Failure::new(format!("Unable to serve {shown}: Unable to find 'qemu-nbd' binary in $PATH (package qemu-utils)"))
    })?;
    let server = Server { program, file, format, read_only, state };
    let connection = server.start(deadline)?;
    let export = negotiate(&connection, deadline)
        .map_err(|error| Failure::new(format!("Unable to serve {shown}: qemu-nbd does not answer: {error}")))?;
    let index = disks
        .connect(connection.as_fd(), export.size, export.flags)
        .doing(|| format!("Unable to make a network block device of {shown}"))?;
    let node = PathBuf::from(format!("/dev/nbd{index}"));
    let access = if read_only { OFlags::RDONLY } else { OFlags::RDWR };
    // Who looks at each new device on the machine must not have been its last user: so it is told when we are one.
    let opened = rustix::fs::open(&node, access | OFlags::CLOEXEC, Mode::empty()).map_err(Into::into);
    let opened = opened.and_then(|device| disks.end_with_last_user(index).map(|()| device));
    let device = opened.doing(|| format!("Unable to use {} for {shown}", node.display())).inspect_err(|_| {
        _ = disks.disconnect(index);
    })?;
    Ok((node, device))
}

fn network_disks() -> Result<NetworkDisks> {
    let open = || NetworkDisks::open().doing(|| "Unable to ask the kernel for network block devices");
    if let Some(disks) = open()? {
        return Ok(disks);
    }
    let said = load_module();
    open()?.ok_or_else(|| match (Path::new("/sys/module/nbd").exists(), said) {
        (true, _) => Failure::new("network block devices are there in the machine's first network namespace only"),
        (false, said) => Failure::new(format!("Failed to load nbd module{said}")),
    })
}

/// What modprobe(8) complains of, behind a colon.
fn load_module() -> String {
    let Some(program) = find("modprobe") else { return ": Unable to find 'modprobe' binary in $PATH".into() };
    let run = || {
        let null = File::open("/dev/null")?;
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let child = spawn(&Spawn {
            program: &program,
            arguments: ["modprobe", "-b", "nbd"].map(OsString::from).to_vec(),
            environment: vec![path_variable()],
            descriptors: vec![(null.as_fd(), 0), (null.as_fd(), 1), (write.as_fd(), 2)],
            new_session: false,
            folder: None,
        })?;
        process::wait(child.pid)?;
        Ok::<_, io::Error>(last_words(&File::from(read), "modprobe"))
    };
    match run() {
        Ok(said) if said.is_empty() => said,
        Ok(said) => format!(": {said}"),
        Err(error) => format!(": modprobe: {error}"),
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let environment = [path_variable().as_bytes().to_vec()];
    let all = plan::candidates(program.as_bytes(), &environment);
    all.map(|path| PathBuf::from(OsStr::from_bytes(&path))).find(|path| path.is_file())
}

/// What a program has said last of all under its own name, in one line. Nobody waits for more.
fn last_words(mut pipe: &File, program: &str) -> String {
    let mut said = [0; 4096];
    let length = pipe.read(&mut said).unwrap_or(0);
    let said = String::from_utf8_lossy(said.get(..length).unwrap_or_default());
    let words = said.rsplit_once(&format!("{program}: ")).map_or(&*said, |(_, words)| words);
    words.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

/// qemu-nbd for one image and one client.
struct Server<'a> {
    program: PathBuf,
    file: &'a Path,
    format: &'a str,
    read_only: bool,
    /// Where a socket is for a moment.
    state: &'a Path,
}

/// The bytes that its locks are on.
const LOCKS: (i64, i64) = (100, 200);

impl Server<'_> {
    /// Who served the image to a container that has ended may have something to write yet: it is waited for.
    fn start(&self, deadline: Instant) -> Result<UnixStream> {
        let shown = self.file.display();
        let image = File::open(self.file).doing(|| format!("Unable to open {shown}"))?;
        let is_locked = || lock::is_locked(image.as_fd(), LOCKS.0, LOCKS.1).unwrap_or(false);
        let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(Into::into);
        let watch = watch.doing(|| format!("Unable to watch {shown}"))?;
        inotify::add_watch(&watch, self.file, WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE)
            .map_err(Into::into)
            .doing(|| format!("Unable to watch {shown}"))?;
        loop {
            let was_locked = is_locked();
            let failure = match self.start_once(deadline) {
                Ok(connection) => return Ok(connection),
                Err(failure) if !was_locked => return Err(failure),
                Err(failure) => failure,
            };
            // It has closed the image itself.
            while rustix::io::read(&watch, &mut [0; 4096]).is_ok_and(|length| length > 0) {}
            if is_locked() && !wait_for(watch.as_fd(), PollFlags::IN, deadline).unwrap_or(false) {
                return Err(failure);
            }
        }
    }

    /// It gets a socket that we are connected to already: when we go, it goes.
    fn start_once(&self, deadline: Instant) -> Result<UnixStream> {
        let failed = || format!("Unable to serve {}", self.file.display());
        let path = self.state.join(format!("nbd-{}.sock", std::process::id()));
        _ = std::fs::remove_file(&path);
        // Only root may connect, and when we are connected nobody.
        let before = rustix::process::umask(Mode::from_raw_mode(0o077));
        let listener = UnixListener::bind(&path);
        rustix::process::umask(before);
        let connection = listener.and_then(|listener| Ok((UnixStream::connect(&path)?, listener)));
        _ = std::fs::remove_file(&path);
        let (connection, listener) = connection.doing(failed)?;
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(Into::into).doing(failed)?;
        let Some(child) = process::clone(0, None).doing(failed)? else {
            let error = self.become_it(listener.as_fd(), write.as_fd());
            _ = File::from(write).write_all(format!("qemu-nbd: {error}").as_bytes());
            process::exit_at_once(1)
        };
        drop((listener, write));
        if !wait_for(child.pidfd.as_fd(), PollFlags::IN, deadline).doing(failed)? {
            _ = rustix::process::pidfd_send_signal(&child.pidfd, rustix::process::Signal::KILL);
            _ = process::wait(child.pid);
            return Err(Failure::new(format!("{}: qemu-nbd has not opened it within {PATIENCE:?}", failed())));
        }
        // The one that serves is a child of its.
        match process::wait(child.pid).doing(failed)? {
            End::Exited(0) => Ok(connection),
            _ => Err(Failure::new(format!("{}: qemu-nbd: {}", failed(), last_words(&File::from(read), "qemu-nbd")))),
        }
    }

    /// In a copy of this process. Only an error comes back.
    fn become_it(&self, listener: BorrowedFd, errors: BorrowedFd) -> io::Error {
        let prepare = || {
            rustix::process::setsid()?;
            process::reset_signals()?;
            let null = File::options().read(true).write(true).open("/dev/null")?;
            let sources = [null.as_fd(), null.as_fd(), errors, listener];
            let moved = sources.map(|source| descriptor::duplicate_above(source, 4));
            for (number, source) in (0..).zip(moved) {
                descriptor::place(source?.as_fd(), number)?;
            }
            process::close_on_exec_from(4)
        };
        if let Err(error) = prepare() {
            return error;
        }
        let text = |bytes: &OsStr| CString::new(bytes.as_bytes()).unwrap_or_default();
        // From the root of the file system, so that no name is taken for something else.
        let file = Path::new("/").join(self.file);
        let mut words = ["qemu-nbd", "--fork", "--nocache", "--format", self.format].map(OsStr::new).to_vec();
        words.extend(self.read_only.then_some(OsStr::new("--read-only")));
        words.push(file.as_os_str());
        let arguments: Vec<CString> = words.into_iter().map(text).collect();
        // sd_listen_fds(3)
        let own = OsString::from(format!("LISTEN_PID={}", std::process::id()));
        let environment = [path_variable(), own, "LISTEN_FDS=1".into()].map(|variable| text(&variable));
        process::execute(&text(self.program.as_os_str()), &arguments, &environment)
    }
}

/// Whether it is ready before the deadline.
fn wait_for(what: BorrowedFd, flags: PollFlags, deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(0), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::from_borrowed_fd(what, flags)], Some(&left)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// What the other end has.
#[derive(Debug, PartialEq, Eq)]
struct Export {
    /// In bytes.
    size: u64,
    /// What it can do, and whether it may be written to.
    flags: u16,
}

/// The protocol's beginning, of which the rest is the kernel's (`doc/proto.md` of the project NBD): the fixed newstyle
/// negotiation, without the zeroes, of the export without a name.
fn negotiate(connection: &UnixStream, deadline: Instant) -> io::Result<Export> {
    const FIXED_AND_NO_ZEROES: u16 = 3;
    const OPTION: &[u8] = b"IHAVEOPT";
    const EXPORT_NAME: u32 = 1;
    let greeting: [u8; 18] = receive(connection, deadline)?;
    let understood = greeting.starts_with(b"NBDMAGICIHAVEOPT");
    let flags = greeting.last_chunk().map_or(0, |flags| u16::from_be_bytes(*flags));
    if !understood || flags & FIXED_AND_NO_ZEROES != FIXED_AND_NO_ZEROES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its greeting is another protocol's"));
    }
    let agreed = u32::from(FIXED_AND_NO_ZEROES).to_be_bytes();
    let (option, no_name) = (EXPORT_NAME.to_be_bytes(), 0u32.to_be_bytes());
    let mut connection_in = connection;
    connection_in.write_all(&[&agreed, OPTION, &option, &no_name].concat())?;
    let size: [u8; 8] = receive(connection, deadline)?;
    let flags: [u8; 2] = receive(connection, deadline)?;
    Ok(Export { size: u64::from_be_bytes(size), flags: u16::from_be_bytes(flags) })
}

fn receive<const COUNT: usize>(mut connection: &UnixStream, deadline: Instant) -> io::Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    let mut filled = 0;
    while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
        if !wait_for(connection.as_fd(), PollFlags::IN, deadline)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match connection.read(room) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + PATIENCE
    }

    #[test]
    fn what_is_exported_is_heard() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(b"NBDMAGICIHAVEOPT\0\x03\0\0\0\0\x01\0\0\x02\x01\x6d").unwrap();
        assert_eq!(negotiate(&ours, soon()).unwrap(), Export { size: 0x0100_0002, flags: 0x016d });
        let mut asked = [0; 20];
        theirs.read_exact(&mut asked).unwrap();
        assert_eq!(&asked, b"\0\0\0\x03IHAVEOPT\0\0\0\x01\0\0\0\0");
    }

    #[test]
    fn who_says_something_else_or_nothing_is_not_believed() {
        for (said, why) in [
            (&b"NBDMAGIC\0\0\x42\x02\x81\x86\x12\x53\0\0"[..], "another protocol"),
            (b"NBDMAGICIHAVEOPT\0\x01", "another protocol"),
            (b"NBDMAGIC", "unexpected end of file"),
        ] {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            theirs.write_all(said).unwrap();
            drop(theirs);
            let error = negotiate(&ours, soon()).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        let (ours, _theirs) = UnixStream::pair().unwrap();
        assert_eq!(negotiate(&ours, Instant::now()).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn the_last_words_of_a_program() {
        let heard = |said: &str| {
            let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).unwrap();
            File::from(write.try_clone().unwrap()).write_all(said.as_bytes()).unwrap();
            last_words(&File::from(read), "qemu-nbd")
        };
        assert_eq!(
            heard("qemu-nbd: warning: a\nqemu-nbd: Failed to open '/x': locked\nWho has it?\n\n"),
            "Failed to open '/x': locked; Who has it?"
        );
        assert_eq!((heard("mumble"), heard("")), ("mumble".to_string(), String::new()));
    }
}
