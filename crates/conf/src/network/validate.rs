//! What a document as a whole must fulfil: elements that fit the forward mode and each other.

use super::address::in_subnet;
use super::read::{unsupported, xml_error};
use super::{Facts, Forward, ForwardMode, Network};
use crate::element::Element;
use crate::refuse;
use api::Result;
use std::collections::HashSet;

impl Network {
    /// Refuses what would end a line of dnsmasq's files, unless it stood in the document `before`: that can be mended step by
    /// step. Reading takes it, as libvirt does: what is in a file already is not lost.
    pub fn check_lines(&self, before: Option<&Network>) -> Result<()> {
        let ends = |text: &str| text.contains(['\n', '\r', '\0']);
        let there: HashSet<_> = before.map(Network::in_lines).unwrap_or_default().into_iter().collect();
        match self.in_lines().iter().find(|one| ends(one.1) && !there.contains(*one)) {
            Some((what, text)) => unsupported(format!(
                "{what} '{}' of network '{}' has the end of a line in it: a setting of dnsmasq is one line",
                text.escape_debug(),
                self.name.escape_debug()
            )),
            None => Ok(()),
        }
    }

    /// The texts that stand in lines of dnsmasq's files, each with its element.
    fn in_lines(&self) -> Vec<(&str, &str)> {
        let mut texts: Vec<(&str, &str)> = vec![("<name>", &self.name)];
        texts.extend(self.bridge.name.as_deref().map(|text| ("<bridge name>", text)));
        texts.extend(self.domain.as_deref().map(|text| ("<domain name>", text)));
        let dns = &self.dns;
        texts.extend(dns.forwarders.iter().filter_map(|one| one.domain.as_deref()).map(|text| ("<forwarder>", text)));
        for txt in &dns.txts {
            texts
                .extend([("<txt name>", txt.name.as_str()), ("<txt value>", txt.value.as_deref().unwrap_or_default())]);
        }
        let of_srv = dns.srvs.iter().flat_map(|srv| [&srv.service, &srv.protocol, &srv.domain, &srv.target]);
        texts.extend(of_srv.flatten().map(|text| ("<srv>", text.as_str())));
        texts.extend(dns.hosts.iter().flat_map(|host| &host.names).map(|text| ("<hostname>", text.as_str())));
        for ip in &self.ips {
            texts.extend(ip.tftp_root.as_deref().map(|text| ("<tftp root>", text)));
            texts.extend(ip.bootp.iter().map(|bootp| ("<bootp file>", bootp.file.as_str())));
            let of_hosts = ip.hosts.iter().flat_map(|host| [&host.mac, &host.id, &host.name]);
            texts.extend(of_hosts.flatten().map(|text| ("<host>", text.as_str())));
        }
        texts.extend(self.dnsmasq_options.iter().map(|text| ("<dnsmasq:option>", text.as_str())));
        texts
    }
}

pub(super) fn routes_reachable(network: &Network) -> Result<()> {
    for route in &network.routes {
        let reached = |ip: &super::Ip| ip.prefix().is_some_and(|prefix| in_subnet(route.gateway, ip.address, prefix));
        if !network.ips.iter().any(reached) {
            return unsupported(format!(
                "unreachable static route gateway '{}' specified for network '{}'",
                route.gateway, network.name
            ));
        }
    }
    Ok(())
}

pub(super) fn fits_mode(network: &Network, stp_given: bool) -> Result<()> {
    let (name, bridge, mode) = (&network.name, &network.bridge, network.forward.mode);
    let word = mode.text();
    match mode {
        ForwardMode::None => {}
        ForwardMode::Nat | ForwardMode::Route | ForwardMode::Open if network.ips.is_empty() => {
            return xml_error(format!("{word} forwarding requested, but no IP address provided for network '{name}'"));
        }
        ForwardMode::Nat | ForwardMode::Route | ForwardMode::Open => {
            let devices = network.forward.interfaces.len() + network.forward.addresses.len();
            if devices > 1 {
                return xml_error(format!(
                    "multiple forwarding interfaces specified for network '{name}', only one is supported"
                ));
            }
            if mode == ForwardMode::Open && devices > 0 {
                return xml_error(format!("forward dev not allowed for network '{name}' with forward mode='{word}'"));
            }
        }
        ForwardMode::Bridge
        | ForwardMode::Private
        | ForwardMode::Vepa
        | ForwardMode::Passthrough
        | ForwardMode::Hostdev => {
            if mode != ForwardMode::Bridge {
                let forbidden = [
                    ("name", bridge.name.is_some()),
                    ("zone", bridge.zone.is_some()),
                    ("macTableManager setting", bridge.mac_table_manager.is_some()),
                ];
                if let Some((what, _)) = forbidden.iter().find(|(_, given)| *given) {
                    return xml_error(format!("bridge {what} not allowed in {word} mode (network '{name}')"));
                }
            }
            if bridge.delay > 0 || stp_given || bridge.zone.is_some() {
                return xml_error(format!(
                    "bridge delay/stp/zone options only allowed in route, nat, and isolated mode, not in {word} (network '{name}')"
                ));
            }
            let Forward { interfaces, addresses, pf, .. } = &network.forward;
            let devices = !interfaces.is_empty() || !addresses.is_empty() || pf.is_some();
            if bridge.name.is_some() && devices {
                return xml_error(format!(
                    "A network with forward mode='{word}' can specify a bridge name or a forward dev, but not both (network '{name}')"
                ));
            }
        }
    }
    if network.mtu > 0 && !mode.owns_bridge() {
        return xml_error(format!(
            "mtu size only allowed in open, route, nat, and isolated mode, not in {word} (network '{name}')"
        ));
    }
    Ok(())
}

pub(super) fn validate(network: &Network, facts: &Facts) -> Result<()> {
    let (name, mode) = (&network.name, network.forward.mode);
    if name.contains('\n') {
        return Err(refuse::bad_name('\n'));
    }
    let with_mode = |element: &str| {
        unsupported(format!("Unsupported {element} element in network {name} with forward mode='{}'", mode.text()))
    };
    if !mode.owns_bridge() {
        let dns = &network.dns;
        let own_bridge = mode == ForwardMode::Bridge && network.bridge.name.is_some();
        let forbidden = [
            ("<mac>", network.mac.is_some()),
            ("<ip>", !network.ips.is_empty()),
            ("<dns>", !dns.txts.is_empty() || !dns.hosts.is_empty() || !dns.srvs.is_empty()),
            ("<domain>", network.domain.is_some()),
            ("network-wide <bandwidth>", network.bandwidth.is_some() && !own_bridge),
        ];
        if let Some((element, _)) = forbidden.iter().find(|(_, given)| *given) {
            return with_mode(element);
        }
    }
    devices(network, facts)?;
    one_dhcp(network)?;
    portgroups(network)?;
    Ok(())
}

fn devices(network: &Network, facts: &Facts) -> Result<()> {
    let Forward { mode, interfaces, addresses, .. } = &network.forward;
    if *mode == ForwardMode::Hostdev
        && let Some(dev) = interfaces.first()
    {
        return unsupported(format!(
            "hostdev network '{}' lists '{dev}' in the device pool, but hostdev networks require all devices to be listed by PCI address, not network device name",
            network.name
        ));
    }
    if *mode != ForwardMode::Hostdev && !addresses.is_empty() {
        // The two blanks are libvirt's.
        return unsupported(format!(
            "network '{}' has forward mode '{}'  but lists a device by PCI address in the device pool. This is only supported for networks with forward mode 'hostdev'",
            network.name,
            mode.text()
        ));
    }
    for address in addresses.iter().map(|address| address.text()) {
        if !(facts.is_virtual_function)(&address) {
            return unsupported(format!(
                "device '/sys/bus/pci/devices/{address}' in network '{}' is not an SR-IOV Virtual Function",
                network.name
            ));
        }
    }
    Ok(())
}

fn one_dhcp(network: &Network) -> Result<()> {
    for (family, count) in [
        ("IPv4", network.ipv4().filter(|ip| ip.has_dhcp()).count()),
        ("IPv6", network.ipv6().filter(|ip| ip.has_dhcp()).count()),
    ] {
        if count > 1 {
            return unsupported(format!(
                "Multiple {family} dhcp sections found -- dhcp is supported only for a single {family} address on each network"
            ));
        }
    }
    Ok(())
}

fn portgroups(network: &Network) -> Result<()> {
    let name = &network.name;
    let mut seen = HashSet::new();
    let again: HashSet<&str> =
        network.portgroups.iter().map(|group| group.name.as_str()).filter(|name| !seen.insert(*name)).collect();
    let mut default: Option<&str> = None;
    for group in &network.portgroups {
        if again.contains(group.name.as_str()) {
            return unsupported(format!(
                "multiple <portgroup> elements with the same name ({}) in network '{name}'",
                group.name
            ));
        }
        if group.default {
            if let Some(first) = default {
                return unsupported(format!(
                    "network '{name}' has multiple default <portgroup> elements ({first} and {}), but only one default is allowed",
                    group.name
                ));
            }
            default = Some(&group.name);
        }
    }
    let openvswitch =
        |port: &Option<Element>| port.as_ref().is_some_and(|port| port.attr("type") == Some("openvswitch"));
    let mode = network.forward.mode;
    let allowed = |port: &Option<Element>| {
        matches!(mode, ForwardMode::Hostdev | ForwardMode::Passthrough)
            || mode == ForwardMode::Bridge && (openvswitch(&network.virtualport) || openvswitch(port))
    };
    let wrong = network.vlan.is_some() && !allowed(&None)
        || network.portgroups.iter().any(|group| group.vlan.is_some() && !allowed(&group.virtualport));
    if wrong {
        return unsupported(format!(
            "<vlan> element specified for network {name}, whose type doesn't support vlan configuration"
        ));
    }
    Ok(())
}
