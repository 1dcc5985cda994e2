//! Every feature of the kernel that the demonstration stands on, each missed in a sentence of its own.

use crate::{Result, sandbox};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

/// The first with clone3, mount_setattr and openat2.
const OLDEST: (u32, u32) = (5, 12);
const NAMESPACES: [&str; 6] = ["mnt", "pid", "net", "ipc", "uts", "cgroup"];

/// What a machine has of it.
struct Kernel {
    release: String,
    namespaces: Vec<String>,
    filesystems: Vec<String>,
    /// How many hierarchies of cgroups are mounted.
    hierarchies: usize,
    memory_is_limited: bool,
}

/// Whether containers can run at all, `here` or in a sandbox.
pub fn require(here: bool) -> Result<()> {
    lacks(&Kernel::of_this_machine(here)?, here).map_or(Ok(()), Err)
}

/// What the network `default` needs; asked once ip(8) and nft(8) are installed.
pub fn require_network() -> Result<()> {
    for kind in ["bridge", "veth"] {
        if !can_make(kind)? {
            return Err(format!(
                "this kernel cannot make network devices of type {kind}, which the network default needs"
            ));
        }
    }
    let words = "add table ip probe\nadd chain ip probe out { type nat hook postrouting priority srcnat; }\n\
                 add rule ip probe out masquerade\n";
    let mut nft = Command::new("unshare")
        .args(["--net", "nft", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot run unshare (package util-linux): {error}"))?;
    if let Some(mut input) = nft.stdin.take() {
        // A program that has failed already says so by its status.
        _ = input.write_all(words.as_bytes());
    }
    match nft.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("this kernel's nftables cannot translate addresses, which the network default needs".into()),
        Err(error) => Err(format!("waiting for nft: {error}")),
    }
}

fn lacks(kernel: &Kernel, here: bool) -> Option<String> {
    let mut numbers = kernel.release.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse::<u32>().ok());
    if (numbers.next()?, numbers.next()?) < OLDEST {
        let (major, minor) = OLDEST;
        return Some(format!("this is Linux {}, and containers need {major}.{minor} or newer", kernel.release));
    }
    let has = |list: &[String], name: &str| list.iter().any(|one| one == name);
    if let Some(missing) = NAMESPACES.iter().find(|name| !has(&kernel.namespaces, name)) {
        return Some(format!("this kernel has no {missing} namespaces, which a container needs"));
    }
    let beneath: &[&str] = if here { &[] } else { &["overlay"] };
    let mut filesystems = ["tmpfs", "devpts", "proc", "sysfs"].iter().chain(beneath);
    if let Some(missing) = filesystems.find(|name| !has(&kernel.filesystems, name)) {
        return Some(format!("this kernel has no filesystem {missing}, which the demo mounts"));
    }
    if kernel.hierarchies == 0 {
        return Some("this machine has no cgroup filesystem mounted, which a container's limits need".into());
    }
    let sentence = "this kernel has no cgroup controller memory, which a container's memory limit needs";
    (!kernel.memory_is_limited).then(|| sentence.to_string())
}

impl Kernel {
    fn of_this_machine(here: bool) -> Result<Kernel> {
        let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
        let namespaces = fs::read_dir("/proc/self/ns").map_err(|error| format!("/proc/self/ns: {error}"))?;
        let known = read("/proc/filesystems")?;
        let mut filesystems: Vec<String> =
            known.lines().filter_map(|line| line.split_whitespace().last().map(str::to_string)).collect();
        if !here && !filesystems.iter().any(|name| name == "overlay") && module_loads("overlay") {
            filesystems.push("overlay".into());
        }
        // Name, hierarchy, number of groups, 1 where it is not turned off (cgroups(7)).
        let controllers = read("/proc/cgroups").unwrap_or_default();
        let mut rows = controllers.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        Ok(Kernel {
            release: read("/proc/sys/kernel/osrelease")?.trim().to_string(),
            namespaces: namespaces.flatten().map(|one| one.file_name().to_string_lossy().into_owned()).collect(),
            filesystems,
            hierarchies: sandbox::hierarchies()?.len(),
            memory_is_limited: rows.any(|row| matches!(row.as_slice(), ["memory", _, _, "1"])),
        })
    }
}

fn module_loads(name: &str) -> bool {
    Command::new("modprobe").args(["-q", name]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A device of that type, made in a network namespace that vanishes at once.
fn can_make(kind: &str) -> Result<bool> {
    let status = Command::new("unshare")
        .args(["--net", "ip", "link", "add", "probe0", "type", kind])
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("cannot run unshare (package util-linux): {error}"))?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Kernel);

    fn machine() -> Kernel {
        let all = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        Kernel {
            release: "6.1.0-13-amd64".into(),
            namespaces: all(&["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "user", "uts"]),
            filesystems: all(&["sysfs", "tmpfs", "proc", "devpts", "overlay"]),
            hierarchies: 1,
            memory_is_limited: true,
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(lacks(&machine(), false), None);
        let without = |change: Change| {
            let mut kernel = machine();
            change(&mut kernel);
            lacks(&kernel, false).unwrap_or_default()
        };
        let table: [(Change, &str); 6] = [
            (|kernel| kernel.release = "5.10.0-26-amd64".into(), "this is Linux 5.10.0-26-amd64, and"),
            (|kernel| kernel.namespaces.retain(|name| name != "pid"), "no pid namespaces"),
            (|kernel| kernel.filesystems.retain(|name| name != "devpts"), "no filesystem devpts"),
            (|kernel| kernel.filesystems.retain(|name| name != "overlay"), "no filesystem overlay"),
            (|kernel| kernel.hierarchies = 0, "no cgroup filesystem mounted"),
            (|kernel| kernel.memory_is_limited = false, "no cgroup controller memory"),
        ];
        for (change, complaint) in table {
            let said = without(change);
            assert!(said.contains(complaint), "'{complaint}' is not in '{said}'");
        }
        // Only the sandbox is made of overlays.
        let mut plain = machine();
        plain.filesystems.retain(|name| name != "overlay");
        assert_eq!(lacks(&plain, true), None);
    }
}
