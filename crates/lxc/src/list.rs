//! The driver's domains: found by name, UUID or id, listed by kind.

use crate::driver::Driver;
use crate::object::{DomainObject, ObjectState};
use api::{DomainState, Error, Result, Uuid};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// All domains, by UUID and by name.
#[derive(Default)]
pub struct Domains {
    by_uuid: HashMap<Uuid, Arc<DomainObject>>,
    by_name: BTreeMap<String, Arc<DomainObject>>,
}

impl Domains {
    pub fn insert(&mut self, object: &Arc<DomainObject>) {
        self.by_uuid.insert(object.uuid, Arc::clone(object));
        self.by_name.insert(object.name.clone(), Arc::clone(object));
    }

    /// Takes it out, unless another has its place already.
    pub fn remove(&mut self, object: &Arc<DomainObject>) {
        if self.by_uuid.get(&object.uuid).is_some_and(|there| Arc::ptr_eq(there, object)) {
            self.by_uuid.remove(&object.uuid);
            self.by_name.remove(&object.name);
        }
    }

    pub fn by_uuid(&self, uuid: &Uuid) -> Option<&Arc<DomainObject>> {
        self.by_uuid.get(uuid)
    }

    pub fn by_name(&self, name: &str) -> Option<&Arc<DomainObject>> {
        self.by_name.get(name)
    }
}

/// Which domains a list holds: the bits of `virConnectListAllDomainsFlags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListFilter(pub u32);

impl ListFilter {
    pub const ACTIVE: u32 = 1 << 0;
    pub const INACTIVE: u32 = 1 << 1;
    const PERSISTENT: u32 = 1 << 2;
    const TRANSIENT: u32 = 1 << 3;
    const RUNNING: u32 = 1 << 4;
    const PAUSED: u32 = 1 << 5;
    const SHUTOFF: u32 = 1 << 6;
    const OTHER: u32 = 1 << 7;
    const MANAGED_SAVE: u32 = 1 << 8;
    const NO_MANAGED_SAVE: u32 = 1 << 9;
    const AUTOSTART: u32 = 1 << 10;
    const NO_AUTOSTART: u32 = 1 << 11;
    const HAS_SNAPSHOT: u32 = 1 << 12;
    const NO_SNAPSHOT: u32 = 1 << 13;
    const HAS_CHECKPOINT: u32 = 1 << 14;
    const NO_CHECKPOINT: u32 = 1 << 15;

    /// Every bit that libvirt's LXC driver takes.
    pub const KNOWN: u32 = (1 << 16) - 1;

    /// Of each group of bits that is asked for at all, one must fit.
    fn takes(self, state: &ObjectState) -> bool {
        let active = state.live.is_some();
        let groups = [
            (Self::ACTIVE | Self::INACTIVE, if active { Self::ACTIVE } else { Self::INACTIVE }),
            (Self::PERSISTENT | Self::TRANSIENT, if state.persistent { Self::PERSISTENT } else { Self::TRANSIENT }),
            (
                Self::RUNNING | Self::PAUSED | Self::SHUTOFF | Self::OTHER,
                match state.state {
                    DomainState::Running => Self::RUNNING,
                    DomainState::Paused => Self::PAUSED,
                    DomainState::Shutoff => Self::SHUTOFF,
                    _ => Self::OTHER,
                },
            ),
            (Self::MANAGED_SAVE | Self::NO_MANAGED_SAVE, Self::NO_MANAGED_SAVE),
            (Self::AUTOSTART | Self::NO_AUTOSTART, if state.autostart { Self::AUTOSTART } else { Self::NO_AUTOSTART }),
            (Self::HAS_SNAPSHOT | Self::NO_SNAPSHOT, Self::NO_SNAPSHOT),
            (Self::HAS_CHECKPOINT | Self::NO_CHECKPOINT, Self::NO_CHECKPOINT),
        ];
        groups.iter().all(|(group, mine)| self.0 & group == 0 || self.0 & mine != 0)
    }
}

impl Driver {
    /// The domain of a client's handle: its UUID decides, its name is only for the error.
    pub fn domain(&self, uuid: &Uuid, name: &str) -> Result<Arc<DomainObject>> {
        self.domains().by_uuid(uuid).cloned().ok_or_else(|| Error::no_domain_uuid(uuid, Some(name)))
    }

    pub fn lookup_by_uuid(&self, uuid: &Uuid) -> Result<Arc<DomainObject>> {
        self.domains().by_uuid(uuid).cloned().ok_or_else(|| Error::no_domain_uuid(uuid, None))
    }

    pub fn lookup_by_name(&self, name: &str) -> Result<Arc<DomainObject>> {
        self.domains().by_name(name).cloned().ok_or_else(|| Error::no_domain_name(name))
    }

    pub fn lookup_by_id(&self, id: i32) -> Result<Arc<DomainObject>> {
        let all = self.all();
        let found = all.iter().find(|object| object.lock().live.as_ref().is_some_and(|live| live.id == id));
        found.cloned().ok_or_else(|| Error::no_domain_id(id))
    }

    /// Every domain, in the order of names.
    pub fn all(&self) -> Vec<Arc<DomainObject>> {
        self.domains().by_name.values().cloned().collect()
    }

    pub fn list(&self, filter: ListFilter) -> Vec<Arc<DomainObject>> {
        self.all().into_iter().filter(|object| filter.takes(&object.lock())).collect()
    }

    /// Takes a domain out: nobody will find it again.
    pub(crate) fn forget(&self, object: &Arc<DomainObject>) {
        self.domains().remove(object);
        object.lock().gone = true;
        object.job_over.notify_all();
    }
}

impl DomainObject {
    /// Whether a list with this filter would hold it.
    pub fn is_in(&self, filter: ListFilter) -> bool {
        filter.takes(&self.lock())
    }

    /// An error where it does not run.
    pub fn require_active(&self) -> Result<()> {
        self.lock().running().map(drop)
    }
}
