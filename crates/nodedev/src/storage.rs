//! Drives. What kind one is, udevd's rules have found out by asking it; without them little can be told.

use crate::facts::{Facts, attribute, number};
use crate::file_name;
use conf::nodedev::{Drive, Storage};
use std::path::Path;

/// In units of which the kernel counts every drive's size, whatever its own blocks are.
const SECTOR: u64 = 512;

/// None for what is no drive: loop devices, RAM disks, volumes.
pub fn drive(folder: &Path, facts: &Facts) -> Option<Drive> {
    match facts.get("ID_TYPE") {
        Some("disk") => Some(Drive::Disk),
        Some("cd") => Some(Drive::Cdrom),
        Some("floppy") => Some(Drive::Floppy),
        Some("sd") => Some(Drive::SdCard),
        None | Some("generic") if facts.has("ID_DRIVE_FLOPPY") => Some(Drive::Floppy),
        None | Some("generic") if facts.has("ID_CDROM") => Some(Drive::Cdrom),
        None | Some("generic") if facts.has("ID_DRIVE_FLASH_SD") => Some(Drive::SdCard),
        None | Some("generic") => guess(folder),
        Some(_) => None,
    }
}

fn guess(folder: &Path) -> Option<Drive> {
    let name = file_name(folder);
    if name.starts_with("vd") || name.starts_with("nvme") {
        return Some(Drive::Disk);
    }
    // SCSI's type of peripheral device.
    match (name.get(..2), number(folder, "device/type")) {
        (Some("sd"), Some(0)) => Some(Drive::Disk),
        (Some("sr"), Some(5)) => Some(Drive::Cdrom),
        _ => None,
    }
}

pub fn describe(folder: &Path, facts: &Facts, drive: Drive) -> Storage {
    let label = facts.get("ID_FS_LABEL").map(str::to_string);
    let there = match drive {
        Drive::Cdrom => facts.has("ID_CDROM_MEDIA"),
        Drive::Floppy => facts.has("ID_CDROM_MEDIA") || label.is_some(),
        Drive::Disk | Drive::SdCard => true,
    };
    // A stick is removable as a whole, and so no drive whose medium is.
    let changes = matches!(drive, Drive::Cdrom | Drive::Floppy) && number(folder, "removable") == Some(1);
    Storage {
        file: facts.node().unwrap_or_default(),
        bus: facts.get("ID_BUS").map(str::to_string),
        drive,
        model: attribute(folder, "device/model"),
        vendor: attribute(folder, "device/vendor"),
        serial: facts.get("ID_SERIAL").map(str::to_string),
        size: number::<u64>(folder, "size").filter(|_| there).map_or(0, |sectors| sectors.saturating_mul(SECTOR)),
        logical_block_size: number(folder, "queue/logical_block_size").filter(|_| there).unwrap_or(0),
        medium: changes.then_some((there, label.filter(|_| there))),
    }
}
