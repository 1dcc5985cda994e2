//! Memory, CPUs, I/O and NUMA: reading.

use super::parse::{Check, Context};
use super::*;
use crate::cpuset::CpuSet;
use crate::number::{self, MOST_MEMORY};
use crate::refuse::{self, Place};
use crate::xml::Node;
use api::{Code, Error, ErrorDomain};
use std::collections::{HashMap, HashSet};

/// `./NAME` with its unit, in KiB.
fn kib(parent: Node, name: &str, most: u64) -> Result<Option<u64>> {
    let Some(node) = parent.child(name).filter(|n| !n.text().is_empty()) else { return Ok(None) };
    let path = match parent.name() {
        "domain" => format!("./{name}[1]"),
        section => format!("./{section}/{name}[1]"),
    };
    scaled(node, &node.text(), &path, 1024, most).map(|bytes| Some(bytes.div_ceil(1024))).at(node)
}

/// The memory of a domain, which is less than what can be counted.
fn memory_kib(root: Node, name: &str) -> Result<Option<u64>> {
    let kib = kib(root, name, MOST_MEMORY)?;
    match root.child(name).filter(|_| kib.is_some_and(|kib| kib >= MOST_MEMORY.div_ceil(1024))) {
        Some(node) => Err(Error::new(ErrorDomain::Domain, Code::Overflow, "size value too large")).at(node),
        None => Ok(kib),
    }
}

/// A size in bytes; `path` as libvirt's words have it.
pub(super) fn scaled(node: Node, text: &str, path: &str, default: u64, most: u64) -> Result<u64> {
    let value = number::u64_of(text, 10)
        .ok_or_else(|| refuse::generic_xml(format!("Invalid value '{text}' for element or attribute '{path}'")))?;
    number::scale(value, node.attr("unit").unwrap_or_default(), default, most)
}

pub(super) fn memory(root: Node) -> Result<Memory> {
    let maximum = memory_kib(root, "memory")?;
    let dump_core = match root.child("memory") {
        Some(node) => refuse::word(node, "dumpCore", refuse::on_off).at(node)?,
        None => None,
    };
    let current = memory_kib(root, "currentMemory")?.unwrap_or(0);
    memory_kib(root, "maxMemory")?;
    let maximum = match maximum.unwrap_or(0) {
        0 => numa_memory(root)?,
        given => given,
    };
    root.child("maxMemory").map_or(Ok(0), slots)?;
    let current = if current == 0 || current > maximum { maximum } else { current };
    Ok(Memory { maximum, current, dump_core })
}

/// What is checked of memory when all has been read.
pub(super) fn enough_memory(root: Node, memory: &Memory, context: &Context) {
    if memory.maximum == 0 {
        let none = "Memory size must be specified via <memory> or in the <numa> configuration";
        context.later::<()>(Check::Memory, Err(refuse::xml(none)));
    }
    context.later(Check::Memory, root.child("maxMemory").map_or(Ok(()), max_memory));
    context.later(Check::MaxMemory, no_more_memory(root, memory));
}

fn no_more_memory(root: Node, memory: &Memory) -> Result<()> {
    let Some(node) = root.child("maxMemory") else { return Ok(()) };
    match kib(root, "maxMemory", MOST_MEMORY)?.unwrap_or(0) {
        0 => Ok(()),
        most if most < memory.maximum => {
            Err(refuse::xml("maximum memory size must be equal or greater than the actual memory size")).at(node)
        }
        _ => {
            let message = "memory hotplug tunables <maxMemory> are not supported by this hypervisor driver";
            Err(refuse::unsupported(message)).at(node)
        }
    }
}

fn slots(node: Node) -> Result<u32> {
    let bad = || refuse::xml("Failed to parse memory slot count");
    node.attr("slots").map_or(Ok(0), |text| number::u32_of(text, 10).ok_or_else(bad)).at(node)
}

/// Memory that can be plugged in: nothing that a container has.
fn max_memory(node: Node) -> Result<()> {
    let slots = slots(node)?;
    let given = !node.text().is_empty() && node.text() != "0";
    if slots > 0 && !given || slots == 0 && given {
        return Err(refuse::xml("both maximum memory size and memory slot count must be specified")).at(node);
    }
    Ok(())
}

/// All NUMA cells' memory, which stands in for a missing `<memory>`.
fn numa_memory(root: Node) -> Result<u64> {
    let mut sum = 0u64;
    for cell in root.find("cpu/numa").into_iter().flat_map(|numa| numa.all("cell")) {
        let Some(text) = cell.attr("memory") else { continue };
        let Some(value) = number::u64_of(text, 10) else { continue };
        let bytes = number::scale(value, cell.attr("unit").unwrap_or_default(), 1024, MOST_MEMORY).at(cell)?;
        sum = sum.saturating_add(bytes.div_ceil(1024));
    }
    Ok(sum)
}

pub(super) fn memtune(root: Node) -> Result<MemTune> {
    let Some(node) = root.child("memtune") else { return Ok(MemTune::default()) };
    /// As much as none.
    const UNLIMITED: u64 = 9_007_199_254_740_991;
    let limit = |name| kib(node, name, UNLIMITED << 10).map(|limit| limit.filter(|kib| *kib < UNLIMITED));
    Ok(MemTune {
        hard_limit: limit("hard_limit")?,
        soft_limit: limit("soft_limit")?,
        min_guarantee: limit("min_guarantee")?.filter(|kib| *kib != 0),
        swap_hard_limit: limit("swap_hard_limit")?,
    })
}

pub(super) fn blkiotune(root: Node, context: &Context) -> Result<BlkioTune> {
    let Some(node) = root.child("blkiotune") else { return Ok(BlkioTune::default()) };
    let weight = node.child("weight").and_then(|w| number::u32_of(&w.text(), 10)).unwrap_or(0);
    let mut devices: Vec<BlkioDevice> = Vec::new();
    let mut paths = HashSet::new();
    for device in node.all("device") {
        let found = blkio_device(device).at(device)?;
        if !paths.insert(found.path.clone()) {
            let words = format!("duplicate blkio device path '{}'", found.path);
            context.later::<()>(Check::Blkio, Err(refuse::unsupported(words)).at(device));
        }
        devices.push(found);
    }
    devices.retain(|d| (d.weight, d.read_iops, d.write_iops, d.read_bytes, d.write_bytes) != (0, 0, 0, 0, 0));
    Ok(BlkioTune { weight, devices })
}

fn blkio_device(node: Node) -> Result<BlkioDevice> {
    let mut device = BlkioDevice::default();
    let given = |name: &str| node.child(name).map(|child| child.text()).filter(|text| !text.is_empty());
    device.path = given("path").ok_or_else(|| refuse::unsupported("missing per-device path"))?.into_owned();
    // A negative number is a large one.
    let bad = |what: &str, text: &str| refuse::unsupported(format!("could not parse {what} {text}"));
    let small = |name: &str, what: &str| match given(name) {
        Some(text) => number::u32_wrapping(&text, 10).ok_or_else(|| bad(what, &text)),
        None => Ok(0),
    };
    let large = |name: &str, what: &str| match given(name) {
        Some(text) => number::u64_wrapping(&text, 10).ok_or_else(|| bad(what, &text)),
        None => Ok(0),
    };
    device.weight = small("weight", "weight")?;
    device.read_bytes = large("read_bytes_sec", "read bytes sec")?;
    device.write_bytes = large("write_bytes_sec", "write bytes sec")?;
    device.read_iops = small("read_iops_sec", "read iops sec")?;
    device.write_iops = small("write_iops_sec", "write iops sec")?;
    Ok(device)
}

pub(super) fn vcpu(root: Node) -> Result<Vcpu> {
    let vcpu = count(root)?;
    for single in root.child("vcpus").into_iter().flat_map(|vcpus| vcpus.all("vcpu")) {
        let id = refuse::unsigned(single, "id", 10).at(single)?;
        if let Some(id) = id.filter(|id| *id >= vcpu.maximum) {
            return Err(refuse::xml(format!("vcpu id '{id}' is out of range of maximum vcpu count"))).at(single);
        }
    }
    Ok(vcpu)
}

/// Nothing that a container has.
pub(super) fn single_vcpus(root: Node) -> Result<()> {
    match root.find("vcpus/vcpu") {
        Some(node) => Err(refuse::unsupported("individual CPU state configuration is not supported")).at(node),
        None => Ok(()),
    }
}

fn count(root: Node) -> Result<Vcpu> {
    let mut vcpu = Vcpu { maximum: 1, current: None, cpuset: None, placement: Placement::Static };
    let Some(node) = root.child("vcpu") else { return Ok(vcpu) };
    let text = node.text();
    {
        let not_integer = || refuse::xml("maximum vcpus count must be an integer");
        // A negative count ends libvirt's daemon; here it is refused as any other text.
        vcpu.maximum = number::u32_of(&text, 10).ok_or_else(not_integer).at(node)?;
    }
    if let Some(current) = node.attr("current") {
        let bad = || refuse::bad_attribute("vcpu", "current", current, " Expected non-negative integer value");
        let current = number::u32_of(current, 10).ok_or_else(bad).at(node)?;
        if current > vcpu.maximum {
            let few = "maximum vCPU count must not be less than current vCPU count";
            return Err(refuse::unsupported(few)).at(node);
        }
        vcpu.current = Some(current).filter(|current| *current != vcpu.maximum);
    }
    if vcpu.maximum == 0 {
        return Err(refuse::internal("CPU IDs in <numa> exceed the <vcpu> count")).at(node);
    }
    vcpu.placement = refuse::word(node, "placement", Placement::from_word).at(node)?.unwrap_or(Placement::Static);
    if let Some(text) = node.attr("cpuset").filter(|_| vcpu.placement == Placement::Static) {
        vcpu.cpuset = cpuset(text).at(node)?;
    }
    Ok(vcpu)
}

/// `None`: every CPU.
fn cpuset(text: &str) -> Result<Option<CpuSet>> {
    let set = CpuSet::parse(text).ok_or_else(|| refuse::bad_bitmap(text))?;
    match set.is_empty() {
        true => Err(refuse::unsupported(format!("Invalid value of 'cpuset': {text}"))),
        false => Ok(Some(set).filter(|set| !set.is_everything())),
    }
}

/// `<iothreads>` and `<iothreadids>`: as many ids as threads.
pub(super) fn iothreads(root: Node, context: &Context) -> Result<Vec<Element>> {
    let mut count = 0;
    if let Some(node) = root.child("iothreads").filter(|node| !node.text().is_empty()) {
        let text = node.text();
        let bad = || refuse::xml(format!("invalid iothreads count '{text}'"));
        count = number::u32_of(&text, 10).ok_or_else(bad).at(node)?;
    }
    let mut ids: HashSet<u32> = HashSet::new();
    let mut threads = Vec::new();
    if let Some(node) = root.child("iothreadids") {
        for thread in context.keep(node, "iothreadids")?.children {
            let id = thread.attr("id").and_then(|id| id.parse().ok()).unwrap_or(0);
            if !ids.insert(id) {
                return Err(refuse::xml(format!("duplicate iothread id '{id}' found"))).at(node);
            }
            thread_pool(&thread).at(node)?;
            threads.push(thread);
        }
    }
    let given = threads.len();
    // So many threads would only be a way to fill memory.
    if count > 1 << 16 {
        return Err(refuse::xml(format!("invalid iothreads count '{count}'")));
    }
    let mut next = 1;
    while threads.len() < count as usize {
        while ids.contains(&next) {
            next += 1;
        }
        ids.insert(next);
        threads.push(Element::new("iothread").with("id", next));
    }
    let mut kept = Vec::new();
    if !threads.is_empty() {
        kept.push(Element { text: Some(threads.len().to_string()), ..Element::new("iothreads") });
        if given > 0 {
            kept.push(Element { children: threads, ..Element::new("iothreadids") });
        }
    }
    if let Some(node) = root.child("defaultiothread") {
        let element = context.keep(node, "defaultiothread")?;
        thread_pool(&element).at(node)?;
        kept.extend(Some(element).filter(|element| !element.is_bare()));
    }
    Ok(kept)
}

fn thread_pool(element: &Element) -> Result<()> {
    let number = |name| element.attr(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(-1);
    let (least, most) = (number("thread_pool_min"), number("thread_pool_max"));
    if most == 0 {
        return Err(refuse::unsupported("thread_pool_max must be a positive integer"));
    }
    match least > most {
        true => Err(refuse::unsupported("thread_pool_min must be smaller or equal to thread_pool_max")),
        false => Ok(()),
    }
}

/// `<memoryBacking>`; `cells`: of the guest's NUMA.
pub(super) fn backing(root: Node, context: &Context, cells: usize) -> Result<Option<Element>> {
    let Some(node) = root.child("memoryBacking") else { return Ok(None) };
    let mut backing = context.keep(node, "memoryBacking")?;
    // All of them are one list.
    let (mut lists, others): (Vec<Element>, _) = backing.children.into_iter().partition(|e| e.name == "hugepages");
    let pages = lists.iter_mut().flat_map(|list| std::mem::take(&mut list.children)).collect();
    backing.children = others;
    if let Some(list) = lists.into_iter().next() {
        backing.children.insert(0, Element { children: pages, ..list });
    }
    let pages = || backing.child("hugepages").into_iter().flat_map(|pages| &pages.children);
    if pages().any(|page| page.attr("size") == Some("0")) {
        return Err(refuse::detail("hugepage size can't be zero")).at(node);
    }
    context.later(Check::HugePages, huge_pages(&backing, cells).at(node));
    Ok(Some(backing).filter(|backing| !backing.is_bare()))
}

/// Every page is for cells that there are, and no two are for the same.
fn huge_pages(backing: &Element, cells: usize) -> Result<()> {
    let pages = backing.child("hugepages").into_iter().flat_map(|pages| &pages.children);
    // The cells with a size, and the size for all others.
    let (mut sizes, mut master): (HashMap<u32, &str>, Option<&str>) = (HashMap::new(), None);
    for page in pages {
        let size = page.attr("size").unwrap_or_default();
        let Some(nodes) = page.attr("nodeset").and_then(CpuSet::parse) else {
            if let Some(other) = master.replace(size) {
                return Err(refuse::detail(format!("two master hugepages detected: {size} and {other}")));
            }
            continue;
        };
        if let Some(missing) = nodes.iter().find(|node| *node as usize >= cells) {
            return Err(refuse::detail(format!("hugepages: node {missing} not found")));
        }
        for node in nodes.iter() {
            if let Some(other) = sizes.insert(node, size) {
                let words = format!("nodeset attribute of hugepages of sizes {size} and {other} intersect");
                return Err(refuse::detail(words));
            }
        }
    }
    Ok(())
}

const PERIOD: std::ops::RangeInclusive<u64> = 1_000..=1_000_000;
const QUOTA: std::ops::RangeInclusive<i64> = 1_000..=17_592_186_044_415;

pub(super) fn cputune(root: Node, context: &Context, vcpu: &Vcpu, kept: &[Element]) -> Result<CpuTune> {
    let Some(node) = root.child("cputune") else { return Ok(CpuTune::default()) };
    let mut tune = CpuTune::default();
    if let Some(child) = node.child("shares").filter(|n| !n.text().is_empty()) {
        let bad = || refuse::xml("can't parse cputune shares value");
        let shares = number::u64_of(&child.text(), 10).ok_or_else(bad).at(child)?;
        tune.shares = Some(shares);
    }
    for prefix in ["", "global_", "emulator_", "iothread_"] {
        let period = self::period(node, prefix)?;
        let quota = self::quota(node, prefix)?;
        if prefix.is_empty() {
            (tune.period, tune.quota) = (period, quota);
            continue;
        }
        let text = |name, number: String| Element { text: Some(number), ..Element::new(format!("{prefix}{name}")) };
        tune.kept.extend(period.map(|n| text("period", n.to_string())));
        tune.kept.extend(quota.map(|n| text("quota", n.to_string())));
    }
    pinning::pinning(node, context, vcpu, kept, &mut tune.kept)?;
    Ok(tune)
}

/// What is checked of shares, periods and quotas when all has been read.
pub(super) fn in_range(root: Node) -> Result<()> {
    let Some(node) = root.child("cputune") else { return Ok(()) };
    if let Some(shares) = node.child("shares").filter(|n| !n.text().is_empty()) {
        if number::u64_of(&shares.text(), 10).is_some_and(|n| n != 0 && !(2..=262_144).contains(&n)) {
            return Err(out_of_range("shares", 2, 262_144)).at(shares);
        }
    }
    for prefix in ["", "global_", "emulator_", "iothread_"] {
        if period(node, prefix)?.is_some_and(|period| !PERIOD.contains(&period)) {
            return Err(out_of_range(&format!("{prefix}period"), *PERIOD.start(), *PERIOD.end())).at(node);
        }
        if quota(node, prefix)?.is_some_and(|quota| quota > 0 && !QUOTA.contains(&quota)) {
            let (least, most) = (*QUOTA.start() as u64, *QUOTA.end() as u64);
            return Err(out_of_range(&format!("{prefix}quota"), least, most)).at(node);
        }
    }
    Ok(())
}

fn out_of_range(name: &str, least: u64, most: u64) -> api::Error {
    refuse::unsupported(format!("Value of cputune '{name}' must be in range [{least}, {most}]"))
}

/// `None`: not given, or 0, which is the same.
fn period(node: Node, prefix: &str) -> Result<Option<u64>> {
    let name = format!("{prefix}period");
    let Some(child) = node.child(&name).filter(|n| !n.text().is_empty()) else { return Ok(None) };
    let bad = || refuse::xml(format!("can't parse cputune {} value", name.replace('_', " ")));
    let period = number::u64_of(&child.text(), 10).ok_or_else(bad).at(child)?;
    Ok(Some(period).filter(|period| *period != 0))
}

fn quota(node: Node, prefix: &str) -> Result<Option<i64>> {
    let name = format!("{prefix}quota");
    let Some(child) = node.child(&name).filter(|n| !n.text().is_empty()) else { return Ok(None) };
    let bad = || refuse::xml(format!("can't parse cputune {} value", name.replace('_', " ")));
    let quota = number::i64_of(&child.text(), 10).ok_or_else(bad).at(child)?;
    Ok(Some(quota).filter(|quota| *quota != 0))
}

pub(super) fn numatune(root: Node, context: &Context, vcpu: &Vcpu, cells: usize) -> Result<Option<NumaTune>> {
    let mut all = root.all("numatune");
    let first = all.next();
    if let Some(second) = all.next() {
        return Err(refuse::xml("only one numatune is supported")).at(second);
    }
    let mut tune = NumaTune { memory: None, nodes: Vec::new() };
    if let Some(node) = first {
        if let Some(memory) = node.child("memory") {
            let said = ["mode", "nodeset", "placement"].iter().any(|name| memory.attr(name).is_some());
            if said || vcpu.placement == Placement::Auto {
                tune.memory = Some(numa_memory_tune(memory, vcpu).at(memory)?);
            }
        }
        for child in node.all("memnode") {
            if cells == 0 {
                return Err(refuse::xml("Element 'memnode' is invalid without any guest NUMA cells")).at(child);
            }
            let node = context.keep(child, "memnode")?;
            memnode(&node, tune.memory.as_ref(), cells).at(child)?;
            if tune.nodes.iter().any(|other| other.attr("cellid") == node.attr("cellid")) {
                let cell = node.attr("cellid").unwrap_or_default();
                return Err(refuse::xml(format!("Multiple memnode elements with cellid {cell}"))).at(child);
            }
            tune.nodes.push(node);
        }
    }
    if vcpu.placement == Placement::Auto && tune.memory.is_none() {
        tune.memory = Some(NumaMemory { mode: NumaMode::Strict, placement: Placement::Auto, nodeset: None });
    }
    Ok(Some(tune).filter(|tune| tune.memory.is_some() || !tune.nodes.is_empty()))
}

fn memnode(node: &Element, memory: Option<&NumaMemory>, cells: usize) -> Result<()> {
    let cell: usize = node.attr("cellid").and_then(|id| id.parse().ok()).unwrap_or(0);
    if cell >= cells {
        return Err(refuse::xml("Argument 'cellid' in memnode element must correspond to existing guest's NUMA cell"));
    }
    if node.attr("nodeset").is_none() {
        return Err(refuse::xml("Missing required nodeset attribute in memnode element"));
    }
    let restrictive = "restrictive";
    let all = memory.is_some_and(|memory| memory.mode == NumaMode::Restrictive);
    if all != (node.attr("mode") == Some(restrictive)) && (all || memory.is_some()) {
        let message = "'restrictive' mode is required in memnode element when mode is 'restrictive' in memory element";
        return Err(refuse::xml(message));
    }
    Ok(())
}

fn numa_memory_tune(node: Node, vcpu: &Vcpu) -> Result<NumaMemory> {
    let mode = match node.attr("mode") {
        None => NumaMode::Strict,
        Some(mode) => NumaMode::from_word(mode)
            .ok_or_else(|| refuse::unsupported(format!("Unsupported NUMA memory tuning mode '{mode}'")))?,
    };
    let mut placement = match node.attr("placement") {
        None => None,
        Some(word) => Some(
            Placement::from_word(word)
                .ok_or_else(|| refuse::unsupported(format!("Unsupported NUMA memory placement mode '{word}'")))?,
        ),
    };
    let mut nodeset =
        node.attr("nodeset").map(|t| CpuSet::parse(t).ok_or_else(|| refuse::bad_bitmap(t))).transpose()?;
    if nodeset.as_ref().is_some_and(CpuSet::is_empty) {
        let message = format!("Invalid value of 'nodeset': {}", node.attr("nodeset").unwrap_or_default());
        return Err(refuse::unsupported(message));
    }
    if placement == Some(Placement::Auto) {
        nodeset = None;
    } else if nodeset.is_some() {
        placement = Some(Placement::Static);
    } else if placement.is_none() && vcpu.placement == Placement::Auto {
        placement = Some(Placement::Auto);
    }
    let placement = placement.unwrap_or(Placement::Static);
    if placement == Placement::Static && nodeset.is_none() {
        let message = "nodeset for NUMA memory tuning must be set if 'placement' is 'static'";
        return Err(refuse::unsupported(message));
    }
    Ok(NumaMemory { mode, placement, nodeset })
}

/// Partition and Fibre Channel application.
pub(super) fn resource(root: Node, context: &Context) -> Result<(Option<String>, Option<String>)> {
    let mut all = root.all("resource");
    let Some(node) = all.next() else { return Ok((None, None)) };
    if let Some(second) = all.next() {
        return Err(refuse::xml("only one resource element is supported")).at(second);
    }
    let partition = node.child("partition").map(|p| p.text().into_owned()).filter(|p| !p.is_empty());
    let appid = node.child("fibrechannel").and_then(|f| f.attr("appid")).map(str::to_string);
    let appid = appid.filter(|id| !id.is_empty());
    if appid.as_ref().is_some_and(|id| !id.bytes().all(|b| (0x20..0x7f).contains(&b))) {
        let error: Result<()> = Err(refuse::xml("Fibre Channel 'appid' is not a printable string"));
        context.later(Check::Resource, error.at(node));
    }
    if partition.is_none() && appid.is_none() {
        return Err(super::ignored::unknown_cause()).at(node);
    }
    Ok((partition, appid))
}
