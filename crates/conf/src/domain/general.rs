//! The parts of a domain that are not devices.

use crate::cpuset::CpuSet;
use crate::element::Element;
use crate::words::words;

/// `<metadata>`: what others keep there, as the XML library writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Namespace declarations and attributes of `<metadata>` itself, as written (` a="b"`).
    pub attributes: String,
    pub entries: Vec<MetadataEntry>,
}

/// One child of `<metadata>`; there is at most one for each namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataEntry {
    pub uri: String,
    /// The whole element, ready to be written.
    pub xml: String,
}

/// In KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    pub maximum: u64,
    pub current: u64,
    pub dump_core: Option<bool>,
}

/// Limits in KiB; `None`: unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemTune {
    pub hard_limit: Option<u64>,
    pub soft_limit: Option<u64>,
    pub min_guarantee: Option<u64>,
    pub swap_hard_limit: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlkioTune {
    /// 0: unset.
    pub weight: u32,
    pub devices: Vec<BlkioDevice>,
}

/// Limits of one block device; 0: unset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlkioDevice {
    pub path: String,
    pub weight: u32,
    pub read_iops: u32,
    pub write_iops: u32,
    pub read_bytes: u64,
    pub write_bytes: u64,
}

words! {
    /// Who chooses CPUs or nodes.
    Placement { Static = "static", Auto = "auto", }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vcpu {
    pub maximum: u32,
    /// Where it is less than `maximum`.
    pub current: Option<u32>,
    pub cpuset: Option<CpuSet>,
    pub placement: Placement,
}

/// `<cputune>`. Periods and quotas in microseconds; a quota below 0 is unlimited.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuTune {
    pub shares: Option<u64>,
    pub period: Option<u64>,
    pub quota: Option<i64>,
    /// Everything else in it, normalised and in order.
    pub kept: Vec<Element>,
}

words! {
    NumaMode { Strict = "strict", Preferred = "preferred", Interleave = "interleave", Restrictive = "restrictive", }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumaTune {
    /// `<memory>`
    pub memory: Option<NumaMemory>,
    /// `<memnode>` elements, kept.
    pub nodes: Vec<Element>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumaMemory {
    pub mode: NumaMode,
    pub placement: Placement,
    pub nodeset: Option<CpuSet>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Os {
    pub arch: String,
    pub machine: Option<String>,
    pub init: String,
    pub init_args: Vec<String>,
    pub init_env: Vec<(String, String)>,
    pub init_dir: Option<String>,
    pub init_user: Option<String>,
    pub init_group: Option<String>,
    pub cmdline: Option<String>,
    /// `<smbios mode='…'/>`, kept.
    pub smbios: Option<String>,
}

/// Sorted by `start`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdMap {
    pub uids: Vec<IdMapEntry>,
    pub gids: Vec<IdMapEntry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdMapEntry {
    pub start: u32,
    pub target: u32,
    pub count: u32,
}

words! {
    /// What happens to a capability that is not named.
    CapabilityPolicy {
        /// Dropped are those that would let the container out.
        Default = "default",
        /// All are kept.
        Allow = "allow",
        /// All are dropped.
        Deny = "deny",
    }
}

words! {
    /// Capabilities as documents name them, in the order they are written.
    Capability {
        AuditControl = "audit_control",
        AuditWrite = "audit_write",
        BlockSuspend = "block_suspend",
        Chown = "chown",
        DacOverride = "dac_override",
        DacReadSearch = "dac_read_search",
        Fowner = "fowner",
        Fsetid = "fsetid",
        IpcLock = "ipc_lock",
        IpcOwner = "ipc_owner",
        Kill = "kill",
        Lease = "lease",
        LinuxImmutable = "linux_immutable",
        MacAdmin = "mac_admin",
        MacOverride = "mac_override",
        Mknod = "mknod",
        NetAdmin = "net_admin",
        NetBindService = "net_bind_service",
        NetBroadcast = "net_broadcast",
        NetRaw = "net_raw",
        Setgid = "setgid",
        Setfcap = "setfcap",
        Setpcap = "setpcap",
        Setuid = "setuid",
        SysAdmin = "sys_admin",
        SysBoot = "sys_boot",
        SysChroot = "sys_chroot",
        SysModule = "sys_module",
        SysNice = "sys_nice",
        SysPacct = "sys_pacct",
        SysPtrace = "sys_ptrace",
        SysRawio = "sys_rawio",
        SysResource = "sys_resource",
        SysTime = "sys_time",
        SysTtyConfig = "sys_tty_config",
        Syslog = "syslog",
        WakeAlarm = "wake_alarm",
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// A network namespace of its own even without interfaces.
    pub privnet: bool,
    pub capability_policy: CapabilityPolicy,
    /// Sorted by capability: whether it is kept (`on`) or dropped (`off`).
    pub capabilities: Vec<(Capability, bool)>,
    /// Features of real machines, kept in the order they are written.
    pub kept: Vec<Element>,
}

impl Features {
    pub fn capability(&self, capability: Capability) -> Option<bool> {
        self.capabilities.iter().find(|(c, _)| *c == capability).map(|(_, on)| *on)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    pub offset: ClockOffset,
    pub timers: Vec<Timer>,
}

words! {
    ClockBasis { Utc = "utc", Localtime = "localtime", }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockOffset {
    /// With `adjustment='reset'` where set.
    Utc {
        reset: bool,
    },
    Localtime {
        reset: bool,
    },
    Variable {
        adjustment: i64,
        basis: ClockBasis,
    },
    Timezone(String),
    Absolute(u64),
}

/// `<timer>`, kept as a whole; the driver looks at name and presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    pub element: Element,
}

impl Timer {
    pub fn name(&self) -> &str {
        self.element.attr("name").unwrap_or_default()
    }

    pub fn present(&self) -> bool {
        self.element.attr("present") != Some("no")
    }
}

words! {
    /// What a change of life has as its consequence.
    LifecycleAction {
        Destroy = "destroy",
        Restart = "restart",
        RenameRestart = "rename-restart",
        Preserve = "preserve",
        CoredumpDestroy = "coredump-destroy",
        CoredumpRestart = "coredump-restart",
    }
}

words! {
    SecLabelKind { Dynamic = "dynamic", Static = "static", None = "none", }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecLabel {
    pub kind: SecLabelKind,
    pub model: String,
    pub relabel: bool,
    pub label: Option<String>,
    /// The label of the container's files, while it runs.
    pub image_label: Option<String>,
    pub base_label: Option<String>,
}

words! {
    /// Where a shared namespace comes from.
    ShareSource { Name = "name", Pid = "pid", Netns = "netns", }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub source: ShareSource,
    pub value: String,
}

/// `<lxc:namespace>`: namespaces that the container shares with another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LxcNamespace {
    /// The element stands in the document, empty perhaps.
    pub present: bool,
    pub sharenet: Option<Share>,
    pub shareipc: Option<Share>,
    pub shareuts: Option<Share>,
}

/// Our own elements, in the namespace `urn:virtlxc:domain:1.0`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extension {
    /// Choose a free range of ids of this size for `<idmap>`.
    pub automatic_idmap: Option<u32>,
    /// `None`: as the daemon is set.
    pub seccomp: Option<bool>,
    pub masked_paths: Option<bool>,
    pub rlimits: Vec<Rlimit>,
    pub sysctls: Vec<(String, String)>,
    pub pids_limit: Option<u64>,
    pub autostart: Option<Autostart>,
    pub forwards: Vec<Forward>,
}

/// `None`: unlimited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rlimit {
    pub name: String,
    pub soft: Option<u64>,
    pub hard: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Autostart {
    /// Lower starts earlier.
    pub order: u32,
    /// Seconds to wait after its start before the next.
    pub delay: u32,
}

/// A port of the host that leads to one of the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    pub protocol: ForwardProtocol,
    pub host_address: Option<std::net::IpAddr>,
    pub host_port: u16,
    pub port: u16,
}

words! {
    ForwardProtocol { Tcp = "tcp", Udp = "udp", }
}
