//! What `<capabilities>` says of the machine: nodes, processors, pages and caches as /sys shows them.

use super::{Host, parse_ranges, read_number};
use api::Result;
use conf::CpuSet;
use conf::capabilities::{Cache, CacheKind, Capabilities, Cell, Cpu, SecurityModel};
use std::fs;
use std::path::Path;

/// Caches below are of single cores, which nobody shares out.
const LOWEST_CACHE_LEVEL: u32 = 3;

impl Host {
    pub fn capabilities(&self, emulator: &str, security_model: &str) -> Result<Capabilities> {
        let sizes = self.page_sizes();
        Ok(Capabilities {
            uuid: self.uuid,
            arch: self.architecture(),
            emulator: emulator.to_string(),
            iommu: has_entries(&self.sys.join("kernel/iommu_groups")),
            cells: self.cells().into_iter().map(|id| self.cell(id, &sizes)).collect::<Result<_>>()?,
            caches: self.caches()?,
            security: vec![SecurityModel { model: security_model.to_string(), doi: "0".to_string(), base_label: None }],
            page_sizes: sizes,
        })
    }

    /// In KiB, the ordinary one first.
    fn page_sizes(&self) -> Vec<u64> {
        let mut huge: Vec<u64> = names(&self.sys.join("kernel/mm/hugepages"))
            .iter()
            .filter_map(|name| name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok())
            .collect();
        huge.sort_unstable();
        std::iter::once(rustix::param::page_size() as u64 / 1024).chain(huge).collect()
    }

    fn cell(&self, id: u32, sizes: &[u64]) -> Result<Cell> {
        let Some(node) = self.numa_node(id) else {
            // A kernel without nodes: one with all there is.
            let cpus = self.online_cpus()?.into_iter().map(|cpu| self.cpu(cpu)).collect();
            return Ok(Cell { id, memory_kib: self.memory(None)?.total, cpus, ..Cell::default() });
        };
        let folder = self.sys.join(format!("devices/system/node/node{node}"));
        let memory_kib = self.memory(Some(node))?.total;
        let mut pages = Vec::new();
        let mut in_huge_pages = 0;
        for size in sizes.iter().skip(1) {
            let path = folder.join(format!("hugepages/hugepages-{size}kB/nr_hugepages"));
            let count = read_number(&path).and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
            in_huge_pages += count * size;
            pages.push((*size, count));
        }
        if let Some(size) = sizes.first() {
            pages.insert(0, (*size, memory_kib.saturating_sub(in_huge_pages) / size));
        }
        let online = self.online_cpus()?;
        let list = fs::read_to_string(folder.join("cpulist")).unwrap_or_default();
        let cpus = parse_ranges(list.trim()).unwrap_or_default().into_iter().filter(|cpu| online.contains(cpu));
        let text = fs::read_to_string(folder.join("distance")).unwrap_or_default();
        let distances = text.split_whitespace().filter_map(|word| word.parse().ok());
        Ok(Cell {
            id,
            memory_kib,
            pages,
            distances: self.cells().into_iter().zip(distances).collect(),
            cpus: cpus.map(|cpu| self.cpu(cpu)).collect(),
        })
    }

    fn cpu(&self, id: u32) -> Cpu {
        let topology = self.sys.join(format!("devices/system/cpu/cpu{id}/topology"));
        let number = |name: &str| read_number(&topology.join(name)).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        Cpu {
            id,
            socket: number("physical_package_id"),
            die: number("die_id"),
            core: number("core_id"),
            siblings: cpu_set(&topology.join("thread_siblings_list")),
        }
    }

    fn caches(&self) -> Result<Vec<Cache>> {
        let mut caches: Vec<Cache> = Vec::new();
        for cpu in self.online_cpus()? {
            let folder = self.sys.join(format!("devices/system/cpu/cpu{cpu}/cache"));
            for name in names(&folder) {
                let Some(cache) = cache(&folder.join(name)) else { continue };
                let same = |other: &Cache| (other.id, other.level, other.kind) == (cache.id, cache.level, cache.kind);
                if !caches.iter().any(same) {
                    caches.push(cache);
                }
            }
        }
        caches.sort_by_key(|cache| (cache.level, cache.kind as u32, cache.id));
        Ok(caches)
    }
}

/// One `indexN` folder; none where its level is of no interest.
fn cache(folder: &Path) -> Option<Cache> {
    let number = |name: &str| read_number(&folder.join(name)).and_then(|number| u32::try_from(number).ok());
    let level = number("level").filter(|level| *level >= LOWEST_CACHE_LEVEL)?;
    let kind = match fs::read_to_string(folder.join("type")).ok()?.trim() {
        "Unified" => CacheKind::Both,
        "Instruction" => CacheKind::Code,
        "Data" => CacheKind::Data,
        _ => return None,
    };
    let size = fs::read_to_string(folder.join("size")).ok()?;
    let size_bytes = size.trim().strip_suffix('K')?.parse::<u64>().ok()?.checked_mul(1024)?;
    Some(Cache { id: number("id")?, level, kind, size_bytes, cpus: cpu_set(&folder.join("shared_cpu_list")) })
}

fn cpu_set(path: &Path) -> CpuSet {
    let text = fs::read_to_string(path).unwrap_or_default();
    CpuSet::from_numbers(parse_ranges(text.trim()).unwrap_or_default())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

fn has_entries(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_machine_of_two_nodes() {
        let sys = std::env::temp_dir().join(format!("virtlxcd-capabilities-{}", std::process::id()));
        write(sys.join("devices/system/node/online"), "0-1\n");
        write(sys.join("devices/system/cpu/online"), "0-1\n");
        fs::create_dir_all(sys.join("kernel/mm/hugepages/hugepages-2048kB")).unwrap();
        for id in ["0", "1"] {
            let node = sys.join(format!("devices/system/node/node{id}"));
            write(node.join("meminfo"), &format!("Node {id} MemTotal: 8192 kB\nNode {id} MemFree: 4096 kB\n"));
            write(node.join("hugepages/hugepages-2048kB/nr_hugepages"), "1\n");
            write(node.join("cpulist"), &format!("{id}\n"));
            write(node.join("distance"), "10 20\n");
            let cpu = sys.join(format!("devices/system/cpu/cpu{id}"));
            write(cpu.join("topology/core_id"), &format!("{id}\n"));
            write(cpu.join("topology/thread_siblings_list"), &format!("{id}\n"));
            let cache = cpu.join("cache/index3");
            for (name, text) in
                [("level", "3"), ("type", "Unified"), ("size", "512K"), ("id", "0"), ("shared_cpu_list", "0-1")]
            {
                write(cache.join(name), text);
            }
        }
        let host = Host { proc: "/proc".into(), sys: sys.clone(), uuid: api::Uuid([7; 16]) };
        let found = host.capabilities("/x", "none").unwrap();
        fs::remove_dir_all(sys).unwrap();
        let page = rustix::param::page_size() as u64 / 1024;
        assert_eq!(found.page_sizes, [page, 2048]);
        assert_eq!(found.cells.len(), 2);
        assert_eq!(found.cells[1].pages, [(page, (8192 - 2048) / page), (2048, 1)]);
        assert_eq!(found.cells[1].distances, [(0, 10), (1, 20)]);
        assert_eq!((found.cells[1].cpus[0].id, found.cells[1].cpus[0].core), (1, 1));
        assert_eq!(found.caches.len(), 1);
        assert_eq!((found.caches[0].size_bytes, found.caches[0].cpus.to_string()), (512 << 10, "0-1".to_string()));
        assert!(!found.iommu);
    }
}
