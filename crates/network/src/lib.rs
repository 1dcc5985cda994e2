//! Virtual networks: bridge, firewall rules, dnsmasq, leases, and the ports that domains plug into.
#![forbid(unsafe_code)]

use api::{Error, ErrorDomain, Event, Paths, Result, Uuid};
use std::sync::Arc;

/// All networks of one daemon.
pub struct Networks {
    _paths: Paths,
    _publish: Box<dyn Fn(Event) + Send + Sync>,
}

/// Who plugs an interface into a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortOwner {
    pub domain_name: String,
    pub domain_uuid: Uuid,
    pub mac: [u8; 6],
    /// `portgroup=` of the interface's `<source>`.
    pub portgroup: Option<String>,
}

/// Where an interface is to be connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortLink {
    pub port_id: Uuid,
    pub plug: Plug,
    pub mtu: Option<u32>,
    /// Kept from the bridge's other isolated ports.
    pub isolated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plug {
    /// A bridge that belongs to the network: the live interface stays `type='network'`.
    Network { bridge: String },
    /// A bridge of the host's: the live interface becomes `type='bridge'`.
    Bridge { bridge: String },
    /// A macvtap mode (`bridge`, `private`, `vepa`, `passthrough`) on a device of the host's: it becomes `type='direct'`.
    Direct { dev: String, mode: String },
}

impl PortLink {
    /// The bridge that the host's end of a veth pair becomes a port of.
    pub fn bridge(&self) -> Option<&str> {
        match &self.plug {
            Plug::Network { bridge } | Plug::Bridge { bridge } => Some(bridge),
            Plug::Direct { .. } => None,
        }
    }
}

impl Networks {
    /// Loads what is defined and finds what runs; makes `default` where there never was a network; starts what is
    /// marked for autostart, once after each boot.
    pub fn new(paths: &Paths, publish: impl Fn(Event) + Send + Sync + 'static) -> Result<Arc<Networks>> {
        Ok(Arc::new(Networks { _paths: paths.clone(), _publish: Box::new(publish) }))
    }

    /// A port for one interface of a domain that starts.
    pub fn allocate_port(&self, network: &str, _owner: &PortOwner) -> Result<PortLink> {
        Err(not_yet(network))
    }

    /// After a restart of the daemon: the port that the domain's status file names. It is made anew where it is lost.
    pub fn claim_port(&self, network: &str, _port_id: &Uuid, _owner: &PortOwner) -> Result<PortLink> {
        Err(not_yet(network))
    }

    /// Nothing happens where the port or network is gone already.
    pub fn release_port(&self, _network: &str, _port_id: &Uuid) {}
}

fn not_yet(network: &str) -> Error {
    Error::config_unsupported(ErrorDomain::Network, format!("network '{network}': networks are not supported yet"))
}
