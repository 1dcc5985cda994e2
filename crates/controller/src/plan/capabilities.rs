//! Which capabilities a container keeps.

use conf::domain::{CapabilityPolicy, Features};
use linux::capability::Set;

/// With them a container could load code into the kernel, set its clock, make any device, silence its audit.
const DROPPED_BY_DEFAULT: [&str; 5] = ["sys_module", "sys_time", "mknod", "audit_control", "mac_admin"];

/// The bounding set, and the inheritable one: where everything is denied but what is named, that should work for
/// init as any user.
pub fn of(features: &Features) -> (Set, Set) {
    let start = match features.capability_policy {
        CapabilityPolicy::Allow => Set::ALL,
        CapabilityPolicy::Deny => Set::default(),
        CapabilityPolicy::Default => DROPPED_BY_DEFAULT.into_iter().fold(Set::ALL, Set::without),
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
        assert_eq!(of(&features), (Set(kept), Set(inheritable)));
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
