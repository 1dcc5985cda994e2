//! Folders and files of cgroup filesystems: plain acts, each with an error that names the file.

use super::{Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the last processes of a group may take to end before its removal fails.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn create_folder(path: &Path) -> Result<()> {
    rustix::fs::mkdir(path, Mode::from_raw_mode(0o755)).map_err(|errno| Error::creating(path, errno.into()))
}

pub(super) fn folder_exists(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXISTS).is_ok()
}

/// Whether the folder is the top of a mounted cgroup filesystem and not hidden by another mount.
pub(super) fn is_cgroup(path: &Path) -> bool {
    const CGROUP: u64 = 0x0027_e0eb;
    const CGROUP2: u64 = 0x6367_7270;
    rustix::fs::statfs(path).is_ok_and(|found| [CGROUP, CGROUP2].contains(&(found.f_type as u64)))
}

pub(super) fn open_folder(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| Error::reading(path, errno.into()))
}

/// bpf(2) wants a folder that is open for reading.
pub(super) fn open_readable(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| Error::reading(path, errno.into()))
}

/// The whole file, which the kernel makes up for each open. One read takes nearly all of these files, where the standard
/// library, which knows no length, would ask twenty times.
pub(super) fn read(path: &Path) -> Result<String> {
    let whole = || -> io::Result<String> {
        let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut text = vec![0; 4096];
        let mut have = 0;
        loop {
            if have == text.len() {
                text.resize(have * 2, 0);
            }
            match rustix::io::retry_on_intr(|| rustix::io::read(&file, text.get_mut(have..).unwrap_or_default()))? {
                0 => break,
                count => have += count,
            }
        }
        text.truncate(have);
        String::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    };
    whole().map_err(|error| Error::reading(path, error))
}

/// One write, as these files want it; the file is there already or the write fails.
pub(super) fn write(path: &Path, value: &str) -> Result<()> {
    let open = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
    let written = open.and_then(|file| rustix::io::write(&file, value.as_bytes()));
    written.map(|_| ()).map_err(|errno| Error::writing(path, value, errno.into()))
}

pub(super) fn give(path: &Path, uid: u32, gid: u32) -> Result<()> {
    let (uid, gid) = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid));
    rustix::fs::chownat(CWD, path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW).map_err(|errno| Error::System {
        doing: format!("Unable to change the owner of '{}'", path.display()),
        source: errno.into(),
    })
}

/// The processes in a group, without those in groups below it; none where there is no such group.
pub(super) fn processes(folder: &Path) -> Result<Vec<i32>> {
    let list = match std::fs::read_to_string(folder.join("cgroup.procs")) {
        // ENODEV: removed while it was read. EOPNOTSUPP: a threaded group of version 2, whose processes are listed above it.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENODEV | libc::EOPNOTSUPP)) => {
            return Ok(Vec::new());
        }
        result => result.map_err(|error| Error::reading(&folder.join("cgroup.procs"), error))?,
    };
    Ok(list.lines().filter_map(|line| line.parse().ok()).collect())
}

/// Calls `act` for the group and for every group below it, deepest first. Depth is bounded by the longest path, for a
/// container may nest as it likes; no folder stays open meanwhile.
pub(super) fn walk(folder: &Path, act: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        result => result.map_err(|error| Error::reading(folder, error))?,
    };
    let below: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    for folder in below {
        walk(&folder, act)?;
    }
    act(folder)
}

/// Until when processes may take to end that are about to.
pub(super) fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

/// Removes a group and those below it, waiting for processes that are about to end.
pub(super) fn remove_tree(folder: &Path, deadline: Instant) -> Result<()> {
    // Mostly there is nothing below, and then one call does it.
    match rustix::fs::rmdir(folder) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(_) => {}
    }
    walk(folder, &mut |folder| remove_one(folder, deadline))
}

fn remove_one(folder: &Path, deadline: Instant) -> Result<()> {
    loop {
        match rustix::fs::rmdir(folder) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => return Ok(()),
            Err(rustix::io::Errno::BUSY) if Instant::now() < deadline => {}
            Err(errno) => return Err(Error::removing(folder, errno.into())),
        }
        let left = processes(folder)?;
        // Our own end is not waited for.
        if left.contains(&rustix::process::getpid().as_raw_nonzero().get()) {
            return Err(Error::removing(folder, rustix::io::Errno::BUSY.into()));
        }
        match left.into_iter().find_map(process) {
            Some(process) => _ = wait_readable(process, PollFlags::IN, deadline),
            // A group made meanwhile, or the kernel has still to let go of a process that has ended.
            None => {
                std::thread::yield_now();
                walk(folder, &mut |below| if below == folder { Ok(()) } else { remove_one(below, deadline) })?;
            }
        }
    }
}

fn process(pid: i32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()
}

/// Waits for the event, not longer than to the deadline; whether it came.
pub(super) fn wait_readable(on: impl std::os::fd::AsFd, event: PollFlags, deadline: Instant) -> bool {
    let on: BorrowedFd = on.as_fd();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout =
            Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&on, event)], Some(&timeout)) {
            Ok(ready) => return ready > 0,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}
