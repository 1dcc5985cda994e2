//! A network's document read, in the order in which libvirt finds what is wrong with it.

use super::read::{filled, internal, owned, unsigned, xml_error, yes_no};
use super::{
    Bridge, Facts, Forward, ForwardMode, MacTableManager, Network, PortGroup, Section, dhcp, dns, forward, parts,
    schema, update, validate,
};
use crate::Mac;
use crate::domain::Metadata;
use crate::number;
use crate::refuse;
use crate::xml::{Document, Node, Source};
use api::{Code, Error, ErrorDomain, Result, Uuid};

pub(super) const DNSMASQ_NAMESPACE: &str = "http://libvirt.org/schemas/network/dnsmasq/1.0";

/// What of a client's document is dropped. One line each, and not more than is worth telling.
pub fn dropped(xml: &[u8]) -> Vec<String> {
    let source = Source { name: "(network_definition)", domain: ErrorDomain::Network };
    let Ok(document) = Document::parse(xml, source) else { return Vec::new() };
    schema::unknown(document.root(), "", 50).iter().map(schema::Unknown::text).collect()
}

/// The same of a document that changes a section.
pub fn dropped_from_update(section: Section, xml: &[u8]) -> Vec<String> {
    let Ok(document) = Document::parse(xml, update::SOURCE) else { return Vec::new() };
    let home = match section {
        Section::IpDhcpHost | Section::IpDhcpRange => "dhcp",
        Section::ForwardInterface | Section::ForwardPf => "forward",
        Section::DnsHost | Section::DnsTxt | Section::DnsSrv => "dns",
        Section::Portgroup | Section::Bridge | Section::Domain | Section::Ip | Section::Forward => "network",
    };
    schema::unknown(document.root(), home, 50).iter().map(schema::Unknown::text).collect()
}

impl Network {
    /// `validate` refuses what is not known at its place.
    pub fn parse(xml: &[u8], validate: bool, facts: &Facts) -> Result<Network> {
        let source = Source { name: "(network_definition)", domain: ErrorDomain::Network };
        let document = Document::parse(xml, source)?;
        let root = document.root();
        if validate {
            schema::check(root)?;
        }
        if root.name() != "network" {
            let words = format!("expecting root element of 'network', not '{}'", root.name());
            return Err(Error::xml(ErrorDomain::Xml, words));
        }
        let network = Network::from_node(root, facts.new_uuid)?;
        validate::validate(&network, facts)?;
        Ok(network)
    }

    /// A `<network>` element, not yet checked as a whole.
    pub(super) fn from_node(root: Node, new_uuid: Uuid) -> Result<Network> {
        let name = root.child("name").map(|node| node.text().into_owned()).filter(|name| !name.is_empty());
        let Some(name) = name else {
            return Err(Error::new(ErrorDomain::Network, Code::NoName, ""));
        };
        if name.contains('/') {
            return Err(refuse::bad_name('/'));
        }
        let uuid = match root.child("uuid").map(|node| node.text()).filter(|text| !text.is_empty()) {
            None => new_uuid,
            Some(text) => match Uuid::parse(&text) {
                Some(uuid) => uuid,
                None => return internal("malformed uuid element"),
            },
        };
        let ipv6 = match filled(root, "ipv6").as_deref() {
            None | Some("no") => false,
            Some("yes") => true,
            Some(other) => return xml_error(format!("Invalid ipv6 setting '{other}' in network '{name}'")),
        };
        let trust_guest_rx_filters = yes_no(root, "trustGuestRxFilters")?;
        let domain = root.child("domain");
        let domain_local_only = domain.map(|node| yes_no(node, "localOnly")).transpose()?.flatten();
        let domain = domain.and_then(|node| owned(node, "name"));
        let bandwidth = parts::bandwidth(root)?;
        let vlan = parts::vlan(root)?;
        let port_isolated = root.child("port").map(|node| yes_no(node, "isolated")).transpose()?.flatten();
        let (bridge, stp_given) = bridge(root, &name)?;
        let mac = match root.child("mac").and_then(|node| filled(node, "address")) {
            None => None,
            Some(text) => match Mac::parse(&text) {
                None => return xml_error(format!("Invalid bridge mac address '{text}' in network '{name}'")),
                Some(mac) if mac.is_multicast() => {
                    return xml_error(format!("Invalid multicast bridge mac address '{text}' in network '{name}'"));
                }
                mac => mac,
            },
        };
        let mtu = match root.child("mtu").and_then(|node| filled(node, "size")) {
            None => 0,
            Some(text) => match unsigned(&text) {
                Ok(size) => size,
                Err(()) => return xml_error(format!("Invalid mtu size '{text}' in network '{name}'")),
            },
        };
        let mut network = Network {
            uuid,
            ipv6,
            trust_guest_rx_filters,
            metadata: root.child("metadata").map(Metadata::from_node),
            forward: Forward::default(),
            bridge,
            mtu,
            mac,
            domain,
            domain_local_only,
            dns: root.child("dns").map(|node| dns::dns(node, &name)).transpose()?.unwrap_or_default(),
            vlan,
            bandwidth,
            port_isolated,
            virtualport: parts::virtualport(root, true)?,
            portgroups: root.all("portgroup").map(portgroup).collect::<Result<_>>()?,
            ips: root.all("ip").map(|node| dhcp::ip(node, &name)).collect::<Result<_>>()?,
            routes: root.all("route").map(|node| dhcp::route(node, &name)).collect::<Result<_>>()?,
            dnsmasq_options: Vec::new(),
            name,
        };
        validate::routes_reachable(&network)?;
        if let Some(node) = root.child("forward") {
            network.forward = forward::forward(node, &network.name)?;
        }
        validate::fits_mode(&network, stp_given)?;
        network.dnsmasq_options = dnsmasq_options(root)?;
        Ok(network)
    }
}

/// The bridge, and whether its `stp` was given in words.
fn bridge(root: Node, network: &str) -> Result<(Bridge, bool)> {
    let Some(node) = root.child("bridge") else {
        return Ok((Bridge { stp: true, ..Bridge::default() }, false));
    };
    let stp = filled(node, "stp");
    let delay = match filled(node, "delay") {
        None => 0,
        Some(text) => match number::u64_of(&text, 10) {
            Some(delay) => delay,
            None => return xml_error(format!("Invalid delay value in network '{network}'")),
        },
    };
    let mac_table_manager = match filled(node, "macTableManager").as_deref() {
        None => None,
        Some("kernel") => Some(MacTableManager::Kernel),
        Some("libvirt") => Some(MacTableManager::Libvirt),
        Some(other) => {
            return xml_error(format!("Invalid macTableManager setting '{other}' in network '{network}'"));
        }
    };
    let bridge = Bridge {
        name: filled(node, "name"),
        zone: filled(node, "zone"),
        stp: stp.as_deref() != Some("off"),
        delay,
        mac_table_manager,
    };
    Ok((bridge, stp.is_some()))
}

pub(super) fn portgroup(node: Node) -> Result<PortGroup> {
    let Some(name) = filled(node, "name") else {
        return xml_error("Missing required name attribute in portgroup");
    };
    Ok(PortGroup {
        name,
        default: node.attr("default").is_some_and(|text| text.eq_ignore_ascii_case("yes")),
        trust_guest_rx_filters: yes_no(node, "trustGuestRxFilters")?,
        virtualport: parts::virtualport(node, false)?,
        bandwidth: parts::bandwidth(node)?,
        vlan: parts::vlan(node)?,
    })
}

fn dnsmasq_options(root: Node) -> Result<Vec<String>> {
    let ours = |node: &Node, name: &str| node.name() == name && node.namespace() == Some(DNSMASQ_NAMESPACE);
    root.elements()
        .filter(|node| ours(node, "options"))
        .flat_map(Node::elements)
        .filter(|node| ours(node, "option"))
        .map(|node| match node.attr("value") {
            Some(value) => Ok(value.to_string()),
            None => internal("No dnsmasq options value specified"),
        })
        .collect()
}

impl ForwardMode {
    /// Modes whose interfaces go onto a device of the host's, without a bridge.
    pub fn is_direct(self) -> bool {
        matches!(self, ForwardMode::Private | ForwardMode::Vepa | ForwardMode::Passthrough)
    }
}
