//! What a document leaves out and libvirt fills in: the emulator, ports of consoles, addresses and controllers of
//! disks; and what does not go together.

use super::parse::{Check, Context};
use super::*;
use crate::refuse;
use std::collections::{HashMap, HashSet};

pub(super) fn complete(domain: &mut Domain, context: &Context) -> Result<()> {
    if domain.emulator.is_none() {
        domain.emulator = Some(context.host.emulator.to_string());
    }
    context.later(Check::Consoles, consoles(domain));
    controllers_index(&mut domain.other_devices)?;
    context.later(Check::DiskNames, disks::place(&mut domain.disks));
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
    implied_controllers(domain);
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

/// A controller with its type and index, read once: there may be a thousand.
struct Controller {
    kind: String,
    index: Option<u32>,
    element: Element,
}

impl Controller {
    fn from_element(element: Element) -> Controller {
        let kind = element.attr("type").unwrap_or_default().to_string();
        Controller { kind, index: number(&element, "index"), element }
    }
}

/// Takes the controllers out of the devices.
fn take_controllers(devices: &mut Vec<Element>) -> Vec<Controller> {
    let (taken, rest): (Vec<Element>, _) =
        std::mem::take(devices).into_iter().partition(|device| device.name == "controller");
    *devices = rest;
    taken.into_iter().map(Controller::from_element).collect()
}

/// They are the first of all devices.
fn put_controllers(devices: &mut Vec<Element>, controllers: Vec<Controller>) {
    devices.splice(0..0, controllers.into_iter().map(|controller| controller.element));
}

/// Sorted by the index that the document names; those without get the first free one of their type.
fn controllers_index(devices: &mut Vec<Element>) -> Result<()> {
    let mut controllers = Vec::new();
    take_controllers(devices).into_iter().for_each(|controller| insert_controller(&mut controllers, controller));
    // The index of the last whole controller of a type, where it was given one here.
    let mut counted: HashMap<String, u32> = HashMap::new();
    for at in 0..controllers.len() {
        let kind = controllers[at].kind.clone();
        let companion = is_companion(&controllers[at].element);
        if controllers[at].index.is_some() {
            counted.remove(&kind);
            continue;
        }
        let used: HashSet<u32> =
            controllers.iter().filter(|other| other.kind == kind).filter_map(|other| other.index).collect();
        let master = counted.get(&kind).copied().filter(|_| companion);
        let free = master.unwrap_or_else(|| (0..).find(|index| !used.contains(index)).unwrap_or(0));
        if !companion {
            counted.insert(kind, free);
        }
        controllers[at].index = Some(free);
        controllers[at].element.attrs.insert(1, ("index".to_string(), free.to_string()));
    }
    let whole = |controller: &&Controller| !is_companion(&controller.element);
    let masters: HashSet<&str> = controllers.iter().filter(whole).map(|controller| controller.kind.as_str()).collect();
    let mut seen = HashSet::new();
    for controller in &controllers {
        let place = (controller.kind.as_str(), controller.index);
        if is_companion(&controller.element) {
            if !masters.contains(place.0) {
                return Err(refuse::detail("No master USB controller specified"));
            }
        } else if !seen.insert(place) {
            let (kind, index) = (place.0, controller.index.unwrap_or(0));
            return Err(refuse::xml(format!("Multiple '{kind}' controllers with index '{index}'")));
        }
    }
    put_controllers(devices, controllers);
    Ok(())
}

/// Part of a USB controller that has the same index as the whole.
fn is_companion(controller: &Element) -> bool {
    controller.child("master").is_some()
}

/// Behind those of its type with a lower index; without one, behind all of its type.
fn insert_controller(controllers: &mut Vec<Controller>, controller: Controller) {
    let mut place = None;
    for (at, other) in controllers.iter().enumerate().rev().filter(|(_, other)| other.kind == controller.kind) {
        if controller.index.is_none() {
            place = Some(at + 1);
            break;
        }
        if other.index > controller.index {
            place = Some(at);
        } else if place.is_none() {
            place = Some(at + 1);
        }
    }
    controllers.insert(place.unwrap_or(controllers.len()), controller);
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
    let on = |address: Option<&Element>, kind: &str| {
        let address = address.filter(|a| a.attr("type") == Some(kind));
        address.and_then(|a| number(a, "controller")).unwrap_or(0).min(1023)
    };
    let virtio =
        |e: &&Element| e.name == "channel" && e.child("target").is_some_and(|t| t.attr("type") == Some("virtio"));
    wanted.extend(
        domain.other_devices.iter().filter(virtio).map(|e| ("virtio-serial", on(e.child("address"), "virtio-serial"))),
    );
    for console in domain.consoles.iter().filter(|c| c.target_kind == "virtio") {
        let address = console.kept.iter().find(|e| e.name == "address");
        wanted.push(("virtio-serial", on(address, "virtio-serial")));
    }
    let cards = domain.other_devices.iter().filter(|d| d.name == "smartcard");
    wanted.extend(cards.map(|card| ("ccid", on(card.child("address"), "ccid"))));
    let scsi = domain.hostdevs.iter().filter_map(|hostdev| match &hostdev.source {
        HostdevSource::Other(element) if element.attr("type") == Some("scsi") => {
            Some(on(element.child("address"), "drive"))
        }
        _ => None,
    });
    wanted.extend(scsi.max().into_iter().flat_map(|highest| (0..=highest).map(|index| ("scsi", index))));
    let mut controllers = take_controllers(&mut domain.other_devices);
    let mut there: HashSet<(String, Option<u32>)> =
        controllers.iter().map(|controller| (controller.kind.clone(), controller.index)).collect();
    for (kind, index) in wanted {
        if there.insert((kind.to_string(), Some(index))) {
            let element = Element::new("controller").with("type", kind).with("index", index);
            insert_controller(&mut controllers, Controller::from_element(element));
        }
    }
    put_controllers(&mut domain.other_devices, controllers);
}
