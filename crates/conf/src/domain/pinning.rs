//! The part of `<cputune>` about single CPUs and threads of virtual machines, which is kept: pins, schedulers, caches.

use super::parse::Context;
use super::*;
use crate::cpuset::CpuSet;
use crate::refuse::{self, Place};
use crate::xml::Node;

pub(super) fn pinning(
    node: Node,
    context: &Context,
    vcpu: &Vcpu,
    kept: &[Element],
    into: &mut Vec<Element>,
) -> Result<()> {
    let online = |cpu: u32| cpu < vcpu.current.unwrap_or(vcpu.maximum);
    let mut pins: Vec<(u32, Element)> = Vec::new();
    for pin in node.all("vcpupin") {
        let Some(cpu) = refuse::unsigned(pin, "vcpu", 10).at(pin)? else {
            return Err(refuse::missing_attribute("vcpupin", "vcpu")).at(pin);
        };
        let set = pinned(pin, "vcpupin").at(pin)?;
        if pins.iter().any(|(other, _)| *other == cpu) {
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
    for pin in node.all("iothreadpin") {
        let bad = || refuse::missing_attribute("iothreadpin", "iothread");
        let id = refuse::unsigned(pin, "iothread", 10).at(pin)?.ok_or_else(bad).at(pin)?.to_string();
        if !threads.contains(&id) {
            return Err(refuse::unsupported(format!("Cannot find 'iothread' : {id}"))).at(pin);
        }
        let set = pinned(pin, "iothreadpin").at(pin)?;
        into.push(Element::new("iothreadpin").with("iothread", id).with("cpuset", set));
    }
    if let Some(scheduler) = node.child("emulatorsched") {
        into.push(context.keep(scheduler, "scheduler").map(|e| Element { name: "emulatorsched".to_string(), ..e })?);
    }
    schedulers(node, context, "vcpusched", "vcpus", |id| id < vcpu.maximum && online(id), into)?;
    let has_thread = |id: u32| threads.iter().any(|thread| thread.parse() == Ok(id));
    schedulers(node, context, "iothreadsched", "iothreads", has_thread, into)?;
    for name in ["cachetune", "memorytune"] {
        for tune in node.all(name) {
            let element = context.keep(tune, name)?;
            into.extend(Some(cache_sizes(element)).filter(|element| !element.children.is_empty()));
        }
    }
    Ok(())
}

fn threads(kept: &[Element]) -> Vec<String> {
    let named = kept.iter().find(|e| e.name == "iothreadids");
    match (named, kept.iter().find(|e| e.name == "iothreads")) {
        (Some(ids), _) => ids.children.iter().filter_map(|t| t.attr("id")).map(str::to_string).collect(),
        (None, Some(count)) => {
            let count: u32 = count.text.as_deref().and_then(|t| t.parse().ok()).unwrap_or(0);
            (1..=count).map(|id| id.to_string()).collect()
        }
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
    exists: impl Fn(u32) -> bool,
    into: &mut Vec<Element>,
) -> Result<()> {
    let mut found: Vec<(u32, Element)> = Vec::new();
    for scheduler in node.all(name) {
        let rules = context.keep(scheduler, "scheduler")?;
        let text = scheduler.attr(attribute).filter(|text| !text.is_empty());
        let missing = || refuse::xml(format!("Missing {name} attribute '{attribute}'"));
        let text = text.ok_or_else(missing).at(scheduler)?;
        let set = CpuSet::parse(text).ok_or_else(|| refuse::bad_bitmap(text)).at(scheduler)?;
        for id in set.iter() {
            if found.iter().any(|(other, _)| *other == id) {
                let message = format!("'{name}' attributes '{attribute}' must not overlap");
                return Err(refuse::detail(message)).at(scheduler);
            }
            let mut element = Element::new(name).with(attribute, id);
            element.attrs.extend(rules.attrs.iter().cloned());
            found.push((id, element));
        }
    }
    found.sort_by_key(|(id, _)| *id);
    into.extend(found.into_iter().filter(|(id, _)| exists(*id)).map(|(_, element)| element));
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

fn pretty(bytes: u64) -> (u64, &'static str) {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut at = (bytes, 0);
    while at.0 % 1024 == 0 && at.0 >= 1024 && at.1 < 6 {
        at = (at.0 / 1024, at.1 + 1);
    }
    (at.0, units[at.1])
}
