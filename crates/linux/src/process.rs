//! A process in namespaces of its own (clone3(2), namespaces(7)), and what it becomes before it executes a program.

use crate::capability;
use rustix::process::Pid;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Kinds of namespaces, as clone3(2) and setns(2) take them. Together they fill a word.
pub mod namespace {
    pub const MOUNT: u64 = libc::CLONE_NEWNS as u64;
    pub const UTS: u64 = libc::CLONE_NEWUTS as u64;
    pub const IPC: u64 = libc::CLONE_NEWIPC as u64;
    pub const PID: u64 = libc::CLONE_NEWPID as u64;
    pub const NETWORK: u64 = libc::CLONE_NEWNET as u64;
    pub const USER: u64 = libc::CLONE_NEWUSER as u64;
    pub const CGROUP: u64 = libc::CLONE_NEWCGROUP as u64;
}

/// A child of ours. It is to be waited for with [`wait`].
#[derive(Debug)]
pub struct Child {
    pub pid: Pid,
    /// Readable with its end.
    pub pidfd: OwnedFd,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    Killed(i32),
}

/// A copy of this process in the namespaces given and, where one is given, in that version 2 cgroup.
/// In the copy the answer is none. The process must have one thread: a copy has only the caller's, and whatever locks
/// the others held stay locked in it for ever.
pub fn clone(namespaces: u64, cgroup: Option<BorrowedFd>) -> io::Result<Option<Child>> {
    if threads()? != 1 {
        return Err(io::Error::other("a process with several threads is not copied"));
    }
    copy(namespaces, libc::SIGCHLD, cgroup)
}

/// A copy of this process that is its parent's child, so that the parent can wait for it. For a process that has entered
/// namespaces with setns(2) and has one thread; that is seen without `/proc`, which is another's by then.
pub fn clone_for_parent() -> io::Result<Option<Child>> {
    // SAFETY: the call changes nothing: it is an error where there are other threads.
    check(unsafe { libc::unshare(libc::CLONE_THREAD) }.into())?;
    // The signal at its end is then that of this process.
    copy(libc::CLONE_PARENT as u64, 0, None)
}

/// The callers have seen that this process has one thread.
fn copy(flags: u64, signal: libc::c_int, cgroup: Option<BorrowedFd>) -> io::Result<Option<Child>> {
    /// Wider than what the C library's header can hold in an int.
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    let mut pidfd: RawFd = -1;
    // SAFETY: all zeroes is a valid clone_args: no flags and no addresses.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = flags | libc::CLONE_PIDFD as u64;
    arguments.exit_signal = signal as u64;
    arguments.pidfd = (&raw mut pidfd) as u64;
    if let Some(cgroup) = cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: without CLONE_VM and without a stack this is fork(2): the child goes on with a copy of everything. There
    // is one thread, as seen above, so no lock of the allocator or the library is held by one that is missing in the
    // copy. `arguments` is as large as said and `pidfd` outlives the call.
    let result = unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<libc::clone_args>()) };
    match result {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        pid => {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
            // SAFETY: the kernel has just stored a new descriptor there, so nothing else owns it.
            Ok(Some(Child { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } }))
        }
    }
}

/// How many threads this process has: a folder has a link for itself, one for its parent's entry, one per subfolder.
pub(crate) fn threads() -> io::Result<u64> {
    let task = rustix::fs::stat("/proc/self/task")?;
    Ok(task.st_nlink.saturating_sub(2))
}

/// From now on the groups that this process is in are the roots of all control groups it sees (cgroup_namespaces(7)).
pub fn enter_cgroup_namespace() -> io::Result<()> {
    // SAFETY: the call takes flags, and this one takes no memory or descriptor table away from any thread.
    check(unsafe { libc::unshare(libc::CLONE_NEWCGROUP) }.into())
}

/// From now on nobody else may look into this process or trace it, but who may do all (prctl(2), PR_SET_DUMPABLE). Exec undoes it.
pub fn hide() -> io::Result<()> {
    Ok(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?)
}

/// From now on this thread has a root and a working folder of its own, as entering another mount namespace asks for.
pub(crate) fn unshare_folders() -> io::Result<()> {
    // SAFETY: the call takes flags, and this one takes no memory or descriptor table away from any thread.
    check(unsafe { libc::unshare(libc::CLONE_FS) }.into())
}

/// Waits for the end of a child and takes its status.
pub fn wait(pid: Pid) -> io::Result<End> {
    loop {
        match rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()) {
            Ok(Some((_, status))) => {
                return Ok(match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => End::Exited(code),
                    (_, Some(signal)) => End::Killed(signal),
                    _ => continue,
                });
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The name of this process in `/proc/PID/comm`; fifteen bytes count.
pub fn set_name(name: &str) -> io::Result<()> {
    let name = CString::new(name)?;
    Ok(rustix::thread::set_name(&name)?)
}

/// From now on the kernel kills this process when its parent ends. Change of ids undoes it, so that comes first.
pub fn die_with_parent() -> io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?)
}

/// Ends at once, without what a program does at its end.
pub fn exit_at_once(code: i32) -> ! {
    // SAFETY: _exit(2) takes any number and does not return.
    unsafe { libc::_exit(code) }
}

/// Becomes another program; returns only with the reason why not.
pub fn execute(program: &CString, arguments: &[CString], environment: &[CString]) -> io::Error {
    let (argv, envp) = (crate::spawn::pointers(arguments), crate::spawn::pointers(environment));
    // SAFETY: the strings are owned by the arguments, and the arrays end in null.
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr().cast(), envp.as_ptr().cast()) };
    io::Error::last_os_error()
}

/// Sets every user and group id of this process, and the supplementary groups. Its only thread calls it.
pub fn set_ids(uid: u32, gid: u32, groups: &[u32]) -> io::Result<()> {
    // SAFETY: the calls take numbers and an array with its length. They are made as such, without the C library's
    // broadcast to other threads, for there is none.
    let results = unsafe {
        [
            libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()),
            libc::syscall(libc::SYS_setresgid, gid, gid, gid),
            libc::syscall(libc::SYS_setresuid, uid, uid, uid),
        ]
    };
    match results.contains(&-1) {
        false => Ok(()),
        true => Err(io::Error::last_os_error()),
    }
}

/// From now on what this thread makes in file systems belongs to these ids, and it may do there what it may. Needed where owners
/// are mapped by the mount: there nothing can be made by who is not among the ids that it maps.
pub fn make_files_as(uid: u32, gid: u32) -> io::Result<()> {
    // SAFETY: the calls take numbers. They are about the calling thread, and answer with what was before.
    let taken = unsafe {
        libc::setfsgid(gid);
        libc::setfsuid(uid);
        (libc::setfsuid(uid) as u32, libc::setfsgid(gid) as u32)
    };
    if taken != (uid, gid) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    // Another user than root has lost those about files.
    capability::set(capability::Set::ALL, capability::Set::default())
}

/// The kernel's number of a limit by its name in the shell's manner: `nofile`, `nproc`, ….
pub fn rlimit_named(name: &str) -> Option<u32> {
    const NAMES: [(&str, libc::__rlimit_resource_t); 16] = [
        ("as", libc::RLIMIT_AS),
        ("core", libc::RLIMIT_CORE),
        ("cpu", libc::RLIMIT_CPU),
        ("data", libc::RLIMIT_DATA),
        ("fsize", libc::RLIMIT_FSIZE),
        ("locks", libc::RLIMIT_LOCKS),
        ("memlock", libc::RLIMIT_MEMLOCK),
        ("msgqueue", libc::RLIMIT_MSGQUEUE),
        ("nice", libc::RLIMIT_NICE),
        ("nofile", libc::RLIMIT_NOFILE),
        ("nproc", libc::RLIMIT_NPROC),
        ("rss", libc::RLIMIT_RSS),
        ("rtprio", libc::RLIMIT_RTPRIO),
        ("rttime", libc::RLIMIT_RTTIME),
        ("sigpending", libc::RLIMIT_SIGPENDING),
        ("stack", libc::RLIMIT_STACK),
    ];
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

/// Sets a limit of this process; none is unlimited. To raise a hard one takes CAP_SYS_RESOURCE.
pub fn set_rlimit(resource: u32, soft: Option<u64>, hard: Option<u64>) -> io::Result<()> {
    let limit =
        libc::rlimit { rlim_cur: soft.unwrap_or(libc::RLIM_INFINITY), rlim_max: hard.unwrap_or(libc::RLIM_INFINITY) };
    // SAFETY: the structure is read, and outlives the call.
    check(unsafe { libc::setrlimit(resource, &raw const limit) }.into())
}

/// Every descriptor from this number on is close-on-exec (close_range(2)).
pub fn close_on_exec_from(lowest: u32) -> io::Result<()> {
    // SAFETY: the call takes numbers, and closes nothing.
    let result =
        unsafe { libc::syscall(libc::SYS_close_range, lowest, u32::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_uint) };
    check(result)
}

/// Signals at their defaults, none blocked: what a program started by a person finds.
pub fn reset_signals() -> io::Result<()> {
    // The kernel's own structure of so many words: none set is the default. The C library keeps two signals to itself, which
    // may have been ignored by whoever started us.
    let default = [0u64; 4];
    for signal in (1..=64).filter(|signal| !matches!(*signal, libc::SIGKILL | libc::SIGSTOP)) {
        // SAFETY: the structure is as long as the kernel's and outlives the call; a default is valid for every other signal, and
        // no handler is left that could run.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                std::ptr::null_mut::<u64>(),
                size_of::<u64>(),
            )
        };
    }
    // SAFETY: the set is initialised by sigemptyset before it is read.
    let result = unsafe {
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut())
    };
    check(result.into())
}

/// A signal that is to be looked at by its effect on calls (EPIPE), not as a signal.
pub fn ignore_broken_pipes() {
    // SAFETY: SIG_IGN is a valid disposition for SIGPIPE.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Gives memory that is not used any more back to the machine, for a process that has done most of its work.
pub fn return_memory() {
    // SAFETY: the call looks at the allocator's own data, under its own lock.
    unsafe { libc::malloc_trim(0) };
}

/// A session keyring of its own, so that the caller's keys are not the container's (keyctl(2)).
pub fn new_session_keyring() -> io::Result<()> {
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_int = 1;
    // SAFETY: a null name asks for an anonymous keyring.
    let result =
        unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) };
    check(result)
}

/// How a 32-bit program sees the machine: uname(2) says i686 (personality(2)).
pub fn set_personality_32() -> io::Result<()> {
    const PER_LINUX32: libc::c_ulong = 8;
    // SAFETY: the call takes a number.
    let result = unsafe { libc::personality(PER_LINUX32) };
    check(result.into())
}

fn check(result: libc::c_long) -> io::Result<()> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
