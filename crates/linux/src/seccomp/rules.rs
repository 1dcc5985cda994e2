//! What a container is refused, why, and which granted capability takes the refusal back.
//!
//! Everything not named here is allowed: the kernel's own checks decide. Named are calls that reach what no namespace
//! divides, and those whose flaws have been the way out of containers while hardly a program in one needs them.

/// One system call: its name, and its numbers on x86-64, i386 and 64-bit ARM; -1 where there is none.
pub(super) struct Call(
    #[cfg_attr(not(test), expect(dead_code, reason = "for people, and tests"))] pub &'static str,
    pub i32,
    pub i32,
    pub i32,
);

pub(super) struct Rule {
    /// Any of these capabilities, granted by name, lifts the rule; where there is none nothing does.
    pub unless: &'static [&'static str],
    /// It does not hold in a user namespace of the container's own, where the kernel keeps it apart.
    pub unless_mapped: bool,
    pub errno: i32,
    /// Without a condition every such call is refused.
    pub when: When,
    pub calls: &'static [Call],
}

/// A condition on arguments, counted from 0. Only the lower 32 bits are looked at, as the kernel itself does for these.
#[derive(Clone, Copy)]
pub(super) enum When {
    Always,
    Equals(u32, &'static [u32]),
    /// Argument 0 is the first number and argument 2 the second.
    BothEqual(u32, u32),
    AnyBit(u32, u32),
}

const IOCTL: &[Call] = &[Call("ioctl", 16, 54, 29)];
// Old programs for i386 make sockets by socketcall(2), whose arguments a filter cannot see.
const SOCKET: &[Call] = &[Call("socket", 41, 359, 198)];

const AF_NETLINK: u32 = libc::AF_NETLINK as u32;
const NETLINK_AUDIT: u32 = 9;

pub(super) const RULES: &[Rule] = &[
    // Another kernel for the whole machine. CAP_SYS_BOOT, which lets a container reboot itself, would be enough for it.
    Rule {
        unless: &[],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Always,
        calls: &[Call("kexec_load", 246, 283, 104), Call("kexec_file_load", 320, -1, 294)],
    },
    // Code in the kernel.
    Rule {
        unless: &["sys_module"],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Always,
        calls: &[
            Call("init_module", 175, 128, 105),
            Call("finit_module", 313, 350, 273),
            Call("delete_module", 176, 129, 106),
        ],
    },
    // Any file of a file system by its number, also above the container's root (the escape known as Shocker).
    Rule {
        unless: &["dac_read_search"],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Always,
        calls: &[Call("open_by_handle_at", 304, 342, 265)],
    },
    // Keys belong to users, not to containers, unless those have users of their own. "Not there" is what runc, crun and systemd get along with.
    Rule {
        unless: &["sys_admin"],
        unless_mapped: true,
        errno: libc::ENOSYS,
        when: When::Always,
        calls: &[Call("add_key", 248, 286, 217), Call("request_key", 249, 287, 218), Call("keyctl", 250, 288, 219)],
    },
    // Programs in the kernel read all of its memory, and their verifier is a steady source of flaws.
    Rule {
        unless: &["bpf", "sys_admin"],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Always,
        calls: &[Call("bpf", 321, 357, 280)],
    },
    // Counters and trace points of the whole machine.
    Rule {
        unless: &["perfmon", "sys_admin"],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Always,
        calls: &[Call("perf_event_open", 298, 336, 241)],
    },
    // Stops the kernel in the middle of a copy for as long as one likes: half of many an exploit.
    Rule {
        unless: &["sys_ptrace"],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Always,
        calls: &[Call("userfaultfd", 323, 374, 282)],
    },
    // New code with a long list of flaws, and a way around filters; callers fall back to the ordinary calls.
    Rule {
        unless: &["sys_admin"],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Always,
        calls: &[
            Call("io_uring_setup", 425, 425, 425),
            Call("io_uring_enter", 426, 426, 426),
            Call("io_uring_register", 427, 427, 427),
        ],
    },
    // The ports of the machine's hardware.
    Rule {
        unless: &["sys_rawio"],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Always,
        calls: &[Call("iopl", 172, 110, -1), Call("ioperm", 173, 101, -1)],
    },
    // Swap, and disk quotas: of the machine. Watches on a whole file system hand out files outside the container's root.
    Rule {
        unless: &["sys_admin"],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Always,
        calls: &[
            Call("swapon", 167, 87, 224),
            Call("swapoff", 168, 115, 225),
            Call("quotactl", 179, 131, 60),
            Call("quotactl_fd", 443, 443, 443),
            Call("fanotify_init", 300, 338, 262),
        ],
    },
    // Writes a record of every process that ends to a file of the caller's choice.
    Rule {
        unless: &["sys_pacct"],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Always,
        calls: &[Call("acct", 163, 51, 89)],
    },
    // The machine's clock. Calls that may merely read it (adjtimex) are left to the kernel's own check.
    Rule {
        unless: &["sys_time"],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Always,
        calls: &[
            Call("settimeofday", 164, 79, 170),
            Call("clock_settime", 227, 264, 112),
            Call("clock_settime64", -1, 404, -1),
            Call("stime", -1, 25, -1),
        ],
    },
    // The log of the machine's kernel: addresses, and what happens in other containers; it can also be emptied.
    Rule {
        unless: &["syslog"],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Always,
        calls: &[Call("syslog", 103, 103, 116)],
    },
    // Taken out of the kernel, or about to be: nothing but risk where it still has them.
    Rule {
        unless: &[],
        unless_mapped: false,
        errno: libc::ENOSYS,
        when: When::Always,
        calls: &[
            Call("lookup_dcookie", 212, 253, 18),
            Call("nfsservctl", 180, 169, 42),
            Call("uselib", 134, 86, -1),
            Call("_sysctl", 156, 149, -1),
            Call("vm86", -1, 166, -1),
            Call("vm86old", -1, 113, -1),
        ],
    },
    // With force the file system itself is cut off, for every container and the host that have it mounted.
    Rule {
        unless: &[],
        unless_mapped: false,
        errno: libc::EACCES,
        when: When::AnyBit(1, libc::MNT_FORCE as u32),
        calls: &[Call("umount2", 166, 52, 39)],
    },
    // Types text into the terminal that someone outside entered the container from: TIOCSTI, TIOCLINUX.
    Rule {
        unless: &[],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Equals(1, &[0x5412, 0x541c]),
        calls: IOCTL,
    },
    // Halts a file system that is the host's as well: FIFREEZE, and the shutdown of ext4, xfs, f2fs.
    Rule {
        unless: &[],
        unless_mapped: false,
        errno: libc::EPERM,
        when: When::Equals(1, &[0xc004_5877, 0x8004_587d]),
        calls: IOCTL,
    },
    // The hypervisor below the machine, and the kernel's ciphers with their flaws: not divided by network namespaces.
    // The audit log is the machine's; login programs give up on a refusal, and go on where there is none.
    Rule {
        unless: &[],
        unless_mapped: false,
        errno: libc::EAFNOSUPPORT,
        when: When::Equals(0, &[libc::AF_VSOCK as u32, libc::AF_ALG as u32]),
        calls: SOCKET,
    },
    Rule {
        unless: &["audit_control", "audit_read"],
        unless_mapped: false,
        errno: libc::EAFNOSUPPORT,
        when: When::BothEqual(AF_NETLINK, NETLINK_AUDIT),
        calls: SOCKET,
    },
];
