//! Virtual networks: bridge, firewall rules, dnsmasq, leases, and the ports that domains plug into.
#![forbid(unsafe_code)]

mod actions;
pub mod bandwidth;
mod bridge;
mod dnsmasq;
mod files;
mod firewall;
mod forwards;
mod hook;
mod leases;
mod ports;
mod program;
mod registry;
mod running;
mod sysctl;

pub use actions::{UPDATE_CONFIG, UPDATE_LIVE};
pub use forwards::PortForward;
pub use leases::Lease;
pub use ports::no_port;
pub use registry::{Handle, Networks, no_network_uuid};

use api::Uuid;
use conf::Bandwidth;

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
    /// What the network's group of ports limits it to.
    pub bandwidth: Option<Bandwidth>,
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
