//! Elements that networks share with interfaces of domains: `<bandwidth>`, `<vlan>`, `<virtualport>`.

use super::read::{unsigned_long, unsupported, xml_error};
use super::{Bandwidth, Rate, VirtualPort, Vlan, VlanTag};
use crate::xml::{Node, Writer};
use api::Result;

const LARGEST_TAG: u32 = 4095;
const VIRTUALPORT_KINDS: &[&str] = &["802.1Qbg", "802.1Qbh", "openvswitch", "midonet"];
const VIRTUALPORT_PARAMETERS: &[&str] =
    &["managerid", "typeid", "typeidversion", "instanceid", "profileid", "interfaceid"];

/// The `<bandwidth>` inside `parent`; `None` where it limits nothing.
pub(super) fn bandwidth(parent: Node, floor_allowed: bool) -> Result<Option<Bandwidth>> {
    let Some(node) = parent.child("bandwidth") else { return Ok(None) };
    let mut bandwidth = Bandwidth { class_id: unsigned_long(node, "classID")?, ..Bandwidth::default() };
    for (name, rate) in [("inbound", &mut bandwidth.inbound), ("outbound", &mut bandwidth.outbound)] {
        let mut found = node.elements().filter(|element| element.name() == name);
        let Some(element) = found.next() else { continue };
        if found.next().is_some() {
            return xml_error(format!("Only one child <{name}> element allowed"));
        }
        *rate = Some(read_rate(element)?);
    }
    if bandwidth.outbound.is_some_and(|rate| rate.floor > 0) {
        return xml_error("'floor' attribute allowed only in <inbound> element");
    }
    if bandwidth.inbound.is_some_and(|rate| rate.floor > 0) && !floor_allowed {
        return unsupported("floor attribute is not supported for this config");
    }
    Ok(Some(bandwidth).filter(|b| b.inbound.is_some() || b.outbound.is_some()))
}

fn read_rate(node: Node) -> Result<Rate> {
    let average = unsigned_long(node, "average")?;
    let peak = unsigned_long(node, "peak")?;
    let floor = unsigned_long(node, "floor")?;
    let burst = unsigned_long(node, "burst")?;
    if average.is_none() && floor.is_none() {
        return xml_error("Missing mandatory average or floor attributes");
    }
    if (peak.is_some() || burst.is_some()) && average.is_none() {
        return xml_error("'peak' and 'burst' require 'average' attribute");
    }
    let [average, peak, floor, burst] = [average, peak, floor, burst].map(Option::unwrap_or_default);
    Ok(Rate { average, peak, floor, burst })
}

pub(super) fn write_bandwidth(w: &mut Writer, bandwidth: Option<&Bandwidth>) {
    let Some(bandwidth) = bandwidth else { return };
    w.open("bandwidth");
    w.attr_opt("classID", bandwidth.class_id);
    for (name, rate) in [("inbound", bandwidth.inbound), ("outbound", bandwidth.outbound)] {
        let Some(rate) = rate else { continue };
        w.open(name);
        let fields = [("average", rate.average), ("peak", rate.peak), ("floor", rate.floor), ("burst", rate.burst)];
        for (name, value) in fields {
            w.attr_opt(name, Some(value).filter(|value| *value > 0));
        }
        w.close();
    }
    w.close();
}

pub(super) fn vlan(parent: Node) -> Result<Option<Vlan>> {
    let Some(node) = parent.child("vlan") else { return Ok(None) };
    let mut tags: Vec<VlanTag> = Vec::new();
    for element in node.all("tag") {
        let Some(id) = element.attr("id").and_then(|text| text.parse::<u32>().ok()) else {
            return xml_error("missing or invalid vlan tag id attribute");
        };
        if id > LARGEST_TAG {
            return xml_error(format!("vlan tag id {id} too large (maximum {LARGEST_TAG})"));
        }
        let native_mode = match element.attr("nativeMode") {
            None => None,
            Some("tagged") => Some("tagged"),
            Some("untagged") => Some("untagged"),
            Some(other) => {
                return xml_error(format!("Invalid \"nativeMode='{other}'\" in vlan <tag> element"));
            }
        };
        if native_mode.is_some() && tags.iter().any(|tag| tag.native_mode.is_some()) {
            return xml_error("duplicate native vlan setting");
        }
        tags.push(VlanTag { id, native_mode });
    }
    if tags.is_empty() {
        return xml_error("missing tag id - each <vlan> must have at least one <tag id='n'/> subelement");
    }
    let trunk = match node.attr("trunk") {
        _ if tags.iter().any(|tag| tag.native_mode.is_some()) => true,
        Some("yes") => true,
        Some(other) if tags.len() > 1 => {
            return xml_error(format!(
                "invalid \"trunk='{other}'\" in <vlan> - trunk='yes' is required for more than one vlan tag"
            ));
        }
        Some("no") => false,
        Some(other) => {
            return xml_error(format!("invalid \"trunk='{other}'\" in <vlan> - must be yes or no"));
        }
        None => tags.len() > 1,
    };
    Ok(Some(Vlan { trunk, tags }))
}

pub(super) fn write_vlan(w: &mut Writer, vlan: Option<&Vlan>) {
    let Some(vlan) = vlan else { return };
    w.open("vlan");
    w.attr_opt("trunk", vlan.trunk.then_some("yes"));
    for tag in &vlan.tags {
        w.open("tag");
        w.attr("id", tag.id);
        w.attr_opt("nativeMode", tag.native_mode);
        w.close();
    }
    w.close();
}

pub(super) fn virtualport(parent: Node, kind_required: bool) -> Result<Option<VirtualPort>> {
    let Some(node) = parent.child("virtualport") else { return Ok(None) };
    let kind = match node.attr("type") {
        None if kind_required => return xml_error("missing required virtualport type"),
        None => None,
        Some(text) => match VIRTUALPORT_KINDS.iter().find(|kind| **kind == text) {
            Some(kind) => Some(*kind),
            None => return unsupported(format!("unknown virtualport type {text}")),
        },
    };
    let mut port = VirtualPort { kind, parameters: Vec::new() };
    if let Some(parameters) = node.child("parameters") {
        for name in VIRTUALPORT_PARAMETERS {
            port.parameters.extend(parameters.attr(name).map(|value| (*name, value.to_string())));
        }
    }
    Ok(Some(port))
}

pub(super) fn write_virtualport(w: &mut Writer, port: Option<&VirtualPort>) {
    let Some(port) = port.filter(|port| port.kind.is_some() || !port.parameters.is_empty()) else { return };
    w.open("virtualport");
    w.attr_opt("type", port.kind);
    if !port.parameters.is_empty() {
        w.open("parameters");
        for (name, value) in &port.parameters {
            w.attr(name, value);
        }
        w.close();
    }
    w.close();
}
