//! Devices of the machine: found, named and described as libvirt does with udev's help. All is read from /sys, and from what
//! udevd has written down of it where that runs, at each question: nothing is kept, nothing runs beside.
#![forbid(unsafe_code)]

mod describe;
mod facts;
mod pci;
mod storage;
mod watch;

pub use describe::link_of;
pub use watch::Watch;

use api::{Paths, Uuid};
use conf::nodedev::{Kind, PciAddress};
use facts::{Facts, attribute, entries};
use std::fs;
use std::path::{Path, PathBuf};

/// Where devices are looked for.
#[derive(Debug, Clone)]
pub struct Machine {
    sys: PathBuf,
    /// udevd's, `/run/udev`.
    udev: PathBuf,
    /// Of data that programs share, `/usr/share`.
    share: PathBuf,
    uuid: Uuid,
}

/// A device that is there.
#[derive(Debug, Clone)]
pub struct Device {
    pub name: String,
    pub kind: Kind,
    /// In /sys, free of links.
    folder: PathBuf,
    facts: Facts,
}

/// What stands for the machine itself, the parent of all that has no other.
const COMPUTER: &str = "computer";

/// Subsystems whose devices are shown, and the folder in /sys that has a link to each.
const SUBSYSTEMS: &[(&str, &str)] = &[
    ("pci", "bus/pci/devices"),
    ("usb", "bus/usb/devices"),
    ("scsi", "bus/scsi/devices"),
    ("scsi_generic", "class/scsi_generic"),
    ("block", "class/block"),
    ("net", "class/net"),
    ("drm", "class/drm"),
];

impl Machine {
    /// `uuid` is the machine's own.
    pub fn new(paths: &Paths, uuid: Uuid) -> Machine {
        Machine { sys: paths.sys.clone(), udev: paths.udev.clone(), share: paths.share.clone(), uuid }
    }

    /// All devices, the machine first.
    pub fn list(&self) -> Vec<Device> {
        let mut found = vec![computer()];
        for (_, home) in SUBSYSTEMS {
            let home = self.sys.join(home);
            found.extend(entries(&home).iter().filter_map(|entry| self.at(&home.join(entry))));
        }
        found
    }

    pub fn find(&self, name: &str) -> Option<Device> {
        if name == COMPUTER {
            return Some(computer());
        }
        // Names begin with the subsystem and what the device is called there, so few folders need to be read.
        let named = |entry: &String, subsystem: &str| name.starts_with(&plain(&format!("{subsystem}_{entry}")));
        SUBSYSTEMS.iter().filter(|(subsystem, _)| name.starts_with(subsystem)).find_map(|(subsystem, home)| {
            let home = self.sys.join(home);
            let near = entries(&home).into_iter().filter(|entry| named(entry, subsystem));
            near.filter_map(|entry| self.at(&home.join(entry))).find(|device| device.name == name)
        })
    }

    /// The name of the nearest device that this one hangs on; None for the machine.
    pub fn parent(&self, device: &Device) -> Option<String> {
        if device.kind == Kind::System {
            return None;
        }
        let above = device.folder.ancestors().skip(1).find_map(|folder| self.at(folder));
        Some(above.map_or_else(|| COMPUTER.to_string(), |device| device.name))
    }

    /// What the device is, and what it is besides.
    pub fn kinds(&self, device: &Device) -> Vec<Kind> {
        let mut kinds = vec![device.kind];
        if device.kind == Kind::ScsiHost {
            kinds.extend(self.fibre_channel(device).map(|_| Kind::FibreChannel));
            kinds.extend(self.virtual_ports(device).map(|_| Kind::VirtualPorts));
        }
        kinds
    }

    /// The port of Fibre Channel with these world wide names.
    pub fn scsi_host_of(&self, node_name: &str, port_name: &str) -> Option<Device> {
        self.list().into_iter().filter(|device| device.kind == Kind::ScsiHost).find(|device| {
            let channel = self.fibre_channel(device);
            channel.is_some_and(|channel| channel.node_name == node_name && channel.port_name == port_name)
        })
    }

    /// The device that has this folder in /sys, or at the end of this link; None where it is of no kind that is shown.
    fn at(&self, path: &Path) -> Option<Device> {
        let folder = fs::canonicalize(path).ok()?;
        let subsystem = fs::read_link(folder.join("subsystem")).ok()?;
        let subsystem = subsystem.file_name()?.to_str()?;
        if !SUBSYSTEMS.iter().any(|(shown, _)| *shown == subsystem) {
            return None;
        }
        let facts = Facts::read(&folder, subsystem, &self.udev);
        let (kind, addition) = kind_of(&folder, subsystem, &facts)?;
        let base = format!("{subsystem}_{}", file_name(&folder));
        let name = plain(&addition.map_or_else(|| base.clone(), |addition| format!("{base}_{addition}")));
        Some(Device { name, kind, folder, facts })
    }
}

/// The kind of a device, and what its name ends with.
fn kind_of(folder: &Path, subsystem: &str, facts: &Facts) -> Option<(Kind, Option<String>)> {
    let kind = match (subsystem, facts.get("DEVTYPE")) {
        ("pci", None) => PciAddress::parse(&file_name(folder)).map(|_| Kind::Pci)?,
        ("usb", Some("usb_device")) => Kind::UsbDevice,
        ("usb", Some("usb_interface")) => Kind::UsbInterface,
        ("scsi", Some("scsi_host")) => Kind::ScsiHost,
        ("scsi", Some("scsi_target")) => Kind::ScsiTarget,
        ("scsi", Some("scsi_device")) => Kind::Scsi,
        ("scsi_generic", None) => Kind::ScsiGeneric,
        ("drm", Some("drm_minor")) => Kind::Drm,
        // Bridges, VLANs and the like are of the kernel's making.
        ("net", None | Some("wlan")) => return Some((Kind::Net, attribute(folder, "address"))),
        ("block", Some("disk")) => {
            let serial = facts.get("ID_SERIAL").map(str::to_string);
            return storage::drive(folder, facts).map(|_| (Kind::Storage, serial));
        }
        _ => return None,
    };
    Some((kind, None))
}

fn computer() -> Device {
    Device { name: COMPUTER.into(), kind: Kind::System, folder: PathBuf::new(), facts: Facts::default() }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Letters and digits as they are, `_` for all else.
fn plain(text: &str) -> String {
    let plain = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte) } else { '_' };
    text.bytes().map(plain).collect()
}
