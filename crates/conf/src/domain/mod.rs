//! `<domain type='lxc'>`: the model, and the way from and to documents.
//!
//! What the driver acts on has a type of its own; what it only keeps (as libvirt does) is an `Element`,
//! checked and normalised by the tables in `shape`.

mod address;
mod character;
mod complete;
mod controllers;
mod device;
mod disk_source;
mod disks;
mod extension;
mod features;
mod format;
mod format_devices;
mod general;
mod graphics;
mod hostdev;
mod ignored;
mod interface;
mod metadata;
mod netdev;
mod network;
mod os;
mod parse;
mod pinning;
mod seclabel;
mod snippet;
mod storage;
mod system;
mod tuning;

pub(crate) use address::pci_limits;
pub use device::*;
pub use general::*;
pub use interface::*;
pub use parse::dropped;
pub(crate) use parse::from_node;

use crate::element::Element;
use api::{Result, Uuid};

/// A domain's definition; with live data where it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    /// PID of the controller while it runs.
    pub id: Option<i32>,
    pub name: String,
    pub uuid: Uuid,
    pub genid: Option<Uuid>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub metadata: Option<Metadata>,
    pub memory: Memory,
    pub blkiotune: BlkioTune,
    pub memtune: MemTune,
    pub vcpu: Vcpu,
    pub cputune: CpuTune,
    pub numatune: Option<NumaTune>,
    pub partition: Option<String>,
    /// `<resource><fibrechannel appid='…'/>`
    pub fibrechannel_appid: Option<String>,
    pub os: Os,
    pub idmap: IdMap,
    pub features: Features,
    pub clock: Clock,
    pub on_poweroff: LifecycleAction,
    pub on_reboot: LifecycleAction,
    pub on_crash: LifecycleAction,
    /// Elements beside these that are only kept: memoryBacking, iothreads, sysinfo, cpu, pm, perf, …
    pub kept: Vec<Element>,
    /// Path of the controller program.
    pub emulator: Option<String>,
    pub disks: Vec<Disk>,
    pub filesystems: Vec<Filesystem>,
    pub interfaces: Vec<Interface>,
    pub consoles: Vec<Console>,
    pub hostdevs: Vec<Hostdev>,
    /// Devices that a container ignores, of every other class.
    pub other_devices: Vec<Element>,
    pub seclabels: Vec<SecLabel>,
    /// `<lxc:namespace>`
    pub shares: LxcNamespace,
    /// Our own elements.
    pub extension: Extension,
}

impl Domain {
    /// One that says nothing: no name, no init, no device, and for the rest what libvirt fills in.
    pub fn plain(uuid: Uuid) -> Domain {
        Domain {
            id: None,
            name: String::new(),
            uuid,
            genid: None,
            title: None,
            description: None,
            metadata: None,
            memory: Memory { maximum: 65_536, current: 65_536, dump_core: None },
            blkiotune: BlkioTune::default(),
            memtune: MemTune::default(),
            vcpu: Vcpu { maximum: 1, current: None, cpuset: None, placement: Placement::Static },
            cputune: CpuTune::default(),
            numatune: None,
            partition: None,
            fibrechannel_appid: None,
            os: Os::default(),
            idmap: IdMap::default(),
            features: Features {
                privnet: false,
                capability_policy: CapabilityPolicy::Default,
                capabilities: Vec::new(),
                kept: Vec::new(),
            },
            clock: Clock { offset: ClockOffset::Utc { reset: false }, timers: Vec::new() },
            on_poweroff: LifecycleAction::Destroy,
            on_reboot: LifecycleAction::Restart,
            on_crash: LifecycleAction::Destroy,
            kept: Vec::new(),
            emulator: None,
            disks: Vec::new(),
            filesystems: Vec::new(),
            interfaces: Vec::new(),
            consoles: Vec::new(),
            hostdevs: Vec::new(),
            other_devices: Vec::new(),
            seclabels: Vec::new(),
            shares: LxcNamespace::default(),
            extension: Extension::default(),
        }
    }
}

/// What parsing needs to know from outside.
pub struct Host<'a> {
    /// The machine's architecture as libvirt names it: `x86_64`.
    pub arch: &'a str,
    /// The controller that is filled in where `<emulator>` is missing.
    pub emulator: &'a str,
    /// Fills the slice with random bytes, for UUIDs and MAC addresses.
    pub random: &'a dyn Fn(&mut [u8]),
}

/// How a document is taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct ParseOptions {
    /// Refuse whatever is not known at its place.
    pub validate: bool,
    /// Keep live data (id, aliases, ports, host-side names): status files and what our own process wrote.
    pub live: bool,
}

/// A domain, and what was dropped from its document.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    pub domain: Domain,
    /// One line each: what, where, and what would be taken there.
    pub warnings: Vec<String>,
}

/// Which of a domain's forms is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatOptions {
    /// Without id and live data (`--inactive`).
    Inactive,
    /// What `dumpxml` shows of a running domain.
    Live,
    /// As `Live`, without what only holds on this host (`--migratable`).
    Migratable,
    /// As kept in a status file.
    Status,
}

/// One device of a domain, as `attach-device` and its kin name it.
#[derive(Debug, Clone, PartialEq)]
pub enum Device {
    Disk(Disk),
    Filesystem(Filesystem),
    Interface(Box<Interface>),
    Console(Console),
    Hostdev(Hostdev),
    Other(Element),
}
