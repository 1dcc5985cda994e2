//! Starting a program without copying our own memory: posix_spawn(3), which shares it with the child until exec(3).
//!
//! The child gets chosen descriptors under chosen numbers and nothing else, for every descriptor of ours is close-on-exec.

mod apart;

use rustix::process::{Pid, PidfdFlags};
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

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

/// Starts it; signals are at their defaults and none is blocked. An error of exec(3) itself comes back from here too.
pub fn spawn(what: &Spawn) -> io::Result<Spawned> {
    let texts = |words: &[OsString]| words.iter().map(|word| text(word)).collect::<io::Result<Vec<_>>>();
    let order = Order {
        program: text(what.program.as_os_str())?,
        arguments: texts(&what.arguments)?,
        environment: texts(&what.environment)?,
        folder: what.folder.map(|folder| text(folder.as_os_str())).transpose()?,
        new_session: what.new_session,
    };
    // Above every number to be given out, so that no dup2(2) in the child overwrites one still to be copied.
    let above = what.descriptors.iter().map(|(_, number)| number.saturating_add(1)).max().unwrap_or(0).max(3);
    let copies = what
        .descriptors
        .iter()
        .map(|(from, number)| Ok((crate::descriptor::duplicate_above(from.as_fd(), above)?, *number)))
        .collect::<io::Result<Vec<_>>>()?;
    let sources: Vec<(RawFd, RawFd)> = copies.iter().map(|(from, number)| (from.as_raw_fd(), *number)).collect();
    // New numbers are the lowest that are free, so they tell how many are in use.
    let crowded = sources.iter().any(|(from, _)| *from >= above.saturating_add(CROWDED));
    let pid = if crowded { apart::execute(order, sources, above) } else { execute(&order, &sources) }?;
    // It is our child and nobody has waited for it, so the number is still its own.
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Spawned { pid, pidfd }),
        Err(errno) => {
            // Nobody would ever wait for it.
            _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            _ = crate::process::wait(pid);
            Err(errno.into())
        }
    }
}

/// With more descriptors open than this it is worth a thread's turn not to have all of them copied for the child and closed
/// by its exec(3), which takes 0.4 µs for each.
const CROWDED: RawFd = 400;

/// What to execute, in the words of exec(3).
struct Order {
    program: CString,
    arguments: Vec<CString>,
    environment: Vec<CString>,
    folder: Option<CString>,
    new_session: bool,
}

/// With the table of descriptors of this thread: each of the first numbers becomes the second.
fn execute(order: &Order, descriptors: &[(RawFd, RawFd)]) -> io::Result<Pid> {
    let mut attributes = Attributes::new()?;
    attributes.set(order.new_session)?;
    let mut actions = Actions::new()?;
    for (from, number) in descriptors {
        actions.duplicate(*from, *number)?;
    }
    if let Some(folder) = &order.folder {
        actions.change_folder(folder)?;
    }
    let argv = pointers(&order.arguments);
    let envp = pointers(&order.environment);
    let mut pid: libc::pid_t = 0;
    // SAFETY: every pointer is to a live, initialised object: C strings that `order` owns, arrays ending in null, and the two
    // structures that their constructors initialised. The call reads them and writes `pid` alone.
    let result = unsafe {
        let program = order.program.as_ptr();
        libc::posix_spawn(&raw mut pid, program, &actions.0, &attributes.0, argv.as_ptr(), envp.as_ptr())
    };
    check(result)?;
    Ok(Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidData)?)
}

fn text(word: &OsStr) -> io::Result<CString> {
    CString::new(word.as_bytes())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("{word:?} has a zero byte in it")))
}

/// The strings as exec(3) wants them; valid as long as the strings are.
pub(crate) fn pointers(strings: &[CString]) -> Vec<*mut libc::c_char> {
    strings.iter().map(|string| string.as_ptr().cast_mut()).chain([std::ptr::null_mut()]).collect()
}

fn check(errno: libc::c_int) -> io::Result<()> {
    match errno {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new() -> io::Result<Attributes> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the call initialises what it is given, wholly, where it succeeds; only then it is taken as initialised.
        unsafe {
            check(libc::posix_spawnattr_init(attributes.as_mut_ptr()))?;
            Ok(Attributes(attributes.assume_init()))
        }
    }

    fn set(&mut self, new_session: bool) -> io::Result<()> {
        let mut flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
        if new_session {
            flags |= libc::POSIX_SPAWN_SETSID as libc::c_int;
        }
        // SAFETY: `self.0` is initialised; the sets are initialised by their own calls before they are read.
        unsafe {
            let mut set = MaybeUninit::uninit();
            libc::sigemptyset(set.as_mut_ptr());
            check(libc::posix_spawnattr_setsigmask(&mut self.0, set.as_ptr()))?;
            libc::sigfillset(set.as_mut_ptr());
            check(libc::posix_spawnattr_setsigdefault(&mut self.0, set.as_ptr()))?;
            check(libc::posix_spawnattr_setflags(&mut self.0, flags as libc::c_short))
        }
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised once by `new`, destroyed once here.
        unsafe { libc::posix_spawnattr_destroy(&mut self.0) };
    }
}

struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new() -> io::Result<Actions> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: as for the attributes.
        unsafe {
            check(libc::posix_spawn_file_actions_init(actions.as_mut_ptr()))?;
            Ok(Actions(actions.assume_init()))
        }
    }

    fn duplicate(&mut self, from: RawFd, to: RawFd) -> io::Result<()> {
        // SAFETY: `self.0` is initialised; numbers need not be open.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&mut self.0, from, to) })
    }

    fn change_folder(&mut self, folder: &CString) -> io::Result<()> {
        // SAFETY: `self.0` is initialised; the call copies the string.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(&mut self.0, folder.as_ptr()) })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: initialised once by `new`, destroyed once here.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.0) };
    }
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
    fn the_same_from_a_process_with_many_descriptors() {
        let many: Vec<_> = (0..2 * CROWDED).map(|_| std::fs::File::open("/etc/passwd").unwrap()).collect();
        assert_eq!(shell("echo $A >&3; exit 7", None), (7, "b c\n".to_string()));
        let (_, said) = shell("for fd in /proc/$$/fd/*; do readlink $fd; done", None);
        assert!(said.contains("/dev/null\n") && !said.contains("/etc/passwd"), "{said}");
        let missing = Spawn {
            program: Path::new("/nonexistent"),
            arguments: vec![],
            environment: vec![],
            descriptors: vec![(many[0].as_fd(), 0)],
            new_session: false,
            folder: None,
        };
        assert_eq!(spawn(&missing).unwrap_err().kind(), io::ErrorKind::NotFound);
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
