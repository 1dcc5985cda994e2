//! The sandbox's own cgroup in every hierarchy of the machine (cgroups(7)), and which of them are shown inside.

use crate::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::path::{Path, PathBuf};

/// The cgroup of version 2 for the sandbox's process that stays outside.
const OUTSIDE: &str = "outside";
/// What was killed is gone after that long, unless something is wrong with it.
const PATIENCE: Timespec = Timespec { tv_sec: 30, tv_nsec: 0 };

/// The hierarchies that a command in the sandbox finds mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// All that the machine has.
    #[default]
    Mixed,
    /// Version 1 alone.
    V1,
    /// Version 2 alone, at `/sys/fs/cgroup`.
    V2,
}

impl Layout {
    pub fn name(self) -> &'static str {
        match self {
            Layout::Mixed => "mixed",
            Layout::V1 => "v1",
            Layout::V2 => "v2",
        }
    }

    pub fn named(name: &str) -> Result<Layout> {
        let all = [Layout::Mixed, Layout::V1, Layout::V2];
        let found = all.into_iter().find(|layout| layout.name() == name);
        found.ok_or_else(|| format!("a cgroup layout is v1, v2 or mixed, not '{name}'"))
    }
}

/// One mounted hierarchy of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    pub mounted_at: PathBuf,
    /// The mount option that selects it, as `cpu,cpuacct` or `name=systemd`; none for version 2.
    pub controllers: Option<String>,
}

/// The machine's hierarchies, of this process's mount table.
pub fn hierarchies() -> Result<Vec<Hierarchy>> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").map_err(|error| format!("mountinfo: {error}"))?;
    Ok(parse_mountinfo(&table))
}

/// Makes the cgroup in every hierarchy; a cpuset of version 1 begins empty and takes its parent's processors and memory.
pub fn create(name: &str) -> Result<()> {
    for hierarchy in hierarchies()? {
        let dir = hierarchy.mounted_at.join(name);
        std::fs::create_dir(&dir).map_err(|error| format!("creating {}: {error}", dir.display()))?;
        if hierarchy.controllers.is_none() {
            hand_down(&hierarchy.mounted_at);
            let outside = dir.join(OUTSIDE);
            std::fs::create_dir(&outside).map_err(|error| format!("creating {}: {error}", outside.display()))?;
        }
        for file in ["cpuset.cpus", "cpuset.mems"] {
            let above = hierarchy.mounted_at.join(file);
            if hierarchy.controllers.is_some() && above.exists() {
                let value = std::fs::read(&above).map_err(|error| format!("{}: {error}", above.display()))?;
                write(&dir.join(file), &value)?;
            }
        }
    }
    Ok(())
}

/// Moves this process into all of them; in version 2 beside what is to be the sandbox, since a cgroup whose controllers are
/// handed down may hold no process itself (cgroups(7), "no internal processes").
pub fn join(name: &str) -> Result<()> {
    hierarchies()?.iter().try_for_each(|hierarchy| {
        let dir = hierarchy.mounted_at.join(name);
        let dir = if hierarchy.controllers.is_none() { dir.join(OUTSIDE) } else { dir };
        write(&dir.join("cgroup.procs"), b"0")
    })
}

/// Moves this process, which is to be the first inside, from there to where the sandbox's own hierarchies begin.
pub fn settle(name: &str) -> Result<()> {
    let all = hierarchies()?;
    let mut second = all.iter().filter(|hierarchy| hierarchy.controllers.is_none());
    second.try_for_each(|hierarchy| write(&hierarchy.mounted_at.join(name).join("cgroup.procs"), b"0"))
}

/// Gives every controller of version 2 to the cgroups below, where it is not given yet and can be.
fn hand_down(top: &Path) {
    let list = std::fs::read_to_string(top.join("cgroup.controllers")).unwrap_or_default();
    for controller in list.split_whitespace() {
        // A controller that cannot be had here is missed by the test that needs it.
        _ = std::fs::write(top.join("cgroup.subtree_control"), format!("+{controller}"));
    }
}

/// Removes them with all below, once the last process in them is gone.
pub fn remove(name: &str) -> Result<()> {
    for hierarchy in hierarchies()? {
        remove_tree(&hierarchy.mounted_at.join(name))?;
    }
    Ok(())
}

fn remove_tree(dir: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(()) };
    let freezer = dir.join("freezer.state");
    if freezer.exists() {
        // In version 1 a frozen process does not die of SIGKILL.
        write(&freezer, b"THAWED")?;
    }
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path())?;
        }
    }
    let processes = std::fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
    for pid in processes.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw) {
        if let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) {
            let ready = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&PATIENCE));
            if ready.map_err(|error| format!("waiting: {error}"))? == 0 {
                return Err(format!("process {} in {} does not end", pid.as_raw_nonzero(), dir.display()));
            }
        }
    }
    std::fs::remove_dir(dir).map_err(|error| format!("removing {}: {error}", dir.display()))
}

fn write(path: &Path, value: &[u8]) -> Result<()> {
    std::fs::write(path, value).map_err(|error| format!("writing {}: {error}", path.display()))
}

/// Lines of proc_pid_mountinfo(5) whose filesystem is cgroup or cgroup2; of several mounts of one hierarchy the first.
fn parse_mountinfo(table: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = Vec::new();
    for line in table.lines() {
        let Some((before, after)) = line.split_once(" - ") else { continue };
        let mounted_at = before.split(' ').nth(4).unwrap_or_default();
        let mut after = after.split(' ');
        let (kind, options) = (after.next().unwrap_or_default(), after.nth(1).unwrap_or_default());
        let controllers = match kind {
            "cgroup" => Some(selecting(options)),
            "cgroup2" => None,
            _ => continue,
        };
        if !found.iter().any(|hierarchy| hierarchy.controllers == controllers) {
            found.push(Hierarchy { mounted_at: PathBuf::from(mounted_at), controllers });
        }
    }
    found
}

/// Of a mount's options those that say which hierarchy it is.
fn selecting(options: &str) -> String {
    let general = ["rw", "ro", "xattr", "noprefix", "clone_children", "none"];
    let kept: Vec<&str> = options
        .split(',')
        .filter(|option| !general.contains(option) && !option.starts_with("release_agent="))
        .collect();
    kept.join(",")
}

#[cfg(test)]
mod tests {
    use super::{Hierarchy, parse_mountinfo};

    #[test]
    fn hierarchies_are_read_wherever_they_are_mounted() {
        let table = "\
24 30 0:22 / /sys rw,nosuid shared:7 - sysfs sysfs rw
40 24 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct
41 24 0:31 / /cg/systemd rw shared:11 - cgroup cgroup rw,xattr,release_agent=/lib/agent,name=systemd
42 24 0:32 / /sys/fs/cgroup/unified rw shared:12 - cgroup2 cgroup2 rw,nsdelegate
43 24 0:30 / /again rw shared:10 - cgroup cgroup rw,cpu,cpuacct
";
        let hierarchy = |mounted_at: &str, controllers: Option<&str>| Hierarchy {
            mounted_at: mounted_at.into(),
            controllers: controllers.map(str::to_string),
        };
        assert_eq!(
            parse_mountinfo(table),
            [
                hierarchy("/sys/fs/cgroup/cpu,cpuacct", Some("cpu,cpuacct")),
                hierarchy("/cg/systemd", Some("name=systemd")),
                hierarchy("/sys/fs/cgroup/unified", None),
            ]
        );
    }
}
