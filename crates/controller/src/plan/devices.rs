//! The nodes and links of `/dev`, and the rules about which devices may be used.

use crate::failure::{Doing, Failure, Result};
use conf::domain::{ClockOffset, Disk, Domain, HostdevSource};
use linux::capability::Set;
use linux::cgroup::{Access, DeviceKind, DeviceRule};
use std::fmt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Character,
    Block,
}

/// A node to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Beneath `/dev`.
    pub path: PathBuf,
    pub kind: Kind,
    pub major: u32,
    pub minor: u32,
    pub mode: u32,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Kind::Block { "b" } else { "c" })
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}:{} {:04o}", self.path.display(), self.kind, self.major, self.minor, self.mode)
    }
}

/// Nodes that every container has.
const CUSTOMARY: [(&str, u32, u32); 7] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
    ("ptmx", 5, 2),
];

pub const LINKS: [(&str, &str); 4] = [
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("fd", "/proc/self/fd"),
];

pub fn nodes(domain: &Domain) -> Result<Vec<Node>> {
    let customary = CUSTOMARY.iter().map(|(name, major, minor)| Node {
        path: name.into(),
        kind: Kind::Character,
        major: *major,
        minor: *minor,
        mode: 0o666,
    });
    let mut nodes: Vec<Node> = customary.collect();
    for hostdev in &domain.hostdevs {
        nodes.extend(hostdev_node(&hostdev.source)?);
    }
    for disk in &domain.disks {
        nodes.extend(disk_node(disk)?);
    }
    nodes.extend(timers(domain)?);
    Ok(nodes)
}

/// What every container may use, its own devices, and nothing else.
pub fn rules(nodes: &[Node], capabilities: Set) -> Vec<DeviceRule> {
    let own = nodes.iter().map(|node| DeviceRule {
        kind: if node.kind == Kind::Block { DeviceKind::Block } else { DeviceKind::Character },
        major: Some(node.major),
        minor: Some(node.minor),
        access: Access::ALL,
    });
    let mut rules = DeviceRule::CUSTOMARY.to_vec();
    for rule in own {
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    // A container that may make devices may make any of them, and use those above.
    if capabilities.contains("mknod") {
        let make = Access { read: false, write: false, make: true };
        let any = |kind| DeviceRule { kind, major: None, minor: None, access: make };
        rules.extend([DeviceKind::Character, DeviceKind::Block].map(any));
    }
    rules
}

fn hostdev_node(source: &HostdevSource) -> Result<Option<Node>> {
    let (path, kind) = match source {
        HostdevSource::Storage { block } => (block, Kind::Block),
        HostdevSource::Misc { char } => (char, Kind::Character),
        HostdevSource::Net { .. } => return Ok(None),
        HostdevSource::Usb(usb) if usb.bus != 0 => {
            let path = format!("/dev/bus/usb/{:03}/{:03}", usb.bus, usb.device);
            return node_like(Path::new(&path), Path::new(&path), Kind::Character, "USB device").map(Some);
        }
        HostdevSource::Usb(_) => {
            return Err(Failure::unsupported("a USB device is named by <address bus='' device=''/>"));
        }
        HostdevSource::Other(element) => {
            let kind = element.attr("type").unwrap_or_default();
            return Err(Failure::unsupported(format!("Unsupported hostdev type {kind}")));
        }
    };
    let what = if kind == Kind::Block { "Storage source" } else { "Character source" };
    node_like(Path::new(path), Path::new(path), kind, what).map(Some)
}

fn disk_node(disk: &Disk) -> Result<Option<Node>> {
    let path = disk.source_path().unwrap_or_default();
    match disk.kind() {
        "block" => {
            node_like(Path::new(path), &Path::new("/dev").join(disk.target()), Kind::Block, "Disk source").map(Some)
        }
        // Its device is known when it is made.
        "file" => Ok(None),
        _ => Err(Failure::unsupported("Can't setup disk for non-block device")),
    }
}

/// A file that shall look like a block device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDisk {
    pub file: PathBuf,
    /// Where a program has to read it; else the disk is the file as it is.
    pub format: Option<String>,
    /// Its name in `/dev`.
    pub name: String,
    pub read_only: bool,
}

pub fn image_disks(domain: &Domain) -> Result<Vec<ImageDisk>> {
    domain.disks.iter().filter(|disk| disk.kind() == "file").map(image_disk).collect()
}

fn image_disk(disk: &Disk) -> Result<ImageDisk> {
    let refuse = |what: &str, value: &str| Err(Failure::unsupported(format!("{what} {value} is not supported")));
    let served = match disk.driver("name") {
        None | Some("loop") => false,
        Some("nbd") => true,
        Some(other) => return refuse("disk driver", other),
    };
    let format = match disk.driver("type") {
        Some(format) if served => Some(format.to_string()),
        None if served => return Err(no_format()),
        None | Some("raw") => None,
        Some(other) => return refuse("disk format", other),
    };
    match disk.driver("cache") {
        None | Some("default" | "none") => {}
        Some("writethrough") if !served => {}
        Some(other) => return refuse("Disk cache mode", other),
    }
    let file = disk.source_path().filter(|path| !path.is_empty());
    let file = file.ok_or_else(|| Failure::unsupported(format!("disk {} has no source", disk.target())))?;
    Ok(ImageDisk { file: file.into(), format, name: disk.target().into(), read_only: disk.read_only() })
}

/// Nobody looks into an image for what it may be: a guest could have written that.
pub fn no_format() -> Failure {
    Failure::new("An explicit disk format must be specified")
}

/// The machine's clocks, where the document asks for them.
fn timers(domain: &Domain) -> Result<Vec<Node>> {
    if !matches!(domain.clock.offset, ClockOffset::Localtime { .. }) {
        return Ok(Vec::new());
    }
    let mut nodes = Vec::new();
    for timer in domain.clock.timers.iter().filter(|timer| timer.present()) {
        let (from, to) = match timer.name() {
            "rtc" => ("/dev/rtc0", "/dev/rtc"),
            "hpet" => ("/dev/hpet", "/dev/hpet"),
            other => return Err(Failure::unsupported(format!("unsupported timer type (name) '{other}'"))),
        };
        nodes.push(Node { mode: 0o644, ..node_like(Path::new(from), Path::new(to), Kind::Character, "Timer")? });
    }
    Ok(nodes)
}

/// A node at `target` for the device that is at `source` on the machine.
fn node_like(source: &Path, target: &Path, kind: Kind, what: &str) -> Result<Node> {
    let found = std::fs::metadata(source).doing(|| format!("Unable to access {}", source.display()))?;
    let right = match kind {
        Kind::Block => found.file_type().is_block_device(),
        Kind::Character => found.file_type().is_char_device(),
    };
    if !right {
        let wanted = if kind == Kind::Block { "block" } else { "character" };
        return Err(Failure::unsupported(format!("{what} {} must be a {wanted} device", source.display())));
    }
    let path = target
        .strip_prefix("/dev")
        .map_err(|_| Failure::unsupported(format!("{} is not in /dev", target.display())))?;
    let number = found.rdev();
    let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
    Ok(Node { path: path.into(), kind, major, minor, mode: 0o700 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;
    use conf::domain::{Hostdev, HostdevSource};

    fn hostdev(source: HostdevSource) -> Hostdev {
        Hostdev { source, managed: false, kept: Vec::new() }
    }

    #[test]
    fn a_plain_container_has_what_libvirts_has() {
        let domain = sample::domain();
        let shown: Vec<String> = nodes(&domain).unwrap().iter().map(Node::to_string).collect();
        assert_eq!(
            shown,
            [
                "null c 1:3 0666",
                "zero c 1:5 0666",
                "full c 1:7 0666",
                "random c 1:8 0666",
                "urandom c 1:9 0666",
                "tty c 5:0 0666",
                "ptmx c 5:2 0666"
            ]
        );
        let shown = |nodes: &[Node], capabilities| {
            rules(nodes, capabilities).iter().map(DeviceRule::to_string).collect::<Vec<_>>().join(", ")
        };
        let customary =
            "c 1:3 rwm, c 1:5 rwm, c 1:7 rwm, c 1:8 rwm, c 1:9 rwm, c 5:0 rwm, c 5:2 rwm, c 10:229 rwm, c 136:* rwm";
        assert_eq!(shown(&nodes(&domain).unwrap(), Set::default()), customary);
        let disk = Node { path: "sda".into(), kind: Kind::Block, major: 7, minor: 0, mode: 0o700 };
        assert_eq!(shown(&[disk], Set::ALL), format!("{customary}, b 7:0 rwm, c *:* m, b *:* m"));
    }

    #[test]
    fn devices_of_the_machine_are_checked() {
        let mut domain = sample::domain();
        domain.hostdevs = vec![hostdev(HostdevSource::Misc { char: "/dev/null".into() })];
        assert_eq!(nodes(&domain).unwrap().last().unwrap().to_string(), "null c 1:3 0700");
        for (source, complaint) in [
            (
                HostdevSource::Storage { block: "/dev/nonexistent".into() },
                "Unable to access /dev/nonexistent: No such file or directory",
            ),
            (
                HostdevSource::Storage { block: "/dev/null".into() },
                "unsupported configuration: Storage source /dev/null must be a block device",
            ),
        ] {
            domain.hostdevs = vec![hostdev(source)];
            assert_eq!(nodes(&domain).unwrap_err().to_string(), complaint);
        }
    }
}
