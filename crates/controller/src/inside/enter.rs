//! The inner side of a task: into the container, down to what init may, and then the program or the copy.

use super::report::{self, Refused};
use super::{Target, copy, look};
use crate::container::forbidden_is_fine;
use crate::failure::{Doing, Failure, Result};
use crate::plan::{self, Confinement};
use crate::users::{self, Ids};
use linux::label::Door;
use linux::pty::Pty;
use linux::{capability, descriptor, process};
use rpc::virtlxc::{Command, Task};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::Winsize;
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use std::convert::Infallible;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// The first copy: it makes the second one and is gone.
pub fn enter(target: Target, task: &Task, pipes: Vec<OwnedFd>, report: OwnedFd) -> ! {
    let mut report = Some(report);
    let Err(refused) = go_inside(target, task, pipes, &mut report);
    fail(&refused, report.as_ref())
}

fn fail(refused: &Refused, report: Option<&OwnedFd>) -> ! {
    if let Some(report) = report {
        report::refused(report.as_fd(), refused);
    }
    process::exit_at_once(1)
}

type Outcome<T> = std::result::Result<T, Refused>;

fn go_inside(target: Target, task: &Task, pipes: Vec<OwnedFd>, channel: &mut Option<OwnedFd>) -> Outcome<Infallible> {
    let Some(report) = channel else { return Err(Failure::new("nobody listens").into()) };
    process::die_with_parent().doing(|| "Unable to tie the process to its parent")?;
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let group = &target.group;
    group.attach_beside(&target.hierarchies, Path::new("/proc"), target.init_pid, own).map_err(Failure::from)?;
    let door = target.confinement.profile.as_ref().map(|_| Door::open()).transpose();
    let door = door.doing(|| "Unable to open the process's label")?;
    let mut kinds = ThreadNameSpaceType::MOUNT
        | ThreadNameSpaceType::PROCESS_ID
        | ThreadNameSpaceType::NETWORK
        | ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION
        | ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME
        | ThreadNameSpaceType::CONTROL_GROUP;
    if target.root.is_some() {
        kinds |= ThreadNameSpaceType::USER;
    }
    // As one act, of a process that is known for certain.
    move_into_thread_name_spaces(target.init.as_fd(), kinds)
        .map_err(Into::into)
        .doing(|| "Unable to enter the container's namespaces")?;
    let Target { init, confinement, .. } = target;
    drop(init);
    if target.root.is_some() {
        process::set_ids(0, 0, &[]).doing(|| "Unable to become root of the user namespace")?;
    }
    // From here on all that is touched is the guest's.
    let (command, ids) = match task {
        Task::Execute(command) => (Some(command), look_up(command)?),
        Task::Send(_) | Task::Receive(_) | Task::Look(()) => (None, Ids::default()),
    };
    let streams = match command.and_then(|command| command.terminal.as_ref()) {
        Some(window) => {
            let Pty { master, slave, .. } = open_terminal()?;
            let size = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
            let size = Winsize { ws_row: size(window.rows), ws_col: size(window.columns), ws_xpixel: 0, ws_ypixel: 0 };
            rustix::termios::tcsetwinsize(&master, size)
                .map_err(Into::into)
                .doing(|| "Unable to set the terminal's size")?;
            report::terminal(report.as_fd(), master.as_fd()).doing(|| "Unable to hand out the terminal")?;
            vec![slave]
        }
        None => pipes,
    };
    for stream in &streams {
        // A program may open its own output again, by /dev/stdout. A terminal's group is the file system's own.
        let group = (streams.len() > 1).then_some(ids.gid);
        report::give(stream.as_fd(), ids.uid, group).doing(|| "Unable to give the streams to the user")?;
    }
    let environment = command.map(|command| environment(&confinement, command, &ids)).unwrap_or_default();
    give_up(&confinement, &ids)?;
    if let (Some(profile), Some(door)) = (&confinement.profile, door) {
        door.confine(profile).doing(|| format!("Unable to confine the process by AppArmor's profile '{profile}'"))?;
    }
    match process::clone_for_parent().doing(|| "Unable to make a process in the container")? {
        Some(child) => {
            report::child(report.as_fd(), &child).doing(|| "Unable to hand out the process")?;
            process::exit_at_once(0)
        }
        None => {
            let Err(refused) = become_task(task, &environment, streams, channel);
            fail(&refused, channel.as_ref())
        }
    }
}

fn look_up(command: &Command) -> Result<Ids> {
    let text = |word: &Option<rpc::Str>| word.as_ref().map(rpc::Str::to_string_lossy);
    let (user, group) = (text(&command.user), text(&command.group));
    users::look_up(user.as_deref(), group.as_deref())
}

/// A terminal of the container's own. Whatever the guest has put in the place of its `/dev`, only a real devpts is used: in
/// one of those there are terminals and nothing else.
fn open_terminal() -> Result<Pty> {
    const DEVPTS: u64 = 0x1cd1;
    let failed = || "Unable to open a terminal in the container's /dev/pts";
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open("/dev/pts", flags, Mode::empty()).map_err(Into::into).doing(failed)?;
    let kind = rustix::fs::fstatfs(&folder).map_err(Into::into).doing(failed)?.f_type as u64;
    if kind != DEVPTS {
        return Err(Failure::new("the container's /dev/pts is not a file system of terminals"));
    }
    Pty::new(folder.as_fd()).doing(failed)
}

/// Everything that init has not, for good.
fn give_up(confinement: &Confinement, ids: &Ids) -> Result<()> {
    process::new_session_keyring().or_else(forbidden_is_fine).doing(|| "Unable to make a session keyring")?;
    if confinement.is_32_bit {
        process::set_personality_32().doing(|| "Unable to set the personality of a 32-bit machine")?;
    }
    rustix::process::umask(Mode::from_raw_mode(0o022));
    plan::set_rlimits(&confinement.rlimits)?;
    if confinement.no_new_privileges {
        rustix::thread::set_no_new_privs(true).map_err(Into::into).doing(|| "Unable to bar new privileges")?;
    }
    if let Some(filter) = &confinement.filter {
        filter.load().doing(|| "Unable to install the filter of system calls")?;
    }
    capability::limit_bounding(confinement.capabilities).doing(|| "Failed to drop capabilities")?;
    process::set_ids(ids.uid, ids.gid, &ids.groups)
        .doing(|| format!("Unable to become user {} and group {}", ids.uid, ids.gid))?;
    capability::set(confinement.capabilities, confinement.inheritable).doing(|| "Failed to apply capabilities")?;
    // A change of ids has undone it.
    process::hide().doing(|| "Unable to keep others out of this process")
}

/// As init's, but for what belongs to the user, the terminal and the caller.
fn environment(confinement: &Confinement, command: &Command, ids: &Ids) -> Vec<Vec<u8>> {
    let (name, home) = users::name_and_home(ids.uid).unwrap_or_else(|| (String::new(), "/".into()));
    let mut variables: Vec<Vec<u8>> =
        confinement.environment.iter().map(|variable| variable.clone().into_bytes()).collect();
    if command.terminal.is_none() {
        // Init's tells of the console.
        variables.retain(|variable| !variable.starts_with(b"TERM="));
    }
    let mut set = |variable: &[u8]| {
        let end = variable.iter().position(|byte| *byte == b'=').map_or(variable.len(), |at| at + 1);
        variables.retain(|old| !old.starts_with(variable.get(..end).unwrap_or(variable)));
        variables.push(variable.to_vec());
    };
    set(format!("HOME={home}").as_bytes());
    if !name.is_empty() {
        set(format!("USER={name}").as_bytes());
        set(format!("LOGNAME={name}").as_bytes());
    }
    command.environment.iter().for_each(|variable| set(&variable.0));
    variables
}

/// The second copy, in the guest's sight.
fn become_task(
    task: &Task,
    environment: &[Vec<u8>],
    streams: Vec<OwnedFd>,
    channel: &mut Option<OwnedFd>,
) -> Outcome<Infallible> {
    process::die_with_parent().doing(|| "Unable to tie the process to its parent")?;
    let mut parent: Vec<PollFd> = channel.iter().map(|report| PollFd::new(report, PollFlags::empty())).collect();
    if poll(&mut parent, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|count| count > 0) {
        return Err(Failure::new("the client has gone").into());
    }
    rustix::process::setsid().map_err(Into::into).doing(|| "Unable to become a session leader")?;
    if let [terminal] = streams.as_slice() {
        rustix::process::ioctl_tiocsctty(terminal)
            .map_err(Into::into)
            .doing(|| "Unable to make the terminal the process's own")?;
    }
    let copies = (0..3).map(|number| {
        let stream = streams.get(number).or(streams.first()).ok_or(Errno::BADF)?;
        descriptor::duplicate_above(stream.as_fd(), 3)
    });
    let copies = copies.collect::<std::io::Result<Vec<_>>>().doing(|| "Unable to place a stream")?;
    drop(streams);
    for (number, copy) in (0..).zip(&copies) {
        descriptor::place(copy.as_fd(), number).doing(|| "Unable to place a stream")?;
    }
    drop(copies);
    match task {
        Task::Execute(command) => execute(command, environment),
        Task::Send(what) => copy::run(channel, || copy::send(what)),
        Task::Receive(what) => copy::run(channel, || copy::receive(what)),
        Task::Look(()) => copy::run(channel, look::describe),
    }
}

const CANNOT_BE_EXECUTED: u8 = 126;
const NOT_FOUND: u8 = 127;

fn execute(command: &Command, environment: &[Vec<u8>]) -> Outcome<Infallible> {
    if let Some(folder) = &command.folder {
        rustix::process::chdir(folder.0.as_slice())
            .map_err(Into::into)
            .doing(|| format!("Unable to change to the directory '{}'", folder.to_string_lossy()))?;
    }
    process::reset_signals().doing(|| "Unable to reset signals")?;
    let text = |bytes: &[u8]| {
        CString::new(bytes).map_err(|_| Failure::new("a word of the command has a zero byte in it".to_string()))
    };
    let words: Vec<CString> = command.words.iter().map(|word| text(&word.0)).collect::<Result<_>>()?;
    let variables: Vec<CString> = environment.iter().map(|variable| text(variable)).collect::<Result<_>>()?;
    let program = command.words.first().map(|word| word.0.as_slice()).unwrap_or_default();
    let mut candidates = plan::candidates(program, environment).peekable();
    if program.is_empty() || candidates.peek().is_none() {
        return Err(Refused { status: NOT_FOUND, text: "there is no program to be executed".into() });
    }
    let mut reason = None;
    for path in candidates {
        let error = process::execute(&text(&path)?, &words, &variables);
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOENT | Errno::NOTDIR) => {}
            // As a shell: another folder may have one that can be executed.
            Some(Errno::ACCESS) => reason = Some(error),
            _ => {
                reason = Some(error);
                break;
            }
        }
    }
    let status = if reason.is_some() { CANNOT_BE_EXECUTED } else { NOT_FOUND };
    let error = reason.unwrap_or_else(|| Errno::NOENT.into());
    let failure =
        Err::<Infallible, _>(error).doing(|| format!("cannot execute '{}'", String::from_utf8_lossy(program)));
    failure.map_err(|failure| Refused { status, text: failure.to_string() })
}
