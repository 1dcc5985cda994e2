//! Network interfaces: reading.

use super::parse::Context;
use super::*;
use crate::mac::Mac;
use crate::number;
use crate::refuse::{self, Place};
use crate::xml::Node;
use api::{Error, ErrorDomain};
use std::net::IpAddr;

const KINDS: [&str; 15] = [
    "user",
    "ethernet",
    "vhostuser",
    "server",
    "client",
    "mcast",
    "network",
    "bridge",
    "internal",
    "direct",
    "hostdev",
    "udp",
    "vdpa",
    "null",
    "vds",
];

pub(super) fn interface(node: Node, context: &Context) -> Result<Interface> {
    let kind = node.attr("type").unwrap_or("user");
    if !KINDS.contains(&kind) {
        return Err(refuse::bad_attribute("interface", "type", kind, ""));
    }
    let trust_guest_rx_filters = refuse::word(node, "trustGuestRxFilters", refuse::yes_no)?;
    let child_attr = |child: &str, name: &str| node.child(child).and_then(|c| c.attr(name)).map(str::to_string);
    let source = source(node, kind, context)?;
    let mut kept = Vec::new();
    kept.extend(node.child("virtualport").map(|n| netdev::virtual_port(n, kind, context).at(n)).transpose()?);
    let (mac, mac_generated, mac_kept) = mac(node, context)?;
    if kind != "ethernet" {
        if let Some(parent) = node.child("source").filter(|s| s.child("ip").or(s.child("route")).is_some()) {
            let message = format!(
                "Invalid attempt to set network interface host-side IP route and/or address info on interface of \
                 type '{kind}'. This is only supported on interfaces of type 'ethernet'"
            );
            return Err(refuse::unsupported(message)).at(parent);
        }
    }
    let ips = addresses(node)?;
    let routes = routes(node)?;
    let made_up = |dev: &str| ["vnet", "macvtap", "macvlan"].iter().any(|prefix| dev.starts_with(prefix));
    let target_dev = child_attr("target", "dev").filter(|dev| context.live || !made_up(dev)).filter(|d| !d.is_empty());
    let target_managed = match node.child("target") {
        Some(target) => refuse::word(target, "managed", refuse::yes_no).at(target)?,
        None => None,
    };
    if target_managed == Some(false) && kind != "ethernet" {
        let message = format!("unmanaged target dev is not supported on interfaces of type '{kind}'");
        return Err(refuse::unsupported(message));
    }
    let model = node.child("model").map(|m| netdev::model(m).at(m)).transpose()?.flatten();
    let virtio = model.as_ref().is_some_and(|model| model.starts_with("virtio"));
    let bandwidth = node.child("bandwidth").map(|n| netdev::bandwidth(n).at(n)).transpose()?;
    if let Some(inbound) = bandwidth.as_ref().and_then(|b| b.inbound).filter(|_| kind != "network") {
        if inbound.floor > 0 {
            return Err(refuse::unsupported("floor attribute is not supported for this config"));
        }
    }
    let vlan = node.child("vlan").filter(|_| matches!(kind, "network" | "bridge" | "direct" | "hostdev"));
    kept.extend(vlan.map(|n| netdev::vlan(n).at(n)).transpose()?);
    if let Some(port) = node.child("port") {
        let isolated = refuse::word(port, "isolated", refuse::yes_no).at(port)?;
        kept.extend(isolated.map(|on| Element::new("port").with("isolated", if on { "yes" } else { "no" })));
    }
    for (name, shape) in [
        ("portForward", "portForward"),
        ("driver", "interfaceDriver"),
        ("backend", "interfaceBackend"),
        ("teaming", "teaming"),
        ("coalesce", "coalesce"),
        ("rom", "rom"),
    ] {
        let child = node.child(name).map(|child| context.keep(child, shape)).transpose()?;
        let shown = |element: &Element| !element.is_bare() && (name != "driver" || virtio);
        kept.extend(child.filter(shown));
    }
    if let Some(tune) = node.child("tune").and_then(|t| t.child("sndbuf")) {
        let text = tune.text();
        let bad = || refuse::xml("sndbuf must be a positive integer");
        let number = number::u64_wrapping(&text, 10).ok_or_else(bad).at(tune)?;
        let sndbuf = Element { text: Some(number.to_string()), ..Element::new("sndbuf") };
        kept.push(Element::new("tune").containing(sndbuf));
    }
    for (name, attribute) in [("downscript", "path"), ("backenddomain", "name")] {
        kept.extend(child_attr(name, attribute).map(|value| Element::new(name).with(attribute, value)));
    }
    kept.extend(storage::info(node, context)?);
    let alias = child_attr("alias", "name").filter(|_| context.live);
    kept.retain(|element| element.name != "alias");
    let filterref = node.child("filterref").and_then(|n| netdev::filter(n, kind));
    Ok(Interface {
        mac,
        mac_generated,
        mac_kept,
        source,
        port_id: child_attr("source", "portid").filter(|_| context.live).and_then(|id| Uuid::parse(&id)),
        actual: if context.live { netdev::actual(node, context)? } else { None },
        ips,
        routes,
        target_dev,
        target_managed,
        guest_dev: child_attr("guest", "dev").filter(|dev| !dev.is_empty()),
        guest_actual: child_attr("guest", "actual"),
        model,
        link_up: link(node)?,
        mtu: mtu(node)?,
        script: child_attr("script", "path"),
        trust_guest_rx_filters,
        filterref,
        bandwidth,
        alias,
        kept,
    })
}

/// Address, whether it was made up, and what else `<mac>` says.
type MacParts = (Mac, bool, Vec<(String, String)>);

fn mac(node: Node, context: &Context) -> Result<MacParts> {
    let Some(mac) = node.child("mac") else { return Ok((context.random_mac(), true, Vec::new())) };
    let mut kept = Vec::new();
    let address = match mac.attr("address") {
        None => None,
        Some(text) => {
            let bad = || refuse::xml(format!("unable to parse mac address '{text}'"));
            let address = Mac::parse(text).ok_or_else(bad).at(mac)?;
            if address.is_multicast() {
                let message = format!("expected unicast mac address, found multicast '{text}'");
                return Err(refuse::xml(message)).at(mac);
            }
            Some(address)
        }
    };
    match mac.attr("type") {
        None => {}
        Some(kind @ ("generated" | "static")) => kept.push(("type".to_string(), kind.to_string())),
        Some(other) => return Err(refuse::bad_attribute("mac", "type", other, "")).at(mac),
    }
    if let Some(check) = refuse::word(mac, "check", refuse::yes_no).at(mac)? {
        kept.push(("check".to_string(), if check { "yes" } else { "no" }.to_string()));
    }
    Ok((address.unwrap_or_else(|| context.random_mac()), address.is_none(), kept))
}

fn source(node: Node, kind: &str, context: &Context) -> Result<InterfaceSource> {
    let source = node.child("source");
    let needed = || source.ok_or_else(|| refuse::xml(format!("interface type='{kind}' requires a 'source' element")));
    let attr = |name: &str| source.and_then(|s| s.attr(name)).map(str::to_string);
    Ok(match kind {
        "network" => InterfaceSource::Network {
            network: refuse::required(needed()?, "network")?.to_string(),
            portgroup: attr("portgroup"),
        },
        "bridge" => InterfaceSource::Bridge { bridge: refuse::required(needed()?, "bridge")?.to_string() },
        "direct" => {
            let dev = refuse::required(needed()?, "dev")?.to_string();
            let mode = refuse::word(needed()?, "mode", DirectMode::from_word)?;
            InterfaceSource::Direct { dev, mode: mode.unwrap_or(DirectMode::Vepa) }
        }
        "ethernet" => match source {
            Some(source) => InterfaceSource::Ethernet { ips: addresses(source)?, routes: routes(source)? },
            None => InterfaceSource::Ethernet { ips: Vec::new(), routes: Vec::new() },
        },
        "user" | "null" => InterfaceSource::Other { kind: kind.to_string(), source: None },
        _ => {
            let source = netdev::other_source(needed()?, kind, context)?;
            InterfaceSource::Other { kind: kind.to_string(), source: Some(source) }
        }
    })
}

fn link(node: Node) -> Result<Option<bool>> {
    match node.child("link").and_then(|l| l.attr("state")) {
        None => Ok(None),
        Some("up") => Ok(Some(true)),
        Some("down") => Ok(Some(false)),
        Some(other) => Err(refuse::unsupported(format!("unknown interface link state '{other}'"))),
    }
}

fn mtu(node: Node) -> Result<u32> {
    match node.child("mtu").and_then(|m| m.attr("size")) {
        None => Ok(0),
        Some(text) => number::u32_wrapping(text, 10).ok_or_else(|| refuse::xml("malformed mtu size")),
    }
}

/// The `<ip>` elements of an interface or of its source.
pub(super) fn addresses(node: Node) -> Result<Vec<InterfaceAddress>> {
    node.all("ip").map(|child| address(child).at(child)).collect()
}

fn address(node: Node) -> Result<InterfaceAddress> {
    let text = node.attr("address").ok_or_else(|| refuse::xml("Missing required address in <ip>"))?;
    let bad = || refuse::xml(format!("Invalid address '{text}' in <ip>"));
    let fits = |address: &IpAddr| match node.attr("family") {
        Some("ipv4") => address.is_ipv4(),
        Some("ipv6") => address.is_ipv6(),
        _ => true,
    };
    let address: IpAddr = text.parse().ok().filter(fits).ok_or_else(bad)?;
    let prefix = match node.attr("prefix") {
        None => None,
        Some(text) => {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let prefix = number::u32_wrapping(text, 10).filter(|prefix| *prefix <= most);
            let bad = || refuse::xml(format!("Invalid prefix value '{text}' in <ip>"));
            Some(prefix.ok_or_else(bad)? as u8).filter(|prefix| *prefix != 0)
        }
    };
    let peer = match node.attr("peer") {
        None => None,
        Some(text) => {
            let peer: Option<IpAddr> = text.parse().ok().filter(|p: &IpAddr| p.is_ipv4() == address.is_ipv4());
            Some(peer.ok_or_else(|| refuse::xml(format!("Invalid peer '{text}' in <ip>")))?)
        }
    };
    Ok(InterfaceAddress { address, prefix, peer })
}

/// The `<route>` elements of an interface or of its source.
pub(super) fn routes(node: Node) -> Result<Vec<Route>> {
    node.all("route").map(|child| route(child).at(child)).collect()
}

fn route(node: Node) -> Result<Route> {
    let refused = |message: String| Error::xml(ErrorDomain::Network, format!("guest interface: {message}"));
    let needed = |name: &str| {
        let missing = || refused(format!("Missing required {name} attribute in route definition"));
        node.attr(name).ok_or_else(missing)
    };
    let family = node.attr("family").map(str::to_string);
    let (address_text, gateway_text) = (needed("address")?, needed("gateway")?);
    let netmask_text = node.attr("netmask");
    let parsed = |text: &str, what: &str| {
        let bad = || refused(format!("Bad {what} address '{text}' in route definition"));
        text.parse::<IpAddr>().map_err(|_| bad())
    };
    let address = parsed(address_text, "network")?;
    let gateway = parsed(gateway_text, "gateway")?;
    let netmask = netmask_text.map(|text| parsed(text, "netmask")).transpose()?;
    let prefix = match node.attr("prefix") {
        None => None,
        Some(text) => {
            let bad = || refused(format!("Invalid prefix '{text}' specified in route definition"));
            Some(number::u32_of(text, 10).ok_or_else(bad)?)
        }
    };
    let all = [("address", Some((address, address_text))), ("gateway", Some((gateway, gateway_text)))];
    let netmask_part = ("netmask", netmask.zip(netmask_text));
    let v6 = match family.as_deref() {
        None | Some("ipv4") => {
            let said = if family.is_some() { "ipv4 family" } else { "No family" };
            for (what, found) in all.into_iter().chain([netmask_part]) {
                if let Some((_, text)) = found.filter(|(ip, _)| !ip.is_ipv4()) {
                    let message = format!("{said} specified for non-IPv4 {what} '{text}' in route definition");
                    return Err(refused(message));
                }
            }
            false
        }
        Some("ipv6") => {
            for (what, found) in all {
                if let Some((_, text)) = found.filter(|(ip, _)| !ip.is_ipv6()) {
                    let message = format!("ipv6 family specified for non-IPv6 {what} '{text}' in route definition");
                    return Err(refused(message));
                }
            }
            if netmask.is_some() {
                let message =
                    format!("Specifying netmask invalid for IPv6 address '{address_text}' in route definition");
                return Err(refused(message));
            }
            true
        }
        Some(other) => return Err(refused(format!("Unrecognized family '{other}' in route definition"))),
    };
    if netmask.is_some() && prefix.is_some() {
        return Err(refused("Route definition cannot have both a prefix and a netmask".to_string()));
    }
    let most = if v6 { 128 } else { 32 };
    if let Some(prefix) = prefix.filter(|prefix| *prefix > most) {
        return Err(refused(format!("Invalid prefix {prefix} specified in route definition, must be 0 - {most}")));
    }
    if !is_network(address, netmask, prefix) {
        return Err(refused(format!("Address '{address_text}' in route definition is not a network address")));
    }
    let metric = match node.attr("metric") {
        None => None,
        Some(text) => {
            let bad = || refused(format!("Invalid metric '{text}' specified in route definition"));
            Some(number::u32_of(text, 10).filter(|metric| *metric > 0).ok_or_else(bad)?)
        }
    };
    Ok(Route { family, address, netmask, prefix: prefix.map(|prefix| prefix as u8), gateway, metric })
}

/// Whether no bits are set outside of the network's; without mask or prefix the address's class decides.
fn is_network(address: IpAddr, netmask: Option<IpAddr>, prefix: Option<u32>) -> bool {
    match (address, netmask) {
        (IpAddr::V4(v4), Some(IpAddr::V4(mask))) => v4.to_bits() & !mask.to_bits() == 0,
        (IpAddr::V4(v4), _) => {
            let class = match v4.octets()[0] {
                0 if v4.is_unspecified() => 0,
                0..128 => 8,
                128..192 => 16,
                192..224 => 24,
                _ => 32,
            };
            let host_bits = 32 - prefix.unwrap_or(class).min(32);
            host_bits == 32 && v4.is_unspecified() || u64::from(v4.to_bits()).trailing_zeros() >= host_bits
        }
        (IpAddr::V6(v6), _) => {
            let host_bits = 128 - prefix.unwrap_or(if v6.is_unspecified() { 0 } else { 64 }).min(128);
            v6.to_bits().trailing_zeros() >= host_bits
        }
    }
}

pub(super) fn address_element(ip: &InterfaceAddress) -> Element {
    let family = if ip.address.is_ipv4() { "ipv4" } else { "ipv6" };
    let mut element = Element::new("ip").with("address", ip.address).with("family", family);
    if let Some(prefix) = ip.prefix {
        element.set("prefix", prefix);
    }
    if let Some(peer) = ip.peer {
        element.set("peer", peer);
    }
    element
}

pub(super) fn route_element(route: &Route) -> Element {
    let mut element = Element::new("route");
    if let Some(family) = &route.family {
        element.set("family", family);
    }
    element.set("address", route.address);
    if let Some(netmask) = route.netmask {
        element.set("netmask", netmask);
    }
    if let Some(prefix) = route.prefix {
        element.set("prefix", prefix);
    }
    element.set("gateway", route.gateway);
    if let Some(metric) = route.metric {
        element.set("metric", metric);
    }
    element
}
