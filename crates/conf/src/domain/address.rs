//! Addresses of devices on the buses of machines, boot order and ROM: what a table does not say of them.

use super::*;
use crate::number;
use crate::refuse;

/// `info` of a device as the table took it: checked, and in the form in which it is written.
pub(super) fn info(parts: &mut [Element]) -> Result<()> {
    parts.iter_mut().try_for_each(|part| match part.name.as_str() {
        "address" => address(part),
        "boot" => load_parameter(part),
        "rom" => rom(part),
        _ => Ok(()),
    })
}

fn address(element: &mut Element) -> Result<()> {
    match element.attr("type") {
        Some("pci") => pci(element),
        Some("ccw") => channel_command_word(element),
        Some("usb") => usb_port(element),
        Some("virtio-s390") => Err(refuse::xml("virtio-s390 bus doesn't have an address")),
        _ => Ok(()),
    }
}

/// Only a host device may have no address on purpose.
pub(super) fn refuse_unassigned(parts: &[Element]) -> Result<()> {
    match parts.iter().any(|part| part.name == "address" && part.attr("type") == Some("unassigned")) {
        true => Err(refuse::unsupported("address of type 'unassigned' is supported only for hostdevs")),
        false => Ok(()),
    }
}

/// `address` of the parts, if it is of none of these types.
pub(super) fn of_other_type<'a>(parts: &'a [Element], allowed: &[&str]) -> Option<&'a str> {
    let address = parts.iter().find(|part| part.name == "address")?;
    address.attr("type").filter(|kind| !allowed.contains(kind))
}

/// One without any number is written bare; `zpci` has both of its numbers or none.
fn pci(element: &mut Element) -> Result<()> {
    let zero = |element: &Element, name: &str| element.attr(name).is_none_or(|text| number::u32_of(text, 0) == Some(0));
    if ["domain", "bus", "slot"].iter().all(|name| zero(element, name)) {
        element.attrs.retain(|(name, _)| !["domain", "bus", "slot", "function"].contains(&name.as_str()));
    }
    pci_limits(element)?;
    if let Some(zpci) = element.child_mut("zpci").filter(|zpci| !zpci.is_bare()) {
        let number = |name: &str, none: &str| zpci.attr(name).unwrap_or(none).to_string();
        *zpci = Element::new("zpci").with("uid", number("uid", "0x0000")).with("fid", number("fid", "0x00000000"));
    }
    element.children.retain(|child| !child.is_bare());
    Ok(())
}

pub(crate) fn pci_limits(element: &Element) -> Result<()> {
    let number = |name: &str| element.attr(name).and_then(|text| number::u32_of(text, 0)).unwrap_or(0);
    for (name, most) in [("bus", 0xff), ("slot", 0x1f)] {
        let found = number(name);
        if found > most {
            return Err(refuse::bare_xml(format!("Invalid PCI address {name}='0x{found:x}', must be <= 0x{most:X}")));
        }
    }
    match number("function") {
        function if function > 7 => {
            Err(refuse::bare_xml(format!("Invalid PCI address function=0x{function:X}, must be <= 7")))
        }
        _ => Ok(()),
    }
}

/// All of its three numbers, or none.
fn channel_command_word(element: &mut Element) -> Result<()> {
    let number = |name: &str| element.attr(name).and_then(|text| number::u32_of(text, 0));
    match (number("cssid"), number("ssid"), number("devno")) {
        (None, None, None) => {
            *element = Element::new("address").with("type", "ccw").with("cssid", "0x0").with("ssid", "0x0");
            element.set("devno", "0x0000");
            Ok(())
        }
        (Some(subsystem), Some(set), Some(device)) if subsystem > 0xfe || set > 3 || device > 0xffff => {
            Err(refuse::internal(format!(
                "Invalid specification for virtio ccw address: cssid='0x{subsystem:x}' ssid='0x{set:x}' \
                 devno='0x{device:04x}'"
            )))
        }
        (Some(_), Some(_), Some(_)) => Ok(()),
        _ => Err(refuse::internal("Invalid partial specification for virtio ccw address")),
    }
}

/// Up to four numbers, the ports of hubs on the way, as far as none is 0.
fn usb_port(element: &mut Element) -> Result<()> {
    let Some(port) = element.attr("port").map(str::to_string) else { return Ok(()) };
    let bad = || refuse::internal("Cannot parse <address> 'port' attribute");
    let numbers: Option<Vec<u32>> = port.split('.').map(|part| number::u32_of(part, 10)).collect();
    let numbers = numbers.filter(|numbers| numbers.len() <= 4).ok_or_else(bad)?;
    let written: Vec<String> = numbers.iter().take_while(|number| **number != 0).map(u32::to_string).collect();
    match written.is_empty() {
        true => element.unset("port"),
        false => element.set("port", written.join(".")),
    }
    Ok(())
}

fn load_parameter(element: &mut Element) -> Result<()> {
    let Some(text) = element.attr("loadparm").map(str::to_ascii_uppercase) else { return Ok(()) };
    if text.is_empty() || text.len() > 8 {
        let message = format!("loadparm value '{text}' must be between 1 and 8 characters");
        return Err(refuse::internal(message));
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b' ')) {
        let message =
            format!("invalid loadparm value '{text}', expecting chars in set of [a-zA-Z0-9.] and blank spaces");
        return Err(refuse::internal(message));
    }
    element.set("loadparm", text);
    Ok(())
}

fn rom(element: &Element) -> Result<()> {
    let tuned = element.attr("bar").is_some() || element.attr("file").is_some();
    match element.attr("enabled") == Some("no") && tuned {
        true => Err(refuse::unsupported("ROM tuning is not supported when ROM is disabled")),
        false => Ok(()),
    }
}
