//! `<networkport>`: one interface plugged into a network.

use super::read::{internal, owned, unsupported, xml_error, yes_no};
use super::{parts, schema};
use crate::element::Element;
use crate::netdev;
use crate::xml::{Document, Node, Source, Writer};
use crate::{Bandwidth, Mac};
use api::{Error, ErrorDomain, Result, Uuid};
use std::net::Ipv4Addr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    pub uuid: Uuid,
    pub owner_name: String,
    pub owner_uuid: Uuid,
    pub group: Option<String>,
    pub mac: Mac,
    pub virtualport: Option<Element>,
    pub bandwidth: Option<Bandwidth>,
    /// The class of traffic that a bandwidth is of.
    pub class_id: Option<u32>,
    pub vlan: Option<Element>,
    pub trust_guest: Option<bool>,
    pub isolated: Option<bool>,
    pub plug: Plug,
    /// Kept for it by DHCP; our own element.
    pub address: Option<Ipv4Addr>,
}

/// Where the interface is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plug {
    None,
    /// A bridge that belongs to the network: the live interface stays `type='network'`.
    Network {
        bridge: String,
        mac_table_manager: Option<&'static str>,
    },
    /// A bridge of the host's: the live interface becomes `type='bridge'`.
    Bridge {
        bridge: String,
        mac_table_manager: Option<&'static str>,
    },
    /// A macvtap mode (`bridge`, `private`, `vepa`, `passthrough`) on a device of the host's: it becomes `type='direct'`.
    Direct {
        dev: String,
        mode: String,
    },
}

/// Of our own elements; libvirt passes over them.
const NAMESPACE: &str = "urn:virtlxc:network:1.0";
const DIRECT_MODES: &[&str] = &["vepa", "private", "bridge", "passthrough"];

impl Port {
    pub fn parse(xml: &[u8], validate: bool) -> Result<Port> {
        let source = Source { name: "(networkport_definition)", domain: ErrorDomain::Network };
        Port::parse_from(xml, source, validate)
    }

    pub fn parse_file(xml: &[u8], file: &str) -> Result<Port> {
        Port::parse_from(xml, Source { name: file, domain: ErrorDomain::Network }, false)
    }

    fn parse_from(xml: &[u8], source: Source, validate: bool) -> Result<Port> {
        let document = Document::parse(xml, source)?;
        let root = document.root();
        if validate {
            schema::check(root)?;
        }
        if root.name() != "networkport" {
            let words = format!("expecting root element of 'networkport', not '{}'", root.name());
            return Err(Error::xml(ErrorDomain::Xml, words));
        }
        let text = |path: &str| root.find(path).map(|node| node.text().into_owned()).filter(|text| !text.is_empty());
        let Some(uuid) = text("uuid") else { return internal("network port has no uuid") };
        let Some(uuid) = Uuid::parse(&uuid) else {
            return internal(format!("Unable to parse UUID '{uuid}'"));
        };
        let Some(owner_name) = text("owner/name") else {
            return internal("network port has no owner name");
        };
        let Some(owner_uuid) = text("owner/uuid") else {
            return internal("network port has no owner UUID");
        };
        let Some(owner_uuid) = Uuid::parse(&owner_uuid) else {
            return internal(format!("Unable to parse UUID '{owner_uuid}'"));
        };
        let Some(mac) = root.child("mac").and_then(|node| owned(node, "address")) else {
            return internal("network port has no mac");
        };
        let Some(mac) = Mac::parse(&mac) else {
            return internal(format!("Unable to parse MAC '{mac}'"));
        };
        let (bandwidth, class_id) =
            root.child("bandwidth").map(netdev::bandwidth_with_class).transpose()?.unwrap_or_default();
        Ok(Port {
            uuid,
            owner_name,
            owner_uuid,
            group: text("group"),
            mac,
            virtualport: parts::virtualport(root, true)?,
            bandwidth,
            class_id,
            vlan: parts::vlan(root)?,
            trust_guest: root.child("rxfilters").map(|node| yes_no(node, "trustGuest")).transpose()?.flatten(),
            isolated: root.child("port").map(|node| yes_no(node, "isolated")).transpose()?.flatten(),
            plug: root.child("plug").map_or(Ok(Plug::None), plug)?,
            address: root
                .elements()
                .find(|node| node.namespace() == Some(NAMESPACE) && node.name() == "address")
                .and_then(|node| node.attr("ip")?.parse().ok()),
        })
    }

    pub fn format(&self) -> String {
        let mut w = Writer::new();
        w.open("networkport");
        w.text("uuid", self.uuid);
        w.open("owner");
        w.text("name", &self.owner_name);
        w.text("uuid", self.owner_uuid);
        w.close();
        w.text_opt("group", self.group.as_ref());
        w.open("mac");
        w.attr("address", self.mac);
        w.close();
        self.virtualport.iter().for_each(|port| port.write(&mut w));
        self.bandwidth.iter().for_each(|bandwidth| bandwidth.write(&mut w, self.class_id));
        self.vlan.iter().for_each(|vlan| vlan.write(&mut w));
        for (element, name, value) in
            [("rxfilters", "trustGuest", self.trust_guest), ("port", "isolated", self.isolated)]
        {
            if let Some(value) = value {
                w.open(element);
                w.attr(name, if value { "yes" } else { "no" });
                w.close();
            }
        }
        write_plug(&mut w, &self.plug);
        if let Some(address) = self.address {
            w.open("virtlxc:address");
            w.attr("xmlns:virtlxc", NAMESPACE);
            w.attr("ip", address);
            w.close();
        }
        w.finish()
    }
}

fn plug(node: Node) -> Result<Plug> {
    let needed = |name: &str, kind: &str| match owned(node, name) {
        Some(value) => Ok(value),
        None => xml_error(format!("Missing network port {name} {}", if kind.is_empty() { "name" } else { kind })),
    };
    let mac_table_manager = match node.attr("macTableManager") {
        None => None,
        Some("kernel") => Some("kernel"),
        Some("libvirt") => Some("libvirt"),
        Some(other) => {
            return xml_error(format!("Invalid macTableManager setting '{other}' in network port"));
        }
    };
    match node.attr("type") {
        None => xml_error("Missing network port plug type"),
        Some("none") => Ok(Plug::None),
        Some("network") => Ok(Plug::Network { bridge: needed("bridge", "")?, mac_table_manager }),
        Some("bridge") => Ok(Plug::Bridge { bridge: needed("bridge", "")?, mac_table_manager }),
        Some("direct") => {
            let dev = needed("dev", "name")?;
            let mode = owned(node, "mode").unwrap_or_else(|| "vepa".to_string());
            if !DIRECT_MODES.contains(&mode.as_str()) {
                return xml_error(format!("Unsupported network port mode '{mode}'"));
            }
            Ok(Plug::Direct { dev, mode })
        }
        Some("hostdev-pci") => unsupported("PCI devices of a network cannot be plugged into containers"),
        Some(other) => unsupported(format!("Invalid network port plug type '{other}'")),
    }
}

fn write_plug(w: &mut Writer, plug: &Plug) {
    let bridged = |w: &mut Writer, kind: &str, bridge: &str, manager: Option<&str>| {
        w.open("plug");
        w.attr("type", kind);
        w.attr("bridge", bridge);
        w.attr_opt("macTableManager", manager);
        w.close();
    };
    match plug {
        Plug::None => {}
        Plug::Network { bridge, mac_table_manager } => bridged(w, "network", bridge, *mac_table_manager),
        Plug::Bridge { bridge, mac_table_manager } => bridged(w, "bridge", bridge, *mac_table_manager),
        Plug::Direct { dev, mode } => {
            w.open("plug");
            w.attr("type", "direct");
            w.attr("dev", dev);
            w.attr("mode", mode);
            w.close();
        }
    }
}
