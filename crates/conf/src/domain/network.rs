//! Network interfaces: reading.

use super::parse::{Check, Context};
use super::*;
use crate::address;
use crate::mac::Mac;
use crate::number;
use crate::refuse::{self, Place};
use crate::xml::Node;
use api::{Code, Error, ErrorDomain};
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
    let model = node.child("model").map(|m| netdev::model(m, context).at(m)).transpose()?.flatten();
    let virtio = model.as_ref().is_some_and(|model| model.starts_with("virtio"));
    let source = source(node, kind, context)?;
    let bandwidth = node.child("bandwidth").map(|n| crate::netdev::bandwidth(n).at(n)).transpose()?.flatten();
    let vlan = node.child("vlan").map(|n| crate::netdev::vlan(n).at(n)).transpose()?;
    let mut kept = Vec::new();
    kept.extend(node.child("virtualport").map(|n| netdev::virtual_port(n, kind, context).at(n)).transpose()?);
    let (mac, mac_generated, mac_kept) = mac(node, context)?;
    if kind != "ethernet" {
        if let Some(parent) = node.child("source").filter(|s| s.child("ip").or(s.child("route")).is_some()) {
            let message = format!(
                "Invalid attempt to set network interface host-side IP route and/or address info on interface of \
                 type '{kind}'. This is only supported on interfaces of type 'ethernet'"
            );
            context.later::<()>(Check::Interface, Err(refuse::unsupported(message)).at(parent));
        }
    }
    let ips = addresses(node)?;
    let routes = routes(node, "guest interface")?;
    let made_up = |dev: &str| ["vnet", "macvtap", "macvlan"].iter().any(|prefix| dev.starts_with(prefix));
    let target_dev = child_attr("target", "dev").filter(|dev| context.live || !made_up(dev));
    let target_managed = match node.child("target") {
        Some(target) => refuse::word(target, "managed", refuse::yes_no).at(target)?,
        None => None,
    };
    if target_managed == Some(false) && kind != "ethernet" {
        let message = format!("unmanaged target dev is not supported on interfaces of type '{kind}'");
        context.later::<()>(Check::Interface, Err(refuse::unsupported(message)).at(node));
    }
    if let Some(inbound) = bandwidth.as_ref().and_then(|b| b.inbound).filter(|_| kind != "network") {
        if inbound.floor > 0 {
            return Err(refuse::bare_unsupported("floor attribute is not supported for this config"));
        }
    }
    kept.extend(vlan);
    if let Some(port) = node.child("port") {
        let isolated = refuse::word(port, "isolated", refuse::yes_no).at(port)?;
        if isolated == Some(true) && !["network", "bridge"].contains(&kind) {
            let message = format!(
                "interface {mac} - <port isolated='yes'/> is not supported for network interfaces with type='{kind}'"
            );
            context.later::<()>(Check::Interface, Err(refuse::unsupported(message)).at(port));
        }
        kept.extend(isolated.map(|on| Element::new("port").with("isolated", if on { "yes" } else { "no" })));
    }
    if kind == "vhostuser" && !virtio {
        return Err(refuse::internal(
            "Wrong or no <model> 'type' attribute specified with <interface type='vhostuser'/>. vhostuser requires the \
             virtio-net* frontend",
        ));
    }
    let driver = match kind {
        "hostdev" => Some("hostdevDriver"),
        _ => virtio.then_some("interfaceDriver"),
    };
    let parts = [("portForward", Some("portForward")), ("driver", driver), ("backend", Some("interfaceBackend"))];
    for (name, shape) in parts.into_iter().filter_map(|(name, shape)| Some((name, shape?))) {
        let several = if name == "portForward" { usize::MAX } else { 1 };
        for child in node.elements().filter(|child| child.name() == name).take(several) {
            kept.extend(Some(context.keep(child, shape)?).filter(|element| !element.is_bare()));
        }
    }
    if !virtio {
        kept.iter_mut().filter(|e| e.name == "backend").for_each(|e| e.unset("vhost"));
        kept.retain(|e| e.name != "backend" || !e.is_bare());
    }
    kept.extend(netdev::teaming(node, context)?);
    kept.extend(node.child("coalesce").map(|n| netdev::coalesce(n).at(n)).transpose()?.flatten());
    if let Some(rom) = node.child("rom").map(|n| context.keep(n, "rom")).transpose()? {
        if rom.attr("enabled") == Some("no") && rom.attrs.len() > 1 {
            return Err(refuse::unsupported("ROM tuning is not supported when ROM is disabled"));
        }
        kept.extend(Some(rom).filter(|rom| !rom.is_bare()));
    }
    let tune = node.child("tune").and_then(|tune| tune.child("sndbuf"));
    if let Some(tune) = tune.filter(|tune| !tune.text().is_empty()) {
        let text = tune.text();
        let bad = || refuse::xml("sndbuf must be a positive integer");
        let number = number::u64_of(&text, 10).ok_or_else(bad).at(tune)?;
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
        managed: kind == "hostdev" && node.attr("managed") == Some("yes"),
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
        script: child_attr("script", "path").filter(|path| !path.is_empty()),
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
            Some(source) => {
                InterfaceSource::Ethernet { ips: addresses(source)?, routes: routes(source, "interface host IP")? }
            }
            None => InterfaceSource::Ethernet { ips: Vec::new(), routes: Vec::new() },
        },
        "user" | "null" => InterfaceSource::Other { kind: kind.to_string(), source: None },
        "hostdev" => {
            let address = source.and_then(|s| s.child("address"));
            let missing = || refuse::xml("missing source address type");
            address.and_then(|a| a.attr("type")).ok_or_else(missing)?;
            let source = netdev::other_source(needed()?, kind, context)?;
            InterfaceSource::Other { kind: kind.to_string(), source: Some(source) }
        }
        _ => {
            let source = netdev::other_source(needed()?, kind, context)?;
            InterfaceSource::Other { kind: kind.to_string(), source: Some(source) }
        }
    })
}

fn link(node: Node) -> Result<Option<bool>> {
    match node.child("link").and_then(|l| l.attr("state")) {
        None | Some("") => Ok(None),
        Some("up") => Ok(Some(true)),
        Some("down") => Ok(Some(false)),
        Some(other) => Err(refuse::unsupported(format!("unknown interface link state '{other}'"))),
    }
}

fn mtu(node: Node) -> Result<u32> {
    match node.child("mtu").and_then(|m| m.attr("size")) {
        None | Some("") => Ok(0),
        Some(text) => number::u32_of(text, 10).ok_or_else(|| refuse::xml("malformed mtu size")),
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
    let address = address::parse(text).filter(fits).ok_or_else(bad)?;
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
            let message = format!("Invalid peer '{text}' in <ip>");
            let bad = || Error::new(ErrorDomain::Domain, Code::InvalidArg, message);
            let peer = address::parse(text).filter(|peer| peer.is_ipv4() == address.is_ipv4());
            Some(peer.ok_or_else(bad)?)
        }
    };
    Ok(InterfaceAddress { address, prefix, peer })
}

/// The `<route>` elements of an interface or of its source; `whose` begins messages.
pub(super) fn routes(node: Node, whose: &str) -> Result<Vec<Route>> {
    node.all("route").map(|child| route(child, whose).at(child)).collect()
}

fn route(node: Node, whose: &str) -> Result<Route> {
    let refused = |message: String| Error::xml(ErrorDomain::Network, format!("{whose}: {message}"));
    let in_definition = |message: String| refused(format!("{message} in route definition"));
    let needed = |name: &str| {
        let missing = || in_definition(format!("Missing required {name} attribute"));
        node.attr(name).ok_or_else(missing)
    };
    let family = node.attr("family").map(str::to_string);
    let (address_text, gateway_text) = (needed("address")?, needed("gateway")?);
    let netmask_text = node.attr("netmask");
    let prefix = refuse::unsigned(node, "prefix", 10)?;
    let metric = refuse::unsigned(node, "metric", 10)?;
    if metric == Some(0) {
        let zero = "Invalid value for attribute 'metric' in element 'route': Zero is not permitted";
        return Err(refuse::generic_xml(zero));
    }
    let parsed = |text: &str, what: &str| {
        address::parse(text).ok_or_else(|| in_definition(format!("Bad {what} address '{text}'")))
    };
    let address = parsed(address_text, "network")?;
    let netmask = netmask_text.map(|text| parsed(text, "netmask")).transpose()?;
    let gateway = parsed(gateway_text, "gateway")?;
    let v6 = match family.as_deref() {
        None | Some("ipv4") => {
            let said = if family.is_some() { "IPv4 family" } else { "No family" };
            if !address.is_ipv4() {
                return Err(in_definition(format!("{said} specified for non-IPv4 address '{address_text}'")));
            }
            if !gateway.is_ipv4() {
                // Libvirt names the address here.
                return Err(in_definition(format!("{said} specified for non-IPv4 gateway '{address_text}'")));
            }
            if let Some(text) = netmask_text.filter(|_| netmask.is_some_and(|mask| !mask.is_ipv4())) {
                let message = format!("Invalid netmask '{text}' for address '{address_text}' (both must be IPv4)");
                return Err(refused(message));
            }
            false
        }
        Some("ipv6") => {
            if !address.is_ipv6() {
                return Err(in_definition(format!("ipv6 family specified for non-IPv6 address '{address_text}'")));
            }
            if netmask.is_some() {
                return Err(in_definition(format!("Specifying netmask invalid for IPv6 address '{address_text}'")));
            }
            if !gateway.is_ipv6() {
                return Err(in_definition(format!("ipv6 specified for non-IPv6 gateway address '{gateway_text}'")));
            }
            true
        }
        Some(other) => return Err(in_definition(format!("Unrecognized family '{other}'"))),
    };
    if netmask.is_some() && prefix.is_some() {
        return Err(refused("Route definition cannot have both a prefix and a netmask".to_string()));
    }
    let most = if v6 { 128 } else { 32 };
    if let Some(prefix) = prefix.filter(|prefix| *prefix > most) {
        return Err(refused(format!("Invalid prefix {prefix} specified in route definition, must be 0 - {most}")));
    }
    if !is_network(address, netmask, prefix) {
        return Err(in_definition_is(whose, address_text));
    }
    Ok(Route { family, address, netmask, prefix: prefix.map(|prefix| prefix as u8), gateway, metric })
}

fn in_definition_is(whose: &str, address: &str) -> Error {
    let message = format!("{whose}: Address '{address}' in route definition is not a network address");
    Error::xml(ErrorDomain::Network, message)
}

/// Whether no bits are set outside of the network's; without mask or prefix every bit is outside.
fn is_network(address: IpAddr, netmask: Option<IpAddr>, prefix: Option<u32>) -> bool {
    let prefix = prefix.unwrap_or(0);
    match (address, netmask) {
        (IpAddr::V4(v4), Some(IpAddr::V4(mask))) => v4.to_bits() & !mask.to_bits() == 0,
        (IpAddr::V4(v4), _) => v4.is_unspecified() || v4.to_bits().trailing_zeros() >= 32 - prefix.min(32),
        (IpAddr::V6(v6), _) => v6.is_unspecified() || v6.to_bits().trailing_zeros() >= 128 - prefix.min(128),
    }
}

pub(super) fn address_element(ip: &InterfaceAddress) -> Element {
    let family = if ip.address.is_ipv4() { "ipv4" } else { "ipv6" };
    let mut element = Element::new("ip").with("address", address::text(ip.address)).with("family", family);
    if let Some(prefix) = ip.prefix {
        element.set("prefix", prefix);
    }
    if let Some(peer) = ip.peer {
        element.set("peer", address::text(peer));
    }
    element
}

pub(super) fn route_element(route: &Route) -> Element {
    let mut element = Element::new("route");
    if let Some(family) = &route.family {
        element.set("family", family);
    }
    element.set("address", address::text(route.address));
    if let Some(netmask) = route.netmask {
        element.set("netmask", address::text(netmask));
    }
    if let Some(prefix) = route.prefix {
        element.set("prefix", prefix);
    }
    element.set("gateway", address::text(route.gateway));
    if let Some(metric) = route.metric {
        element.set("metric", metric);
    }
    element
}
