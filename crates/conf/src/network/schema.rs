//! Which elements and attributes are known, and where: for documents that are to be validated.

use crate::xml::Node;
use api::{Code, Error, ErrorDomain, Result};

struct Rule {
    /// The parent's and the element's name.
    at: (&'static str, &'static str),
    attributes: &'static str,
    children: &'static str,
}

const fn rule(parent: &'static str, name: &'static str, attributes: &'static str, children: &'static str) -> Rule {
    Rule { at: (parent, name), attributes, children }
}

const RULES: &[Rule] = &[
    rule(
        "",
        "network",
        "ipv6 trustGuestRxFilters connections",
        "name uuid title description metadata forward bridge mtu mac domain dns vlan bandwidth port ip route \
         virtualport portgroup options",
    ),
    rule("network", "forward", "dev mode managed", "driver nat pf interface address"),
    rule("forward", "driver", "name", ""),
    rule("forward", "nat", "ipv6", "address port"),
    rule("nat", "address", "start end", ""),
    rule("nat", "port", "start end", ""),
    rule("forward", "pf", "dev", ""),
    rule("forward", "interface", "dev connections", ""),
    rule("forward", "address", "type domain bus slot function", ""),
    rule("network", "bridge", "name zone stp delay macTableManager", ""),
    rule("network", "mtu", "size", ""),
    rule("network", "mac", "address", ""),
    rule("network", "domain", "name localOnly", ""),
    rule("network", "dns", "enable forwardPlainNames", "forwarder txt srv host"),
    rule("dns", "forwarder", "domain addr", ""),
    rule("dns", "txt", "name value", ""),
    rule("dns", "srv", "service protocol domain target port priority weight", ""),
    rule("dns", "host", "ip", "hostname"),
    rule("", "vlan", "trunk", "tag"),
    rule("vlan", "tag", "id nativeMode", ""),
    rule("", "bandwidth", "classID", "inbound outbound"),
    rule("bandwidth", "inbound", "average peak floor burst", ""),
    rule("bandwidth", "outbound", "average peak burst", ""),
    rule("network", "port", "isolated", ""),
    rule("network", "ip", "family address netmask prefix localPtr", "tftp dhcp"),
    rule("ip", "tftp", "root", ""),
    rule("ip", "dhcp", "", "range host bootp"),
    rule("dhcp", "range", "start end", "lease"),
    rule("dhcp", "host", "mac id name ip", "lease"),
    rule("", "lease", "expiry unit", ""),
    rule("dhcp", "bootp", "file server", ""),
    rule("network", "route", "family address netmask prefix gateway metric", ""),
    rule("", "virtualport", "type", "parameters"),
    rule("virtualport", "parameters", "managerid typeid typeidversion instanceid profileid interfaceid", ""),
    rule("network", "portgroup", "name default trustGuestRxFilters", "vlan virtualport bandwidth"),
    rule("", "networkport", "", "uuid owner group mac virtualport bandwidth vlan rxfilters port plug"),
    rule("networkport", "owner", "", "name uuid"),
    rule("networkport", "mac", "address", ""),
    rule("networkport", "rxfilters", "trustGuest", ""),
    rule("networkport", "port", "isolated", ""),
    rule("networkport", "plug", "type bridge dev mode managed macTableManager", "driver address"),
];

/// An element or attribute that is not known at its place.
pub(super) struct Unknown<'a> {
    at: Node<'a>,
    /// As libvirt's schema says it.
    words: String,
}

impl Unknown<'_> {
    pub fn text(&self) -> String {
        format!("line {}: {}: {}", self.at.line(), self.at.path(), self.words)
    }
}

/// Refuses the first element or attribute that is not known at its place.
pub(super) fn check(root: Node) -> Result<()> {
    let Some(first) = unknown(root, "", 1).into_iter().next() else { return Ok(()) };
    let text = format!(
        "Unable to validate doc against /usr/share/libvirt/schemas/network.rng\n{}\n (line {}, {})",
        first.words,
        first.at.line(),
        first.at.path()
    );
    Err(Error::new(ErrorDomain::Network, Code::XmlInvalidSchema, text))
}

/// At most so many. `home` is the element that the root stands in.
pub(super) fn unknown<'a>(root: Node<'a>, home: &str, most: usize) -> Vec<Unknown<'a>> {
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        let parent = node.parent().map_or(home, |parent| parent.name());
        let rule = RULES
            .iter()
            .find(|rule| rule.at == (parent, node.name()))
            .or_else(|| RULES.iter().find(|rule| rule.at == ("", node.name())));
        let known = |list: &str, name: &str| list.split_ascii_whitespace().any(|word| word == name);
        let attributes = rule.map_or("", |rule| rule.attributes);
        for attr in node.attrs().filter(|attr| attr.namespace.is_none() && !known(attributes, attr.name)) {
            let words = format!("Invalid attribute {} for element {}", attr.name, node.name());
            found.push(Unknown { at: node, words });
        }
        let Some(rule) = rule else { continue };
        for child in node.elements() {
            if !known(rule.children, child.name()) {
                let words = format!("Element {} has extra content: {}", node.name(), child.name());
                found.push(Unknown { at: child, words });
            } else if child.name() != "metadata" && child.namespace().is_none() {
                open.push(child);
            }
        }
        if found.len() >= most {
            found.truncate(most);
            break;
        }
    }
    found
}
