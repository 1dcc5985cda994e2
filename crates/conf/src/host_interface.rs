//! `<interface>`: a network interface of the machine, as `virsh iface-dumpxml` shows it. Written from facts that others have
//! gathered.

use crate::nodedev::Link;
use crate::xml::Writer;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostInterface {
    pub name: String,
    /// Not told of what is plugged into a bridge.
    pub mtu: Option<String>,
    pub kind: HostInterfaceKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostInterfaceKind {
    Ethernet {
        link: Link,
        mac: String,
    },
    Bridge {
        stp: bool,
        /// As the kernel counts it, in hundredths of a second.
        delay: Option<String>,
        ports: Vec<HostInterface>,
    },
    Bond {
        link: Link,
        mode: String,
        monitor: Option<BondMonitor>,
        members: Vec<HostInterface>,
    },
    Vlan {
        link: Link,
        tag: u32,
        /// The interface below.
        device: String,
    },
}

/// How a bond finds out which of its members work; times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BondMonitor {
    Carrier {
        interval: u32,
        down_delay: u32,
        up_delay: u32,
        /// By what the kernel keeps, not by asking the driver.
        kept: bool,
    },
    Arp {
        interval: u32,
        targets: String,
        /// `active`, `backup` or `all`.
        validate: Option<String>,
    },
}

impl HostInterface {
    pub fn format(&self) -> String {
        let mut w = Writer::new();
        self.write(&mut w);
        w.finish()
    }

    fn write(&self, w: &mut Writer) {
        w.open("interface");
        let kind = match self.kind {
            HostInterfaceKind::Ethernet { .. } => "ethernet",
            HostInterfaceKind::Bridge { .. } => "bridge",
            HostInterfaceKind::Bond { .. } => "bond",
            HostInterfaceKind::Vlan { .. } => "vlan",
        };
        w.attr("type", kind);
        w.attr("name", &self.name);
        if let Some(mtu) = &self.mtu {
            w.open("mtu");
            w.attr("size", mtu);
            w.close();
        }
        match &self.kind {
            HostInterfaceKind::Ethernet { link, mac } => {
                link.write(w);
                w.open("mac");
                w.attr("address", mac);
                w.close();
            }
            HostInterfaceKind::Bridge { stp, delay, ports } => {
                w.open("bridge");
                w.attr("stp", if *stp { "on" } else { "off" });
                w.attr_opt("delay", delay.as_ref());
                ports.iter().for_each(|port| port.write(w));
                w.close_apart();
            }
            HostInterfaceKind::Bond { link, mode, monitor, members } => {
                link.write(w);
                w.open("bond");
                w.attr("mode", mode);
                if let Some(monitor) = monitor {
                    monitor.write(w);
                }
                members.iter().for_each(|member| member.write(w));
                w.close_apart();
            }
            HostInterfaceKind::Vlan { link, tag, device } => {
                link.write(w);
                w.open("vlan");
                w.attr("tag", tag);
                w.open("interface");
                w.attr("name", device);
                w.close();
                w.close();
            }
        }
        w.close();
    }
}

impl BondMonitor {
    fn write(&self, w: &mut Writer) {
        let given = |time: u32| Some(time).filter(|time| *time > 0);
        match self {
            BondMonitor::Carrier { interval, down_delay, up_delay, kept } => {
                w.open("miimon");
                w.attr("freq", interval);
                w.attr_opt("downdelay", given(*down_delay));
                w.attr_opt("updelay", given(*up_delay));
                w.attr("carrier", if *kept { "netif" } else { "ioctl" });
            }
            BondMonitor::Arp { interval, targets, validate } => {
                w.open("arpmon");
                w.attr("interval", interval);
                w.attr("target", targets);
                w.attr_opt("validate", validate.as_ref());
            }
        }
        w.close();
    }
}
