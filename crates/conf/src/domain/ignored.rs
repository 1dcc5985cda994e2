//! Devices that a container ignores: kept by the tables, with the few rules that a table does not say.

use super::parse::{Check, Context};
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
    if name == "lease" {
        node.child("lockspace").ok_or_else(unknown_cause)?;
    }
    let mut element = context.keep(node, name)?;
    if !context.live {
        element.remove("alias");
    }
    address::info(&mut element.children)?;
    match name {
        "memory" if element.child("target").is_none() => {
            return Err(refuse::xml("missing <target> element for <memory> device"));
        }
        "memory" => {
            let error: Result<()> = Err(refuse::unsupported("memory devices are not supported by this driver"));
            context.later(Check::MemoryDevice, error.at(node));
        }
        "lease" => lease(node, &element)?,
        "serial" | "parallel" | "channel" => character(node, context, &mut element)?,
        "redirdev" => redirected(node, context, &mut element)?,
        "smartcard" => smartcard(node, context, &mut element)?,
        "rng" => rng(node, context, &mut element)?,
        "controller" => controllers::controller(node, &mut element, before)?,
        "hub" if controllers::without_usb(before) => {
            return Err(refuse::unsupported("Can't add USB hub: USB is disabled for this domain"));
        }
        "input" if element.attr("bus") == Some("usb") && controllers::without_usb(before) => {
            return Err(refuse::unsupported("Can't add USB input device. USB bus is disabled"));
        }
        "input" if element.attr("bus") == Some("usb") => on_usb(&element)?,
        "tpm" => tpm(&mut element)?,
        "shmem" => shmem(&mut element)?,
        "video" => graphics::video(&mut element)?,
        "graphics" => graphics::graphics(&mut element)?,
        "audio" => graphics::audio(&mut element, before)?,
        "vsock" => vsock(&mut element)?,
        "iommu" => iommu(node, &element)?,
        "redirfilter" => usb_ids(&mut element)?,
        "panic" => {
            let twin = |other: &&Element| other.name == name && other.attr("model") == element.attr("model");
            if let Some(model) = before.iter().find(twin).map(|_| element.attr("model").unwrap_or("default")) {
                return Err(refuse::xml(format!("Multiple panic devices with model '{model}'")));
            }
        }
        _ => {}
    }
    address::refuse_unassigned(&element.children)?;
    let again = before.iter().any(|other| other.name == name);
    match name {
        "watchdog" if again => Err(refuse::internal("only a single watchdog device is supported")),
        "memballoon" if again => Err(refuse::internal("only a single memory balloon device is supported")),
        "nvram" if again => Err(refuse::internal("only a single nvram device is supported")),
        "redirfilter" if element.children.is_empty() => Ok(None),
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
    element.child("key").filter(|key| key.text.is_some()).ok_or_else(|| missing("key"))?;
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

fn character(node: Node, context: &Context, element: &mut Element) -> Result<()> {
    let name = node.name();
    let kind = element.attr("type").unwrap_or_default().to_string();
    if !context.live {
        element.unset("tty");
    }
    if name == "channel" {
        channel(element)?;
        return replace_source(node, context, &kind, element);
    }
    let target = element.child("target").cloned();
    let target = target.as_ref();
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
    replace_source(node, context, &kind, element)?;
    // As much as none.
    let port = port.transpose()?.filter(|port| *port != u32::MAX);
    let mut new = Element::new("target");
    if let Some(kind) = target_kind.filter(|kind| *kind != "none") {
        new.set("type", kind);
    }
    new.attrs.extend(port.map(|port| ("port".to_string(), port.to_string())));
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
    let kind = target.attr("type").unwrap_or("(null)").to_string();
    match kind.as_str() {
        "virtio" | "xen" => target.attrs.retain(|(name, _)| ["type", "name"].contains(&name.as_str())),
        "guestfwd" => {
            let missing = "guestfwd channel does not define a target address";
            let address = target.attr("address").ok_or_else(|| refuse::xml(missing))?;
            if address.parse::<std::net::IpAddr>().is_err() {
                let message = format!("Cannot parse socket address '{address}': Name or service not known");
                return Err(api::Error::new(api::ErrorDomain::None, api::Code::SystemError, message));
            }
            if !address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_ipv4()) {
                return Err(refuse::unsupported("guestfwd channel only supports IPv4 addresses"));
            }
            let port = target.attr("port").ok_or_else(|| refuse::missing_attribute("target", "port"))?;
            let bad = || refuse::bad_attribute("target", "port", port, " Expected non-negative integer value");
            let port = number::u32_of(port, 10).ok_or_else(bad)? & 0xffff;
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

fn is_character_type(kind: &str) -> bool {
    crate::shape::DOMAIN.attribute_words("characterTypes", "type").contains(&kind)
}

fn smartcard(node: Node, context: &Context, element: &mut Element) -> Result<()> {
    match element.attr("mode") {
        Some("host-certificates") => {
            element.unset("type");
            let certificates = element.children.iter_mut().filter(|c| c.name == "certificate");
            if certificates.map(|certificate| certificate.text.get_or_insert_default()).count() != 3 {
                return Err(refuse::xml("host-certificates mode needs exactly three certificates"));
            }
            let database = element.child("database").and_then(|database| database.text.as_deref());
            if let Some(path) = database.filter(|path| !path.starts_with('/')) {
                return Err(refuse::xml(format!("expecting absolute path: {path}")));
            }
        }
        Some("passthrough") => {
            let missing = || refuse::xml("passthrough mode requires a character device type attribute");
            let kind = node.attr("type").ok_or_else(missing)?.to_string();
            if !is_character_type(&kind) {
                let message = format!("unknown type presented to host for character device: {kind}");
                return Err(refuse::unsupported(message));
            }
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
            if !is_character_type(&kind) {
                return Err(refuse::unsupported(format!("unknown backend type '{kind}' for egd")));
            }
            kept.children = super::character::source(backend, context, &kind)?;
        }
        _ => kept.unset("type"),
    }
    Ok(())
}

fn tpm(element: &mut Element) -> Result<()> {
    if element.children.iter().filter(|child| child.name == "backend").count() > 1 {
        return Err(refuse::xml("only one TPM backend is supported"));
    }
    let Some(backend) = element.child_mut("backend") else {
        return Err(refuse::xml("missing TPM device backend"));
    };
    match backend.attr("type") {
        Some("emulator") if backend.child("active_pcr_banks").is_some() && backend.attr("version") != Some("2.0") => {
            return Err(refuse::xml("<active_pcr_banks/> requires TPM version '2.0'"));
        }
        Some("passthrough") if backend.child("device").is_none_or(|d| d.attr("path").is_none()) => {
            backend.children = vec![Element::new("device").with("path", "/dev/tpm0")];
        }
        Some("external") => {
            let source = backend.child("source");
            let attr = |name: &str| source.and_then(|source| source.attr(name));
            match attr("type") {
                None => return Err(refuse::xml("missing external TPM backend type")),
                Some("unix") => {}
                Some(_) => return Err(refuse::xml("only source type 'unix' is supported for external TPM device")),
            }
            if attr("mode").is_some_and(|mode| mode != "connect") {
                return Err(refuse::xml("only 'client' mode is supported for external TPM device"));
            }
            let path = attr("path").ok_or_else(|| refuse::xml("missing socket path for external TPM device"))?;
            let source = Element::new("source").with("type", "unix").with("mode", "connect").with("path", path);
            backend.children = vec![source];
        }
        _ => {}
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
    if element.child("model").is_some_and(|model| model.attr("type") == Some("ivshmem")) {
        element.unset("role");
    }
    if element.child("msi").is_some() && element.child("server").is_none() {
        return Err(refuse::xml("msi option is only supported with a server"));
    }
    if element.child("size").is_some_and(|size| size.text.is_none()) {
        element.remove("size");
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
        if bytes == 0 {
            element.remove("size");
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
    if let Some(cid) = element.child_mut("cid").filter(|cid| cid.attr("auto").is_none()) {
        cid.attrs.insert(0, ("auto".to_string(), "no".to_string()));
    }
    Ok(())
}

fn iommu(node: Node, element: &Element) -> Result<()> {
    let model = element.attr("model").unwrap_or_default();
    let driver = element.child("driver");
    let on = |name: &str| driver.is_some_and(|driver| driver.attr(name) == Some("on"));
    let root = node.parent().and_then(|devices| devices.parent());
    let split = root.and_then(|root| root.find("features/ioapic")).and_then(|ioapic| ioapic.attr("driver"));
    if model != "intel" && driver.is_some() {
        return Err(refuse::xml(format!("iommu model '{model}' doesn't support additional attributes")));
    }
    if on("intremap") && split != Some("qemu") {
        let message = "IOMMU interrupt remapping requires split I/O APIC (ioapic driver='qemu')";
        return Err(refuse::unsupported(message));
    }
    if on("eim") && !on("intremap") {
        return Err(refuse::unsupported("IOMMU eim requires interrupt remapping to be enabled"));
    }
    match model != "virtio" && element.child("address").is_some() {
        true => Err(refuse::xml(format!("iommu model '{model}' can't have address"))),
        false => Ok(()),
    }
}

/// Numbers of USB devices have four hexadecimal digits in upper case; negative ones stand for any.
fn usb_ids(element: &mut Element) -> Result<()> {
    for device in &mut element.children {
        for (name, digits) in [("class", 2), ("vendor", 4), ("product", 4)] {
            match device.attr(name).and_then(|text| number::i32_of(text, 10)) {
                Some(id) if name == "class" && id > 0xff => {
                    return Err(refuse::internal(format!("Invalid USB Class code 0x{id:x}")));
                }
                Some(id) if id >= 0 => device.set(name, format!("0x{id:0digits$X}")),
                _ => device.unset(name),
            }
        }
        match device.attr("version").map(str::to_string) {
            None => {}
            Some(version) if version == "-1" => device.unset("version"),
            Some(version) => {
                let bad = || refuse::xml(format!("Cannot parse USB device version {version}"));
                device.set("version", usb_version(&version).ok_or_else(bad)?);
            }
        }
    }
    Ok(())
}

/// `1.1` is version 1.10: two digits of which the second may be left out, and the same before the point.
fn usb_version(text: &str) -> Option<String> {
    let (major, minor) = text.split_once('.')?;
    let digits = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(major) || !digits(minor) {
        return None;
    }
    let major: u32 = major.parse().ok()?;
    Some(format!("{major}.{minor:0<2}"))
}

fn redirected(node: Node, context: &Context, element: &mut Element) -> Result<()> {
    on_usb(element)?;
    let kind = element.attr("type").unwrap_or_default().to_string();
    if kind == "dbus" && node.child("source").is_none_or(|source| source.attr("channel").is_none()) {
        element.children.retain(|child| !["source", "protocol"].contains(&child.name.as_str()));
        element.children.insert(0, Element::new("source").with("channel", "org.qemu.usbredir"));
    } else {
        replace_source(node, context, &kind, element)?;
    }
    Ok(())
}

fn on_usb(element: &Element) -> Result<()> {
    match address::of_other_type(&element.children, &["usb"]) {
        Some(_) => Err(refuse::xml("Invalid address for a USB device")),
        None => Ok(()),
    }
}

/// What is checked of a device when the whole document has been read.
pub(super) fn checked(element: &Element) -> Result<()> {
    match element.name.as_str() {
        "video" => graphics::accelerated(element),
        "vsock" => graphics::virtio_options(element, element.attr("model").is_some()),
        "smartcard" if address::of_other_type(&element.children, &["ccid"]).is_some() => {
            Err(refuse::unsupported("Controllers must use the 'ccid' address type"))
        }
        "serial" if element.child("target").is_some_and(|target| target.attr("type") == Some("usb-serial")) => {
            match address::of_other_type(&element.children, &["usb"]) {
                Some(_) => Err(refuse::unsupported("usb-serial requires address of usb type")),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
