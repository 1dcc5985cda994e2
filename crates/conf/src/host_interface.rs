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
}

impl HostInterface {
    pub fn format(&self) -> String {
        let mut w = Writer::new();
        self.write(&mut w);
        w.finish()
    }

    fn write(&self, w: &mut Writer) {
        w.open("interface");
        w.attr("type", if matches!(self.kind, HostInterfaceKind::Bridge { .. }) { "bridge" } else { "ethernet" });
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
        }
        w.close();
    }
}
