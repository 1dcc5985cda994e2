//! Ports of the host that lead to a port of a container: rules of nftables, one table for each container's interface,
//! and an address that stays the same while they hold.

use crate::actions::not_active;
use crate::leases;
use crate::registry::{Networks, State};
use crate::{dnsmasq, program};
use api::{Error, ErrorDomain, Result, Uuid};
use conf::Mac;
use conf::network::{ForwardMode, Ip, Network, Port, network_address};
use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortForward {
    /// `tcp` or `udp`
    pub protocol: &'static str,
    /// All of the host's if `None`.
    pub host_address: Option<Ipv4Addr>,
    pub host_port: u16,
    pub port: u16,
}

fn unsupported<T>(words: String) -> Result<T> {
    Err(Error::config_unsupported(ErrorDomain::Network, words))
}

impl Networks {
    /// Makes the host's ports lead to the interface on this port of the network, at `address` if that is known, else at
    /// one that DHCP keeps for it from now on. It ends with the network's port.
    pub fn forward_ports(
        &self,
        network: &str,
        port_id: &Uuid,
        address: Option<Ipv4Addr>,
        forwards: &[PortForward],
    ) -> Result<Ipv4Addr> {
        let handle = self.by_name(network)?;
        let mut state = handle.state();
        let Some(live) = state.live.clone() else { return Err(not_active(network)) };
        if !matches!(live.forward.mode, ForwardMode::Nat | ForwardMode::Route | ForwardMode::Open) {
            let mode = live.forward.mode.text();
            return unsupported(format!(
                "ports cannot be forwarded into network '{network}' with forward mode='{mode}'"
            ));
        }
        let Some(port) = state.ports.get(port_id) else { return Err(crate::no_port(port_id)) };
        // An interface that moves from one port to another has both for a while, with one address.
        let is_own = |other: &Port| (other.owner_uuid, other.mac) == (port.owner_uuid, port.mac);
        let own = || state.ports.values().filter(|other| is_own(other)).find_map(|other| other.address);
        let address = match address.or(port.address).or_else(own) {
            Some(address) => address,
            None => self.choose_address(&live, &state, port.mac)?,
        };
        if state.ports.values().any(|other| !is_own(other) && other.address == Some(address)) {
            return unsupported(format!("address {address} of network '{network}' is another container's"));
        }
        let script = script(&live, port_id, address, forwards);
        program::run("nft", "nftables", &["-f", "-"], &script)?;
        if let Some(port) = state.ports.get_mut(port_id)
            && port.address != Some(address)
        {
            port.address = Some(address);
            let port = port.clone();
            self.save_port(&handle, &port)?;
            let reserved = reserved(&state);
            dnsmasq::reload(&live, &reserved, &self.files, &self.proc)?;
        }
        Ok(address)
    }

    /// The address that the document or a lease gives it already, or a free one.
    fn choose_address(&self, live: &Network, state: &State, mac: Mac) -> Result<Ipv4Addr> {
        let Some(ip) = live.ipv4().find(|ip| ip.has_dhcp()) else {
            return unsupported(format!(
                "network '{}' gives out no addresses: the interface that ports lead to needs an <ip> of its own",
                live.name
            ));
        };
        let v4 = |address: IpAddr| match address {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        };
        let fixed = ip.hosts.iter().find(|host| host.mac.as_deref().and_then(Mac::parse) == Some(mac));
        if let Some(address) = fixed.and_then(|host| host.ip).and_then(v4) {
            return Ok(address);
        }
        let text = fs::read_to_string(self.files.leases(&live.name)).unwrap_or_default();
        let leases = leases::from_dnsmasq(&text, live, 0);
        let reserved = reserved(state);
        let taken = |address: Ipv4Addr| {
            ip.address == IpAddr::V4(address)
                || ip.hosts.iter().any(|host| host.ip == Some(IpAddr::V4(address)))
                || reserved.iter().any(|(_, other)| *other == address)
        };
        let own = leases.iter().find(|lease| lease.mac.as_deref().and_then(Mac::parse) == Some(mac));
        if let Some(address) = own.and_then(|lease| v4(lease.address)).filter(|address| !taken(*address)) {
            return Ok(address);
        }
        let leased = |address: Ipv4Addr| leases.iter().any(|lease| lease.address == IpAddr::V4(address));
        // From the end: dnsmasq's own choice is spread over the range.
        let free = ranges(ip).flat_map(|(start, end)| (start..=end).rev()).map(Ipv4Addr::from);
        let mut free = free.filter(|address| !taken(*address) && !leased(*address));
        match free.next() {
            Some(address) => Ok(address),
            None => unsupported(format!("network '{}' has no free address left", live.name)),
        }
    }
}

fn ranges(ip: &Ip) -> impl Iterator<Item = (u32, u32)> {
    ip.ranges.iter().filter_map(|range| match (range.start, range.end) {
        (IpAddr::V4(start), IpAddr::V4(end)) => Some((u32::from(start), u32::from(end))),
        _ => None,
    })
}

/// Addresses that DHCP keeps for interfaces, beyond those of the document.
pub fn reserved(state: &State) -> Vec<(Mac, Ipv4Addr)> {
    let mut reserved: Vec<_> = state.ports.values().filter_map(|port| Some((port.mac, port.address?))).collect();
    reserved.sort_unstable();
    reserved.dedup();
    reserved
}

/// Takes the rules of a port away.
pub fn forget(port: &Port) {
    if port.address.is_none() {
        return;
    }
    let table = table(&port.uuid);
    let removal = format!("table ip {table}\ndelete table ip {table}\n");
    if let Err(e) = program::run("nft", "nftables", &["-f", "-"], &removal) {
        tracing::warn!("{}", e.message);
    }
}

fn table(port_id: &Uuid) -> String {
    format!("virtlxc_port_{}", port_id.to_string().replace('-', ""))
}

fn script(network: &Network, port_id: &Uuid, address: Ipv4Addr, forwards: &[PortForward]) -> String {
    let table = table(port_id);
    let mut rules = String::new();
    for forward in forwards {
        let to = match forward.host_address {
            Some(host) => format!("ip daddr {host}"),
            None => "fib daddr type local".to_string(),
        };
        let PortForward { protocol, host_port, port, .. } = forward;
        _ = writeln!(rules, "\t\t{to} {protocol} dport {host_port} dnat to {address}:{port}");
    }
    let subnet = network.ipv4().find_map(|ip| {
        let prefix = ip.prefix()?;
        let inside = conf::network::in_subnet(IpAddr::V4(address), ip.address, prefix);
        inside.then(|| format!("{}/{prefix}", network_address(ip.address, prefix)))
    });
    let mut out = format!(
        "table ip {table}
delete table ip {table}
table ip {table} {{
	chain prerouting {{
		type nat hook prerouting priority dstnat; policy accept;
{rules}	}}
	chain output {{
		type nat hook output priority -100; policy accept;
{rules}	}}
"
    );
    if let Some(subnet) = subnet {
        // A neighbour that asks by the host's address must be answered by the host.
        _ = write!(
            out,
            "	chain postrouting {{
		type nat hook postrouting priority srcnat - 1; policy accept;
		ip saddr {subnet} ip daddr {address} ct status dnat masquerade
	}}
"
        );
    }
    out.push_str("}\n");
    out
}
