//! What a document leaves out and libvirt fills in: the emulator, ports of consoles, addresses and controllers of
//! disks; and what does not go together.

use super::parse::{Check, Context};
use super::*;
use crate::refuse;
use std::collections::HashSet;

pub(super) fn complete(domain: &mut Domain, context: &Context) -> Result<()> {
    if domain.emulator.is_none() {
        domain.emulator = Some(context.host.emulator.to_string());
    }
    context.later(Check::Consoles, consoles(domain));
    controllers::number(&mut domain.other_devices)?;
    context.later(Check::DiskNames, disks::place(&mut domain.disks));
    context.later(Check::Disk, disks::fit(&domain.disks));
    context.later(Check::DiskTargets, disks::apart(&domain.disks));
    context.later(Check::Hostdevs, hostdevs(domain));
    context.later(Check::Filesystems, filesystems(domain));
    if domain.vcpu.placement == Placement::Static {
        let auto = |tune: &NumaTune| tune.memory.as_ref().is_some_and(|m| m.placement == Placement::Auto);
        if domain.numatune.as_ref().is_some_and(auto) && domain.vcpu.cpuset.is_none() {
            domain.vcpu.placement = Placement::Auto;
        }
    }
    context.later(Check::Machine, others(domain));
    controllers::implied(domain);
    // A panic device that says nothing is not written.
    domain.other_devices.retain(|device| device.name != "panic" || !device.is_bare());
    // In the order in which they are written.
    domain.other_devices.sort_by_key(|device| parse::OTHER_CLASSES.iter().position(|class| *class == device.name));
    Ok(())
}

/// Tags of virtiofs are unique; a container's mounts may lie over each other.
fn filesystems(domain: &Domain) -> Result<()> {
    let virtiofs = |one: &&Filesystem| one.driver.as_ref().is_some_and(|d| d.kind == FilesystemDriverKind::Virtiofs);
    let mut seen = HashSet::new();
    match domain.filesystems.iter().filter(virtiofs).find(|one| !seen.insert(one.target.as_str())) {
        Some(twice) => Err(refuse::unsupported(format!("filesystem target '{}' specified twice", twice.target))),
        None => Ok(()),
    }
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

/// Rules between devices that a container ignores.
fn others(domain: &mut Domain) -> Result<()> {
    let has = |name: &str| domain.other_devices.iter().any(|d| d.name == name);
    let vnc = |d: &&Element| d.name == "graphics" && d.attr("type") == Some("vnc");
    for graphics in domain.other_devices.iter().filter(vnc) {
        let Some(id) = graphics.child("audio").and_then(|audio| audio.attr("id")) else { continue };
        if !domain.other_devices.iter().any(|d| d.name == "audio" && d.attr("id") == Some(id)) {
            return Err(refuse::xml(format!("no audio device with ID {id}")));
        }
    }
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
    let virtio = |d: &Element| d.child("target").is_some_and(|target| target.attr("type") == Some("virtio"));
    let characters = |d: &&Element| ["serial", "parallel", "channel"].contains(&d.name.as_str());
    let mut spice = domain.other_devices.iter().filter(characters).filter(|d| d.attr("type") == Some("spicevmc"));
    if domain.consoles.iter().any(|console| console.kind == "spicevmc")
        || spice.any(|d| d.name != "channel" || !virtio(d))
    {
        return Err(refuse::unsupported("spicevmc device type only supports virtio"));
    }
    domain.other_devices.iter().try_for_each(ignored::checked)?;
    ["serial", "parallel"].iter().for_each(|class| ports(&mut domain.other_devices, class));
    let mut videos: Vec<&mut Element> = domain.other_devices.iter_mut().filter(|d| d.name == "video").collect();
    let primary = |v: &Element| v.child("model").is_some_and(|m| m.attr("primary") == Some("yes"));
    if videos.iter().filter(|v| primary(v)).count() > 1 {
        return Err(refuse::unsupported("Only one primary video device is supported"));
    }
    let kind = |v: &Element| v.child("model").and_then(|m| m.attr("type")).map(str::to_string);
    if videos.len() > 1 && videos.iter().any(|v| kind(v).as_deref() == Some("none")) {
        let message = "a 'none' video type must be the only video device defined for the domain";
        return Err(refuse::unsupported(message));
    }
    let none = !videos.iter().any(|v| primary(v));
    if let Some(model) = videos.first_mut().filter(|_| none).and_then(|v| v.child_mut("model")) {
        if model.attr("type") != Some("none") {
            model.set("primary", "yes");
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

/// Ports that the document leaves open come behind the highest that it names.
fn ports(devices: &mut [Element], class: &str) {
    let targets = devices.iter_mut().filter(|device| device.name == class).filter_map(|d| d.child_mut("target"));
    let mut targets: Vec<&mut Element> = targets.collect();
    let highest = targets.iter().filter_map(|target| number(target, "port")).max();
    let mut free = highest.map_or(0, |port| port.saturating_add(1));
    for target in targets.iter_mut().filter(|target| target.attr("port").is_none()) {
        target.set("port", free);
        free = free.saturating_add(1);
    }
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
