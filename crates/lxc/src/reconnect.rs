//! After a restart of the daemon: the containers that run on are found by their status files and listened to again.

use crate::driver::{Driver, shown, state_file};
use crate::files;
use crate::hooks::Moment;
use crate::interfaces::only_child;
use crate::monitor::Monitor;
use crate::object::{DomainObject, Live};
use crate::start::{PARTITION, open_child};
use api::{DomainState, Error, ErrorDomain, Result, StateReason};
use conf::status::DomainStatus;
use linux::cgroup::{Group, Hierarchies, Place};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A controller answers a new connection at once.
const PATIENCE: Duration = Duration::from_secs(2);

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
        let away = self.links_away(&status.domain, || init.as_ref().map(|(init, _)| *init));
        let frozen = group.as_ref().is_some_and(|group| group.is_frozen().unwrap_or(false));
        let mut domain = status.domain.clone();
        domain.id = Some(id);
        self.claim_ports(&domain);
        self.hook_after(&domain, Moment::Reconnect);
        {
            let mut state = object.lock();
            state.live = Some(Live {
                origin: Arc::clone(&state.definition),
                domain: Arc::new(domain),
                id,
                controller: Arc::new(controller),
                init,
                monitor,
                group: group.map(Arc::new),
                away,
                started: Instant::now(),
                brief: 0,
                autodestroy: None,
            });
            (state.state, state.reason) = match frozen {
                true => (DomainState::Paused, StateReason::PAUSED_USER),
                false => (DomainState::Running, StateReason::UNKNOWN),
            };
        }
        self.watch(object)
    }

    /// Ends what a controller left behind that is gone, or was started by a daemon that did not live to hear from it. It may
    /// not even be written down yet, so its groups are looked for by the domain's name.
    fn remove_remains(self: &Arc<Self>, status: &DomainStatus, hierarchies: Option<&Hierarchies>) {
        let name = &status.domain.name;
        let Some(hierarchies) = hierarchies else { return };
        let partition = status.domain.partition.as_deref().unwrap_or(PARTITION);
        for id in Group::owners(hierarchies, partition, name) {
            // Another daemon, with folders of its own, may have a domain of that name.
            let controller = match self.is_our_controller(id, name) {
                Some(true) => Pid::from_raw(id).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()),
                Some(false) => continue,
                None => None,
            };
            let place = Place { partition: partition.to_string(), id, domain: name.clone() };
            let group = Group::named(hierarchies, &place);
            if let Some(controller) = controller {
                if !self.end_processes(&status.domain, None, &controller, Some(&group)) {
                    self.remove_later(&status.domain, group);
                }
            } else if let Err(error) = group.kill(0).and_then(|()| group.remove()) {
                tracing::warn!("domain '{name}': {error}");
                self.remove_later(&status.domain, group);
            }
        }
    }

    /// Whether that process is the domain's controller, started by a daemon with our folders; none where it has ended.
    fn is_our_controller(&self, id: i32, name: &str) -> Option<bool> {
        let folder = self.paths.proc.join(id.to_string());
        let comm = std::fs::read_to_string(folder.join("comm")).ok()?;
        let line = std::fs::read(folder.join("cmdline")).ok()?;
        if comm.trim() != "libvirt_lxc" || line.is_empty() {
            return None;
        }
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let follows = |option: &str, value: &[u8]| words.windows(2).any(|two| two == [option.as_bytes(), value]);
        let root = self.paths.root.as_os_str().as_encoded_bytes();
        let root_is_ours = match root.is_empty() {
            true => !words.contains(&"--root".as_bytes()),
            false => follows("--root", root),
        };
        Some(root_is_ours && follows("--name", name.as_bytes()))
    }
}
