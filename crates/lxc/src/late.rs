//! Control groups of containers that have ended while some of their processes have not, and what still confines these.

use crate::driver::{Driver, lock};
use api::Uuid;
use conf::domain::Domain;
use linux::cgroup::Group;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread::Builder;

/// Of each domain, the groups that a thread waits for.
#[derive(Default)]
pub(crate) struct LateGroups(Mutex<BTreeMap<Uuid, Vec<Group>>>);

impl LateGroups {
    pub fn has(&self, domain: &Uuid) -> bool {
        lock(&self.0).contains_key(domain)
    }

    /// True where a thread is needed.
    fn add(&self, domain: Uuid, group: Group) -> bool {
        let mut all = lock(&self.0);
        let groups = all.entry(domain).or_default();
        groups.push(group);
        groups.len() == 1
    }

    /// The one to wait for next.
    fn first(&self, domain: &Uuid) -> Option<Group> {
        lock(&self.0).get(domain)?.first().cloned()
    }

    /// The first has gone, or is behind the others now. False where it was the last.
    fn next(&self, domain: &Uuid, has_gone: bool) -> bool {
        let mut all = lock(&self.0);
        let Some(groups) = all.get_mut(domain) else { return false };
        match has_gone {
            true => drop(groups.remove(0)),
            false => groups.rotate_left(1),
        }
        let more = !groups.is_empty();
        if !more {
            all.remove(domain);
        }
        more
    }
}

impl Driver {
    /// Once those in it have ended. Who waits in the kernel for something that does not come cannot be killed, and nobody waits
    /// for it but a thread, one for each domain.
    pub(crate) fn remove_later(self: &Arc<Self>, domain: &Domain, group: Group) {
        if !self.late.add(domain.uuid, group) {
            return;
        }
        let (driver, ended) = (Arc::clone(self), domain.clone());
        if let Err(error) = Builder::new().name("late-end".into()).spawn(move || driver.wait_for_late(&ended)) {
            tracing::warn!("domain '{}': a group is left behind: {error}", domain.name);
            // Its profile stays, too.
            self.late.next(&domain.uuid, true);
        }
    }

    fn wait_for_late(self: &Arc<Self>, domain: &Domain) {
        while let Some(group) = self.late.first(&domain.uuid) {
            let is_inhabited = group.processes().is_ok_and(|left| !left.is_empty());
            let has_gone = group.remove().is_ok() || !is_inhabited;
            if !self.late.next(&domain.uuid, has_gone) {
                break;
            }
        }
        // Another container of the domain's has the same profile.
        let object = self.domains().by_uuid(&domain.uuid).cloned();
        let _job = match object.as_ref().map(|object| object.begin("late end")) {
            Some(Err(error)) if error.code != api::Code::NoDomain => {
                return tracing::warn!("domain '{}': its profile stays: {error}", domain.name);
            }
            job => job,
        };
        if object.is_none_or(|object| object.lock().live.is_none()) {
            self.unload_profile(domain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linux::cgroup::{Hierarchies, Place};

    #[test]
    fn one_thread_for_each_domain() {
        let group = |id| {
            let place = Place { partition: "/machine".into(), id, domain: "box".into() };
            Group::named(&Hierarchies::detect(std::path::Path::new("/proc")).unwrap(), &place)
        };
        let late = LateGroups::default();
        let [one, other] = [[1; 16], [2; 16]].map(Uuid);
        assert!(late.add(one, group(1)) && !late.add(one, group(2)) && late.add(other, group(3)));
        assert!(late.has(&one) && late.next(&one, false));
        assert!(late.next(&one, true) && !late.next(&one, true));
        assert!(!late.has(&one) && late.first(&one).is_none() && late.has(&other));
        assert!(late.add(one, group(4)));
    }
}
