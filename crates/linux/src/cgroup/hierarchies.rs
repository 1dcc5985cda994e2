//! Which hierarchies of control groups this machine has mounted, and where (cgroups(7), the kernel's cgroup-v2.rst).

use super::{Error, Result};
use crate::mountinfo::{self, Mount};
use std::fmt;
use std::path::{Path, PathBuf};

/// What a hierarchy can control. Version 2 calls `cpuacct` and `devices` by no name: every group of it counts time, and
/// devices are a program's matter; its `io` is `blkio` here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Controller {
    Cpu,
    Cpuacct,
    Cpuset,
    Memory,
    Devices,
    Freezer,
    Blkio,
    Pids,
}

impl Controller {
    pub const ALL: [Controller; 8] = [
        Controller::Cpu,
        Controller::Cpuacct,
        Controller::Cpuset,
        Controller::Memory,
        Controller::Devices,
        Controller::Freezer,
        Controller::Blkio,
        Controller::Pids,
    ];

    /// Version 1's name.
    pub fn name(self) -> &'static str {
        match self {
            Controller::Cpu => "cpu",
            Controller::Cpuacct => "cpuacct",
            Controller::Cpuset => "cpuset",
            Controller::Memory => "memory",
            Controller::Devices => "devices",
            Controller::Freezer => "freezer",
            Controller::Blkio => "blkio",
            Controller::Pids => "pids",
        }
    }

    /// The name in version 2's `cgroup.controllers`; none for what every group there has.
    pub fn name_v2(self) -> Option<&'static str> {
        match self {
            Controller::Cpuacct | Controller::Devices | Controller::Freezer => None,
            Controller::Blkio => Some("io"),
            other => Some(other.name()),
        }
    }
}

/// A set of controllers.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Controllers(u16);

impl Controllers {
    pub fn has(self, controller: Controller) -> bool {
        self.0 & (1 << controller as u16) != 0
    }

    pub fn with(self, controller: Controller) -> Controllers {
        Controllers(self.0 | 1 << controller as u16)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Controller> {
        Controller::ALL.into_iter().filter(move |controller| self.has(*controller))
    }
}

impl FromIterator<Controller> for Controllers {
    fn from_iter<I: IntoIterator<Item = Controller>>(controllers: I) -> Controllers {
        controllers.into_iter().fold(Controllers::default(), Controllers::with)
    }
}

impl fmt::Debug for Controllers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    One,
    Two,
}

/// One mounted hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    pub version: Version,
    pub controllers: Controllers,
    /// Version 1's name where it has one, as `systemd`.
    pub name: Option<String>,
    pub mounted_at: PathBuf,
    /// The group that is seen at the mount point; `/` where the whole hierarchy is.
    pub root: PathBuf,
}

impl Hierarchy {
    /// Whether a line `ID:LIST:PATH` of `/proc/PID/cgroup` with this list speaks of this hierarchy.
    fn is_named(&self, list: &str) -> bool {
        match self.version {
            Version::Two => list.is_empty(),
            Version::One if self.controllers.is_empty() => {
                list.strip_prefix("name=").is_some_and(|name| Some(name) == self.name.as_deref())
            }
            Version::One => list
                .split(',')
                .any(|name| Controller::ALL.iter().any(|known| known.name() == name && self.controllers.has(*known))),
        }
    }

    /// Its name for people.
    pub(super) fn shown(&self) -> String {
        let names: Vec<&str> = self.controllers.iter().map(Controller::name).collect();
        match (self.version, &self.name) {
            (Version::Two, _) => "cgroup2".into(),
            (Version::One, Some(name)) if names.is_empty() => format!("cgroup hierarchy '{name}'"),
            (Version::One, _) => format!("cgroup controller '{}'", names.join(",")),
        }
    }

    /// The folder of a group, given its path in the hierarchy as `/proc/PID/cgroup` has it; none where the mount does not
    /// show it.
    pub(super) fn folder(&self, path: &str) -> Option<PathBuf> {
        let below = Path::new(path).strip_prefix(&self.root).ok()?;
        Some(if below.as_os_str().is_empty() { self.mounted_at.clone() } else { self.mounted_at.join(below) })
    }
}

/// All that is mounted here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchies {
    pub all: Vec<Hierarchy>,
}

impl Hierarchies {
    /// What is mounted, wherever it is, seen by this process.
    pub fn detect(proc: &Path) -> Result<Hierarchies> {
        let mounts = mountinfo::read(proc)
            .map_err(|source| Error::System { doing: "Unable to find the mounted cgroups".into(), source })?;
        let mut found = Hierarchies::among(&mounts);
        // A mount may lie hidden below a later one.
        found.all.retain(|hierarchy| super::file::is_cgroup(&hierarchy.mounted_at));
        for hierarchy in found.all.iter_mut().filter(|hierarchy| hierarchy.version == Version::Two) {
            let path = hierarchy.mounted_at.join("cgroup.controllers");
            let list = std::fs::read_to_string(&path).map_err(|source| Error::reading(&path, source))?;
            hierarchy.controllers = controllers_v2(&list);
        }
        Ok(found)
    }

    /// The hierarchies in a table of mounts; version 2's controllers are not known from there.
    /// Of several mounts of one hierarchy the one that shows most.
    fn among(mounts: &[Mount]) -> Hierarchies {
        let mut all: Vec<Hierarchy> = Vec::new();
        for mount in mounts {
            let Some(new) = hierarchy(mount) else { continue };
            let same = |old: &&mut Hierarchy| {
                (old.version, old.controllers, &old.name) == (new.version, new.controllers, &new.name)
            };
            match all.iter_mut().find(same) {
                None => all.push(new),
                Some(old) if new.root.components().count() < old.root.components().count() => *old = new,
                Some(_) => {}
            }
        }
        Hierarchies { all }
    }

    /// The hierarchy that has the controller: version 1's where both versions could, for a controller is in one only.
    pub fn of(&self, controller: Controller) -> Option<&Hierarchy> {
        let by = |version| {
            self.all.iter().find(move |one: &&Hierarchy| one.version == version && one.controllers.has(controller))
        };
        by(Version::One).or_else(|| by(Version::Two))
    }

    /// An error that names what a container cannot do without, and how to mount it; else what is missing but is not needed,
    /// for the log.
    pub fn require(&self) -> Result<Vec<String>> {
        let Some(first) = self.all.first() else {
            return Err(Error::Unsupported(
                "No cgroup hierarchy is mounted. Mount version 2: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup'".into(),
            ));
        };
        let version_two = self.all.iter().any(|hierarchy| hierarchy.version == Version::Two);
        let mut notes = Vec::new();
        for controller in Controller::ALL {
            if self.of(controller).is_some() {
                continue;
            }
            let name = controller.name();
            let needed = matches!(controller, Controller::Cpuacct | Controller::Memory | Controller::Devices);
            if needed && !version_two {
                let at =
                    first.mounted_at.parent().filter(|above| *above != Path::new("/")).unwrap_or(&first.mounted_at);
                let at = at.join(name);
                return Err(Error::Unsupported(format!(
                    "Unable to find '{name}' cgroups controller mount. Mount it: 'mkdir -p {at} && mount -t cgroup -o {name} \
                     cgroup {at}'",
                    at = at.display()
                )));
            }
            notes.push(match version_two {
                true => format!("cgroup controller '{name}' is not in this machine's cgroup2 hierarchy: not used"),
                false => format!("cgroup controller '{name}' is not mounted: not used"),
            });
        }
        Ok(notes)
    }

    /// Where the process is: each hierarchy with the process's path in it.
    pub(super) fn placement(&self, proc: &Path, pid: i32) -> Result<Vec<(&Hierarchy, String)>> {
        let path = proc.join(pid.to_string()).join("cgroup");
        let table = std::fs::read_to_string(&path).map_err(|source| Error::reading(&path, source))?;
        Ok(self.placed(&table))
    }

    fn placed(&self, table: &str) -> Vec<(&Hierarchy, String)> {
        let path = |hierarchy: &Hierarchy| {
            table.lines().find_map(|line| {
                let mut fields = line.splitn(3, ':');
                let (_, list, path) = (fields.next()?, fields.next()?, fields.next()?);
                hierarchy.is_named(list).then(|| path.to_string())
            })
        };
        self.all.iter().filter_map(|hierarchy| Some((hierarchy, path(hierarchy)?))).collect()
    }
}

fn hierarchy(mount: &Mount) -> Option<Hierarchy> {
    let version = match mount.kind.as_str() {
        "cgroup" => Version::One,
        "cgroup2" => Version::Two,
        _ => return None,
    };
    let options = || mount.filesystem_options.split(',');
    let (controllers, name) = match version {
        Version::Two => (Controllers::default(), None),
        Version::One => (
            options().filter_map(|option| Controller::ALL.into_iter().find(|known| known.name() == option)).collect(),
            options().find_map(|option| option.strip_prefix("name=")).map(str::to_string),
        ),
    };
    // A hierarchy of controllers that no container is limited by, as net_cls.
    if version == Version::One && controllers.is_empty() && name.is_none() {
        return None;
    }
    Some(Hierarchy { version, controllers, name, mounted_at: mount.mounted_at.clone(), root: mount.root.clone() })
}

/// What a group of version 2 has, given its `cgroup.controllers`.
pub(super) fn controllers_v2(list: &str) -> Controllers {
    let inherent = Controller::ALL.into_iter().filter(|controller| controller.name_v2().is_none());
    let listed = list
        .split_whitespace()
        .filter_map(|name| Controller::ALL.into_iter().find(|controller| controller.name_v2() == Some(name)));
    inherent.chain(listed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(table: &str) -> Hierarchies {
        Hierarchies::among(&mountinfo::parse(table.as_bytes()))
    }

    const TOGETHER: &str = "40 24 0:30 / /dev/cgroup rw - cgroup cgroup rw,cpuset,cpu,cpuacct,memory,devices,freezer\n";
    const APART: &str = "\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:4 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 /docker/a /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
36 31 0:32 / /all/memory rw - cgroup cgroup rw,memory
37 31 0:33 / /sys/fs/cgroup/net_cls rw - cgroup cgroup rw,net_cls
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
";
    const UNIFIED: &str = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn controllers_together_and_apart() {
        let one = found(TOGETHER);
        assert_eq!(one.all.len(), 1);
        assert_eq!(one.of(Controller::Freezer).unwrap().mounted_at, Path::new("/dev/cgroup"));
        assert!(one.of(Controller::Blkio).is_none());

        let many = found(&format!("{APART}{UNIFIED}"));
        let at: Vec<&str> = many.all.iter().filter_map(|one| one.mounted_at.to_str()).collect();
        assert_eq!(
            at,
            ["/sys/fs/cgroup/cpu,cpuacct", "/all/memory", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"]
        );
        assert_eq!(many.all[2].name.as_deref(), Some("systemd"));
        assert_eq!(many.all[3].version, Version::Two);
    }

    #[test]
    fn a_process_is_placed_in_each() {
        let many = found(&format!("{APART}{UNIFIED}"));
        let table = "9:name=systemd:/s\n7:blkio:/b\n4:memory:/m:x\n2:cpu,cpuacct:/c\n0::/u\n";
        let placed: Vec<(&str, String)> = many
            .placed(table)
            .into_iter()
            .map(|(hierarchy, path)| (hierarchy.mounted_at.to_str().unwrap(), path))
            .collect();
        let expect = [
            ("/sys/fs/cgroup/cpu,cpuacct", "/c"),
            ("/all/memory", "/m:x"),
            ("/sys/fs/cgroup/systemd", "/s"),
            ("/sys/fs/cgroup/unified", "/u"),
        ];
        assert_eq!(placed, expect.map(|(at, path)| (at, path.to_string())));
    }

    #[test]
    fn a_mount_that_shows_a_part() {
        let part = found("35 31 0:32 /docker/a /cg/memory ro - cgroup cgroup rw,memory\n");
        let folder = |path| part.all[0].folder(path);
        assert_eq!(folder("/docker/a/machine/x"), Some(PathBuf::from("/cg/memory/machine/x")));
        assert_eq!(folder("/docker/a"), Some(PathBuf::from("/cg/memory")));
        assert_eq!(folder("/docker/b"), None);
    }

    #[test]
    fn what_is_missing_is_named_with_its_mount_command() {
        let missing = |table: &str| match found(table).require() {
            Ok(notes) => notes.len().to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(missing(TOGETHER), "2");
        let text = missing(APART);
        assert!(text.starts_with("Unable to find 'devices' cgroups controller mount."), "{text}");
        assert!(text.contains("mount -t cgroup -o devices cgroup /sys/fs/cgroup/devices"), "{text}");
        assert!(missing("").starts_with("No cgroup hierarchy is mounted."));
        let mut unified = found(UNIFIED);
        unified.all[0].controllers = controllers_v2("cpu io");
        let notes = unified.require().unwrap();
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(notes[1].contains("'memory'"), "{notes:?}");
    }
}
