//! File systems in files and on block devices: which one it is, and a mount of it.

use crate::failure::{Doing, Failure, Result};
use crate::served;
use linux::loopdev;
use linux::mount::{Detached, attribute};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Where each kind has its mark. What has none of them is not mounted: the kernel is not to guess at a guest's data.
const MARKS: [(&str, usize, &[u8]); 8] = [
    ("ext4", 0x438, b"\x53\xef"),
    ("xfs", 0, b"XFSB"),
    ("btrfs", 0x1_0040, b"_BHRfS_M"),
    ("squashfs", 0, b"hsqs"),
    ("iso9660", 0x8001, b"CD001"),
    ("erofs", 0x400, b"\xe2\xe1\xf5\xe0"),
    ("vfat", 0x52, b"FAT32"),
    ("vfat", 0x36, b"FAT"),
];
/// Up to the end of the last mark.
const HEAD: usize = 0x1_0048;

/// An image as a block device. It is there as long as this or a mount of it is, or somebody else has it open.
#[derive(Debug)]
pub struct ImageDevice {
    pub major: u32,
    pub minor: u32,
    node: PathBuf,
    _held: OwnedFd,
}

/// `format` is what a program has to read, where it is not the file as it is; `state` a folder of the machine that is root's.
pub fn attach(file: &Path, format: Option<&str>, read_only: bool, state: &Path) -> Result<ImageDevice> {
    std::fs::metadata(file).doing(|| format!("Unable to open {}", file.display()))?;
    let (node, held) = match format {
        None => {
            let device = loopdev::attach(Path::new("/dev"), file, read_only);
            let device = device.map_err(|failure| Failure::new(failure.to_string()))?;
            (device.node, device.file)
        }
        Some(format) => served::attach(file, format, read_only, state)?,
    };
    let number = rustix::fs::fstat(&held).map_err(Into::into).doing(|| format!("Unable to look at {}", node.display()));
    let number = number?.st_rdev;
    Ok(ImageDevice { major: rustix::fs::major(number), minor: rustix::fs::minor(number), node, _held: held })
}

/// The file system of an image, on a device that goes with the last mount.
pub fn mount_file(file: &Path, format: Option<&str>, attributes: u64, state: &Path) -> Result<Detached> {
    let device = attach(file, format, attributes & attribute::READ_ONLY != 0, state)?;
    mount(file, &device.node, attributes)
}

pub fn mount_device(path: &Path, attributes: u64) -> Result<Detached> {
    std::fs::metadata(path).doing(|| format!("Path '{}' is not accessible", path.display()))?;
    mount(path, path, attributes)
}

fn mount(named: &Path, device: &Path, attributes: u64) -> Result<Detached> {
    let shown = named.display();
    let mut head = Vec::new();
    let file = File::open(device).doing(|| format!("Unable to open {}", device.display()))?;
    file.take(HEAD as u64).read_to_end(&mut head).doing(|| format!("Unable to read {shown}"))?;
    let kind = kind(&head).ok_or_else(|| {
        let mut known: Vec<&str> = MARKS.iter().map(|(kind, ..)| *kind).collect();
        known.dedup();
        Failure::new(format!("Failed to mount {shown}: it has none of these file systems: {}", known.join(", ")))
    })?;
    let device = device.to_str().ok_or_else(|| Failure::new(format!("{shown} is no text")))?;
    let mut options = vec![("source", Some(device))];
    if attributes & attribute::READ_ONLY != 0 {
        options.push(("ro", None));
    }
    Detached::filesystem(kind, &options, attributes).doing(|| format!("Failed to mount {shown} as {kind}"))
}

fn kind(head: &[u8]) -> Option<&'static str> {
    let has = |at: usize, mark: &[u8]| head.get(at..at + mark.len()) == Some(mark);
    MARKS.iter().find(|(_, at, mark)| has(*at, mark)).map(|(kind, ..)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_marks() {
        let with = |at: usize, mark: &[u8]| {
            let mut head = vec![0; HEAD];
            head[at..at + mark.len()].copy_from_slice(mark);
            kind(&head)
        };
        for (name, at, mark) in MARKS {
            assert_eq!(with(at, mark), Some(name));
        }
        assert_eq!((kind(&[]), kind(&[0; HEAD]), kind(b"XFS")), (None, None, None));
    }
}
