//! The part of `<cputune>` about single CPUs and threads of virtual machines, which is kept: pins, schedulers, caches.

use super::parse::Context;
use super::*;
use crate::cpuset::CpuSet;
use crate::refuse::{self, Place};
use crate::xml::Node;
use api::{Code, Error, ErrorDomain};
use std::collections::{BTreeMap, HashMap, HashSet};

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
    let mut pinned_threads = HashSet::new();
    let mut pins: Vec<(u32, Element)> = Vec::new();
    for pin in node.all("iothreadpin") {
        let bad = || refuse::missing_attribute("iothreadpin", "iothread");
        let id = refuse::unsigned(pin, "iothread", 10).at(pin)?.ok_or_else(bad).at(pin)?;
        if id == 0 {
            return Err(refuse::zero_attribute("iothreadpin", "iothread")).at(pin);
        }
        if !threads.contains_key(&id) {
            return Err(refuse::unsupported(format!("Cannot find 'iothread' : {id}"))).at(pin);
        }
        let set = pinned(pin, "iothreadpin").at(pin)?;
        if !pinned_threads.insert(id) {
            return Err(refuse::internal(format!("duplicate iothreadpin for same iothread '{id}'"))).at(pin);
        }
        pins.push((id, Element::new("iothreadpin").with("iothread", id).with("cpuset", set)));
    }
    // In the order of the threads.
    pins.sort_by_key(|(id, _)| threads.get(id));
    into.extend(pins.into_iter().map(|(_, pin)| pin));
    if let Some(scheduler) = node.child("emulatorsched") {
        into.push(context.keep(scheduler, "scheduler").map(|e| Element { name: "emulatorsched".to_string(), ..e })?);
    }
    schedulers(node, context, "vcpusched", "vcpus", into, |id| match id < vcpu.maximum {
        true => Ok(()),
        false => Err(refuse::unsupported(format!("vCPU '{id}' is not present in domain definition"))),
    })?;
    schedulers(node, context, "iothreadsched", "iothreads", into, |id| match threads.contains_key(&id) {
        true => Ok(()),
        false => Err(refuse::unsupported(format!("Cannot find 'iothread' : {id}"))),
    })?;
    let mut groups = Groups::default();
    for name in ["cachetune", "memorytune"] {
        for tune in node.all(name) {
            groups.read(tune, context, vcpu).at(tune)?;
        }
    }
    groups.write(into);
    Ok(())
}

/// A part of the caches and of the memory's bandwidth for some CPUs, and who looks at it.
#[derive(Default)]
struct Group {
    cpus: CpuSet,
    /// Of a kind: those of `<cachetune>`, those of `<memorytune>`.
    parts: [Vec<Element>; 2],
    monitors: [Vec<Element>; 2],
    /// NUMA nodes whose bandwidth is told.
    nodes: HashSet<u32>,
    /// All of the group is looked at, for each kind.
    whole: [bool; 2],
    /// Other sets that are looked at, for each kind, and which one a CPU is in.
    watched: Vec<(CpuSet, [bool; 2])>,
    of: BTreeMap<u32, usize>,
}

/// CPUs share all of a group, or nothing.
#[derive(Default)]
struct Groups {
    groups: Vec<Group>,
    of: BTreeMap<u32, usize>,
}

/// What one of the CPUs belongs to: there is no more than that if it is for the same CPUs.
fn meeting(of: &BTreeMap<u32, usize>, cpus: &CpuSet) -> Option<usize> {
    cpus.ranges().find_map(|range| of.range(range).next().map(|(_, at)| *at))
}

impl Groups {
    fn read(&mut self, node: Node, context: &Context, vcpu: &Vcpu) -> Result<()> {
        let cpus = resource_cpus(node, vcpu)?;
        let memory = node.name() == "memorytune";
        let found = meeting(&self.of, &cpus);
        if found.is_some_and(|at| self.groups[at].cpus != cpus) {
            return Err(refuse::xml("Overlapping vcpus in resctrls"));
        }
        if found.is_some() && !memory {
            return Err(refuse::xml("Identical vcpus in cachetunes found"));
        }
        if cpus.is_empty() {
            return Ok(());
        }
        let element = context.keep(node, node.name())?;
        let (parts, monitors): (Vec<Element>, _) = element.children.into_iter().partition(|e| e.name != "monitor");
        if parts.is_empty() && monitors.is_empty() {
            return Ok(());
        }
        let at = found.unwrap_or(self.groups.len());
        if found.is_none() {
            self.of.extend(cpus.iter().map(|cpu| (cpu, at)));
            self.groups.push(Group { cpus, ..Group::default() });
        }
        let group = &mut self.groups[at];
        match memory {
            false => {
                group.parts[0] = parts;
                caches(&mut group.parts[0])?;
            }
            true => {
                bandwidths(&parts, &mut group.nodes)?;
                group.parts[1].extend(parts);
            }
        }
        node.all("monitor").zip(monitors).try_for_each(|(node, monitor)| group.watch(node, monitor, vcpu).at(node))
    }

    fn write(self, into: &mut Vec<Element>) {
        let mut groups = self.groups;
        for (kind, name) in ["cachetune", "memorytune"].into_iter().enumerate() {
            for group in &mut groups {
                let mut children = std::mem::take(&mut group.parts[kind]);
                if kind == 1 {
                    children.sort_by_key(|node| number(node, "id"));
                }
                children.append(&mut group.monitors[kind]);
                if !children.is_empty() {
                    into.push(Element { children, ..Element::new(name).with("vcpus", &group.cpus) });
                }
            }
        }
    }
}

impl Group {
    /// Adds somebody who looks at some of the group's CPUs.
    fn watch(&mut self, node: Node, mut monitor: Element, vcpu: &Vcpu) -> Result<()> {
        let refused = |words: &str| Err(Error::new(ErrorDomain::Domain, Code::InvalidArg, words));
        let kind = usize::from(monitor.attr("level").is_none());
        if let Some(level) = monitor.attr("level").filter(|level| *level != "3") {
            return Err(refuse::xml(format!("Invalid monitor cache level '{level}'")));
        }
        let cpus = resource_cpus(node, vcpu)?;
        if cpus.is_empty() {
            return refused("vcpus is empty");
        }
        if !self.cpus.covers(&cpus) {
            return refused("Monitor vcpus conflicts with allocation");
        }
        let all = cpus == self.cpus;
        // Who looks at a whole allocation looks at what is there anyway.
        let free = self.parts.iter().any(|parts| !parts.is_empty());
        let met = meeting(&self.of, &cpus);
        let same = met.filter(|at| self.watched[*at].0 == cpus);
        let kinds = if all { Some(self.whole) } else { same.map(|at| self.watched[at].1) };
        if kinds.is_some_and(|kinds| kinds[kind]) {
            return refused("Identical vcpus found in same type monitors");
        }
        let overlaps = match all {
            true => !free && met.is_some(),
            false => met.is_some() && same.is_none() || !free && self.whole.contains(&true),
        };
        if overlaps {
            return refused("vcpus overlaps in resctrl groups");
        }
        monitor.set("vcpus", &cpus);
        self.monitors[kind].push(monitor);
        if all {
            self.whole[kind] = true;
            return Ok(());
        }
        let at = same.unwrap_or(self.watched.len());
        if same.is_none() {
            self.of.extend(cpus.iter().map(|cpu| (cpu, at)));
            self.watched.push((cpus, [false; 2]));
        }
        self.watched[at].1[kind] = true;
        Ok(())
    }
}

/// Whose it is: only CPUs that there can be.
fn resource_cpus(node: Node, vcpu: &Vcpu) -> Result<CpuSet> {
    let name = node.name();
    let missing = || refuse::xml(format!("Missing {name} attribute 'vcpus'"));
    let text = node.attr("vcpus").ok_or_else(missing)?;
    let set = CpuSet::parse(text);
    let set = set.ok_or_else(|| refuse::xml(format!("Invalid {name} attribute 'vcpus' value '{text}'")))?;
    Ok(set.below(vcpu.maximum))
}

/// By level, by type, by cache; no part of a cache twice. Sizes are written in the largest unit that divides them.
fn caches(caches: &mut [Element]) -> Result<()> {
    const KINDS: [&str; 3] = ["both", "code", "data"];
    let mut taken: HashMap<(u32, u32), Vec<usize>> = HashMap::new();
    let place = |cache: &Element| {
        let kind = KINDS.iter().position(|kind| cache.attr("type") == Some(kind)).unwrap_or(0);
        (number(cache, "level"), kind, number(cache, "id"))
    };
    for cache in caches.iter_mut() {
        let (level, kind, id) = place(cache);
        let text = cache.attr("size").unwrap_or_default();
        let bad = || refuse::generic_xml(format!("Invalid value '{text}' for element or attribute './@size'"));
        let value = crate::number::u64_of(text, 10).ok_or_else(bad)?;
        let bytes = crate::number::scale(value, cache.attr("unit").unwrap_or_default(), 1024, u64::MAX)?;
        let others = taken.entry((level, id)).or_default();
        if others.iter().any(|other| *other == kind || *other == 0 || kind == 0) {
            let word = KINDS[kind];
            let words = format!("Colliding cache allocations for cache level '{level}' id '{id}', type '{word}'");
            return Err(resctrl(words));
        }
        others.push(kind);
        let (size, unit) = pretty(bytes);
        cache.set("size", size);
        cache.set("unit", unit);
    }
    caches.sort_by_key(place);
    Ok(())
}

/// Percents of the memory's bandwidth; `seen`: nodes that have one.
fn bandwidths(nodes: &[Element], seen: &mut HashSet<u32>) -> Result<()> {
    for node in nodes {
        let id = number(node, "id");
        if !seen.insert(id) {
            return Err(resctrl(format!("Memory Bandwidth already defined for node {id}")));
        }
        if number(node, "bandwidth") > 100 {
            return Err(resctrl("Memory Bandwidth value exceeding 100 is invalid."));
        }
    }
    Ok(())
}

fn number(element: &Element, name: &str) -> u32 {
    complete::number(element, name).unwrap_or(0)
}

/// Told by what divides caches and memory.
fn resctrl(message: impl Into<String>) -> Error {
    Error::xml(ErrorDomain::Resctrl, message)
}

/// Ids of the I/O threads, and which one in order each is.
fn threads(kept: &[Element]) -> HashMap<u32, usize> {
    let named = kept.iter().find(|e| e.name == "iothreadids");
    let ids: Vec<u32> = match (named, kept.iter().find(|e| e.name == "iothreads")) {
        (Some(ids), _) => ids.children.iter().filter_map(|t| t.attr("id")?.parse().ok()).collect(),
        (None, Some(count)) => (1..=count.text.as_deref().and_then(|t| t.parse().ok()).unwrap_or(0)).collect(),
        (None, None) => Vec::new(),
    };
    ids.into_iter().zip(0..).collect()
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

/// A size in the largest unit that divides it.
pub(super) fn pretty(bytes: u64) -> (u64, &'static str) {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut at = (bytes, 0);
    while at.0 % 1024 == 0 && at.0 >= 1024 && at.1 < 6 {
        at = (at.0 / 1024, at.1 + 1);
    }
    (at.0, units[at.1])
}
