//! What a document leaves out and libvirt fills in: the emulator, ports of consoles, addresses and controllers of
//! disks; and what does not go together.

use super::parse::Context;
use super::*;
use crate::refuse;
use std::collections::HashSet;

pub(super) fn complete(domain: &mut Domain, context: &Context) -> Result<()> {
    if domain.emulator.is_none() {
        domain.emulator = Some(context.host.emulator.to_string());
    }
    consoles(domain)?;
    controllers_index(&mut domain.other_devices)?;
    disks::place(&mut domain.disks)?;
    hostdevs(domain)?;
    if domain.vcpu.placement == Placement::Static {
        let auto = |tune: &NumaTune| tune.memory.as_ref().is_some_and(|m| m.placement == Placement::Auto);
        if domain.numatune.as_ref().is_some_and(auto) && domain.vcpu.cpuset.is_none() {
            domain.vcpu.placement = Placement::Auto;
        }
    }
    others(domain)?;
    implied_controllers(domain);
    // In the order in which they are written.
    domain.other_devices.sort_by_key(|device| parse::OTHER_CLASSES.iter().position(|class| *class == device.name));
    Ok(())
}

/// No device twice; SCSI devices get a place on a controller.
fn hostdevs(domain: &mut Domain) -> Result<()> {
    let mut seen = HashSet::new();
    if !domain.hostdevs.iter().all(|hostdev| seen.insert(format!("{:?}", hostdev.source))) {
        return Err(refuse::xml("Hostdev already exists in the domain configuration"));
    }
    let drive = |e: &Element| {
        let address = e.child("address").filter(|a| a.attr("type") == Some("drive"))?;
        Some((number(address, "controller")?, number(address, "unit")?))
    };
    let scsi = |d: &&Disk| d.element.child("target").is_some_and(|t| t.attr("bus") == Some("scsi"));
    let mut used: HashSet<(u32, u32)> = domain.disks.iter().filter(scsi).filter_map(|d| drive(&d.element)).collect();
    let mut places = (0..).flat_map(|controller| (0..7).map(move |unit| (controller, unit)));
    for hostdev in &mut domain.hostdevs {
        let HostdevSource::Other(element) = &mut hostdev.source else { continue };
        if element.attr("type") != Some("scsi") {
            continue;
        }
        if let Some(place) = drive(element) {
            used.insert(place);
        } else if element.child("address").is_none() {
            let (controller, unit) = places.find(|place| used.insert(*place)).unwrap_or_default();
            let address = Element::new("address").with("type", "drive").with("controller", controller);
            element.children.push(address.with("bus", 0).with("target", 0).with("unit", unit));
        }
    }
    Ok(())
}

/// Ports are counted anew; only the first may be a serial port.
fn consoles(domain: &mut Domain) -> Result<()> {
    for (at, console) in domain.consoles.iter_mut().enumerate() {
        if at > 0 && console.target_kind == "serial" {
            return Err(refuse::unsupported("Only the first console can be a serial port"));
        }
        console.port = at as u32;
    }
    Ok(())
}

pub(super) fn number(element: &Element, name: &str) -> Option<u32> {
    element.attr(name).and_then(|text| text.parse().ok())
}

/// Sorted by the index that the document names; those without get the first free one of their type.
fn controllers_index(devices: &mut Vec<Element>) -> Result<()> {
    let same = |a: &Element, b: &Element| a.name == "controller" && a.attr("type") == b.attr("type");
    let (given, rest) = std::mem::take(devices).into_iter().partition(|d: &Element| d.name == "controller");
    *devices = rest;
    let given: Vec<Element> = given;
    given.into_iter().for_each(|controller| insert_controller(devices, controller));
    for at in 0..devices.len() {
        if devices[at].name != "controller" || devices[at].attr("index").is_some() {
            continue;
        }
        let used: HashSet<u32> =
            devices.iter().filter(|d| same(d, &devices[at])).filter_map(|d| number(d, "index")).collect();
        let free = (0..).find(|index| !used.contains(index)).unwrap_or(0);
        devices[at].attrs.insert(1, ("index".to_string(), free.to_string()));
    }
    for (at, controller) in devices.iter().enumerate().filter(|(_, d)| d.name == "controller") {
        let twin = |other: &&Element| same(other, controller) && other.attr("index") == controller.attr("index");
        if devices[..at].iter().find(twin).is_some() && !is_companion(controller) {
            let kind = controller.attr("type").unwrap_or_default();
            let index = controller.attr("index").unwrap_or_default();
            return Err(refuse::xml(format!("Multiple '{kind}' controllers with index '{index}'")));
        }
    }
    Ok(())
}

/// Part of a USB controller that has the same index as the whole.
fn is_companion(controller: &Element) -> bool {
    controller.child("master").is_some()
}

/// Behind those of its type with a lower index.
fn insert_controller(devices: &mut Vec<Element>, controller: Element) {
    let mut place = None;
    for (at, other) in devices.iter().enumerate().rev() {
        if other.name != "controller" || other.attr("type") != controller.attr("type") {
            continue;
        }
        if number(other, "index") > number(&controller, "index") {
            place = Some(at);
        } else if place.is_none() {
            place = Some(at + 1);
        }
    }
    let last = devices.iter().rposition(|d| d.name == "controller").map_or(0, |at| at + 1);
    devices.insert(place.unwrap_or(last), controller);
}

/// Rules between devices that a container ignores.
fn others(domain: &mut Domain) -> Result<()> {
    let has = |name: &str| domain.other_devices.iter().any(|d| d.name == name);
    if has("graphics") && !has("video") {
        return Err(refuse::internal("missing video model and cannot determine default"));
    }
    let usb = |d: &Element| d.name == "controller" && d.attr("type") == Some("usb") && d.attr("model") != Some("none");
    if has("redirdev") && !domain.other_devices.iter().any(usb) {
        return Err(refuse::unsupported("cannot add redirected USB device: USB is disabled for this domain"));
    }
    for sound in domain.other_devices.iter().filter(|d| d.name == "sound") {
        let Some(id) = sound.child("audio").and_then(|audio| audio.attr("id")) else { continue };
        if !domain.other_devices.iter().any(|d| d.name == "audio" && d.attr("id") == Some(id)) {
            return Err(refuse::xml(format!("no audio device with ID {id}")));
        }
    }
    if has("input") {
        return Err(refuse::internal("Input devices are not supported by this virtualization driver."));
    }
    if domain.consoles.iter().any(|console| console.kind == "spicevmc") {
        return Err(refuse::unsupported("spicevmc device type only supports virtio"));
    }
    let mut videos: Vec<&mut Element> = domain.other_devices.iter_mut().filter(|d| d.name == "video").collect();
    let primary = |v: &Element| v.child("model").is_some_and(|m| m.attr("primary") == Some("yes"));
    if videos.iter().filter(|v| primary(v)).count() > 1 {
        return Err(refuse::unsupported("Only one primary video device is supported"));
    }
    let none = !videos.iter().any(|v| primary(v));
    if let Some(model) = videos.first_mut().filter(|_| none).and_then(|v| v.child_mut("model")) {
        if model.attr("type") != Some("none") {
            let at = model.attrs.iter().position(|(name, _)| name == "blob").unwrap_or(model.attrs.len());
            model.attrs.insert(at, ("primary".to_string(), "yes".to_string()));
        }
    }
    // The primary one comes first.
    let first = domain.other_devices.iter().position(|d| d.name == "video");
    let primary = domain.other_devices.iter().position(|d| d.name == "video" && primary(d));
    if let Some((first, primary)) = first.zip(primary) {
        let video = domain.other_devices.remove(primary);
        domain.other_devices.insert(first, video);
    }
    smartcards(&mut domain.other_devices);
    Ok(())
}

/// Every smart card has a slot.
fn smartcards(devices: &mut [Element]) {
    let slots = |d: &Element| d.child("address").and_then(|a| Some((number(a, "controller")?, number(a, "slot")?)));
    let mut used: HashSet<(u32, u32)> = devices.iter().filter(|d| d.name == "smartcard").filter_map(slots).collect();
    let mut free = 0..;
    for card in devices.iter_mut().filter(|d| d.name == "smartcard" && d.child("address").is_none()) {
        let slot = free.find(|slot| used.insert((0, *slot))).unwrap_or(0);
        let address = Element::new("address").with("type", "ccid").with("controller", 0).with("slot", slot);
        card.children.push(address);
    }
}

/// Controllers that other devices stand on.
pub(super) fn implied_controllers(domain: &mut Domain) {
    let mut wanted: Vec<(&str, u32)> = Vec::new();
    for kind in ["scsi", "fdc", "ide", "sata"] {
        let highest = domain.disks.iter().filter_map(|disk| {
            let bus = disk.element.child("target")?.attr("bus")?;
            let address = disk.element.child("address").filter(|a| a.attr("type") == Some("drive") && bus == kind)?;
            number(address, "controller")
        });
        // An address may name any number; beyond some hundreds there are no such machines.
        wanted.extend((0..highest.max().map_or(0, |n| n.min(1023) + 1)).map(|index| (kind, index)));
    }
    let on = |element: Option<&Element>| element.and_then(|a| number(a, "controller")).unwrap_or(0).min(1023);
    let virtio =
        |e: &&Element| e.name == "channel" && e.child("target").is_some_and(|t| t.attr("type") == Some("virtio"));
    wanted.extend(domain.other_devices.iter().filter(virtio).map(|e| ("virtio-serial", on(e.child("address")))));
    for console in domain.consoles.iter().filter(|c| c.target_kind == "virtio") {
        wanted.push(("virtio-serial", on(console.kept.iter().find(|e| e.name == "address"))));
    }
    let cards = domain.other_devices.iter().filter(|d| d.name == "smartcard");
    wanted.extend(cards.map(|card| ("ccid", on(card.child("address")))));
    for hostdev in &domain.hostdevs {
        let HostdevSource::Other(element) = &hostdev.source else { continue };
        if element.attr("type") == Some("scsi") {
            wanted.push(("scsi", on(element.child("address"))));
        }
    }
    for (kind, index) in wanted {
        let there =
            |d: &Element| d.name == "controller" && d.attr("type") == Some(kind) && number(d, "index") == Some(index);
        if !domain.other_devices.iter().any(there) {
            let controller = Element::new("controller").with("type", kind).with("index", index);
            insert_controller(&mut domain.other_devices, controller);
        }
    }
}
