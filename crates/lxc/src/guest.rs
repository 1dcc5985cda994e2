//! A container seen from outside: its namespaces, its addresses and name on the network, a signal to its init.

use crate::affect::LIVE;
use crate::driver::Driver;
use crate::files::system;
use crate::object::{DomainObject, not_running};
use api::{Code, Error, ErrorDomain, Result};
use conf::Mac;
use conf::domain::{Interface, InterfaceSource};
use rustix::process::{Signal, pidfd_send_signal};
use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Kinds of namespaces in the order in which clients get them and enter them.
const NAMESPACES: [&str; 6] = ["user", "ipc", "uts", "net", "pid", "mnt"];

/// `virDomainInterfaceAddressesSource`
const FROM_LEASES: u32 = 0;
const FROM_ARP: u32 = 2;

/// One interface and what addresses it is known to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestInterface {
    pub name: String,
    pub mac: String,
    /// With the length of the prefix.
    pub addresses: Vec<(IpAddr, u8)>,
}

impl Driver {
    /// The namespaces of the container's init, for who wants to enter them.
    pub fn namespaces(&self, object: &DomainObject) -> Result<Vec<OwnedFd>> {
        let (_, running) = Driver::asked(object, LIVE)?;
        let running = running.ok_or_else(not_running)?;
        let Some(init) = &running.init else {
            return Err(Error::operation_invalid(ErrorDomain::Lxc, "Init pid is not yet available"));
        };
        let folder = self.paths.proc.join(init.pid.to_string()).join("ns");
        let mut found = Vec::new();
        for kind in NAMESPACES {
            match File::open(folder.join(kind)) {
                Ok(namespace) => found.push(namespace.into()),
                // A kernel without that kind.
                Err(e) if e.kind() == io::ErrorKind::NotFound && folder.exists() => {}
                Err(e) => return Err(system(&e, format!("failed to open '{}'", folder.join(kind).display()))),
            }
        }
        init.is_there().map_err(|_| not_running())?;
        Ok(found)
    }

    /// To the init alone: the numbers of other processes are not known outside.
    pub fn send_signal(&self, object: &Arc<DomainObject>, pid: i64, signal: u32) -> Result<()> {
        let _job = object.begin("send signal")?;
        let init = {
            let state = object.lock();
            let live = state.running()?;
            if pid != 1 {
                let words = "Only the init process may be killed";
                return Err(Error::new(ErrorDomain::Lxc, Code::ArgumentUnsupported, words));
            }
            let no_init = || Error::operation_invalid(ErrorDomain::Lxc, "Init pid is not yet available");
            live.init.as_ref().map(|(_, fd)| Arc::clone(fd)).ok_or_else(no_init)?
        };
        if signal == 0 {
            return Ok(());
        }
        let signal = i32::try_from(signal).ok().and_then(Signal::from_named_raw).ok_or_else(|| {
            let words = format!("signal number {signal} is not one that can be sent");
            Error::new(ErrorDomain::Lxc, Code::ArgumentUnsupported, words)
        })?;
        pidfd_send_signal(&init, signal)
            .map_err(|e| system(&e.into(), format!("Unable to send {} signal to process 1", signal.as_raw())))
    }

    pub fn addresses(&self, object: &DomainObject, source: u32) -> Result<Vec<GuestInterface>> {
        let (domain, _) = Driver::asked(object, LIVE)?;
        let mut found = Vec::new();
        for interface in &domain.interfaces {
            let addresses = match source {
                FROM_LEASES => self.leased(interface)?,
                FROM_ARP => self.in_arp_table(&interface.mac),
                other => {
                    let words = format!("Unknown IP address data source {other}");
                    return Err(Error::new(ErrorDomain::Lxc, Code::ArgumentUnsupported, words));
                }
            };
            if !addresses.is_empty() {
                let name = interface.target_dev.clone().unwrap_or_else(|| interface.mac.to_string());
                found.push(GuestInterface { name, mac: interface.mac.to_string(), addresses });
            }
        }
        match source {
            FROM_LEASES | FROM_ARP => Ok(found),
            other => {
                let words = format!("Unknown IP address data source {other}");
                Err(Error::new(ErrorDomain::Lxc, Code::ArgumentUnsupported, words))
            }
        }
    }

    fn leased(&self, interface: &Interface) -> Result<Vec<(IpAddr, u8)>> {
        let leases = self.leases(interface)?;
        Ok(leases.into_iter().map(|lease| (lease.address, lease.prefix)).collect())
    }

    fn leases(&self, interface: &Interface) -> Result<Vec<network::Lease>> {
        let InterfaceSource::Network { network, .. } = &interface.source else { return Ok(Vec::new()) };
        let handle = self.networks.by_name(network)?;
        self.networks.leases(&handle, Some(&interface.mac.to_string()))
    }

    fn in_arp_table(&self, mac: &Mac) -> Vec<(IpAddr, u8)> {
        let table = fs::read_to_string(self.paths.proc.join("self/net/arp")).unwrap_or_default();
        arp_entries(&table, mac)
    }

    /// The name that it has told the network's DHCP server.
    pub fn hostname(&self, object: &DomainObject) -> Result<String> {
        let (domain, _) = Driver::asked(object, LIVE)?;
        for interface in &domain.interfaces {
            let named = self.leases(interface)?.into_iter().find_map(|lease| lease.hostname);
            if let Some(name) = named {
                return Ok(name);
            }
        }
        let words = format!("no hostname found for domain {}", object.name);
        Err(Error::new(ErrorDomain::Lxc, Code::NoHostname, words))
    }
}

/// Addresses of complete entries with that MAC address.
fn arp_entries(table: &str, mac: &Mac) -> Vec<(IpAddr, u8)> {
    let entries = table.lines().skip(1).filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [address, _, _, hardware, ..] = words.as_slice() else { return None };
        (Mac::parse(hardware)? == *mac).then_some((address.parse().ok()?, 0))
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_by_mac() {
        let table = "IP address HW type Flags HW address Mask Device\n\
                     192.168.122.5 0x1 0x2 52:54:00:01:02:03 * virbr0\n192.168.122.6 0x1 0x2 52:54:00:01:02:04 * virbr0\n";
        let mac = Mac::parse("52:54:00:01:02:03").unwrap();
        assert_eq!(arp_entries(table, &mac), [("192.168.122.5".parse().unwrap(), 0)]);
    }
}
