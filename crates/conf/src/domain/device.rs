//! Devices: file systems, disks, consoles, host devices.

use super::{InterfaceAddress, Route};
use crate::element::Element;
use crate::words::words;

/// What stands in the container's tree at `target`.
#[derive(Debug, Clone, PartialEq)]
pub struct Filesystem {
    pub source: FilesystemSource,
    pub target: String,
    pub read_only: bool,
    pub access_mode: Option<AccessMode>,
    pub driver: Option<FilesystemDriver>,
    pub file_mode: Option<u32>,
    pub directory_mode: Option<u32>,
    pub model: Option<String>,
    pub multidevs: Option<String>,
    /// In bytes; 0: none.
    pub space_hard_limit: u64,
    pub space_soft_limit: u64,
    /// `<virtlxc:mount options='…'/>`: our own.
    pub mount: Option<MountOptions>,
    /// `binary`, `boot`, `address`, …: kept.
    pub kept: Vec<Element>,
}

impl Filesystem {
    /// Nothing asked of it beyond what it is and where.
    pub fn new(source: FilesystemSource, target: impl Into<String>) -> Filesystem {
        Filesystem {
            source,
            target: target.into(),
            read_only: false,
            access_mode: None,
            driver: None,
            file_mode: None,
            directory_mode: None,
            model: None,
            multidevs: None,
            space_hard_limit: 0,
            space_soft_limit: 0,
            mount: None,
            kept: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesystemSource {
    Mount {
        dir: String,
    },
    /// A virtiofs socket in place of a directory.
    MountSocket {
        socket: String,
    },
    Block {
        dev: String,
    },
    File {
        file: String,
    },
    Template {
        name: String,
    },
    /// `usage` in KiB.
    Ram {
        usage: u64,
    },
    Bind {
        dir: String,
    },
    Volume {
        pool: String,
        volume: String,
    },
}

impl FilesystemSource {
    /// The word of `<filesystem type='…'>`.
    pub fn kind(&self) -> &'static str {
        match self {
            FilesystemSource::Mount { .. } | FilesystemSource::MountSocket { .. } => "mount",
            FilesystemSource::Block { .. } => "block",
            FilesystemSource::File { .. } => "file",
            FilesystemSource::Template { .. } => "template",
            FilesystemSource::Ram { .. } => "ram",
            FilesystemSource::Bind { .. } => "bind",
            FilesystemSource::Volume { .. } => "volume",
        }
    }
}

words! {
    AccessMode { Passthrough = "passthrough", Mapped = "mapped", Squash = "squash", }
}

/// `<driver>` of a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesystemDriver {
    pub kind: FilesystemDriverKind,
    /// `raw`, `qcow2`, …
    pub format: Option<String>,
    /// `immediate`
    pub write_policy: Option<String>,
    /// Options of virtual machines, kept.
    pub kept: Vec<(String, String)>,
}

words! {
    FilesystemDriverKind {
        Path = "path",
        Handle = "handle",
        Loop = "loop",
        Nbd = "nbd",
        Ploop = "ploop",
        Virtiofs = "virtiofs",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MountOptions {
    /// As mount(8) takes them, separated by commas.
    pub options: Option<String>,
    /// Shift the owners of files by the container's idmap.
    pub idmap: Option<bool>,
}

/// A console. Only `kind == "pty"` can be started.
#[derive(Debug, Clone, PartialEq)]
pub struct Console {
    /// `pty`, `file`, `tcp`, …
    pub kind: String,
    /// `lxc`, or what the document asked for.
    pub target_kind: String,
    /// Counted from 0 in the order of consoles.
    pub port: u32,
    /// The host's end while it runs: of the first console alone.
    pub tty: Option<String>,
    /// The host's end while it runs (`/dev/pts/3`); for kinds with a path in the document, that.
    pub source_path: Option<String>,
    /// `console0`, while it runs.
    pub alias: Option<String>,
    /// `source` of kinds that have more than a path, `protocol`, `log`, `address`, …: kept.
    pub kept: Vec<Element>,
}

impl Console {
    /// `<log file='…' append='…'/>`: where its output goes as well.
    pub fn log(&self) -> Option<&Element> {
        self.kept.iter().find(|element| element.name == "log")
    }
}

/// A device of the machine for the container.
#[derive(Debug, Clone, PartialEq)]
pub struct Hostdev {
    pub source: HostdevSource,
    pub managed: bool,
    /// `alias`, `boot`, `rom`, `address`, …: kept.
    pub kept: Vec<Element>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum HostdevSource {
    /// Mode `capabilities`, type `storage`: a block device.
    Storage {
        block: String,
    },
    /// Mode `capabilities`, type `misc`: a character device.
    Misc {
        char: String,
    },
    /// Mode `capabilities`, type `net`: an interface that moves into the container, and what is set on it there.
    Net {
        interface: String,
        ips: Vec<InterfaceAddress>,
        routes: Vec<Route>,
    },
    Usb(UsbSource),
    /// Mode `subsystem`, any other type: its `<hostdev>` as a whole, kept.
    Other(Element),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsbSource {
    pub vendor: u32,
    pub product: u32,
    pub bus: u32,
    pub device: u32,
    /// `startupPolicy` and what else `<source>` says, kept.
    pub startup_policy: Option<String>,
    pub guest_reset: Option<String>,
}

/// A block device, or an image that looks like one, as `/dev/TARGET` in the container. Kept as a whole, since
/// libvirt keeps everything that a virtual machine's disk may have.
#[derive(Debug, Clone, PartialEq)]
pub struct Disk {
    pub element: Element,
}

impl Disk {
    /// `block`, `file`, …
    pub fn kind(&self) -> &str {
        self.element.attr("type").unwrap_or_default()
    }

    /// The device or file behind it.
    pub fn source_path(&self) -> Option<&str> {
        let source = self.element.child("source")?;
        source.attr("dev").or_else(|| source.attr("file")).or_else(|| source.attr("dir"))
    }

    /// `sda`: its name in the container's `/dev`.
    pub fn target(&self) -> &str {
        self.element.child("target").and_then(|t| t.attr("dev")).unwrap_or_default()
    }

    pub fn read_only(&self) -> bool {
        self.element.child("readonly").is_some()
    }

    /// An attribute of `<driver>`: `name`, `type`, `cache`, …
    pub fn driver(&self, attribute: &str) -> Option<&str> {
        self.element.child("driver").and_then(|d| d.attr(attribute))
    }
}
