//! Which capabilities a container keeps.

use conf::domain::{CapabilityPolicy, Features};
use linux::capability::Set;

/// With them a container could load code into the kernel, set its clock, make any device, silence its audit.
const DROPPED_BY_DEFAULT: [&str; 5] = ["sys_module", "sys_time", "mknod", "audit_control", "mac_admin"];

/// In a user namespace the kernel gives nothing for it, and systemd takes it as a sign that it may mount debugfs.
const NOTHING_WORTH: [&str; 1] = ["sys_rawio"];

/// The bounding set, and the inheritable one: where everything is denied but what is named, that should work for
/// init as any user.
pub fn of(features: &Features, maps_ids: bool) -> (Set, Set) {
    let start = match features.capability_policy {
        CapabilityPolicy::Allow => Set::ALL,
        CapabilityPolicy::Deny => Set::default(),
        CapabilityPolicy::Default => {
            let dropped = DROPPED_BY_DEFAULT.into_iter().chain(NOTHING_WORTH.into_iter().filter(|_| maps_ids));
            dropped.fold(Set::ALL, Set::without)
        }
    };
    let kept = features.capabilities.iter().fold(start, |set, (capability, on)| match on {
        true => set.with(capability.word()),
        false => set.without(capability.word()),
    });
    let inheritable = if features.capability_policy == CapabilityPolicy::Deny { kept } else { Set::default() };
    (kept, inheritable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use conf::domain::Capability;

    #[track_caller]
    fn check(policy: CapabilityPolicy, named: &[(Capability, bool)], kept: u64, inheritable: u64) {
        let features =
            Features { privnet: false, capability_policy: policy, capabilities: named.to_vec(), kept: Vec::new() };
        assert_eq!(of(&features, false), (Set(kept), Set(inheritable)));
    }

    #[test]
    fn with_ids_of_its_own_a_container_has_less() {
        let mut features = Features {
            privnet: false,
            capability_policy: CapabilityPolicy::Default,
            capabilities: Vec::new(),
            kept: Vec::new(),
        };
        assert_eq!(of(&features, true).0, of(&features, false).0.without("sys_rawio"));
        features.capability_policy = CapabilityPolicy::Allow;
        assert_eq!(of(&features, true).0, Set::ALL);
    }

    #[test]
    fn sets_are_as_libvirts() {
        use Capability::{Chown, Mknod, SysAdmin};
        // Recorded where the machine itself had no sys_resource (bit 24).
        check(CapabilityPolicy::Default, &[], 0x1fd_b5fe_ffff, 0);
        check(CapabilityPolicy::Default, &[(Mknod, true)], 0x1fd_bdfe_ffff, 0);
        check(CapabilityPolicy::Default, &[(SysAdmin, false)], 0x1fd_b5de_ffff, 0);
        check(CapabilityPolicy::Allow, &[], 0x1ff_ffff_ffff, 0);
        check(CapabilityPolicy::Deny, &[(Chown, true), (SysAdmin, true)], 0x20_0001, 0x20_0001);
    }
}
