//! The parts of an interface's document that have rules of their own: filters, models, what a network has made of it.

use super::parse::{Check, Context};
use super::*;
use crate::netdev;
use crate::number;
use crate::refuse::{self, Place};
use crate::xml::Node;
use api::{Code, Error, ErrorDomain};

/// The virtual port of an interface of type `kind`.
pub(super) fn virtual_port(node: Node, kind: &str, context: &Context) -> Result<Element> {
    if !matches!(kind, "network" | "bridge" | "direct" | "hostdev") {
        let message = format!("<virtualport> element unsupported for <interface type='{kind}'>");
        return Err(refuse::unsupported(message));
    }
    netdev::virtual_port(node, kind != "network", Some(&|| context.random_uuid()))
}

/// Names of models that have a meaning to libvirt.
const MODELS: [&str; 20] = [
    "netfront",
    "rtl8139",
    "virtio",
    "e1000",
    "e1000e",
    "virtio-transitional",
    "virtio-non-transitional",
    "usb-net",
    "spapr-vlan",
    "lan9118",
    "scm91c111",
    "vlance",
    "vmxnet",
    "vmxnet2",
    "vmxnet3",
    "Am79C970A",
    "Am79C973",
    "82540EM",
    "82545EM",
    "82543GC",
];

pub(super) fn model(node: Node, context: &Context) -> Result<Option<String>> {
    let Some(text) = node.attr("type").filter(|text| !["", "unknown"].contains(text)) else { return Ok(None) };
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
        return Err(Error::new(ErrorDomain::Domain, Code::InvalidArg, "Model name contains invalid characters"));
    }
    match MODELS.iter().find(|model| model.eq_ignore_ascii_case(text)) {
        Some(model) => Ok(Some(model.to_string())),
        None => {
            let message = format!("driver does not support net model '{text}'");
            context.later::<()>(Check::Model, Err(refuse::unsupported(message)).at(node));
            Ok(None)
        }
    }
}

pub(super) fn filter(node: Node, kind: &str) -> Option<Element> {
    let name = node.attr("filter")?;
    if !matches!(kind, "ethernet" | "network" | "bridge") {
        return None;
    }
    let mut element = Element::new("filterref").with("filter", name);
    let mut parameters: Vec<Element> = Vec::new();
    for parameter in node.all("parameter") {
        if let (Some(name), Some(value)) = (parameter.attr("name"), parameter.attr("value")) {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            let fits = name.bytes().all(plain) && value.bytes().all(|b| plain(b) || matches!(b, b'.' | b':'));
            if fits && !name.is_empty() && !value.is_empty() {
                parameters.push(Element::new("parameter").with("name", name).with("value", value));
            }
        }
    }
    parameters.sort_by_key(|e| e.attr("name").map(str::to_string));
    element.children = parameters;
    Some(element)
}

/// What a virtual network has made of an interface, from a status file.
pub(super) fn actual(node: Node, context: &Context) -> Result<Option<Actual>> {
    let source = node.child("source");
    let Some(actual) = node.child("actual") else {
        // What a live document shows in place of it.
        let bridge = source.and_then(|s| s.attr("bridge")).filter(|_| node.attr("type") == Some("network"));
        return Ok(bridge.map(|bridge| Actual { bridge: Some(bridge.to_string()), ..Actual::default() }));
    };
    let kind = match actual.attr("type") {
        Some("bridge") => ActualKind::Bridge,
        Some("direct") => ActualKind::Direct,
        Some("network") => ActualKind::Network,
        Some(other) => return Err(refuse::unsupported(format!("unsupported type '{other}' in interface's <actual>"))),
        None => return Err(refuse::missing_attribute("actual", "type")),
    };
    let attr = |name: &str| actual.child("source").and_then(|s| s.attr(name)).map(str::to_string);
    let mode = attr("mode").and_then(|mode| DirectMode::from_word(&mode)).unwrap_or(DirectMode::Vepa);
    let mut kept = Vec::new();
    if let Some(port) = actual.child("virtualport") {
        kept.push(virtual_port(port, kind.word(), context)?);
    }
    kept.extend(actual.child("vlan").map(netdev::vlan).transpose()?);
    if let Some(isolated) = actual.child("port").and_then(|p| p.attr("isolated")) {
        kept.push(Element::new("port").with("isolated", isolated));
    }
    let class = actual.child("class").and_then(|c| c.attr("id"));
    Ok(Some(Actual {
        kind,
        bridge: attr("bridge"),
        direct: attr("dev").filter(|_| kind == ActualKind::Direct).map(|dev| (dev, mode)),
        mac_table_manager: attr("macTableManager"),
        class_id: class.and_then(|id| number::u32_of(id, 10)),
        bandwidth: actual.child("bandwidth").map(netdev::bandwidth).transpose()?.flatten(),
        trust_guest_rx_filters: refuse::word(actual, "trustGuestRxFilters", refuse::yes_no)?,
        kept,
    }))
}

/// `<source>` of types that a container cannot have.
pub(super) fn other_source(node: Node, kind: &str, context: &Context) -> Result<Element> {
    let mut element = Element::new("source");
    let optional = |element: &mut Element, name: &str| {
        if let Some(value) = node.attr(name) {
            element.set(name, value);
        }
    };
    match kind {
        "vhostuser" => {
            let shape = context.keep(node, "vhostuserSource")?;
            let missing = |what: &str| refuse::missing_attribute("source", what);
            for name in ["type", "path", "mode"] {
                if shape.attr(name).is_none() {
                    return Err(missing(name));
                }
            }
            return Ok(shape);
        }
        "server" | "client" | "mcast" | "udp" => {
            let port = |node: Node| -> Result<i32> {
                let text = refuse::required(node, "port")?;
                let bad = || refuse::bad_attribute(node.name(), "port", text, " Expected integer value");
                number::i32_of(text, 10).ok_or_else(bad).at(node)
            };
            if kind != "server" || node.attr("address").is_some() {
                element.set("address", refuse::required(node, "address")?);
            }
            element.set("port", port(node)?);
            if kind == "udp" {
                let missing = || refuse::xml("'<local>' element missing for 'udp' socket interface");
                let local = node.child("local").ok_or_else(missing)?;
                let address = refuse::required(local, "address")?;
                element.children.push(Element::new("local").with("address", address).with("port", port(local)?));
            }
        }
        "internal" => element.set("name", refuse::required(node, "name")?),
        "vdpa" => element.set("dev", refuse::required(node, "dev")?),
        "vds" => {
            for name in ["switchid", "portid", "portgroupid", "connectionid"] {
                let text = refuse::required(node, name)?;
                if name != "switchid" {
                    element.set(name, text);
                    continue;
                }
                let bad = || refuse::bad_attribute("source", name, text, " Expected UUID");
                element.set(name, Uuid::parse(text).ok_or_else(bad)?);
            }
        }
        _ => {
            for name in ["dev", "mode"] {
                optional(&mut element, name);
            }
            match node.child("address") {
                Some(address) if address.attr("type") == Some("usb") => {
                    let mut kept = Element::new("address").with("type", "usb");
                    for name in ["bus", "device"] {
                        refuse::required(address, name)?;
                        kept.set(name, refuse::unsigned(address, name, 0)?.unwrap_or(0));
                    }
                    element.children.push(kept);
                }
                Some(address) if address.attr("type").is_some_and(|kind| kind != "pci") => {
                    let kind = address.attr("type").unwrap_or_default();
                    return Err(refuse::unsupported(format!("unknown host device source address type '{kind}'")));
                }
                Some(address) => element.children.push(context.keep(address, "address")?),
                None => {}
            }
        }
    }
    Ok(element)
}

pub(super) fn teaming(node: Node, context: &Context) -> Result<Option<Element>> {
    let Some(node) = node.child("teaming") else { return Ok(None) };
    let teaming = context.keep(node, "teaming")?;
    let wrong = match (teaming.attr("type"), teaming.attr("persistent").is_some()) {
        (Some("transient"), false) => Some("must be set if teaming type is 'transient'"),
        (Some("persistent"), true) => Some("not allowed if teaming type is 'persistent'"),
        (None, _) => return Ok(None),
        _ => None,
    };
    if let Some(wrong) = wrong {
        let error = refuse::unsupported(format!("teaming persistent attribute {wrong}"));
        context.later::<()>(Check::Interface, Err(error).at(node));
    }
    Ok(Some(teaming))
}

/// `<coalesce><rx><frames max='…'/></rx></coalesce>`
pub(super) fn coalesce(node: Node) -> Result<Option<Element>> {
    let Some(text) = node.find("rx/frames").and_then(|frames| frames.attr("max")) else { return Ok(None) };
    let bad = || refuse::detail(format!("cannot parse value '{text}' for coalesce parameter"));
    let most = number::u32_of(text, 10).ok_or_else(bad)?;
    let frames = Element::new("frames").with("max", most);
    let coalesce = Element::new("coalesce").containing(Element::new("rx").containing(frames));
    Ok(Some(coalesce).filter(|_| most > 0))
}
