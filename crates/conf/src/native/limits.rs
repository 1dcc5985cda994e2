//! `lxc.cgroup.*` and `lxc.cgroup2.*`: limits by the names of the kernel's files, versions 1 and 2.

use super::refused;
use crate::cpuset::CpuSet;
use crate::domain::{BlkioDevice, Domain, NumaMemory, NumaMode, NumaTune, Placement};
use crate::refuse;
use api::Result;

/// Sizes with the letters K, M or G behind, in bytes.
pub(super) fn size(text: &str) -> Result<u64> {
    let wrong = || refused(format!("failed to convert size: '{text}'"));
    let (digits, factor) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (text.get(..at), 1 << 10),
        Some((at, 'm' | 'M')) => (text.get(..at), 1 << 20),
        Some((at, 'g' | 'G')) => (text.get(..at), 1 << 30),
        _ => (Some(text), 1u64),
    };
    let number = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_digit())).and_then(|d| d.parse::<u64>().ok());
    number.and_then(|number| number.checked_mul(factor)).ok_or_else(wrong)
}

pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| refused(format!("failed to parse integer: '{text}'")))
}

/// In KiB; none where the words say that there is no limit.
fn limit(text: &str) -> Result<Option<u64>> {
    match text {
        "-1" | "max" => Ok(None),
        text => size(text).map(|bytes| Some(bytes / 1024)),
    }
}

/// Takes over one limit; `key` is without `lxc.cgroup.` or `lxc.cgroup2.`. Whether it has a counterpart.
/// `swap` collects what version 2 counts apart, see `finish`.
pub(super) fn take(
    domain: &mut Domain,
    key: &str,
    full_key: &str,
    value: &str,
    swap: &mut Option<u64>,
) -> Result<bool> {
    match key {
        "memory.limit_in_bytes" | "memory.max" => {
            domain.memtune.hard_limit = limit(value)?;
            if let Some(kib) = domain.memtune.hard_limit {
                (domain.memory.maximum, domain.memory.current) = (kib, kib);
            }
        }
        "memory.soft_limit_in_bytes" | "memory.high" => domain.memtune.soft_limit = limit(value)?,
        "memory.memsw.limit_in_bytes" => domain.memtune.swap_hard_limit = limit(value)?,
        "memory.swap.max" => *swap = limit(value)?,
        // Libvirt writes the same number to cpu.weight where version 2 rules.
        "cpu.shares" | "cpu.weight" => domain.cputune.shares = Some(number(value)?),
        "cpu.cfs_period_us" => domain.cputune.period = Some(number(value)?),
        "cpu.cfs_quota_us" => domain.cputune.quota = Some(number(value)?),
        "cpu.max" => {
            let (quota, period) = value.split_once(' ').unwrap_or((value, "100000"));
            domain.cputune.quota = Some(if quota == "max" { -1 } else { number(quota)? });
            domain.cputune.period = Some(number(period.trim())?);
        }
        "cpuset.cpus" => {
            let cpus = CpuSet::parse(value).ok_or_else(|| refuse::bad_bitmap(value))?;
            (domain.vcpu.cpuset, domain.vcpu.placement) = (Some(cpus), Placement::Static);
        }
        "cpuset.mems" => {
            let nodeset = Some(CpuSet::parse(value).ok_or_else(|| refuse::bad_bitmap(value))?);
            let memory = NumaMemory { mode: NumaMode::Strict, placement: Placement::Static, nodeset };
            domain.numatune = Some(NumaTune { memory: Some(memory), nodes: Vec::new() });
        }
        "blkio.weight" | "blkio.bfq.weight" => domain.blkiotune.weight = number(value)?,
        "io.weight" | "io.bfq.weight" => {
            domain.blkiotune.weight = number(value.strip_prefix("default").unwrap_or(value).trim())?;
        }
        "blkio.device_weight" | "blkio.weight_device" | "blkio.bfq.weight_device" => {
            let (device, value) = block(domain, full_key, value)?;
            device.weight = number(value)?;
        }
        "blkio.throttle.read_bps_device" => {
            let (device, value) = block(domain, full_key, value)?;
            device.read_bytes = number(value)?;
        }
        "blkio.throttle.write_bps_device" => {
            let (device, value) = block(domain, full_key, value)?;
            device.write_bytes = number(value)?;
        }
        "blkio.throttle.read_iops_device" => {
            let (device, value) = block(domain, full_key, value)?;
            device.read_iops = number(value)?;
        }
        "blkio.throttle.write_iops_device" => {
            let (device, value) = block(domain, full_key, value)?;
            device.write_iops = number(value)?;
        }
        "io.max" => {
            let (device, values) = block(domain, full_key, value)?;
            for (name, value) in values.split_whitespace().filter_map(|pair| pair.split_once('=')) {
                match name {
                    _ if value == "max" => {}
                    "rbps" => device.read_bytes = number(value)?,
                    "wbps" => device.write_bytes = number(value)?,
                    "riops" => device.read_iops = number(value)?,
                    "wiops" => device.write_iops = number(value)?,
                    _ => return Err(refused(format!("invalid {full_key} value: '{values}'"))),
                }
            }
        }
        "pids.max" => domain.extension.pids_limit = if value == "max" { None } else { Some(number(value)?) },
        _ => return Ok(false),
    }
    Ok(true)
}

/// Version 2 limits swap beside memory, a document both together.
pub(super) fn finish(domain: &mut Domain, swap: Option<u64>) {
    if let (Some(swap), Some(memory)) = (swap, domain.memtune.hard_limit) {
        domain.memtune.swap_hard_limit.get_or_insert(memory.saturating_add(swap));
    }
}

/// `MAJOR:MINOR VALUE`: the device of these numbers, and the value.
fn block<'a, 'v>(domain: &'a mut Domain, key: &str, value: &'v str) -> Result<(&'a mut BlkioDevice, &'v str)> {
    let wrong = || refused(format!("invalid {key} value: '{value}'"));
    let (numbers, number) = value.split_once(char::is_whitespace).ok_or_else(wrong)?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !numbers.split_once(':').is_some_and(|(major, minor)| is_number(major) && is_number(minor)) {
        return Err(wrong());
    }
    let path = format!("/dev/block/{numbers}");
    let devices = &mut domain.blkiotune.devices;
    let at = devices.iter().position(|device| device.path == path).unwrap_or_else(|| {
        devices.push(BlkioDevice { path, ..BlkioDevice::default() });
        devices.len() - 1
    });
    devices.get_mut(at).map(|device| (device, number.trim())).ok_or_else(wrong)
}
