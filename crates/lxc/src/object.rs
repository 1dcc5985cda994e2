//! One domain: its definition, its container where it runs, and the lock around both.

use crate::affect::{Init, Running};
use crate::driver::lock;
use crate::job::Holder;
use crate::links_home::Away;
use crate::monitor::Monitor;
use api::{DomainRef, DomainState, Error, ErrorDomain, Result, StateReason, Uuid};
use conf::domain::Domain;
use linux::cgroup::Group;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

/// A domain that the driver knows. Name and UUID never change: a domain under another name is another object.
pub struct DomainObject {
    pub name: String,
    pub uuid: Uuid,
    state: Mutex<ObjectState>,
    pub(crate) job_over: Condvar,
}

pub struct ObjectState {
    /// What it is, or will be, started from.
    pub definition: Arc<Domain>,
    /// The definition is kept in a file.
    pub persistent: bool,
    pub autostart: bool,
    pub live: Option<Live>,
    pub state: DomainState,
    pub reason: StateReason,
    /// No longer among the driver's domains.
    pub gone: bool,
    pub(crate) job: Option<Holder>,
}

/// What there is of a domain that runs.
pub struct Live {
    /// What it was started from, with what has been changed since while it ran: what a reboot starts it from.
    pub origin: Arc<Domain>,
    /// The definition with live data.
    pub domain: Arc<Domain>,
    /// The controller's process id: the domain's id.
    pub id: i32,
    pub controller: Arc<OwnedFd>,
    /// The container's init: process id as the host sees it, and descriptor.
    pub init: Option<(i32, Arc<OwnedFd>)>,
    pub monitor: Arc<Monitor>,
    pub group: Option<Arc<Group>>,
    /// Links of the machine in it, which come back at its end.
    pub away: Option<Away>,
    pub started: Instant,
    /// How many times running it has ended at once before this start.
    pub brief: u32,
    /// Destroyed when this client goes.
    pub autodestroy: Option<u64>,
}

impl DomainObject {
    pub(crate) fn new(definition: Arc<Domain>, persistent: bool) -> Arc<DomainObject> {
        Arc::new(DomainObject {
            name: definition.name.clone(),
            uuid: definition.uuid,
            state: Mutex::new(ObjectState {
                definition,
                persistent,
                autostart: false,
                live: None,
                state: DomainState::Shutoff,
                reason: StateReason::UNKNOWN,
                gone: false,
                job: None,
            }),
            job_over: Condvar::new(),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, ObjectState> {
        lock(&self.state)
    }

    /// As events and replies name it.
    pub fn reference(&self) -> DomainRef {
        self.reference_in(&self.lock())
    }

    pub(crate) fn reference_in(&self, state: &ObjectState) -> DomainRef {
        DomainRef { name: self.name.clone(), uuid: self.uuid, id: state.id() }
    }

    pub fn state(&self) -> (DomainState, StateReason) {
        let state = self.lock();
        (state.state, state.reason)
    }

    pub fn is_active(&self) -> bool {
        self.lock().live.is_some()
    }

    pub fn is_persistent(&self) -> bool {
        self.lock().persistent
    }

    pub fn autostart(&self) -> bool {
        self.lock().autostart
    }
}

impl ObjectState {
    /// -1 where it does not run.
    pub fn id(&self) -> i32 {
        self.live.as_ref().map_or(-1, |live| live.id)
    }

    /// The live definition of one that runs, else the only one.
    pub fn current(&self) -> &Arc<Domain> {
        self.live.as_ref().map_or(&self.definition, |live| &live.domain)
    }

    pub fn running(&self) -> Result<&Live> {
        self.live.as_ref().ok_or_else(not_running)
    }

    pub fn running_mut(&mut self) -> Result<&mut Live> {
        self.live.as_mut().ok_or_else(not_running)
    }
}

pub(crate) fn not_running() -> Error {
    Error::operation_invalid(ErrorDomain::Domain, "domain is not running")
}

impl Live {
    pub(crate) fn handles(&self) -> Running {
        let init = self.init.as_ref().map(|(pid, process)| Init { pid: *pid, process: Arc::clone(process) });
        Running { group: self.group.clone(), init }
    }
}
