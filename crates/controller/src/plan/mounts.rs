//! What is mounted in the container, in order.

use super::devices;
use crate::failure::{Failure, Result};
use conf::domain::{AccessMode, Domain, Filesystem, FilesystemDriverKind, FilesystemSource};
use linux::beneath::Kind;
use linux::mount::attribute::{NO_DEV, NO_EXEC, NO_SUID, READ_ONLY};
use std::fmt;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub what: What,
    /// Beneath the container's root.
    pub target: PathBuf,
    /// What the target is, and is made as where it is missing.
    pub kind: Kind,
    /// Of `linux::mount::attribute`.
    pub attributes: u64,
    /// Whether owners of files are mapped by the container's ids; where none, those that are not within them already.
    pub maps_ids: Option<bool>,
    /// Passed over where the kernel or the root has no such thing.
    pub optional: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A folder or file of the machine, with all that is mounted below it.
    Folder(PathBuf),
    /// The file system on a block device of the machine.
    Block(PathBuf),
    /// The file system in a file of the machine: as it is, or in a format that a program has to read.
    Image { file: PathBuf, format: Option<String> },
    /// Memory, in KiB.
    Ram(u64),
    /// Something that is in the container already, at another place. `writable`: even where it is read-only there.
    Inside { path: PathBuf, writable: bool },
    /// The container's own `/proc` or `/sys`.
    Kernel(&'static str),
    /// `/dev` with its nodes.
    Devices,
    /// The container's own terminals.
    Terminals,
    /// The terminal of that console.
    Console(usize),
    /// The container's control groups.
    ControlGroups,
    /// Nothing to see: an empty file or folder.
    Nothing,
}

/// What libvirt mounts in each container.
const QUIET: u64 = NO_SUID | NO_DEV | NO_EXEC;

/// Kernel files that tell of, or reach, the machine.
const HIDDEN_FILES: [&str; 5] =
    ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/latency_stats"];
const HIDDEN_FOLDERS: [&str; 5] =
    ["/proc/acpi", "/proc/scsi", "/proc/asound", "/sys/firmware", "/sys/devices/virtual/powercap"];
const READ_ONLY_PATHS: [&str; 4] = ["/proc/sysrq-trigger", "/proc/bus", "/proc/fs", "/proc/irq"];

/// The container's root: what the document mounts on `/`, or else the machine's own.
pub fn root(domain: &Domain) -> Result<Mount> {
    let mut mount = Mount {
        what: What::Folder("/".into()),
        target: "/".into(),
        kind: Kind::Folder,
        attributes: 0,
        maps_ids: None,
        optional: false,
    };
    let Some(described) = domain.filesystems.iter().find(|filesystem| is_root(filesystem)) else {
        return Ok(mount);
    };
    mount.what = match source(described)? {
        what @ (What::Folder(_) | What::Block(_) | What::Image { .. }) => what,
        _ => {
            let kind = described.source.kind();
            return Err(Failure::unsupported(format!("Unsupported root filesystem type {kind}")));
        }
    };
    mount.attributes = attributes(described)?;
    mount.maps_ids = described.mount.as_ref().and_then(|mount| mount.idmap);
    Ok(mount)
}

fn is_root(filesystem: &Filesystem) -> bool {
    filesystem.target == "/"
}

pub fn of(domain: &Domain, private_network: bool, maps_ids: bool) -> Result<Vec<Mount>> {
    let mount = |what, target: &str, attributes| Mount {
        what,
        target: target.into(),
        kind: Kind::Folder,
        attributes,
        maps_ids: None,
        optional: false,
    };
    let inside = |path: &str, writable| What::Inside { path: path.into(), writable };
    let mut mounts =
        vec![mount(What::Kernel("proc"), "/proc", QUIET), mount(inside("/proc/sys", false), "/proc/sys", READ_ONLY)];
    if private_network {
        for path in ["/proc/sys/net/ipv4", "/proc/sys/net/ipv6"] {
            mounts.push(Mount { optional: true, ..mount(inside(path, true), path, 0) });
        }
    }
    // The kernel shows /sys to those alone who own the network in it.
    mounts.push(match maps_ids && !private_network {
        true => Mount { maps_ids: Some(false), ..mount(What::Folder("/sys".into()), "/sys", QUIET | READ_ONLY) },
        false => mount(What::Kernel("sysfs"), "/sys", QUIET | READ_ONLY),
    });
    if domain.extension.masked_paths != Some(false) {
        let optional = |what, target: &str, kind| Mount { optional: true, kind, ..mount(what, target, READ_ONLY) };
        mounts.extend(READ_ONLY_PATHS.map(|path| optional(inside(path, false), path, Kind::File)));
        mounts.extend(HIDDEN_FILES.map(|path| optional(What::Nothing, path, Kind::File)));
        mounts.extend(HIDDEN_FOLDERS.map(|path| optional(What::Nothing, path, Kind::Folder)));
    }
    mounts.push(mount(What::Devices, "/dev", NO_SUID));
    mounts.push(mount(What::Terminals, "/dev/pts", NO_SUID | NO_EXEC));
    for number in 0..domain.consoles.len() {
        let terminal =
            |target: &str| Mount { kind: Kind::File, ..mount(What::Console(number), target, NO_SUID | NO_EXEC) };
        mounts.push(terminal(&format!("/dev/tty{}", number + 1)));
        if number == 0 {
            mounts.push(terminal("/dev/console"));
        }
    }
    // Behind /dev, for a machine may have them there.
    mounts.push(mount(What::ControlGroups, "/", 0));
    for described in domain.filesystems.iter().filter(|filesystem| !is_root(filesystem)) {
        mounts.push(Mount {
            maps_ids: described.mount.as_ref().and_then(|mount| mount.idmap),
            kind: match source(described)? {
                What::Folder(path) if path.is_file() => Kind::File,
                _ => Kind::Folder,
            },
            ..mount(source(described)?, &described.target, attributes(described)?)
        });
    }
    Ok(mounts)
}

/// What a document may say of a file system and a container's has not: lines for the log.
pub fn not_obeyed(domain: &Domain) -> Vec<String> {
    let mut notes = Vec::new();
    for described in &domain.filesystems {
        let access = described.access_mode.filter(|mode| *mode != AccessMode::Passthrough);
        for (word, given) in [
            (format!("accessmode='{}'", access.map_or("", AccessMode::word)), access.is_some()),
            ("<space_hard_limit>".to_string(), described.space_hard_limit != 0),
            ("<space_soft_limit>".to_string(), described.space_soft_limit != 0),
            ("fmode".to_string(), described.file_mode.is_some()),
            ("dmode".to_string(), described.directory_mode.is_some()),
        ] {
            if given {
                notes.push(format!("{word} of the file system on {} is not obeyed in a container", described.target));
            }
        }
    }
    notes
}

/// `<readonly/>`, and the options of our own element that are attributes of a mount. Memory has some by itself.
fn attributes(described: &Filesystem) -> Result<u64> {
    let mut attributes = if described.read_only { READ_ONLY } else { 0 };
    if let FilesystemSource::Ram { .. } = described.source {
        attributes |= NO_SUID | NO_DEV;
    }
    let options = described.mount.as_ref().and_then(|mount| mount.options.as_deref()).unwrap_or_default();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => attributes |= READ_ONLY,
            "nosuid" => attributes |= NO_SUID,
            "nodev" => attributes |= NO_DEV,
            "noexec" => attributes |= NO_EXEC,
            "suid" => attributes &= !NO_SUID,
            "dev" => attributes &= !NO_DEV,
            "rw" | "exec" => {}
            _ => {
                return Err(Failure::unsupported(format!(
                    "mount option '{option}' of {}; known are ro, nosuid, nodev, noexec",
                    described.target
                )));
            }
        }
    }
    Ok(attributes)
}

fn source(described: &Filesystem) -> Result<What> {
    let kind = described.source.kind();
    match &described.source {
        FilesystemSource::Mount { dir } => Ok(What::Folder(dir.into())),
        FilesystemSource::Block { dev } => Ok(What::Block(dev.into())),
        FilesystemSource::Ram { usage } => Ok(What::Ram(*usage)),
        FilesystemSource::Bind { dir } => Ok(What::Inside { path: dir.into(), writable: false }),
        FilesystemSource::File { file } => {
            let format = described.driver.as_ref().and_then(|driver| driver.format.clone());
            let format = match described.driver.as_ref().map(|driver| driver.kind) {
                None | Some(FilesystemDriverKind::Loop) => match format.as_deref() {
                    None | Some("raw") => None,
                    Some(format) => return Err(Failure::unsupported(format!("fs format {format} is not supported"))),
                },
                Some(FilesystemDriverKind::Nbd) => Some(format.ok_or_else(devices::no_format)?),
                Some(driver) => {
                    return Err(Failure::unsupported(format!("fs driver {} is not supported", driver.word())));
                }
            };
            Ok(What::Image { file: file.into(), format })
        }
        FilesystemSource::Template { .. } | FilesystemSource::Volume { .. } | FilesystemSource::MountSocket { .. } => {
            Err(Failure::unsupported(format!("Cannot mount filesystem type {kind}")))
        }
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |path: &Path| path.display().to_string();
        let what = match &self.what {
            What::Folder(path) => shown(path),
            What::Block(path) => format!("device {}", shown(path)),
            What::Image { file, format: None } => format!("image {}", shown(file)),
            What::Image { file, format: Some(format) } => format!("image {} in format {format}", shown(file)),
            What::Ram(size) => format!("{size} KiB of memory"),
            What::Inside { path, writable: true } => format!("{} inside, writable", shown(path)),
            What::Inside { path, writable: false } => format!("{} inside", shown(path)),
            What::Kernel(kind) => (*kind).to_string(),
            What::Devices => "devices".into(),
            What::Terminals => "terminals".into(),
            What::Console(number) => format!("console {number}"),
            What::ControlGroups => "control groups".into(),
            What::Nothing => "nothing".into(),
        };
        write!(f, "{what} on {}", self.target.display())?;
        let names = [(READ_ONLY, "ro"), (NO_SUID, "nosuid"), (NO_DEV, "nodev"), (NO_EXEC, "noexec")];
        for (_, name) in names.iter().filter(|(attribute, _)| self.attributes & attribute != 0) {
            write!(f, " {name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;
    use conf::domain::FilesystemDriver;

    fn shown(domain: &Domain, private_network: bool) -> String {
        let mounts = of(domain, private_network, false).unwrap();
        mounts.iter().map(|mount| format!("{mount}\n")).collect()
    }

    #[test]
    fn a_plain_container() {
        let mut domain = sample::domain();
        assert_eq!(root(&domain).unwrap().to_string(), "/opt/box on /");
        domain.extension.masked_paths = Some(false);
        expect_test::expect![[r#"
            proc on /proc nosuid nodev noexec
            /proc/sys inside on /proc/sys ro
            sysfs on /sys ro nosuid nodev noexec
            devices on /dev nosuid
            terminals on /dev/pts nosuid noexec
            console 0 on /dev/tty1 nosuid noexec
            console 0 on /dev/console nosuid noexec
            control groups on /
        "#]]
        .assert_eq(&shown(&domain, false));
    }

    #[test]
    fn the_documents_own_come_last_and_in_its_order() {
        let mut domain = sample::domain();
        let folder = domain.filesystems[0].clone();
        let other =
            |source, target: &str, read_only| Filesystem { source, target: target.into(), read_only, ..folder.clone() };
        domain.filesystems = vec![
            other(FilesystemSource::Ram { usage: 100 }, "/mnt/a", true),
            folder.clone(),
            other(FilesystemSource::Bind { dir: "/etc".into() }, "/mnt/b", false),
            other(FilesystemSource::File { file: "/i.img".into() }, "/mnt/c", false),
            Filesystem {
                driver: driver(FilesystemDriverKind::Nbd, Some("qcow2")),
                ..other(FilesystemSource::File { file: "/q.img".into() }, "/mnt/d", true)
            },
        ];
        domain.consoles.push(domain.consoles[0].clone());
        let all = shown(&domain, true);
        let (_, end) = all.split_once("devices on").unwrap();
        expect_test::expect![[r#"
             /dev nosuid
            terminals on /dev/pts nosuid noexec
            console 0 on /dev/tty1 nosuid noexec
            console 0 on /dev/console nosuid noexec
            console 1 on /dev/tty2 nosuid noexec
            control groups on /
            100 KiB of memory on /mnt/a ro nosuid nodev
            /etc inside on /mnt/b
            image /i.img on /mnt/c
            image /q.img in format qcow2 on /mnt/d ro
        "#]]
        .assert_eq(end);
        assert!(all.contains("/proc/sys/net/ipv4 inside, writable on /proc/sys/net/ipv4\n"));
        assert!(all.contains("nothing on /proc/kcore ro\n"));
    }

    fn driver(kind: FilesystemDriverKind, format: Option<&str>) -> Option<FilesystemDriver> {
        let format = format.map(str::to_string);
        Some(FilesystemDriver { kind, format, write_policy: None, kept: Vec::new() })
    }

    #[test]
    fn each_driver_has_its_formats() {
        let mut domain = sample::domain();
        domain.filesystems[0].source = FilesystemSource::File { file: "/i".into() };
        for (kind, format, answer) in [
            (FilesystemDriverKind::Loop, Some("raw"), "image /i on /"),
            (FilesystemDriverKind::Loop, Some("vdi"), "unsupported configuration: fs format vdi is not supported"),
            (FilesystemDriverKind::Nbd, Some("raw"), "image /i in format raw on /"),
            (FilesystemDriverKind::Nbd, None, "An explicit disk format must be specified"),
            (FilesystemDriverKind::Ploop, None, "unsupported configuration: fs driver ploop is not supported"),
        ] {
            domain.filesystems[0].driver = driver(kind, format);
            assert_eq!(root(&domain).map_or_else(|failure| failure.to_string(), |mount| mount.to_string()), answer);
        }
    }

    #[test]
    fn what_is_not_obeyed_is_said() {
        let mut domain = sample::domain();
        assert_eq!(not_obeyed(&domain), [""; 0]);
        domain.filesystems[0].space_hard_limit = 5;
        domain.filesystems[0].access_mode = Some(AccessMode::Mapped);
        assert_eq!(
            not_obeyed(&domain),
            [
                "accessmode='mapped' of the file system on / is not obeyed in a container",
                "<space_hard_limit> of the file system on / is not obeyed in a container"
            ]
        );
    }

    #[test]
    fn what_no_container_has_is_refused() {
        let mut domain = sample::domain();
        domain.filesystems[0].source = FilesystemSource::Ram { usage: 1 };
        assert_eq!(
            root(&domain).unwrap_err().to_string(),
            "unsupported configuration: Unsupported root filesystem type ram"
        );
        domain.filesystems[0].target = "/x".into();
        domain.filesystems[0].source = FilesystemSource::Template { name: "t".into() };
        assert_eq!(
            of(&domain, false, false).unwrap_err().to_string(),
            "unsupported configuration: Cannot mount filesystem type template"
        );
    }
}
