//! The bridge of a network: made with its addresses and routes, and taken away.

use crate::sysctl;
use api::{Error, ErrorDomain, Result};
use conf::network::{ForwardMode, MacTableManager, Network, in_subnet, network_address};
use linux::netlink::{self, Address, Route, Socket};
use std::io;
use std::net::IpAddr;
use std::path::Path;

const DEFAULT_METRIC: u32 = 1;

fn failed(error: &io::Error, what: String) -> Error {
    Error::system(ErrorDomain::Network, error, what)
}

pub fn socket() -> Result<Socket> {
    Socket::new().map_err(|e| failed(&e, "cannot open a netlink socket".into()))
}

/// Refuses a subnet that another link of the host's has a route to already.
pub fn refuse_subnet_in_use(socket: &mut Socket, network: &Network) -> Result<()> {
    match subnet_user(socket, network)? {
        None => Ok(()),
        Some((link, subnet)) => {
            let words = format!("Network is already in use by interface {link}");
            Err(Error::internal(ErrorDomain::Network, words).explain(format!(" ({subnet})")))
        }
    }
}

/// The link that one of the network's subnets is in use by, and that subnet.
pub fn subnet_user(socket: &mut Socket, network: &Network) -> Result<Option<(String, String)>> {
    let routes = socket.routes().map_err(|e| failed(&e, "cannot read the routes".into()))?;
    let links = socket.links().map_err(|e| failed(&e, "cannot read the links".into()))?;
    for ip in &network.ips {
        let Some(prefix) = ip.prefix() else { continue };
        let subnet = network_address(ip.address, prefix);
        let same = |route: &&Route| route.destination == subnet && route.prefix == prefix && prefix > 0;
        for route in routes.iter().filter(same) {
            let name = links.iter().find(|link| Some(link.index) == route.link).map(|link| link.name.as_str());
            if name.is_some() && name != network.bridge.name.as_deref() {
                return Ok(Some((name.unwrap_or_default().to_string(), format!("{subnet}/{prefix}"))));
            }
        }
    }
    Ok(None)
}

/// Makes the bridge. It has to be taken away if a later step fails.
pub fn create(socket: &mut Socket, network: &Network) -> Result<String> {
    let Some(name) = network.bridge.name.as_deref() else {
        return Err(Error::internal(ErrorDomain::Network, format!("network '{}' has no bridge name", network.name)));
    };
    if name.len() > netlink::LONGEST_NAME {
        return Err(Error::config_unsupported(
            ErrorDomain::Network,
            format!("bridge name '{name}' is longer than {} bytes", netlink::LONGEST_NAME),
        ));
    }
    let bridge = netlink::Bridge {
        name,
        mac: network.mac.map(|mac| mac.0),
        mtu: Some(network.mtu).filter(|mtu| *mtu > 0),
        stp: network.bridge.stp,
        delay: u32::try_from(network.bridge.delay).unwrap_or(u32::MAX),
        vlan_filtering: network.bridge.mac_table_manager == Some(MacTableManager::Libvirt),
    };
    socket.create_bridge(&bridge).map_err(|e| failed(&e, format!("error creating bridge interface {name}")))?;
    Ok(name.to_string())
}

/// What IPv6 does on the bridge by itself; before it is up.
pub fn set_ipv6(network: &Network, bridge: &str, proc: &Path) -> Result<()> {
    let disabled = if network.ipv6().next().is_some() { "0" } else { "1" };
    for (key, value) in [("disable_ipv6", disabled), ("accept_ra", "0"), ("autoconf", "0")] {
        sysctl::set_if_there(proc, &format!("net/ipv6/conf/{bridge}/{key}"), value)?;
    }
    Ok(())
}

/// Addresses, up, routes.
pub fn configure(socket: &mut Socket, network: &Network, bridge: &str) -> Result<()> {
    let link = socket.index(bridge).map_err(|e| failed(&e, format!("cannot find bridge {bridge}")))?;
    for ip in &network.ips {
        let Some(prefix) = ip.prefix() else {
            let words = format!("bridge '{bridge}' has an invalid netmask or IP address");
            return Err(Error::internal(ErrorDomain::Network, words));
        };
        let address = Address { link, address: ip.address, prefix, peer: None, broadcast: None };
        socket.add_address(&address).map_err(|e| {
            let broadcast = match ip.address {
                IpAddr::V4(v4) => format!(" bcast {}", conf::network::broadcast(v4, prefix)),
                IpAddr::V6(_) => String::new(),
            };
            failed(&e, format!("Failed to add IP address {}/{prefix}{broadcast} to {bridge}", ip.address))
        })?;
    }
    socket.set_up(bridge, true).map_err(|e| failed(&e, format!("cannot bring up bridge {bridge}")))?;
    for route in &network.routes {
        let prefix = route.prefix().unwrap_or(0);
        let wanted = Route {
            destination: route.address,
            prefix,
            gateway: Some(route.gateway),
            link: Some(link),
            metric: Some(route.metric.unwrap_or(DEFAULT_METRIC)),
        };
        socket.add_route(&wanted).map_err(|e| {
            failed(&e, format!("cannot add the route {}/{prefix} by {} to {bridge}", route.address, route.gateway))
        })?;
    }
    Ok(())
}

/// The host passes packets on, for networks that have a way out.
pub fn enable_forwarding(network: &Network, proc: &Path) -> Result<()> {
    if network.forward.mode == ForwardMode::None {
        return Ok(());
    }
    if network.ipv4().next().is_some() {
        sysctl::set(proc, "net/ipv4/ip_forward", "1")?;
    }
    if network.ipv6().next().is_some() {
        sysctl::set_if_there(proc, "net/ipv6/conf/all/forwarding", "1")?;
    }
    Ok(())
}

/// Takes the bridge away; its ports are unplugged. Nothing happens where it is gone.
pub fn delete(socket: &mut Socket, bridge: &str) {
    match socket.delete(bridge) {
        Err(e) if e.raw_os_error() != Some(rustix::io::Errno::NODEV.raw_os_error()) => {
            tracing::warn!("cannot delete bridge '{bridge}': {e}");
        }
        _ => {}
    }
}

pub fn exists(socket: &mut Socket, bridge: &str) -> bool {
    socket.link(bridge).is_ok_and(|link| link.kind == "bridge")
}

/// A subnet of the form `192.168.N.0/24` that no link of the host's has a route into; `N` from 122 on.
pub fn free_third_byte(socket: &mut Socket) -> Result<u8> {
    let routes = socket.routes().map_err(|e| failed(&e, "cannot read the routes".into()))?;
    let taken = |third: u8| {
        let address = IpAddr::from([192, 168, third, 0]);
        let overlaps = |route: &Route| {
            route.prefix >= 8
                && (in_subnet(address, route.destination, route.prefix) || in_subnet(route.destination, address, 24))
        };
        routes.iter().any(overlaps)
    };
    Ok((122..=254).find(|third| !taken(*third)).unwrap_or(122))
}
