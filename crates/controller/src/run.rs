//! The life of a container, in the order of events.

use crate::console::Console;
use crate::console_log::ConsoleLog;
use crate::container::{self, Given};
use crate::failure::{Doing, Failure, Result};
use crate::handshake::Handshake;
use crate::image::ImageDevice;
use crate::log;
use crate::monitor::Monitor;
use crate::options::Options;
use crate::plan::{self, Interface, Plan};
use crate::prepare::{self, Prepared};
use crate::procview::ProcView;
use crate::serve::{self, Watched};
use api::Paths;
use conf::domain::Host;
use conf::status::DomainStatus;
use linux::capability;
use linux::cgroup::{DeviceRule, Group, Hierarchies};
use linux::mount::Detached;
use linux::netlink::{Netns, Socket};
use linux::process::{self, Child, End};
use linux::{descriptor, idmap};
use rpc::monitor::ExitStatus;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, WaitId, WaitIdOptions, waitid};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::path::Path;

pub fn run(options: Options) -> Result<()> {
    process::ignore_broken_pipes();
    let paths = options.root.as_deref().map_or_else(Paths::system, Paths::under);
    let state = paths.domain_state();
    let mut inherited = Inherited::take(&options)?;
    let domain = match &mut inherited.document {
        Some(document) => parse_status(document, "the document of the command line", &options.name)?,
        None => read_status(&state.join(format!("{}.xml", options.name)), &options.name)?,
    }
    .domain;
    let given = plan::Given {
        controller: rustix::process::getpid().as_raw_nonzero().get(),
        veths: &options.veths,
        shares_net: options.share_net.is_some(),
        shares_ipc: options.share_ipc.is_some(),
        shares_uts: options.share_uts.is_some(),
        passed: options.pass.len(),
    };
    let plan = plan::plan(&domain, &given)?;
    if inherited.consoles.len() != domain.consoles.len() {
        return Err(Failure::new(format!(
            "expecting {} consoles, but got {}",
            domain.consoles.len(),
            inherited.consoles.len()
        )));
    }
    let mut monitor = Monitor::listen(&state.join(format!("{}.sock", options.name)))?;
    match start(&plan, inherited, &state, &mut monitor) {
        Ok(running) => {
            drop((plan, domain));
            process::return_memory();
            live(running, monitor)
        }
        Err(failure) => {
            monitor.remove();
            Err(failure)
        }
    }
}

/// What the daemon has left open for us, taken by its numbers once.
struct Inherited {
    consoles: Vec<OwnedFd>,
    passed: Vec<OwnedFd>,
    handshake: Handshake,
    /// Namespaces that the container shares with another.
    shared: Vec<OwnedFd>,
    /// The status document of our own daemon, which gives one sign more than libvirt's.
    document: Option<File>,
}

impl Inherited {
    fn take(options: &Options) -> Result<Inherited> {
        let take = |number: &RawFd| {
            descriptor::duplicate(*number).doing(|| format!("descriptor {number} of the command line"))
        };
        let (read, write) =
            options.handshake.as_ref().ok_or_else(|| Failure::new("--handshakefds argument is required"))?;
        let inherited = Inherited {
            consoles: options.consoles.iter().map(take).collect::<Result<_>>()?,
            passed: options.pass.iter().map(take).collect::<Result<_>>()?,
            handshake: Handshake::new(take(read)?, take(write)?),
            shared: [&options.share_net, &options.share_ipc, &options.share_uts]
                .into_iter()
                .flatten()
                .map(take)
                .collect::<Result<_>>()?,
            document: options.document.as_ref().map(take).transpose()?.map(File::from),
        };
        // Those under their own numbers: the daemon waits for the end of its pipe, and nobody else may hold it.
        let numbers = [&options.consoles[..], &options.pass, &[*read, *write]].concat();
        let more = [options.share_net, options.share_ipc, options.share_uts, options.document].into_iter().flatten();
        for number in numbers.into_iter().chain(more).filter(|number| *number > 2) {
            descriptor::close(number);
        }
        process::close_on_exec_from(3).doing(|| "Unable to keep descriptors from the container")?;
        Ok(inherited)
    }
}

pub fn read_status(path: &Path, name: &str) -> Result<DomainStatus> {
    let shown = format!("'{}'", path.display());
    let mut file = File::open(path).doing(|| format!("Failed to read domain status {shown}"))?;
    parse_status(&mut file, &shown, name)
}

fn parse_status(file: &mut File, shown: &str, name: &str) -> Result<DomainStatus> {
    let mut xml = Vec::new();
    file.read_to_end(&mut xml).doing(|| format!("Failed to read domain status {shown}"))?;
    // A status file is complete: nothing is left to be filled in.
    let host = Host { arch: std::env::consts::ARCH, emulator: "", random: &|_| {} };
    let status = DomainStatus::parse(&xml, &host)?;
    if status.domain.name != name {
        return Err(Failure::new(format!("{shown} describes domain '{}', not '{name}'", status.domain.name)));
    }
    Ok(status)
}

/// A container whose init runs.
struct Running {
    child: Child,
    /// What is waited for.
    watched: Watched,
    group: Group,
    consoles: Vec<Console>,
    view: Option<ProcView>,
    /// Open as long as the container may use them.
    images: Vec<ImageDevice>,
}

/// Builds the container and starts its init; on a failure nothing of it runs on. The daemon removes the control groups,
/// for we are in them ourselves.
fn start(plan: &Plan, inherited: Inherited, state: &Path, monitor: &mut Monitor) -> Result<Running> {
    let Inherited { consoles, passed, mut handshake, shared, document } = inherited;
    plan.notes.iter().for_each(log::info);
    let prepared = prepare::prepare(plan, consoles.len(), state)?;
    let made = if document.is_some() { handshake.groups()? } else { None };
    let group = join_group(plan, made)?;

    let numbers: Vec<u32> = prepared.terminals.iter().map(|terminal| terminal.number).collect();
    let environment = plan::with_terminals(&plan.init.environment, &numbers);
    announce(plan, &environment);
    let (mut view, shown) = view(plan, &group);
    let given =
        Given { plan, group: &group, attach_point: state, environment: &environment, passed: &passed, view: shown };
    let (child, prepared, mut go_on, report) = clone(given, prepared, &shared, &mut view)?;

    let finish = || {
        limit(plan, &prepared, &group)?;
        if !plan.users.is_empty() {
            idmap::write(child.pid, &plan.users, &plan.groups).doing(|| "Failed to map ids")?;
            let namespace = idmap::namespace_of(child.pid).doing(|| "Unable to find the user namespace")?;
            prepared.map_owners(plan, namespace.as_fd()).iter().for_each(log::info);
            go_on.write_all(b"m").doing(|| "error talking to the container")?;
        }
        let Prepared { terminals, images, .. } = prepared;
        handshake.tell()?;
        handshake.wait()?;
        move_links(plan, &child)?;
        match go_on.write_all(b"n") {
            // A container that failed already says so below.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                return Err(error).doing(|| "error talking to the container");
            }
            _ => {}
        }
        // Our own daemon is connected by now, and has things to do with init's process id meanwhile.
        monitor.accept(child.pid.as_raw_nonzero().get());
        // While the container is built, all that is wanted of us when it runs.
        let consoles = consoles.into_iter().zip(terminals).zip(&plan.console_logs).map(|((machine, terminal), log)| {
            let log = log.as_ref().map(|log| ConsoleLog::open(&log.path, log.append)).transpose()?;
            Console::new(machine, terminal, log).doing(|| "Unable to set up a console")
        });
        let consoles = consoles.collect::<Result<Vec<Console>>>()?;
        let watched = serve::watch_all(&child, &consoles, view.as_ref(), monitor)?;
        outlive_guest();
        // What is left to do needs no powers.
        capability::set(capability::Set::default(), capability::Set::default())
            .doing(|| "Unable to give up capabilities")?;
        let words = hear(report, &mut view).doing(|| "error receiving signal from container")?;
        match words.strip_prefix(container::ABOUT_TO_EXECUTE) {
            Some("") if was_executed(&child) => {}
            Some("") => return Err(Failure::new("the container was killed before its init was executed")),
            Some(words) => return Err(Failure::new(words)),
            None if words.is_empty() => return Err(Failure::new("the container ended before its init was executed")),
            None => return Err(Failure::new(words)),
        }
        handshake.tell()?;
        Ok((watched, consoles, images))
    };
    match finish() {
        Ok((watched, consoles, images)) => Ok(Running { child, watched, group, consoles, view, images }),
        Err(failure) => {
            // It may have ended by itself, with its reasons given. Where our powers are given up already, it ends with us.
            if rustix::process::pidfd_send_signal(&child.pidfd, Signal::KILL).is_ok() {
                _ = process::wait(child.pid);
            }
            Err(failure)
        }
    }
}

/// Whether the pipe was closed by exec, and not by the end of who was about to execute init: then that has no memory any more.
/// An init that has ended by now was executed, unless somebody killed it.
fn was_executed(child: &Child) -> bool {
    let runs = std::fs::read(format!("/proc/{}/cmdline", child.pid)).is_ok_and(|line| !line.is_empty());
    runs || !was_killed(child)
}

/// Without taking its end away from who waits for that. It is about to end, or, if it can hide its command line, will not.
fn was_killed(child: &Child) -> bool {
    _ = poll(&mut [PollFd::new(&child.pidfd, PollFlags::IN)], Some(&Timespec { tv_sec: 1, tv_nsec: 0 }));
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let ended = waitid(WaitId::PidFd(child.pidfd.as_fd()), options).ok().flatten();
    ended.is_some_and(|status| status.terminating_signal() == Some(Signal::KILL.as_raw()))
}

/// A message of ours about a failure is shorter.
const LONGEST_REPORT: usize = 4096;

/// What the container's side says until its end of the pipe closes. It looks up the files of its view meanwhile.
fn hear(report: File, view: &mut Option<ProcView>) -> std::io::Result<String> {
    let mut report = report.take(LONGEST_REPORT as u64);
    let mut words = Vec::new();
    loop {
        let mut sources = vec![PollFd::new(report.get_ref(), PollFlags::IN)];
        sources.extend(view.as_ref().map(|view| PollFd::from_borrowed_fd(view.fd(), PollFlags::IN)));
        match poll(&mut sources, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = sources.iter().map(|source| !source.revents().is_empty()).collect();
        if ready.get(1) == Some(&true) {
            serve::answer(view);
        }
        if ready.first() == Some(&true) {
            let mut bytes = [0; 512];
            match report.read(&mut bytes)? {
                0 => return Ok(String::from_utf8_lossy(&words).into_owned()),
                count => words.extend_from_slice(bytes.get(..count).unwrap_or_default()),
            }
        }
    }
}

/// Without it the container sees the machine's memory, and lives.
fn view(plan: &Plan, group: &Group) -> (Option<ProcView>, Option<Detached>) {
    let memory = plan.limits.memory.unwrap_or(u64::MAX);
    match ProcView::new(Path::new("/proc"), Path::new("/sys"), group.clone(), memory) {
        Ok((view, folder)) => (Some(view), Some(folder)),
        Err(error) => {
            log::info(format!("the container sees the machine's memory and processors: /dev/fuse: {error}"));
            (None, None)
        }
    }
}

/// Makes the groups, unless they are made, and goes into them. On an error nothing is left of them.
fn join_group(plan: &Plan, made: Option<Vec<u8>>) -> Result<Group> {
    let proc = Path::new("/proc");
    let (group, notes) = match made {
        Some(words) => (Group::heard(&words), Vec::new()),
        None => Group::start(&Hierarchies::detect(proc)?, proc, &plan.place, &plan.machine)?,
    };
    match group.join() {
        Ok(()) => {
            notes.iter().for_each(log::info);
            Ok(group)
        }
        Err(error) => {
            // What cannot be removed now is empty, and the daemon's to remove.
            _ = group.remove();
            Err(error.into())
        }
    }
}

/// What the container may use. It is in the groups already, but not yet the guest's.
fn limit(plan: &Plan, prepared: &Prepared, group: &Group) -> Result<()> {
    group.limit(&plan.limits)?.iter().for_each(log::info);
    let rules: Vec<DeviceRule> = plan.device_rules.iter().copied().chain(prepared.device_rules()).collect();
    group.allow_only(&rules)?;
    if !plan.users.is_empty() {
        let root = |ranges| idmap::outside(ranges, 0).unwrap_or(0);
        group.delegate(root(&plan.users), root(&plan.groups))?;
    }
    Ok(())
}

/// Where the container's memory is used up, the kernel ends the largest process in its groups; beside many small ones that
/// would be us, and the container's end would have no cause. Last, and not spared for ever: a guest may have spared itself.
/// Set after the clone: who has inherited it could take it back.
fn outlive_guest() {
    if let Err(error) = std::fs::write("/proc/self/oom_score_adj", "-999") {
        log::info(format!("a container without memory may lose its controller: /proc/self/oom_score_adj: {error}"));
    }
}

/// Init's environment and command, a line of the log as libvirt's.
fn announce(plan: &Plan, environment: &[String]) {
    let words: Vec<&str> =
        environment.iter().chain([&plan.init.path]).chain(&plan.init.arguments).map(String::as_str).collect();
    // There is no other place to complain.
    _ = std::io::stdout().write_all((words.join(" ") + "\n").as_bytes());
}

/// Clones the container. What it shares with another container is entered first, for the clone to inherit.
fn clone(
    given: Given,
    prepared: Prepared,
    shared: &[OwnedFd],
    view: &mut Option<ProcView>,
) -> Result<(Child, Prepared, File, File)> {
    let (go_on_read, go_on) = pipe()?;
    let (report, report_write) = pipe()?;
    for namespace in shared {
        rustix::thread::move_into_link_name_space(namespace.as_fd(), None)
            .map_err(Into::into)
            .doing(|| "Unable to join a namespace to be shared")?;
    }
    let folder = given.group.container_folder()?;
    let child = process::clone(given.plan.namespaces, folder.as_ref().map(AsFd::as_fd))
        .doing(|| "Failed to run clone container")?;
    match child {
        Some(child) => Ok((child, prepared, go_on.into(), report.into())),
        None => {
            // With the view's server open here too, the kernel would wait for answers of a controller that has died, and
            // nothing could end who asked.
            drop((go_on, report, view.take()));
            container::enter(given, prepared, go_on_read.into(), report_write)
        }
    }
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(Into::into).doing(|| "Unable to make a pipe")
}

/// Each of the document's interfaces under its name in the container; the machine's own links as they are called. What is not
/// on the machine our own daemon has made in the container already, and it is missed there if it has not.
fn move_links(plan: &Plan, child: &Child) -> Result<()> {
    if plan.interfaces.is_empty() && plan.moved_links.is_empty() {
        return Ok(());
    }
    let mut socket = Socket::new().doing(|| "Unable to open a netlink socket")?;
    let netns = || Netns::Pid(child.pid.as_raw_nonzero().get());
    for interface in &plan.interfaces {
        match socket.move_to(&interface.link, netns(), Some(&interface.name)) {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error()) => {}
            moved => moved.doing(|| {
                format!("Unable to move interface {} into the container as {}", interface.link, interface.name)
            })?,
        }
    }
    for Interface { link, .. } in &plan.moved_links {
        socket.move_to(link, netns(), None).doing(|| format!("Unable to move interface {link} into the container"))?;
    }
    Ok(())
}

/// Holds the consoles until init ends, and tells the daemon how it did.
fn live(running: Running, monitor: Monitor) -> Result<()> {
    let Running { child, watched, group, consoles, view, images: _images } = running;
    let (monitor, served) = serve::serve(watched, &child, consoles, view, monitor);
    if let Err(failure) = served {
        log::error(&failure);
        _ = rustix::process::pidfd_send_signal(&child.pidfd, Signal::KILL);
    }
    let end = process::wait(child.pid).doing(|| "Unable to wait for the container")?;
    // What reboot(2) in a process namespace looks like from outside are two signals; any other is a crash. Which status means
    // that is init's own affair: a shell has its last command's.
    let status = match end {
        End::Killed(SIGHUP) => ExitStatus::Reboot,
        End::Killed(SIGINT) | End::Exited(_) => ExitStatus::Shutdown,
        End::Killed(_) => ExitStatus::Error,
    };
    match end {
        End::Exited(code) => log::info(format!("init exited with status {code}")),
        End::Killed(SIGHUP) => log::info("the container reboots"),
        End::Killed(SIGINT) => log::info("the container has shut down"),
        End::Killed(signal) => log::info(format!("init was killed by signal {signal}")),
    }
    if let Ok(count @ 1..) = group.out_of_memory_kills() {
        log::info(format!("the kernel has killed {count} of the container's processes for want of memory"));
    }
    monitor.end(status);
    Ok(())
}

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
