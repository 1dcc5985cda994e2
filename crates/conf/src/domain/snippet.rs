//! Devices on their own: which device of a domain a document means, and a definition with one more, one less or one
//! changed. Messages are libvirt's, for a definition; a running domain's are the driver's.

use super::parse::Context;
use super::*;
use crate::refuse::{self, Place};
use crate::xml::{Document, Source};
use api::{Code, Error, ErrorDomain};

fn lxc(code: Code, message: impl Into<String>) -> Error {
    Error::new(ErrorDomain::Lxc, code, message)
}

impl Device {
    /// As libvirt's messages call the class.
    pub fn class(&self) -> &str {
        match self {
            Device::Disk(_) => "disk",
            Device::Filesystem(_) => "filesystem",
            Device::Interface(_) => "net",
            Device::Console(_) => "chr",
            Device::Hostdev(_) => "hostdev",
            Device::Other(element) => match element.name.as_str() {
                "serial" | "parallel" | "channel" => "chr",
                name => name,
            },
        }
    }
}

impl Domain {
    /// The disk with the same target.
    pub fn find_disk(&self, wanted: &Disk) -> Option<usize> {
        self.disks.iter().position(|disk| disk.target() == wanted.target())
    }

    /// The host device with the same source.
    pub fn find_hostdev(&self, wanted: &Hostdev) -> Option<usize> {
        self.hostdevs.iter().position(|hostdev| same_source(&hostdev.source, &wanted.source))
    }

    /// The only interface with the MAC address, the address and the alias that are given.
    pub fn find_interface(&self, wanted: &Interface) -> Result<usize> {
        let mac = Some(wanted.mac).filter(|_| !wanted.mac_generated);
        let address = place(wanted);
        let alias = wanted.alias.as_deref();
        let matches = |interface: &Interface| {
            mac.is_none_or(|mac| mac == interface.mac)
                && (address.is_none() || address == place(interface))
                && (alias.is_none() || alias == interface.alias.as_deref())
        };
        let mut found = self.interfaces.iter().enumerate().filter(|(_, i)| matches(i)).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(at), None) => Ok(at),
            (Some(_), Some(_)) => {
                let message = match mac {
                    Some(mac) => format!("multiple devices matching MAC address {mac} found"),
                    None => "multiple matching devices found".to_string(),
                };
                Err(Error::operation_failed(ErrorDomain::Domain, message))
            }
            (None, _) => {
                let null = || "(<null>)".to_string();
                let message = format!(
                    "no device found at address '{}' matching MAC address '{}' and alias '{}'",
                    address.and_then(pci_text).unwrap_or_else(null),
                    mac.map_or_else(null, |mac| mac.to_string()),
                    alias.map_or_else(null, str::to_string)
                );
                Err(Error::new(ErrorDomain::Domain, Code::DeviceMissing, message))
            }
        }
    }

    fn find_filesystem(&self, wanted: &Filesystem) -> Option<usize> {
        self.filesystems.iter().position(|one| one.target == wanted.target)
    }

    /// Adds a device to a definition.
    pub fn attach(&mut self, device: Device) -> Result<()> {
        match device {
            Device::Disk(disk) => {
                if self.find_disk(&disk).is_some() {
                    return Err(lxc(Code::InvalidArg, format!("target {} already exists.", disk.target())));
                }
                self.disks.push(disk);
                disks::place(&mut self.disks)?;
                disks::fit(&self.disks)?;
                disks::apart(&self.disks)?;
                controllers::implied(self);
            }
            Device::Interface(interface) => self.interfaces.push(*interface),
            Device::Hostdev(hostdev) => {
                if self.find_hostdev(&hostdev).is_some() {
                    return Err(lxc(Code::InvalidArg, "device is already in the domain configuration"));
                }
                self.hostdevs.push(hostdev);
                controllers::implied(self);
            }
            Device::Filesystem(filesystem) => {
                if self.find_filesystem(&filesystem).is_some() {
                    return Err(lxc(Code::InvalidArg, format!("target {} already exists.", filesystem.target)));
                }
                self.filesystems.push(filesystem);
            }
            _ => return Err(lxc(Code::ConfigUnsupported, "persistent attach of device is not supported")),
        }
        Ok(())
    }

    /// Takes the device that is meant out of a definition.
    pub fn detach(&mut self, device: &Device) -> Result<()> {
        match device {
            Device::Disk(disk) => {
                let none = || lxc(Code::InvalidArg, format!("no target device {}", disk.target()));
                self.disks.remove(self.find_disk(disk).ok_or_else(none)?);
            }
            Device::Interface(interface) => {
                self.interfaces.remove(self.find_interface(interface)?);
            }
            Device::Hostdev(hostdev) => {
                let none = || lxc(Code::InvalidArg, "device not present in domain configuration");
                self.hostdevs.remove(self.find_hostdev(hostdev).ok_or_else(none)?);
            }
            Device::Filesystem(filesystem) => {
                let none = || lxc(Code::InvalidArg, format!("no filesystem with target {}", filesystem.target));
                self.filesystems.remove(self.find_filesystem(filesystem).ok_or_else(none)?);
            }
            _ => return Err(lxc(Code::ConfigUnsupported, "persistent detach of device is not supported")),
        }
        Ok(())
    }

    /// Puts an interface in place of the one that is meant.
    pub fn update(&mut self, device: Device) -> Result<()> {
        match device {
            Device::Interface(interface) => {
                let at = self.find_interface(&interface)?;
                self.interfaces[at] = *interface;
                Ok(())
            }
            _ => Err(lxc(Code::ConfigUnsupported, "persistent update of device is not supported")),
        }
    }
}

fn place(interface: &Interface) -> Option<&Element> {
    interface.kept.iter().find(|element| element.name == "address")
}

/// `0000:00:03.0`
fn pci_text(address: &Element) -> Option<String> {
    let part = |name: &str| address.attr(name).map(|text| text.trim_start_matches("0x"));
    let (domain, bus) = part("domain").zip(part("bus"))?;
    let (slot, function) = part("slot").zip(part("function"))?;
    Some(format!("{domain}:{bus}:{slot}.{function}"))
}

/// USB devices are the same by address or by kind, whichever is given.
fn same_source(a: &HostdevSource, b: &HostdevSource) -> bool {
    match (a, b) {
        (HostdevSource::Usb(a), HostdevSource::Usb(b)) => {
            let by_place = a.bus != 0 && (a.bus, a.device) == (b.bus, b.device);
            let by_kind = a.vendor != 0 && (a.vendor, a.product) == (b.vendor, b.product);
            by_place || by_kind || a == b
        }
        (HostdevSource::Net { interface: a, .. }, HostdevSource::Net { interface: b, .. }) => a == b,
        (HostdevSource::Other(a), HostdevSource::Other(b)) => {
            (a.attr("type"), a.child("source")) == (b.attr("type"), b.child("source"))
        }
        (a, b) => a == b,
    }
}

impl Device {
    /// Reads one device's document (`attach-device`, `detach-device`, `update-device`).
    pub fn parse(xml: &[u8], how: ParseOptions, host: &Host) -> Result<Device> {
        let context = Context::new(host, how.live);
        let device = Device::read(xml, how, &context)?;
        context.verdict()?;
        Ok(device)
    }

    /// Reads what a device is found by: it need not be fit to be attached.
    pub fn parse_wanted(xml: &[u8], how: ParseOptions, host: &Host) -> Result<Device> {
        Device::read(xml, how, &Context::new(host, how.live))
    }

    fn read(xml: &[u8], how: ParseOptions, context: &Context) -> Result<Device> {
        let document = Document::parse(xml, DEVICE)?;
        let node = document.root();
        parse::complaints(node, node.name(), how)?;
        let device = match node.name() {
            "disk" => {
                let mut disks = vec![disks::disk(node, context).at(node)?];
                disks::place(&mut disks)?;
                disks::fit(&disks)?;
                disks.pop().map(Device::Disk).ok_or_else(|| refuse::internal("no disk"))?
            }
            "filesystem" => Device::Filesystem(storage::filesystem(node, context).at(node)?),
            "interface" => Device::Interface(Box::new(network::interface(node, context).at(node)?)),
            "console" => Device::Console(character::console(node, context).at(node)?),
            "hostdev" => Device::Hostdev(hostdev::hostdev(node, context).at(node)?),
            name if parse::OTHER_CLASSES.contains(&name) => match ignored::device(node, context, &[]).at(node)? {
                Some(element) => Device::Other(element),
                None => Device::Other(Element::new(name)),
            },
            name => return Err(refuse::unsupported(format!("unknown device type '{name}'"))),
        };
        Ok(device)
    }
}

/// Such documents are named so in messages about their syntax.
const DEVICE: Source = Source { name: "(device_definition)", domain: ErrorDomain::Domain };

#[cfg(test)]
mod tests {
    use super::*;

    fn device(xml: &str) -> Device {
        let host = Host { arch: "x86_64", emulator: "/e", random: &|bytes| bytes.fill(1) };
        Device::parse(xml.as_bytes(), ParseOptions::default(), &host).unwrap_or_else(|e| panic!("{xml}: {e}"))
    }

    fn domain(devices: &str) -> Domain {
        let host = Host { arch: "x86_64", emulator: "/e", random: &|bytes| bytes.fill(1) };
        let xml = format!(
            "<domain type='lxc'><name>a</name><memory>1</memory><os><type>exe</type><init>/i</init></os>\
             <devices>{devices}</devices></domain>"
        );
        Domain::parse(xml.as_bytes(), ParseOptions::default(), &host).map(|p| p.domain).expect("a domain")
    }

    const A: &str = "<interface type='bridge'><mac address='00:16:3e:00:00:01'/><source bridge='b'/></interface>";
    const B: &str = "<interface type='bridge'><mac address='00:16:3e:00:00:02'/><source bridge='b'/></interface>";

    #[test]
    fn interfaces_are_found_by_mac_address() {
        let mut domain = domain(&format!("{A}{B}"));
        domain.detach(&device(B)).expect("detached");
        assert_eq!(domain.interfaces.len(), 1);
        let error = domain.detach(&device(B)).expect_err("it is gone");
        assert_eq!(
            error.message,
            "device not found: no device found at address '(<null>)' matching MAC address '00:16:3e:00:00:02' and alias '(<null>)'"
        );
        domain.attach(device(A)).expect("the same address twice is allowed");
        let error = domain.detach(&device(A)).expect_err("two of them");
        assert_eq!(error.message, "operation failed: multiple devices matching MAC address 00:16:3e:00:00:01 found");
    }

    #[test]
    fn disks_and_host_devices_are_there_once() {
        let disk = "<disk type='block'><source dev='/dev/loop0'/><target dev='sdb'/></disk>";
        let misc = "<hostdev mode='capabilities' type='misc'><source><char>/dev/x</char></source></hostdev>";
        let mut domain = domain("");
        for xml in [disk, misc] {
            domain.attach(device(xml)).expect("attached");
            domain.attach(device(xml)).expect_err("it is there");
            domain.detach(&device(xml)).expect("detached");
            domain.detach(&device(xml)).expect_err("it is gone");
        }
        let shared = device("<filesystem type='mount'><source dir='/srv'/><target dir='/mnt'/></filesystem>");
        domain.attach(shared.clone()).expect("attached");
        domain.attach(shared.clone()).expect_err("the target is taken");
        domain.detach(&shared).expect("detached");
        domain.detach(&shared).expect_err("it is gone");
        let error = domain.attach(device("<console type='pty'/>")).expect_err("not for consoles");
        assert_eq!(error.message, "unsupported configuration: persistent attach of device is not supported");
    }
}
