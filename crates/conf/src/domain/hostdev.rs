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
    if mode == "subsystem" {
        of_its_type(node)?;
    }
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
        _ => {
            let mut info = context.keep(node, "infoHostdev")?.children;
            address::info(&mut info)?;
            info
        }
    };
    if let HostdevSource::Usb(_) = source {
        if address::of_other_type(&kept, &["usb"]).is_some() {
            return Err(refuse::unsupported("USB host device must use 'usb' address type"));
        }
    }
    Ok(Hostdev { source, managed, kept })
}

/// Attributes that only devices of some types have.
fn of_its_type(node: Node) -> Result<()> {
    let kind = node.attr("type").unwrap_or_default();
    if !["usb", "pci", "scsi", "scsi_host", "mdev"].contains(&kind) {
        return Ok(());
    }
    for name in ["sgio", "rawio"] {
        if node.attr(name).is_some() && kind != "scsi" {
            return Err(refuse::xml(format!("{name} is only supported for scsi host device")));
        }
    }
    if node.attr("model").is_some() && !["scsi_host", "mdev"].contains(&kind) {
        return Err(refuse::xml("'model' attribute in <hostdev> is only supported when type='pci'"));
    }
    let policy = node.child("source").is_some_and(|source| source.attr("startupPolicy").is_some());
    match policy && kind != "usb" {
        true => Err(refuse::unsupported("Setting startupPolicy is only allowed for USB devices")),
        false => Ok(()),
    }
}

fn no_source() -> api::Error {
    refuse::xml("Missing <source> element in hostdev device")
}

fn unknown_kind(kind: &str) -> api::Error {
    refuse::unsupported(format!("unknown host device source address type '{kind}'"))
}

fn capability(node: Node, kind: &str, source: Option<Node>) -> Result<HostdevSource> {
    let text = |name: &str| {
        let text = node.find(&format!("source/{name}")).map(|n| n.text().into_owned());
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
        match number::u32_of(text, 0).ok_or_else(bad)? {
            0 => Err(refuse::zero_attribute(node.name(), "id")),
            id => Ok(id),
        }
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
    let kind = node.attr("type").unwrap_or_default();
    let shape = match kind {
        "pci" => "hostdevPci",
        "scsi" => "hostdevScsi",
        "scsi_host" => "hostdevScsiHost",
        _ => "hostdevMdev",
    };
    let mut element = context.keep(node, shape)?;
    address::info(&mut element.children)?;
    let other_place = |allowed: &[&str]| address::of_other_type(&element.children, allowed);
    let source = element.child("source");
    match kind {
        "pci" => {
            if other_place(&["pci", "unassigned"]).is_some() {
                return Err(refuse::internal("PCI host devices must use 'pci' or 'unassigned' address type"));
            }
            teamed(&element)?;
            pci_source(&mut element)?;
        }
        "scsi" => {
            scsi_source(&mut element)?;
            if element.attr("sgio") == Some("unfiltered") {
                return Err(refuse::unsupported("unfiltered sgio is no longer supported"));
            }
            if address::of_other_type(&element.children, &["drive"]).is_some() {
                return Err(refuse::unsupported("SCSI host device must use 'drive' address type"));
            }
        }
        "scsi_host" => {
            let name = source.and_then(|source| source.attr("wwpn")).unwrap_or_default();
            let digits = name.strip_prefix("naa.").unwrap_or_default();
            if digits.len() != 16 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(refuse::xml("malformed 'wwpn' value"));
            }
            if other_place(&["pci", "ccw"]).is_some() {
                return Err(refuse::unsupported("SCSI_host host device must use 'pci' or 'ccw' address type"));
            }
        }
        _ => {
            if source.is_none_or(|source| source.child("address").is_none()) {
                return Err(refuse::unsupported("Missing <address> element"));
            }
            let model = element.attr("model").unwrap_or_default();
            let place = match model {
                "vfio-pci" => other_place(&["pci", "unassigned"]),
                "vfio-ccw" => other_place(&["ccw"]),
                _ => None,
            };
            if let Some(place) = place {
                let message = format!("Unsupported address type '{place}' with mediated device model '{model}'");
                return Err(refuse::xml(message));
            }
        }
    }
    Ok(element)
}

fn teamed(element: &Element) -> Result<()> {
    let Some(teaming) = element.child("teaming") else { return Ok(()) };
    if teaming.attr("type") != Some("transient") {
        return Err(refuse::unsupported("teaming hostdev devices must have type='transient'"));
    }
    match teaming.attr("persistent") {
        Some(_) => Ok(()),
        None => Err(refuse::unsupported("missing required persistent attribute in hostdev teaming element")),
    }
}

fn pci_source(element: &mut Element) -> Result<()> {
    let Some(source) = element.child_mut("source") else { return Ok(()) };
    match source.child("address") {
        Some(address) => address::pci_limits(address),
        None => {
            let none = [("domain", "0x0000"), ("bus", "0x00"), ("slot", "0x00"), ("function", "0x0")];
            source.children.push(none.iter().fold(Element::new("address"), |e, (name, value)| e.with(name, value)));
            Ok(())
        }
    }
}

fn scsi_source(element: &mut Element) -> Result<()> {
    let Some(source) = element.child_mut("source") else { return Ok(()) };
    let Some(name) = source.attr("name").filter(|_| source.attr("protocol") == Some("iscsi")).map(str::to_string)
    else {
        let missing = |what: &str| refuse::xml(format!("{what} must be specified for scsi hostdev source"));
        source.child("address").ok_or_else(|| missing("'address'"))?;
        let adapter = source.child("adapter").and_then(|adapter| adapter.attr("name"));
        return adapter.map(|_| ()).ok_or_else(|| missing("'adapter' name"));
    };
    if !name.contains('/') {
        source.set("name", format!("{name}/0"));
    }
    let mut hosts = source.children.iter_mut().filter(|child| child.name == "host");
    match (hosts.next(), hosts.next()) {
        (None, _) => return Err(refuse::xml("missing the host address for the iSCSI hostdev")),
        (Some(_), Some(_)) => {
            return Err(refuse::xml("only one source host address may be specified for the iSCSI hostdev"));
        }
        (Some(host), None) => iscsi_host(host)?,
    }
    match source.child_mut("auth") {
        Some(auth) => {
            authentication(auth)?;
            match auth.child("secret").and_then(|secret| secret.attr("type")) {
                Some("iscsi") => Ok(()),
                kind => {
                    let kind = kind.unwrap_or_default();
                    Err(refuse::internal(format!("hostdev invalid secret type '{kind}'")))
                }
            }
        }
        None => Ok(()),
    }
}

fn iscsi_host(host: &mut Element) -> Result<()> {
    match host.attr("transport") {
        None | Some("tcp" | "rdma") => {
            host.unset("transport");
            host.attr("name").ok_or_else(|| refuse::xml("missing name for host"))?;
        }
        Some("unix") => host.attrs.clear(),
        Some(other) => return Err(refuse::unsupported(format!("unknown protocol transport type '{other}'"))),
    }
    match host.attr("port") {
        Some(port) if number::u32_of(port, 10).is_none_or(|port| port > 0xffff) => {
            Err(refuse::argument(format!("failed to parse port number '{port}'")))
        }
        Some(port) if number::u32_of(port, 10) == Some(0) => {
            host.unset("port");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// `<auth>`: who, and where the password is kept.
pub(super) fn authentication(auth: &mut Element) -> Result<()> {
    auth.attr("username").ok_or_else(|| refuse::xml("missing username for auth"))?;
    let secret = auth.child_mut("secret").ok_or_else(|| refuse::xml("Missing <secret> element in auth"))?;
    let kind = secret.attr("type").unwrap_or("(null)");
    if !["volume", "ceph", "iscsi", "tls", "vtpm"].contains(&kind) {
        return Err(refuse::unsupported(format!("invalid secret type {kind}")));
    }
    match (secret.attr("uuid"), secret.attr("usage")) {
        (None, None) => Err(refuse::xml("missing secret uuid or usage attribute")),
        (Some(_), Some(_)) => Err(refuse::xml("either secret uuid or usage expected")),
        (Some(uuid), None) => {
            let uuid = Uuid::parse(uuid).ok_or_else(|| refuse::xml(format!("invalid secret uuid '{uuid}'")))?;
            secret.set("uuid", uuid);
            Ok(())
        }
        (None, Some(_)) => Ok(()),
    }
}
