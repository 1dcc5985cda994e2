//! Network interfaces.

use crate::element::Element;
use crate::mac::Mac;
use crate::netdev::Bandwidth;
use crate::words::words;
use api::Uuid;
use std::net::IpAddr;

#[derive(Debug, Clone, PartialEq)]
pub struct Interface {
    /// `managed='yes'` of a kept `hostdev` one.
    pub managed: bool,
    pub mac: Mac,
    /// The document gave no MAC address; this one was made up.
    pub mac_generated: bool,
    /// `type` and `check` of `<mac>`, kept.
    pub mac_kept: Vec<(String, String)>,
    pub source: InterfaceSource,
    /// The port taken in a virtual network, while it runs.
    pub port_id: Option<Uuid>,
    /// What a virtual network has made of the interface, while it runs.
    pub actual: Option<Actual>,
    /// Addresses inside the container.
    pub ips: Vec<InterfaceAddress>,
    pub routes: Vec<Route>,
    /// Name of the host's end: given, or `vnetN` while it runs.
    pub target_dev: Option<String>,
    /// `<target managed='no'>`
    pub target_managed: Option<bool>,
    /// Name in the container: given, or `ethN` while it runs.
    pub guest_dev: Option<String>,
    pub guest_actual: Option<String>,
    pub model: Option<String>,
    pub link_up: Option<bool>,
    /// 0: unset.
    pub mtu: u32,
    pub script: Option<String>,
    pub trust_guest_rx_filters: Option<bool>,
    /// `filter` and parameters of `<filterref>`.
    pub filterref: Option<Element>,
    /// In KiB/s and KiB.
    pub bandwidth: Option<Bandwidth>,
    /// `alias`, which only a status file or a device snippet has.
    pub alias: Option<String>,
    /// `vlan`, `virtualport`, `port`, `driver`, `tune`, `boot`, …: kept, in order.
    pub kept: Vec<Element>,
}

words! {
    /// How a macvlan passes frames between its siblings.
    DirectMode { Vepa = "vepa", Private = "private", Bridge = "bridge", Passthrough = "passthrough", }
}

#[derive(Debug, Clone, PartialEq)]
pub enum InterfaceSource {
    Network {
        network: String,
        portgroup: Option<String>,
    },
    Bridge {
        bridge: String,
    },
    Direct {
        dev: String,
        mode: DirectMode,
    },
    /// Addresses and routes of the host's end.
    Ethernet {
        ips: Vec<InterfaceAddress>,
        routes: Vec<Route>,
    },
    /// Every other type, which a container cannot have: its word and the normalised `<source>`.
    Other {
        kind: String,
        source: Option<Element>,
    },
}

impl InterfaceSource {
    /// The word of `<interface type='…'>`.
    pub fn kind(&self) -> &str {
        match self {
            InterfaceSource::Network { .. } => "network",
            InterfaceSource::Bridge { .. } => "bridge",
            InterfaceSource::Direct { .. } => "direct",
            InterfaceSource::Ethernet { .. } => "ethernet",
            InterfaceSource::Other { kind, .. } => kind,
        }
    }
}

/// What a `network` interface really is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Actual {
    pub kind: ActualKind,
    /// Bridge of a `network` or `bridge` one.
    pub bridge: Option<String>,
    /// Device and mode of a `direct` one.
    pub direct: Option<(String, DirectMode)>,
    /// `libvirt` where the bridge's forwarding table is managed.
    pub mac_table_manager: Option<String>,
    /// Number of the traffic class, where there is QoS.
    pub class_id: Option<u32>,
    pub bandwidth: Option<Bandwidth>,
    pub trust_guest_rx_filters: Option<bool>,
    /// `vlan`, `virtualport`, `port`: from the network or portgroup.
    pub kept: Vec<Element>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ActualKind {
    #[default]
    Network,
    Bridge,
    Direct,
}

impl ActualKind {
    pub fn word(self) -> &'static str {
        match self {
            ActualKind::Network => "network",
            ActualKind::Bridge => "bridge",
            ActualKind::Direct => "direct",
        }
    }
}

/// `<ip>` of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceAddress {
    pub address: IpAddr,
    /// `None`: the address's class decides.
    pub prefix: Option<u8>,
    pub peer: Option<IpAddr>,
}

/// `<route>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub family: Option<String>,
    pub address: IpAddr,
    pub netmask: Option<IpAddr>,
    pub prefix: Option<u8>,
    pub gateway: IpAddr,
    pub metric: Option<u32>,
}
