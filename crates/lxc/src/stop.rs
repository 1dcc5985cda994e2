//! A container's end: asked for, or noticed; and what the document wants to happen then.

use crate::driver::{Driver, state_file};
use crate::files;
use crate::hooks::Moment;
use crate::links_home::Away;
use crate::log::DomainLog;
use crate::monitor::{Monitor, wait};
use crate::object::{DomainObject, Live, not_running};
use crate::start::StartOptions;
use api::{DomainState, Error, ErrorDomain, Event, LifecycleEvent, Result, StateReason};
use conf::domain::{Domain, LifecycleAction};
use linux::cgroup::Group;
use rpc::monitor::ExitStatus;
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// Details of `VIR_DOMAIN_EVENT_STOPPED`.
const SHUTDOWN: i32 = 0;
const DESTROYED: i32 = 1;
const CRASHED: i32 = 2;
const FAILED: i32 = 5;

/// Killed processes end within this time, or the kernel keeps them for a reason that no signal removes.
const PATIENCE: Duration = Duration::from_secs(15);

/// A container that ends sooner is not started again of the document's will, for it would do so for ever.
const BRIEF: Duration = Duration::from_secs(1);

/// Unless it asks for that itself, so many times without a longer run in between.
const BRIEF_REBOOTS: u32 = 5;

impl Driver {
    /// Ends a container at once, whatever runs in it.
    pub fn destroy(self: &Arc<Self>, object: &Arc<DomainObject>) -> Result<()> {
        if !object.is_active() {
            return Err(not_running());
        }
        let _job = object.begin("destroy")?;
        self.kill(object)?;
        let Some(remains) = self.take_live(object, StateReason::SHUTOFF_DESTROYED) else { return Err(not_running()) };
        self.clean_up(object, &remains, "destroyed");
        self.stopped(object, DESTROYED);
        Ok(())
    }

    /// Ends a container whose end nobody would notice.
    pub(crate) fn give_up(self: &Arc<Self>, object: &Arc<DomainObject>) {
        self.kill_or_leave(object);
        let Some(remains) = self.take_live(object, StateReason::SHUTOFF_FAILED) else { return };
        self.clean_up(object, &remains, "failed");
        self.stopped(object, FAILED);
    }

    /// Destroys what was started on the condition that this client stays.
    pub fn client_gone(self: &Arc<Self>, client: u64) {
        for object in self.all() {
            let bound = object.lock().live.as_ref().is_some_and(|live| live.autodestroy == Some(client));
            if bound {
                if let Err(error) = self.destroy(&object) {
                    tracing::error!("domain '{}' should end with its client: {error}", object.name);
                }
            }
        }
    }

    /// A controller's monitor socket is at its end, and so is the container.
    pub(crate) fn container_ended(self: &Arc<Self>, object: &Arc<DomainObject>, monitor: &Arc<Monitor>) {
        let same = || object.lock().live.as_ref().is_some_and(|live| Arc::ptr_eq(&live.monitor, monitor));
        if !same() {
            // Destroyed meanwhile.
            return;
        }
        let _job = match object.begin("end of the container") {
            Ok(job) => job,
            // Destroyed and forgotten while this waited.
            Err(error) if error.code == api::Code::NoDomain => return,
            // Nobody else would notice it. Each wait for the job is a long one.
            Err(error) => {
                tracing::warn!("the end of domain '{}' is handled later: {error}", object.name);
                let (driver, object, monitor) = (Arc::clone(self), Arc::clone(object), Arc::clone(monitor));
                self.later(move || driver.container_ended(&object, &monitor));
                return;
            }
        };
        if !same() {
            return;
        }
        let exit = monitor.exit();
        let starved = self.was_starved(object);
        tracing::info!("the container of domain '{}' has ended: {exit:?}", object.name);
        self.kill_or_leave(object);
        let (reason, why, detail) = match exit {
            Some(ExitStatus::Reboot | ExitStatus::Shutdown) => (StateReason::SHUTOFF_SHUTDOWN, "shutdown", SHUTDOWN),
            Some(ExitStatus::Error) => {
                let why = if starved { "crashed: out of memory" } else { "crashed" };
                (StateReason::SHUTOFF_CRASHED, why, CRASHED)
            }
            // The controller went without a word.
            None => (StateReason::SHUTOFF_FAILED, "failed", FAILED),
        };
        let Some(brief) = starts_again(object, exit) else {
            let Some(remains) = self.take_live(object, reason) else { return };
            self.clean_up(object, &remains, why);
            return self.stopped(object, detail);
        };
        let reboots = exit == Some(ExitStatus::Reboot);
        let Some(remains) = Remains::beside_live(object) else { return };
        self.clean_up(object, &remains, if reboots { "reboot" } else { why });
        if !self.start_again(object, &remains, brief, if reboots { "reboot" } else { "booted" }) {
            self.take_live(object, reason);
            return self.stopped(object, detail);
        }
        match reboots {
            true => self.publish(Event::Reboot { domain: object.reference() }),
            false => self.lifecycle(object.reference(), LifecycleEvent::Started, SHUTDOWN),
        }
        if let Err(error) = self.watch(object) {
            tracing::error!("the end of domain '{}' would not be noticed: {error}", object.name);
            self.give_up(object);
        }
    }

    /// Whether the kernel has killed anything in it for want of memory.
    fn was_starved(&self, object: &DomainObject) -> bool {
        let group = object.lock().live.as_ref().and_then(|live| live.group.clone());
        group.is_some_and(|group| group.out_of_memory_kills().is_ok_and(|kills| kills > 0))
    }

    /// The same container as it was, not as it may be defined by now, with a controller of its own. Its end is not watched for
    /// yet.
    fn start_again(self: &Arc<Self>, object: &Arc<DomainObject>, before: &Remains, brief: u32, why: &str) -> bool {
        let options = StartOptions { files: Vec::new(), autodestroy: before.autodestroy };
        let live = match self.bring_up(object, &before.origin, options, why) {
            Ok(live) => Live { brief, ..live },
            Err(error) => {
                tracing::error!("domain '{}' does not start again: {error}", object.name);
                return false;
            }
        };
        let mut state = object.lock();
        state.live = Some(live);
        (state.state, state.reason) = (DomainState::Running, StateReason::RUNNING_BOOTED);
        true
    }

    /// Ends every process of a domain that runs.
    fn kill(self: &Arc<Self>, object: &DomainObject) -> Result<()> {
        let (domain, init, controller, group, frozen) = {
            let state = object.lock();
            let live = state.running()?;
            let init = live.init.as_ref().map(|(_, fd)| Arc::clone(fd));
            let frozen = state.state == DomainState::Paused;
            (Arc::clone(&live.domain), init, Arc::clone(&live.controller), live.group.clone(), frozen)
        };
        if frozen {
            // Version 1 keeps even the killed, until they are let go.
            signal(init.as_deref(), Signal::KILL);
            signal(Some(&controller), Signal::KILL);
            if let Some(Err(error)) = group.as_deref().map(Group::thaw) {
                tracing::warn!("domain '{}': {error}", object.name);
            }
        }
        match self.end_processes(&domain, init.as_deref(), &controller, group.as_deref()) {
            true => Ok(()),
            false => Err(Error::internal(ErrorDomain::Lxc, "Some processes refused to die")),
        }
    }

    /// Kills the container and its controller, waits until they have ended, and removes their cgroup. False where something lives
    /// on. The container's processes go with its init, whose process namespace they are in.
    pub(crate) fn end_processes(
        self: &Arc<Self>,
        domain: &Domain,
        init: Option<&OwnedFd>,
        controller: &OwnedFd,
        group: Option<&Group>,
    ) -> bool {
        signal(init, Signal::KILL);
        signal(Some(controller), Signal::KILL);
        if let (None, Some(group)) = (init, group) {
            if let Err(error) = group.kill(0) {
                tracing::warn!("domain '{}': {error}", domain.name);
            }
        }
        let mut ended = init.is_none_or(|init| wait(&[init], PATIENCE) == [true]);
        ended &= wait(&[controller], PATIENCE) == [true];
        // Ours to reap, unless an earlier daemon started it.
        _ = waitid(WaitId::PidFd(controller.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        if let (true, Some(group)) = (ended, group) {
            if let Err(first) = group.remove() {
                // Something that entered the group from outside.
                _ = group.kill(0);
                if let Err(error) = group.remove() {
                    tracing::warn!("domain '{}': {first}; after killing what was there: {error}", domain.name);
                    self.remove_later(domain, group.clone());
                }
            }
        }
        ended
    }

    /// The same of one that runs no longer, whatever its processes do: its group goes when they have ended.
    fn kill_or_leave(self: &Arc<Self>, object: &DomainObject) {
        let Err(error) = self.kill(object) else { return };
        tracing::error!("domain '{}': {error}", object.name);
        let left = object.lock().live.as_ref().map(|live| (Arc::clone(&live.domain), live.group.clone()));
        if let Some((domain, Some(group))) = left {
            self.remove_later(&domain, Group::clone(&group));
        }
    }

    /// The domain runs no longer.
    fn take_live(&self, object: &DomainObject, reason: StateReason) -> Option<Remains> {
        let mut state = object.lock();
        let live = state.live.take()?;
        (state.state, state.reason) = (DomainState::Shutoff, reason);
        drop(state);
        live.monitor.close();
        Some(Remains {
            origin: live.origin,
            domain: live.domain,
            id: live.id,
            away: live.away,
            autodestroy: live.autodestroy,
        })
    }

    fn clean_up(&self, object: &DomainObject, remains: &Remains, why: &str) {
        if let Some(away) = &remains.away {
            away.bring_home(&object.name);
        }
        self.release_ports(&remains.domain);
        self.release_ids(&object.uuid);
        self.unload_profile(&remains.domain);
        self.remove_state_files(&object.name);
        DomainLog::shutting_down(&self.paths, &object.name, why);
        self.audit_stop(&remains.domain, why, remains.id);
        self.hook_after(&remains.domain, Moment::Stopped);
        self.hook_after(&remains.domain, Moment::Release);
    }

    /// Says so, and forgets a transient domain.
    fn stopped(&self, object: &Arc<DomainObject>, detail: i32) {
        let reference = object.reference();
        if !object.is_persistent() {
            self.forget(object);
        }
        self.lifecycle(reference, LifecycleEvent::Stopped, detail);
    }

    /// A container that ended while no daemon was there to notice.
    pub(crate) fn ended_unseen(&self, object: &Arc<DomainObject>, domain: &Domain) {
        self.release_ports(domain);
        self.release_ids(&object.uuid);
        self.unload_profile(domain);
        self.remove_state_files(&object.name);
        let persistent = {
            let mut state = object.lock();
            (state.state, state.reason) = (DomainState::Shutoff, StateReason::SHUTOFF_FAILED);
            state.persistent
        };
        if !persistent {
            self.forget(object);
        }
    }

    /// Removes what a running domain has in the folder of state, the controller's own leftovers among it. The status file goes
    /// last: by it the next daemon finds what this one has not come to.
    pub(crate) fn remove_state_files(&self, name: &str) {
        for kind in ["dev", "devpts", "fuse", "root"] {
            // Mount points in the controller's own namespace; here they are empty folders, where there are any.
            _ = std::fs::remove_dir(state_file(&self.paths, name, kind));
        }
        for kind in ["pid", "sock", "xml"] {
            if let Err(error) = files::remove(&state_file(&self.paths, name, kind)) {
                tracing::warn!("{error}");
            }
        }
    }
}

/// What has to be seen to after a container's end.
struct Remains {
    origin: Arc<Domain>,
    domain: Arc<Domain>,
    id: i32,
    away: Option<Away>,
    autodestroy: Option<u64>,
}

impl Remains {
    /// Of a container that is about to have a successor. Until that is there the domain stays as it was for those who ask; who
    /// wants to do something with it waits.
    fn beside_live(object: &DomainObject) -> Option<Remains> {
        let mut state = object.lock();
        let live = state.live.as_mut()?;
        live.monitor.close();
        Some(Remains {
            origin: Arc::clone(&live.origin),
            domain: Arc::clone(&live.domain),
            id: live.id,
            away: live.away.take(),
            autodestroy: live.autodestroy,
        })
    }
}

/// Whether a container that has ended so is started again: how many times running it has ended at once then.
fn starts_again(object: &DomainObject, exit: Option<ExitStatus>) -> Option<u32> {
    let state = object.lock();
    let live = state.live.as_ref()?;
    let action = match exit {
        Some(ExitStatus::Reboot) => live.domain.on_reboot,
        Some(ExitStatus::Shutdown) => live.domain.on_poweroff,
        Some(ExitStatus::Error) | None => live.domain.on_crash,
    };
    if keeps(action) {
        tracing::warn!("domain '{}': of a container that has ended there is nothing to keep", object.name);
    }
    let brief = if live.started.elapsed() < BRIEF { live.brief + 1 } else { 0 };
    let too_often = brief > if exit == Some(ExitStatus::Reboot) { BRIEF_REBOOTS } else { 0 };
    if restarts(action) && too_often {
        tracing::warn!("domain '{}' ended at once, {brief} times running: it is not started again", object.name);
    }
    (restarts(action) && !too_often).then_some(brief)
}

fn restarts(action: LifecycleAction) -> bool {
    matches!(action, LifecycleAction::Restart | LifecycleAction::RenameRestart | LifecycleAction::CoredumpRestart)
}

/// Machines can be kept as they were at their end, or written to a file.
fn keeps(action: LifecycleAction) -> bool {
    use LifecycleAction::{CoredumpDestroy, CoredumpRestart, Preserve};
    matches!(action, Preserve | CoredumpDestroy | CoredumpRestart)
}

fn signal(process: Option<&OwnedFd>, signal: Signal) {
    if let Some(process) = process {
        // It may have ended.
        _ = pidfd_send_signal(process, signal);
    }
}
