//! The container's side: what the cloned process does, from its first instruction to init's. It ends in exec, or it writes
//! why not to a pipe and is gone. From the change of root on, all that it touches is the guest's.

use crate::failure::{Doing, Failure, Result};
use crate::plan::{self, Interface, Plan};
use crate::prepare::Prepared;
use crate::{procview, tree, users};
use linux::beneath;
use linux::cgroup::Group;
use linux::label::Door;
use linux::mount::Detached;
use linux::netlink;
use linux::pty::Pty;
use linux::{capability, descriptor, process};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use std::convert::Infallible;
use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// What the container's side works from.
pub struct Given<'a> {
    pub plan: &'a Plan,
    pub group: &'a Group,
    /// A folder of the machine that the root is attached on for a moment, unseen.
    pub attach_point: &'a Path,
    /// `NAME=value`
    pub environment: &'a [String],
    /// What init finds from descriptor 3 on.
    pub passed: &'a [OwnedFd],
    /// Files with the container's own view of memory, processors and time, served by the controller from the last byte on.
    pub view: Option<Detached>,
}

/// Comes through `report` before init is executed; words behind it tell why that failed.
pub const ABOUT_TO_EXECUTE: &str = "\0";

/// `go_on` has a byte when the maps of ids are written, where there are any, and another when the network is there;
/// `report` takes words about a failure, and closes without any at exec.
pub fn enter(mut given: Given, prepared: Prepared, mut go_on: File, report: OwnedFd) -> ! {
    let Err(failure) = build_and_execute(&mut given, prepared, &mut go_on, report.as_fd());
    // Nobody else listens.
    _ = File::from(report).write_all(failure.to_string().as_bytes());
    process::exit_at_once(1)
}

fn build_and_execute(
    given: &mut Given,
    prepared: Prepared,
    go_on: &mut File,
    report: BorrowedFd,
) -> Result<Infallible> {
    let plan = given.plan;
    process::die_with_parent().doing(|| "Unable to tie the container to its controller")?;
    if !plan.users.is_empty() {
        wait(go_on)?;
        process::set_ids(0, 0, &[]).doing(|| "Unable to become root of the user namespace")?;
        // Once more: a change of ids has undone it.
        process::die_with_parent().doing(|| "Unable to tie the container to its controller")?;
    }
    // While /proc is the machine's: the guest may lead a mount of its document over its own.
    let door = plan.profile.as_ref().map(|_| Door::open()).transpose();
    let door = door.doing(|| "Unable to open init's label")?;
    let terminals = tree::build(plan, prepared, given.group, given.attach_point)?;
    wait(go_on)?;
    if let Some(view) = given.view.take() {
        tree::show(view, &procview::FILES).doing(|| "Failed to mount the container's view of its memory")?;
    }
    if plan.sets_hostname {
        rustix::system::sethostname(plan.name.as_bytes())
            .map_err(Into::into)
            .doing(|| format!("Failed to set hostname to '{}'", plan.name))?;
    }
    for (path, value) in &plan.sysctls {
        set_sysctl(path, value)?;
    }
    if plan.private_network {
        configure_network(plan.interfaces.iter().chain(&plan.moved_links))?;
    }
    become_init(given, &terminals, report, door)
}

/// The other end is closed when the controller failed or died: then there is nothing to go on to.
fn wait(go_on: &mut File) -> Result<()> {
    go_on.read_exact(&mut [0]).doing(|| "Unable to wait for the controller")
}

/// Through a /proc of one's own, for the tree's is read-only by now. The path was checked to be a namespace's own.
fn set_sysctl(path: &Path, value: &str) -> Result<()> {
    let shown = path.display();
    let proc = Detached::filesystem("proc", &[], 0).doing(|| "Failed to mount proc")?;
    let file = beneath::open(proc.as_fd(), &Path::new("sys").join(path), OFlags::WRONLY)
        .doing(|| format!("Unable to set sysctl '{shown}'"))?;
    File::from(file).write_all(value.as_bytes()).doing(|| format!("Unable to set sysctl '{shown}' to '{value}'"))
}

/// The links have come in under their names already.
fn configure_network<'a>(interfaces: impl Iterator<Item = &'a Interface>) -> Result<()> {
    let mut socket = netlink::Socket::new().doing(|| "Unable to open a netlink socket")?;
    socket.set_up("lo", true).doing(|| "Unable to bring up the loopback interface")?;
    for interface in interfaces {
        let name = &interface.name;
        let index = socket.index(name).doing(|| format!("Unable to find interface {name}"))?;
        for plan::Address { address, prefix, peer } in &interface.addresses {
            let address =
                netlink::Address { link: index, address: *address, prefix: *prefix, peer: *peer, broadcast: None };
            socket.add_address(&address).doing(|| format!("Failed to set IP address {} on {name}", address.address))?;
        }
        if interface.up {
            socket.set_up(name, true).doing(|| format!("Unable to bring up {name}"))?;
        }
        for (destination, prefix, gateway, metric) in &interface.routes {
            let route = netlink::Route {
                link: Some(index),
                destination: *destination,
                prefix: *prefix,
                gateway: Some(*gateway),
                metric: *metric,
            };
            socket.add_route(&route).doing(|| format!("Error adding route to {name}"))?;
        }
    }
    Ok(())
}

fn become_init(given: &Given, terminals: &[Pty], report: BorrowedFd, door: Option<Door>) -> Result<Infallible> {
    let (plan, init) = (given.plan, &given.plan.init);
    let user = users::look_up(init.user.as_deref(), init.group.as_deref())?;
    if let Err(error) = std::fs::metadata(&init.path) {
        return Err(error).doing(|| format!("cannot find init path '{}' relative to container root", init.path));
    }
    if let (1.., Some(terminal)) = (user.uid, terminals.first()) {
        // So that it can be opened by its path too.
        let owner = rustix::fs::Uid::from_raw(user.uid);
        rustix::fs::fchown(&terminal.slave, Some(owner), None)
            .map_err(Into::into)
            .doing(|| format!("Unable to give the console to user {}", user.uid))?;
    }
    // No terminal becomes its controlling one: an interrupt typed on the console must not reach process 1.
    rustix::process::setsid().map_err(Into::into).doing(|| "Unable to become a session leader")?;
    process::new_session_keyring().or_else(forbidden_is_fine).doing(|| "Unable to make a session keyring")?;
    if init.is_32_bit {
        process::set_personality_32().doing(|| "Unable to set the personality of a 32-bit machine")?;
    }
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    // Its parent end is closed when the controller has gone; then nothing may be started.
    let report = descriptor::duplicate_above(report, lowest_free(given)).doing(|| "Unable to keep the pipe")?;
    let door = door.map(|door| door.above(lowest_free(given))).transpose().doing(|| "Unable to keep init's label")?;
    place_descriptors(given, terminals)?;
    plan::set_rlimits(&plan.rlimits)?;
    if let Some(filter) = &plan.filter {
        filter.load().doing(|| "Unable to install the filter of system calls")?;
    }
    capability::limit_bounding(plan.capabilities).doing(|| "Failed to drop capabilities")?;
    process::set_ids(user.uid, user.gid, &user.groups)
        .doing(|| format!("Unable to become user {} and group {}", user.uid, user.gid))?;
    capability::set(plan.capabilities, plan.inheritable).doing(|| "Failed to apply capabilities")?;
    // Once more: a change of ids has undone it.
    process::die_with_parent().doing(|| "Unable to tie the container to its controller")?;
    let mut parent = [PollFd::new(&report, PollFlags::empty())];
    if poll(&mut parent, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|count| count > 0) {
        return Err(Failure::new("the controller has gone"));
    }
    rustix::process::chdir(init.folder.as_str())
        .map_err(Into::into)
        .doing(|| format!("Unable to change to the directory '{}'", init.folder))?;
    process::reset_signals().doing(|| "Unable to reset signals")?;
    let text =
        |word: &str| CString::new(word).map_err(|_| Failure::new(format!("{word:?} of init has a zero byte in it")));
    let program = text(&init.path)?;
    let arguments: Vec<CString> =
        std::iter::once(&init.path).chain(&init.arguments).map(|word| text(word)).collect::<Result<_>>()?;
    let environment: Vec<CString> = given.environment.iter().map(|word| text(word)).collect::<Result<_>>()?;
    if let (Some(profile), Some(door)) = (&plan.profile, door) {
        // Not at exec, where the kernel would undo that it dies with its parent.
        door.confine(profile).doing(|| format!("Unable to confine init by AppArmor's profile '{profile}'"))?;
    }
    // Whoever listens cannot tell otherwise whether the pipe was closed by init or by the end of this process.
    rustix::io::write(&report, ABOUT_TO_EXECUTE.as_bytes()).map_err(Into::into).doing(|| "Unable to tell of init")?;
    let error = process::execute(&program, &arguments, &environment);
    Err(error).doing(|| format!("cannot execute init '{}'", init.path))
}

/// A kernel without keyrings, or a filter that forbids them, is no reason not to start.
pub fn forbidden_is_fine(error: std::io::Error) -> std::io::Result<()> {
    match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM | rustix::io::Errno::ACCESS) => Ok(()),
        _ => Err(error),
    }
}

/// The first number behind those that init finds something under.
fn lowest_free(given: &Given) -> i32 {
    3 + i32::try_from(given.passed.len()).unwrap_or(0)
}

/// Init finds its terminal as 0, 1 and 2, what was passed from 3 on, and nothing else.
fn place_descriptors(given: &Given, terminals: &[Pty]) -> Result<()> {
    let failed = || "Unable to place a descriptor for init";
    let above = lowest_free(given);
    let mut sources = Vec::new();
    if let Some(terminal) = terminals.first() {
        for _ in 0..3 {
            sources.push(descriptor::duplicate_above(terminal.slave.as_fd(), above).doing(failed)?);
        }
    }
    for passed in given.passed {
        sources.push(descriptor::duplicate_above(passed.as_fd(), above).doing(failed)?);
    }
    for (number, source) in (0..).zip(&sources) {
        descriptor::place(source.as_fd(), number).doing(failed)?;
    }
    process::close_on_exec_from(above.unsigned_abs()).doing(failed)
}
