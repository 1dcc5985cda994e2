//! A task inside a running container (`libvirt_lxc --inside NAME`): a command, or files that are copied in or out.
//!
//! The daemon starts one such process for each task and connects the client's stream with it. It stays on the machine's side, out
//! of the guest's sight, carries bytes, and is the parent of the one process that works inside. That one gets there in two
//! steps: a first copy of this process enters the namespaces but for the one of processes, gives up everything that init has not,
//! and only then makes the second, which the guest can see. So whatever the guest does to the second, it gains nothing that it
//! has not. Our program is executed from a sealed copy in memory, for the guest could reach it by `/proc/PID/exe`.

mod copy;
mod enter;
mod look;
mod relay;
mod report;

use crate::failure::{Doing, Failure, Result};
use crate::plan::{self, Confinement};
use api::Paths;
use conf::status::DomainStatus;
use linux::cgroup::{Group, Hierarchies};
use linux::{capability, descriptor, idmap, label, process};
use relay::{Relay, Source};
use report::{Heard, Refused};
use rpc::records::Record;
use rpc::virtlxc::Task;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Where the daemon puts the client's stream, and the container's init (a pidfd). The task itself is standard input.
const STREAM: i32 = 3;
const INIT: i32 = 4;

pub fn run(name: &str, root: Option<PathBuf>) -> Result<()> {
    process::hide().doing(|| "Unable to keep others out of this process")?;
    process::set_name("virtlxc-inside").doing(|| "Unable to set the process's name")?;
    process::ignore_broken_pipes();
    let take = |number| descriptor::duplicate(number).doing(|| format!("descriptor {number}"));
    let (stream, init) = (take(STREAM)?, take(INIT)?);
    [STREAM, INIT].into_iter().for_each(descriptor::close);
    process::close_on_exec_from(3).doing(|| "Unable to keep descriptors from the container")?;
    let mut task = Vec::new();
    std::io::stdin().read_to_end(&mut task).doing(|| "Unable to read the task")?;
    let task = rpc::xdr::decode::<Task>(&task).map_err(|error| Failure::new(format!("the task: {error}")))?;
    let paths = root.as_deref().map_or_else(Paths::system, Paths::under);
    let mut stream = Some(stream);
    let started =
        Target::find(name, &paths, init).map_err(Refused::from).and_then(|target| start(target, &task, &mut stream));
    match (started, stream) {
        (Ok(Some(relay)), Some(stream)) => relay.run(stream).doing(|| "Unable to carry the client's stream"),
        (Err(refused), Some(stream)) => {
            let mut record = Vec::new();
            Record::Failed(refused.status, refused.text).write(&mut record);
            File::from(stream).write_all(&record).doing(|| "Unable to answer the client")
        }
        // The client has gone before anything was started.
        _ => Ok(()),
    }
}

/// The container, as it is to be entered.
pub struct Target {
    init: OwnedFd,
    /// Its number on the machine.
    init_pid: i32,
    hierarchies: Hierarchies,
    group: Group,
    confinement: Confinement,
    /// The container has a user namespace of its own; the machine's ids of its root.
    root: Option<(u32, u32)>,
}

impl Target {
    fn find(name: &str, paths: &Paths, init: OwnedFd) -> Result<Target> {
        let path = paths.domain_state().join(format!("{name}.xml"));
        let DomainStatus { controller_pid, domain, .. } = crate::run::read_status(&path, name)?;
        let info = format!("/proc/self/fdinfo/{}", init.as_raw_fd());
        let info = std::fs::read_to_string(&info).doing(|| format!("Unable to read '{info}'"))?;
        let gone = || Failure::new(format!("the init of domain '{name}' has ended"));
        let init_pid: i32 =
            field(&info, "Pid:").and_then(|pid| pid.parse().ok()).filter(|pid| *pid > 0).ok_or_else(gone)?;
        let status = format!("/proc/{init_pid}/status");
        let status = std::fs::read_to_string(&status).doing(|| format!("Unable to read '{status}'"))?;
        let mut confinement = plan::confinement(&domain)?;
        let bounding = field(&status, "CapBnd:").and_then(|set| u64::from_str_radix(set, 16).ok());
        let bounding = bounding.ok_or_else(|| Failure::new("init's status has no bounding set"))?;
        confinement.narrow(capability::Set(bounding), field(&status, "NoNewPrivs:") == Some("1"));
        // What init is confined by now goes before what it was started with.
        if let Ok(Some((profile, _))) = label::apparmor_profile(Path::new("/proc"), init_pid) {
            confinement.profile = Some(profile);
        }
        let hierarchies = Hierarchies::detect(Path::new("/proc"))?;
        let group = Group::detect(&hierarchies, Path::new("/proc"), controller_pid, name)?;
        let namespace = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/user"));
        let own = namespace("self").and_then(|ours| Ok(namespace(&init_pid.to_string())? != ours));
        let (users, groups) = plan::id_maps(&domain);
        let root = own.doing(|| "Unable to look at the user namespace")?.then(|| {
            let outside = |ranges| idmap::outside(ranges, 0).unwrap_or(0);
            (outside(&users), outside(&groups))
        });
        // All that was read under its number was its own if it lives still.
        let mut alive = [PollFd::new(&init, PollFlags::IN)];
        match poll(&mut alive, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Ok(0) => Ok(Target { init, init_pid, hierarchies, group, confinement, root }),
            _ => Err(gone()),
        }
    }
}

/// The first word behind the name, in a file of `/proc` with a line for each.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// The ends of what the process inside reads and writes. It has no pipes where it has a terminal.
struct Pipes {
    inside: Vec<OwnedFd>,
    ours: Vec<OwnedFd>,
}

impl Pipes {
    /// Standard input, output and error.
    fn new(owner: Option<(u32, u32)>) -> Result<Pipes> {
        let mut pipes = Pipes { inside: Vec::new(), ours: Vec::new() };
        for number in 0..3 {
            let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
                .map_err(Into::into)
                .doing(|| "Unable to make a pipe")?;
            let (inside, ours) = if number == 0 { (read, write) } else { (write, read) };
            linux::pty::set_nonblocking(ours.as_fd()).doing(|| "Unable to use a pipe")?;
            if let Some((uid, gid)) = owner {
                // For the container's root to give it to whom it wants.
                report::give(inside.as_fd(), uid, Some(gid))
                    .doing(|| "Unable to give a pipe to the container's root")?;
            }
            pipes.inside.push(inside);
            pipes.ours.push(ours);
        }
        Ok(pipes)
    }
}

/// Starts the process inside. None: the client has gone.
fn start(target: Target, task: &Task, stream: &mut Option<OwnedFd>) -> std::result::Result<Option<Relay>, Refused> {
    let terminal = matches!(task, Task::Execute(command) if command.terminal.is_some());
    let pipes = if terminal { None } else { Some(Pipes::new(target.root)?) };
    let (ours, theirs) = report::channel()?;
    let first = process::clone(0, None).doing(|| "Unable to make a process")?;
    let Some(first) = first else {
        // What the guest might lay hands on is no longer there when it can see us.
        drop((ours, stream.take()));
        let inside = pipes.map(|pipes| pipes.inside).unwrap_or_default();
        enter::enter(target, task, inside, theirs)
    };
    drop((theirs, target));
    let Some(stream) = stream else { return Ok(None) };
    let heard = hear(&ours, stream, first.pid);
    let kill = |process: BorrowedFd| _ = rustix::process::pidfd_send_signal(process, rustix::process::Signal::KILL);
    let Heard { terminal, child, refused, .. } = match heard {
        Ok(Some(heard)) => heard,
        other => {
            kill(first.pidfd.as_fd());
            _ = process::wait(first.pid);
            return other.map(|_| None).map_err(Refused::from);
        }
    };
    _ = process::wait(first.pid);
    let no_child = || Refused::from(Failure::new("the process inside ended before it began"));
    if let Some(refused) = refused {
        if let Some(child) = child {
            // It ends by itself, unless the guest holds it.
            kill(child.pidfd.as_fd());
            _ = process::wait(child.pid);
        }
        return Err(refused);
    }
    let child = child.ok_or_else(no_child)?;
    // What is left to do needs no other power.
    let kept = capability::Set::default().with("kill");
    capability::set(kept, capability::Set::default()).doing(|| "Unable to give up capabilities")?;
    let hang_up = matches!(task, Task::Execute(_));
    let relay = match (terminal, pipes) {
        (Some(master), _) => Relay::on_terminal(child, master, hang_up).doing(|| "Unable to use the terminal")?,
        (None, Some(pipes)) => {
            let Pipes { ours, inside } = pipes;
            drop(inside);
            let [input, output, errors] = <[OwnedFd; 3]>::try_from(ours).map_err(|_| no_child())?;
            Relay::new(child, input, vec![(output, Source::Output), (errors, Source::Errors)], hang_up)
        }
        (None, None) => return Err(no_child()),
    };
    Ok(Some(relay))
}

/// What the processes inside say before the program runs, for as long as the client is there.
fn hear(from: &OwnedFd, stream: &OwnedFd, first: Pid) -> Result<Option<Heard>> {
    let mut heard = Heard::new(first);
    loop {
        let mut sources = [PollFd::new(from, PollFlags::IN), PollFd::new(stream, PollFlags::empty())];
        match poll(&mut sources, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(std::io::Error::from(errno)).doing(|| "Unable to wait"),
        }
        let [said, client] = sources.map(|source| !source.revents().is_empty());
        if said && !heard.listen(from).doing(|| "Unable to hear of the process inside")? {
            return Ok(Some(heard));
        }
        if client && !said {
            return Ok(None);
        }
    }
}
