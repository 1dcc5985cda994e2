//! Features and the processor of machines: reading. A container has `privnet` and `capabilities` of its own, the rest is
//! kept.

use super::parse::Context;
use super::*;
use crate::cpuset::CpuSet;
use crate::refuse::{self, Place};
use crate::shape::{self, DOMAIN};
use crate::xml::Node;
use api::ErrorDomain;
use std::collections::{HashMap, HashSet};

/// Features in the order in which they are written; `privnet` and `capabilities` have fields of their own.
const FEATURES: [&str; 25] = [
    "acpi",
    "apic",
    "pae",
    "hap",
    "viridian",
    "privnet",
    "hyperv",
    "kvm",
    "pvspinlock",
    "capabilities",
    "pmu",
    "vmport",
    "gic",
    "smm",
    "ioapic",
    "hpt",
    "vmcoreinfo",
    "htm",
    "nested-hv",
    "msrs",
    "ccf-assist",
    "xen",
    "cfpc",
    "sbbc",
    "ibs",
];

pub(super) fn features(root: Node) -> Result<Features> {
    let mut features = Features {
        privnet: false,
        capability_policy: CapabilityPolicy::Default,
        capabilities: Vec::new(),
        kept: Vec::new(),
    };
    let Some(node) = root.child("features") else { return Ok(features) };
    let mut found: Vec<(usize, Element)> = Vec::new();
    for child in node.elements() {
        let name = child.name();
        let place = FEATURES.iter().position(|f| *f == name).or((name == "tcg").then_some(FEATURES.len()));
        let unknown = || refuse::unsupported(format!("unexpected feature '{name}'"));
        let place = place.ok_or_else(unknown).at(child)?;
        match name {
            "privnet" => features.privnet = true,
            "capabilities" => capabilities(child, &mut features).at(child)?,
            _ => {
                let Some(shape) = DOMAIN.shape("features").and_then(|shape| DOMAIN.child(shape, name)) else {
                    continue;
                };
                let mut element = feature(shape::normalise(&DOMAIN, shape, child)?, child).at(child)?;
                let at = found.iter().position(|(other, _)| *other == place);
                if let Some((_, before)) = at.map(|at| found.remove(at)) {
                    merge(before, element.as_mut(), &DOMAIN.names(shape));
                }
                found.extend(element.map(|element| (place, element)));
            }
        }
    }
    found.sort_by_key(|(place, _)| *place);
    features.kept = found.into_iter().map(|(_, element)| element).collect();
    Ok(features)
}

/// A group that is given twice has the settings of both; the later ones win.
fn merge(before: Element, element: Option<&mut Element>, order: &[&str]) {
    let Some(element) = element else { return };
    for child in before.children {
        if element.child(&child.name).is_none() {
            element.children.push(child);
        }
    }
    element.children.sort_by_key(|child| order.iter().position(|name| *name == child.name));
}

/// `None`: nothing is left of it.
fn feature(mut element: Element, node: Node) -> Result<Option<Element>> {
    match element.name.as_str() {
        "hap" | "pvspinlock" | "pmu" | "vmport" if element.attr("state").is_none() => element.set("state", "on"),
        "hyperv" | "kvm" | "xen" => {
            let family = match element.name.as_str() {
                "hyperv" => "HyperV Enlightenment",
                "kvm" => "KVM",
                _ => "Xen",
            };
            let shape = DOMAIN.shape("features").and_then(|shape| DOMAIN.child(shape, node.name()));
            for child in node.elements() {
                let known = shape.and_then(|shape| DOMAIN.child(shape, child.name()));
                let unknown = || refuse::unsupported(format!("unsupported {family} feature: {}", child.name()));
                let again = shape::normalise(&DOMAIN, known.ok_or_else(unknown).at(child)?, child)?;
                // Of several the last counts.
                if let Some(first) = element.child_mut(child.name()) {
                    *first = again;
                }
                if let Some(other) = child.elements().find(|inner| child.name() == "stimer" && inner.name() != "direct")
                {
                    let message = format!("unsupported Hyper-V stimer feature: {}", other.name());
                    return Err(refuse::unsupported(message)).at(other);
                }
            }
            element.children.iter().try_for_each(enlightenment)?;
        }
        "smm" => {
            if let Some(tseg) = element.child_mut("tseg") {
                let text = tseg.text.clone().unwrap_or_default();
                let path = "string(./features/smm/tseg)";
                let bad = || refuse::generic_xml(format!("Invalid value '{text}' for element or attribute '{path}'"));
                let value = crate::number::u64_of(&text, 10).ok_or_else(bad)?;
                let unit = tseg.attr("unit").unwrap_or_default().to_string();
                let (size, unit) = super::pinning::pretty(crate::number::scale(value, &unit, 1 << 20, u64::MAX)?);
                tseg.set("unit", unit);
                tseg.text = Some(size.to_string());
            }
        }
        "ioapic" | "hpt" | "cfpc" | "sbbc" | "ibs" | "tcg" if element.is_bare() => return Ok(None),
        _ => {}
    }
    Ok(Some(element))
}

fn enlightenment(feature: &Element) -> Result<()> {
    let on = feature.attr("state") == Some("on");
    match feature.name.as_str() {
        "spinlocks" if on => {
            let retries = feature.attr("retries").and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
            if retries < 4095 {
                return Err(refuse::xml("HyperV spinlock retry count must be at least 4095"));
            }
        }
        "dirty-ring" if on => {
            let size = feature.attr("size").and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
            if !size.is_power_of_two() || !(1_024..=65_536).contains(&size) {
                return Err(refuse::xml("dirty ring must be power of 2 and ranges [1024, 65536]"));
            }
        }
        "vendor_id" if on => match feature.attr("value") {
            None => return Err(refuse::xml("missing 'value' attribute for HyperV feature 'vendor_id'")),
            Some(value) if value.len() > 12 => {
                return Err(refuse::xml("HyperV vendor_id value must not be more than 12 characters."));
            }
            Some(value) if value.contains(',') => {
                return Err(refuse::xml("HyperV vendor_id value is invalid"));
            }
            Some(_) => {}
        },
        _ => {}
    }
    Ok(())
}

fn capabilities(node: Node, features: &mut Features) -> Result<()> {
    let policy = refuse::word(node, "policy", CapabilityPolicy::from_word)?;
    features.capability_policy = policy.unwrap_or(CapabilityPolicy::Default);
    for child in node.elements() {
        let unknown = || refuse::unsupported(format!("unexpected capability feature '{}'", child.name()));
        let capability = Capability::from_word(child.name()).ok_or_else(unknown).at(child)?;
        let on = refuse::word(child, "state", refuse::on_off).at(child)?.unwrap_or(true);
        features.capabilities.retain(|(other, _)| *other != capability);
        features.capabilities.push((capability, on));
    }
    features.capabilities.sort_by_key(|(capability, _)| *capability);
    Ok(())
}

/// `<cpu>`, kept: what it says without having been told, and its NUMA cells.
pub(super) fn cpu(root: Node, context: &Context, vcpu: &Vcpu) -> Result<Option<Element>> {
    let Some(node) = root.child("cpu") else { return Ok(None) };
    let mut cpu = processor(node, context).map_err(refuse::by(ErrorDomain::Cpu)).at(node)?;
    // The cells of all processors count.
    for more in root.all("cpu").skip(1).filter_map(|cpu| cpu.child("numa")) {
        let more = context.keep(more, "cpuNuma")?;
        match cpu.child_mut("numa") {
            Some(numa) => numa.children.extend(more.children),
            None => cpu.children.push(more),
        }
    }
    if let Some(numa) = cpu.child_mut("numa") {
        cells(numa, vcpu).at(node)?;
    }
    Ok(Some(cpu).filter(|cpu| !cpu.is_bare()))
}

fn processor(node: Node, context: &Context) -> Result<Element> {
    let mut cpu = context.keep(node, "cpu")?;
    let mode = cpu.attr("mode").map(str::to_string);
    let of_host = matches!(mode.as_deref(), Some("host-passthrough" | "maximum"));
    if cpu.attr("migratable").is_some() && !of_host {
        let words = "Attribute migratable is only allowed for 'host-passthrough' / 'maximum' CPU mode";
        return Err(refuse::unsupported(words));
    }
    let named = cpu.child("model").is_some_and(|model| model.text.is_some());
    let bare = |model: &Element| model.text.is_none() && model.attr("vendor_id").is_none();
    if cpu.child("model").is_some_and(bare) {
        cpu.remove("model");
    }
    let vendor = cpu.child("model").and_then(|model| model.attr("vendor_id"));
    if vendor.is_some_and(|vendor| vendor.len() != 12) {
        return Err(refuse::xml("vendor_id must be exactly 12 characters long"));
    }
    if cpu.child("vendor").is_some_and(|vendor| vendor.text.is_some()) && !named {
        return Err(refuse::xml("CPU vendor specified without CPU model"));
    }
    if let Some(model) = cpu.child_mut("model").filter(|_| named) {
        if model.attr("fallback").is_none() {
            model.attrs.insert(0, ("fallback".to_string(), "allow".to_string()));
        }
    }
    let custom = cpu.attr("mode").is_none_or(|mode| mode == "custom");
    let features: Vec<&str> =
        cpu.children.iter().filter(|c| c.name == "feature").filter_map(|f| f.attr("name")).collect();
    if !features.is_empty() && custom && !named {
        return Err(refuse::xml("Non-empty feature list specified without CPU model"));
    }
    let mut seen = HashSet::new();
    if let Some(twice) = features.iter().find(|name| !seen.insert(**name)) {
        return Err(refuse::xml(format!("CPU feature '{twice}' specified more than once")));
    }
    let (given, kind) = (cpu.attr("match").map(str::to_string), cpu.attr("mode").map(str::to_string));
    cpu.attrs.retain(|(name, _)| !["match", "mode"].contains(&name.as_str()));
    if named && custom {
        let kind = ("match".to_string(), given.unwrap_or("exact".to_string()));
        cpu.attrs.splice(0..0, [("mode".to_string(), "custom".to_string()), kind]);
    } else if let Some(kind) = kind.filter(|_| !custom) {
        cpu.attrs.insert(0, ("mode".to_string(), kind));
    }
    if of_host {
        cpu.children.retain(|child| !["model", "vendor"].contains(&child.name.as_str()));
    }
    Ok(cpu)
}

fn cells(numa: &mut Element, vcpu: &Vcpu) -> Result<()> {
    let count = numa.children.iter().filter(|c| c.name == "cell").count();
    if count == 0 {
        return Err(refuse::xml("NUMA topology defined without NUMA cells"));
    }
    let mut owners: HashMap<u32, usize> = HashMap::new();
    let mut ids = HashSet::new();
    for (at, cell) in numa.children.iter_mut().filter(|c| c.name == "cell").enumerate() {
        if cell.attr("id").is_none() {
            cell.attrs.insert(0, ("id".to_string(), at.to_string()));
        }
        let id: usize = cell.attr("id").and_then(|id| id.parse().ok()).unwrap_or(0);
        if id >= count {
            let message = "Exactly one 'cell' element per guest NUMA cell allowed, non-contiguous ranges or ranges not \
                           starting from 0 are not allowed";
            return Err(refuse::xml(message));
        }
        if !ids.insert(id) {
            return Err(refuse::xml(format!("Duplicate NUMA cell info for cell id '{id}'")));
        }
        for cpu in cell.attr("cpus").and_then(CpuSet::parse).iter().flat_map(CpuSet::iter) {
            if let Some(other) = owners.insert(cpu, at).filter(|other| *other != at) {
                let message = format!("NUMA cells {at} and {other} have overlapping vCPU ids");
                return Err(refuse::unsupported(message));
            }
        }
    }
    if owners.len() > vcpu.maximum as usize {
        return Err(refuse::internal("Number of CPUs in <numa> exceeds the <vcpu> count"));
    }
    if owners.keys().any(|cpu| *cpu >= vcpu.maximum) {
        return Err(refuse::internal("CPU IDs in <numa> exceed the <vcpu> count"));
    }
    distances(numa, count);
    let id = |cell: &Element| cell.attr("id").and_then(|id| id.parse::<usize>().ok()).unwrap_or(usize::MAX);
    numa.children.sort_by_key(|child| if child.name == "cell" { id(child) } else { usize::MAX });
    Ok(())
}

/// Distances hold both ways, and each cell is 10 away from itself.
fn distances(numa: &mut Element, count: usize) {
    // As many cells as an honest document may have.
    if count > 1024 {
        return;
    }
    let mut matrix = std::collections::BTreeMap::new();
    let number = |element: &Element, name: &str| element.attr(name).and_then(|text| text.parse::<usize>().ok());
    for (at, cell) in numa.children.iter().filter(|c| c.name == "cell").enumerate() {
        let from = number(cell, "id").unwrap_or(at);
        for sibling in cell.child("distances").iter().flat_map(|d| &d.children) {
            let (Some(to), Some(value)) = (number(sibling, "id"), number(sibling, "value")) else { continue };
            matrix.insert((from, to), value);
            matrix.entry((to, from)).or_insert(value);
            matrix.insert((from, from), 10);
            matrix.insert((to, to), 10);
        }
    }
    for (at, cell) in numa.children.iter_mut().filter(|c| c.name == "cell").enumerate() {
        let from = number(cell, "id").unwrap_or(at);
        let siblings: Vec<Element> = matrix
            .range((from, 0)..(from + 1, 0))
            .map(|((_, to), value)| Element::new("sibling").with("id", to).with("value", value))
            .collect();
        cell.remove("distances");
        if !siblings.is_empty() {
            cell.children.insert(0, Element { children: siblings, ..Element::new("distances") });
        }
    }
}
