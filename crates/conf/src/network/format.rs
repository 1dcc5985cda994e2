//! A network's document written, in libvirt's order and layout.

use super::parse::DNSMASQ_NAMESPACE;
use super::{DhcpHost, Dns, Forward, ForwardMode, Ip, Lease, MacTableManager, Network, PortGroup, StaticRoute};
use crate::xml::Writer;

/// How many interfaces are plugged in, for the live document: all, and by forward device.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    pub all: usize,
    pub by_device: Vec<(String, usize)>,
}

impl Network {
    /// The persistent document.
    pub fn format(&self) -> String {
        self.format_live(&Connections::default())
    }

    pub fn format_live(&self, connections: &Connections) -> String {
        let mut w = Writer::new();
        self.write(&mut w, connections);
        w.finish()
    }

    pub(super) fn write(&self, w: &mut Writer, connections: &Connections) {
        w.open("network");
        w.attr_opt("xmlns:dnsmasq", (!self.dnsmasq_options.is_empty()).then_some(DNSMASQ_NAMESPACE));
        w.attr_opt("connections", Some(connections.all).filter(|count| *count > 0));
        w.attr_opt("ipv6", self.ipv6.then_some("yes"));
        yes_no(w, "trustGuestRxFilters", self.trust_guest_rx_filters);
        w.text("name", &self.name);
        w.text("uuid", self.uuid);
        if let Some(metadata) = &self.metadata {
            w.ready(&metadata.write(w.level()));
        }
        if self.forward.mode != ForwardMode::None {
            forward(w, &self.forward, connections);
        }
        self.write_bridge(w);
        if self.mtu > 0 {
            w.open("mtu");
            w.attr("size", self.mtu);
            w.close();
        }
        if let Some(mac) = self.mac {
            w.open("mac");
            w.attr("address", mac);
            w.close();
        }
        if let Some(name) = &self.domain {
            w.open("domain");
            w.attr("name", name);
            yes_no(w, "localOnly", self.domain_local_only);
            w.close();
        }
        dns(w, &self.dns);
        self.vlan.iter().for_each(|vlan| vlan.write(w));
        self.bandwidth.iter().for_each(|bandwidth| bandwidth.write(w, None));
        if self.port_isolated.is_some() {
            w.open("port");
            yes_no(w, "isolated", self.port_isolated);
            w.close();
        }
        for element in &self.ips {
            ip(w, element);
        }
        for element in &self.routes {
            route(w, element);
        }
        self.virtualport.iter().for_each(|port| port.write(w));
        for element in &self.portgroups {
            portgroup(w, element);
        }
        if !self.dnsmasq_options.is_empty() {
            w.open("dnsmasq:options");
            for value in &self.dnsmasq_options {
                w.open("dnsmasq:option");
                w.attr("value", value);
                w.close();
            }
            w.close();
        }
        w.close();
    }

    fn write_bridge(&self, w: &mut Writer) {
        let bridge = &self.bridge;
        let owned = self.forward.mode.owns_bridge();
        if bridge.name.is_none() && bridge.mac_table_manager.is_none() && !owned {
            return;
        }
        w.open("bridge");
        w.attr_opt("name", bridge.name.as_ref());
        w.attr_opt("zone", bridge.zone.as_ref());
        if owned {
            w.attr("stp", if bridge.stp { "on" } else { "off" });
            w.attr("delay", bridge.delay);
        }
        w.attr_opt(
            "macTableManager",
            bridge.mac_table_manager.map(|manager| match manager {
                MacTableManager::Kernel => "kernel",
                MacTableManager::Libvirt => "libvirt",
            }),
        );
        w.close();
    }
}

fn yes_no(w: &mut Writer, name: &str, value: Option<bool>) {
    w.attr_opt(name, value.map(|value| if value { "yes" } else { "no" }));
}

fn forward(w: &mut Writer, forward: &Forward, connections: &Connections) {
    // Interfaces that were added beside a physical function are not told.
    let interfaces: &[String] = if forward.pf.is_none() { &forward.interfaces } else { &[] };
    w.open("forward");
    w.attr_opt("dev", interfaces.first());
    w.attr("mode", forward.mode.text());
    if forward.mode == ForwardMode::Hostdev {
        w.attr("managed", if forward.managed { "yes" } else { "no" });
    }
    if let Some(name) = &forward.driver {
        w.open("driver");
        w.attr("name", name);
        w.close();
    }
    let nat = &forward.nat;
    if nat.ipv6.is_some() || nat.address.is_some() || nat.port != (0, 0) {
        w.open("nat");
        yes_no(w, "ipv6", nat.ipv6);
        if let Some((start, end)) = nat.address {
            w.open("address");
            w.attr("start", start);
            w.attr("end", end);
            w.close();
        }
        if nat.port != (0, 0) {
            w.open("port");
            w.attr("start", nat.port.0);
            w.attr("end", nat.port.1);
            w.close();
        }
        w.close();
    }
    if let Some(dev) = &forward.pf {
        w.open("pf");
        w.attr("dev", dev);
        w.close();
    }
    for dev in interfaces {
        w.open("interface");
        w.attr("dev", dev);
        let used = connections.by_device.iter().find(|(name, _)| name == dev).map(|(_, count)| *count);
        w.attr_opt("connections", used.filter(|count| *count > 0));
        w.close();
    }
    for address in &forward.addresses {
        w.open("address");
        w.attr("type", "pci");
        w.attr("domain", format_args!("0x{:04x}", address.domain));
        w.attr("bus", format_args!("0x{:02x}", address.bus));
        w.attr("slot", format_args!("0x{:02x}", address.slot));
        w.attr("function", format_args!("0x{:x}", address.function));
        w.close();
    }
    w.close();
}

fn dns(w: &mut Writer, dns: &Dns) {
    if *dns == Dns::default() {
        return;
    }
    w.open("dns");
    yes_no(w, "enable", dns.enable);
    yes_no(w, "forwardPlainNames", dns.forward_plain_names);
    for forwarder in &dns.forwarders {
        w.open("forwarder");
        w.attr_opt("domain", forwarder.domain.as_ref());
        w.attr_opt("addr", forwarder.address);
        w.close();
    }
    for txt in &dns.txts {
        w.open("txt");
        w.attr("name", &txt.name);
        w.attr_opt("value", txt.value.as_ref());
        w.close();
    }
    for srv in &dns.srvs {
        w.open("srv");
        w.attr_opt("service", srv.service.as_ref());
        w.attr_opt("protocol", srv.protocol.as_ref());
        w.attr_opt("domain", srv.domain.as_ref());
        w.attr_opt("target", srv.target.as_ref());
        for (name, value) in [("port", srv.port), ("priority", srv.priority), ("weight", srv.weight)] {
            w.attr_opt(name, Some(value).filter(|value| *value > 0));
        }
        w.close();
    }
    for host in &dns.hosts {
        w.open("host");
        w.attr_opt("ip", host.ip);
        for name in &host.names {
            w.text("hostname", name);
        }
        w.close();
    }
    w.close();
}

fn ip(w: &mut Writer, ip: &Ip) {
    w.open("ip");
    w.attr_opt("family", ip.family.as_ref());
    w.attr("address", ip.address);
    w.attr_opt("netmask", ip.netmask);
    w.attr_opt("prefix", Some(ip.prefix).filter(|prefix| *prefix > 0));
    yes_no(w, "localPtr", ip.local_ptr);
    if let Some(root) = &ip.tftp_root {
        w.open("tftp");
        w.attr("root", root);
        w.close();
    }
    if ip.has_dhcp() {
        w.open("dhcp");
        for range in &ip.ranges {
            w.open("range");
            w.attr("start", range.start);
            w.attr("end", range.end);
            lease(w, range.lease);
            w.close();
        }
        for element in &ip.hosts {
            host(w, element);
        }
        if let Some(bootp) = &ip.bootp {
            w.open("bootp");
            w.attr("file", &bootp.file);
            w.attr_opt("server", bootp.server);
            w.close();
        }
        w.close();
    }
    w.close_apart();
}

fn host(w: &mut Writer, host: &DhcpHost) {
    w.open("host");
    w.attr_opt("mac", host.mac.as_ref());
    w.attr_opt("id", host.id.as_ref());
    w.attr_opt("name", host.name.as_ref());
    w.attr_opt("ip", host.ip);
    lease(w, host.lease);
    w.close();
}

fn lease(w: &mut Writer, lease: Option<Lease>) {
    let Some(lease) = lease else { return };
    w.open("lease");
    w.attr("expiry", lease.expiry);
    w.attr_opt("unit", (lease.expiry > 0).then(|| lease.unit.text()));
    w.close();
}

fn route(w: &mut Writer, route: &StaticRoute) {
    w.open("route");
    w.attr_opt("family", route.family.as_ref());
    w.attr("address", route.address);
    w.attr_opt("netmask", route.netmask);
    w.attr_opt("prefix", route.prefix);
    w.attr("gateway", route.gateway);
    w.attr_opt("metric", route.metric);
    w.close();
}

fn portgroup(w: &mut Writer, group: &PortGroup) {
    w.open("portgroup");
    w.attr("name", &group.name);
    w.attr_opt("default", group.default.then_some("yes"));
    yes_no(w, "trustGuestRxFilters", group.trust_guest_rx_filters);
    group.vlan.iter().for_each(|vlan| vlan.write(w));
    group.virtualport.iter().for_each(|port| port.write(w));
    group.bandwidth.iter().for_each(|bandwidth| bandwidth.write(w, None));
    w.close_apart();
}
