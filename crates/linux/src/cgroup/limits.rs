//! What a container may use of memory, processors, disks and process numbers (the kernel's cgroup-v1/*.rst, cgroup-v2.rst).
//!
//! Amounts are version 1's, as libvirt's documents have them; for version 2 they are converted: shares of 1024 are a weight of
//! 100, and what the two versions name alike is alike. A quota below zero is none.

use super::group::Part;
use super::{Controller, Error, Group, Result, Version, file};

/// What to set; what is absent stays as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// The domain's memory, in bytes. Where no controller limits memory this alone is a note, not an error.
    pub memory: Option<u64>,
    /// `<hard_limit>`, in bytes; goes before `memory`.
    pub memory_hard: Option<u64>,
    /// `<soft_limit>`, in bytes.
    pub memory_soft: Option<u64>,
    /// `<swap_hard_limit>`: memory and swap together, in bytes.
    pub memory_and_swap: Option<u64>,
    /// 2 to 262144.
    pub cpu_shares: Option<u64>,
    /// Microseconds, 1000 to 1000000.
    pub cpu_period: Option<u64>,
    /// Microseconds in each period; below zero for no limit.
    pub cpu_quota: Option<i64>,
    /// A list of processors, as `0-3,5`.
    pub cpus: Option<String>,
    /// A list of memory nodes.
    pub memory_nodes: Option<String>,
    /// 100 to 1000.
    pub block_weight: Option<u32>,
    pub block_devices: Vec<BlockDevice>,
    /// The number of processes and threads.
    pub processes: Option<u64>,
}

/// The limits for one disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockDevice {
    pub major: u32,
    pub minor: u32,
    pub weight: Option<u32>,
    pub read_bytes_per_second: Option<u64>,
    pub write_bytes_per_second: Option<u64>,
    pub reads_per_second: Option<u64>,
    pub writes_per_second: Option<u64>,
}

/// Above this version 1 has no limit in effect.
pub const UNLIMITED: u64 = i64::MAX as u64 & !4095;

impl Group {
    /// Sets all of them. Lines for the log come back where a default could not be set.
    pub fn limit(&self, limits: &Limits) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        match limits.memory_hard.or(limits.memory) {
            Some(_) if limits.memory_hard.is_none() && self.part(Controller::Memory).is_none() => {
                notes.push("memory is not limited: no cgroup controller 'memory'".into());
            }
            Some(bytes) => self.set_memory(bytes, limits.memory_and_swap)?,
            None => {
                if let Some(bytes) = limits.memory_and_swap {
                    self.set_memory_and_swap(bytes)?;
                }
            }
        }
        if let Some(bytes) = limits.memory_soft {
            self.set_memory_soft(bytes)?;
        }
        if let Some(shares) = limits.cpu_shares {
            self.set_cpu_shares(shares)?;
        }
        if limits.cpu_period.is_some() || limits.cpu_quota.is_some() {
            self.set_cpu_bandwidth(limits.cpu_period, limits.cpu_quota)?;
        }
        if let Some(nodes) = &limits.memory_nodes {
            self.set_memory_nodes(nodes)?;
        }
        if let Some(cpus) = &limits.cpus {
            self.set_cpus(cpus)?;
        }
        if let Some(weight) = limits.block_weight {
            self.set_block_weight(weight)?;
        }
        for device in &limits.block_devices {
            self.set_block_device(device)?;
        }
        if let Some(count) = limits.processes {
            let value = if count == 0 { "max".to_string() } else { count.to_string() };
            file::write(&self.needed(Controller::Pids)?.folder.join("pids.max"), &value)?;
        }
        Ok(notes)
    }

    /// The limit of memory in bytes, and where given that of memory and swap together, which is never the lower one: so they
    /// are set in the order that keeps it so.
    pub fn set_memory(&self, bytes: u64, and_swap: Option<u64>) -> Result<()> {
        let part = self.needed(Controller::Memory)?;
        let Some(and_swap) = and_swap else {
            return file::write(&part.folder.join(memory_file(part)), &amount(part, bytes));
        };
        if part.version == Version::One
            && file::write(&part.folder.join(memory_file(part)), &bytes.to_string()).is_err()
        {
            self.set_memory_and_swap(and_swap)?;
            return file::write(&part.folder.join(memory_file(part)), &bytes.to_string());
        }
        if part.version == Version::Two {
            file::write(&part.folder.join(memory_file(part)), &amount(part, bytes))?;
        }
        self.set_memory_and_swap(and_swap)
    }

    /// Memory and swap together. Version 2 limits swap alone, so there the limit of memory, set before, is taken off.
    pub fn set_memory_and_swap(&self, bytes: u64) -> Result<()> {
        let part = self.needed(Controller::Memory)?;
        let (name, value) = match part.version {
            Version::One => ("memory.memsw.limit_in_bytes", bytes.to_string()),
            Version::Two => {
                let memory = self.memory_limit()?;
                let swap = if bytes >= UNLIMITED { UNLIMITED } else { bytes.saturating_sub(memory) };
                ("memory.swap.max", amount(part, swap))
            }
        };
        file::write(&part.folder.join(name), &value)
    }

    /// From where on memory is taken back first when it is short.
    pub fn set_memory_soft(&self, bytes: u64) -> Result<()> {
        let part = self.needed(Controller::Memory)?;
        let name = match part.version {
            Version::One => "memory.soft_limit_in_bytes",
            Version::Two => "memory.high",
        };
        file::write(&part.folder.join(name), &amount(part, bytes))
    }

    /// In bytes; `UNLIMITED` or more where there is no limit.
    pub fn memory_limit(&self) -> Result<u64> {
        let part = self.needed(Controller::Memory)?;
        number(part, memory_file(part))
    }

    pub fn memory_soft(&self) -> Result<u64> {
        let part = self.needed(Controller::Memory)?;
        number(part, if part.version == Version::One { "memory.soft_limit_in_bytes" } else { "memory.high" })
    }

    pub fn memory_and_swap(&self) -> Result<u64> {
        let part = self.needed(Controller::Memory)?;
        match part.version {
            Version::One => number(part, "memory.memsw.limit_in_bytes"),
            Version::Two => {
                let swap = number(part, "memory.swap.max")?;
                Ok(if swap >= UNLIMITED { swap } else { swap.saturating_add(self.memory_limit()?) })
            }
        }
    }

    pub fn set_cpu_shares(&self, shares: u64) -> Result<()> {
        let part = self.needed(Controller::Cpu)?;
        match part.version {
            Version::One => file::write(&part.folder.join("cpu.shares"), &shares.to_string()),
            Version::Two => file::write(&part.folder.join("cpu.weight"), &weight_of_shares(shares).to_string()),
        }
    }

    pub fn cpu_shares(&self) -> Result<u64> {
        let part = self.needed(Controller::Cpu)?;
        match part.version {
            Version::One => number(part, "cpu.shares"),
            Version::Two => Ok(shares_of_weight(number(part, "cpu.weight")?)),
        }
    }

    /// Period and quota, in microseconds; what is absent stays.
    pub fn set_cpu_bandwidth(&self, period: Option<u64>, quota: Option<i64>) -> Result<()> {
        let part = self.needed(Controller::Cpu)?;
        if part.version == Version::Two {
            let now = self.cpu_bandwidth()?;
            let quota = match quota.unwrap_or(now.1) {
                ..0 => "max".to_string(),
                quota => quota.to_string(),
            };
            return file::write(&part.folder.join("cpu.max"), &format!("{quota} {}", period.unwrap_or(now.0)));
        }
        // The kernel checks the two against the limits of the group above, with each write; so no limit in between.
        if let (Some(period), Some(_)) = (period, quota) {
            file::write(&part.folder.join("cpu.cfs_quota_us"), "-1")?;
            file::write(&part.folder.join("cpu.cfs_period_us"), &period.to_string())?;
        } else if let Some(period) = period {
            file::write(&part.folder.join("cpu.cfs_period_us"), &period.to_string())?;
        }
        match quota {
            Some(quota) => file::write(&part.folder.join("cpu.cfs_quota_us"), &quota.max(-1).to_string()),
            None => Ok(()),
        }
    }

    /// Period and quota; a quota of -1 is none.
    pub fn cpu_bandwidth(&self) -> Result<(u64, i64)> {
        let part = self.needed(Controller::Cpu)?;
        if part.version == Version::One {
            let quota = file::read(&part.folder.join("cpu.cfs_quota_us"))?;
            return Ok((number(part, "cpu.cfs_period_us")?, quota.trim().parse().unwrap_or(-1)));
        }
        let text = file::read(&part.folder.join("cpu.max"))?;
        let mut words = text.split_whitespace();
        let quota = words.next().and_then(|word| word.parse().ok()).unwrap_or(-1);
        Ok((words.next().and_then(|word| word.parse().ok()).unwrap_or(100_000), quota))
    }

    pub fn set_cpus(&self, list: &str) -> Result<()> {
        file::write(&self.needed(Controller::Cpuset)?.folder.join("cpuset.cpus"), list)
    }

    pub fn set_memory_nodes(&self, list: &str) -> Result<()> {
        file::write(&self.needed(Controller::Cpuset)?.folder.join("cpuset.mems"), list)
    }

    /// The processors that it may really use, as a list.
    pub fn cpus(&self) -> Result<String> {
        let part = self.needed(Controller::Cpuset)?;
        let name = if part.version == Version::One { "cpuset.cpus" } else { "cpuset.cpus.effective" };
        Ok(file::read(&part.folder.join(name))?.trim().to_string())
    }

    /// The weight for all disks. The kernel has it in one of two schedulers, or in none.
    pub fn set_block_weight(&self, weight: u32) -> Result<()> {
        let part = self.needed(Controller::Blkio)?;
        let files = weight_files(part);
        let file = files.into_iter().find(|name| file::folder_exists(&part.folder.join(name)));
        let Some(name) = file else { return Err(no_weight()) };
        // BFQ counts to 1000 in both versions; version 2's own counts to 10000 with the same 100 as its middle.
        file::write(&part.folder.join(name), &weight.to_string())
    }

    /// None where the kernel has no weight for disks.
    pub fn block_weight(&self) -> Result<Option<u32>> {
        let part = self.needed(Controller::Blkio)?;
        let mut files = weight_files(part).into_iter().map(|name| part.folder.join(name));
        let Some(path) = files.find(|path| file::folder_exists(path)) else { return Ok(None) };
        let text = file::read(&path)?;
        let first = text.lines().next().unwrap_or_default();
        Ok(first.trim_start_matches("default").trim().parse().ok())
    }

    /// The limits for one disk; zero takes a limit off.
    pub fn set_block_device(&self, device: &BlockDevice) -> Result<()> {
        let part = self.needed(Controller::Blkio)?;
        let number = format!("{}:{}", device.major, device.minor);
        if let Some(weight) = device.weight {
            let files: &[&str] = match part.version {
                Version::One => &["blkio.bfq.weight_device", "blkio.weight_device"],
                Version::Two => &["io.bfq.weight", "io.weight"],
            };
            let file = files.iter().find(|name| file::folder_exists(&part.folder.join(name)));
            let Some(name) = file else { return Err(no_weight()) };
            file::write(&part.folder.join(name), &format!("{number} {weight}"))?;
        }
        let limits = [
            ("blkio.throttle.read_bps_device", "rbps", device.read_bytes_per_second),
            ("blkio.throttle.write_bps_device", "wbps", device.write_bytes_per_second),
            ("blkio.throttle.read_iops_device", "riops", device.reads_per_second),
            ("blkio.throttle.write_iops_device", "wiops", device.writes_per_second),
        ];
        for (name, key, value) in limits {
            let Some(value) = value else { continue };
            match part.version {
                Version::One => file::write(&part.folder.join(name), &format!("{number} {value}"))?,
                Version::Two => {
                    let value = if value == 0 { "max".to_string() } else { value.to_string() };
                    file::write(&part.folder.join("io.max"), &format!("{number} {key}={value}"))?;
                }
            }
        }
        Ok(())
    }

    /// The part that has the controller; an error that names the controller where there is none.
    pub(super) fn needed(&self, controller: Controller) -> Result<&Part> {
        self.part(controller).ok_or_else(|| {
            Error::Unsupported(format!("Unable to find '{}' cgroups controller mount", controller.name()))
        })
    }
}

fn memory_file(part: &Part) -> &'static str {
    match part.version {
        Version::One => "memory.limit_in_bytes",
        Version::Two => "memory.max",
    }
}

fn weight_files(part: &Part) -> [&'static str; 2] {
    match part.version {
        Version::One => ["blkio.bfq.weight", "blkio.weight"],
        Version::Two => ["io.bfq.weight", "io.weight"],
    }
}

fn no_weight() -> Error {
    Error::Unsupported(
        "Blkio weight is not supported: this kernel has no weights for disks, which the BFQ scheduler brings".into(),
    )
}

fn amount(part: &Part, bytes: u64) -> String {
    match (part.version, bytes >= UNLIMITED) {
        (Version::Two, true) => "max".into(),
        (Version::One, true) => "-1".into(),
        _ => bytes.to_string(),
    }
}

/// A file with one number in it, or `max`.
pub(super) fn number(part: &Part, name: &str) -> Result<u64> {
    let path = part.folder.join(name);
    let text = file::read(&path)?;
    match text.trim() {
        "max" => Ok(UNLIMITED),
        number => {
            number.parse().map_err(|_| Error::Unsupported(format!("'{number}' in '{}' is no number", path.display())))
        }
    }
}

fn weight_of_shares(shares: u64) -> u64 {
    (shares.saturating_mul(100) / 1024).clamp(1, 10_000)
}

fn shares_of_weight(weight: u64) -> u64 {
    (weight.saturating_mul(1024) / 100).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_weights() {
        for (shares, weight) in [(2, 1), (1024, 100), (2048, 200), (512, 50), (262_144, 10_000)] {
            assert_eq!(weight_of_shares(shares), weight, "{shares}");
        }
        assert_eq!(shares_of_weight(100), 1024);
        assert_eq!(shares_of_weight(1), 10);
    }
}
