//! Disks: reading, their order, buses and addresses.

use super::complete::number;
use super::parse::{Check, Context};
use super::*;
use crate::refuse::{self, Place};
use crate::xml::Node;
use api::{Error, ErrorDomain};
use std::collections::{HashMap, HashSet};

pub(super) fn disk(node: Node, context: &Context) -> Result<Disk> {
    let mut element = context.keep(node, "disk")?;
    let kind = element.attr("type").unwrap_or_default().to_string();
    let device = element.attr("device").unwrap_or_default().to_string();
    if let Some(given) = node.child("source") {
        source(given, &mut element, &kind)?;
    }
    let protocol = element.child("source").and_then(|source| source.attr("protocol")).unwrap_or_default().to_string();
    for child in &mut element.children {
        match child.name.as_str() {
            "encryption" => disk_source::encryption(child)?,
            "auth" => disk_source::authentication(child, &protocol)?,
            "backingStore" => disk_source::backing(child)?,
            _ => {}
        }
    }
    let target = element.child("target").and_then(|t| t.attr("dev")).map(str::to_string);
    let path = Disk { element: element.clone() }.source_path().map(str::to_string);
    let sourceless = element.child("source").is_none() && !["cdrom", "floppy"].contains(&device.as_str());
    let named = target.is_some();
    let target = target.unwrap_or_default();
    if !named {
        context.later::<()>(Check::Disk, Err(refuse::missing_target(&path.unwrap_or_default())).at(node));
    } else if sourceless {
        context.later::<()>(Check::Disk, Err(refuse::missing_source(&target)).at(node));
    }
    let misnamed = match device.as_str() {
        "floppy" if !target.starts_with("fd") => Some("floppy"),
        "disk" | "lun" if target.starts_with("fd") => Some("harddisk"),
        _ => None,
    };
    if let Some(what) = misnamed.filter(|_| !target.is_empty()) {
        let message = format!("Invalid {what} device name: {target}");
        context.later::<()>(Check::Disk, Err(refuse::internal(message)).at(node));
    }
    if kind == "block" && element.child("source").is_none() && ["cdrom", "floppy"].contains(&device.as_str()) {
        element.set("type", "file");
    }
    let cache = element.child_mut("driver").and_then(|driver| driver.child_mut("metadata_cache"));
    cache.map_or(Ok(()), metadata_cache)?;
    context.later(Check::Disk, details(&mut element, &kind, &device).at(node));
    address::info(&mut element.children)?;
    address::refuse_unassigned(&element.children)?;
    Ok(Disk { element })
}

/// The attributes that belong to the type.
fn source(given: Node, element: &mut Element, kind: &str) -> Result<()> {
    let names: &[&str] = match kind {
        "file" => &["file"],
        "block" => &["dev"],
        "dir" => &["dir"],
        "volume" => &["pool", "volume", "mode"],
        "network" => &["protocol", "name", "tls", "tlsHostname", "query"],
        "nvme" => &["type", "managed", "namespace"],
        _ => &["type", "path"],
    };
    let Some(source) = element.child_mut("source") else { return Ok(()) };
    source
        .attrs
        .retain(|(name, value)| (names.contains(&name.as_str()) && !value.is_empty()) || name == "startupPolicy");
    source.attrs.sort_by_key(|(name, _)| names.iter().position(|n| n == name).unwrap_or(names.len()));
    match kind {
        "network" => {
            refuse::required(given, "protocol").at(given)?;
        }
        "volume" if source.attr("pool").is_some() != source.attr("volume").is_some() => {
            let message = "'pool' and 'volume' must be specified together for 'pool' type source";
            return Err(refuse::xml(message)).at(given);
        }
        _ => {}
    }
    let device = element.attr("device").unwrap_or("disk").to_string();
    let Some(source) = element.child_mut("source") else { return Ok(()) };
    disk_source::refine(source, kind, &device)?;
    if source.attrs.iter().all(|(name, _)| name == "startupPolicy") {
        element.remove("source");
    }
    Ok(())
}

fn metadata_cache(cache: &mut Element) -> Result<()> {
    let Some(size) = cache.child_mut("max_size") else { return Ok(()) };
    let text = size.text.clone().unwrap_or_default();
    let bad =
        || refuse::generic_xml(format!("Invalid value '{text}' for element or attribute './metadata_cache/max_size'"));
    let value = crate::number::u64_of(&text, 10).ok_or_else(bad)?;
    let bytes = crate::number::scale(value, size.attr("unit").unwrap_or_default(), 1, u64::MAX)?;
    size.set("unit", "bytes");
    size.text = Some(bytes.to_string());
    Ok(())
}

/// What a table does not say about disks of machines.
fn details(element: &mut Element, kind: &str, device: &str) -> Result<()> {
    if device == "cdrom" && element.child("readonly").is_none() {
        let before = ["readonly", "shareable", "transient", "serial", "wwn", "vendor", "product", "encryption", "boot"];
        let after = |c: &Element| before.contains(&c.name.as_str()) || INFO.contains(&c.name.as_str());
        let at = element.children.iter().position(after).unwrap_or(element.children.len());
        element.children.insert(at, Element::new("readonly"));
    }
    if device != "lun" {
        for name in ["rawio", "sgio"] {
            if element.attr(name).is_some() {
                return Err(refuse::unsupported(format!("{name} can be used only with device='lun'")));
            }
        }
    } else if element.attr("sgio") == Some("unfiltered") {
        return Err(refuse::unsupported("unfiltered sgio is no longer supported"));
    } else if !["block", "network", "volume"].contains(&kind) {
        return Err(refuse::unsupported("disk device='lun' is only valid for block type disk source"));
    }
    if kind == "vhostuser" && element.attr("snapshot").is_none() {
        element.set("snapshot", "no");
    }
    element.remove("mirror");
    let tray = element.child("target").is_some_and(|target| target.attr("tray").is_some());
    if tray && !["cdrom", "floppy"].contains(&device) {
        return Err(refuse::unsupported("tray is only valid for cdrom and floppy"));
    }
    let whole = |geometry: &Element| {
        ["cyls", "heads", "secs"].iter().all(|name| geometry.attr(name).is_some_and(|text| text != "0"))
    };
    element.children.retain(|child| child.name != "geometry" || whole(child));
    element.children.retain(|c| c.name != "serial" || c.text.is_some());
    let text = |name: &str| element.child(name).and_then(|c| c.text.as_deref());
    if let Some(wwn) = text("wwn") {
        let wwn_digits = wwn.strip_prefix("0x").unwrap_or(wwn);
        if wwn_digits.len() != 16 || !wwn_digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Error::internal(ErrorDomain::None, format!("Malformed wwn: {wwn}")));
        }
    }
    for (name, most) in [("vendor", 8), ("product", 16)] {
        let Some(text) = text(name) else { continue };
        if text.len() > most {
            return Err(refuse::unsupported(format!("disk {name} is more than {most} characters")));
        }
        if !text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Err(refuse::xml(format!("disk {name} is not printable string")));
        }
    }
    if let Some(iotune) = element.child("iotune") {
        for (suffix, what) in [("bytes_sec", "bytes_sec"), ("iops_sec", "iops_sec")] {
            for tail in ["", "_max"] {
                let set = |side: &str| iotune.child(&format!("{side}_{suffix}{tail}")).is_some();
                if set("total") && (set("read") || set("write")) {
                    let message = format!("total and read/write {what}{tail} cannot be set at the same time");
                    return Err(refuse::xml(message));
                }
            }
        }
    }
    let bus = element.child("target").and_then(|t| t.attr("bus"));
    let name = element.child("target").and_then(|t| t.attr("dev")).unwrap_or_default();
    let virtio = bus.map_or(name.starts_with("vd"), |bus| bus == "virtio");
    if element.child("driver").is_some_and(|d| d.attr("queues").is_some()) && !virtio {
        let message = "queues attribute in disk driver element is only supported by virtio-blk";
        return Err(refuse::unsupported(message));
    }
    Ok(())
}

const INFO: [&str; 4] = ["alias", "master", "acpi", "address"];

/// Puts disks in order and gives them what their names imply.
pub(super) fn place(disks: &mut Vec<Disk>) -> Result<()> {
    sort_disks(disks);
    let named = |disk: &&mut Disk| disk.element.child("target").is_some_and(|target| target.attr("dev").is_some());
    for disk in disks.iter_mut().filter(named) {
        place_disk(&mut disk.element)?;
    }
    Ok(())
}

/// What each disk's bus does not know.
pub(super) fn fit(disks: &[Disk]) -> Result<()> {
    disks.iter().filter(|disk| !disk.target().is_empty()).try_for_each(|disk| disk_source::checked(&disk.element))
}

/// No target and no place on a controller twice.
pub(super) fn apart(disks: &[Disk]) -> Result<()> {
    let shown = |disk: &Disk| {
        let pooled = disk.element.attr("type") == Some("volume") && disk.element.child("source").is_some();
        disk.source_path().unwrap_or(if pooled { "<null>" } else { "none" }).to_string()
    };
    let mut names: HashMap<&str, &Disk> = HashMap::new();
    for disk in disks.iter() {
        if let Some(other) = names.insert(disk.target(), disk) {
            let (first, second) = (shown(other), shown(disk));
            let message = format!("target '{}' duplicated for disk sources '{first}' and '{second}'", disk.target());
            return Err(refuse::xml(message));
        }
    }
    let mut places = HashSet::new();
    for disk in disks.iter() {
        let bus = disk.element.child("target").and_then(|t| t.attr("bus")).unwrap_or_default();
        let address = disk.element.child("address").filter(|a| a.attr("type") == Some("drive"));
        let Some(address) = address else { continue };
        let part = |name: &str| number(address, name).unwrap_or(0);
        let (controller, channel, target, unit) = (part("controller"), part("bus"), part("target"), part("unit"));
        if !places.insert((bus, controller, channel, target, unit)) {
            let twin = |d: &&Disk| d.element.child("address") == Some(address);
            let name = disks.iter().find(twin).map_or(disk.target(), Disk::target);
            let message = format!(
                "Found duplicate drive address for disk with target name '{name}' controller='{controller}' \
                 bus='{channel}' target='{target}' unit='{unit}'"
            );
            return Err(refuse::unsupported(message));
        }
    }
    Ok(())
}

/// The number that a disk's name stands for (`sdc`: 2); partitions count as their disk.
fn disk_index(name: &str) -> Option<u32> {
    let letters = ["fd", "hd", "vd", "sd", "xvd", "ubd"].iter().find_map(|prefix| name.strip_prefix(prefix))?;
    let word = letters.trim_end_matches(|c: char| c.is_ascii_digit());
    if word.is_empty() || word.len() > 6 || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    word.bytes().try_fold(0u32, |index, b| index.checked_mul(26)?.checked_add(u32::from(b - b'a') + 1))?.checked_sub(1)
}

/// Sorted by name within a bus, as far as the document names one.
fn sort_disks(disks: &mut Vec<Disk>) {
    let bus = |disk: &Disk| disk.element.child("target").and_then(|t| t.attr("bus")).map(str::to_string);
    let index = |disk: &Disk| disk_index(disk.target()).map_or(-1, i64::from);
    for disk in std::mem::take(disks) {
        let mut place = None;
        for (at, other) in disks.iter().enumerate().rev().filter(|(_, other)| bus(other) == bus(&disk)) {
            if index(other) > index(&disk) {
                place = Some(at);
            } else if place.is_none() {
                place = Some(at + 1);
            }
        }
        disks.insert(place.unwrap_or(disks.len()), disk);
    }
}

/// Bus by name, address by both.
fn place_disk(element: &mut Element) -> Result<()> {
    let named = element.child("target").and_then(|t| t.attr("dev")).unwrap_or_default().to_string();
    let floppies = if element.attr("device") == Some("floppy") { "fdc" } else { "ide" };
    let buses = [("sd", "scsi"), ("hd", "ide"), ("fd", floppies), ("vd", "virtio"), ("xvd", "xen"), ("ubd", "uml")];
    if let Some(target) = element.child_mut("target").filter(|t| t.attr("bus").is_none()) {
        if let Some((_, bus)) = buses.iter().find(|(prefix, _)| named.starts_with(prefix)) {
            target.attrs.insert(1, ("bus".to_string(), bus.to_string()));
        }
    }
    let bus = element.child("target").and_then(|t| t.attr("bus")).unwrap_or_default();
    if let Some(kind) = element.child("address").and_then(|a| a.attr("type")) {
        let fits = match bus {
            "ide" | "fdc" | "scsi" | "sata" => kind == "drive",
            "usb" => kind == "usb",
            "virtio" => ["pci", "ccw", "virtio-mmio", "drive"].contains(&kind),
            _ => true,
        };
        let message = format!("Invalid address type '{kind}' for the disk '{named}' with the bus type '{bus}'");
        return if fits { Ok(()) } else { Err(refuse::unsupported(message)) };
    }
    let unknown = || refuse::xml(format!("Unknown disk name '{named}' and no address specified"));
    let index = disk_index(&named).ok_or_else(unknown)?;
    let (controller, bus, unit) = match bus {
        "scsi" => (index / 7, 0, index % 7),
        "ide" => (index / 4, index % 4 / 2, index % 2),
        "sata" => (index / 6, 0, index % 6),
        "fdc" => (index / 2, 0, index % 2),
        _ => return Ok(()),
    };
    let address = Element::new("address").with("type", "drive").with("controller", controller);
    element.children.push(address.with("bus", bus).with("target", 0).with("unit", unit));
    Ok(())
}
