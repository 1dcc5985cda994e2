//! A device's document, from what the kernel and udevd tell of it.

use crate::facts::{attribute, dev_path, hexadecimal, number};
use crate::{Device, Machine, file_name, pci, storage};
use api::Uuid;
use conf::nodedev::{
    Capability, DrmKind, FibreChannel, Kind, Link, Net, NodeDevice, PciAddress, Scsi, ScsiHost, ScsiTarget, System,
    UsbDevice, UsbInterface, VirtualPorts,
};
use std::fs;
use std::path::Path;

impl Machine {
    /// None where the device went away while it was read.
    pub fn describe(&self, device: &Device) -> Option<NodeDevice> {
        let capability = self.capability(device)?;
        let is_machine = device.kind == Kind::System;
        Some(NodeDevice {
            name: device.name.clone(),
            path: if is_machine { None } else { Some(self.shown_path(&device.folder)?) },
            node: device.facts.node(),
            links: device.facts.links.iter().map(|link| dev_path(link)).collect(),
            parent: self.parent(device),
            driver: device.facts.get("DRIVER").map(str::to_string),
            capability,
        })
    }

    /// With /sys where everybody has it.
    fn shown_path(&self, folder: &Path) -> Option<String> {
        let sys = fs::canonicalize(&self.sys).ok()?;
        Some(Path::new("/sys").join(folder.strip_prefix(sys).ok()?).to_string_lossy().into_owned())
    }

    fn capability(&self, device: &Device) -> Option<Capability> {
        let Device { folder, facts, .. } = device;
        let name = file_name(folder);
        Some(match device.kind {
            Kind::System => Capability::System(self.system()),
            Kind::Pci => Capability::Pci(Box::new(pci::describe(folder, PciAddress::parse(&name)?, &self.share))),
            Kind::UsbDevice => {
                let word = |property, file| facts.get(property).map(str::to_string).or_else(|| attribute(folder, file));
                Capability::UsbDevice(UsbDevice {
                    bus: number(folder, "busnum")?,
                    device: number(folder, "devnum")?,
                    product: hexadecimal(folder, "idProduct")? as u16,
                    product_name: word("ID_MODEL_FROM_DATABASE", "product"),
                    vendor: hexadecimal(folder, "idVendor")? as u16,
                    vendor_name: word("ID_VENDOR_FROM_DATABASE", "manufacturer"),
                })
            }
            Kind::UsbInterface => {
                let byte = |name| hexadecimal(folder, name).map(|number| number as u8);
                Capability::UsbInterface(UsbInterface {
                    number: byte("bInterfaceNumber")?,
                    class: byte("bInterfaceClass")?,
                    subclass: byte("bInterfaceSubClass")?,
                    protocol: byte("bInterfaceProtocol")?,
                })
            }
            Kind::Net => Capability::Net(Net {
                features: self.features(folder, &name),
                interface: name,
                address: attribute(folder, "address"),
                link: link_of(folder),
                wireless: facts.get("DEVTYPE") == Some("wlan"),
            }),
            Kind::ScsiHost => Capability::ScsiHost(ScsiHost {
                host: name.strip_prefix("host")?.parse().ok()?,
                unique_id: number(&self.sys.join("class/scsi_host").join(&name), "unique_id"),
                fibre_channel: self.fibre_channel(device),
                virtual_ports: self.virtual_ports(device),
            }),
            Kind::ScsiTarget => {
                let port = folder.parent().map(file_name).filter(|parent| parent.starts_with("rport-"));
                let remote_port = port.and_then(|port| {
                    let name = attribute(&self.sys.join("class/fc_remote_ports").join(&port), "port_name")?;
                    Some((port, name))
                });
                Capability::ScsiTarget(ScsiTarget { target: name, remote_port })
            }
            Kind::Scsi => Capability::Scsi(scsi(folder, &name)?),
            Kind::Storage => Capability::Storage(storage::describe(folder, facts, storage::drive(folder, facts)?)),
            Kind::ScsiGeneric => Capability::ScsiGeneric(facts.node()?),
            Kind::Drm => Capability::Drm(match facts.get("MINOR")?.parse::<u32>().ok()? >> 6 {
                0 => DrmKind::Primary,
                1 => DrmKind::Control,
                2 => DrmKind::Render,
                _ => return None,
            }),
            // These are what a SCSI host is besides, never alone.
            Kind::FibreChannel | Kind::VirtualPorts => return None,
        })
    }

    fn system(&self) -> System {
        let folder = self.sys.join("devices/virtual/dmi/id");
        let word = |name| attribute(&folder, name);
        System {
            product: word("product_name"),
            vendor: word("sys_vendor"),
            version: word("product_version"),
            serial: word("product_serial"),
            // Not told where nothing else is.
            uuid: if folder.exists() { self.uuid } else { Uuid([0; 16]) },
            firmware_vendor: word("bios_vendor"),
            firmware_version: word("bios_version"),
            firmware_date: word("bios_date"),
        }
    }

    pub(crate) fn fibre_channel(&self, device: &Device) -> Option<FibreChannel> {
        let folder = self.sys.join("class/fc_host").join(file_name(&device.folder));
        let name = |file| attribute(&folder, file).map(|name| name.trim_start_matches("0x").to_string());
        Some(FibreChannel {
            node_name: name("node_name")?,
            port_name: name("port_name")?,
            fabric_name: name("fabric_name"),
        })
    }

    pub(crate) fn virtual_ports(&self, device: &Device) -> Option<VirtualPorts> {
        let name = file_name(&device.folder);
        // Where these files are depends on the kernel's age.
        let homes = ["class/fc_host", "class/scsi_host"].map(|class| self.sys.join(class).join(&name));
        let folder = homes.iter().find(|folder| folder.join("vport_create").exists())?;
        Some(VirtualPorts { most: number(folder, "max_npiv_vports")?, used: number(folder, "npiv_vports_inuse")? })
    }

    /// libvirt's names for what is on, in its order.
    fn features(&self, folder: &Path, interface: &str) -> Vec<&'static str> {
        const NAMES: &[(&str, &[&str])] = &[
            ("rx", &["rx-checksum"]),
            ("tx", &["tx-checksum-"]),
            ("sg", &["tx-scatter-gather"]),
            ("tso", &["tx-tcp-", "tx-tcp6-"]),
            ("ufo", &["tx-udp-fragmentation"]),
            ("gso", &["tx-generic-segmentation"]),
            ("gro", &["rx-gro"]),
            ("lro", &["rx-lro"]),
            ("rxvlan", &["rx-vlan-hw-parse"]),
            ("txvlan", &["tx-vlan-hw-insert"]),
            ("ntuple", &["rx-ntuple-filter"]),
            ("rxhash", &["rx-hashing"]),
            ("rdma", &[]),
            ("txudptnl", &["tx-udp_tnl-segmentation"]),
        ];
        let on = linux::ethtool::active_features(interface).unwrap_or_default();
        let has = |name: &str, kernel: &[&str]| match name {
            "rdma" => self.has_rdma(folder),
            _ => on.iter().any(|active| {
                kernel.iter().any(|name| if name.ends_with('-') { active.starts_with(name) } else { active == name })
            }),
        };
        NAMES.iter().filter(|(name, kernel)| has(name, kernel)).map(|(name, _)| *name).collect()
    }

    fn has_rdma(&self, folder: &Path) -> bool {
        let Ok(device) = fs::canonicalize(folder.join("device")) else { return false };
        let class = self.sys.join("class/infiniband");
        let same = |name: &String| fs::canonicalize(class.join(name).join("device")).is_ok_and(|path| path == device);
        crate::facts::entries(&class).iter().any(same)
    }
}

/// The state of the network interface that has this folder, and its speed where that means something.
pub fn link_of(folder: &Path) -> Link {
    let state = attribute(folder, "operstate").unwrap_or_else(|| "unknown".into());
    Link { speed: number(folder, "speed").filter(|speed| *speed > 0 && state == "up"), state }
}

/// `HOST:BUS:TARGET:LUN`
fn scsi(folder: &Path, name: &str) -> Option<Scsi> {
    /// SCSI's types of peripheral devices that libvirt has a name for.
    const TYPES: &[(u32, &str)] = &[
        (0, "disk"),
        (1, "tape"),
        (3, "processor"),
        (4, "worm"),
        (5, "cdrom"),
        (6, "scanner"),
        (7, "mod"),
        (8, "changer"),
        (12, "raid"),
        (13, "enclosure"),
    ];
    let kind = number::<u32>(folder, "type");
    let mut parts = name.split(':');
    let mut next = || parts.next()?.parse::<u64>().ok();
    let (host, bus, target, lun) = (next()? as u32, next()? as u32, next()? as u32, next()?);
    let kind = TYPES.iter().find(|(number, _)| Some(*number) == kind).map(|(_, name)| *name);
    Some(Scsi { host, bus, target, lun, kind })
}
