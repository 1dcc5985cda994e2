//! The container's tree of mounts, built by the container's side: the plan's mounts attached beneath the new root one by
//! one, then the root changed. Every target is looked up as the guest would see it, so no link of its leads out.

use crate::failure::{Doing, Result};
use crate::plan::{Mount, Plan, What};
use crate::prepare::Prepared;
use linux::beneath::{self, Kind};
use linux::cgroup::Group;
use linux::mount::{self, Detached, attribute};
use linux::pty::Pty;
use rustix::fs::{Mode, OFlags, RawDir};
use std::collections::BTreeSet;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Builds and enters it; gives the terminals back.
pub fn build(plan: &Plan, prepared: Prepared, group: &Group, attach_point: &Path) -> Result<Vec<Pty>> {
    mount::make_all_private().doing(|| "Failed to make the mounts private")?;
    // Only now, in its groups: a namespace made with the clone would show the controller's.
    linux::process::enter_cgroup_namespace().doing(|| "Failed to make a cgroup namespace")?;
    let machines = Machines::take(plan, group)?;
    // With ids of its own it cannot let go of the machine's root before it has another.
    let (root, at, replaced) = match mount::replace_root(prepared.root).doing(|| "Failed to replace the root")? {
        Ok(root) => (root, Path::new("/"), true),
        Err(root) => {
            let shown = attach_point.display();
            let on = beneath::host(attach_point).doing(|| format!("Failed to access '{shown}'"))?;
            let root = root.attach(on.as_fd()).doing(|| format!("Failed to attach the root on '{shown}'"))?;
            (root, attach_point, false)
        }
    };
    if plan.root_is_shared {
        for path in ["proc", "sys", "dev"].map(|path| at.join(path)) {
            mount::unmount_all(&path).doing(|| format!("Failed to unmount '{}'", path.display()))?;
        }
    }
    // Who may make device nodes and mount may do all to the groups: it is to run containers itself.
    let is_host = ["mknod", "sys_admin"].iter().all(|name| plan.capabilities.contains(name));
    let read_only_groups = plan.users.is_empty() && !is_host;
    let mut tree =
        Tree { root: root.as_fd(), group, terminals: &prepared.terminals, read_only_groups, machines, hidden: None };
    for (planned, detached) in plan.mounts.iter().zip(prepared.mounts) {
        match tree.attach(planned, detached) {
            Ok(()) => {}
            Err(error) if planned.optional && is_missing(&error) => {}
            Err(error) => return Err(error).doing(|| format!("Failed to mount {planned}")),
        }
    }
    if plan.root.attributes != 0 {
        mount::add_attributes(root.as_fd(), plan.root.attributes).doing(|| "Failed to make the root read-only")?;
    }
    if !replaced {
        mount::change_root(root.as_fd()).doing(|| "Failed to change the root")?;
    }
    Ok(prepared.terminals)
}

/// Puts each file of the folder in the place of the one at its path, inside the new root. A path that is not there is
/// passed over.
pub fn show(folder: Detached, files: &[(&str, &str)]) -> io::Result<()> {
    // A file can be copied from where the folder is attached only: for a moment it hides /proc.
    let hidden = Path::new("/proc");
    let folder = folder.attach_at(hidden)?;
    // So the kernel knows all of them after one question, and need not ask for each.
    let listed = rustix::fs::open(hidden, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    _ = RawDir::new(listed, &mut [MaybeUninit::uninit(); 1024]).next();
    let copies: io::Result<Vec<Detached>> =
        files.iter().map(|(name, _)| Detached::copy(folder.as_fd(), Path::new(name), false)).collect();
    mount::unmount(hidden)?;
    for (copy, (_, path)) in copies?.into_iter().zip(files) {
        match copy.attach_at(Path::new(path)) {
            Err(error) if !is_missing(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// What the container has of the machine's tree beside what was prepared: taken while that is in sight.
struct Machines {
    /// The folder of each of the container's groups.
    groups: Vec<Detached>,
    /// `/dev/null`, where something is to be hidden under it.
    null: Option<Detached>,
}

impl Machines {
    fn take(plan: &Plan, group: &Group) -> Result<Machines> {
        let groups = group.folders().map(|(_, folder)| Detached::copy_of_host(&folder, false));
        let groups = groups.collect::<io::Result<_>>().doing(|| "Failed to copy the mounts of the control groups")?;
        let hides = plan.mounts.iter().any(|mount| mount.what == What::Nothing && mount.kind == Kind::File);
        let null = hides.then(|| Detached::copy_of_host(Path::new("/dev/null"), false));
        Ok(Machines { groups, null: null.transpose().doing(|| "Failed to copy '/dev/null'")? })
    }
}

struct Tree<'a> {
    root: BorrowedFd<'a>,
    group: &'a Group,
    terminals: &'a [Pty],
    /// Without ids of its own the guest's root could write the limits of its groups.
    read_only_groups: bool,
    machines: Machines,
    /// What is hidden under `/dev/null` already; more is copied from there.
    hidden: Option<OwnedFd>,
}

impl Tree<'_> {
    fn attach(&mut self, planned: &Mount, detached: Option<Detached>) -> io::Result<()> {
        if planned.what == What::ControlGroups {
            return self.attach_control_groups();
        }
        let target = match planned.optional {
            true => beneath::find(self.root, &planned.target)?,
            false => beneath::find_or_make(self.root, &planned.target, planned.kind, None)?,
        };
        let hides_file = planned.what == What::Nothing && planned.kind == Kind::File;
        let detached = match (detached, &planned.what) {
            (Some(detached), _) => detached,
            (None, What::Inside { path, .. }) if *path == planned.target => Detached::copy_of(target.as_fd(), true)?,
            (None, What::Inside { path, .. }) => Detached::copy_of(beneath::find(self.root, path)?.as_fd(), true)?,
            (None, What::Kernel(kind)) => Detached::filesystem(kind, &[], planned.attributes)?,
            (None, What::Console(number)) => {
                let terminal = self.terminals.get(*number).ok_or(io::ErrorKind::NotFound)?;
                let path = Path::new("/dev/pts").join(terminal.number.to_string());
                Detached::copy_of(beneath::find(self.root, &path)?.as_fd(), false)?
            }
            (None, What::Nothing) if hides_file => match (self.machines.null.take(), &self.hidden) {
                (Some(null), _) => null,
                (None, Some(hidden)) => Detached::copy_of(hidden.as_fd(), false)?,
                (None, None) => return Err(io::Error::other("'/dev/null' is not at hand")),
            },
            (None, _) => Detached::filesystem("tmpfs", &[("mode", Some("555")), ("size", Some("4k"))], 0)?,
        };
        match &planned.what {
            What::Inside { writable: true, .. } => detached.change_attributes(0, attribute::READ_ONLY, false)?,
            // Made with them.
            What::Kernel(_) | What::Ram(_) | What::Devices | What::Terminals => {}
            _ if planned.attributes != 0 => {
                let recursive = matches!(planned.what, What::Folder(_) | What::Inside { .. });
                detached.change_attributes(planned.attributes, 0, recursive)?;
            }
            _ => {}
        }
        let attached = detached.attach(target.as_fd())?;
        if hides_file {
            self.hidden = Some(attached);
        }
        Ok(())
    }

    /// The container's own groups, at the places where the machine has them. Several hierarchies side by side stand in a
    /// folder made for them; what else is there on the machine is none of the guest's business.
    fn attach_control_groups(&mut self) -> io::Result<()> {
        let quiet = attribute::NO_SUID | attribute::NO_DEV | attribute::NO_EXEC;
        let beside = |mounted_at: &'_ Path| {
            mounted_at.parent().filter(|parent| !NOT_FOR_GROUPS.map(Path::new).contains(parent)).map(Path::to_path_buf)
        };
        let all: BTreeSet<PathBuf> = self.group.folders().filter_map(|(mounted_at, _)| beside(mounted_at)).collect();
        let mut folders = Vec::new();
        for path in all {
            let target = beneath::find_or_make(self.root, &path, Kind::Folder, None)?;
            let options = [("mode", Some("755")), ("size", Some("64k"))];
            let folder = Detached::filesystem("tmpfs", &options, quiet)?.attach(target.as_fd())?;
            folders.push((path, folder));
        }
        for ((mounted_at, _), copy) in self.group.folders().zip(std::mem::take(&mut self.machines.groups)) {
            let mut attributes = quiet;
            if self.read_only_groups && !self.group.can_be_divided(mounted_at) {
                attributes |= attribute::READ_ONLY;
            }
            copy.change_attributes(attributes, 0, false)?;
            // Looked up in the folder that was made for it, not on the whole way again.
            let above = folders.iter().find(|(path, _)| mounted_at.parent() == Some(path));
            let target = match (above, mounted_at.file_name()) {
                (Some((_, folder)), Some(name)) => {
                    beneath::find_or_make(folder.as_fd(), Path::new(name), Kind::Folder, None)?
                }
                _ => beneath::find_or_make(self.root, mounted_at, Kind::Folder, None)?,
            };
            copy.attach(target.as_fd())?;
        }
        Ok(())
    }
}

/// Folders with more in them than hierarchies: a hierarchy in one of these is attached there as it is.
const NOT_FOR_GROUPS: [&str; 3] = ["/", "/sys/fs", "/dev"];
