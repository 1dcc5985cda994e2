//! Devices that a container ignores: kept by the tables, with the few rules that a table does not say.

use super::parse::Context;
use super::*;
use crate::number;
use crate::refuse::{self, Place};
use crate::xml::Node;

/// `before`: devices read already, of every class. `None`: nothing of it is kept.
pub(super) fn device(node: Node, context: &Context, before: &[Element]) -> Result<Option<Element>> {
    let name = node.name();
    // Where several backends are given, or none, that is said first.
    if name == "rng" && node.attr("model").is_some() && node.all("backend").count() != 1 {
        context.keep(node, name)?;
        return Err(refuse::xml("only one RNG backend is supported"));
    }
    let mut element = context.keep(node, name)?;
    if !context.live {
        element.remove("alias");
    }
    element.children.iter_mut().try_for_each(address)?;
    match name {
        "memory" if element.child("target").is_none() => {
            return Err(refuse::xml("missing <target> element for <memory> device"));
        }
        "memory" => return Err(refuse::unsupported("memory devices are not supported by this driver")),
        "lease" => lease(node, &element)?,
        "serial" | "parallel" | "channel" => character(node, context, before, &mut element)?,
        "redirdev" => {
            let kind = element.attr("type").unwrap_or_default().to_string();
            replace_source(node, context, &kind, &mut element)?;
        }
        "smartcard" => smartcard(node, context, &mut element)?,
        "rng" => rng(node, context, &mut element)?,
        "tpm" => tpm(&mut element)?,
        "shmem" => shmem(&mut element)?,
        "video" => video(&mut element)?,
        "graphics" => graphics(&mut element),
        "audio" => audio(&element)?,
        "vsock" => vsock(&mut element)?,
        "iommu" => iommu(node, &element)?,
        "redirfilter" => usb_ids(&mut element),
        "panic" if element.is_bare() => return Ok(None),
        _ => {}
    }
    let again = before.iter().any(|other| other.name == name);
    match name {
        "watchdog" if again => Err(refuse::internal("only a single watchdog device is supported")),
        "memballoon" if again => Err(refuse::internal("only a single memory balloon device is supported")),
        "nvram" if again => Err(refuse::internal("only a single nvram device is supported")),
        "redirfilter" if again => Err(refuse::internal("only a single redirection filter is supported")),
        "iommu" if again => Err(refuse::xml("only a single IOMMU device is supported")),
        "vsock" if again => Err(refuse::xml("only a single vsock device is supported")),
        _ => Ok(Some(element)),
    }
}

pub(super) fn unknown_cause() -> api::Error {
    let message = "An error occurred, but the cause is unknown".to_string();
    api::Error { message, ..api::Error::internal(api::ErrorDomain::None, "") }
}

fn lease(node: Node, element: &Element) -> Result<()> {
    let missing = |name: &str| refuse::xml(format!("Missing '{name}' element for lease"));
    element.child("lockspace").ok_or_else(unknown_cause)?;
    element.child("key").ok_or_else(|| missing("key"))?;
    let target = element.child("target").ok_or_else(|| missing("target"))?;
    match target.attr("path") {
        Some(_) => Ok(()),
        None => Err(refuse::xml("Missing 'path' attribute to 'target' element for lease")).at(node),
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
    let target_kind = target.and_then(|t| t.attr("type")).filter(|_| name == "serial");
    const KINDS: [&str; 9] = [
        "none",
        "isa-serial",
        "usb-serial",
        "pci-serial",
        "spapr-vio-serial",
        "system-serial",
        "sclp-serial",
        "isa-debug",
        "xen-serial",
    ];
    if let Some(kind) = target_kind.filter(|kind| !KINDS.contains(kind)) {
        let message = format!("unknown target type '{kind}' specified for character device");
        return Err(refuse::unsupported(message));
    }
    let port = target
        .and_then(|t| t.attr("port"))
        .map(|port| number::u32_wrapping(port, 10).ok_or_else(|| refuse::xml(format!("Invalid port number: {port}"))));
    let used = before.iter().filter(|other| other.name == name);
    let ports = used.filter_map(|o| o.child("target")?.attr("port")?.parse::<u32>().ok());
    let free = ports.max().map_or(0, |highest| highest.saturating_add(1));
    let port = port.transpose()?.unwrap_or(free);
    let mut new = Element::new("target");
    if let Some(kind) = target_kind.filter(|kind| *kind != "none") {
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
            if address.parse::<std::net::IpAddr>().is_err() {
                let message = format!("Cannot parse socket address '{address}': Name or service not known");
                return Err(api::Error::new(api::ErrorDomain::None, api::Code::SystemError, message));
            }
            let port = target.attr("port").ok_or_else(|| refuse::missing_attribute("target", "port"))?;
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

fn smartcard(node: Node, context: &Context, element: &mut Element) -> Result<()> {
    match element.attr("mode") {
        Some("host-certificates") => {
            element.unset("type");
            if element.children.iter().filter(|c| c.name == "certificate").count() != 3 {
                return Err(refuse::xml("host-certificates mode needs exactly three certificates"));
            }
        }
        Some("passthrough") => {
            let missing = || refuse::xml("passthrough mode requires a character device type attribute");
            let kind = node.attr("type").ok_or_else(missing)?.to_string();
            replace_source(node, context, &kind, element)?;
        }
        _ => element.unset("type"),
    }
    Ok(())
}

fn rng(node: Node, context: &Context, element: &mut Element) -> Result<()> {
    if element.child("rate").is_some_and(|rate| rate.attr("bytes").is_none()) {
        element.remove("rate");
    }
    let Some((backend, kept)) = node.child("backend").zip(element.child_mut("backend")) else { return Ok(()) };
    match kept.attr("model") {
        Some("egd") => {
            let kind = backend.attr("type").ok_or_else(|| refuse::xml("missing EGD backend type"))?.to_string();
            kept.children = super::character::source(backend, context, &kind)?;
        }
        _ => kept.unset("type"),
    }
    Ok(())
}

fn tpm(element: &mut Element) -> Result<()> {
    let Some(backend) = element.child_mut("backend") else {
        return Err(refuse::xml("missing TPM device backend"));
    };
    if backend.attr("type") == Some("passthrough") && backend.child("device").is_none_or(|d| d.attr("path").is_none()) {
        backend.children = vec![Element::new("device").with("path", "/dev/tpm0")];
    }
    Ok(())
}

fn shmem(element: &mut Element) -> Result<()> {
    if element.attr("name").is_some_and(|name| name.contains('/')) {
        return Err(refuse::unsupported("shmem name cannot include '/' character"));
    }
    if element.child("model").is_none() {
        element.children.insert(0, Element::new("model").with("type", "ivshmem"));
    }
    if let Some(size) = element.child_mut("size") {
        let value = size.text.as_deref().and_then(|text| number::u64_of(text, 10));
        let unit = size.attr("unit").unwrap_or_default().to_string();
        let bad = || {
            let text = size.text.clone().unwrap_or_default();
            refuse::generic_xml(format!("Invalid value '{text}' for element or attribute './size[1]'"))
        };
        let bytes = number::scale(value.ok_or_else(bad)?, &unit, 1, u64::MAX)?;
        size.set("unit", "M");
        size.text = Some((bytes >> 20).to_string());
    }
    Ok(())
}

fn video(element: &mut Element) -> Result<()> {
    let Some(model) = element.child_mut("model").filter(|m| m.attr("type").is_some_and(|kind| kind != "default"))
    else {
        return Err(refuse::internal("missing video model and cannot determine default"));
    };
    let kind = model.attr("type").unwrap_or_default().to_string();
    let mut attrs = std::mem::take(&mut model.attrs);
    let mut fill = |name: &str, value: &str| {
        if !attrs.iter().any(|(other, _)| other == name) {
            attrs.push((name.to_string(), value.to_string()));
        }
    };
    match kind.as_str() {
        "vga" | "cirrus" | "vmvga" => fill("vram", "16384"),
        "xen" => fill("vram", "4096"),
        "qxl" => {
            fill("ram", "65536");
            fill("vram", "65536");
        }
        _ => {}
    }
    if kind != "none" {
        fill("heads", "1");
    }
    const ORDER: [&str; 8] = ["type", "ram", "vram", "vram64", "vgamem", "heads", "primary", "blob"];
    attrs.retain(|(name, value)| !(["ram", "vram64", "vgamem"].contains(&name.as_str()) && value == "0"));
    attrs.sort_by_key(|(name, _)| ORDER.iter().position(|n| n == name));
    model.attrs = attrs;
    Ok(())
}

/// VNC and SPICE say on which addresses they listen, and whether their port is chosen for them.
fn graphics(element: &mut Element) {
    let vnc = match element.attr("type") {
        Some("vnc") => true,
        Some("spice") => false,
        _ => return,
    };
    if vnc {
        let chosen = element.attr("port").is_none_or(|port| port == "-1") || element.attr("autoport") == Some("yes");
        let port = element.attr("port").unwrap_or("-1").to_string();
        element.attrs.retain(|(name, _)| !["port", "autoport"].contains(&name.as_str()));
        let ports = [("port", if chosen { "-1".to_string() } else { port })];
        let ports = ports.into_iter().chain([("autoport", if chosen { "yes" } else { "no" }.to_string())]);
        element.attrs.splice(1..1, ports.map(|(name, value)| (name.to_string(), value)));
    }
    if !element.children.iter().any(|c| c.name == "listen") {
        let mut listen = Element::new("listen").with("type", "address");
        if let Some(address) = element.attr("listen").map(str::to_string) {
            listen.set("address", address);
        }
        element.children.insert(0, listen);
    } else if let Some(address) = element.child("listen").and_then(|l| l.attr("address")).map(str::to_string) {
        element.unset("listen");
        let at = element
            .attrs
            .iter()
            .position(|(name, _)| !["type", "port", "tlsPort", "autoport", "websocket"].contains(&name.as_str()));
        let at = at.unwrap_or(element.attrs.len());
        element.attrs.insert(at, ("listen".to_string(), address));
    }
}

fn audio(element: &Element) -> Result<()> {
    for side in element.children.iter() {
        if side.child("settings").is_some() && side.attr("fixedSettings") != Some("yes") {
            return Err(refuse::unsupported("audio settings specified without fixed settings flag"));
        }
    }
    Ok(())
}

fn vsock(element: &mut Element) -> Result<()> {
    match element.child("cid") {
        None => element.children.insert(0, Element::new("cid").with("auto", "yes")),
        Some(cid) => {
            if cid.attr("address").and_then(|a| a.parse().ok()).is_some_and(|address: u32| address < 3) {
                return Err(refuse::unsupported("guest CIDs must be >= 3"));
            }
        }
    }
    Ok(())
}

fn iommu(node: Node, element: &Element) -> Result<()> {
    let remaps = element.child("driver").is_some_and(|d| d.attr("intremap") == Some("on"));
    let root = node.parent().and_then(|devices| devices.parent());
    let split = root.and_then(|root| root.find("features/ioapic")).and_then(|ioapic| ioapic.attr("driver"));
    if remaps && split != Some("qemu") {
        let message = "IOMMU interrupt remapping requires split I/O APIC (ioapic driver='qemu')";
        return Err(refuse::unsupported(message));
    }
    Ok(())
}

/// Numbers of USB devices have four hexadecimal digits in upper case.
fn usb_ids(element: &mut Element) {
    for device in &mut element.children {
        for (name, digits) in [("class", 2), ("vendor", 4), ("product", 4)] {
            if let Some(id) = device.attr(name).and_then(|text| number::u32_of(text, 0)) {
                device.set(name, format!("0x{id:0digits$X}"));
            }
        }
    }
}

/// What a table does not say about addresses: PCI's limits, and that one without any number is written bare.
pub(super) fn address(element: &mut Element) -> Result<()> {
    if element.name != "address" {
        return Ok(());
    }
    match element.attr("type") {
        Some("pci") => {
            let number = |name: &str| element.attr(name).and_then(|text| number::u32_of(text, 0)).unwrap_or(0);
            if ["domain", "bus", "slot"].iter().all(|name| number(name) == 0) {
                element.attrs.retain(|(name, _)| !["domain", "bus", "slot", "function"].contains(&name.as_str()));
                return Ok(());
            }
            for (name, most) in [("domain", 0xffff), ("bus", 0xff), ("slot", 0x1f), ("function", 7)] {
                let found = number(name);
                if found > most {
                    let message = format!("Invalid PCI address {name}='0x{found:X}', must be <= 0x{most:X}");
                    return Err(refuse::xml(message));
                }
            }
        }
        Some("unassigned") => {
            let message = "address of type 'unassigned' is supported only for hostdevs";
            return Err(refuse::unsupported(message));
        }
        _ => {}
    }
    Ok(())
}
