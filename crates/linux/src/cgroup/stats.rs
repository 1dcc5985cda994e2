//! What a container has used so far.

use super::group::Part;
use super::limits::number;
use super::{Controller, Group, Result, Version, file};

/// Time on processors, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CpuTime {
    pub total: u64,
    pub user: u64,
    pub system: u64,
}

/// In bytes, but for the numbers of page faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    pub used: u64,
    /// Pages of files.
    pub cache: u64,
    /// Pages that belong to no file.
    pub anonymous: u64,
    pub swap: u64,
    pub shared: u64,
    pub active_anonymous: u64,
    pub inactive_anonymous: u64,
    pub active_file: u64,
    pub inactive_file: u64,
    pub unevictable: u64,
    pub minor_faults: u64,
    pub major_faults: u64,
    pub slab_reclaimable: u64,
}

/// What went to and from one disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockUse {
    pub major: u32,
    pub minor: u32,
    pub read_bytes: u64,
    pub read_requests: u64,
    pub written_bytes: u64,
    pub write_requests: u64,
}

impl Group {
    pub fn cpu_time(&self) -> Result<CpuTime> {
        let part = self.needed(Controller::Cpuacct)?;
        match part.version {
            Version::One => {
                let text = file::read(&part.folder.join("cpuacct.stat"))?;
                let ticks = |name| value(&text, name).saturating_mul(NANOSECONDS_PER_TICK);
                Ok(CpuTime { total: number(part, "cpuacct.usage")?, user: ticks("user"), system: ticks("system") })
            }
            Version::Two => {
                let text = file::read(&part.folder.join("cpu.stat"))?;
                let nanoseconds = |name| value(&text, name).saturating_mul(1000);
                Ok(CpuTime {
                    total: nanoseconds("usage_usec"),
                    user: nanoseconds("user_usec"),
                    system: nanoseconds("system_usec"),
                })
            }
        }
    }

    /// All of the time, in nanoseconds: the cheapest question.
    pub fn cpu_total(&self) -> Result<u64> {
        let part = self.needed(Controller::Cpuacct)?;
        match part.version {
            Version::One => number(part, "cpuacct.usage"),
            Version::Two => Ok(self.cpu_time()?.total),
        }
    }

    /// The time on each processor, in nanoseconds; none where version 2 counts it, which has only the sum.
    pub fn cpu_time_of_each(&self) -> Result<Option<Vec<u64>>> {
        let part = self.needed(Controller::Cpuacct)?;
        if part.version == Version::Two {
            return Ok(None);
        }
        let text = file::read(&part.folder.join("cpuacct.usage_percpu"))?;
        Ok(Some(text.split_whitespace().filter_map(|word| word.parse().ok()).collect()))
    }

    /// The memory in use, in bytes.
    pub fn memory_used(&self) -> Result<u64> {
        let part = self.needed(Controller::Memory)?;
        number(part, if part.version == Version::One { "memory.usage_in_bytes" } else { "memory.current" })
    }

    pub fn memory(&self) -> Result<Memory> {
        let part = self.needed(Controller::Memory)?;
        let text = file::read(&part.folder.join("memory.stat"))?;
        let used = self.memory_used()?;
        Ok(match part.version {
            Version::One => memory_v1(&text, used),
            Version::Two => memory_v2(&text, used, number(part, "memory.swap.current").unwrap_or(0)),
        })
    }

    /// How often a process was killed for want of memory.
    pub fn out_of_memory_kills(&self) -> Result<u64> {
        let part = self.needed(Controller::Memory)?;
        let (name, key) = match part.version {
            Version::One => ("memory.oom_control", "oom_kill"),
            Version::Two => ("memory.events", "oom_kill"),
        };
        Ok(value(&file::read(&part.folder.join(name))?, key))
    }

    /// What went to and from each disk.
    pub fn block_use(&self) -> Result<Vec<BlockUse>> {
        let part = self.needed(Controller::Blkio)?;
        match part.version {
            Version::One => {
                let bytes = file::read(&part.folder.join("blkio.throttle.io_service_bytes"))?;
                let requests = file::read(&part.folder.join("blkio.throttle.io_serviced"))?;
                Ok(block_use_v1(&bytes, &requests))
            }
            Version::Two => Ok(block_use_v2(&file::read(&part.folder.join("io.stat"))?)),
        }
    }

    /// The number of processes and threads, where they are counted.
    pub fn task_count(&self) -> Result<u64> {
        number(self.needed(Controller::Pids)?, "pids.current")
    }

    /// The folder of the part with this controller, for who reads more files of it.
    pub fn folder_of(&self, controller: Controller) -> Result<(&std::path::Path, Version)> {
        let part: &Part = self.needed(controller)?;
        Ok((&part.folder, part.version))
    }
}

/// The kernel counts in USER_HZ for user space, 100 a second on all architectures that we run on.
const NANOSECONDS_PER_TICK: u64 = 10_000_000;

/// The number after `NAME ` on a line of its own; 0 where there is none.
fn value(text: &str, name: &str) -> u64 {
    let mut found = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found.next().and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

/// Each `NAME NUMBER` of a text of such lines.
fn values(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.lines().filter_map(|line| {
        let (name, value) = line.split_once(' ')?;
        Some((name, value.trim().parse().ok()?))
    })
}

fn memory_v1(text: &str, used: u64) -> Memory {
    let mut memory = Memory { used, ..Memory::default() };
    for (name, value) in values(text) {
        // With `total_` what groups below used too.
        let Some(name) = name.strip_prefix("total_") else { continue };
        match name {
            "cache" => memory.cache = value,
            "rss" => memory.anonymous = value,
            "swap" => memory.swap = value,
            name => memory.note(name, value),
        }
    }
    memory
}

fn memory_v2(text: &str, used: u64, swap: u64) -> Memory {
    let mut memory = Memory { used, swap, ..Memory::default() };
    for (name, value) in values(text) {
        match name {
            "file" => memory.cache = value,
            "anon" => memory.anonymous = value,
            "slab_reclaimable" => memory.slab_reclaimable = value,
            name => memory.note(name, value),
        }
    }
    memory
}

impl Memory {
    /// What both versions have under one name.
    fn note(&mut self, name: &str, value: u64) {
        match name {
            "shmem" => self.shared = value,
            "active_anon" => self.active_anonymous = value,
            "inactive_anon" => self.inactive_anonymous = value,
            "active_file" => self.active_file = value,
            "inactive_file" => self.inactive_file = value,
            "unevictable" => self.unevictable = value,
            "pgfault" => self.minor_faults = value,
            "pgmajfault" => self.major_faults = value,
            _ => {}
        }
    }
}

/// Lines `MAJOR:MINOR Read N`, and a last one with the sum.
fn block_use_v1(bytes: &str, requests: &str) -> Vec<BlockUse> {
    let mut all = Vec::new();
    let lines = |text: &str| -> Vec<(u32, u32, String, u64)> {
        let parsed = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let (major, minor) = device(words.next()?)?;
            Some((major, minor, words.next()?.to_string(), words.next()?.parse().ok()?))
        });
        parsed.collect()
    };
    for (major, minor, what, count) in lines(bytes) {
        let entry = entry(&mut all, major, minor);
        match what.as_str() {
            "Read" => entry.read_bytes = count,
            "Write" => entry.written_bytes = count,
            _ => {}
        }
    }
    for (major, minor, what, count) in lines(requests) {
        let entry = entry(&mut all, major, minor);
        match what.as_str() {
            "Read" => entry.read_requests = count,
            "Write" => entry.write_requests = count,
            _ => {}
        }
    }
    all
}

/// Lines `MAJOR:MINOR rbytes=N wbytes=N rios=N wios=N …`.
fn block_use_v2(text: &str) -> Vec<BlockUse> {
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (major, minor) = device(words.next()?)?;
        let mut entry = BlockUse { major, minor, ..BlockUse::default() };
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            let value = value.parse().unwrap_or(0);
            match key {
                "rbytes" => entry.read_bytes = value,
                "wbytes" => entry.written_bytes = value,
                "rios" => entry.read_requests = value,
                "wios" => entry.write_requests = value,
                _ => {}
            }
        }
        Some(entry)
    });
    lines.collect()
}

fn device(word: &str) -> Option<(u32, u32)> {
    let (major, minor) = word.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn entry(all: &mut Vec<BlockUse>, major: u32, minor: u32) -> &mut BlockUse {
    let at = all.iter().position(|entry| (entry.major, entry.minor) == (major, minor)).unwrap_or_else(|| {
        all.push(BlockUse { major, minor, ..BlockUse::default() });
        all.len() - 1
    });
    &mut all[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_both_versions() {
        let one = memory_v1("cache 1\nrss 2\ntotal_cache 4096\ntotal_rss 8192\ntotal_rss_huge 9\ntotal_pgfault 3\n", 7);
        assert_eq!((one.cache, one.anonymous, one.minor_faults, one.used), (4096, 8192, 3, 7));
        let two = memory_v2("anon 5\nfile 6\nfile_mapped 8\npgfault 9\n", 7, 11);
        assert_eq!((two.cache, two.anonymous, two.minor_faults, two.swap), (6, 5, 9, 11));
    }

    #[test]
    fn disks_of_both_versions() {
        let one = block_use_v1(
            "8:0 Read 10\n8:0 Write 20\n8:0 Sync 30\n8:0 Total 30\n254:1 Read 1\nTotal 31\n",
            "8:0 Read 3\n8:0 Write 4\nTotal 7\n",
        );
        let sda =
            BlockUse { major: 8, read_bytes: 10, written_bytes: 20, read_requests: 3, write_requests: 4, minor: 0 };
        assert_eq!(one, [sda, BlockUse { major: 254, minor: 1, read_bytes: 1, ..BlockUse::default() }]);
        assert_eq!(block_use_v2("8:0 rbytes=10 wbytes=20 rios=3 wios=4 dbytes=0 dios=0\n"), [sda]);
    }
}
