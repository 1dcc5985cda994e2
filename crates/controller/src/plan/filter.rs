//! System calls that a container has no business making: those that reach the machine's own hardware, kernel or swap, or
//! whose handling in the kernel knows no namespaces. In the manner of systemd-nspawn's list and of the OCI default.

use conf::domain::{Capability, CapabilityPolicy, Domain};
use linux::capability::Set;
use linux::seccomp::{self, Refused};

const PERM: u16 = 1;
const NOSYS: u16 = 38;

/// Why a call may be allowed after all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lifted {
    Never,
    /// By the capability that it takes.
    By(&'static str),
    /// By `policy='allow'`.
    ByPolicy,
    /// By `policy='allow'`, or by naming the capability `on`.
    ByName(Capability),
    /// In a user namespace, where it has no power over the machine.
    ByIdMap,
}

/// Programs that find no such call take another way.
const CALLS: [(&str, u16, Lifted); 24] = [
    ("kexec_load", PERM, Lifted::Never),
    ("kexec_file_load", PERM, Lifted::Never),
    ("open_by_handle_at", PERM, Lifted::Never),
    ("swapon", PERM, Lifted::Never),
    ("swapoff", PERM, Lifted::Never),
    ("quotactl", PERM, Lifted::Never),
    ("quotactl_fd", PERM, Lifted::Never),
    ("lookup_dcookie", NOSYS, Lifted::Never),
    ("uselib", NOSYS, Lifted::Never),
    ("iopl", PERM, Lifted::ByName(Capability::SysRawio)),
    ("ioperm", PERM, Lifted::ByName(Capability::SysRawio)),
    ("syslog", PERM, Lifted::ByName(Capability::Syslog)),
    ("bpf", PERM, Lifted::ByPolicy),
    ("perf_event_open", PERM, Lifted::ByPolicy),
    ("userfaultfd", PERM, Lifted::ByPolicy),
    ("io_uring_setup", NOSYS, Lifted::ByPolicy),
    ("io_uring_enter", NOSYS, Lifted::ByPolicy),
    ("io_uring_register", NOSYS, Lifted::ByPolicy),
    ("init_module", PERM, Lifted::By("sys_module")),
    ("finit_module", PERM, Lifted::By("sys_module")),
    ("delete_module", PERM, Lifted::By("sys_module")),
    ("add_key", NOSYS, Lifted::ByIdMap),
    ("request_key", NOSYS, Lifted::ByIdMap),
    ("keyctl", NOSYS, Lifted::ByIdMap),
];

/// None where the document turns the filter off.
pub fn of(domain: &Domain, capabilities: Set) -> Vec<Refused> {
    if domain.extension.seccomp == Some(false) {
        return Vec::new();
    }
    let allows = domain.features.capability_policy == CapabilityPolicy::Allow;
    let is_lifted = |lifted| match lifted {
        Lifted::Never => false,
        Lifted::By(capability) => capabilities.contains(capability),
        Lifted::ByPolicy => allows,
        Lifted::ByName(capability) => allows || domain.features.capability(capability) == Some(true),
        Lifted::ByIdMap => allows || !domain.idmap.uids.is_empty(),
    };
    let refused = CALLS.iter().filter(|(_, _, lifted)| !is_lifted(*lifted));
    refused.filter_map(|(name, errno, _)| seccomp::refused(name, *errno)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;

    #[test]
    fn what_a_document_allows_is_not_refused() {
        let mut domain = sample::domain();
        let has = |domain: &Domain, capabilities, name| {
            of(domain, capabilities).contains(&seccomp::refused(name, PERM).unwrap())
        };
        assert_eq!(of(&domain, Set::default()).len(), CALLS.len());
        assert!(has(&domain, Set::default(), "init_module") && !has(&domain, Set::ALL, "init_module"));
        domain.features.capabilities = vec![(Capability::Syslog, true)];
        assert!(!has(&domain, Set::ALL, "syslog") && has(&domain, Set::ALL, "iopl") && has(&domain, Set::ALL, "bpf"));
        domain.features.capability_policy = CapabilityPolicy::Allow;
        assert!(!has(&domain, Set::ALL, "bpf") && has(&domain, Set::ALL, "kexec_load"));
        domain.extension.seccomp = Some(false);
        assert_eq!(of(&domain, Set::ALL), []);
    }
}
