//! `<forward>`: the way out of a network.

use super::address::{parse_ip, range_size};
use super::read::{detail, filled, unsigned, unsupported, xml_error, yes_no};
use super::{Forward, ForwardMode, Nat, PciAddress};
use crate::domain::pci_limits;
use crate::element::Element;
use crate::refuse;
use crate::xml::Node;
use api::Result;
use std::collections::HashSet;

const DRIVERS: &[&str] = &["kvm", "vfio", "xen"];

pub(super) fn forward(node: Node, network: &str) -> Result<Forward> {
    let mode = match filled(node, "mode") {
        None => ForwardMode::Nat,
        Some(text) => match ForwardMode::TABLE.iter().find(|(word, _)| *word == text) {
            Some((_, mode)) => *mode,
            None => return unsupported(format!("unknown forwarding type '{text}'")),
        },
    };
    let managed = node.attr("managed").is_some_and(|text| text.eq_ignore_ascii_case("yes"));
    let mut forward = Forward { mode, managed, ..Forward::default() };
    if let Some(name) = node.child("driver").and_then(|driver| filled(driver, "name")) {
        if !DRIVERS.contains(&name.as_str()) {
            return unsupported(format!("Unknown forward <driver name='{name}'/> in network {network}"));
        }
        forward.driver = Some(name);
    }
    let dev = filled(node, "dev");
    let mut nats = node.all("nat");
    if let Some(first) = nats.next() {
        if nats.next().is_some() {
            return xml_error(format!("Only one <nat> element is allowed in <forward> of network {network}"));
        }
        if mode != ForwardMode::Nat {
            return xml_error(format!(
                "The <nat> element can only be used when <forward> 'mode' is 'nat' in network {network}"
            ));
        }
        forward.nat = nat(first, network)?;
    }
    let pfs: Vec<Node> = node.all("pf").collect();
    let pools = node.all("address").count() + pfs.len();
    if dev.is_some() && pools > 0 {
        return xml_error(format!(
            "the <forward> 'dev' attribute cannot be used when <address> or <pf> sub-elements are present in network {network}"
        ));
    }
    interfaces(node, dev, network, &mut forward)?;
    if !forward.interfaces.is_empty() {
        return Ok(forward);
    }
    let mut seen = HashSet::new();
    for element in node.all("address") {
        let address = pci_address(element, network)?;
        let text = address.text();
        if !seen.insert(text.clone()) {
            return xml_error(format!("PCI device '{text}' can only be listed once in network {network}"));
        }
        forward.addresses.push(address);
    }
    if !forward.addresses.is_empty() {
        return Ok(forward);
    }
    if pfs.len() > 1 {
        return xml_error(format!("Only one <pf> element is allowed in <forward> of network {network}"));
    }
    if let Some(pf) = pfs.first() {
        let Some(dev) = pf.attr("dev") else {
            return xml_error(format!("Missing required dev attribute in <pf> element of network '{network}'"));
        };
        forward.pf = Some(dev.to_string());
    }
    Ok(forward)
}

fn interfaces(node: Node, dev: Option<String>, network: &str, forward: &mut Forward) -> Result<()> {
    let mut seen = HashSet::new();
    for element in node.all("interface") {
        let Some(name) = element.attr("dev") else {
            return xml_error(format!(
                "Missing required dev attribute in <forward> <interface> element of network {network}"
            ));
        };
        if forward.interfaces.is_empty()
            && let Some(dev) = dev.as_deref().filter(|dev| *dev != name)
        {
            return xml_error(format!(
                "<forward dev='{dev}'> must match first <interface dev='{name}'/> in network {network}"
            ));
        }
        if !seen.insert(name) {
            return xml_error(format!("interface '{name}' can only be listed once in network {network}"));
        }
        forward.interfaces.push(name.to_string());
    }
    if forward.interfaces.is_empty() {
        forward.interfaces.extend(dev);
    }
    Ok(())
}

pub(super) fn pci_address(node: Node, network: &str) -> Result<PciAddress> {
    match node.attr("type") {
        None => return xml_error(format!("missing address type in network {network}")),
        Some("pci") => {}
        Some(other @ ("drive" | "usb" | "ccid" | "virtio-serial" | "spapr-vio" | "ccw" | "isa" | "dimm")) => {
            return unsupported(format!("unsupported address type '{other}' in network {network}"));
        }
        Some(other) => return unsupported(format!("unknown address type '{other}' in network {network}")),
    }
    let number = |name: &str| Ok(refuse::unsigned(node, name, 0)?.unwrap_or(0));
    let address = PciAddress {
        domain: number("domain")?,
        bus: number("bus")?,
        slot: number("slot")?,
        function: number("function")?,
    };
    // As libvirt, without a look at the function.
    pci_limits(&Element::new("address").with("bus", address.bus).with("slot", address.slot))?;
    Ok(address)
}

fn nat(node: Node, network: &str) -> Result<Nat> {
    let ipv6 = yes_no(node, "ipv6")?;
    let mut nat = Nat { ipv6, ..Nat::default() };
    let place = |what: &str| format!("<{what}> element in <nat> in <forward> in network {network}");
    let mut addresses = node.all("address");
    if let Some(element) = addresses.next() {
        if addresses.next().is_some() {
            return xml_error(format!(
                "Only one <address> element is allowed in <nat> in <forward> in network {network}"
            ));
        }
        let given = |name: &'static str| match element.attr(name) {
            None => xml_error(format!("missing '{name}' attribute in {}", place("address"))),
            Some(text) => Ok((name, text)),
        };
        let read = |(name, text)| match parse_ip(text).filter(|address| address.is_ipv4()) {
            Some(address) => Ok(address),
            None => xml_error(format!("Bad ipv4 {name} address '{text}' in <nat> in <forward> in network '{network}'")),
        };
        let (start, end) = (given("start")?, given("end")?);
        let (start, end) = (read(start)?, read(end)?);
        range_size(start, end, None)?;
        nat.address = Some((start, end));
    }
    let mut ports = node.all("port");
    if let Some(element) = ports.next() {
        if ports.next().is_some() {
            let words = format!("Only one <port> element is allowed in <nat> in <forward> in network {network}");
            return xml_error(words);
        }
        let read = |name: &str, least: u16| match filled(element, name).map(|text| unsigned(&text)) {
            Some(Ok(port)) if port <= 65535 && port >= u32::from(least) => Ok(port as u16),
            _ => detail(format!(
                "Missing or invalid '{name}' attribute in <port> in <nat> in <forward> in network {network}"
            )),
        };
        let start = read("start", 0)?;
        nat.port = (start, read("end", start)?);
    }
    Ok(nat)
}
