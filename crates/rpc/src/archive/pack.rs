//! A tree becomes bytes. Whoever can write to the tree meanwhile may spoil the copy, but not lead it elsewhere.

use super::{DEPTH_MAX, Entry, Meta, PIECE, about, write_entry};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Nothing is waited for at open: not the other end of a pipe, not a device.
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::NOFOLLOW);

/// Writes what is at the path, all of it, to the end mark. A link at the path itself is followed; below it links are copied
/// as links. What is neither file, folder nor link is passed over, and told.
pub fn pack(path: &Path, to: &mut dyn Write, pass_over: &mut dyn FnMut(&Path)) -> io::Result<()> {
    let found = rustix::fs::stat(path).map_err(|errno| about(path, errno))?;
    let name = path.file_name().map(|name| name.as_bytes().to_vec()).unwrap_or_else(|| b"root".to_vec());
    let real = std::fs::canonicalize(path).map_err(|error| about(path, error))?;
    let mut packer = Packer { to, pass_over };
    packer.one(CWD, real.as_os_str().as_bytes(), meta(name, &found), &found, path, 0)?;
    write_entry(packer.to, &Entry::End)
}

/// Writes the bytes of one file and nothing else.
pub fn send_file(path: &Path, to: &mut dyn Write) -> io::Result<()> {
    let real = std::fs::canonicalize(path).map_err(|error| about(path, error))?;
    let file = rustix::fs::open(&real, READ, Mode::empty()).map_err(|errno| about(path, errno))?;
    let found = rustix::fs::fstat(&file).map_err(|errno| about(path, errno))?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(about(path, io::Error::other("is not a plain file")));
    }
    io::copy(&mut File::from(file), to).map_err(|error| about(path, error)).map(drop)
}

/// Writes bytes of which nobody knows how many there will be: in pieces, each behind its length, and none behind the last.
pub fn send_pieces(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let count = match from.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            count => count?,
        };
        to.write_all(&(count as u32).to_be_bytes())?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(piece.get(..count).unwrap_or_default())?;
    }
}

struct Packer<'a> {
    to: &'a mut dyn Write,
    pass_over: &'a mut dyn FnMut(&Path),
}

impl Packer<'_> {
    /// `shown` is for messages alone.
    fn one(
        &mut self,
        parent: BorrowedFd,
        name: &[u8],
        meta: Meta,
        found: &Stat,
        shown: &Path,
        depth: usize,
    ) -> io::Result<()> {
        let at = |errno: Errno| about(shown, errno);
        match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => {
                let file = rustix::fs::openat(parent, name, READ, Mode::empty()).map_err(at)?;
                let found = rustix::fs::fstat(&file).map_err(at)?;
                if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
                    (self.pass_over)(shown);
                    return Ok(());
                }
                self.file(meta, file, found.st_size.unsigned_abs(), shown)
            }
            FileType::Directory => {
                if depth == DEPTH_MAX {
                    return Err(about(shown, io::Error::other("too many folders inside each other")));
                }
                let folder = rustix::fs::openat(parent, name, READ | OFlags::DIRECTORY, Mode::empty()).map_err(at)?;
                write_entry(self.to, &Entry::Folder(meta))?;
                self.folder(folder, shown, depth)?;
                write_entry(self.to, &Entry::Up)
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(parent, name, Vec::new()).map_err(at)?;
                write_entry(self.to, &Entry::Link(meta, crate::Str(target.into_bytes())))
            }
            _ => {
                (self.pass_over)(shown);
                Ok(())
            }
        }
    }

    fn file(&mut self, meta: Meta, file: OwnedFd, size: u64, shown: &Path) -> io::Result<()> {
        write_entry(self.to, &Entry::File(meta, size))?;
        let copied = io::copy(&mut File::from(file).take(size), self.to).map_err(|error| about(shown, error))?;
        // What was announced must come, and there is nothing to put in its place.
        match copied == size {
            true => Ok(()),
            false => Err(about(shown, io::Error::other("became shorter while it was read"))),
        }
    }

    fn folder(&mut self, folder: OwnedFd, shown: &Path, depth: usize) -> io::Result<()> {
        let at = |errno: Errno| about(shown, errno);
        for entry in Dir::read_from(&folder).map_err(at)? {
            let entry = entry.map_err(at)?;
            let name: &CStr = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let shown = shown.join(std::ffi::OsStr::from_bytes(name.to_bytes()));
            match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(found) => {
                    let meta = meta(name.to_bytes().to_vec(), &found);
                    self.one(folder.as_fd(), name.to_bytes(), meta, &found, &shown, depth + 1)?;
                }
                // Gone since the folder was read.
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(about(&shown, errno)),
            }
        }
        Ok(())
    }
}

fn meta(name: Vec<u8>, found: &Stat) -> Meta {
    Meta {
        name: crate::Str(name),
        mode: found.st_mode & 0o7777,
        uid: found.st_uid,
        gid: found.st_gid,
        modified: found.st_mtime,
    }
}
