//! `<network>`: what is kept of a virtual network's document, in libvirt's terms.
//! Elements and their order: libvirt's "Network XML format".

mod address;
mod complete;
mod dhcp;
mod dns;
mod format;
mod forward;
mod parse;
mod parts;
mod port;
mod read;
mod schema;
mod status;
mod update;
mod validate;

pub use address::{broadcast, in_subnet, mask_of, network_address, range_size};
pub use format::Connections;
pub use parse::{dropped, dropped_from_update};
pub use port::{Plug, Port};
pub use update::{Command, Section};

use crate::domain::Metadata;
use crate::element::Element;
use crate::{Bandwidth, Mac};
use api::Uuid;
use std::net::IpAddr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    pub name: String,
    pub uuid: Uuid,
    /// IPv6 between the domains, without an address on the bridge.
    pub ipv6: bool,
    pub trust_guest_rx_filters: Option<bool>,
    pub metadata: Option<Metadata>,
    pub forward: Forward,
    pub bridge: Bridge,
    /// 0: none given.
    pub mtu: u32,
    pub mac: Option<Mac>,
    pub domain: Option<String>,
    pub domain_local_only: Option<bool>,
    pub dns: Dns,
    pub vlan: Option<Element>,
    pub bandwidth: Option<Bandwidth>,
    pub port_isolated: Option<bool>,
    pub ips: Vec<Ip>,
    pub routes: Vec<StaticRoute>,
    pub virtualport: Option<Element>,
    pub portgroups: Vec<PortGroup>,
    /// Lines for dnsmasq's configuration.
    pub dnsmasq_options: Vec<String>,
}

/// Facts from outside that a document is completed or checked with.
pub struct Facts<'a> {
    /// For a document without `<uuid>`.
    pub new_uuid: Uuid,
    /// Whether the PCI device of this address (`0000:04:00.1`) is a virtual function.
    pub is_virtual_function: &'a dyn Fn(&str) -> bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bridge {
    pub name: Option<String>,
    pub zone: Option<String>,
    pub stp: bool,
    /// Seconds.
    pub delay: u64,
    pub mac_table_manager: Option<MacTableManager>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacTableManager {
    Kernel,
    Libvirt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardMode {
    /// Isolated.
    #[default]
    None,
    Nat,
    Route,
    Open,
    Bridge,
    Private,
    Vepa,
    Passthrough,
    Hostdev,
}

impl ForwardMode {
    pub(super) const TABLE: &[(&str, ForwardMode)] = &[
        ("none", ForwardMode::None),
        ("nat", ForwardMode::Nat),
        ("route", ForwardMode::Route),
        ("open", ForwardMode::Open),
        ("bridge", ForwardMode::Bridge),
        ("private", ForwardMode::Private),
        ("vepa", ForwardMode::Vepa),
        ("passthrough", ForwardMode::Passthrough),
        ("hostdev", ForwardMode::Hostdev),
    ];

    pub fn text(self) -> &'static str {
        Self::TABLE.iter().find(|(_, mode)| *mode == self).map_or("none", |(text, _)| text)
    }

    /// Whether the network has a bridge of its own, made when it starts.
    pub fn owns_bridge(self) -> bool {
        matches!(self, ForwardMode::None | ForwardMode::Nat | ForwardMode::Route | ForwardMode::Open)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forward {
    pub mode: ForwardMode,
    pub managed: bool,
    pub driver: Option<String>,
    pub nat: Nat,
    pub pf: Option<String>,
    pub interfaces: Vec<String>,
    pub addresses: Vec<PciAddress>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nat {
    pub ipv6: Option<bool>,
    pub address: Option<(IpAddr, IpAddr)>,
    /// Both 0: none given.
    pub port: (u16, u16),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PciAddress {
    pub domain: u32,
    pub bus: u32,
    pub slot: u32,
    pub function: u32,
}

impl PciAddress {
    pub fn text(&self) -> String {
        format!("{:04x}:{:02x}:{:02x}.{}", self.domain, self.bus, self.slot, self.function)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dns {
    pub enable: Option<bool>,
    pub forward_plain_names: Option<bool>,
    pub forwarders: Vec<Forwarder>,
    pub txts: Vec<DnsTxt>,
    pub srvs: Vec<DnsSrv>,
    pub hosts: Vec<DnsHost>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarder {
    pub domain: Option<String>,
    pub address: Option<IpAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsTxt {
    pub name: String,
    pub value: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DnsSrv {
    pub service: Option<String>,
    pub protocol: Option<String>,
    pub domain: Option<String>,
    pub target: Option<String>,
    /// 0 stands for none in each of these.
    pub port: u32,
    pub priority: u32,
    pub weight: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsHost {
    pub ip: Option<IpAddr>,
    pub names: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ip {
    /// As written.
    pub family: Option<String>,
    pub address: IpAddr,
    pub netmask: Option<IpAddr>,
    /// 0: none given.
    pub prefix: u32,
    pub local_ptr: Option<bool>,
    pub tftp_root: Option<String>,
    pub ranges: Vec<DhcpRange>,
    pub hosts: Vec<DhcpHost>,
    pub bootp: Option<Bootp>,
}

impl Ip {
    /// Bits of the subnet; `None` where the netmask has gaps.
    pub fn prefix(&self) -> Option<u8> {
        address::prefix(self.address, self.netmask, self.prefix)
    }

    pub fn has_dhcp(&self) -> bool {
        !self.ranges.is_empty() || !self.hosts.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DhcpRange {
    pub start: IpAddr,
    pub end: IpAddr,
    pub lease: Option<Lease>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DhcpHost {
    /// As written.
    pub mac: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
    pub ip: Option<IpAddr>,
    pub lease: Option<Lease>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootp {
    pub file: String,
    pub server: Option<IpAddr>,
}

/// How long an address is lent; 0 is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    pub expiry: u64,
    pub unit: LeaseUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseUnit {
    Seconds,
    Minutes,
    Hours,
}

impl LeaseUnit {
    pub fn text(self) -> &'static str {
        match self {
            LeaseUnit::Seconds => "seconds",
            LeaseUnit::Minutes => "minutes",
            LeaseUnit::Hours => "hours",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticRoute {
    /// As written.
    pub family: Option<String>,
    pub address: IpAddr,
    pub netmask: Option<IpAddr>,
    pub prefix: Option<u32>,
    pub gateway: IpAddr,
    pub metric: Option<u32>,
}

impl StaticRoute {
    pub fn prefix(&self) -> Option<u8> {
        match self.prefix {
            Some(prefix) => u8::try_from(prefix).ok(),
            None => address::prefix(self.address, self.netmask, 0),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortGroup {
    pub name: String,
    pub default: bool,
    pub trust_guest_rx_filters: Option<bool>,
    pub vlan: Option<Element>,
    pub virtualport: Option<Element>,
    pub bandwidth: Option<Bandwidth>,
}

impl Network {
    /// The `<ip>` elements with their position among all.
    pub fn ipv4(&self) -> impl Iterator<Item = &Ip> {
        self.ips.iter().filter(|ip| ip.address.is_ipv4())
    }

    pub fn ipv6(&self) -> impl Iterator<Item = &Ip> {
        self.ips.iter().filter(|ip| ip.address.is_ipv6())
    }

    /// The group that a port of this name (or none) belongs to; an error is the caller's to make.
    pub fn portgroup(&self, name: Option<&str>) -> Option<&PortGroup> {
        match name {
            Some(name) => self.portgroups.iter().find(|group| group.name == name),
            None => self.portgroups.iter().find(|group| group.default),
        }
    }
}
