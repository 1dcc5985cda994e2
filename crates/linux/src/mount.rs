//! Mounts by the kernel's newer calls (fsopen(2), open_tree(2), mount_setattr(2), move_mount(2)): each is made detached,
//! finished where nobody sees it, and only then attached. So nothing appears in the machine's own tree of mounts.

use crate::process;
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Attributes of a mount, to be combined.
pub mod attribute {
    pub const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY;
    pub const NO_SUID: u64 = libc::MOUNT_ATTR_NOSUID;
    pub const NO_DEV: u64 = libc::MOUNT_ATTR_NODEV;
    pub const NO_EXEC: u64 = libc::MOUNT_ATTR_NOEXEC;
}

/// A mount, or a tree of them, that is attached nowhere; gone when it is dropped before it is attached.
#[derive(Debug)]
pub struct Detached(OwnedFd);

impl Detached {
    /// A new mount of a file system of this kind, with its options (`size`, `mode`) and the attributes of the mount.
    /// Its name in tables of mounts is the kind, unless `source` says another. Where the kernel says more than an errno,
    /// the error does too.
    pub fn filesystem(kind: &str, options: &[(&str, Option<&str>)], attributes: u64) -> io::Result<Detached> {
        let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
        let configure = || {
            if !options.iter().any(|(name, _)| *name == "source") {
                fsconfig_set_string(&context, "source", kind)?;
            }
            for (name, value) in options {
                match value {
                    Some(value) => fsconfig_set_string(&context, *name, *value)?,
                    None => fsconfig_set_flag(&context, *name)?,
                }
            }
            fsconfig_create(&context)
        };
        configure().map_err(|error| explained(error.into(), context.as_fd()))?;
        let attributes = MountAttrFlags::from_bits_retain(attributes as u32);
        Ok(Detached(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?))
    }

    /// A copy of what is mounted at `path` beneath `folder`: a bind mount not attached yet.
    /// Recursive, it comes with all that is mounted below.
    pub fn copy(folder: BorrowedFd, path: &Path, recursive: bool) -> io::Result<Detached> {
        let mut flags =
            OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_NO_AUTOMOUNT;
        if path.as_os_str().is_empty() {
            flags |= OpenTreeFlags::AT_EMPTY_PATH;
        }
        if recursive {
            flags |= OpenTreeFlags::AT_RECURSIVE;
        }
        Ok(Detached(open_tree(folder, path, flags)?))
    }

    /// A copy of what is at the machine's own path, with links followed as usual.
    pub fn copy_of_host(path: &Path, recursive: bool) -> io::Result<Detached> {
        Detached::copy(rustix::fs::CWD, path, recursive)
    }

    /// A copy of what an open descriptor is.
    pub fn copy_of(file: BorrowedFd, recursive: bool) -> io::Result<Detached> {
        Detached::copy(file, Path::new(""), recursive)
    }

    /// Adds and takes away attributes, of all mounts of the tree where recursive.
    pub fn change_attributes(&self, add: u64, remove: u64, recursive: bool) -> io::Result<()> {
        let change = libc::mount_attr { attr_set: add, attr_clr: remove, propagation: 0, userns_fd: 0 };
        set(self.0.as_fd(), &change, recursive)
    }

    /// Shows the files of the whole tree as owned by the ids that the user namespace maps (an idmapped mount).
    pub fn map_ids(&self, user_namespace: BorrowedFd) -> io::Result<()> {
        let change = libc::mount_attr {
            attr_set: libc::MOUNT_ATTR_IDMAP,
            attr_clr: 0,
            propagation: 0,
            userns_fd: user_namespace.as_raw_fd() as u64,
        };
        set(self.0.as_fd(), &change, true)
    }

    /// Another descriptor of the same tree, attached or not.
    pub fn copy_descriptor(&self) -> io::Result<Detached> {
        Ok(Detached(self.0.try_clone()?))
    }

    /// No propagation to or from any other mount.
    pub fn make_private(&self) -> io::Result<()> {
        set(self.0.as_fd(), &PRIVATE, true)
    }

    /// Attaches it on what is at this process's own path, with links followed as usual.
    pub fn attach_at(self, path: &Path) -> io::Result<OwnedFd> {
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
        move_mount(&self.0, c"", rustix::fs::CWD, path, flags)?;
        Ok(self.0)
    }

    /// Attaches it on what `target` is; from then on the descriptor is the root of an ordinary mount.
    pub fn attach(self, target: BorrowedFd) -> io::Result<OwnedFd> {
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        move_mount(&self.0, c"", target, c"", flags)?;
        Ok(self.0)
    }
}

impl AsFd for Detached {
    /// The root of the tree; files can be made and opened beneath it while it is detached.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

const PRIVATE: libc::mount_attr =
    libc::mount_attr { attr_set: 0, attr_clr: 0, propagation: libc::MS_PRIVATE, userns_fd: 0 };

/// Cuts every mount of this namespace off from those of others, those too that chroot(2) hides from this process.
pub fn make_all_private() -> io::Result<()> {
    let own = root()?;
    enter_root_of(own_namespace()?.as_fd())?;
    set(root()?.as_fd(), &PRIVATE, true)?;
    return_to(own.as_fd())
}

/// Adds attributes to the mount that a descriptor is the root of.
pub fn add_attributes(mount: BorrowedFd, attributes: u64) -> io::Result<()> {
    let change = libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: 0, userns_fd: 0 };
    set(mount, &change, false)
}

/// Lets go of this mount namespace's root with all that is mounted in it, and attaches the tree in its place, which is the root of
/// this process then. The tree comes back where the namespace keeps its root: a namespace of less power than the one that it was
/// copied from does, and one whose root is no mount. [`make_all_private`] comes first, or others lose their mounts too.
///
/// pivot_root(2) comes to the same, but looks at every process of the machine. What a namespace has beneath its root is seen by who
/// enters it only, so this process enters its own again; and for that to be nothing of the machine's, all that is mounted there is
/// let go of, not only what is the root of this process.
pub fn replace_root(root: Detached) -> io::Result<Result<OwnedFd, Detached>> {
    let namespace = own_namespace()?;
    let own = self::root()?;
    enter_root_of(namespace.as_fd())?;
    let mut replaced = false;
    loop {
        match rustix::mount::unmount("/", UnmountFlags::DETACH) {
            Ok(()) => enter_root_of(namespace.as_fd())?,
            // The kernel's own root, which is always there, or one that is kept.
            Err(Errno::INVAL) => break,
            Err(error) => return Err(error.into()),
        }
        replaced = true;
    }
    if !replaced {
        if !is_same(own.as_fd(), self::root()?.as_fd())? {
            return Err(io::Error::other(
                "beyond the folder that chroot(2) has made the root, there is one that is no mount",
            ));
        }
        return_to(own.as_fd())?;
        return Ok(Err(root));
    }
    let root = root.attach_at(Path::new("/"))?;
    return_to(root.as_fd())?;
    Ok(Ok(root))
}

/// This process's own root.
fn root() -> io::Result<OwnedFd> {
    Ok(rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

fn own_namespace() -> io::Result<OwnedFd> {
    Ok(rustix::fs::open("/proc/self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// What is mounted last on the namespace's root becomes the root of this process, and its working folder.
fn enter_root_of(namespace: BorrowedFd) -> io::Result<()> {
    Ok(rustix::thread::move_into_link_name_space(namespace, Some(rustix::thread::LinkNameSpaceType::Mount))?)
}

fn return_to(root: BorrowedFd) -> io::Result<()> {
    rustix::process::fchdir(root)?;
    Ok(rustix::process::chroot(".")?)
}

/// Whether two folders are one, of one mount.
fn is_same(one: BorrowedFd, other: BorrowedFd) -> io::Result<bool> {
    let wanted = StatxFlags::MNT_ID | StatxFlags::INO;
    let look = |folder| rustix::fs::statx(folder, c"", AtFlags::EMPTY_PATH, wanted);
    let (one, other) = (look(one)?, look(other)?);
    Ok((one.stx_mnt_id, one.stx_ino) == (other.stx_mnt_id, other.stx_ino))
}

/// Makes `root`, the root of an attached mount, the root of this mount namespace, and lets go of the old one with all
/// that is mounted in it. No folder for the old one is needed: both roots are stacked for a moment.
pub fn change_root(root: BorrowedFd) -> io::Result<()> {
    rustix::process::fchdir(root)?;
    rustix::process::pivot_root(c".", c".")?;
    rustix::mount::unmount(c".", UnmountFlags::DETACH)?;
    Ok(rustix::process::chdir(c"/")?)
}

/// Takes away what was mounted at the path last.
pub fn unmount(path: &Path) -> io::Result<()> {
    Ok(rustix::mount::unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)?)
}

/// Takes away everything that is mounted at the path, one over another and below; that nothing is, is no error.
pub fn unmount_all(path: &Path) -> io::Result<()> {
    loop {
        match rustix::mount::unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Takes away the mount whose root this is, in this thread's namespace. `processes` is the machine's `/proc`, which leads to
/// the descriptor without a path of the namespace's.
pub fn unmount_descriptor(processes: BorrowedFd, mounted: BorrowedFd) -> io::Result<()> {
    rustix::process::fchdir(processes)?;
    let path = format!("thread-self/fd/{}", mounted.as_raw_fd());
    Ok(rustix::mount::unmount(path, UnmountFlags::DETACH)?)
}

/// Acts in another mount namespace. A namespace belongs to a thread, so one of its own does it, with a working folder of its
/// own.
pub fn in_namespace<T: Send>(namespace: BorrowedFd, act: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let enter_and_act = || {
        process::unshare_folders()?;
        rustix::thread::move_into_link_name_space(namespace, Some(rustix::thread::LinkNameSpaceType::Mount))?;
        act()
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("mounts".into()).spawn_scoped(scope, enter_and_act)?;
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that mounts failed")))
    })
}

fn set(mount: BorrowedFd, change: &libc::mount_attr, recursive: bool) -> io::Result<()> {
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty C string, and the structure is as large as said; the call reads both.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            std::ptr::from_ref(change),
            size_of::<libc::mount_attr>(),
        )
    };
    match result {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The error with the kernel's own words about it, which it leaves in the context.
fn explained(error: io::Error, context: BorrowedFd) -> io::Error {
    let mut words = [0; 256];
    let length = rustix::io::read(context, &mut words).unwrap_or(0);
    match words.get(..length).map(String::from_utf8_lossy) {
        // The first letter is the kind of message, then comes a blank.
        Some(said) if said.len() > 2 => {
            io::Error::new(error.kind(), format!("{error}: {}", said.get(2..).unwrap_or_default().trim()))
        }
        _ => error,
    }
}
