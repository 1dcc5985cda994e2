//! One container's group, in all hierarchies at once: made, found, joined, removed.

use super::file::{self, folder_exists};
use super::hierarchies::controllers_v2;
use super::{Controller, Controllers, Error, Hierarchies, Hierarchy, Result, Version, name};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Where a container's group belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `<resource><partition>`, as `/machine`. Other ones are made by whoever limits them, not by us.
    pub partition: String,
    /// The process id of the controller.
    pub id: i32,
    pub domain: String,
}

/// The group of one container. It keeps no descriptor and owns nothing: dropped, the group stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub(super) parts: Vec<Part>,
}

/// Its folder in one hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub version: Version,
    pub controllers: Controllers,
    /// `PARTITION/NAME` below the mount point.
    pub folder: PathBuf,
    pub mounted_at: PathBuf,
}

/// Below the group of version 2: the container's processes.
pub(super) const CONTAINER: &str = "container";
/// And the controller, by the name that libvirt has for a part that serves a guest.
pub(super) const EMULATOR: &str = "emulator";

/// What an administrator who makes a partition makes it for, as libvirt's documentation says; elsewhere we make it.
const PARTITIONED: [Controller; 7] = [
    Controller::Cpu,
    Controller::Cpuacct,
    Controller::Cpuset,
    Controller::Memory,
    Controller::Devices,
    Controller::Freezer,
    Controller::Blkio,
];

impl Part {
    /// Where the container's own processes are.
    pub(super) fn container(&self) -> PathBuf {
        match self.version {
            Version::One => self.folder.clone(),
            Version::Two => self.folder.join(CONTAINER),
        }
    }

    fn emulator(&self) -> PathBuf {
        match self.version {
            Version::One => self.folder.clone(),
            Version::Two => self.folder.join(EMULATOR),
        }
    }
}

impl Group {
    /// Makes the group in every hierarchy. Beside it the lines for the log: hierarchies that are left out, and why.
    /// On an error nothing is left of it.
    pub fn create(hierarchies: &Hierarchies, place: &Place) -> Result<(Group, Vec<String>)> {
        let mut notes = hierarchies.require()?;
        if !place.partition.starts_with('/') {
            return Err(Error::Unsupported(format!("Resource partition '{}' must start with '/'", place.partition)));
        }
        let mut group = Group { parts: Vec::new() };
        for hierarchy in &hierarchies.all {
            let mut part = Part::of(hierarchy, place);
            match part.make(hierarchy, place, &mut notes) {
                Ok(()) => group.parts.push(part),
                Err(error) if is_needed(hierarchies, hierarchy) => {
                    _ = group.remove();
                    return Err(error);
                }
                // As the blkio of kernels before 3.15, which has no groups in groups.
                Err(error) => notes.push(format!("{} is left out: {error}", hierarchy.shown())),
            }
        }
        Ok((group, notes))
    }

    /// The group by its path alone, there or not: to remove what a controller that died left behind.
    pub fn named(hierarchies: &Hierarchies, place: &Place) -> Group {
        Group { parts: hierarchies.all.iter().map(|hierarchy| Part::of(hierarchy, place)).collect() }
    }

    /// All that is known of it, for another process to know without looking; no path has a zero byte in it.
    pub fn told(&self) -> Vec<u8> {
        let mut words = Vec::new();
        for part in &self.parts {
            let controllers: Vec<&str> = part.controllers.iter().map(Controller::name).collect();
            let version = if part.version == Version::One { "1" } else { "2" };
            for field in
                [version.as_ref(), controllers.join(",").as_ref(), part.mounted_at.as_os_str(), part.folder.as_ref()]
            {
                words.extend_from_slice(field.as_bytes());
                words.push(0);
            }
        }
        words
    }

    /// What [`Group::told`] has told.
    pub fn heard(words: &[u8]) -> Group {
        let fields: Vec<&[u8]> = words.split(|byte| *byte == 0).collect();
        let part = |fields: &[&[u8]]| {
            let [version, controllers, mounted_at, folder] = fields else { return None };
            let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
            Some(Part {
                version: if *version == b"1" { Version::One } else { Version::Two },
                controllers: Controller::ALL
                    .into_iter()
                    .filter(|one| controllers.split(|byte| *byte == b',').any(|name| name == one.name().as_bytes()))
                    .collect(),
                mounted_at: path(mounted_at),
                folder: path(folder),
            })
        };
        Group { parts: fields.chunks(4).filter_map(part).collect() }
    }

    /// The controllers, by process id, whose groups for that domain are in the partition, running or not.
    pub fn owners(hierarchies: &Hierarchies, partition: &str, domain: &str) -> BTreeSet<i32> {
        let mut owners = BTreeSet::new();
        for hierarchy in &hierarchies.all {
            let folder = hierarchy.mounted_at.join(name::partition_path(partition).trim_start_matches('/'));
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let found = entry.file_name();
                let id = found.to_str().and_then(|found| found.strip_prefix("lxc-")?.split('-').next()?.parse().ok());
                owners.extend(id.filter(|id| found == name::group_name(&name::machine_name(*id, domain)).as_str()));
            }
        }
        owners
    }

    /// The group that the controller of this domain is in. An error where it is in none of its own.
    pub fn detect(hierarchies: &Hierarchies, proc: &Path, id: i32, domain: &str) -> Result<Group> {
        let machine = name::machine_name(id, domain);
        let own = [name::group_name(&machine), name::scope_name(&machine)];
        let placed = hierarchies.placement(proc, id)?;
        let found: Vec<(&Hierarchy, &str)> = placed
            .iter()
            .filter_map(|(hierarchy, path)| {
                let mut path = path.as_str();
                if hierarchy.version == Version::Two {
                    path = path.strip_suffix(EMULATOR).and_then(|path| path.strip_suffix('/')).unwrap_or(path);
                }
                let last = path.rsplit('/').next().unwrap_or_default();
                own.iter().any(|own| own == last).then_some((*hierarchy, path))
            })
            .collect();
        let parts = hierarchies.all.iter().filter_map(|hierarchy| {
            let path = found.iter().find(|(one, _)| *one == hierarchy).map(|(_, path)| *path);
            // Beside version 1 the controller is not in version 2, where the group has the same path.
            let beside = || {
                let (_, path) = found.first().filter(|_| hierarchy.version == Version::Two)?;
                hierarchy.folder(path).filter(|folder| folder_exists(&folder.join(CONTAINER))).map(|_| *path)
            };
            let mut part = Part::at(hierarchy, hierarchy.folder(path.or_else(beside)?)?);
            part.narrow();
            Some(part)
        });
        let parts: Vec<Part> = parts.collect();
        match parts.is_empty() {
            true => Err(Error::Unsupported(format!("No valid cgroup for machine {machine}"))),
            false => Ok(Group { parts }),
        }
    }

    /// Puts this process, the controller, into the group. What it starts from then on is there too, but for version 2,
    /// where the container has a part of its own: see [`Group::container_folder`].
    pub fn join(&self) -> Result<()> {
        // To move a whole process the kernel stops all forks and exits on the machine, which takes it milliseconds; not so for
        // a thread that moves itself, which version 1 allows. Beside version 1 the controller needs no place in version 2.
        let file = if crate::process::threads().is_ok_and(|count| count == 1) { "tasks" } else { "cgroup.procs" };
        let version_one = self.parts.iter().any(|part| part.version == Version::One && !part.controllers.is_empty());
        self.parts.iter().try_for_each(|part| match part.version {
            Version::One => file::write(&part.folder.join(file), "0"),
            Version::Two if version_one => Ok(()),
            Version::Two => file::write(&part.emulator().join("cgroup.procs"), "0"),
        })
    }

    /// The container's part in version 2, for clone3's CLONE_INTO_CGROUP; none where there is no version 2.
    pub fn container_folder(&self) -> Result<Option<OwnedFd>> {
        let part = self.parts.iter().find(|part| part.version == Version::Two);
        part.map(|part| file::open_folder(&part.container())).transpose()
    }

    /// Puts a process beside the container's own ones.
    pub fn attach(&self, pid: i32) -> Result<()> {
        let pid = pid.to_string();
        self.parts.iter().try_for_each(|part| file::write(&part.container().join("cgroup.procs"), &pid))
    }

    /// Puts a process where another one of the container is: in that one's own group, for the container may have divided what it
    /// was given, and then takes no process at the top of it.
    pub fn attach_beside(&self, hierarchies: &Hierarchies, proc: &Path, other: i32, pid: i32) -> Result<()> {
        let placed = hierarchies.placement(proc, other)?;
        let pid = pid.to_string();
        self.parts.iter().try_for_each(|part| {
            let top = part.container();
            let beside = placed
                .iter()
                .find(|(hierarchy, _)| hierarchy.mounted_at == part.mounted_at)
                .and_then(|(hierarchy, path)| hierarchy.folder(path))
                // What is not below is not the container's.
                .filter(|folder| {
                    folder.starts_with(&top) && folder.components().all(|part| part != Component::ParentDir)
                });
            file::write(&beside.unwrap_or(top).join("cgroup.procs"), &pid)
        })
    }

    /// For each hierarchy its mount point and the container's folder in it, to be shown at the same place inside.
    pub fn folders(&self) -> impl Iterator<Item = (&Path, PathBuf)> {
        self.parts.iter().map(|part| (part.mounted_at.as_path(), part.container()))
    }

    /// Whether the container's folder in the hierarchy mounted there limits nothing by its own files, so that the container's
    /// root may write to all of it: version 2, where the limits are one level above, and version 1 without controllers.
    pub fn can_be_divided(&self, mounted_at: &Path) -> bool {
        let part = self.parts.iter().find(|part| part.mounted_at == mounted_at);
        part.is_some_and(|part| part.version == Version::Two || part.controllers.is_empty())
    }

    /// Gives the container's part to these ids, so that its root can divide it (cgroups(7), "Delegation").
    pub fn delegate(&self, uid: u32, gid: u32) -> Result<()> {
        const FILES: [&str; 4] = ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "tasks"];
        for part in &self.parts {
            let folder = part.container();
            file::give(&folder, uid, gid)?;
            for path in FILES.map(|name| folder.join(name)) {
                match file::give(&path, uid, gid) {
                    Err(Error::System { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                    result => result?,
                }
            }
        }
        Ok(())
    }

    /// Removes the group and all groups that the container made in it, once their last process has ended. What is gone
    /// already is no error; the first failure is told after everything else was tried.
    pub fn remove(&self) -> Result<()> {
        let mut outcome = Ok(());
        // One for all: who does not end is in each of them.
        let deadline = file::deadline();
        for part in &self.parts {
            let result = file::remove_tree(&part.folder, deadline);
            if outcome.is_ok() {
                outcome = result;
            }
        }
        outcome
    }

    /// Whether the group is there in any hierarchy.
    pub fn exists(&self) -> bool {
        self.parts.iter().any(|part| folder_exists(&part.folder))
    }

    /// Whether any hierarchy that the group is in has the controller.
    pub fn has(&self, controller: Controller) -> bool {
        self.part(controller).is_some()
    }

    /// The part that has the controller.
    pub(super) fn part(&self, controller: Controller) -> Option<&Part> {
        let of = |version| {
            self.parts.iter().find(move |part: &&Part| part.version == version && part.controllers.has(controller))
        };
        of(Version::One).or_else(|| of(Version::Two))
    }

    pub(super) fn version_two(&self) -> Option<&Part> {
        self.parts.iter().find(|part| part.version == Version::Two)
    }
}

impl Part {
    fn of(hierarchy: &Hierarchy, place: &Place) -> Part {
        let group = name::group_name(&name::machine_name(place.id, &place.domain));
        let partition = name::partition_path(&place.partition);
        Part::at(hierarchy, hierarchy.mounted_at.join(partition.trim_start_matches('/')).join(group))
    }

    pub(super) fn at(hierarchy: &Hierarchy, folder: PathBuf) -> Part {
        Part {
            version: hierarchy.version,
            controllers: hierarchy.controllers,
            folder,
            mounted_at: hierarchy.mounted_at.clone(),
        }
    }

    fn make(&mut self, hierarchy: &Hierarchy, place: &Place, notes: &mut Vec<String>) -> Result<()> {
        match file::create_folder(&self.folder) {
            Err(Error::System { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                self.make_partition(hierarchy, place)?;
                file::create_folder(&self.folder)?;
            }
            // The name has our process id in it: what is there is of a controller that is no more, and empty.
            Err(Error::System { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                file::remove_tree(&self.folder, file::deadline())?;
                file::create_folder(&self.folder)?;
            }
            result => result?,
        }
        let filled = self.fill(notes);
        if filled.is_err() {
            _ = file::remove_tree(&self.folder, file::deadline());
        }
        filled
    }

    fn make_partition(&self, hierarchy: &Hierarchy, place: &Place) -> Result<()> {
        let customary = place.partition.trim_end_matches('/') == "/machine";
        let partitioned = hierarchy.version == Version::One
            && PARTITIONED.into_iter().any(|controller| hierarchy.controllers.has(controller));
        if partitioned && !customary {
            let path = self.folder.parent().unwrap_or(&self.folder);
            return Err(Error::System {
                doing: format!(
                    "Failed to create v1 controller {} for group: resource partition '{}' has no folder '{}'",
                    hierarchy.controllers.iter().next().map_or("", Controller::name),
                    place.partition,
                    path.display()
                ),
                source: io::Error::from_raw_os_error(libc::ENOENT),
            });
        }
        let mut folder = self.mounted_at.clone();
        for part in name::partition_path(&place.partition).split('/').filter(|part| !part.is_empty()) {
            folder.push(part);
            match file::create_folder(&folder) {
                Err(Error::System { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {}
                result => {
                    result?;
                    self.inherit(&folder)?;
                    if self.has_sets() {
                        // Each set written to a group is held against those of all groups beside it; a copy is not.
                        file::write(&folder.join("cgroup.clone_children"), "1")?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What a new group needs before a process can be in it.
    pub(super) fn fill(&mut self, notes: &mut Vec<String>) -> Result<()> {
        match self.version {
            Version::One => self.inherit(&self.folder),
            Version::Two => {
                self.hand_down(notes)?;
                self.narrow();
                self.make_children()
            }
        }
    }

    pub(super) fn make_children(&self) -> Result<()> {
        if self.version == Version::One {
            return Ok(());
        }
        for folder in [self.container(), self.emulator()] {
            match file::create_folder(&folder) {
                Err(Error::System { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {}
                result => result?,
            }
        }
        Ok(())
    }

    /// A new cpuset of version 1 is empty, unless the group above has it copied, and a group with an empty one takes no process.
    pub(super) fn inherit(&self, folder: &Path) -> Result<()> {
        let Some(above) = folder.parent().filter(|_| self.has_sets()) else { return Ok(()) };
        for name in ["cpuset.cpus", "cpuset.mems"] {
            if file::read(&folder.join(name))?.trim_end().is_empty() {
                let value = file::read(&above.join(name))?;
                file::write(&folder.join(name), value.trim_end())?;
            }
        }
        Ok(())
    }

    fn has_sets(&self) -> bool {
        self.version == Version::One && self.controllers.has(Controller::Cpuset)
    }

    /// Version 2: of the hierarchy's controllers those that the group really has. Where a group above has processes of its own,
    /// as one that a container's init is in, it gives none.
    fn narrow(&mut self) {
        if self.version != Version::Two {
            return;
        }
        if let Ok(list) = file::read(&self.folder.join("cgroup.controllers")) {
            let there = controllers_v2(&list);
            self.controllers = self.controllers.iter().filter(|controller| there.has(*controller)).collect();
        }
    }

    /// Version 2: every group on the way gives the controllers to the groups below it.
    fn hand_down(&self, notes: &mut Vec<String>) -> Result<()> {
        let names: Vec<&str> = self.controllers.iter().filter_map(Controller::name_v2).collect();
        if names.is_empty() {
            return Ok(());
        }
        let listed = |folder: &Path| file::read(&folder.join("cgroup.controllers"));
        let missing =
            |list: &str| names.iter().filter(|name| !list.split_whitespace().any(|one| one == **name)).count();
        if missing(&listed(&self.folder)?) > 0 {
            let below = self.folder.strip_prefix(&self.mounted_at).unwrap_or(&self.folder);
            let mut folder = self.mounted_at.clone();
            for part in below.components() {
                enable(&folder, &names, notes);
                folder.push(part);
            }
        }
        let list = listed(&self.folder)?;
        let own: Vec<&str> = list.split_whitespace().collect();
        enable(&self.folder, &own, notes);
        Ok(())
    }
}

/// Gives the controllers to the groups below; what cannot be given is noted, and missed where somebody asks for it.
fn enable(folder: &Path, names: &[&str], notes: &mut Vec<String>) {
    let path = folder.join("cgroup.subtree_control");
    let all = names.iter().map(|name| format!("+{name}")).collect::<Vec<_>>().join(" ");
    if all.is_empty() {
        return;
    }
    match file::write(&path, &all) {
        Ok(()) => return,
        // It has processes of its own. Those controllers that it could give even so would make the groups below it ones for
        // threads only.
        Err(error) if error.io().is_some_and(|io| io.raw_os_error() == Some(libc::EBUSY)) => {
            notes.push(format!("cgroup controllers '{}' are left out: {error}", names.join(",")));
            return;
        }
        Err(_) => {}
    }
    for name in names {
        if let Err(error) = file::write(&path, &format!("+{name}")) {
            notes.push(format!("cgroup controller '{name}' is left out: {error}"));
        }
    }
}

/// Whether a container cannot do without this hierarchy.
fn is_needed(hierarchies: &Hierarchies, hierarchy: &Hierarchy) -> bool {
    let needed = [Controller::Cpuacct, Controller::Memory, Controller::Devices];
    needed.into_iter().any(|controller| hierarchies.of(controller) == Some(hierarchy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_hears_what_is_told() {
        let part = |version, controllers: &[Controller], mounted_at: &str| Part {
            version,
            controllers: controllers.iter().copied().collect(),
            folder: Path::new(mounted_at).join("machine/lxc-1-a b\n.libvirt-lxc"),
            mounted_at: mounted_at.into(),
        };
        let group = Group {
            parts: vec![
                part(Version::One, &[Controller::Cpu, Controller::Cpuacct], "/sys/fs/cgroup/cpu,cpuacct"),
                part(Version::One, &[], "/sys/fs/cgroup/systemd"),
                part(Version::Two, &[Controller::Pids], "/a, b\n"),
            ],
        };
        assert_eq!(Group::heard(&group.told()), group);
        assert!(Group::heard(b"").parts.is_empty());
    }
}
