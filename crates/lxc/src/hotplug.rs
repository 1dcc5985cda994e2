//! Devices attached, detached and changed: in the persistent definition here, in the running container by `hotplug_live` and
//! `hotplug_update`.

use crate::affect::Running;
use crate::driver::Driver;
use crate::object::DomainObject;
use api::{Error, ErrorDomain, Event, Result};
use conf::domain::{Device, Domain, FormatOptions, ParseOptions};
use std::cell::RefCell;
use std::sync::Arc;

impl Driver {
    pub fn attach_device(&self, object: &Arc<DomainObject>, xml: &[u8], flags: u32) -> Result<()> {
        let device = self.device(xml)?;
        let attached = RefCell::new(None);
        let change = |domain: &mut Domain, running: Option<&Running>| match running {
            Some(running) => {
                *attached.borrow_mut() = Some(self.attach_live(domain, running, device.clone())?);
                Ok(())
            }
            None => {
                domain.attach(device.clone())?;
                self.normalise(domain)
            }
        };
        self.change_and_tell(object, "attach device", flags, change, || {
            let event = |device| Event::DeviceAdded { domain: object.reference(), device };
            attached.take().map(event).into_iter().collect()
        })
    }

    pub fn detach_device(&self, object: &Arc<DomainObject>, xml: &[u8], flags: u32) -> Result<()> {
        let device = self.with_host(|host| Device::parse_wanted(xml, ParseOptions::default(), host))?;
        warn_of_dropped(xml);
        let detached = RefCell::new(None);
        let change = |domain: &mut Domain, running: Option<&Running>| match running {
            Some(running) => {
                *detached.borrow_mut() = Some(self.detach_live(domain, running, &device)?);
                Ok(())
            }
            None => domain.detach(&device),
        };
        self.change_and_tell(object, "detach device", flags, change, || {
            let event = |device| Event::DeviceRemoved { domain: object.reference(), device };
            detached.take().map(event).into_iter().collect()
        })
    }

    pub fn update_device(&self, object: &Arc<DomainObject>, xml: &[u8], flags: u32) -> Result<()> {
        let device = self.device(xml)?;
        self.change(object, "update device", flags, |domain, running| {
            if running.is_some() {
                return self.update_live(domain, &device);
            }
            domain.update(device.clone())?;
            self.normalise(domain)
        })
    }

    fn device(&self, xml: &[u8]) -> Result<Device> {
        let device = self.with_host(|host| Device::parse(xml, ParseOptions::default(), host))?;
        warn_of_dropped(xml);
        Ok(device)
    }

    /// A definition as it would be read from its file: with what goes along with a new device.
    fn normalise(&self, domain: &mut Domain) -> Result<()> {
        let xml = domain.format(FormatOptions::Inactive);
        *domain = self.parse(xml.as_bytes(), false)?;
        Ok(())
    }
}

fn warn_of_dropped(xml: &[u8]) {
    for warning in conf::domain::dropped(xml) {
        tracing::warn!("a device's document: {warning}");
    }
}

pub(crate) fn unsupported(words: impl Into<String>) -> Error {
    Error::config_unsupported(ErrorDomain::Lxc, words)
}
