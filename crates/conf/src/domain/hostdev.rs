//! Host devices: reading.

use super::parse::Context;
use super::*;
use crate::number;
use crate::refuse::{self, Place};
use crate::xml::Node;

pub(super) fn hostdev(node: Node, context: &Context) -> Result<Hostdev> {
    let mode = node.attr("mode").unwrap_or("subsystem");
    let kind = node.attr("type").ok_or_else(|| refuse::xml("missing source address type"));
    let source = node.child("source");
    let mut managed = node.attr("managed") == Some("yes");
    let source = match mode {
        "capabilities" => {
            managed = false;
            capability(node, kind?, source)?
        }
        "subsystem" => match kind? {
            "usb" => HostdevSource::Usb(usb(source.ok_or_else(no_source)?)?),
            "pci" | "scsi" | "scsi_host" | "mdev" => {
                source.ok_or_else(no_source)?;
                HostdevSource::Other(other(node, context)?)
            }
            other => return Err(unknown_kind(other)),
        },
        other => return Err(refuse::unsupported(format!("unknown hostdev mode '{other}'"))),
    };
    let kept = match &source {
        HostdevSource::Other(_) => Vec::new(),
        _ => storage::info(node, context)?,
    };
    Ok(Hostdev { source, managed, kept })
}

fn no_source() -> api::Error {
    refuse::xml("Missing <source> element in hostdev device")
}

fn unknown_kind(kind: &str) -> api::Error {
    refuse::unsupported(format!("unknown host device source address type '{kind}'"))
}

fn capability(node: Node, kind: &str, source: Option<Node>) -> Result<HostdevSource> {
    let text = |name: &str| {
        let text = source.and_then(|s| s.child(name)).map(|n| n.text().into_owned());
        text.filter(|text| !text.is_empty())
    };
    let missing =
        |name: &str, device: &str| refuse::xml(format!("Missing <{name}> element in hostdev {device} device"));
    if !["storage", "misc", "net"].contains(&kind) {
        return Err(unknown_kind(kind));
    }
    source.ok_or_else(no_source)?;
    Ok(match kind {
        "storage" => HostdevSource::Storage { block: text("block").ok_or_else(|| missing("block", "storage"))? },
        "misc" => HostdevSource::Misc { char: text("char").ok_or_else(|| missing("char", "character"))? },
        _ => {
            let interface = text("interface").ok_or_else(|| missing("interface", "net"))?;
            let (ips, routes) = (network::addresses(node)?, network::routes(node, "Domain hostdev device")?);
            HostdevSource::Net { interface, ips, routes }
        }
    })
}

fn usb(source: Node) -> Result<UsbSource> {
    let mut usb = UsbSource::default();
    if let Some(policy) = source.attr("startupPolicy") {
        if !["default", "mandatory", "requisite", "optional"].contains(&policy) {
            return Err(refuse::bad_attribute("source", "startupPolicy", policy, "")).at(source);
        }
        usb.startup_policy = Some(policy.to_string()).filter(|policy| policy != "default");
    }
    if let Some(reset) = source.attr("guestReset") {
        if !["off", "uninitialized", "on"].contains(&reset) {
            return Err(refuse::bad_attribute("source", "guestReset", reset, "")).at(source);
        }
        usb.guest_reset = Some(reset.to_string());
    }
    let id = |node: Node| -> Result<u32> {
        let text = refuse::required(node, "id")?;
        let bad = || refuse::bad_attribute(node.name(), "id", text, " Expected non-negative integer value");
        number::u32_of(text, 0).ok_or_else(bad)
    };
    for child in source.elements() {
        match child.name() {
            "vendor" => usb.vendor = id(child).at(child)?,
            "product" => usb.product = id(child).at(child)?,
            "address" => {
                for (name, number) in [("bus", &mut usb.bus), ("device", &mut usb.device)] {
                    refuse::required(child, name).at(child)?;
                    *number = refuse::unsigned(child, name, 0).at(child)?.unwrap_or(0);
                }
            }
            _ => {}
        }
    }
    match (usb.vendor, usb.product) {
        (0, 0) => Ok(usb),
        (0, _) => Err(refuse::internal("missing vendor")),
        (_, 0) => Err(refuse::internal("missing product")),
        _ => Ok(usb),
    }
}

/// Devices of virtual machines, which are kept as a whole.
fn other(node: Node, context: &Context) -> Result<Element> {
    let shape = match node.attr("type").unwrap_or_default() {
        "pci" => "hostdevPci",
        "scsi" => "hostdevScsi",
        "scsi_host" => "hostdevScsiHost",
        _ => "hostdevMdev",
    };
    let mut element = context.keep(node, shape)?;
    if let Some(source) = element.child_mut("source").filter(|s| shape == "hostdevPci" && s.child("address").is_none())
    {
        let none = [("domain", "0x0000"), ("bus", "0x00"), ("slot", "0x00"), ("function", "0x0")];
        source.children.push(none.iter().fold(Element::new("address"), |e, (name, value)| e.with(name, value)));
    }
    element.children.iter_mut().try_for_each(ignored::address)?;
    Ok(element)
}
