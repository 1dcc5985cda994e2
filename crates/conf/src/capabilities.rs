//! `<capabilities>`, what the machine has and runs, and `<domainCapabilities>`, what a container may have: written from
//! facts that others have gathered.

use crate::cpuset::CpuSet;
use crate::xml::Writer;
use api::Uuid;

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    pub uuid: Uuid,
    /// As libvirt names it: `x86_64`.
    pub arch: String,
    /// Path of the controller.
    pub emulator: String,
    /// Sizes of pages in KiB, rising.
    pub page_sizes: Vec<u64>,
    pub iommu: bool,
    pub cells: Vec<Cell>,
    /// Of level 3 and above.
    pub caches: Vec<Cache>,
    pub security: Vec<SecurityModel>,
}

/// A NUMA node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    pub id: u32,
    pub memory_kib: u64,
    /// Size in KiB and number.
    pub pages: Vec<(u64, u64)>,
    /// To each node, by its id.
    pub distances: Vec<(u32, u32)>,
    pub cpus: Vec<Cpu>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cpu {
    pub id: u32,
    pub socket: u32,
    pub die: u32,
    pub core: u32,
    /// Threads of the same core, itself among them.
    pub siblings: CpuSet,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    pub id: u32,
    pub level: u32,
    pub kind: CacheKind,
    pub size_bytes: u64,
    pub cpus: CpuSet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheKind {
    Both,
    Code,
    Data,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityModel {
    pub model: String,
    pub doi: String,
    /// The label of a container where its document names none.
    pub base_label: Option<String>,
}

/// Architectures whose programs run on a machine, its own first, with the bits of a word.
pub fn guest_architectures(arch: &str) -> Vec<(&str, u32)> {
    match arch {
        "x86_64" => vec![("x86_64", 64), ("i686", 32)],
        "aarch64" | "alpha" | "ia64" | "loongarch64" | "mips64" | "mips64el" | "ppc64" | "ppc64le" | "riscv64"
        | "s390x" | "sparc64" => vec![(arch, 64)],
        _ => vec![(arch, 32)],
    }
}

impl Capabilities {
    pub fn format(&self) -> String {
        let mut out = String::from("<capabilities>\n\n");
        out += &self.host();
        for (arch, bits) in guest_architectures(&self.arch) {
            out += "\n";
            out += &self.guest(arch, bits);
        }
        out + "\n</capabilities>\n"
    }

    fn host(&self) -> String {
        let mut w = Writer::indented(1);
        w.open("host");
        w.text("uuid", self.uuid);
        w.open("cpu");
        w.text("arch", &self.arch);
        for size in &self.page_sizes {
            w.open("pages");
            w.attr("unit", "KiB");
            w.attr("size", size);
            w.close();
        }
        w.close();
        // A host is not put to sleep through its containers.
        w.empty("power_management");
        w.open("iommu");
        w.attr("support", if self.iommu { "yes" } else { "no" });
        w.close();
        if !self.cells.is_empty() {
            w.open("topology");
            w.open("cells");
            w.attr("num", self.cells.len());
            self.cells.iter().for_each(|cell| cell.format(&mut w));
            w.close();
            w.close();
        }
        if !self.caches.is_empty() {
            w.open("cache");
            self.caches.iter().for_each(|cache| cache.format(&mut w));
            w.close();
        }
        for security in &self.security {
            w.open("secmodel");
            w.text("model", &security.model);
            w.text("doi", &security.doi);
            if let Some(label) = &security.base_label {
                w.open("baselabel");
                w.attr("type", "lxc");
                w.close_with(label);
            }
            w.close();
        }
        w.finish()
    }

    fn guest(&self, arch: &str, bits: u32) -> String {
        let mut w = Writer::indented(1);
        w.open("guest");
        w.text("os_type", "exe");
        w.open("arch");
        w.attr("name", arch);
        w.text("wordsize", bits);
        w.text("emulator", &self.emulator);
        w.open("domain");
        w.attr("type", "lxc");
        w.finish()
    }
}

impl Cell {
    fn format(&self, w: &mut Writer) {
        w.open("cell");
        w.attr("id", self.id);
        w.open("memory");
        w.attr("unit", "KiB");
        w.close_with(self.memory_kib);
        for (size, count) in &self.pages {
            w.open("pages");
            w.attr("unit", "KiB");
            w.attr("size", size);
            w.close_with(count);
        }
        if !self.distances.is_empty() {
            w.open("distances");
            for (id, value) in &self.distances {
                w.open("sibling");
                w.attr("id", id);
                w.attr("value", value);
                w.close();
            }
            w.close();
        }
        w.open("cpus");
        w.attr("num", self.cpus.len());
        for cpu in &self.cpus {
            w.open("cpu");
            w.attr("id", cpu.id);
            w.attr("socket_id", cpu.socket);
            w.attr("die_id", cpu.die);
            w.attr("core_id", cpu.core);
            w.attr("siblings", &cpu.siblings);
            w.close();
        }
        w.close();
        w.close();
    }
}

impl Cache {
    fn format(&self, w: &mut Writer) {
        // The largest unit that leaves a whole number.
        let mut size = self.size_bytes;
        let mut unit = "B";
        for larger in ["KiB", "MiB", "GiB"] {
            if size == 0 || size % 1024 != 0 {
                break;
            }
            (size, unit) = (size / 1024, larger);
        }
        w.open("bank");
        w.attr("id", self.id);
        w.attr("level", self.level);
        let kind = match self.kind {
            CacheKind::Both => "both",
            CacheKind::Code => "code",
            CacheKind::Data => "data",
        };
        w.attr("type", kind);
        w.attr("size", size);
        w.attr("unit", unit);
        w.attr("cpus", &self.cpus);
        w.close();
    }
}

/// What a container may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainCapabilities {
    /// Path of the controller.
    pub emulator: String,
    pub arch: String,
    /// So many processors can a document name at most.
    pub most_vcpus: u32,
}

/// An enumeration of the document: its name, and the words that are taken.
type Words = (&'static str, &'static [&'static str]);

/// Devices in the document's order; those without words are not for containers.
const DEVICES: [(&str, &[Words]); 7] = [
    ("disk", &[("diskDevice", &["disk"])]),
    ("graphics", &[]),
    ("video", &[]),
    (
        "hostdev",
        &[
            ("mode", &["subsystem", "capabilities"]),
            ("startupPolicy", &["default", "mandatory", "requisite", "optional"]),
            ("subsysType", &["usb"]),
            ("capsType", &["storage", "misc", "net"]),
            ("pciBackend", &[]),
        ],
    ),
    ("rng", &[]),
    ("filesystem", &[("driverType", &["path", "loop", "nbd"])]),
    ("tpm", &[]),
];

const FEATURES: [&str; 7] = ["gic", "vmcoreinfo", "genid", "backingStoreInput", "backup", "sev", "sgx"];

impl DomainCapabilities {
    pub fn format(&self) -> String {
        let mut w = Writer::new();
        w.open("domainCapabilities");
        w.text("path", &self.emulator);
        w.text("domain", "lxc");
        w.text("arch", &self.arch);
        w.open("vcpu");
        w.attr("max", self.most_vcpus);
        w.close();
        supported(&mut w, "iothreads", false);
        w.close();
        supported(&mut w, "os", true);
        supported(&mut w, "loader", false);
        w.close();
        w.close();
        w.open("cpu");
        for mode in ["host-passthrough", "maximum", "host-model", "custom"] {
            w.open("mode");
            w.attr("name", mode);
            w.attr("supported", "no");
            w.close();
        }
        w.close();
        supported(&mut w, "memoryBacking", false);
        w.close();
        w.open("devices");
        for (device, enumerations) in DEVICES {
            supported(&mut w, device, !enumerations.is_empty());
            for (name, words) in enumerations {
                w.open("enum");
                w.attr("name", name);
                words.iter().for_each(|word| w.text("value", word));
                w.close();
            }
            w.close();
        }
        w.close();
        w.open("features");
        for feature in FEATURES {
            supported(&mut w, feature, false);
            w.close();
        }
        w.finish()
    }
}

/// Opens an element that says whether there is such a thing.
fn supported(w: &mut Writer, name: &'static str, there: bool) {
    w.open(name);
    w.attr("supported", if there { "yes" } else { "no" });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As libvirt 9.0.0 wrote it on the machine with these facts.
    const RECORDED: &str = include_str!("../tests/capabilities.xml");

    fn facts() -> Capabilities {
        let cpu = |id| Cpu { id, socket: 0, die: 0, core: id, siblings: CpuSet::from_numbers([id]) };
        Capabilities {
            uuid: Uuid::parse("f16e6491-b67a-427c-9fa2-7ed0c0351c5a").unwrap(),
            arch: "x86_64".to_string(),
            emulator: "/usr/lib/libvirt/libvirt_lxc".to_string(),
            page_sizes: vec![4, 2048, 1_048_576],
            iommu: false,
            cells: vec![Cell {
                id: 0,
                memory_kib: 6_252_756,
                pages: vec![(4, 1_563_189), (2048, 0), (1_048_576, 0)],
                distances: vec![(0, 10)],
                cpus: vec![cpu(0), cpu(1)],
            }],
            caches: vec![Cache {
                id: 0,
                level: 3,
                kind: CacheKind::Both,
                size_bytes: 32 << 20,
                cpus: CpuSet::from_numbers([0, 1]),
            }],
            security: vec![SecurityModel { model: "none".to_string(), doi: "0".to_string(), base_label: None }],
        }
    }

    #[test]
    fn as_recorded() {
        assert_eq!(facts().format(), RECORDED);
    }

    #[test]
    fn sizes_of_caches() {
        for (bytes, expected) in
            [(0, "size='0' unit='B'"), (1536 << 10, "size='1536' unit='KiB'"), (1 << 30, "size='1' unit='GiB'")]
        {
            let mut facts = facts();
            facts.caches[0].size_bytes = bytes;
            let found = facts.format();
            assert!(found.contains(expected), "{expected} is not in {found}");
        }
    }

    #[test]
    fn labels_and_other_machines() {
        let mut facts = facts();
        facts.arch = "aarch64".to_string();
        facts.security[0].base_label = Some("a:b<c".to_string());
        let found = facts.format();
        assert!(found.contains("<baselabel type='lxc'>a:b&lt;c</baselabel>"), "{found}");
        assert_eq!(found.matches("<guest>").count(), 1);
    }

    #[test]
    fn of_domains() {
        let emulator = "/usr/lib/virtlxc/libvirt_lxc".to_string();
        let found = DomainCapabilities { emulator, arch: "x86_64".to_string(), most_vcpus: 2 }.format();
        let part = "    <hostdev supported='yes'>\n      <enum name='mode'>\n        <value>subsystem</value>\n";
        assert!(found.contains(part), "{found}");
        assert!(found.contains("    <graphics supported='no'/>\n"), "{found}");
        assert!(found.contains("      <enum name='pciBackend'/>\n"), "{found}");
    }
}
