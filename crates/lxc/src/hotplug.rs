//! Devices attached, detached and changed: in the persistent definition here, in the running container by `hotplug_live`.

use crate::driver::Driver;
use crate::object::DomainObject;
use api::{Code, Error, ErrorDomain, Result};
use conf::domain::{Device, Domain, FormatOptions, Hostdev, HostdevSource, Interface, ParseOptions};
use std::sync::Arc;

impl Driver {
    pub fn attach_device(&self, object: &Arc<DomainObject>, xml: &[u8], flags: u32) -> Result<()> {
        let device = self.device(xml)?;
        self.change(object, "attach device", flags, |domain, running| match running {
            Some(running) => self.attach_live(domain, running, device.clone()),
            None => {
                attach(domain, device.clone())?;
                self.normalise(domain)
            }
        })
    }

    pub fn detach_device(&self, object: &Arc<DomainObject>, xml: &[u8], flags: u32) -> Result<()> {
        let device = self.device(xml)?;
        self.change(object, "detach device", flags, |domain, running| match running {
            Some(running) => self.detach_live(domain, running, &device),
            None => detach(domain, &device),
        })
    }

    pub fn update_device(&self, object: &Arc<DomainObject>, xml: &[u8], flags: u32) -> Result<()> {
        let device = self.device(xml)?;
        self.change(object, "update device", flags, |domain, running| {
            if running.is_some() {
                let words = "Unable to modify live devices";
                return Err(Error::new(ErrorDomain::Lxc, Code::OperationUnsupported, words));
            }
            update(domain, device.clone())?;
            self.normalise(domain)
        })
    }

    fn device(&self, xml: &[u8]) -> Result<Device> {
        self.with_host(|host| Device::parse(xml, ParseOptions::default(), host))
    }

    /// A definition as it would be read from its file: with what goes along with a new device.
    fn normalise(&self, domain: &mut Domain) -> Result<()> {
        let xml = domain.format(FormatOptions::Inactive);
        *domain = self.parse(xml.as_bytes(), false)?;
        Ok(())
    }
}

fn attach(domain: &mut Domain, device: Device) -> Result<()> {
    match device {
        Device::Disk(disk) => {
            if domain.disks.iter().any(|one| one.target() == disk.target()) {
                return Err(invalid(format!("target {} already exists.", disk.target())));
            }
            domain.disks.push(disk);
        }
        Device::Interface(interface) => domain.interfaces.push(*interface),
        Device::Hostdev(hostdev) => {
            if domain.hostdevs.iter().any(|one| is_same(one, &hostdev)) {
                return Err(invalid("device is already in the domain configuration"));
            }
            domain.hostdevs.push(hostdev);
        }
        _ => return Err(unsupported("persistent attach of device is not supported")),
    }
    Ok(())
}

fn detach(domain: &mut Domain, device: &Device) -> Result<()> {
    match device {
        Device::Disk(disk) => {
            let at = domain.disks.iter().position(|one| one.target() == disk.target());
            let missing = || invalid(format!("no target device {}", disk.target()));
            domain.disks.remove(at.ok_or_else(missing)?);
        }
        Device::Interface(interface) => {
            let at = find_interface(domain, interface)?;
            domain.interfaces.remove(at);
        }
        Device::Hostdev(hostdev) => {
            let at = domain.hostdevs.iter().position(|one| is_same(one, hostdev));
            domain.hostdevs.remove(at.ok_or_else(|| invalid("device not present in domain configuration"))?);
        }
        _ => return Err(unsupported("persistent detach of device is not supported")),
    }
    Ok(())
}

fn update(domain: &mut Domain, device: Device) -> Result<()> {
    let Device::Interface(interface) = device else {
        return Err(unsupported("persistent update of device is not supported"));
    };
    let at = find_interface(domain, &interface)?;
    if let Some(place) = domain.interfaces.get_mut(at) {
        *place = *interface;
    }
    Ok(())
}

/// The one interface that a snippet means: by its MAC address, where it gives one, and its alias.
pub(crate) fn find_interface(domain: &Domain, wanted: &Interface) -> Result<usize> {
    let by_mac = !wanted.mac_generated;
    let fits =
        |one: &Interface| (!by_mac || one.mac == wanted.mac) && (wanted.alias.is_none() || one.alias == wanted.alias);
    let found: Vec<usize> =
        domain.interfaces.iter().enumerate().filter(|(_, one)| fits(one)).map(|(at, _)| at).collect();
    match found.as_slice() {
        [at] => Ok(*at),
        [] => {
            let mac = if by_mac { wanted.mac.to_string() } else { "(<null>)".into() };
            let alias = wanted.alias.as_deref().unwrap_or("(<null>)");
            let words =
                format!("no device found at address '(<null>)' matching MAC address '{mac}' and alias '{alias}'");
            Err(Error::new(ErrorDomain::Domain, Code::DeviceMissing, words))
        }
        _ if by_mac => {
            let words = format!("multiple devices matching MAC address {} found", wanted.mac);
            Err(Error::operation_failed(ErrorDomain::Domain, words))
        }
        _ => Err(Error::operation_failed(ErrorDomain::Domain, "multiple matching interfaces found")),
    }
}

/// Whether both mean the same device of the host.
pub(crate) fn is_same(one: &Hostdev, other: &Hostdev) -> bool {
    match (&one.source, &other.source) {
        (HostdevSource::Net { interface: one, .. }, HostdevSource::Net { interface: other, .. }) => one == other,
        (HostdevSource::Usb(one), HostdevSource::Usb(other)) => {
            let by_place = other.bus != 0 || other.device != 0;
            let same_place = (one.bus, one.device) == (other.bus, other.device);
            let by_product = other.vendor != 0;
            let same_product = (one.vendor, one.product) == (other.vendor, other.product);
            (by_place || by_product) && (!by_place || same_place) && (!by_product || same_product)
        }
        (one, other) => one == other,
    }
}

fn invalid(words: impl Into<String>) -> Error {
    Error::new(ErrorDomain::Lxc, Code::InvalidArg, words)
}

pub(crate) fn unsupported(words: impl Into<String>) -> Error {
    Error::config_unsupported(ErrorDomain::Lxc, words)
}
