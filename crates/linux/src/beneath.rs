//! Paths inside a root that somebody else writes to: every link on the way is followed as if the root were `/`, and none
//! leads out (openat2(2), RESOLVE_IN_ROOT).

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, mkdirat, openat, openat2};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

/// What a missing target is made as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Folder,
    /// An empty file.
    File,
}

/// A descriptor (O_PATH) of the machine's own path, with links followed as usual.
pub fn host(path: &Path) -> io::Result<OwnedFd> {
    Ok(openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)
}

/// A descriptor (O_PATH) of what is at the path beneath the root.
pub fn find(root: BorrowedFd, path: &Path) -> io::Result<OwnedFd> {
    open(root, path, OFlags::PATH)
}

/// Opens what is at the path beneath the root.
pub fn open(root: BorrowedFd, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    loop {
        match openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), how) {
            // The kernel could not rule out that a rename led out of the root meanwhile.
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return Ok(result?),
        }
    }
}

/// As [`find`]; what is missing is made, folders on the way with mode 0755, and owned by `owner` where one is given.
pub fn find_or_make(root: BorrowedFd, path: &Path, kind: Kind, owner: Option<(u32, u32)>) -> io::Result<OwnedFd> {
    match find(root, path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        result => return result,
    }
    let mut parent = root.try_clone_to_owned()?;
    let mut so_far = PathBuf::new();
    let mut components = path.components().peekable();
    while let Some(component) = components.next() {
        let name = match component {
            Component::Normal(name) => name,
            Component::ParentDir => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "a path with '..' in it is not made"));
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => continue,
        };
        so_far.push(name);
        let next = match find(root, &so_far) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(
                    parent.as_fd(),
                    Path::new(name),
                    if components.peek().is_none() { kind } else { Kind::Folder },
                    owner,
                )?;
                find(root, &so_far)?
            }
            result => result?,
        };
        parent = next;
    }
    Ok(parent)
}

fn make(parent: BorrowedFd, name: &Path, kind: Kind, owner: Option<(u32, u32)>) -> io::Result<()> {
    match kind {
        Kind::Folder => mkdirat(parent, name, Mode::from_raw_mode(0o755))?,
        Kind::File => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
            openat(parent, name, flags, Mode::from_raw_mode(0o644))?;
        }
    }
    if let Some((uid, gid)) = owner {
        own(parent, name, uid, gid)?;
    }
    Ok(())
}

/// Gives what is there, never what a link leads to, to the owner.
pub fn own(folder: BorrowedFd, name: &Path, uid: u32, gid: u32) -> io::Result<()> {
    let (uid, gid) = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid));
    Ok(rustix::fs::chownat(folder, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// A folder of this test's own, gone with it.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("virtlxc-beneath-{name}-{}", std::process::id()));
            fs::create_dir_all(path.join("root")).unwrap();
            Scratch(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_is_missing_is_made() {
        let scratch = Scratch::new("made");
        let root = host(&scratch.0.join("root")).unwrap();
        find_or_make(root.as_fd(), Path::new("/a/b/c"), Kind::Folder, None).unwrap();
        find_or_make(root.as_fd(), Path::new("a/file"), Kind::File, None).unwrap();
        assert!(scratch.0.join("root/a/b/c").is_dir() && scratch.0.join("root/a/file").is_file());
        assert!(find_or_make(root.as_fd(), Path::new("/x/../y"), Kind::Folder, None).is_err());
    }

    #[test]
    fn no_link_leads_out() {
        let scratch = Scratch::new("out");
        fs::create_dir(scratch.0.join("outside")).unwrap();
        fs::create_dir(scratch.0.join("root/inside")).unwrap();
        symlink("../outside", scratch.0.join("root/up")).unwrap();
        symlink("/inside", scratch.0.join("root/absolute")).unwrap();
        let root = host(&scratch.0.join("root")).unwrap();
        find_or_make(root.as_fd(), Path::new("/absolute/made"), Kind::Folder, None).unwrap();
        assert!(scratch.0.join("root/inside/made").is_dir());
        // Beneath the root the link leads to a folder that is not there, and is not made by following it.
        assert!(find_or_make(root.as_fd(), Path::new("/up/made"), Kind::Folder, None).is_err());
        assert!(!scratch.0.join("outside/made").exists());
    }
}
