//! The part of `<cputune>` about single CPUs and threads of virtual machines, which is kept: pins, schedulers, caches.

use super::parse::Context;
use super::*;
use crate::cpuset::CpuSet;
use crate::refuse::{self, Place};
use crate::xml::Node;
use std::collections::HashMap;
use std::collections::HashSet;

pub(super) fn pinning(
    node: Node,
    context: &Context,
    vcpu: &Vcpu,
    kept: &[Element],
    into: &mut Vec<Element>,
) -> Result<()> {
    let online = |cpu: u32| cpu < vcpu.current.unwrap_or(vcpu.maximum);
    let mut seen = HashSet::new();
    let mut pins: Vec<(u32, Element)> = Vec::new();
    for pin in node.all("vcpupin") {
        let Some(cpu) = refuse::unsigned(pin, "vcpu", 10).at(pin)? else {
            return Err(refuse::missing_attribute("vcpupin", "vcpu")).at(pin);
        };
        let set = pinned(pin, "vcpupin").at(pin)?;
        if cpu < vcpu.maximum && online(cpu) && !seen.insert(cpu) {
            return Err(refuse::internal(format!("duplicate vcpupin for vcpu '{cpu}'"))).at(pin);
        }
        if cpu < vcpu.maximum && online(cpu) {
            pins.push((cpu, Element::new("vcpupin").with("vcpu", cpu).with("cpuset", set)));
        }
    }
    pins.sort_by_key(|(cpu, _)| *cpu);
    into.extend(pins.into_iter().map(|(_, pin)| pin));

    let mut emulator = node.all("emulatorpin");
    if let Some(pin) = emulator.next() {
        if let Some(second) = emulator.next() {
            return Err(refuse::xml("only one emulatorpin is supported")).at(second);
        }
        into.push(Element::new("emulatorpin").with("cpuset", pinned(pin, "emulatorpin").at(pin)?));
    }
    let threads = threads(kept);
    let mut pins: Vec<(u32, Element)> = Vec::new();
    for pin in node.all("iothreadpin") {
        let bad = || refuse::missing_attribute("iothreadpin", "iothread");
        let id = refuse::unsigned(pin, "iothread", 10).at(pin)?.ok_or_else(bad).at(pin)?;
        if id == 0 {
            let zero = "Invalid value for attribute 'iothread' in element 'iothreadpin': Zero is not permitted";
            return Err(refuse::generic_xml(zero)).at(pin);
        }
        if !threads.contains(&id) {
            return Err(refuse::unsupported(format!("Cannot find 'iothread' : {id}"))).at(pin);
        }
        let set = pinned(pin, "iothreadpin").at(pin)?;
        if pins.iter().any(|(other, _)| *other == id) {
            return Err(refuse::internal(format!("duplicate iothreadpin for same iothread '{id}'"))).at(pin);
        }
        pins.push((id, Element::new("iothreadpin").with("iothread", id).with("cpuset", set)));
    }
    // In the order of the threads.
    pins.sort_by_key(|(id, _)| threads.iter().position(|thread| thread == id));
    into.extend(pins.into_iter().map(|(_, pin)| pin));
    if let Some(scheduler) = node.child("emulatorsched") {
        into.push(context.keep(scheduler, "scheduler").map(|e| Element { name: "emulatorsched".to_string(), ..e })?);
    }
    schedulers(node, context, "vcpusched", "vcpus", into, |id| match id < vcpu.maximum {
        true => Ok(()),
        false => Err(refuse::unsupported(format!("vCPU '{id}' is not present in domain definition"))),
    })?;
    schedulers(node, context, "iothreadsched", "iothreads", into, |id| match threads.contains(&id) {
        true => Ok(()),
        false => Err(refuse::unsupported(format!("Cannot find 'iothread' : {id}"))),
    })?;
    let mut groups = Groups::default();
    for name in ["cachetune", "memorytune"] {
        for tune in node.all(name) {
            into.extend(allocation(tune, context, name, vcpu).at(tune)?);
            let Some(cpus) = tune.attr("vcpus").and_then(CpuSet::parse) else { continue };
            groups.add(name, cpus).at(tune)?;
        }
    }
    Ok(())
}

/// Which CPUs have a group already: they share all of it, or nothing.
#[derive(Default)]
struct Groups {
    sets: Vec<(&'static str, CpuSet)>,
    of: HashMap<u32, usize>,
}

impl Groups {
    fn add(&mut self, name: &'static str, cpus: CpuSet) -> Result<()> {
        for cpu in cpus.iter() {
            match self.of.get(&cpu).and_then(|at| self.sets.get(*at)) {
                Some((_, others)) if *others != cpus => return Err(refuse::xml("Overlapping vcpus in resctrls")),
                Some((other, _)) if *other == name => {
                    return Err(refuse::xml(format!("Identical vcpus in {name}s found")));
                }
                _ => {}
            }
        }
        self.of.extend(cpus.iter().map(|cpu| (cpu, self.sets.len())));
        self.sets.push((name, cpus));
        Ok(())
    }
}

/// A part of the cache or of the memory's bandwidth for some CPUs.
fn allocation(node: Node, context: &Context, name: &str, vcpu: &Vcpu) -> Result<Option<Element>> {
    let mut element = cache_sizes(context.keep(node, name)?);
    let missing = || refuse::xml(format!("Missing {name} attribute 'vcpus'"));
    let text = element.attr("vcpus").ok_or_else(missing)?;
    let set = CpuSet::parse(text);
    let set = set.ok_or_else(|| refuse::xml(format!("Invalid {name} attribute 'vcpus' value '{text}'")))?;
    let set = CpuSet::from_numbers(set.iter().filter(|cpu| *cpu < vcpu.maximum));
    let mut nodes = std::collections::HashSet::new();
    for child in element.children.iter().filter(|child| child.name == "node") {
        let id = child.attr("id").unwrap_or_default();
        if !nodes.insert(id) {
            return Err(refuse::xml(format!("Memory Bandwidth already defined for node {id}")));
        }
        if child.attr("bandwidth").and_then(|b| b.parse::<u32>().ok()).is_some_and(|percent| percent > 100) {
            return Err(refuse::xml("Memory Bandwidth value exceeding 100 is invalid."));
        }
    }
    element.set("vcpus", &set);
    Ok(Some(element).filter(|element| !element.children.is_empty() && !set.is_empty()))
}

/// Ids of the I/O threads.
fn threads(kept: &[Element]) -> Vec<u32> {
    let named = kept.iter().find(|e| e.name == "iothreadids");
    match (named, kept.iter().find(|e| e.name == "iothreads")) {
        (Some(ids), _) => ids.children.iter().filter_map(|t| t.attr("id")?.parse().ok()).collect(),
        (None, Some(count)) => (1..=count.text.as_deref().and_then(|t| t.parse().ok()).unwrap_or(0)).collect(),
        (None, None) => Vec::new(),
    }
}

fn pinned(node: Node, name: &str) -> Result<CpuSet> {
    let text = node.attr("cpuset").ok_or_else(|| refuse::internal(format!("missing cpuset for {name}")))?;
    let set = CpuSet::parse(text).ok_or_else(|| refuse::bad_bitmap(text))?;
    match set.is_empty() {
        true => Err(refuse::unsupported(format!("Invalid value of 'cpuset': {text}"))),
        false => Ok(set),
    }
}

/// One element for each of the CPUs or threads named.
fn schedulers(
    node: Node,
    context: &Context,
    name: &'static str,
    attribute: &str,
    into: &mut Vec<Element>,
    exists: impl Fn(u32) -> Result<()>,
) -> Result<()> {
    let mut seen = HashSet::new();
    let mut found: Vec<(u32, Element)> = Vec::new();
    for scheduler in node.all(name) {
        let text = scheduler.attr(attribute).filter(|text| !text.is_empty());
        let missing = || refuse::xml(format!("Missing attribute '{attribute}' in element '{name}'"));
        let text = text.ok_or_else(missing).at(scheduler)?;
        let set = CpuSet::parse(text).ok_or_else(|| refuse::bad_bitmap(text)).at(scheduler)?;
        let rules = context.keep(scheduler, "scheduler")?;
        for id in set.iter() {
            if !seen.insert(id) {
                let message = format!("'{name}' attributes '{attribute}' must not overlap");
                return Err(refuse::detail(message)).at(scheduler);
            }
            exists(id).at(scheduler)?;
            let mut element = Element::new(name).with(attribute, id);
            element.attrs.extend(rules.attrs.iter().cloned());
            found.push((id, element));
        }
    }
    found.sort_by_key(|(id, _)| *id);
    into.extend(found.into_iter().map(|(_, element)| element));
    Ok(())
}

/// Sizes of caches are written in the largest unit that divides them.
fn cache_sizes(mut element: Element) -> Element {
    for cache in element.children.iter_mut().filter(|c| c.name == "cache") {
        let unit = cache.attr("unit").unwrap_or_default().to_string();
        let Some(value) = cache.attr("size").and_then(|s| s.parse().ok()) else { continue };
        let Ok(bytes) = crate::number::scale(value, &unit, 1024, u64::MAX) else { continue };
        let (size, unit) = pretty(bytes);
        cache.set("size", size);
        cache.set("unit", unit);
    }
    element
}

pub(super) fn pretty(bytes: u64) -> (u64, &'static str) {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut at = (bytes, 0);
    while at.0 % 1024 == 0 && at.0 >= 1024 && at.1 < 6 {
        at = (at.0 / 1024, at.1 + 1);
    }
    (at.0, units[at.1])
}
