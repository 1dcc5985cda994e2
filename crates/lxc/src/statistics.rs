//! What a running container has used: processors, memory, disks, interfaces.

use crate::affect::{LIVE, Running};
use crate::controller::cgroup_error;
use crate::driver::Driver;
use crate::object::DomainObject;
use crate::tuning::device_number;
use api::{Code, Error, ErrorDomain, Result, TypedParam, TypedValue};
use conf::Mac;
use conf::domain::{Domain, Interface};
use linux::cgroup::BlockUse;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Counters of one interface, as the container sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InterfaceCounters {
    pub rx_bytes: i64,
    pub rx_packets: i64,
    pub rx_errors: i64,
    pub rx_dropped: i64,
    pub tx_bytes: i64,
    pub tx_packets: i64,
    pub tx_errors: i64,
    pub tx_dropped: i64,
}

/// Tags of `virDomainMemoryStatTags` that a container has.
pub const SWAP_IN: i32 = 0;
pub const ACTUAL_BALLOON: i32 = 6;
pub const RSS: i32 = 7;

/// Times of processors in the layout of `virDomainGetCPUStats`.
#[derive(Debug, Clone, PartialEq)]
pub struct CpuStats {
    pub params: Vec<TypedParam>,
    /// What the call answers as its number: parameters of one processor, or processors.
    pub count: i32,
}

impl Driver {
    /// `start` -1: all together; else those from there on. With room for nothing the answer is how much there is.
    pub fn cpu_stats(&self, object: &DomainObject, room: u32, start: i32, count: u32) -> Result<CpuStats> {
        let (_, running) = Driver::asked(object, LIVE)?;
        let running = running.ok_or_else(crate::object::not_running)?;
        let group = running.group()?;
        let time = |name: &str, value| TypedParam::new(name, TypedValue::ULLong(value));
        if start == -1 {
            if room == 0 {
                return Ok(CpuStats { params: Vec::new(), count: 3 });
            }
            let used = group.cpu_time().map_err(cgroup_error)?;
            let all = [("cpu_time", used.total), ("user_time", used.user), ("system_time", used.system)];
            let params: Vec<_> = all.into_iter().take(room as usize).map(|(name, value)| time(name, value)).collect();
            return Ok(CpuStats { count: params.len() as i32, params });
        }
        let each = group.cpu_time_of_each().map_err(cgroup_error)?.ok_or_else(|| {
            let words = "version 2 of control groups does not count the time on each processor; ask for the total";
            Error::new(ErrorDomain::Cgroup, Code::OperationUnsupported, words)
        })?;
        match (room, count) {
            (_, 0) => return Ok(CpuStats { params: Vec::new(), count: each.len() as i32 }),
            (0, _) => return Ok(CpuStats { params: Vec::new(), count: 1 }),
            _ => {}
        }
        let from = usize::try_from(start).ok().filter(|from| *from < each.len()).ok_or_else(|| {
            let words = format!("start_cpu {start} larger than maximum of {}", each.len().saturating_sub(1));
            Error::new(ErrorDomain::Cgroup, Code::InvalidArg, words)
        })?;
        let wanted = each.iter().skip(from).take(count as usize);
        Ok(CpuStats { params: wanted.map(|value| time("cpu_time", *value)).collect(), count: 1 })
    }

    /// (tag, KiB).
    pub fn memory_stats(&self, object: &DomainObject) -> Result<Vec<(i32, u64)>> {
        let (domain, running) = Driver::asked(object, LIVE)?;
        let running = running.ok_or_else(crate::object::not_running)?;
        let memory = running.group()?.memory().map_err(cgroup_error)?;
        Ok(vec![
            (ACTUAL_BALLOON, domain.memory.current),
            // libvirt gives memory and swap together here.
            (SWAP_IN, (memory.used + memory.swap) / 1024),
            (RSS, memory.used / 1024),
        ])
    }

    /// By the host's name of the interface, or its MAC address.
    pub fn interface_stats(&self, object: &DomainObject, name: &str) -> Result<InterfaceCounters> {
        let (domain, _) = Driver::asked(object, LIVE)?;
        let unknown =
            || Error::new(ErrorDomain::Domain, Code::InvalidArg, format!("'{name}' is not a known interface"));
        let mac = Mac::parse(name);
        let mut interfaces = domain.interfaces.iter();
        let found = interfaces.find(|one| one.target_dev.as_deref() == Some(name) || mac == Some(one.mac));
        let device = found.and_then(|one| one.target_dev.as_deref()).ok_or_else(unknown)?;
        let missing =
            || Error::internal(ErrorDomain::StatsLinux, format!("/proc/net/dev: Interface not found: {device}"));
        self.counters(device).ok_or_else(missing)
    }

    /// What the host's end receives is what the container sends.
    pub(crate) fn counters(&self, device: &str) -> Option<InterfaceCounters> {
        all_counters(&self.links_text()).find_map(|(name, counters)| (name == device).then_some(counters))
    }

    fn links_text(&self) -> String {
        fs::read_to_string(self.paths.proc.join("self/net/dev")).unwrap_or_default()
    }

    /// Of one disk, by its name in the container, or of all where `path` is empty.
    pub fn block_stats(&self, object: &DomainObject, path: &str) -> Result<BlockUse> {
        let (domain, running) = Driver::asked(object, LIVE)?;
        let running = running.ok_or_else(crate::object::not_running)?;
        let used = running.group()?.block_use().map_err(cgroup_error)?;
        if path.is_empty() {
            return Ok(used.iter().fold(BlockUse::default(), |sum, one| BlockUse {
                read_bytes: sum.read_bytes + one.read_bytes,
                read_requests: sum.read_requests + one.read_requests,
                written_bytes: sum.written_bytes + one.written_bytes,
                write_requests: sum.write_requests + one.write_requests,
                ..sum
            }));
        }
        let disk = domain
            .disks
            .iter()
            .find(|disk| disk.target() == path)
            .ok_or_else(|| Error::new(ErrorDomain::Lxc, Code::InvalidArg, format!("invalid path: {path}")))?;
        let source = disk
            .source_path()
            .filter(|_| disk.kind() == "block")
            .ok_or_else(|| Error::internal(ErrorDomain::Lxc, format!("missing disk device alias name for {path}")))?;
        let (major, minor) = device_number(source)?;
        let own = used.into_iter().find(|one| (one.major, one.minor) == (major, minor));
        Ok(own.unwrap_or(BlockUse { major, minor, ..BlockUse::default() }))
    }
}

/// The counters of each interface in the text of `/proc/net/dev`, by its name.
fn all_counters(text: &str) -> impl Iterator<Item = (&str, InterfaceCounters)> {
    text.lines().filter_map(|line| {
        // A name may have a colon in it, as an alias has; the numbers have none.
        let (name, numbers) = line.rsplit_once(':')?;
        let mut numbers = numbers.split_whitespace().map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        let [tx_bytes, tx_packets, tx_errors, tx_dropped] = [next()?, next()?, next()?, next()?];
        let [_, _, _, _] = [next()?, next()?, next()?, next()?];
        let [rx_bytes, rx_packets, rx_errors, rx_dropped] = [next()?, next()?, next()?, next()?];
        let counters = InterfaceCounters {
            rx_bytes,
            rx_packets,
            rx_errors,
            rx_dropped,
            tx_bytes,
            tx_packets,
            tx_errors,
            tx_dropped,
        };
        Some((name.trim_start(), counters))
    })
}

/// Bits of `virDomainStatsTypes`.
pub mod groups {
    pub const STATE: u32 = 1 << 0;
    pub const CPU_TOTAL: u32 = 1 << 1;
    pub const BALLOON: u32 = 1 << 2;
    pub const VCPU: u32 = 1 << 3;
    pub const INTERFACE: u32 = 1 << 4;
    pub const BLOCK: u32 = 1 << 5;
    /// Those that a container has.
    pub const KNOWN: u32 = STATE | CPU_TOTAL | BALLOON | VCPU | INTERFACE | BLOCK;
}

impl Driver {
    /// Statistics of the named groups, of each domain in turn. What cannot be read is left out, and so is what a container has
    /// not.
    pub fn bulk_stats<R>(
        &self,
        objects: &[Arc<DomainObject>],
        wanted: u32,
        take: impl Fn(&DomainObject, Vec<TypedParam>) -> R,
    ) -> Vec<R> {
        // One look at all of the machine's links, for each look lists them all.
        let links = OnceCell::new();
        let links = || links.get_or_init(|| self.links_text());
        let counters = OnceCell::new();
        let counters = || counters.get_or_init(|| all_counters(links()).collect());
        objects.iter().map(|object| take(object, Driver::stats_of(object, wanted, counters))).collect()
    }

    fn stats_of<'a>(
        object: &DomainObject,
        wanted: u32,
        counters: impl Fn() -> &'a HashMap<&'a str, InterfaceCounters>,
    ) -> Vec<TypedParam> {
        let (domain, running, state, reason) = {
            let state = object.lock();
            let running = state.live.as_ref().map(crate::object::Live::handles);
            (Arc::clone(state.current()), running, state.state, state.reason)
        };
        let mut all = Vec::new();
        if wanted & groups::STATE != 0 {
            all.push(TypedParam::new("state.state", TypedValue::Int(state as i32)));
            all.push(TypedParam::new("state.reason", TypedValue::Int(reason.0)));
        }
        if wanted & groups::CPU_TOTAL != 0 {
            cpu(&mut all, running.as_ref());
        }
        if wanted & groups::BALLOON != 0 {
            balloon(&mut all, &domain, running.as_ref());
        }
        if wanted & groups::VCPU != 0 {
            all.push(TypedParam::new(
                "vcpu.current",
                TypedValue::UInt(domain.vcpu.current.unwrap_or(domain.vcpu.maximum)),
            ));
            all.push(TypedParam::new("vcpu.maximum", TypedValue::UInt(domain.vcpu.maximum)));
        }
        if wanted & groups::INTERFACE != 0 && running.is_some() {
            interfaces(&mut all, &domain.interfaces, counters);
        }
        if wanted & groups::BLOCK != 0 {
            disks(&mut all, &domain, running.as_ref());
        }
        all
    }
}

fn number(all: &mut Vec<TypedParam>, name: impl Into<String>, value: u64) {
    all.push(TypedParam::new(name, TypedValue::ULLong(value)));
}

fn cpu(all: &mut Vec<TypedParam>, running: Option<&Running>) {
    let Some(time) = running.and_then(|running| running.group().ok()?.cpu_time().ok()) else { return };
    number(all, "cpu.time", time.total);
    number(all, "cpu.user", time.user);
    number(all, "cpu.system", time.system);
}

fn balloon(all: &mut Vec<TypedParam>, domain: &Domain, running: Option<&Running>) {
    number(all, "balloon.current", domain.memory.current);
    number(all, "balloon.maximum", domain.memory.maximum);
    let Some(memory) = running.and_then(|running| running.group().ok()?.memory().ok()) else { return };
    number(all, "balloon.rss", memory.used / 1024);
    number(all, "balloon.available", domain.memory.current);
    number(all, "balloon.unused", domain.memory.current.saturating_sub(memory.used / 1024));
    number(
        all,
        "balloon.usable",
        domain.memory.current.saturating_sub(memory.used.saturating_sub(memory.cache) / 1024),
    );
    number(all, "balloon.disk_caches", memory.cache / 1024);
    number(all, "balloon.minor_fault", memory.minor_faults);
    number(all, "balloon.major_fault", memory.major_faults);
}

fn interfaces<'a>(
    all: &mut Vec<TypedParam>,
    interfaces: &[Interface],
    counters: impl Fn() -> &'a HashMap<&'a str, InterfaceCounters>,
) {
    all.push(TypedParam::new("net.count", TypedValue::UInt(interfaces.len() as u32)));
    for (at, interface) in interfaces.iter().enumerate() {
        let Some(device) = &interface.target_dev else { continue };
        all.push(TypedParam::new(format!("net.{at}.name"), TypedValue::String(device.clone())));
        let Some(counters) = counters().get(device.as_str()) else { continue };
        for (name, value) in [
            ("rx.bytes", counters.rx_bytes),
            ("rx.pkts", counters.rx_packets),
            ("rx.errs", counters.rx_errors),
            ("rx.drop", counters.rx_dropped),
            ("tx.bytes", counters.tx_bytes),
            ("tx.pkts", counters.tx_packets),
            ("tx.errs", counters.tx_errors),
            ("tx.drop", counters.tx_dropped),
        ] {
            number(all, format!("net.{at}.{name}"), value.max(0) as u64);
        }
    }
}

fn disks(all: &mut Vec<TypedParam>, domain: &Domain, running: Option<&Running>) {
    all.push(TypedParam::new("block.count", TypedValue::UInt(domain.disks.len() as u32)));
    if domain.disks.is_empty() {
        return;
    }
    let used = running.and_then(|running| running.group().ok()?.block_use().ok()).unwrap_or_default();
    for (at, disk) in domain.disks.iter().enumerate() {
        all.push(TypedParam::new(format!("block.{at}.name"), TypedValue::String(disk.target().to_string())));
        let Some(source) = disk.source_path() else { continue };
        all.push(TypedParam::new(format!("block.{at}.path"), TypedValue::String(source.to_string())));
        if running.is_none() || !Path::new(source).exists() {
            continue;
        }
        let Ok((major, minor)) = device_number(source) else { continue };
        let Some(one) = used.iter().find(|one| (one.major, one.minor) == (major, minor)) else { continue };
        for (name, value) in [
            ("rd.reqs", one.read_requests),
            ("rd.bytes", one.read_bytes),
            ("wr.reqs", one.write_requests),
            ("wr.bytes", one.written_bytes),
        ] {
            number(all, format!("block.{at}.{name}"), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_the_containers() {
        let text = "Inter-|   Receive\n face |bytes\n    lo:  1 1 0 0 0 0 0 0  1 1 0 0 0 0 0 0\n\
                    vnet1: 10 11 12 13 0 0 0 0 20 21 22 23 0 0 0 0\nvnet10:5 0 0 0 0 0 0 0 6 0 0 0 0 0 0 0\n";
        let all: HashMap<_, _> = all_counters(text).collect();
        let found = all["vnet1"];
        assert_eq!((found.rx_bytes, found.rx_dropped, found.tx_bytes, found.tx_dropped), (20, 23, 10, 13));
        assert_eq!((all["vnet10"].rx_bytes, all.len()), (6, 3));
    }
}
