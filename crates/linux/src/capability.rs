//! Capabilities (capabilities(7)): sets of them as words of 64 bits, and the sets of this process.

use std::io;

/// Names without `cap_`, in the order of their numbers.
pub const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// A set of capabilities: bit N is the capability of number N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Set(pub u64);

impl Set {
    pub const ALL: Set = Set((1 << NAMES.len()) - 1);

    pub fn with(self, name: &str) -> Set {
        Set(self.0 | bit(name))
    }

    pub fn without(self, name: &str) -> Set {
        Set(self.0 & !bit(name))
    }

    pub fn contains(self, name: &str) -> bool {
        bit(name) != 0 && self.0 & bit(name) != 0
    }
}

/// No bit at all for a name that is not one.
fn bit(name: &str) -> u64 {
    NAMES.iter().position(|known| *known == name).map_or(0, |number| 1 << number)
}

/// Takes every capability that is not in the set out of the bounding set, for good; those the kernel does not know are
/// passed over.
pub fn limit_bounding(keep: Set) -> io::Result<()> {
    for number in 0..64 {
        if keep.0 & 1 << number != 0 {
            continue;
        }
        // SAFETY: the call takes numbers.
        match unsafe { libc::prctl(libc::PR_CAPBSET_DROP, number as libc::c_ulong, 0, 0, 0) } {
            0 => {}
            _ => match io::Error::last_os_error() {
                error if error.raw_os_error() == Some(libc::EINVAL) => break,
                error => return Err(error),
            },
        }
    }
    Ok(())
}

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Word {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Version 3 of the interface: two words.
const VERSION: u32 = 0x2008_0522;

/// Sets the effective and permitted set of this thread to what is in `keep` of the permitted one, and the inheritable set.
pub fn set(keep: Set, inheritable: Set) -> io::Result<()> {
    let mut words = [Word::default(); 2];
    let mut header = Header { version: VERSION, pid: 0 };
    // SAFETY: the header says that two words follow, and two are there.
    check(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, words.as_mut_ptr()) })?;
    for (word, shift) in words.iter_mut().zip([0, 32]) {
        word.permitted &= (keep.0 >> shift) as u32;
        word.effective = word.permitted;
        word.inheritable = (inheritable.0 >> shift) as u32 & word.permitted;
    }
    // SAFETY: as above.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, words.as_ptr()) })
}

fn check(result: libc::c_long) -> io::Result<()> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bits() {
        assert_eq!(Set::default().with("chown").with("sys_admin"), Set(0x20_0001));
        assert_eq!(Set::ALL, Set(0x1ff_ffff_ffff));
        assert!(!Set::ALL.without("mknod").contains("mknod") && Set::ALL.contains("checkpoint_restore"));
        assert_eq!(Set::default().with("no_such"), Set(0));
    }
}
