//! The table of mounts of a process, `/proc/PID/mountinfo` (proc_pid_mountinfo(5)).

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// One line of the table. Bytes that the kernel wrote in octal are themselves again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub id: u32,
    pub parent: u32,
    /// The folder within the filesystem that is seen at the mount point; `/` for all of it.
    pub root: PathBuf,
    /// Where it is mounted, seen from the process's root.
    pub mounted_at: PathBuf,
    /// `rw,nosuid,…`: the flags of this mount.
    pub options: String,
    /// `ext4`, `cgroup2`, …
    pub kind: String,
    pub source: PathBuf,
    /// The options of the filesystem itself.
    pub filesystem_options: String,
}

/// The mounts of this process, in the kernel's order.
pub fn read(proc: &Path) -> io::Result<Vec<Mount>> {
    let path = proc.join("self/mountinfo");
    // The file has no size that would say how much room to have.
    let mut table = Vec::with_capacity(USUAL_SIZE);
    std::fs::File::open(&path)
        .and_then(|mut file| file.read_to_end(&mut table))
        .map_err(|error| io::Error::new(error.kind(), format!("cannot read '{}': {error}", path.display())))?;
    Ok(parse(&table))
}

const USUAL_SIZE: usize = 8192;

/// The lines that are whole; a line of another form is passed over.
pub fn parse(table: &[u8]) -> Vec<Mount> {
    table.split(|byte| *byte == b'\n').filter_map(line).collect()
}

fn line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = number(fields.next()?)?;
    let parent = number(fields.next()?)?;
    let _device = fields.next()?;
    let root = path(fields.next()?);
    let mounted_at = path(fields.next()?);
    let options = text(fields.next()?);
    // Any number of optional fields, as `shared:7`, ends with a dash.
    fields.by_ref().find(|field| *field == b"-")?;
    let kind = text(fields.next()?);
    let source = path(fields.next()?);
    let filesystem_options = text(fields.next()?);
    Some(Mount { id, parent, root, mounted_at, options, kind, source, filesystem_options })
}

fn number(field: &[u8]) -> Option<u32> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(&unescaped(field)).into_owned()
}

fn path(field: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(unescaped(field)))
}

/// Blank, tab, newline and backslash are written as a backslash and three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        match (first, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', beyond @ ..]) => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = beyond;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_form() {
        let table = b"\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
36 35 98:0 /mnt1 /mnt\\0402 rw,noatime shared:1 master:2 - ext3 /dev/ro\\134ot rw,errors=continue
a broken line
40 30 0:1 / /x rw - none
";
        let mounts = parse(table);
        assert_eq!(mounts.len(), 2);
        assert_eq!(mounts[0].mounted_at, Path::new("/sys/fs/cgroup"));
        assert_eq!((mounts[0].kind.as_str(), mounts[0].filesystem_options.as_str()), ("tmpfs", "rw,mode=755"));
        assert_eq!(mounts[1].mounted_at, Path::new("/mnt 2"));
        assert_eq!(mounts[1].root, Path::new("/mnt1"));
        assert_eq!(mounts[1].source, Path::new("/dev/ro\\ot"));
        assert_eq!((mounts[1].id, mounts[1].parent, mounts[1].options.as_str()), (36, 35, "rw,noatime"));
    }

    #[test]
    fn our_own_table_has_a_root() {
        let mounts = read(Path::new("/proc")).unwrap();
        assert!(mounts.iter().any(|mount| mount.mounted_at == Path::new("/")));
    }
}
