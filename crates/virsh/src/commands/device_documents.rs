//! Documents of disks and interfaces, put together from options.

use crate::arguments::{Arguments, scaled};
use crate::document::{self, quoted};
use crate::failure::Failure;
use std::os::unix::fs::FileTypeExt;

pub fn disk_document(arguments: &Arguments) -> Result<String, Failure> {
    let source = arguments.need("source")?;
    let mode = arguments.text("mode")?;
    if let Some(mode) = mode.filter(|mode| !matches!(*mode, "readonly" | "shareable")) {
        return Err(Failure::new(format!("No support for {mode} in command 'attach-disk'")));
    }
    let network = arguments.has("source-protocol");
    let is_device = std::fs::metadata(source).is_ok_and(|metadata| metadata.file_type().is_block_device());
    let kind = match arguments.text("sourcetype")? {
        Some(kind @ ("block" | "file" | "network")) => kind,
        Some(kind) => return Err(Failure::new(format!("Unknown source type: '{kind}'"))),
        None if network => "network",
        None if is_device => "block",
        None => "file",
    };
    let device = arguments.text("type")?.map_or_else(String::new, |kind| format!(" device='{}'", quoted(kind)));
    let rawio = if arguments.has("rawio") { " rawio='yes'" } else { "" };
    let mut xml = format!("<disk type='{kind}'{device}{rawio}>\n");
    xml += &element(
        "driver",
        &[
            ("name", arguments.text("driver")?),
            ("type", arguments.text("subdriver")?),
            ("iothread", arguments.text("iothread")?),
            ("cache", arguments.text("cache")?),
            ("io", arguments.text("io")?),
        ],
    );
    let some = Some(source).filter(|source| !source.is_empty());
    xml += &match kind {
        "block" => element("source", &[("dev", some)]),
        "file" => element("source", &[("file", some)]),
        _ => {
            let host = element(
                "host",
                &[
                    ("transport", arguments.text("source-host-transport")?),
                    ("socket", arguments.text("source-host-socket")?),
                    ("name", arguments.text("source-host-name")?),
                ],
            );
            let protocol = arguments.text("source-protocol")?.unwrap_or_default();
            let name = some.map_or_else(String::new, |name| format!(" name='{}'", quoted(name)));
            let open = format!("  <source protocol='{}'{name}", quoted(protocol));
            if host.is_empty() { format!("{open}/>\n") } else { format!("{open}>\n  {host}  </source>\n") }
        }
    };
    xml += &element("target", &[("dev", Some(arguments.need("target")?)), ("bus", arguments.text("targetbus")?)]);
    if let Some(mode) = mode {
        xml += &format!("  <{mode}/>\n");
    }
    xml += &text_element("serial", arguments.text("serial")?);
    xml += &element("alias", &[("name", arguments.text("alias")?)]);
    if let Some(wwn) = arguments.text("wwn")? {
        if wwn.len() != 16 || !wwn.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Failure::new(format!("internal error: Malformed wwn: {wwn}")));
        }
        xml += &text_element("wwn", Some(wwn));
    }
    if let Some(address) = arguments.text("address")? {
        xml += &disk_address(address, arguments.has("multifunction"))?;
    }
    Ok(xml + "</disk>\n")
}

/// `pci:domain.bus.slot.function`, `scsi:controller.bus.unit` and the like.
fn disk_address(text: &str, multifunction: bool) -> Result<String, Failure> {
    let invalid = || Failure::new("Invalid address.");
    let (kind, numbers) = text.split_once(':').ok_or_else(invalid)?;
    let numbers: Vec<&str> = numbers.split('.').collect();
    let hex = |text: &str| u32::from_str_radix(text.trim_start_matches("0x"), 16).map_err(|_| invalid());
    let decimal = |text: &str| text.parse::<u32>().map_err(|_| invalid());
    Ok(match (kind, numbers.as_slice()) {
        ("pci", [domain, bus, slot, function]) => format!(
            "  <address type='pci' domain='0x{:04x}' bus='0x{:02x}' slot='0x{:02x}' function='0x{:x}'{}/>\n",
            hex(domain)?,
            hex(bus)?,
            hex(slot)?,
            hex(function)?,
            if multifunction { " multifunction='on'" } else { "" }
        ),
        ("scsi" | "ide" | "sata", [controller, bus, unit]) => format!(
            "  <address type='drive' controller='{}' bus='{}' unit='{}'/>\n",
            decimal(controller)?,
            decimal(bus)?,
            decimal(unit)?
        ),
        ("usb", [bus, port]) => format!("  <address type='usb' bus='{}' port='{}'/>\n", decimal(bus)?, decimal(port)?),
        ("ccw", [cssid, ssid, number]) => format!(
            "  <address type='ccw' cssid='0x{:02x}' ssid='0x{:01x}' devno='0x{:04x}'/>\n",
            hex(cssid)?,
            hex(ssid)?,
            hex(number)?
        ),
        _ => return Err(invalid()),
    })
}

pub fn interface_document(arguments: &Arguments) -> Result<String, Failure> {
    let kind = arguments.need("type")?;
    let source = arguments.need("source")?;
    let managed = if arguments.has("managed") { " managed='yes'" } else { "" };
    let mut xml = format!("<interface type='{}'{managed}>\n", quoted(kind));
    xml += &match kind {
        "network" | "bridge" => element("source", &[(kind, Some(source))]),
        "direct" => element("source", &[("dev", Some(source)), ("mode", arguments.text("source-mode")?)]),
        "hostdev" => {
            let address = pci_address(source)
                .ok_or_else(|| Failure::new(format!("cannot parse pci address '{source}' for network interface")))?;
            format!("  <source>\n    {address}\n  </source>\n")
        }
        _ => return Err(Failure::new(format!("No support for {kind} in command 'attach-interface'"))),
    };
    xml += &element("target", &[("dev", arguments.text("target")?)]);
    xml += &element("mac", &[("address", arguments.text("mac")?)]);
    xml += &element("script", &[("path", arguments.text("script")?)]);
    xml += &element("model", &[("type", arguments.text("model")?)]);
    xml += &element("alias", &[("name", arguments.text("alias")?)]);
    let mut limits = String::new();
    for direction in ["inbound", "outbound"] {
        if let Some(rates) = arguments.text(direction)? {
            limits += &bandwidth(direction, rates)?;
        }
    }
    if !limits.is_empty() {
        xml += &format!("  <bandwidth>\n{limits}  </bandwidth>\n");
    }
    Ok(xml + "</interface>\n")
}

fn pci_address(text: &str) -> Option<String> {
    let (domain, rest) = text.split_once(':')?;
    let (bus, rest) = rest.split_once(':')?;
    let (slot, function) = rest.split_once('.')?;
    let hex = |text: &str| u32::from_str_radix(text, 16).ok();
    Some(format!(
        "<address type='pci' domain='0x{:04x}' bus='0x{:02x}' slot='0x{:02x}' function='0x{:x}'/>",
        hex(domain)?,
        hex(bus)?,
        hex(slot)?,
        hex(function)?
    ))
}

/// `average,peak,burst,floor` in KiB and KiB a second.
fn bandwidth(direction: &str, rates: &str) -> Result<String, Failure> {
    let names = ["average", "peak", "burst", "floor"];
    let mut attributes = String::new();
    for (name, value) in names.iter().zip(rates.split(',')) {
        if value.is_empty() {
            continue;
        }
        let rate = scaled(value, 1024).map(|bytes| bytes / 1024);
        let rate = rate.ok_or_else(|| Failure::new(format!("field '{name}' is malformed")))?;
        if rate != 0 {
            attributes += &format!(" {name}='{rate}'");
        }
    }
    if rates.split(',').count() > names.len() {
        return Err(Failure::new(format!("{direction} format is incorrect")));
    }
    Ok(format!("    <{direction}{attributes}/>\n"))
}

/// An element with those of the attributes that have a value; nothing where none has.
fn element(name: &str, attributes: &[(&str, Option<&str>)]) -> String {
    let shown: String = attributes
        .iter()
        .filter_map(|(name, value)| value.map(|value| format!(" {name}='{}'", quoted(value))))
        .collect();
    if shown.is_empty() { String::new() } else { format!("  <{name}{shown}/>\n") }
}

fn text_element(name: &str, text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!("  <{name}>{}</{name}>\n", document::escaped(text, false)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_documents() {
        assert_eq!(bandwidth("inbound", "100,200").unwrap(), "    <inbound average='100' peak='200'/>\n");
        assert!(bandwidth("inbound", "x").is_err());
        assert_eq!(element("source", &[("dev", Some("it's")), ("mode", None)]), "  <source dev='it&apos;s'/>\n");
    }
}
