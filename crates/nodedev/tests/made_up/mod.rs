//! A machine that nobody has: `machine.txt` tells its devices, and `expected.xml` has libvirt's documents of them.
//!
//! A line that begins with a path begins a device; what follows it is indented by a tab: `name: text` is an attribute, with `|`
//! for the end of a line, `name -> target` a link, `name = 06:10 34:40` bytes of a file at such offsets, and `udev KEY: text`
//! what udevd knows. Links to a subsystem or driver are told from /sys on, and have a link back.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

pub const EXPECTED: &str = include_str!("expected.xml");

/// Makes `sys`, `run/udev` and the names of PCI devices, as far as the machine needs them, in `root`.
pub fn make(root: &Path) {
    write(&root.join("usr/share/misc/pci.ids"), include_bytes!("pci.ids"));
    let mut device = "";
    for line in include_str!("machine.txt").lines() {
        let Some(line) = line.strip_prefix('\t') else {
            device = line;
            continue;
        };
        let folder = root.join(&device[1..]);
        if let Some(udev) = line.strip_prefix("udev ") {
            let (key, text) = udev.split_once(": ").unwrap();
            write(&root.join("run/udev/data").join(key), format!("{}\n", text.replace('|', "\n")).as_bytes());
        } else if let Some((name, target)) = line.split_once(" -> ") {
            link(root, device, name, target);
        } else if let Some((name, parts)) = line.split_once(" = ") {
            write(&folder.join(name), &bytes(parts));
        } else {
            let (name, text) = line.split_once(':').unwrap();
            let text = text.trim_start().replace('|', "\n");
            write(&folder.join(name), format!("{text}{}", if text.is_empty() { "" } else { "\n" }).as_bytes());
        }
    }
}

fn link(root: &Path, device: &str, name: &str, target: &str) {
    let folder = root.join(&device[1..]);
    let base = Path::new(device).file_name().unwrap();
    let to_root = |path: &str| PathBuf::from("../".repeat(path.split('/').count() - 1));
    if name == "subsystem" || name == "driver" {
        fs::create_dir_all(root.join("sys").join(target)).unwrap();
        make_link(&folder.join(name), &to_root(device).join("sys").join(target));
        if name == "subsystem" {
            let home = format!("/sys/{target}{}", if target.starts_with("bus/") { "/devices" } else { "" });
            make_link(&root.join(&home[1..]).join(base), &to_root(&home).join(&device[1..]));
        }
        return;
    }
    make_link(&folder.join(name), Path::new(target));
    if name == "iommu_group" {
        let group = format!("/sys/kernel/iommu_groups/{}/devices", target.rsplit('/').next().unwrap());
        make_link(&root.join(&group[1..]).join(base), &to_root(&group).join(&device[1..]));
    }
}

fn bytes(parts: &str) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    for part in parts.split(' ') {
        let (at, digits) = part.split_once(':').unwrap();
        let at = usize::from_str_radix(at, 16).unwrap();
        for (offset, pair) in digits.as_bytes().chunks(2).enumerate() {
            bytes[at + offset] = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        }
    }
    bytes
}

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn make_link(path: &Path, target: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    symlink(target, path).unwrap();
}
