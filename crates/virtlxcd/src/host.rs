//! What the daemon tells about its machine: processors, memory, page sharing, names. Read from /proc and /sys at each
//! question: all of it may change while the daemon runs.

mod capabilities;

use api::{Error, ErrorDomain, Paths, Result, Uuid};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub struct Host {
    proc: PathBuf,
    sys: PathBuf,
    /// The same through the machine's life, where it has a mark of its own.
    uuid: Uuid,
}

#[derive(Debug, PartialEq, Eq)]
pub struct NodeInfo {
    pub model: String,
    pub memory_kib: u64,
    pub cpus: i32,
    pub mhz: i32,
    pub nodes: i32,
    pub sockets: i32,
    pub cores: i32,
    pub threads: i32,
}

/// Processor time since boot in nanoseconds.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
pub struct CpuTimes {
    pub kernel: u64,
    pub user: u64,
    pub idle: u64,
    pub iowait: u64,
}

/// The kernel's clock ticks in /proc/stat: fixed at 100 a second for user space on every architecture served.
const NANOSECONDS_PER_TICK: u64 = 1_000_000_000 / 100;

impl Host {
    pub fn new(paths: &Paths, uuid: Uuid) -> Host {
        Host { proc: paths.proc.clone(), sys: paths.sys.clone(), uuid }
    }

    /// Where the kernel shows network interfaces.
    pub fn interfaces(&self) -> PathBuf {
        self.sys.join("class/net")
    }

    /// Where it tells of VLANs, a file for each.
    pub fn vlans(&self) -> PathBuf {
        self.proc.join("net/vlan")
    }

    pub fn hostname(&self) -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }

    /// The kernel's release as libvirt counts versions.
    pub fn kernel_version(&self) -> u64 {
        version_number(&rustix::system::uname().release().to_string_lossy())
    }

    pub fn architecture(&self) -> String {
        rustix::system::uname().machine().to_string_lossy().into_owned()
    }

    pub fn node_info(&self) -> Result<NodeInfo> {
        let online = self.online_cpus()?;
        let cpuinfo = self.read_proc("cpuinfo")?;
        let mhz = cpuinfo.lines().find_map(|line| line.strip_prefix("cpu MHz")?.split(':').nth(1)?.trim().parse().ok());
        let mut sockets = BTreeSet::new();
        let mut cores = BTreeSet::new();
        for cpu in &online {
            let topology = self.sys.join(format!("devices/system/cpu/cpu{cpu}/topology"));
            let number = |file: &str| read_number(&topology.join(file)).unwrap_or(0);
            sockets.insert(number("physical_package_id"));
            cores.insert((number("physical_package_id"), number("core_id")));
        }
        let nodes = self.cells().len().max(1) as i32;
        let cpus = online.len().max(1) as i32;
        // A machine is described as nodes * sockets * cores * threads; one that does not divide so is one socket.
        let per_node = (sockets.len() as i32 / nodes).max(1);
        let per_socket = (cores.len() as i32 / (per_node * nodes)).max(1);
        let threads = (cpus / (nodes * per_node * per_socket)).max(1);
        let regular = nodes * per_node * per_socket * threads == cpus;
        let (nodes, per_node, per_socket, threads) =
            if regular { (nodes, per_node, per_socket, threads) } else { (1, 1, cpus, 1) };
        Ok(NodeInfo {
            model: self.architecture(),
            memory_kib: self.memory(None)?.total,
            cpus,
            mhz: mhz.map_or(0, |mhz: f64| mhz as i32),
            nodes,
            sockets: per_node,
            cores: per_socket,
            threads,
        })
    }

    pub fn online_cpus(&self) -> Result<Vec<u32>> {
        self.cpu_list("online")
    }

    pub fn present_cpus(&self) -> Result<Vec<u32>> {
        self.cpu_list("present")
    }

    fn cpu_list(&self, name: &str) -> Result<Vec<u32>> {
        let path = self.sys.join("devices/system/cpu").join(name);
        let text = read(&path)?;
        parse_ranges(text.trim())
            .ok_or_else(|| Error::internal(ErrorDomain::Lxc, format!("'{}' is no list of processors", path.display())))
    }

    /// NUMA nodes, by number.
    pub fn cells(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.sys.join("devices/system/node/online")).unwrap_or_default();
        parse_ranges(text.trim()).filter(|cells| !cells.is_empty()).unwrap_or_else(|| vec![0])
    }

    /// Of one processor, or of all together.
    pub fn cpu_times(&self, cpu: Option<u32>) -> Result<Option<CpuTimes>> {
        Ok(parse_stat(&self.read_proc("stat")?, cpu))
    }

    /// Of the machine, or of one NUMA node.
    pub fn memory(&self, cell: Option<u32>) -> Result<Memory> {
        let text = match cell {
            None => self.read_proc("meminfo")?,
            Some(cell) => read(&self.sys.join(format!("devices/system/node/node{cell}/meminfo")))?,
        };
        Ok(parse_meminfo(&text))
    }

    /// Free pages of a size in KiB in one NUMA node, or in the whole machine.
    pub fn free_pages(&self, cell: Option<u32>, size_kib: u32) -> Result<u64> {
        if u64::from(size_kib) * 1024 == rustix::param::page_size() as u64 {
            return Ok(self.memory(cell.and_then(|cell| self.numa_node(cell)))?.free / u64::from(size_kib));
        }
        let path = self.huge_pages(cell, size_kib).join("free_hugepages");
        let count = read_number(&path).map(|count| count as u64);
        count.ok_or_else(|| Error::operation_failed(ErrorDomain::Lxc, no_such_pages(cell, size_kib)))
    }

    /// What the kernel tells of its huge pages of one size; of the whole machine's where it knows no NUMA nodes.
    fn huge_pages(&self, cell: Option<u32>, size_kib: u32) -> PathBuf {
        let name = format!("hugepages/hugepages-{size_kib}kB");
        let in_cell = cell.map(|cell| self.sys.join(format!("devices/system/node/node{cell}")).join(&name));
        in_cell.filter(|path| path.exists()).unwrap_or_else(|| self.sys.join("kernel/mm").join(&name))
    }

    /// Sets the number of huge pages of a size in KiB in one NUMA node, or in the whole machine, or adds to it.
    pub fn allocate_pages(&self, cell: Option<u32>, size_kib: u32, count: u64, add: bool) -> Result<()> {
        if u64::from(size_kib) * 1024 == rustix::param::page_size() as u64 {
            let words = "system pages pool can't be modified";
            return Err(Error::new(ErrorDomain::None, api::Code::OperationUnsupported, words));
        }
        let path = self.huge_pages(cell, size_kib).join("nr_hugepages");
        let before = read_number(&path).and_then(|number| u64::try_from(number).ok());
        let before = before.ok_or_else(|| Error::operation_failed(ErrorDomain::None, no_such_pages(cell, size_kib)))?;
        let wanted = if add { before.saturating_add(count) } else { count };
        let failed =
            |e: std::io::Error| Error::system(ErrorDomain::None, &e, format!("Unable to write to: {}", path.display()));
        fs::write(&path, wanted.to_string()).map_err(failed)?;
        match read_number(&path).and_then(|number| u64::try_from(number).ok()) {
            Some(now) if now == wanted => Ok(()),
            now => {
                let got = now.unwrap_or(0).saturating_sub(before);
                let words = format!("Unable to allocate {count} pages. Allocated only {got}");
                Err(Error::operation_failed(ErrorDomain::None, words))
            }
        }
    }

    /// A node whose memory the kernel tells apart; None where it has only the machine's.
    pub fn numa_node(&self, cell: u32) -> Option<u32> {
        self.sys.join(format!("devices/system/node/node{cell}/meminfo")).exists().then_some(cell)
    }

    /// A value of the kernel's same-page merging.
    pub fn page_sharing(&self, name: &str) -> Option<u64> {
        read_number(&self.sys.join("kernel/mm/ksm").join(name)).map(|number| number as u64)
    }

    pub fn set_page_sharing(&self, name: &str, value: u64) -> Result<()> {
        let path = self.sys.join("kernel/mm/ksm").join(name);
        fs::write(&path, value.to_string())
            .map_err(|e| Error::system(ErrorDomain::Lxc, &e, format!("failed to set shm_{name}: '{}'", path.display())))
    }

    fn read_proc(&self, name: &str) -> Result<String> {
        read(&self.proc.join(name))
    }
}

/// Where the machine's UUID comes from, unless the settings give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UuidSource {
    /// The firmware's; where it has none, as for `MachineId`.
    #[default]
    Firmware,
    /// The system's machine-id(5); where it has none, one for this run of the daemon.
    MachineId,
}

pub fn machine_uuid(sys: &Path, machine_id: &Path, source: UuidSource) -> Uuid {
    let read = |path: &Path| Uuid::parse(fs::read_to_string(path).ok()?.trim());
    // Firmware whose maker left the field alone has one digit all over.
    let real = |uuid: &Uuid| uuid.0.iter().any(|byte| *byte != uuid.0[0]);
    let folders = ["devices/virtual/dmi/id", "class/dmi/id"];
    let mut firmware = folders.into_iter().filter_map(|folder| read(&sys.join(folder).join("product_uuid")));
    let firmware = if source == UuidSource::Firmware { firmware.find(real) } else { None };
    firmware.or_else(|| read(machine_id).filter(real)).unwrap_or_else(|| {
        let mut bytes = [0; 16];
        if let Err(errno) = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
            tracing::warn!("no random bytes for the host's UUID: {errno}");
        }
        Uuid::from_random(bytes)
    })
}

/// In KiB.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
pub struct Memory {
    pub total: u64,
    pub free: u64,
    pub buffers: u64,
    pub cached: u64,
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path)
        .map_err(|e| Error::system(ErrorDomain::Lxc, &e, format!("cannot open '{}'", path.display())))
}

fn no_such_pages(cell: Option<u32>, size_kib: u32) -> String {
    let place = cell.map(|cell| format!(" on node {cell}")).unwrap_or_default();
    format!("page size {size_kib} is not available{place}")
}

fn read_number(path: &Path) -> Option<i64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// `0-3,8` as its members; None for anything else.
fn parse_ranges(text: &str) -> Option<Vec<u32>> {
    let mut members = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if last >= first && last - first < 65_536 {
            members.extend(first..=last);
        }
    }
    Some(members)
}

fn parse_stat(text: &str, cpu: Option<u32>) -> Option<CpuTimes> {
    let name = cpu.map_or("cpu".to_string(), |cpu| format!("cpu{cpu}"));
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(&name))?;
    let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [user, nice, system, idle, iowait, irq, softirq, ..] = ticks[..] else { return None };
    let nanoseconds = |ticks: u64| ticks.saturating_mul(NANOSECONDS_PER_TICK);
    Some(CpuTimes {
        kernel: nanoseconds(system + irq + softirq),
        user: nanoseconds(user + nice),
        idle: nanoseconds(idle),
        iowait: nanoseconds(iowait),
    })
}

/// The machine's form (`MemTotal: 5 kB`) and a NUMA node's (`Node 0 MemTotal: 5 kB`).
fn parse_meminfo(text: &str) -> Memory {
    let mut memory = Memory::default();
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0);
        match name.split_whitespace().last() {
            Some("MemTotal") => memory.total = value,
            Some("MemFree") => memory.free = value,
            Some("Buffers") => memory.buffers = value,
            Some("Cached" | "FilePages") => memory.cached = value,
            _ => {}
        }
    }
    memory
}

/// `6.18.44-cloud` is 6018044.
fn version_number(release: &str) -> u64 {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|word| word.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    next() * 1_000_000 + next() * 1000 + next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_uuid_comes_from() {
        let sys = std::env::temp_dir().join(format!("virtlxcd-uuid-{}", std::process::id()));
        let firmware = sys.join("class/dmi/id");
        fs::create_dir_all(&firmware).unwrap();
        let id = sys.join("machine-id");
        fs::write(&id, "0123456789abcdef0123456789abcdef\n").unwrap();
        let found = |source| machine_uuid(&sys, &id, source).to_string();
        let (own, system) = ("f16e6491-b67a-427c-9fa2-7ed0c0351c5a", "01234567-89ab-cdef-0123-456789abcdef");
        assert_eq!(found(UuidSource::Firmware), system);
        fs::write(firmware.join("product_uuid"), "ffffffff-ffff-ffff-ffff-ffffffffffff\n").unwrap();
        assert_eq!(found(UuidSource::Firmware), system);
        fs::write(firmware.join("product_uuid"), own).unwrap();
        assert_eq!((found(UuidSource::Firmware), found(UuidSource::MachineId)), (own.to_string(), system.to_string()));
        fs::remove_file(&id).unwrap();
        assert_ne!(found(UuidSource::MachineId), found(UuidSource::MachineId));
        fs::remove_dir_all(sys).unwrap();
    }

    #[test]
    fn kernel_texts() {
        assert_eq!(version_number("6.18.44-cloud-amd64"), 6_018_044);
        assert_eq!(version_number("6.1"), 6_001_000);
        assert_eq!(parse_ranges("0-2,5"), Some(vec![0, 1, 2, 5]));
        assert_eq!(parse_ranges("zero"), None);
        let stat = "cpu  10 1 5 100 3 1 1 0 0 0\ncpu0 4 0 2 50 1 0 0 0 0 0\nintr 5\n";
        let times = CpuTimes { kernel: 70_000_000, user: 110_000_000, idle: 1_000_000_000, iowait: 30_000_000 };
        assert_eq!(parse_stat(stat, None), Some(times));
        assert_eq!(parse_stat(stat, Some(7)), None);
        let memory = Memory { total: 8, free: 4, buffers: 1, cached: 2 };
        assert_eq!(parse_meminfo("MemTotal: 8 kB\nMemFree: 4 kB\nBuffers: 1 kB\nCached: 2 kB\n"), memory);
        assert_eq!(
            parse_meminfo("Node 0 MemTotal: 8 kB\nNode 0 MemFree: 4 kB\nNode 0 FilePages: 2 kB\n"),
            Memory { buffers: 0, ..memory }
        );
    }
}
