//! Devices of PCI: their configuration space (the PCI Local Bus and PCI Express Base specifications), who they belong
//! together with, and the names that pci.ids has for them.

use crate::facts::{entries, hexadecimal, number};
use crate::file_name;
use conf::nodedev::{Pci, PciAddress, PciBridge, PciExpress, PciLink, PciPort};
use std::fs;
use std::path::Path;

/// Below `/usr/share`; the first is Debian's.
const NAMES: &[&str] = &["misc/pci.ids", "hwdata/pci.ids", "pci.ids"];

pub fn describe(folder: &Path, address: PciAddress, share: &Path) -> Pci {
    let id = |name| hexadecimal(folder, name).unwrap_or(0) as u16;
    let (vendor, product) = (id("vendor"), id("device"));
    let list = NAMES.iter().find_map(|name| fs::read(share.join(name)).ok()).unwrap_or_default();
    let (vendor_name, product_name) = names(&list, vendor, product);
    let configuration = fs::read(folder.join("config")).unwrap_or_default();
    Pci {
        class: hexadecimal(folder, "class"),
        address,
        product,
        product_name,
        vendor,
        vendor_name,
        physical_function: linked(folder, "physfn"),
        virtual_functions: virtual_functions(folder),
        most_virtual_functions: number(folder, "sriov_totalvfs").unwrap_or(0),
        bridge: bridge(&configuration),
        iommu_group: iommu_group(folder),
        numa_node: number(folder, "numa_node"),
        express: express(&configuration).or_else(|| is_extended(&configuration).then_some(PciExpress { link: None })),
    }
}

fn linked(folder: &Path, link: &str) -> Option<PciAddress> {
    PciAddress::parse(&file_name(&fs::read_link(folder.join(link)).ok()?))
}

fn virtual_functions(folder: &Path) -> Vec<PciAddress> {
    let mut numbers: Vec<u32> =
        entries(folder).iter().filter_map(|name| name.strip_prefix("virtfn")?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers.iter().filter_map(|number| linked(folder, &format!("virtfn{number}"))).collect()
}

fn iommu_group(folder: &Path) -> Option<(u32, Vec<PciAddress>)> {
    let group = folder.join("iommu_group");
    let number = file_name(&fs::read_link(&group).ok()?).parse().ok()?;
    Some((number, entries(&group.join("devices")).iter().filter_map(|name| PciAddress::parse(name)).collect()))
}

fn byte(configuration: &[u8], at: usize) -> Option<u8> {
    configuration.get(at).copied()
}

fn bridge(configuration: &[u8]) -> Option<PciBridge> {
    // The highest bit says that the device has several functions.
    match byte(configuration, 0x0e)? & 0x7f {
        1 => Some(PciBridge::Pci),
        2 => Some(PciBridge::CardBus),
        _ => None,
    }
}

/// Only PCI Express has more space than this, and a host's bridge may have it without the capability.
fn is_extended(configuration: &[u8]) -> bool {
    configuration.len() > 256
}

/// The capability of PCI Express, at the end of a chain of others.
fn express(configuration: &[u8]) -> Option<PciExpress> {
    const STATUS_HAS_CAPABILITIES: u8 = 0x10;
    const EXPRESS: u8 = 0x10;
    /// More than fit behind the header: a longer chain is a circle.
    const MOST: usize = 48;
    if byte(configuration, 0x06)? & STATUS_HAS_CAPABILITIES == 0 {
        return None;
    }
    let mut at = usize::from(byte(configuration, 0x34)? & 0xfc);
    for _ in 0..MOST {
        if at < 0x40 {
            return None;
        }
        if byte(configuration, at)? == EXPRESS {
            return Some(PciExpress { link: link(configuration, at) });
        }
        at = usize::from(byte(configuration, at + 1)? & 0xfc);
    }
    None
}

fn link(configuration: &[u8], at: usize) -> Option<(PciPort, PciLink)> {
    let kind = byte(configuration, at + 2)? >> 4;
    // An endpoint within the root complex, or its event collector.
    if kind == 9 || kind == 10 {
        return None;
    }
    let speed_and_width = |at| {
        let word = u16::from_le_bytes([byte(configuration, at)?, byte(configuration, at + 1)?]);
        Some(PciLink { speed: (word & 0xf) as u8, width: (word >> 4 & 0x3f) as u8 })
    };
    let port = PciPort { number: byte(configuration, at + 0x0f)?, link: speed_and_width(at + 0x0c)? };
    Some((port, speed_and_width(at + 0x12)?))
}

/// The names of a vendor and a product. The list has a line for each vendor, below it one for each product behind a tab;
/// lines with two tabs, comments and the classes at the end are of no use here.
fn names(list: &[u8], vendor: u16, product: u16) -> (Option<String>, Option<String>) {
    let [vendor, product] = [vendor, product].map(|number| format!("{number:04x}  "));
    let name = |line: &[u8], number: &str| {
        let rest = line.strip_prefix(number.as_bytes())?;
        Some(String::from_utf8_lossy(rest).trim().to_string())
    };
    let mut lines = list.split(|byte| *byte == b'\n');
    let Some(vendor_name) = lines.find_map(|line| name(line, &vendor)) else { return (None, None) };
    let mut products = lines.take_while(|line| line.is_empty() || line.starts_with(b"\t") || line.starts_with(b"#"));
    let product_name = products.find_map(|line| name(line.strip_prefix(b"\t")?, &product));
    (Some(vendor_name), product_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_list() {
        let list =
            b"# comment\n0014  First\n8086  Intel\xff & Co.\n\t29c0  Host bridge\n\t\t1af4 1100  Virtual\n\n# more\n\
                     \t29c1  Other\n8087  Next\n\t1234  Its own\nC 00  Unclassified\n\t8086  Trap\n";
        let found = |vendor, product| names(list, vendor, product);
        assert_eq!(found(0x8086, 0x29c1), (Some("Intel\u{fffd} & Co.".into()), Some("Other".into())));
        assert_eq!(found(0x8086, 0x1234), (Some("Intel\u{fffd} & Co.".into()), None));
        assert_eq!(found(0x0014, 0x29c0), (Some("First".into()), None));
        assert_eq!(found(0x29c0, 0x1), (None, None));
        assert_eq!(names(b"", 1, 1), (None, None));
    }

    #[test]
    fn chains_that_lead_nowhere() {
        let mut circle = [0; 256];
        circle[0x06] = 0x10;
        circle[0x34] = 0x40;
        circle[0x41] = 0x40;
        assert_eq!(express(&circle), None);
        let mut outside = circle;
        outside[0x34] = 0xfc;
        outside[0xfc] = 0x10;
        assert_eq!(express(&outside), Some(PciExpress { link: None }));
        assert_eq!(express(&outside[..64]), None);
        assert_eq!(express(&[]), None);
        assert_eq!(bridge(&[]), None);
        assert!(is_extended(&[0; 4096]) && !is_extended(&circle));
    }
}
