//! Starting a program without copying our own memory: the child shares it until exec(3), on a stack of its own (clone(2),
//! CLONE_VM). Other than with posix_spawn(3) nobody stands still meanwhile, so that what a program needs beside its start can be
//! made ready while it is loaded.
//!
//! The child gets chosen descriptors under chosen numbers and nothing else, for every descriptor of ours is close-on-exec.

use rustix::process::Pid;
use std::ffi::{CString, OsStr, OsString, c_char, c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicI32, Ordering};

/// A program to start, and what it finds.
pub struct Spawn<'a> {
    /// The file to execute; no search path is asked.
    pub program: &'a Path,
    /// All arguments, the customary name of the program first.
    pub arguments: Vec<OsString>,
    /// The whole environment, `NAME=value` each; nothing of ours is added.
    pub environment: Vec<OsString>,
    /// Which descriptor the child finds under which number; 0, 1 and 2 should be among them.
    pub descriptors: Vec<(BorrowedFd<'a>, RawFd)>,
    /// The child becomes the leader of a new session, so that no terminal of ours is its own.
    pub new_session: bool,
    /// The folder it starts in; ours, where none.
    pub folder: Option<&'a Path>,
}

/// What was started. Whoever has it must wait for it some day, as for any child.
#[derive(Debug)]
pub struct Spawned {
    pub pid: Pid,
    /// Becomes readable with the end of the process (pidfd_open(2)).
    pub pidfd: OwnedFd,
}

/// The variable by which a program finds others, for its environment: ours, or the usual folders.
pub fn path_variable() -> OsString {
    let mut variable = OsString::from("PATH=");
    variable.push(std::env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into()));
    variable
}

/// Starts it; signals are at their defaults and none is blocked. An error of exec(3) itself comes back from here too.
pub fn spawn(what: &Spawn) -> io::Result<Spawned> {
    let (spawned, loading) = begin(what)?;
    loading.finish().map(|()| spawned)
}

/// The same, without waiting for exec(3).
pub fn begin(what: &Spawn) -> io::Result<(Spawned, Loading)> {
    let order = Order::of(what)?;
    // Above every number to be given out, so that none is overwritten before it is copied.
    let above = what.descriptors.iter().map(|(_, number)| number.saturating_add(1)).max().unwrap_or(0).max(3);
    let copies = what
        .descriptors
        .iter()
        .map(|(from, number)| Ok((crate::descriptor::duplicate_above(from.as_fd(), above)?, *number)))
        .collect::<io::Result<Vec<_>>>()?;
    let sources: Vec<(RawFd, RawFd)> = copies.iter().map(|(from, number)| (from.as_raw_fd(), *number)).collect();
    launch(order, sources, above)
}

/// The child has a copy of our table of descriptors: each of the first numbers, all from `above` on, becomes the second.
fn launch(order: Order, descriptors: Vec<(RawFd, RawFd)>, above: RawFd) -> io::Result<(Spawned, Loading)> {
    let (argv, envp) = (pointers(&order.arguments), pointers(&order.environment));
    let work = Rc::new(Work { order, descriptors, argv, envp, error: AtomicI32::new(0) });
    let (executed, held) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    // Open in the child until exec(3) and not a moment shorter, so it must not have a number that is given out.
    let held = crate::descriptor::duplicate_above(held.as_fd(), above)?;
    let mut stack: Vec<Aligned> = Vec::with_capacity(STACK / size_of::<Aligned>());
    let top = stack.spare_capacity_mut().as_mut_ptr_range().end;
    let flags = libc::CLONE_VM | libc::CLONE_PIDFD | libc::SIGCHLD;
    let mut pidfd: c_int = -1;
    let silence = Silence::begin();
    // SAFETY: the child runs `child` on the stack given, which nothing else uses, with the work given; both live until
    // `Loading` has seen that the child is done with our memory. It has a table of descriptors of its own, a copy. `pidfd`
    // is where the kernel stores the new descriptor before it returns. Handlers of ours cannot run in the child: all
    // signals are blocked until it has none.
    let pid = unsafe { libc::clone(child, top.cast(), flags, Rc::as_ptr(&work).cast_mut().cast(), &raw mut pidfd) };
    let failure = io::Error::last_os_error();
    drop(silence);
    drop(held);
    let Some(pid) = Pid::from_raw(pid).filter(|_| pid > 0) else { return Err(failure) };
    // SAFETY: the kernel has just stored a new descriptor there, so nothing else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok((Spawned { pid, pidfd }, Loading(Some(Sharing { pid, executed, work, _stack: stack }))))
}

/// The child needs some hundred bytes.
const STACK: usize = 32 << 10;

/// As a stack is aligned.
#[repr(align(16))]
struct Aligned(#[expect(dead_code, reason = "only its size and alignment count")] [u8; 16]);

/// A child that may have to be loaded yet.
pub struct Loading(Option<Sharing>);

/// A child that may still use our memory.
struct Sharing {
    pid: Pid,
    /// At its end when the child has executed its program or has ended.
    executed: OwnedFd,
    work: Rc<Work>,
    _stack: Vec<Aligned>,
}

impl Loading {
    /// Waits for exec(3), and says how that failed; then the child is no more.
    pub fn finish(mut self) -> io::Result<()> {
        let Some(sharing) = self.0.take() else { return Ok(()) };
        sharing.wait();
        match sharing.work.error.load(Ordering::Acquire) {
            0 => Ok(()),
            error => {
                _ = crate::process::wait(sharing.pid);
                Err(io::Error::from_raw_os_error(error))
            }
        }
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.0.iter().for_each(Sharing::wait);
    }
}

impl Sharing {
    fn wait(&self) {
        // Nobody writes: there is nothing but the end to be read, and no other error to be had.
        while rustix::io::read(&self.executed, &mut [0; 1]) == Err(rustix::io::Errno::INTR) {}
    }
}

/// What to execute, in the words of exec(3).
struct Order {
    program: CString,
    arguments: Vec<CString>,
    environment: Vec<CString>,
    folder: Option<CString>,
    new_session: bool,
}

impl Order {
    fn of(what: &Spawn) -> io::Result<Order> {
        let texts = |words: &[OsString]| words.iter().map(|word| text(word)).collect::<io::Result<Vec<_>>>();
        Ok(Order {
            program: text(what.program.as_os_str())?,
            arguments: texts(&what.arguments)?,
            environment: texts(&what.environment)?,
            folder: what.folder.map(|folder| text(folder.as_os_str())).transpose()?,
            new_session: what.new_session,
        })
    }
}

/// All that the child needs, in memory that stays where it is.
struct Work {
    order: Order,
    descriptors: Vec<(RawFd, RawFd)>,
    argv: Vec<*mut c_char>,
    envp: Vec<*mut c_char>,
    /// Why it has ended; 0 while it has not.
    error: AtomicI32,
}

/// The child. Until it has executed its program it must not be put into a group with a limit of memory: who is killed there takes
/// along all that share its memory.
///
/// It shares our memory, this thread's `errno` among it, so that only calls are made that cannot fail, or that leave
/// `errno` alone: rustix's are the kernel's own. Nothing is allocated, and nothing can panic.
extern "C" fn child(work: *mut c_void) -> c_int {
    // SAFETY: what `begin` has given, which lives as long as we share its memory; the child writes to the atomic alone.
    let work = unsafe { &*work.cast_const().cast::<Work>() };
    let error = execute(work);
    work.error.store(error.raw_os_error(), Ordering::Release);
    1
}

fn execute(work: &Work) -> rustix::io::Errno {
    // What is ignored would stay so over exec(3), and what is blocked too. It cannot fail with signals that there are.
    _ = crate::process::reset_signals();
    if work.order.new_session
        && let Err(error) = rustix::process::setsid()
    {
        return error;
    }
    for (from, number) in &work.descriptors {
        // SAFETY: both numbers are of the child's own table, where nobody owns anything; the second is below all of the first.
        unsafe { libc::dup2(*from, *number) };
    }
    if let Some(folder) = &work.order.folder
        && let Err(error) = rustix::process::chdir(folder.as_c_str())
    {
        return error;
    }
    // SAFETY: a C string and two arrays of such that end in null, all of them alive in `work`.
    unsafe { execve(work.order.program.as_ptr(), work.argv.as_ptr(), work.envp.as_ptr()) }
}

/// execve(2) as the kernel has it, which returns where it fails, with the reason.
///
/// # Safety
/// The string and both arrays must be as the call wants them.
unsafe fn execve(program: *const c_char, argv: *const *mut c_char, envp: *const *mut c_char) -> rustix::io::Errno {
    let result: isize;
    // SAFETY: the kernel's convention for a call of three arguments; it reads what the caller answers for, and nothing is
    // written. Where it succeeds this program is no more.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!("syscall", inlateout("rax") libc::SYS_execve as isize => result, in("rdi") program,
            in("rsi") argv, in("rdx") envp, lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!("svc 0", in("x8") libc::SYS_execve, inlateout("x0") program => result, in("x1") argv,
            in("x2") envp, options(nostack));
    }
    rustix::io::Errno::from_raw_os_error(i32::try_from(-result).unwrap_or(libc::EINVAL))
}

/// All of this thread's signals are blocked as long as this lives.
struct Silence(libc::sigset_t);

impl Silence {
    fn begin() -> Silence {
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: each set is initialised by the call that gets it first; the second one cannot fail with these arguments.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            Silence(before.assume_init())
        }
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // SAFETY: the set is the one that was in force before.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
    }
}

fn text(word: &OsStr) -> io::Result<CString> {
    CString::new(word.as_bytes())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("{word:?} has a zero byte in it")))
}

/// The strings as exec(3) wants them; valid as long as the strings are.
pub(crate) fn pointers(strings: &[CString]) -> Vec<*mut libc::c_char> {
    strings.iter().map(|string| string.as_ptr().cast_mut()).chain([std::ptr::null_mut()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{WaitOptions, waitpid};
    use std::io::Read;
    use std::os::fd::AsFd;

    fn shell(line: &str, folder: Option<&Path>) -> (i32, String) {
        let (mut read, write) = std::io::pipe().unwrap();
        let null = std::fs::File::open("/dev/null").unwrap();
        // A number below those of our own descriptors, and one above.
        let descriptors =
            vec![(null.as_fd(), 0), (write.as_fd(), 1), (write.as_fd(), 2), (write.as_fd(), 3), (null.as_fd(), 77)];
        let arguments = ["sh", "-c", line].map(OsString::from).to_vec();
        let environment = vec![OsString::from("A=b c")];
        let child = spawn(&Spawn {
            program: Path::new("/bin/sh"),
            arguments,
            environment,
            descriptors,
            new_session: true,
            folder,
        })
        .unwrap();
        drop(write);
        let mut said = String::new();
        read.read_to_string(&mut said).unwrap();
        let (_, status) = waitpid(Some(child.pid), WaitOptions::empty()).unwrap().unwrap();
        (status.exit_status().unwrap(), said)
    }

    #[test]
    fn descriptors_environment_and_status_arrive() {
        assert_eq!(shell("echo $A >&3; exit 7", None), (7, "b c\n".to_string()));
        assert_eq!(shell("pwd", Some(Path::new("/usr"))), (0, "/usr\n".to_string()));
    }

    #[test]
    fn no_other_descriptor_of_ours_is_inherited() {
        let _ours = std::fs::File::open("/etc/passwd").unwrap();
        let (_, said) = shell("for fd in /proc/$$/fd/*; do readlink $fd; done", None);
        assert!(said.contains("/dev/null\n") && !said.contains("/etc/passwd"), "{said}");
    }

    #[test]
    fn it_leads_a_session() {
        let (_, said) = shell("read -r line < /proc/self/stat; set -- $line; [ $1 = $6 ] && echo leads", None);
        assert_eq!(said, "leads\n");
    }

    #[test]
    fn nobody_waits_for_it_to_be_loaded() {
        let begun = |program: &str| {
            begin(&Spawn {
                program: Path::new(program),
                arguments: vec!["true".into()],
                environment: vec![],
                descriptors: vec![],
                new_session: false,
                folder: None,
            })
            .unwrap()
        };
        let (spawned, loading) = begun("/bin/true");
        drop(loading);
        assert!(waitpid(Some(spawned.pid), WaitOptions::empty()).unwrap().unwrap().1.exit_status() == Some(0));
        let (spawned, loading) = begun("/nonexistent");
        assert_eq!(loading.finish().unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(waitpid(Some(spawned.pid), WaitOptions::empty()).unwrap_err(), rustix::io::Errno::CHILD);
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let nothing = Spawn {
            program: Path::new("/nonexistent"),
            arguments: vec![],
            environment: vec![],
            descriptors: vec![],
            new_session: false,
            folder: None,
        };
        assert_eq!(spawn(&nothing).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
