//! USB devices of the machine: which one a document means by its maker and kind, as /sys shows them.

use api::{Error, ErrorDomain, Result};
use conf::domain::{Domain, HostdevSource, UsbSource};
use std::fs;
use std::path::Path;

/// One that is plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Device {
    vendor: u32,
    product: u32,
    bus: u32,
    device: u32,
}

/// Fills in where each device of the document is. One that may be missing, and is, is left out; it is named in what comes back.
pub(crate) fn find_all(sys: &Path, live: &mut Domain) -> Result<Vec<String>> {
    let (mut left_out, mut failure) = (Vec::new(), None);
    live.hostdevs.retain_mut(|hostdev| {
        let HostdevSource::Usb(usb) = &mut hostdev.source else { return true };
        match find(sys, usb) {
            Ok(()) => true,
            Err(error) if usb.startup_policy.as_deref() == Some("optional") => {
                left_out.push(error.message);
                false
            }
            Err(error) => {
                failure.get_or_insert(error);
                true
            }
        }
    });
    failure.map_or(Ok(left_out), Err)
}

/// Fills in where the device is.
pub(crate) fn find(sys: &Path, usb: &mut UsbSource) -> Result<()> {
    choose(&plugged_in(sys), usb)
}

fn choose(plugged_in: &[Device], usb: &mut UsbSource) -> Result<()> {
    let at = |device: &&Device| (device.bus, device.device) == (usb.bus, usb.device);
    let same = |device: &&Device| (device.vendor, device.product) == (usb.vendor, usb.product);
    let kind = format!("{:04x}:{:04x}", usb.vendor, usb.product);
    let place = format!("bus:{} device:{}", usb.bus, usb.device);
    let (by_kind, by_place) = (usb.vendor != 0, usb.bus != 0);
    let found: Vec<&Device> =
        plugged_in.iter().filter(|one| (!by_kind || same(one)) && (!by_place || at(one))).collect();
    match found.as_slice() {
        _ if !by_kind && !by_place => Err(unsupported(
            "a USB device is named by <vendor id=''/> and <product id=''/>, or by <address bus='' device=''/>",
        )),
        [one] => {
            (usb.bus, usb.device) = (one.bus, one.device);
            Ok(())
        }
        [] if by_kind && by_place => {
            Err(Error::internal(ErrorDomain::None, format!("Did not find USB device {kind} {place}")))
        }
        [] => {
            let what = if by_kind { kind } else { place };
            Err(Error::internal(ErrorDomain::None, format!("Did not find USB device {what}")))
        }
        _ => Err(Error::operation_failed(
            ErrorDomain::Lxc,
            format!("Multiple USB devices for {kind}, use <address> to specify one"),
        )),
    }
}

fn unsupported(words: &str) -> Error {
    Error::config_unsupported(ErrorDomain::Lxc, words)
}

fn plugged_in(sys: &Path) -> Vec<Device> {
    // A machine without a USB bus has no such folder.
    let folders = fs::read_dir(sys.join("bus/usb/devices")).into_iter().flatten().flatten();
    let device = |folder: &Path| {
        let text = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let number = |name: &str, radix| u32::from_str_radix(text(name)?.trim(), radix).ok();
        Some(Device {
            vendor: number("idVendor", 16)?,
            product: number("idProduct", 16)?,
            bus: number("busnum", 10)?,
            device: number("devnum", 10)?,
        })
    };
    // Interfaces of devices are there too, without these files.
    folders.filter_map(|entry| device(&entry.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(wanted: UsbSource) -> std::result::Result<(u32, u32), String> {
        let device = |vendor, product, bus, device| Device { vendor, product, bus, device };
        let plugged_in = [device(0x046d, 0xc52b, 1, 4), device(0x0951, 0x1666, 2, 3), device(0x0951, 0x1666, 2, 7)];
        let mut usb = wanted;
        choose(&plugged_in, &mut usb).map(|()| (usb.bus, usb.device)).map_err(|error| error.message)
    }

    #[test]
    fn by_kind_by_place_and_by_both() {
        let kind = |vendor, product| UsbSource { vendor, product, ..UsbSource::default() };
        let place = |bus, device| UsbSource { bus, device, ..UsbSource::default() };
        assert_eq!(found(kind(0x046d, 0xc52b)), Ok((1, 4)));
        assert_eq!(found(place(2, 7)), Ok((2, 7)));
        assert_eq!(found(UsbSource { bus: 2, device: 3, ..kind(0x0951, 0x1666) }), Ok((2, 3)));
        for (wanted, complaint) in [
            (kind(1, 2), "internal error: Did not find USB device 0001:0002"),
            (place(9, 1), "internal error: Did not find USB device bus:9 device:1"),
            (UsbSource { bus: 1, device: 4, ..kind(0x0951, 0x1666) }, "0951:1666 bus:1 device:4"),
            (kind(0x0951, 0x1666), "Multiple USB devices for 0951:1666, use <address> to specify one"),
            (UsbSource::default(), "a USB device is named by"),
        ] {
            let said = found(wanted).unwrap_err();
            assert!(said.contains(complaint), "{said}");
        }
    }
}
