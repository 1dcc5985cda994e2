//! Calls about the machine's network interfaces, as libvirt answers them where nobody manages these through it: what
//! /sys/class/net has, seen and not changed. What is plugged into a bridge is listed with that, and the ends of
//! virtual machines not at all.

use crate::call::{Call, known_flags, list_room};
use api::{Code, Error, ErrorDomain, Result};
use conf::host_interface::{HostInterface, HostInterfaceKind};
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

    /// What is plugged into this bridge, by name.
    fn ports(&self, class: &Path) -> Vec<Device> {
        let mut names = names_in(&self.folder.join("brif"));
        names.sort();
        names.iter().filter_map(|name| Device::named(class, name)).collect()
    }

    /// `inner`: as a port of a bridge.
    fn describe(&self, class: &Path, inner: bool) -> HostInterface {
        let bridge = self.folder.join("bridge").exists();
        HostInterface {
            name: self.name.clone(),
            mtu: self.attribute("mtu").filter(|_| !inner),
            kind: match bridge {
                true => HostInterfaceKind::Bridge {
                    stp: self.attribute("bridge/stp_state").as_deref() != Some("0"),
                    delay: self.attribute("bridge/forward_delay"),
                    ports: self.ports(class).iter().map(|port| port.describe(class, true)).collect(),
                },
                false => HostInterfaceKind::Ethernet { link: nodedev::link_of(&self.folder), mac: self.mac() },
            },
        }
    }
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
    Ok(InterfaceGetXmlDescRet { xml: device.describe(&class, false).format().into() })
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
        let xml = |name| found(class, name).unwrap().describe(class, false).format();
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
        assert!(found(class, "../etc").is_err() && found(class, "..").is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
