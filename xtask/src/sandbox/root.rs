//! The sandbox's root folder: the machine's own under an overlay in memory (overlayfs, pivot_root(2)).

use super::cgroups::{self, Hierarchy, Layout};
use crate::Result;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::sandbox::MARKER;

/// Below the sandbox's folder: where the overlay's writes go, and the mount point of the new root.
pub const UPPER: &str = "upper";
pub const ROOT: &str = "root";
/// Folders that begin empty.
const EMPTY: [&str; 2] = ["/tmp", "/run"];

/// Builds the root and moves this process, alone in its mount namespace, into it.
pub fn enter(base: &Path, layout: Layout, writable: &[String]) -> Result<()> {
    let hierarchies = shown(cgroups::hierarchies()?, layout)?;
    let upper = base.join(UPPER);
    let root = base.join(ROOT);
    for dir in [&upper, &root] {
        std::fs::create_dir(dir).map_err(|error| format!("creating {}: {error}", dir.display()))?;
    }
    let plain = MountFlags::empty();
    let hardened = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("tmpfs", &upper, plain, "mode=755")?;
    create_dir(&upper.join("files"))?;
    create_dir(&upper.join("work"))?;
    let (files, work) = (upper.join("files"), upper.join("work"));
    mount("overlay", &root, plain, &format!("lowerdir=/,upperdir={},workdir={}", files.display(), work.display()))?;
    mount("proc", &root.join("proc"), hardened, "")?;
    mount("sysfs", &root.join("sys"), hardened, "")?;
    mount_cgroups(&root.join("sys/fs/cgroup"), &hierarchies)?;
    bind("/dev".as_ref(), &root.join("dev"))?;
    mount(
        "devpts",
        &root.join("dev/pts"),
        MountFlags::NOSUID | MountFlags::NOEXEC,
        "newinstance,ptmxmode=0666,gid=5,mode=620",
    )?;
    mount("tmpfs", &root.join("tmp"), MountFlags::NOSUID | MountFlags::NODEV, "mode=1777")?;
    mount("tmpfs", &root.join("run"), MountFlags::NOSUID | MountFlags::NODEV, "mode=755")?;
    for dir in [crate::run::top()?, crate::run::target()?] {
        // Elsewhere it is seen through the overlay; and where it was built need not be here.
        if dir.is_dir() && EMPTY.iter().any(|empty| dir.starts_with(empty)) {
            let inside = bring(&dir, &root)?;
            rustix::mount::mount_remount(&inside, MountFlags::BIND | MountFlags::RDONLY, "")
                .map_err(|error| format!("making {} read-only: {error}", inside.display()))?;
        }
    }
    for dir in writable {
        bring(dir.as_ref(), &root)?;
    }
    become_root(&root)?;
    for dir in ["/run/lock", "/run/dbus"] {
        create_dir(Path::new(dir))?;
    }
    std::fs::write(MARKER, "").map_err(|error| format!("writing {MARKER}: {error}"))?;
    rustix::system::sethostname(b"sandbox").map_err(|error| format!("naming the sandbox: {error}"))?;
    if layout == Layout::V2 || hierarchies.iter().all(|hierarchy| hierarchy.controllers.is_none()) {
        delegate(Path::new("/sys/fs/cgroup"))?;
    }
    crate::run::run(Command::new("ip").args(["link", "set", "lo", "up"]))
}

/// The hierarchies that a layout shows; an error where the machine has none of them.
fn shown(all: Vec<Hierarchy>, layout: Layout) -> Result<Vec<Hierarchy>> {
    let wanted = |hierarchy: &Hierarchy| match layout {
        Layout::Mixed => true,
        Layout::V1 => hierarchy.controllers.is_some(),
        Layout::V2 => hierarchy.controllers.is_none(),
    };
    let shown: Vec<Hierarchy> = all.into_iter().filter(wanted).collect();
    match shown.is_empty() {
        true => Err(format!("this machine has no cgroup hierarchy of layout {}", layout.name())),
        false => Ok(shown),
    }
}

/// Version 2 alone is mounted at the top, where systemd has it too; otherwise each has a folder named as on the machine.
fn mount_cgroups(at: &Path, hierarchies: &[Hierarchy]) -> Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    if let [Hierarchy { controllers: None, .. }] = hierarchies {
        return mount("cgroup2", at, flags, "");
    }
    mount("tmpfs", at, flags, "mode=755")?;
    for hierarchy in hierarchies {
        let dir = at.join(hierarchy.mounted_at.file_name().unwrap_or("unified".as_ref()));
        create_dir(&dir)?;
        match &hierarchy.controllers {
            None => mount("cgroup2", &dir, flags, "")?,
            Some(name) if name.starts_with("name=") => mount("cgroup", &dir, flags, &format!("none,{name}"))?,
            Some(controllers) => mount("cgroup", &dir, flags, controllers)?,
        }
    }
    Ok(())
}

/// Gives every controller to the cgroups below. A cgroup that does so may hold no process itself (cgroups(7), "no internal
/// processes"), so this process moves down one.
fn delegate(top: &Path) -> Result<()> {
    create_dir(&top.join("sandbox"))?;
    let write = |file: &Path, text: &str| {
        std::fs::write(file, text).map_err(|error| format!("writing '{text}' to {}: {error}", file.display()))
    };
    write(&top.join("sandbox/cgroup.procs"), "0")?;
    let list = top.join("cgroup.controllers");
    let controllers = std::fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    for controller in controllers.split_whitespace() {
        write(&top.join("cgroup.subtree_control"), &format!("+{controller}"))?;
    }
    Ok(())
}

fn become_root(root: &Path) -> Result<()> {
    std::env::set_current_dir(root).map_err(|error| format!("entering {}: {error}", root.display()))?;
    rustix::process::pivot_root(".", ".").map_err(|error| format!("changing the root: {error}"))?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).map_err(|error| format!("leaving the old root: {error}"))?;
    std::env::set_current_dir("/").map_err(|error| format!("entering the new root: {error}"))
}

fn mount(kind: &str, at: &Path, flags: MountFlags, options: &str) -> Result<()> {
    let options = CString::new(options).map_err(|_| format!("mount options of {} with a NUL", at.display()))?;
    rustix::mount::mount(kind, at, kind, flags, options.as_c_str())
        .map_err(|error| format!("mounting {kind} at {}: {error}", at.display()))
}

fn bind(from: &Path, to: &Path) -> Result<()> {
    rustix::mount::mount_bind_recursive(from, to)
        .and_then(|()| rustix::mount::mount_change(to, MountPropagationFlags::PRIVATE | MountPropagationFlags::REC))
        .map_err(|error| format!("binding {} to {}: {error}", from.display(), to.display()))
}

/// Has a folder of the machine in the new root too; where it is there.
fn bring(dir: &Path, root: &Path) -> Result<PathBuf> {
    let inside = root.join(dir.strip_prefix("/").unwrap_or(dir));
    std::fs::create_dir_all(&inside).map_err(|error| format!("creating {}: {error}", inside.display()))?;
    bind(dir, &inside)?;
    Ok(inside)
}

fn create_dir(dir: &Path) -> Result<()> {
    std::fs::create_dir(dir).map_err(|error| format!("creating {}: {error}", dir.display()))
}
