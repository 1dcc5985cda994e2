//! Bytes become a tree. Files appear under their names when they are whole; a folder that was not there, when all of it is.

use super::{DEPTH_MAX, Entry, Meta, about, read_entry};
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, RenameFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What of a file's nature the copy keeps beside its content, permissions and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Owners by their numbers, and set-id bits.
    pub owners: bool,
}

const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK);

/// Unpacks an archive at the path: in it, under `name`, where it is a folder; else under the path's own name. `remark` is told of
/// owners that could not be kept.
pub fn unpack(
    path: &Path,
    name: &[u8],
    keep: Keep,
    from: &mut dyn Read,
    remark: &mut dyn FnMut(String),
) -> io::Result<()> {
    let place = Place::find(path, name)?;
    let mut unpacker = Unpacker { from, keep, remark };
    let entry = read_entry(unpacker.from)?;
    if matches!(entry, Entry::Up | Entry::End) {
        return Err(about(path, io::Error::other("there is nothing to be copied: neither file, folder nor link")));
    }
    unpacker.put(&place.folder, &place.name, entry, &place.shown, 0, true)?;
    match read_entry(unpacker.from)? {
        Entry::End => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the archive is damaged")),
    }
}

/// Makes a file of bytes that come in pieces; the permissions of one that is there stay.
pub fn receive_pieces(path: &Path, name: &[u8], from: &mut dyn Read) -> io::Result<()> {
    let place = Place::find(path, name)?;
    let there = rustix::fs::statat(&place.folder, &*place.name, AtFlags::SYMLINK_NOFOLLOW).ok();
    let there = there.filter(|found| FileType::from_raw_mode(found.st_mode) == FileType::RegularFile);
    let mode = there.map_or(0o644, |found| found.st_mode & 0o777);
    let pending = Pending::file(&place.folder, &place.shown)?;
    loop {
        let mut length = [0; 4];
        from.read_exact(&mut length).map_err(super::cut_short)?;
        let length = u64::from(u32::from_be_bytes(length));
        if length == 0 {
            break;
        }
        let copied = io::copy(&mut (&mut *from).take(length), &mut &pending.file);
        if copied.map_err(|error| about(&place.shown, error))? != length {
            return Err(super::cut_short(io::ErrorKind::UnexpectedEof.into()));
        }
    }
    if let Some(found) = there {
        // An owner that cannot be kept is the copier.
        _ = rustix::fs::fchown(&pending.file, Some(Uid::from_raw(found.st_uid)), Some(Gid::from_raw(found.st_gid)));
    }
    rustix::fs::fchmod(&pending.file, Mode::from_raw_mode(mode)).map_err(|errno| about(&place.shown, errno))?;
    pending.scratch.finish(&place.name, &place.shown)
}

/// A name in a folder that is open.
struct Place {
    folder: OwnedFd,
    name: Vec<u8>,
    shown: PathBuf,
}

impl Place {
    fn find(path: &Path, name: &[u8]) -> io::Result<Place> {
        let open = |path: &Path| rustix::fs::openat(CWD, path, FOLDER.difference(OFlags::NOFOLLOW), Mode::empty());
        if std::fs::metadata(path).is_ok_and(|found| found.is_dir()) {
            let folder = open(path).map_err(|errno| about(path, errno))?;
            if name.is_empty() {
                return Err(about(path, Errno::ISDIR));
            }
            let shown = path.join(OsStr::from_bytes(name));
            return Place { folder, name: name.to_vec(), shown }.that_may_be_replaced();
        }
        let own = path.file_name().filter(|_| !path.as_os_str().as_bytes().ends_with(b"/"));
        let own = own.ok_or_else(|| about(path, Errno::NOTDIR))?;
        let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = open(above).map_err(|errno| about(above, errno))?;
        Place { folder, name: own.as_bytes().to_vec(), shown: path.to_path_buf() }.that_may_be_replaced()
    }

    /// Refused before anything is sent. A link that leads to a device is as good as the device: `/dev/stdout` is one.
    fn that_may_be_replaced(self) -> io::Result<Place> {
        may_be_replaced(&self.folder, &self.name, &self.shown, AtFlags::empty())?;
        Ok(self)
    }
}

/// Whether there is nothing of that name, or something that a copy is: never in the place of a device, a pipe or a socket.
fn may_be_replaced(folder: &OwnedFd, name: &[u8], shown: &Path, following: AtFlags) -> io::Result<()> {
    let kind = rustix::fs::statat(folder, name, following).map(|found| FileType::from_raw_mode(found.st_mode));
    match kind {
        Err(_) | Ok(FileType::RegularFile | FileType::Directory | FileType::Symlink) => Ok(()),
        Ok(_) => Err(about(shown, io::Error::other("is there, and neither file, folder nor link"))),
    }
}

struct Unpacker<'a> {
    from: &'a mut dyn Read,
    keep: Keep,
    remark: &'a mut dyn FnMut(String),
}

impl Unpacker<'_> {
    /// `may_be_there`: somebody else may have made something of that name, which a file then replaces.
    fn put(
        &mut self,
        parent: &OwnedFd,
        name: &[u8],
        entry: Entry,
        shown: &Path,
        depth: usize,
        may_be_there: bool,
    ) -> io::Result<()> {
        match entry {
            Entry::File(meta, size) => {
                let pending = Pending::file(parent, shown)?;
                let copied = io::copy(&mut (&mut *self.from).take(size), &mut &pending.file);
                if copied.map_err(|error| about(shown, error))? != size {
                    return Err(super::cut_short(io::ErrorKind::UnexpectedEof.into()));
                }
                self.dress(&pending.file, &meta, shown)?;
                pending.scratch.finish(name, shown)
            }
            Entry::Link(meta, target) => {
                let scratch = Scratch::new(parent, |scratch| rustix::fs::symlinkat(&*target.0, parent, scratch))
                    .map_err(|errno| about(shown, errno))?;
                if self.keep.owners {
                    let owner = (Some(Uid::from_raw(meta.uid)), Some(Gid::from_raw(meta.gid)));
                    let given =
                        rustix::fs::chownat(parent, &*scratch.name, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW);
                    self.note_owner(given, &meta, shown);
                }
                scratch.finish(name, shown)
            }
            Entry::Folder(meta) if may_be_there && is_folder(parent, name) => {
                let folder =
                    rustix::fs::openat(parent, name, FOLDER, Mode::empty()).map_err(|errno| about(shown, errno))?;
                drop(meta);
                self.fill(&folder, shown, depth, true)
            }
            Entry::Folder(meta) => {
                let make = |scratch: &[u8]| rustix::fs::mkdirat(parent, scratch, Mode::from_raw_mode(0o700));
                let scratch = Scratch::new(parent, make).map_err(|errno| about(shown, errno))?;
                let folder = rustix::fs::openat(parent, &*scratch.name, FOLDER, Mode::empty())
                    .map_err(|errno| about(shown, errno))?;
                self.fill(&folder, shown, depth, false)?;
                self.dress(&folder, &meta, shown)?;
                scratch.finish(name, shown)
            }
            Entry::Up | Entry::End => Err(io::Error::new(io::ErrorKind::InvalidData, "the archive is damaged")),
        }
    }

    fn fill(&mut self, folder: &OwnedFd, shown: &Path, depth: usize, may_be_there: bool) -> io::Result<()> {
        if depth == DEPTH_MAX {
            return Err(about(shown, io::Error::other("too many folders inside each other")));
        }
        loop {
            let entry = read_entry(self.from)?;
            let name = match &entry {
                Entry::Up => return Ok(()),
                Entry::File(meta, _) | Entry::Folder(meta) | Entry::Link(meta, _) => meta.name.0.clone(),
                Entry::End => return Err(io::Error::new(io::ErrorKind::InvalidData, "the archive is damaged")),
            };
            let shown = shown.join(OsStr::from_bytes(&name));
            self.put(folder, &name, entry, &shown, depth + 1, may_be_there)?;
        }
    }

    /// Owner, permissions and time, in the order in which one does not undo the other.
    fn dress(&mut self, file: impl AsFd, meta: &Meta, shown: &Path) -> io::Result<()> {
        let at = |errno: Errno| about(shown, errno);
        let mut mode = meta.mode & 0o777;
        if self.keep.owners {
            let owner = (Some(Uid::from_raw(meta.uid)), Some(Gid::from_raw(meta.gid)));
            let kept = self.note_owner(rustix::fs::fchown(&file, owner.0, owner.1), meta, shown);
            // Another owner's set-id bits are not the copier's to give away.
            mode = if kept { meta.mode & 0o7777 } else { mode };
        }
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).map_err(at)?;
        let time = Timespec { tv_sec: meta.modified, tv_nsec: 0 };
        let times = Timestamps { last_access: time, last_modification: time };
        // A time that the file system cannot hold is none that matters.
        _ = rustix::fs::futimens(&file, &times);
        Ok(())
    }

    fn note_owner(&mut self, given: rustix::io::Result<()>, meta: &Meta, shown: &Path) -> bool {
        if let Err(errno) = given {
            let text = about(shown, errno);
            (self.remark)(format!("owner {}:{} of {text}", meta.uid, meta.gid));
        }
        given.is_ok()
    }
}

fn is_folder(parent: &OwnedFd, name: &[u8]) -> bool {
    rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Directory)
}

/// Something under a name of its own until it is complete; gone with the value otherwise.
struct Scratch<'a> {
    parent: &'a OwnedFd,
    name: Vec<u8>,
    finished: bool,
}

impl<'a> Scratch<'a> {
    fn new(parent: &'a OwnedFd, mut make: impl FnMut(&[u8]) -> rustix::io::Result<()>) -> rustix::io::Result<Self> {
        loop {
            let mut bytes = [0; 8];
            rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
            let name = format!(".virtlxc-{:016x}", u64::from_ne_bytes(bytes)).into_bytes();
            match make(&name) {
                Err(Errno::EXIST) => {}
                result => {
                    result?;
                    return Ok(Scratch { parent, name, finished: false });
                }
            }
        }
    }

    /// Under its final name. A file or link of that name is replaced, as one act; a folder never is.
    fn finish(mut self, name: &[u8], shown: &Path) -> io::Result<()> {
        may_be_replaced(self.parent, name, shown, AtFlags::SYMLINK_NOFOLLOW)?;
        let is_made_folder = is_folder(self.parent, &self.name);
        let flags = if is_made_folder { RenameFlags::NOREPLACE } else { RenameFlags::empty() };
        rustix::fs::renameat_with(self.parent, &*self.name, self.parent, name, flags)
            .map_err(|errno| about(shown, errno))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        if !self.finished {
            remove(self.parent, &self.name, 0);
        }
    }
}

/// Whatever there is of it, following nothing.
fn remove(parent: &OwnedFd, name: &[u8], depth: usize) {
    if rustix::fs::unlinkat(parent, name, AtFlags::empty()).is_ok() || depth > DEPTH_MAX {
        return;
    }
    if let Ok(folder) = rustix::fs::openat(parent, name, FOLDER, Mode::empty()) {
        let names = rustix::fs::Dir::read_from(&folder).into_iter().flatten().flatten();
        for entry in names.filter(|entry| !matches!(entry.file_name().to_bytes(), b"." | b"..")) {
            remove(&folder, entry.file_name().to_bytes(), depth + 1);
        }
    }
    _ = rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR);
}

/// A file under a name of its own.
struct Pending<'a> {
    file: File,
    scratch: Scratch<'a>,
}

impl<'a> Pending<'a> {
    fn file(parent: &'a OwnedFd, shown: &Path) -> io::Result<Pending<'a>> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = None;
        let scratch = Scratch::new(parent, |name| {
            file = Some(rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o600))?);
            Ok(())
        });
        let scratch = scratch.map_err(|errno| about(shown, errno))?;
        let file = file.ok_or_else(|| about(shown, Errno::INVAL))?;
        Ok(Pending { file: file.into(), scratch })
    }
}
