//! The filter of system calls that a document leaves its container with; the rules themselves are in `linux::seccomp`.

use conf::domain::{CapabilityPolicy, Domain};
use linux::capability::Set;
use linux::seccomp::{Filter, Machine};

/// None where the document turns the filter off.
pub fn of(domain: &Domain) -> Option<Filter> {
    if domain.extension.seccomp == Some(false) {
        return None;
    }
    Some(Filter::new(Machine::HERE, granted(domain), !domain.idmap.uids.is_empty()))
}

/// What the document gives on purpose, by the policy "allow" or by name. The power to open any file of a file system
/// goes by name alone: policy "allow" is for containers that rule their own tree, not the machine's.
fn granted(domain: &Domain) -> Set {
    let allowed = match domain.features.capability_policy {
        CapabilityPolicy::Allow => Set::ALL.without("dac_read_search"),
        CapabilityPolicy::Default | CapabilityPolicy::Deny => Set::default(),
    };
    domain.features.capabilities.iter().fold(allowed, |set, (capability, on)| match on {
        true => set.with(capability.word()),
        false => set.without(capability.word()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;
    use conf::domain::Capability;

    #[test]
    fn what_a_document_allows_is_not_refused() {
        let mut domain = sample::domain();
        domain.features.capability_policy = CapabilityPolicy::Default;
        domain.features.capabilities = Vec::new();
        assert_eq!(granted(&domain), Set::default());
        domain.features.capabilities = vec![(Capability::Syslog, true), (Capability::Mknod, false)];
        assert_eq!(granted(&domain), Set::default().with("syslog"));
        domain.features.capability_policy = CapabilityPolicy::Allow;
        let all = granted(&domain);
        assert!(all.contains("sys_admin") && !all.contains("dac_read_search") && !all.contains("mknod"));
        domain.features.capabilities = vec![(Capability::DacReadSearch, true)];
        assert!(granted(&domain).contains("dac_read_search"));
        assert!(of(&domain).is_some());
        domain.extension.seccomp = Some(false);
        assert!(of(&domain).is_none());
    }
}
