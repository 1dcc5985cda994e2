//! Calls about the machine's network interfaces, as libvirt answers them where nobody manages these through it: what
//! /sys/class/net has, seen and not changed. What is plugged into a bridge is listed with that, and the ends of
//! virtual machines not at all.

use crate::call::{Call, known_flags, list_room};
use api::{Code, Error, ErrorDomain, Result};
use conf::host_interface::{BondMonitor, HostInterface, HostInterfaceKind};
use rpc::remote::*;
use std::fs;
use std::path::{Path, PathBuf};

/// Bits of `virConnectListAllInterfacesFlags`.
const INACTIVE: u32 = 1;
const ACTIVE: u32 = 2;

/// One interface: its name, and its folder in /sys.
struct Device {
    name: String,
    folder: PathBuf,
}

impl Device {
    fn named(class: &Path, name: &str) -> Option<Device> {
        let folder = class.join(name);
        let is_name = !name.is_empty() && name != ".." && name != "." && !name.contains('/');
        (is_name && folder.join("address").exists()).then(|| Device { name: name.to_string(), folder })
    }

    fn attribute(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(file)).ok().map(|text| text.trim().to_string())
    }

    fn mac(&self) -> String {
        self.attribute("address").unwrap_or_default()
    }

    fn is_active(&self) -> bool {
        nodedev::link_of(&self.folder).state == "up"
    }

    fn handle(&self) -> NonnullInterface {
        NonnullInterface { name: self.name.as_str().into(), mac: self.mac().as_str().into() }
    }

    fn number(&self, file: &str) -> u32 {
        self.attribute(file).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Of a file that has a word and its number.
    fn word(&self, file: &str) -> Option<String> {
        self.attribute(file)?.split_whitespace().next().map(str::to_string)
    }

    /// `vlans` is the kernel's folder with a file for each VLAN; `inner`: as a part of another.
    fn describe(&self, class: &Path, vlans: &Path, inner: bool) -> HostInterface {
        let parts = |mut names: Vec<String>| {
            names.sort();
            let devices = names.iter().filter_map(|name| Device::named(class, name));
            devices.map(|device| device.describe(class, vlans, true)).collect()
        };
        let link = nodedev::link_of(&self.folder);
        let kind = if self.folder.join("bridge").exists() {
            HostInterfaceKind::Bridge {
                stp: self.attribute("bridge/stp_state").as_deref() != Some("0"),
                delay: self.attribute("bridge/forward_delay"),
                ports: parts(names_in(&self.folder.join("brif"))),
            }
        } else if let Some(mode) = self.word("bonding/mode") {
            let members = self.attribute("bonding/slaves").unwrap_or_default();
            let members = parts(members.split_whitespace().map(str::to_string).collect());
            HostInterfaceKind::Bond { link, mode, monitor: self.bond_monitor(), members }
        } else if let Some((tag, device)) = fs::read_to_string(vlans.join(&self.name)).ok().as_deref().and_then(vlan) {
            HostInterfaceKind::Vlan { link, tag, device: device.to_string() }
        } else {
            HostInterfaceKind::Ethernet { link, mac: self.mac() }
        };
        HostInterface { name: self.name.clone(), mtu: self.attribute("mtu").filter(|_| !inner), kind }
    }

    fn bond_monitor(&self) -> Option<BondMonitor> {
        let known = |word: &String| matches!(word.as_str(), "active" | "backup" | "all");
        match (self.number("bonding/arp_interval"), self.number("bonding/miimon")) {
            (0, 0) => None,
            (0, interval) => Some(BondMonitor::Carrier {
                interval,
                down_delay: self.number("bonding/downdelay"),
                up_delay: self.number("bonding/updelay"),
                kept: self.number("bonding/use_carrier") != 0,
            }),
            (interval, _) => Some(BondMonitor::Arp {
                interval,
                targets: self.attribute("bonding/arp_ip_target").unwrap_or_default(),
                validate: self.word("bonding/arp_validate").filter(known),
            }),
        }
    }
}

/// Tag and device below, from what the kernel tells of a VLAN in /proc/net/vlan: a line with `VID: 5`, one with `Device: eth0`.
fn vlan(text: &str) -> Option<(u32, &str)> {
    let (_, rest) = text.split_once("VID:")?;
    let device = text.lines().find_map(|line| line.strip_prefix("Device:"))?;
    Some((rest.split_whitespace().next()?.parse().ok()?, device.trim()))
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Those of these states, by name.
fn listed(class: &Path, wanted: u32) -> Vec<Device> {
    let mut names = names_in(class);
    names.sort();
    let shown = |device: &Device| {
        !device.folder.join("brport").exists()
            && !device.folder.join("tun_flags").exists()
            && wanted & if device.is_active() { ACTIVE } else { INACTIVE } != 0
    };
    names.iter().filter_map(|name| Device::named(class, name)).filter(shown).collect()
}

fn found(class: &Path, name: &str) -> Result<Device> {
    Device::named(class, name).ok_or_else(|| no_interface(format!("couldn't find interface named '{name}'")))
}

fn no_interface(words: String) -> Error {
    Error::new(ErrorDomain::Interface, Code::NoInterface, words)
}

fn names(call: &Call, maximum: i32, wanted: u32) -> Result<ConnectListInterfacesRet> {
    let room = list_room("maxnames", maximum, "REMOTE_INTERFACE_LIST_MAX")?;
    let devices = listed(&call.daemon.host.interfaces(), wanted);
    Ok(ConnectListInterfacesRet { names: devices.iter().take(room).map(|one| one.name.as_str().into()).collect() })
}

pub fn list_active(call: &Call, args: ConnectListInterfacesArgs) -> Result<ConnectListInterfacesRet> {
    names(call, args.maxnames, ACTIVE)
}

pub fn list_inactive(call: &Call, args: ConnectListDefinedInterfacesArgs) -> Result<ConnectListDefinedInterfacesRet> {
    Ok(ConnectListDefinedInterfacesRet { names: names(call, args.maxnames, INACTIVE)?.names })
}

pub fn count_active(call: &Call, _: ()) -> Result<ConnectNumOfInterfacesRet> {
    Ok(ConnectNumOfInterfacesRet { num: listed(&call.daemon.host.interfaces(), ACTIVE).len() as i32 })
}

pub fn count_inactive(call: &Call, _: ()) -> Result<ConnectNumOfDefinedInterfacesRet> {
    Ok(ConnectNumOfDefinedInterfacesRet { num: listed(&call.daemon.host.interfaces(), INACTIVE).len() as i32 })
}

pub fn list_all(call: &Call, args: ConnectListAllInterfacesArgs) -> Result<ConnectListAllInterfacesRet> {
    known_flags(args.flags, ACTIVE | INACTIVE, "udevConnectListAllInterfaces", ErrorDomain::Interface)?;
    let wanted = if args.flags == 0 { ACTIVE | INACTIVE } else { args.flags };
    let devices = listed(&call.daemon.host.interfaces(), wanted);
    let ifaces = devices.iter().filter(|_| args.need_results != 0).map(Device::handle).collect();
    Ok(ConnectListAllInterfacesRet { ifaces, ret: devices.len() as u32 })
}

pub fn lookup_by_name(call: &Call, args: InterfaceLookupByNameArgs) -> Result<InterfaceLookupByNameRet> {
    let iface = found(&call.daemon.host.interfaces(), &args.name.to_string_lossy())?.handle();
    Ok(InterfaceLookupByNameRet { iface })
}

pub fn lookup_by_mac(call: &Call, args: InterfaceLookupByMacStringArgs) -> Result<InterfaceLookupByMacStringRet> {
    let mac = args.mac.to_string_lossy();
    let class = call.daemon.host.interfaces();
    let devices = names_in(&class).into_iter().filter_map(|name| Device::named(&class, &name));
    let matching: Vec<Device> = devices.filter(|device| device.mac().eq_ignore_ascii_case(&mac)).collect();
    match matching.as_slice() {
        [] => Err(no_interface(format!("couldn't find interface with MAC address '{mac}'"))),
        [one] => Ok(InterfaceLookupByMacStringRet { iface: one.handle() }),
        _ => {
            let words = format!("the MAC address '{mac}' matches multiple interfaces");
            Err(Error::new(ErrorDomain::Interface, Code::MultipleInterfaces, words))
        }
    }
}

pub fn is_active(call: &Call, args: InterfaceIsActiveArgs) -> Result<InterfaceIsActiveRet> {
    let device = found(&call.daemon.host.interfaces(), &args.iface.name.to_string_lossy())?;
    Ok(InterfaceIsActiveRet { active: device.is_active().into() })
}

pub fn xml(call: &Call, args: InterfaceGetXmlDescArgs) -> Result<InterfaceGetXmlDescRet> {
    known_flags(args.flags, 1, "udevInterfaceGetXMLDesc", ErrorDomain::Interface)?;
    let class = call.daemon.host.interfaces();
    let device = found(&class, &args.iface.name.to_string_lossy())?;
    Ok(InterfaceGetXmlDescRet { xml: device.describe(&class, &call.daemon.host.vlans(), false).format().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (file, content) below one folder of /sys/class/net.
    fn device(class: &Path, name: &str, files: &[(&str, &str)]) {
        for (file, content) in files {
            let path = class.join(name).join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{content}\n")).unwrap();
        }
    }

    #[test]
    fn as_libvirt_shows_them() {
        let folder = std::env::temp_dir().join(format!("virtlxc-interfaces-{}", std::process::id()));
        let class = folder.as_path();
        let up = [("address", "02:00:00:00:00:01"), ("operstate", "up"), ("mtu", "1500"), ("speed", "1000")];
        device(class, "eth0", &up);
        device(
            class,
            "v0",
            &[("address", "02:00:00:00:00:02"), ("operstate", "down"), ("mtu", "1500"), ("brport/x", "")],
        );
        device(class, "tap0", &[("address", "02:00:00:00:00:03"), ("operstate", "up"), ("tun_flags", "0x1")]);
        let bridge = [("bridge/stp_state", "0"), ("bridge/forward_delay", "1500"), ("brif/v0", "")];
        device(class, "br7", &[("address", "02:00:00:00:00:02"), ("operstate", "down"), ("mtu", "1500")]);
        device(class, "br7", &bridge);
        let names = |wanted| listed(class, wanted).into_iter().map(|one| one.name).collect::<Vec<_>>();
        assert_eq!((names(ACTIVE), names(INACTIVE)), (vec!["eth0".to_string()], vec!["br7".to_string()]));
        let xml = |name| found(class, name).unwrap().describe(class, &folder.join("vlans"), false).format();
        assert_eq!(
            xml("eth0"),
            "<interface type='ethernet' name='eth0'>\n  <mtu size='1500'/>\n  <link speed='1000' state='up'/>\n  \
             <mac address='02:00:00:00:00:01'/>\n</interface>\n"
        );
        assert_eq!(
            xml("br7"),
            "<interface type='bridge' name='br7'>\n  <mtu size='1500'/>\n  <bridge stp='off' delay='1500'>\n    \
             <interface type='ethernet' name='v0'>\n      <link state='down'/>\n      \
             <mac address='02:00:00:00:00:02'/>\n    </interface>\n  </bridge>\n</interface>\n"
        );

        let bond = [("address", "02:00:00:00:00:07"), ("operstate", "up"), ("speed", "1000"), ("mtu", "9000")];
        device(class, "bond7", &bond);
        let monitored = [("mode", "802.3ad 4"), ("miimon", "100"), ("updelay", "200"), ("downdelay", "0")];
        let settings = [("use_carrier", "1"), ("arp_interval", "0"), ("slaves", "eth0 gone")];
        device(&class.join("bond7"), "bonding", &[&monitored[..], &settings[..]].concat());
        assert_eq!(
            xml("bond7"),
            "<interface type='bond' name='bond7'>\n  <mtu size='9000'/>\n  <link speed='1000' state='up'/>\n  \
             <bond mode='802.3ad'>\n    <miimon freq='100' updelay='200' carrier='netif'/>\n    \
             <interface type='ethernet' name='eth0'>\n      <link speed='1000' state='up'/>\n      \
             <mac address='02:00:00:00:00:01'/>\n    </interface>\n  </bond>\n</interface>\n"
        );
        let settings = [("arp_interval", "250"), ("arp_ip_target", "10.0.0.1,10.0.0.2"), ("slaves", "")];
        device(&class.join("bond7"), "bonding", &settings);
        for (validate, shown) in [("none 0", ""), ("backup 2", " validate='backup'"), ("filter 4", "")] {
            device(&class.join("bond7"), "bonding", &[("arp_validate", validate)]);
            let expected = format!(
                "  <bond mode='802.3ad'>\n    <arpmon interval='250' target='10.0.0.1,10.0.0.2'{shown}/>\n  </bond>\n"
            );
            assert!(xml("bond7").contains(&expected), "{}", xml("bond7"));
        }
        device(&class.join("bond7"), "bonding", &[("arp_interval", "0"), ("miimon", "0")]);
        assert!(xml("bond7").contains("<bond mode='802.3ad'>\n  </bond>"), "{}", xml("bond7"));

        device(class, "eth0.5", &[("address", "02:00:00:00:00:01"), ("operstate", "down"), ("mtu", "1500")]);
        let told =
            "eth0.5  VID: 5\t REORDER_HDR: 1  dev->priv_flags: 1\n\nDevice: eth0\nINGRESS priority mappings: 0:0";
        device(class, "vlans", &[("eth0.5", told)]);
        assert_eq!(
            xml("eth0.5"),
            "<interface type='vlan' name='eth0.5'>\n  <mtu size='1500'/>\n  <link state='down'/>\n  <vlan tag='5'>\n    \
             <interface name='eth0'/>\n  </vlan>\n</interface>\n"
        );
        assert!(found(class, "../etc").is_err() && found(class, "..").is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
