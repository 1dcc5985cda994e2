//! The document's limits, as control groups take them.

use crate::failure::{Doing, Failure, Result};
use conf::domain::{BlkioDevice, Domain};
use linux::cgroup::{BlockDevice, Limits};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;

/// In KiB. With less the kernel kills the controller before there is a container.
const LEAST_MEMORY: u64 = 1024;

pub fn of(domain: &Domain) -> Result<Limits> {
    let bytes = |kib: u64| kib.saturating_mul(1024);
    let limit = domain.memtune.hard_limit.unwrap_or(domain.memory.maximum);
    if limit < LEAST_MEMORY {
        return Err(Failure::unsupported(format!(
            "{limit} KiB of memory is too little to start a container, {LEAST_MEMORY} KiB are needed"
        )));
    }
    let nodes = domain.numatune.as_ref().and_then(|tune| tune.memory.as_ref()?.nodeset.as_ref());
    Ok(Limits {
        memory: Some(bytes(domain.memory.maximum)),
        memory_hard: domain.memtune.hard_limit.map(bytes),
        memory_soft: domain.memtune.soft_limit.map(bytes),
        memory_and_swap: domain.memtune.swap_hard_limit.map(bytes),
        cpu_shares: domain.cputune.shares,
        cpu_period: domain.cputune.period,
        cpu_quota: domain.cputune.quota,
        cpus: domain.vcpu.cpuset.as_ref().map(|set| set.to_string()),
        memory_nodes: nodes.map(|set| set.to_string()),
        block_weight: Some(domain.blkiotune.weight).filter(|weight| *weight != 0),
        block_devices: domain.blkiotune.devices.iter().map(block_device).collect::<Result<_>>()?,
        processes: domain.extension.pids_limit,
    })
}

/// A limit of each process (setrlimit(2)); none is unlimited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rlimit {
    pub name: String,
    pub soft: Option<u64>,
    pub hard: Option<u64>,
}

pub fn rlimits(domain: &Domain) -> Result<Vec<Rlimit>> {
    let of = |limit: &conf::domain::Rlimit| {
        if linux::process::rlimit_named(&limit.name).is_none() {
            return Err(Failure::unsupported(format!("rlimit '{}'", limit.name)));
        }
        Ok(Rlimit { name: limit.name.clone(), soft: limit.soft, hard: limit.hard })
    };
    domain.extension.rlimits.iter().map(of).collect()
}

/// Settings of the kernel that each namespace has its own of; no others, for they would be the machine's.
const OWN_SYSCTLS: [&str; 6] = ["net/", "fs/mqueue/", "kernel/msg", "kernel/shm", "kernel/sem", "kernel/domainname"];

pub fn sysctls(domain: &Domain) -> Result<Vec<(PathBuf, String)>> {
    let of = |(name, value): &(String, String)| {
        let path = if name.contains('/') { name.clone() } else { name.replace('.', "/") };
        let is_own = OWN_SYSCTLS.iter().any(|prefix| path.starts_with(prefix))
            && path.split('/').all(|part| !part.is_empty() && part != "..");
        match is_own {
            true => Ok((path.into(), value.clone())),
            false => Err(Failure::unsupported(format!("sysctl '{name}' is not a container's own"))),
        }
    };
    domain.extension.sysctls.iter().map(of).collect()
}

fn block_device(device: &BlkioDevice) -> Result<BlockDevice> {
    let path = &device.path;
    let found = std::fs::metadata(path).doing(|| format!("Path '{path}' is not accessible"))?;
    if !found.file_type().is_block_device() {
        return Err(Failure::unsupported(format!("Path '{path}' must be a block device")));
    }
    let set = |value: u64| Some(value).filter(|value| *value != 0);
    Ok(BlockDevice {
        major: rustix::fs::major(found.rdev()),
        minor: rustix::fs::minor(found.rdev()),
        weight: Some(device.weight).filter(|weight| *weight != 0),
        read_bytes_per_second: set(device.read_bytes),
        write_bytes_per_second: set(device.write_bytes),
        reads_per_second: set(device.read_iops.into()),
        writes_per_second: set(device.write_iops.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;

    #[test]
    fn too_little_memory_is_refused() {
        let mut domain = sample::domain();
        domain.memory.maximum = 4;
        assert!(of(&domain).unwrap_err().to_string().contains("4 KiB of memory is too little"));
    }

    #[test]
    fn only_a_containers_own_settings_are_set() {
        let mut domain = sample::domain();
        let mut check = |name: &str| {
            domain.extension.sysctls = vec![(name.into(), "1".into())];
            sysctls(&domain).map(|all| all[0].0.clone()).map_err(|failure| failure.to_string())
        };
        assert_eq!(check("net.ipv4.ip_forward"), Ok("net/ipv4/ip_forward".into()));
        assert_eq!(check("net/ipv4/conf/eth0.1/forwarding"), Ok("net/ipv4/conf/eth0.1/forwarding".into()));
        for name in ["kernel.sysrq", "vm.swappiness", "net/../kernel/sysrq", "kernel/core_pattern"] {
            assert!(check(name).unwrap_err().contains(name));
        }
    }

    #[test]
    fn memory_is_in_bytes_and_a_hard_limit_beside_it() {
        let mut domain = sample::domain();
        domain.memtune.hard_limit = Some(2000);
        let limits = of(&domain).unwrap();
        assert_eq!((limits.memory, limits.memory_hard), (Some(65_536 * 1024), Some(2_048_000)));
        domain.blkiotune.devices = vec![BlkioDevice { path: "/dev/nonexistent".into(), ..BlkioDevice::default() }];
        assert_eq!(
            of(&domain).unwrap_err().to_string(),
            "Path '/dev/nonexistent' is not accessible: No such file or directory"
        );
    }
}
