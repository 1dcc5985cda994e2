//! File systems of a running container: a folder of the machine mounted in its tree, and taken away again.
//!
//! The mount is made complete where nobody sees it, then attached from within the container's mount namespace. The guest can
//! change its tree at any moment: the target is found beneath its root, and what is taken away is looked at first, so that no
//! link or mount of the guest's makes us uncover what was hidden from it.

use crate::affect::Running;
use crate::driver::Driver;
use crate::files::system;
use crate::guarded::within_patience;
use crate::hotplug::unsupported;
use crate::hotplug_live::{failed, owner_of};
use crate::object::not_running;
use api::Result;
use conf::domain::{Domain, Filesystem, FilesystemSource};
use linux::beneath::{self, Kind};
use linux::mount::{self, Detached, attribute};
use rustix::fs::{AtFlags, FileType, Stat, StatxAttributes, StatxFlags, fstat, statx};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Driver {
    pub(crate) fn mount(&self, domain: &Domain, running: &Running, described: &Filesystem) -> Result<()> {
        let source = source(described)?;
        let attributes = attributes(described)?;
        check_target(described)?;
        let shown = source.display();
        let found = beneath::host(source).map_err(|e| system(&e, format!("Failed to access '{shown}'")))?;
        let stat = stat(&found, || format!("Failed to access '{shown}'"))?;
        let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        let place = Place::of(self, running)?;
        let prepare = || {
            let copy = Detached::copy_of(found.as_fd(), true)?;
            copy.make_private()?;
            if maps_ids(domain, described, stat.st_uid) {
                // As at a start: a file system that cannot map owners shows the machine's.
                if let Err(error) = copy.map_ids(place.user_namespace.as_fd()) {
                    tracing::warn!("domain '{}': owners of files in '{shown}' are not mapped: {error}", domain.name);
                }
            }
            if attributes != 0 {
                copy.change_attributes(attributes, 0, true)?;
            }
            Ok(copy)
        };
        let copy = prepare().map_err(|e: io::Error| system(&e, format!("Failed to bind mount '{shown}'")))?;
        let kind = if is_folder { Kind::Folder } else { Kind::File };
        let (target, owner) = (PathBuf::from(&described.target), owner_of(domain));
        // Who has waited in vain does not find it mounted later.
        let still_wanted = Arc::new(());
        let wanted = Arc::downgrade(&still_wanted);
        let attach = move || {
            if let Some((uid, gid)) = owner {
                linux::process::make_files_as(uid, gid)?;
            }
            let target = beneath::find_or_make(place.root.as_fd(), &target, kind, None)?;
            match FileType::from_raw_mode(fstat(&target)?.st_mode) == FileType::Directory {
                true if !is_folder => return Err(Errno::ISDIR.into()),
                false if is_folder => return Err(Errno::NOTDIR.into()),
                _ => {}
            }
            wanted.upgrade().ok_or(io::ErrorKind::TimedOut)?;
            copy.attach(target.as_fd()).map(drop)
        };
        let mounts = place.mounts;
        let outcome = within_patience(move || mount::in_namespace(mounts.as_fd(), attach));
        drop(still_wanted);
        outcome.map_err(|e| system(&e, format!("Failed to mount '{shown}' on '{}' in the container", described.target)))
    }

    /// What the container took away itself is no failure.
    pub(crate) fn unmount(&self, running: &Running, described: &Filesystem) -> Result<()> {
        let source = source(described)?;
        check_target(described)?;
        let target = Path::new(&described.target);
        let words = || format!("Failed to unmount '{}' in the container", target.display());
        let place = Place::of(self, running)?;
        let processes = beneath::host(&self.paths.proc).map_err(|e| system(&e, words()))?;
        let (owned_source, owned_target) = (source.to_path_buf(), target.to_path_buf());
        let still_wanted = Arc::new(());
        let wanted = Arc::downgrade(&still_wanted);
        let detach = move |place: &Place| {
            let target = match beneath::find(place.root.as_fd(), &owned_target) {
                Ok(target) => target,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
                Err(error) => return Err(error),
            };
            if !is_mounted(&target)? {
                return Ok(true);
            }
            // Something else may be there by now, and what it covers may be hidden on purpose.
            let ours = place.source_is(&owned_source, &target)?;
            if ours {
                wanted.upgrade().ok_or(io::ErrorKind::TimedOut)?;
                mount::unmount_descriptor(processes.as_fd(), target.as_fd())?;
            }
            Ok(ours)
        };
        let outcome = within_patience(move || mount::in_namespace(place.mounts.as_fd(), || detach(&place)));
        drop(still_wanted);
        match outcome.map_err(|e| system(&e, words()))? {
            true => Ok(()),
            false => Err(failed(format!(
                "what is mounted on '{}' in the container is not '{}'",
                target.display(),
                source.display()
            ))),
        }
    }
}

/// Where a container's tree is.
struct Place {
    root: OwnedFd,
    mounts: OwnedFd,
    user_namespace: File,
    /// The machine's own root, for use inside the container's namespace.
    machine: OwnedFd,
}

impl Place {
    fn of(driver: &Driver, running: &Running) -> Result<Place> {
        let init = running.init.as_ref().ok_or_else(not_running)?;
        let folder = driver.paths.proc.join(init.pid.to_string());
        let open = || {
            let place = Place {
                root: init.root(&driver.paths.proc)?,
                mounts: File::open(folder.join("ns/mnt"))?.into(),
                user_namespace: File::open(folder.join("ns/user"))?,
                machine: beneath::host(Path::new("/"))?,
            };
            init.is_there().map(|()| place)
        };
        open().map_err(|e: io::Error| system(&e, "Unable to access the container's mounts".into()))
    }

    /// Whether the machine's `source` is what this descriptor is.
    fn source_is(&self, source: &Path, target: &OwnedFd) -> io::Result<bool> {
        let there = fstat(target)?;
        let is_same = |here: Stat| (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino);
        match beneath::find(self.machine.as_fd(), source) {
            Ok(here) => Ok(is_same(fstat(here)?)),
            // Removed from the machine, it lives on in the container.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn source(described: &Filesystem) -> Result<&Path> {
    match &described.source {
        FilesystemSource::Mount { dir } => Ok(Path::new(dir)),
        other => {
            let words =
                format!("filesystem type '{}' cannot be attached or detached while the domain runs", other.kind());
            Err(unsupported(words))
        }
    }
}

/// Not the root itself, and nothing that is resolved in another way than it reads.
fn check_target(described: &Filesystem) -> Result<()> {
    let target = Path::new(&described.target);
    let is_plain = target.components().all(|part| !matches!(part, std::path::Component::ParentDir));
    match target.is_absolute() && target.parent().is_some() && is_plain {
        true => Ok(()),
        false => Err(unsupported(format!(
            "the target '{}' of a filesystem must be an absolute path below the root, without '..'",
            described.target
        ))),
    }
}

/// As the controller does at a start: a source that belongs to the container's ids already is left as it is.
fn maps_ids(domain: &Domain, described: &Filesystem, owner: u32) -> bool {
    let among = |start: u32, count: u32| owner >= start && owner - start < count;
    let belongs = owner != 0 && domain.idmap.uids.iter().any(|entry| among(entry.target, entry.count));
    let wanted = described.mount.as_ref().and_then(|mount| mount.idmap).unwrap_or(!belongs);
    wanted && !domain.idmap.uids.is_empty()
}

fn attributes(described: &Filesystem) -> Result<u64> {
    let mut attributes = if described.read_only { attribute::READ_ONLY } else { 0 };
    let options = described.mount.as_ref().and_then(|mount| mount.options.as_deref()).unwrap_or_default();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        attributes |= match option {
            "ro" => attribute::READ_ONLY,
            "nosuid" => attribute::NO_SUID,
            "nodev" => attribute::NO_DEV,
            "noexec" => attribute::NO_EXEC,
            "rw" | "suid" | "dev" | "exec" => 0,
            _ => {
                let target = &described.target;
                let words = format!("mount option '{option}' of {target}; known are ro, nosuid, nodev, noexec");
                return Err(unsupported(words));
            }
        };
    }
    Ok(attributes)
}

fn stat(fd: &OwnedFd, words: impl FnOnce() -> String) -> Result<Stat> {
    fstat(fd).map_err(|e| system(&e.into(), words()))
}

/// Whether it is the root of a mount.
fn is_mounted(fd: &OwnedFd) -> io::Result<bool> {
    let found = statx(fd, "", AtFlags::EMPTY_PATH, StatxFlags::empty())?;
    Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}
