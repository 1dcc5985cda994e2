//! Controllers, which a container ignores: reading, their numbers, and those that other devices stand on.

use super::*;
use crate::refuse::{self, Place};
use crate::xml::Node;
use std::collections::HashSet;

/// A controller says that there is no USB.
pub(super) fn without_usb(devices: &[Element]) -> bool {
    devices.iter().any(|device| is_usb(device) && device.attr("model") == Some("none"))
}

fn is_usb(device: &Element) -> bool {
    device.name == "controller" && device.attr("type") == Some("usb")
}

pub(super) fn controller(node: Node, element: &mut Element, before: &[Element]) -> Result<()> {
    for name in ["model", "target"] {
        if let Some(second) = node.all(name).nth(1) {
            let words = format!("Multiple <{name}> elements in controller definition not allowed");
            return Err(refuse::xml(words)).at(second);
        }
    }
    if !is_usb(element) {
        return limits(element);
    }
    if without_usb(before) || element.attr("model") == Some("none") && before.iter().any(is_usb) {
        return Err(refuse::detail("Can't add another USB controller: USB is disabled for this domain"));
    }
    // Such a model is part of a whole, on a port that the document need not tell.
    let models = ["ich9-uhci1", "ich9-uhci2", "ich9-uhci3"];
    if let Some(at) = models.iter().position(|model| element.attr("model") == Some(model)) {
        let port = 2 * at;
        match element.child_mut("master") {
            Some(master) if master.is_bare() => master.set("startport", port),
            Some(_) => {}
            None => {
                let behind = |child: &Element| ["acpi", "address"].contains(&child.name.as_str());
                let at = element.children.iter().position(behind).unwrap_or(element.children.len());
                element.children.insert(at, Element::new("master").with("startport", port));
            }
        }
    }
    limits(element)
}

/// Limits of PCI controllers, and what only some models have.
fn limits(element: &mut Element) -> Result<()> {
    element.children.retain(|child| child.name != "pcihole64" || child.text.is_some());
    let root = matches!(element.attr("model"), Some("pci-root" | "pcie-root"));
    if let Some(target) = element.child_mut("target") {
        target.children.retain(|node| node.text.is_some());
        let limits = [
            ("chassisNr", "chassisNr", 1, 255),
            ("chassis", "chassis", 0, 255),
            ("port", "port", 0, 255),
            ("busNr", "busNr", 1, 254),
            ("index", "target index", 0, 30),
        ];
        for (name, what, least, most) in limits {
            let Some(found) = target.attr(name).and_then(|text| text.parse::<i64>().ok()) else { continue };
            if !(least..=most).contains(&found) {
                let message = format!("PCI controller {what} '{found}' out of range - must be {least}-{most}");
                return Err(refuse::unsupported(message));
            }
        }
        if let Some(port) = target.attr("port").and_then(|text| text.parse::<u32>().ok()) {
            target.set("port", format!("0x{port:x}"));
        }
    }
    let index = element.child("target").and_then(|target| target.attr("index")).map(str::to_string);
    if let Some(target) = index.filter(|_| element.attr("type") == Some("pci")) {
        if (target == "0") != (element.attr("index").unwrap_or("0") == "0") {
            let message = "Only the PCI controller with index 0 can have target index 0, and vice versa";
            return Err(refuse::unsupported(message));
        }
    }
    element.children.retain(|child| child.name != "target" || !child.is_bare());
    if root && element.child("address").is_some() {
        return Err(refuse::unsupported("pci-root and pcie-root controllers should not have an address"));
    }
    let threads = element.child("driver").is_some_and(|driver| driver.attr("iothread").is_some());
    let model = element.attr("model").unwrap_or_default();
    let virtio = ["virtio-scsi", "virtio-transitional", "virtio-non-transitional"].contains(&model);
    match threads && !(element.attr("type") == Some("scsi") && virtio) {
        true => Err(refuse::xml("'iothread' attribute only supported for virtio scsi controllers")),
        false => Ok(()),
    }
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
        Controller { kind, index: complete::number(&element, "index"), element }
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
pub(super) fn number(devices: &mut Vec<Element>) -> Result<()> {
    let mut controllers = Vec::new();
    take_controllers(devices).into_iter().for_each(|controller| insert_controller(&mut controllers, controller));
    for at in 0..controllers.len() {
        let controller = &controllers[at];
        if controller.index.is_some() {
            continue;
        }
        let used: HashSet<u32> =
            controllers.iter().filter(|other| other.kind == controller.kind).filter_map(|other| other.index).collect();
        let free = of_set(&controllers[..at], controller);
        let free = free.unwrap_or_else(|| (0..).find(|index| !used.contains(index)).unwrap_or(0));
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
        } else if place.0 != "usb" && !seen.insert(place) {
            let (kind, index) = (place.0, controller.index.unwrap_or(0));
            return Err(refuse::xml(format!("Multiple '{kind}' controllers with index '{index}'")));
        }
    }
    put_controllers(devices, controllers);
    Ok(())
}

/// The index of the USB controller before, of which this one is the next part.
fn of_set(before: &[Controller], controller: &Controller) -> Option<u32> {
    let model = |controller: &Controller| {
        controller.element.attr("model").filter(|model| model.starts_with("ich9-")).map(str::to_string)
    };
    let of_kind = || before.iter().filter(|other| other.kind == "usb" && controller.kind == "usb");
    let (mine, last) = (model(controller)?, of_kind().next_back()?);
    model(last)?;
    let twice = of_kind().any(|other| other.index == last.index && model(other).as_ref() == Some(&mine));
    last.index.filter(|_| !twice)
}

/// Part of a USB controller that has the same index as the whole.
fn is_companion(controller: &Element) -> bool {
    controller.child("master").is_some()
}

/// Behind those of its type with a lower index, a whole before its parts; without one, behind all of its type.
fn insert_controller(controllers: &mut Vec<Controller>, controller: Controller) {
    let mut place = None;
    for (at, other) in controllers.iter().enumerate().rev().filter(|(_, other)| other.kind == controller.kind) {
        if controller.index.is_none() {
            place = Some(at + 1);
            break;
        }
        let companion = is_companion(&other.element) && !is_companion(&controller.element);
        if other.index > controller.index || other.index == controller.index && companion {
            place = Some(at);
        } else if place.is_none() {
            place = Some(at + 1);
        }
    }
    controllers.insert(place.unwrap_or(controllers.len()), controller);
}

/// Controllers that other devices stand on.
pub(super) fn implied(domain: &mut Domain) {
    let mut wanted: Vec<(&str, u32)> = Vec::new();
    for kind in ["scsi", "fdc", "ide", "sata"] {
        let highest = domain.disks.iter().filter_map(|disk| {
            let bus = disk.element.child("target")?.attr("bus")?;
            let address = disk.element.child("address").filter(|a| a.attr("type") == Some("drive") && bus == kind)?;
            complete::number(address, "controller")
        });
        // An address may name any number; beyond some hundreds there are no such machines.
        wanted.extend((0..highest.max().map_or(0, |n| n.min(1023) + 1)).map(|index| (kind, index)));
    }
    let on = |address: Option<&Element>, kind: &str| {
        let address = address.filter(|a| a.attr("type") == Some(kind));
        address.and_then(|a| complete::number(a, "controller")).unwrap_or(0).min(1023)
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
