//! The parts of an interface's document that have rules of their own: virtual ports, VLANs, bandwidth, filters, models.

use super::parse::Context;
use super::*;
use crate::number;
use crate::refuse::{self, Place};
use crate::xml::Node;
use api::{Code, Error, ErrorDomain};

fn bare_xml(message: impl Into<String>) -> Error {
    Error::xml(ErrorDomain::None, message)
}

fn bare_unsupported(message: impl Into<String>) -> Error {
    Error::config_unsupported(ErrorDomain::None, message)
}

/// Parameters in the order in which they are written.
const PARAMETERS: [&str; 6] = ["managerid", "typeid", "typeidversion", "instanceid", "interfaceid", "profileid"];

pub(super) fn virtual_port(node: Node, kind: &str, context: &Context) -> Result<Element> {
    if !matches!(kind, "network" | "bridge" | "direct" | "hostdev") {
        let message = format!("<virtualport> element unsupported for <interface type='{kind}'>");
        return Err(refuse::unsupported(message));
    }
    let port = node.attr("type");
    let (needed, allowed): (&[&str], &[&str]) = match port {
        None if kind == "network" => (&[], &PARAMETERS),
        None => return Err(bare_xml("missing required virtualport type")),
        Some("802.1Qbg") => (&["managerid", "typeid", "typeidversion"], &PARAMETERS[..4]),
        Some("802.1Qbh") => (&["profileid"], &PARAMETERS[5..]),
        Some("openvswitch") => (&[], &PARAMETERS[4..]),
        Some("midonet") => (&["interfaceid"], &PARAMETERS[4..]),
        Some(other) => return Err(bare_unsupported(format!("unknown virtualport type {other}"))),
    };
    let mut parameters = Element::new("parameters");
    let given = node.child("parameters");
    for name in PARAMETERS {
        let Some(text) = given.and_then(|p| p.attr(name)) else { continue };
        let number = |most: u32| match number::u32_of(text, 0) {
            None => Err(bare_xml(format!("cannot parse value of {name} parameter"))),
            Some(number) if number > most => {
                let of = if name == "typeid" { "for" } else { "of" };
                Err(bare_xml(format!("value {of} {name} out of range")))
            }
            Some(number) => Ok(number.to_string()),
        };
        let value = match name {
            "managerid" | "typeidversion" => number(0xff)?,
            "typeid" => number(0xff_ffff)?,
            "profileid" if text.len() >= 40 => return Err(bare_xml("profileid parameter too long")),
            "profileid" => text.to_string(),
            _ => match Uuid::parse(text) {
                Some(uuid) => uuid.to_string(),
                None => return Err(bare_xml(format!("cannot parse {name} parameter as a uuid"))),
            },
        };
        parameters.set(name, value);
    }
    if let Some(port) = port {
        if let Some(missing) = needed.iter().find(|name| parameters.attr(name).is_none()) {
            let message = format!("missing {missing} in <virtualport type='{port}'>");
            return Err(Error::xml(ErrorDomain::Conf, message));
        }
        let generated = match port {
            "802.1Qbg" => Some("instanceid"),
            "openvswitch" => Some("interfaceid"),
            _ => None,
        };
        if let Some(name) = generated.filter(|name| parameters.attr(name).is_none()) {
            parameters.set(name, context.random_uuid());
        }
        if let Some((extra, _)) = parameters.attrs.iter().find(|(name, _)| !allowed.contains(&name.as_str())) {
            let message = format!("extra {extra} unsupported in <virtualport type='{port}'>");
            return Err(Error::xml(ErrorDomain::Conf, message));
        }
    }
    if port == Some("midonet") {
        parameters.unset("profileid");
    }
    if port.is_none() {
        // Either may be needed by what the network turns out to be.
        for name in ["instanceid", "interfaceid"] {
            if parameters.attr(name).is_none() {
                parameters.set(name, context.random_uuid());
            }
        }
    }
    parameters.attrs.sort_by_key(|(name, _)| PARAMETERS.iter().position(|p| p == name));
    let mut element = Element::new("virtualport");
    if let Some(port) = port {
        element.set("type", port);
    }
    if !parameters.is_bare() {
        element.children.push(parameters);
    }
    Ok(element)
}

pub(super) fn vlan(node: Node) -> Result<Element> {
    let mut native = false;
    let mut tags = Vec::new();
    for tag in node.all("tag") {
        refuse::required(tag, "id").at(tag)?;
        let text = tag.attr("id").unwrap_or_default();
        let bad = || refuse::bad_attribute("tag", "id", text, " Expected non-negative integer value");
        let id = number::u32_of(text, 10).ok_or_else(bad).at(tag)?;
        if id > 4095 {
            return Err(bare_xml(format!("vlan tag id {id} too large (maximum 4095)"))).at(tag);
        }
        let mut element = Element::new("tag").with("id", id);
        match tag.attr("nativeMode") {
            None | Some("default") => {}
            Some(mode @ ("tagged" | "untagged")) => {
                if native {
                    return Err(bare_xml("duplicate native vlan setting")).at(tag);
                }
                native = true;
                element.set("nativeMode", mode);
            }
            Some(mode) => return Err(refuse::bad_attribute("tag", "nativeMode", mode, "")).at(tag),
        }
        tags.push(element);
    }
    if tags.is_empty() {
        return Err(bare_xml("missing tag id - each <vlan> must have at least one <tag id='n'/> subelement"));
    }
    let mut trunk = tags.len() > 1;
    match node.attr("trunk") {
        None => {}
        Some("yes") => trunk = true,
        Some("no") if native => {
            return Err(bare_xml(
                "invalid configuration in <vlan> - \"trunk='no'\" is not allowed with a native vlan id",
            ));
        }
        Some("no") if trunk => {
            let message = "invalid \"trunk='no'\" in <vlan> - trunk='yes' is required for more than one vlan tag";
            return Err(bare_xml(message));
        }
        Some("no") => {}
        Some(other) => return Err(bare_xml(format!("invalid \"trunk='{other}'\" in <vlan> - must be yes or no"))),
    }
    let mut element = Element { children: tags, ..Element::new("vlan") };
    if trunk {
        element.set("trunk", "yes");
    }
    Ok(element)
}

/// `None`: neither direction is named.
pub(super) fn bandwidth(node: Node) -> Result<Option<Bandwidth>> {
    let bare = |message: &str| Error::new(ErrorDomain::None, Code::XmlDetail, message);
    if node.attr("classID").is_some() {
        return Err(bare("classID attribute not supported on <bandwidth> in this usage context"));
    }
    let mut rates = [None, None];
    for (rate, name) in rates.iter_mut().zip(["inbound", "outbound"]) {
        let mut all = node.all(name);
        let Some(first) = all.next() else { continue };
        if all.next().is_some() {
            return Err(bare(&format!("Only one child <{name}> element allowed")));
        }
        *rate = self::rate(first).at(first)?;
    }
    let [inbound, outbound] = rates;
    let named = node.child("inbound").or(node.child("outbound")).is_some();
    Ok(named.then_some(Bandwidth { inbound, outbound }))
}

/// `None`: no limit in it.
fn rate(node: Node) -> Result<Option<Rate>> {
    let number = |name: &str| match node.attr(name) {
        None => Ok(None),
        Some(text) => match number::u64_of(text, 10) {
            Some(number) => Ok(Some(number)),
            None => Err(bare_unsupported(format!("could not convert bandwidth {name} value '{text}'"))),
        },
    };
    let average = number("average")?;
    let peak = node.attr("peak");
    let burst = node.attr("burst");
    let floor = node.attr("floor");
    if average.is_none() && floor.is_none() {
        return Err(Error::new(ErrorDomain::None, Code::XmlDetail, "Missing mandatory average or floor attributes"));
    }
    if (peak.is_some() || burst.is_some()) && average.is_none() {
        return Err(bare_unsupported("'peak' and 'burst' require 'average' attribute"));
    }
    if floor.is_some() && node.name() == "outbound" {
        return Err(bare_unsupported("'floor' attribute allowed only in <inbound> element"));
    }
    let rate = Rate {
        average: average.unwrap_or(0),
        peak: number("peak")?.unwrap_or(0),
        burst: number("burst")?.unwrap_or(0),
        floor: number("floor")?.unwrap_or(0),
    };
    Ok(Some(rate).filter(|rate| rate.average != 0 || rate.floor != 0))
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

pub(super) fn model(node: Node) -> Result<Option<String>> {
    let Some(text) = node.attr("type").filter(|text| !["", "unknown"].contains(text)) else { return Ok(None) };
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
        return Err(Error::new(ErrorDomain::Domain, Code::InvalidArg, "Model name contains invalid characters"));
    }
    match MODELS.iter().find(|model| model.eq_ignore_ascii_case(text)) {
        Some(model) => Ok(Some(model.to_string())),
        None => Err(refuse::unsupported(format!("driver does not support net model '{text}'"))),
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
    kept.extend(actual.child("vlan").map(vlan).transpose()?);
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
        bandwidth: actual.child("bandwidth").map(bandwidth).transpose()?.flatten(),
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
                match Uuid::parse(text).filter(|_| name == "switchid") {
                    Some(uuid) => element.set(name, uuid),
                    None => element.set(name, text),
                }
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
    let persistent = teaming.attr("persistent").is_some();
    match teaming.attr("type") {
        Some("transient") if !persistent => {
            Err(refuse::unsupported("teaming persistent attribute must be set if teaming type is 'transient'"))
        }
        Some("persistent") if persistent => {
            Err(refuse::unsupported("teaming persistent attribute not allowed if teaming type is 'persistent'"))
        }
        None => Ok(None),
        Some(_) => Ok(Some(teaming)),
    }
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
