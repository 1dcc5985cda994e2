//! Documents, names and parents of a machine's devices, held against those that libvirt's daemon gave of the same machine,
//! with what differs on purpose put right in them (docs/differences.md).

mod made_up;

use api::{Paths, Uuid};
use conf::nodedev::Kind;
use nodedev::Machine;
use std::fs;
use std::path::{Path, PathBuf};

/// Gone at its end.
struct MadeUp(PathBuf);

impl MadeUp {
    fn make(test: &str) -> MadeUp {
        let root = std::env::temp_dir().join(format!("virtlxc-nodedev-{test}-{}", std::process::id()));
        made_up::make(&root);
        MadeUp(root)
    }

    fn machine(&self) -> Machine {
        let at = |name| self.0.join(name);
        let paths = Paths { sys: at("sys"), udev: at("run/udev"), share: at("usr/share"), ..Paths::system() };
        Machine::new(&paths, Uuid::parse("4C4C4544-0042-3510-8056-B4C04F4E3132").unwrap())
    }
}

impl Drop for MadeUp {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn all(machine: &Machine) -> String {
    let mut devices = machine.list();
    devices.sort_by(|a, b| a.name.cmp(&b.name));
    devices.iter().map(|device| machine.describe(device).unwrap().format()).collect()
}

#[test]
fn as_libvirt_describes_them() {
    let made = MadeUp::make("documents");
    let documents = all(&made.machine());
    for (ours, theirs) in documents.split("<device>").zip(made_up::EXPECTED.split("<device>")) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(documents, made_up::EXPECTED);
}

#[test]
fn each_is_found_by_its_name() {
    let made = MadeUp::make("names");
    let machine = made.machine();
    for device in machine.list() {
        let found = machine.find(&device.name).unwrap_or_else(|| panic!("{} is not found", device.name));
        assert_eq!((&found.name, found.kind), (&device.name, device.kind));
        let parent = machine.parent(&device);
        assert_eq!(parent.is_none(), device.name == "computer");
        assert!(parent.is_none_or(|parent| machine.find(&parent).is_some()), "{}", device.name);
    }
    for name in ["", "pci", "pci_", "pci_0000_00_02_0_", "pci_0000:00:02.0", "block_sda", "block_loop0", "net_madebr0"]
    {
        assert!(machine.find(name).is_none(), "{name}");
    }
}

#[test]
fn ports_of_fibre_channel() {
    let made = MadeUp::make("fibre");
    let machine = made.machine();
    let host = machine.find("scsi_host5").unwrap();
    assert_eq!(machine.kinds(&host), [Kind::ScsiHost, Kind::FibreChannel, Kind::VirtualPorts]);
    assert_eq!(machine.kinds(&machine.find("scsi_host0").unwrap()), [Kind::ScsiHost]);
    let named = |node, port| machine.scsi_host_of(node, port).map(|host| host.name);
    assert_eq!(named("20000090fa1bc2f6", "10000090fa1bc2f6").as_deref(), Some("scsi_host5"));
    assert_eq!(named("20000090fa1bc2f6", "20000090fa1bc2f6"), None);
}

#[test]
fn drives_without_udevd() {
    let made = MadeUp::make("alone");
    fs::remove_dir_all(made.0.join("run/udev")).unwrap();
    let names = made.machine().list().into_iter().map(|device| device.name);
    let drives: Vec<String> = names.filter(|name| name.starts_with("block_")).collect();
    assert_eq!(drives, ["block_nvme0n1", "block_sda", "block_sdb", "block_sdc", "block_sr0", "block_vdz"]);
}

#[test]
fn a_machine_that_shows_nothing() {
    let empty = Path::new("/nonexistent/virtlxc");
    let paths = Paths { sys: empty.into(), udev: empty.into(), share: empty.into(), ..Paths::system() };
    let machine = Machine::new(&paths, Uuid([7; 16]));
    let expected = "<device>\n  <name>computer</name>\n  <capability type='system'>\n    <hardware>\n      \
                    <uuid>00000000-0000-0000-0000-000000000000</uuid>\n    </hardware>\n    <firmware>\n    \
                    </firmware>\n  </capability>\n</device>\n";
    assert_eq!(all(&machine), expected);
    assert!(machine.find("net_lo_00_00_00_00_00_00").is_none());
}

/// Whatever the files of a machine have in them: no panic, and a document that can be read.
#[test]
fn damaged_files() {
    let made = MadeUp::make("damaged");
    let mut files = Vec::new();
    collect(&made.0, &mut files);
    assert!(files.len() > 100);
    const CONTENTS: &[&str] = &["", "\n", "\u{1}<&>'\"\n", "99999999999999999999", "-1", "0x", "a\nb=c\n=\n\n"];
    let describe = || {
        let machine = made.machine();
        for device in machine.list() {
            machine.describe(&device).map(|device| device.format());
        }
    };
    for (some, content) in files.chunks(12).zip(CONTENTS.iter().cycle()) {
        let before: Vec<Vec<u8>> = some.iter().map(|file| fs::read(file).unwrap()).collect();
        some.iter().for_each(|file| fs::write(file, content).unwrap());
        describe();
        some.iter().zip(before).for_each(|(file, before)| fs::write(file, before).unwrap());
    }
    for content in CONTENTS {
        files.iter().for_each(|file| fs::write(file, content).unwrap());
        describe();
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => collect(&entry.path(), files),
            kind if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}
