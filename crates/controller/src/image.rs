//! File systems in files and on block devices: which one it is, and a mount of it.

use crate::failure::{Doing, Failure, Result};
use linux::loopdev;
use linux::mount::{Detached, attribute};
use std::fs::File;
use std::io::Read;
use std::path::Path;

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

/// The file system of an image, through a loop device that goes with the last mount.
pub fn mount_file(path: &Path, attributes: u64) -> Result<Detached> {
    let shown = path.display();
    std::fs::metadata(path).doing(|| format!("Unable to open {shown}"))?;
    let read_only = attributes & attribute::READ_ONLY != 0;
    let device =
        loopdev::attach(Path::new("/dev"), path, read_only).map_err(|failure| Failure::new(failure.to_string()))?;
    mount(path, &device.node, attributes)
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
