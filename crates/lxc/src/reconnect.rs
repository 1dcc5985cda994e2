//! After a restart of the daemon: the containers that run on are found by their status files and listened to again.

use crate::driver::{Driver, shown, state_file};
use crate::files;
use crate::hooks::Moment;
use crate::monitor::Monitor;
use crate::object::{DomainObject, Live};
use crate::start::open_child;
use crate::stop::end_processes;
use api::{DomainState, Error, ErrorDomain, Result, StateReason};
use conf::status::DomainStatus;
use linux::cgroup::{Group, Hierarchies, Place};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A controller answers a new connection at once.
const PATIENCE: Duration = Duration::from_secs(2);

/// A container's init is its controller's only child.
fn only_child(proc: &Path, controller: i32) -> Option<i32> {
    let children = std::fs::read_to_string(proc.join(format!("{controller}/task/{controller}/children"))).ok()?;
    let mut children = children.split_whitespace();
    let child = children.next()?.parse().ok()?;
    children.next().is_none().then_some(child)
}

impl Driver {
    /// Finds what runs.
    pub(crate) fn reconnect_all(self: &Arc<Self>) {
        let found = files::read_documents(&self.paths.domain_state());
        if found.is_empty() {
            return;
        }
        let hierarchies = Hierarchies::detect(&self.paths.proc)
            .inspect_err(|error| tracing::error!("control groups of running domains: {error}"))
            .ok();
        for (path, content) in found {
            let status = match self.with_host(|host| DomainStatus::parse(&content, host)) {
                Ok(status) => status,
                Err(error) => {
                    tracing::error!("the status file '{}' is left alone: {error}", shown(&path));
                    continue;
                }
            };
            let object = match self.place(&Arc::new(status.domain.clone()), true) {
                Ok(object) => object,
                Err(error) => {
                    tracing::error!("the running domain of '{}' is left alone: {error}", shown(&path));
                    continue;
                }
            };
            match self.reconnect(&object, &status, hierarchies.as_ref()) {
                Ok(()) => tracing::info!("domain '{}' runs on", object.name),
                Err(error) => {
                    tracing::info!("domain '{}' has ended meanwhile: {error}", object.name);
                    self.remove_remains(&status, hierarchies.as_ref());
                    self.ended_unseen(&object, &status.domain);
                }
            }
        }
    }

    fn reconnect(
        self: &Arc<Self>,
        object: &Arc<DomainObject>,
        status: &DomainStatus,
        hierarchies: Option<&Hierarchies>,
    ) -> Result<()> {
        let monitor = Monitor::connect(self, object, &state_file(&self.paths, &object.name, "sock"))?;
        let gone = || Error::internal(ErrorDomain::Lxc, "its controller is gone");
        // The one who listens at that socket is the controller, whatever the file says.
        let id = monitor.peer().ok_or_else(gone)?;
        let controller =
            Pid::from_raw(id).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()).ok_or_else(gone)?;
        let init = match status.init_pid {
            pid if pid > 0 => pid,
            // libvirt's controller tells only its first client, which may have ended before it wrote it down.
            _ => match only_child(&self.paths.proc, id) {
                Some(pid) => pid,
                None => monitor.wait_for_init(PATIENCE)?,
            },
        };
        let init = open_child(&self.paths.proc, init, id).map(|fd| (init, Arc::new(fd)));
        let group = hierarchies.and_then(|hierarchies| {
            Group::detect(hierarchies, &self.paths.proc, id, &object.name)
                .inspect_err(|error| tracing::warn!("domain '{}': {error}", object.name))
                .ok()
        });
        let frozen = group.as_ref().is_some_and(|group| group.is_frozen().unwrap_or(false));
        let mut domain = status.domain.clone();
        domain.id = Some(id);
        self.claim_ports(&domain);
        self.hook_after(&domain, Moment::Reconnect);
        {
            let mut state = object.lock();
            state.live = Some(Live {
                domain: Arc::new(domain),
                id,
                controller: Arc::new(controller),
                init,
                monitor,
                group: group.map(Arc::new),
                started: Instant::now(),
                autodestroy: None,
            });
            (state.state, state.reason) = match frozen {
                true => (DomainState::Paused, StateReason::PAUSED_USER),
                false => (DomainState::Running, StateReason::UNKNOWN),
            };
        }
        self.watch(object)
    }

    /// Ends what a controller that is gone left behind.
    fn remove_remains(&self, status: &DomainStatus, hierarchies: Option<&Hierarchies>) {
        let Some(hierarchies) = hierarchies else { return };
        if status.controller_pid <= 0 {
            return;
        }
        let place = Place {
            partition: status.domain.partition.clone().unwrap_or_else(|| "/machine".into()),
            id: status.controller_pid,
            domain: status.domain.name.clone(),
        };
        let group = Group::named(hierarchies, &place);
        if !group.exists() {
            return;
        }
        if let Err(error) = group.kill(0).and_then(|()| group.remove()) {
            tracing::warn!("domain '{}': {error}", status.domain.name);
        }
        // A controller that lives but listens no more is of no use.
        let Some(pid) = Pid::from_raw(status.controller_pid) else { return };
        let comm = std::fs::read_to_string(self.paths.proc.join(status.controller_pid.to_string()).join("comm"));
        if comm.is_ok_and(|comm| comm.trim() == "libvirt_lxc") {
            if let Ok(controller) = pidfd_open(pid, PidfdFlags::empty()) {
                end_processes(&status.domain.name, None, &controller, None);
            }
        }
    }
}
