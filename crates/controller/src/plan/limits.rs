//! The document's limits, as control groups take them.

use crate::failure::{Doing, Failure, Result};
use conf::domain::{BlkioDevice, Domain};
use linux::cgroup::{BlockDevice, Limits};
use std::os::unix::fs::{FileTypeExt, MetadataExt};

pub fn of(domain: &Domain) -> Result<Limits> {
    let bytes = |kib: u64| kib.saturating_mul(1024);
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
    fn memory_is_in_bytes_and_a_hard_limit_beside_it() {
        let mut domain = sample::domain();
        domain.memtune.hard_limit = Some(1000);
        let limits = of(&domain).unwrap();
        assert_eq!((limits.memory, limits.memory_hard), (Some(65_536 * 1024), Some(1_024_000)));
        domain.blkiotune.devices = vec![BlkioDevice { path: "/dev/nonexistent".into(), ..BlkioDevice::default() }];
        assert_eq!(
            of(&domain).unwrap_err().to_string(),
            "Path '/dev/nonexistent' is not accessible: No such file or directory"
        );
    }
}
