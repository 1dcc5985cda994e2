//! `<device>`: a device of the machine, as `virsh nodedev-dumpxml` shows it. Written from facts that others have gathered;
//! see formatnode.html of libvirt's documentation for what the elements mean.

use crate::xml::Writer;
use api::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeDevice {
    pub name: String,
    /// In /sys. The machine itself has none.
    pub path: Option<String>,
    /// The device's file, and its other names.
    pub node: Option<String>,
    pub links: Vec<String>,
    pub parent: Option<String>,
    pub driver: Option<String>,
    pub capability: Capability,
}

/// What the device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capability {
    System(System),
    Pci(Box<Pci>),
    UsbDevice(UsbDevice),
    UsbInterface(UsbInterface),
    Net(Net),
    ScsiHost(ScsiHost),
    ScsiTarget(ScsiTarget),
    Scsi(Scsi),
    Storage(Storage),
    /// The path of its file.
    ScsiGeneric(String),
    Drm(DrmKind),
}

/// The firmware's tables (DMI).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    pub product: Option<String>,
    pub vendor: Option<String>,
    pub version: Option<String>,
    pub serial: Option<String>,
    /// All zero where there are no such tables.
    pub uuid: Uuid,
    pub firmware_vendor: Option<String>,
    pub firmware_version: Option<String>,
    pub firmware_date: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PciAddress {
    pub domain: u32,
    pub bus: u8,
    pub slot: u8,
    pub function: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pci {
    /// Class, subclass and programming interface, a byte each.
    pub class: Option<u32>,
    pub address: PciAddress,
    pub product: u16,
    pub product_name: Option<String>,
    pub vendor: u16,
    pub vendor_name: Option<String>,
    /// Of a virtual function: whose it is.
    pub physical_function: Option<PciAddress>,
    pub virtual_functions: Vec<PciAddress>,
    /// 0 where the device can have none.
    pub most_virtual_functions: u32,
    pub bridge: Option<PciBridge>,
    /// Its number, and all that are in it.
    pub iommu_group: Option<(u32, Vec<PciAddress>)>,
    pub numa_node: Option<u32>,
    pub express: Option<PciExpress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PciBridge {
    Pci,
    CardBus,
}

/// `link` is what it can do and what it does; ends within the root complex have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PciExpress {
    pub link: Option<(PciPort, PciLink)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PciPort {
    pub number: u8,
    pub link: PciLink,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PciLink {
    /// Gigatransfers a second, counted as the bus does: 1 is 2.5, 2 is 5, then doubled each time.
    pub speed: u8,
    pub width: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbDevice {
    pub bus: u32,
    pub device: u32,
    pub product: u16,
    pub product_name: Option<String>,
    pub vendor: u16,
    pub vendor_name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsbInterface {
    pub number: u8,
    pub class: u8,
    pub subclass: u8,
    pub protocol: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Net {
    pub interface: String,
    pub address: Option<String>,
    pub link: Link,
    /// What its hardware, or the kernel in its place, can take off the processor's hands.
    pub features: Vec<&'static str>,
    pub wireless: bool,
}

/// `<link>` of a network interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Link {
    /// Megabits a second.
    pub speed: Option<u32>,
    /// The kernel's word (RFC 2863): `up`, `down`, `unknown`, …
    pub state: String,
}

impl Link {
    pub(crate) fn write(&self, w: &mut Writer) {
        w.open("link");
        w.attr_opt("speed", self.speed);
        w.attr("state", &self.state);
        w.close();
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScsiHost {
    pub host: u32,
    pub unique_id: Option<i64>,
    pub fibre_channel: Option<FibreChannel>,
    pub virtual_ports: Option<VirtualPorts>,
}

/// World wide names, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FibreChannel {
    pub node_name: String,
    pub port_name: String,
    pub fabric_name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VirtualPorts {
    pub most: u32,
    pub used: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScsiTarget {
    pub target: String,
    /// A port of Fibre Channel and its world wide name.
    pub remote_port: Option<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scsi {
    pub host: u32,
    pub bus: u32,
    pub target: u32,
    pub lun: u64,
    pub kind: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    pub file: String,
    pub bus: Option<String>,
    pub drive: Drive,
    pub model: Option<String>,
    pub vendor: Option<String>,
    pub serial: Option<String>,
    /// In bytes.
    pub size: u64,
    /// 0 where it is not known.
    pub logical_block_size: u32,
    /// Of a drive whose medium comes and goes: whether one is there, and its label.
    pub medium: Option<(bool, Option<String>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    Disk,
    Cdrom,
    Floppy,
    SdCard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrmKind {
    Primary,
    Control,
    Render,
}

/// The kinds of devices, numbered as the bits of `virConnectListAllNodeDeviceFlags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    System = 0,
    Pci = 1,
    UsbDevice = 2,
    UsbInterface = 3,
    Net = 4,
    ScsiHost = 5,
    ScsiTarget = 6,
    Scsi = 7,
    Storage = 8,
    /// A SCSI host that is a port of Fibre Channel, or can make virtual ones.
    FibreChannel = 9,
    VirtualPorts = 10,
    ScsiGeneric = 11,
    Drm = 12,
}

impl Kind {
    /// As `virsh nodedev-list --cap` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::System => "system",
            Kind::Pci => "pci",
            Kind::UsbDevice => "usb_device",
            Kind::UsbInterface => "usb",
            Kind::Net => "net",
            Kind::ScsiHost => "scsi_host",
            Kind::ScsiTarget => "scsi_target",
            Kind::Scsi => "scsi",
            Kind::Storage => "storage",
            Kind::FibreChannel => "fc_host",
            Kind::VirtualPorts => "vports",
            Kind::ScsiGeneric => "scsi_generic",
            Kind::Drm => "drm",
        }
    }

    pub fn flag(self) -> u32 {
        1 << self as u32
    }
}

impl NodeDevice {
    pub fn format(&self) -> String {
        let mut w = Writer::new();
        w.open("device");
        w.text("name", &self.name);
        w.text_opt("path", self.path.as_ref());
        let files = self.node.iter().map(|file| ("dev", file)).chain(self.links.iter().map(|link| ("link", link)));
        for (kind, path) in files {
            w.open("devnode");
            w.attr("type", kind);
            w.close_with(path);
        }
        w.text_opt("parent", self.parent.as_ref());
        if let Some(driver) = &self.driver {
            w.open("driver");
            w.text("name", driver);
            w.close();
        }
        self.capability.write(&mut w);
        w.finish()
    }
}

impl Capability {
    pub fn kind(&self) -> Kind {
        match self {
            Capability::System(_) => Kind::System,
            Capability::Pci(_) => Kind::Pci,
            Capability::UsbDevice(_) => Kind::UsbDevice,
            Capability::UsbInterface(_) => Kind::UsbInterface,
            Capability::Net(_) => Kind::Net,
            Capability::ScsiHost(_) => Kind::ScsiHost,
            Capability::ScsiTarget(_) => Kind::ScsiTarget,
            Capability::Scsi(_) => Kind::Scsi,
            Capability::Storage(_) => Kind::Storage,
            Capability::ScsiGeneric(_) => Kind::ScsiGeneric,
            Capability::Drm(_) => Kind::Drm,
        }
    }

    fn write(&self, w: &mut Writer) {
        open_capability(w, self.kind().name());
        match self {
            Capability::System(system) => system.write(w),
            Capability::Pci(pci) => pci.write(w),
            Capability::UsbDevice(device) => {
                w.text("bus", device.bus);
                w.text("device", device.device);
                identity(w, "product", device.product, device.product_name.as_deref());
                identity(w, "vendor", device.vendor, device.vendor_name.as_deref());
            }
            Capability::UsbInterface(interface) => {
                w.text("number", interface.number);
                w.text("class", interface.class);
                w.text("subclass", interface.subclass);
                w.text("protocol", interface.protocol);
            }
            Capability::Net(net) => net.write(w),
            Capability::ScsiHost(host) => host.write(w),
            Capability::ScsiTarget(target) => {
                w.text("target", &target.target);
                if let Some((port, name)) = &target.remote_port {
                    open_capability(w, "fc_remote_port");
                    w.text("rport", port);
                    w.text("wwpn", name);
                    w.close();
                }
            }
            Capability::Scsi(scsi) => {
                w.text("host", scsi.host);
                w.text("bus", scsi.bus);
                w.text("target", scsi.target);
                w.text("lun", scsi.lun);
                w.text_opt("type", scsi.kind);
            }
            Capability::Storage(storage) => storage.write(w),
            Capability::ScsiGeneric(file) => w.text("char", file),
            Capability::Drm(kind) => {
                let word = match kind {
                    DrmKind::Primary => "primary",
                    DrmKind::Control => "control",
                    DrmKind::Render => "render",
                };
                w.text("type", word);
            }
        }
        w.close();
    }
}

fn open_capability(w: &mut Writer, kind: &str) {
    w.open("capability");
    w.attr("type", kind);
}

/// `<vendor id='0x8086'>name</vendor>`
fn identity(w: &mut Writer, element: &'static str, number: u16, name: Option<&str>) {
    w.open(element);
    w.attr("id", format_args!("{number:#06x}"));
    match name {
        Some(name) => w.close_with(name),
        None => w.close(),
    }
}

impl System {
    fn write(&self, w: &mut Writer) {
        w.text_opt("product", self.product.as_ref());
        w.open("hardware");
        w.text_opt("vendor", self.vendor.as_ref());
        w.text_opt("version", self.version.as_ref());
        w.text_opt("serial", self.serial.as_ref());
        w.text("uuid", self.uuid);
        w.close();
        w.open("firmware");
        w.text_opt("vendor", self.firmware_vendor.as_ref());
        w.text_opt("version", self.firmware_version.as_ref());
        w.text_opt("release_date", self.firmware_date.as_ref());
        w.close_apart();
    }
}

impl PciAddress {
    fn write(self, w: &mut Writer) {
        w.open("address");
        w.attr("domain", format_args!("{:#06x}", self.domain));
        w.attr("bus", format_args!("{:#04x}", self.bus));
        w.attr("slot", format_args!("{:#04x}", self.slot));
        w.attr("function", format_args!("{:#x}", self.function));
        w.close();
    }

    /// As the kernel names it: `0000:00:1f.2`.
    pub fn parse(text: &str) -> Option<PciAddress> {
        let (rest, function) = text.rsplit_once('.')?;
        let mut parts = rest.split(':');
        let (domain, bus, slot) = (parts.next()?, parts.next()?, parts.next()?);
        let byte = |text| u8::from_str_radix(text, 16).ok();
        let address = PciAddress {
            domain: u32::from_str_radix(domain, 16).ok()?,
            bus: byte(bus)?,
            slot: byte(slot)?,
            function: byte(function)?,
        };
        parts.next().is_none().then_some(address)
    }
}

impl Pci {
    fn write(&self, w: &mut Writer) {
        w.text_opt("class", self.class.map(|class| format!("{class:#08x}")));
        w.text("domain", self.address.domain);
        w.text("bus", self.address.bus);
        w.text("slot", self.address.slot);
        w.text("function", self.address.function);
        identity(w, "product", self.product, self.product_name.as_deref());
        identity(w, "vendor", self.vendor, self.vendor_name.as_deref());
        if let Some(address) = self.physical_function {
            open_capability(w, "phys_function");
            address.write(w);
            w.close();
        }
        if self.most_virtual_functions > 0 || !self.virtual_functions.is_empty() {
            open_capability(w, "virt_functions");
            w.attr_opt("maxCount", Some(self.most_virtual_functions).filter(|most| *most > 0));
            self.virtual_functions.iter().for_each(|address| address.write(w));
            w.close();
        }
        if let Some(bridge) = self.bridge {
            open_capability(w, if bridge == PciBridge::Pci { "pci-bridge" } else { "cardbus-bridge" });
            w.close();
        }
        if let Some((number, members)) = &self.iommu_group {
            w.open("iommuGroup");
            w.attr("number", number);
            members.iter().for_each(|address| address.write(w));
            w.close();
        }
        if let Some(node) = self.numa_node {
            w.open("numa");
            w.attr("node", node);
            w.close();
        }
        if let Some(express) = &self.express {
            w.open("pci-express");
            if let Some((can, does)) = express.link {
                w.open("link");
                w.attr("validity", "cap");
                w.attr("port", can.number);
                can.link.write(w);
                w.open("link");
                w.attr("validity", "sta");
                does.write(w);
            }
            w.close();
        }
    }
}

impl PciLink {
    /// The rest of a `<link>`.
    fn write(self, w: &mut Writer) {
        const SPEEDS: &[&str] = &["2.5", "5", "8", "16", "32", "64"];
        w.attr_opt("speed", usize::from(self.speed).checked_sub(1).and_then(|at| SPEEDS.get(at)));
        w.attr("width", self.width);
        w.close();
    }
}

impl Net {
    fn write(&self, w: &mut Writer) {
        w.text("interface", &self.interface);
        w.text_opt("address", self.address.as_ref());
        self.link.write(w);
        for feature in &self.features {
            w.open("feature");
            w.attr("name", feature);
            w.close();
        }
        open_capability(w, if self.wireless { "80211" } else { "80203" });
        w.close();
    }
}

impl ScsiHost {
    fn write(&self, w: &mut Writer) {
        w.text("host", self.host);
        w.text_opt("unique_id", self.unique_id);
        if let Some(channel) = &self.fibre_channel {
            open_capability(w, "fc_host");
            w.text("wwnn", &channel.node_name);
            w.text("wwpn", &channel.port_name);
            w.text_opt("fabric_wwn", channel.fabric_name.as_ref());
            w.close();
        }
        if let Some(ports) = self.virtual_ports {
            open_capability(w, "vport_ops");
            w.text("max_vports", ports.most);
            w.text("vports", ports.used);
            w.close();
        }
    }
}

impl Storage {
    fn write(&self, w: &mut Writer) {
        w.text("block", &self.file);
        w.text_opt("bus", self.bus.as_ref());
        let drive = match self.drive {
            Drive::Disk => "disk",
            Drive::Cdrom => "cdrom",
            Drive::Floppy => "floppy",
            Drive::SdCard => "sd",
        };
        w.text("drive_type", drive);
        w.text_opt("model", self.model.as_ref());
        w.text_opt("vendor", self.vendor.as_ref());
        w.text_opt("serial", self.serial.as_ref());
        match &self.medium {
            None => {
                w.text("size", self.size);
                self.write_blocks(w);
            }
            Some((available, label)) => {
                open_capability(w, "removable");
                w.text("media_available", u8::from(*available));
                w.text("media_size", self.size);
                w.text_opt("media_label", label.as_ref());
                self.write_blocks(w);
                w.close();
            }
        }
    }

    fn write_blocks(&self, w: &mut Writer) {
        if self.logical_block_size == 0 {
            return;
        }
        w.text("logical_block_size", self.logical_block_size);
        let blocks = self.size / u64::from(self.logical_block_size);
        w.text_opt("num_blocks", Some(blocks).filter(|blocks| *blocks > 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(capability: Capability) -> String {
        let (path, parent) = (Some("/sys/devices/x".into()), Some("computer".into()));
        NodeDevice { name: "x".into(), path, node: None, links: Vec::new(), parent, driver: None, capability }.format()
    }

    #[test]
    fn addresses_are_read_as_the_kernel_writes_them() {
        let address = PciAddress { domain: 0x10000, bus: 0xe1, slot: 0x1f, function: 7 };
        assert_eq!(PciAddress::parse("10000:e1:1f.7"), Some(address));
        for wrong in ["", "0000:00:1f", "00:1f.2", "0000:00:00:1f.2", "0000:100:00.0", "0000:00:00.0.0", "a:b:c.x"] {
            assert_eq!(PciAddress::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_link_of_an_unknown_generation_has_no_speed() {
        let address = PciAddress { domain: 0, bus: 0, slot: 2, function: 0 };
        let link = |speed| PciLink { speed, width: 4 };
        let pci = Pci {
            class: Some(0x060400),
            address,
            product: 0x3420,
            product_name: None,
            vendor: 0x8086,
            vendor_name: Some("A & B".into()),
            physical_function: None,
            virtual_functions: Vec::new(),
            most_virtual_functions: 7,
            bridge: Some(PciBridge::CardBus),
            iommu_group: None,
            numa_node: None,
            express: Some(PciExpress { link: Some((PciPort { number: 9, link: link(6) }, link(7))) }),
        };
        let document = device(Capability::Pci(Box::new(pci)));
        let expected = "    <class>0x060400</class>
    <domain>0</domain>
    <bus>0</bus>
    <slot>2</slot>
    <function>0</function>
    <product id='0x3420'/>
    <vendor id='0x8086'>A &amp; B</vendor>
    <capability type='virt_functions' maxCount='7'/>
    <capability type='cardbus-bridge'/>
    <pci-express>
      <link validity='cap' port='9' speed='64' width='4'/>
      <link validity='sta' width='4'/>
    </pci-express>
";
        assert!(document.contains(expected), "{document}");
    }
}
