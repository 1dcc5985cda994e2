//! Devices that a container ignores: kept by the tables, with the few rules that a table does not say.

use super::parse::Context;
use super::*;
use crate::refuse::{self, Place};
use crate::xml::Node;

/// `before`: devices read already, of every class. `None`: nothing of it is kept.
pub(super) fn device(node: Node, context: &Context, before: &[Element]) -> Result<Option<Element>> {
    let name = node.name();
    let mut element = context.keep(node, name)?;
    if !context.live {
        element.remove("alias");
    }
    element.children.iter_mut().for_each(address);
    element.children.retain(|child| child.name != "address" || child.attr("type") != Some("none"));
    match name {
        "memory" => return Err(refuse::unsupported("memory devices are not supported by this driver")),
        "lease" if element.child("lockspace").is_none() || element.child("key").is_none() => {
            return Err(unknown_cause()).at(node);
        }
        "serial" | "parallel" | "channel" => character(node, context, before, &mut element)?,
        "redirdev" => {
            let kind = element.attr("type").unwrap_or_default().to_string();
            replace_source(node, context, &kind, &mut element)?;
        }
        "rng" => rng(node, context, &mut element)?,
        "panic" if element.is_bare() => return Ok(None),
        "video" => video(&mut element),
        "input" if element.attr("bus").is_none() => element.set("bus", input_bus(&element)),
        "redirfilter" if element.children.is_empty() => return Ok(None),
        _ => {}
    }
    let single = ["redirfilter", "memballoon", "nvram", "iommu", "vsock", "watchdog"];
    if single.contains(&name) && before.iter().any(|other| other.name == name) {
        return Ok(None);
    }
    Ok(Some(element))
}

pub(super) fn unknown_cause() -> api::Error {
    let message = "An error occurred, but the cause is unknown".to_string();
    api::Error { message, ..api::Error::internal(api::ErrorDomain::None, "") }
}

fn input_bus(element: &Element) -> &'static str {
    match element.attr("type") {
        Some("passthrough") => "virtio",
        Some("evdev") => "none",
        _ => "usb",
    }
}

/// `source`, `protocol` and `log` by the rules of the kind, in place of what the table took.
fn replace_source(node: Node, context: &Context, kind: &str, element: &mut Element) -> Result<()> {
    let parts = super::character::source(node, context, kind)?;
    let at = element.children.iter().position(|c| ["source", "protocol", "log"].contains(&c.name.as_str()));
    element.children.retain(|c| !["source", "protocol", "log"].contains(&c.name.as_str()));
    let at = at.unwrap_or(0);
    element.children.splice(at..at, parts);
    Ok(())
}

fn character(node: Node, context: &Context, before: &[Element], element: &mut Element) -> Result<()> {
    let name = node.name();
    let kind = element.attr("type").unwrap_or_default().to_string();
    if !context.live {
        element.unset("tty");
    }
    replace_source(node, context, &kind, element)?;
    if name == "channel" {
        return channel(element);
    }
    let target = element.child("target");
    let port = target.and_then(|t| t.attr("port")).map(|port| {
        crate::number::u32_wrapping(port, 10).ok_or_else(|| refuse::xml(format!("Invalid port number: {port}")))
    });
    let used = before.iter().filter(|other| other.name == name);
    let used: Vec<String> =
        used.filter_map(|o| o.child("target").and_then(|t| t.attr("port")).map(str::to_string)).collect();
    let free = (0..).find(|port: &u32| !used.contains(&port.to_string())).unwrap_or(0);
    let port = port.transpose()?.unwrap_or(free);
    let mut new = Element::new("target");
    if let Some(kind) = target.and_then(|t| t.attr("type")).filter(|_| name == "serial") {
        new.set("type", kind);
    }
    new.set("port", port);
    new.children.extend(target.map(|t| t.children.clone()).unwrap_or_default());
    element.remove("target");
    let at = element.children.iter().position(|c| !["source", "protocol", "log"].contains(&c.name.as_str()));
    let at = at.unwrap_or(element.children.len());
    element.children.insert(at, new);
    Ok(())
}

fn channel(element: &mut Element) -> Result<()> {
    let none = || refuse::xml("target type must be specified for channel device");
    let target = element.child_mut("target").ok_or_else(none)?;
    let kind = target.attr("type").ok_or_else(none)?.to_string();
    match kind.as_str() {
        "virtio" | "xen" => target.attrs.retain(|(name, _)| ["type", "name"].contains(&name.as_str())),
        "guestfwd" => {
            let missing = "guestfwd channel does not define a target address";
            let address = target.attr("address").ok_or_else(|| refuse::xml(missing))?;
            let missing = "guestfwd channel does not define a target port";
            let port = target.attr("port").ok_or_else(|| refuse::xml(missing))?;
            target.attrs = vec![
                ("type".to_string(), kind),
                ("address".to_string(), address.to_string()),
                ("port".to_string(), port.to_string()),
            ];
        }
        _ => {
            let message = format!("unknown target type '{kind}' specified for character device");
            return Err(refuse::unsupported(message));
        }
    }
    Ok(())
}

fn rng(node: Node, context: &Context, element: &mut Element) -> Result<()> {
    let Some(backend) = node.child("backend") else { return Err(refuse::xml("missing RNG device backend")) };
    if let Some(kept) = element.child_mut("backend") {
        match kept.attr("model") {
            Some("egd") => {
                let kind =
                    refuse::required(backend, "type").map_err(|_| refuse::xml("missing backend type for EGD"))?;
                let kind = kind.to_string();
                kept.children = super::character::source(backend, context, &kind)?;
            }
            Some("random") => {}
            _ => kept.unset("type"),
        }
    }
    Ok(())
}

fn video(element: &mut Element) {
    if let Some(model) = element.child_mut("model") {
        if model.attr("heads").is_none() && model.attr("type") != Some("none") {
            let at = model.attrs.iter().position(|(name, _)| name == "primary" || name == "blob");
            model.attrs.insert(at.unwrap_or(model.attrs.len()), ("heads".to_string(), "1".to_string()));
        }
    }
}

/// An address without what it does not say.
pub(super) fn address(element: &mut Element) {
    if element.name == "address" && element.attr("type") == Some("drive") && element.attrs.len() == 1 {
        for name in ["controller", "bus", "target", "unit"] {
            element.set(name, 0);
        }
    }
}
