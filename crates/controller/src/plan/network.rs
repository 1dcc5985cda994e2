//! The container's network interfaces: which links move in, how they are called there, what is set on them.

use crate::failure::{Failure, Result};
use conf::domain::{Domain, HostdevSource, InterfaceAddress, Route};
use std::net::IpAddr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name on the machine.
    pub link: String,
    /// Its name in the container.
    pub name: String,
    pub up: bool,
    pub addresses: Vec<Address>,
    /// Destination and its prefix, gateway, metric.
    pub routes: Vec<(IpAddr, u8, IpAddr, Option<u32>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub address: IpAddr,
    pub prefix: u8,
    /// The other end of a link between two.
    pub peer: Option<IpAddr>,
}

/// The daemon made a link for each interface of the document, and names them in that order.
pub fn interfaces(domain: &Domain, links: &[String]) -> Result<Vec<Interface>> {
    if links.len() != domain.interfaces.len() {
        return Err(Failure::new(format!("expecting {} veths, but got {}", domain.interfaces.len(), links.len())));
    }
    let mut unnamed = 0;
    let mut all = Vec::new();
    for (described, link) in domain.interfaces.iter().zip(links) {
        let name = described.guest_dev.clone().unwrap_or_else(|| {
            unnamed += 1;
            format!("eth{}", unnamed - 1)
        });
        if name.len() > LONGEST_NAME {
            return Err(Failure::new(format!("Network interface name '{name}' is too long")));
        }
        all.push(Interface {
            link: link.clone(),
            name,
            up: described.link_up == Some(true) || !described.ips.is_empty(),
            addresses: described.ips.iter().map(address).collect(),
            routes: described.routes.iter().map(|route| self::route(described.mac, route)).collect::<Result<_>>()?,
        });
    }
    Ok(all)
}

/// Links of the machine that move in under their own names.
pub fn moved(domain: &Domain) -> Result<Vec<Interface>> {
    let links = domain.hostdevs.iter().filter_map(|hostdev| match &hostdev.source {
        HostdevSource::Net { interface, ips, routes } => Some((interface, ips, routes)),
        _ => None,
    });
    links
        .map(|(link, ips, routes)| {
            Ok(Interface {
                link: link.clone(),
                name: link.clone(),
                up: !ips.is_empty(),
                addresses: ips.iter().map(address).collect(),
                routes: routes.iter().map(|route| self::route(link, route)).collect::<Result<_>>()?,
            })
        })
        .collect()
}

/// IFNAMSIZ without the final zero.
const LONGEST_NAME: usize = 15;

fn address(described: &InterfaceAddress) -> Address {
    Address {
        address: described.address,
        prefix: described.prefix.unwrap_or_else(|| customary_prefix(described.address)),
        peer: described.peer,
    }
}

fn route(interface: impl std::fmt::Display, route: &Route) -> Result<(IpAddr, u8, IpAddr, Option<u32>)> {
    let from_mask = |mask: IpAddr| match mask {
        IpAddr::V4(mask) => u32::from(mask).leading_ones() as u8,
        IpAddr::V6(mask) => u128::from(mask).leading_ones() as u8,
    };
    let prefix = match (route.prefix, route.netmask) {
        (Some(prefix), _) => prefix,
        (None, Some(mask)) => from_mask(mask),
        (None, None) if route.address.is_unspecified() => 0,
        (None, None) => customary_prefix(route.address),
    };
    if route.address.is_ipv4() != route.gateway.is_ipv4() {
        return Err(Failure::unsupported(format!(
            "a route of interface {} leads to {} over {}, which is of the other family",
            interface, route.address, route.gateway
        )));
    }
    Ok((route.address, prefix, route.gateway, route.metric))
}

/// Where a document gives no prefix: by the class of the address, as of old.
fn customary_prefix(address: IpAddr) -> u8 {
    match address {
        IpAddr::V6(_) => 64,
        IpAddr::V4(address) => match address.octets() {
            [0..128, ..] => 8,
            [128..192, ..] => 16,
            [192..224, ..] => 24,
            _ => 32,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;
    use conf::domain::Interface as Described;

    #[test]
    fn unnamed_interfaces_are_counted() {
        let mut domain = sample::domain();
        let plain = sample::interface();
        let named = Described { guest_dev: Some("lan".into()), ..plain.clone() };
        let addressed = Described {
            ips: vec![InterfaceAddress { address: "10.1.2.3".parse().unwrap(), prefix: None, peer: None }],
            ..plain.clone()
        };
        domain.interfaces = vec![plain, named, addressed];
        let links: Vec<String> = ["vnet1", "vnet3", "vnet5"].map(String::from).to_vec();
        let shown: Vec<String> = interfaces(&domain, &links)
            .unwrap()
            .iter()
            .map(|interface| {
                let addresses = interface.addresses.iter().map(|one| format!("{}/{}", one.address, one.prefix));
                let addresses: Vec<String> = addresses.collect();
                format!("{} {} {} {}", interface.link, interface.name, interface.up, addresses.join(","))
            })
            .collect();
        assert_eq!(shown, ["vnet1 eth0 false ", "vnet3 lan false ", "vnet5 eth1 true 10.1.2.3/8"]);
        let complaint = interfaces(&domain, &links[..2]).unwrap_err();
        assert_eq!(complaint.to_string(), "expecting 3 veths, but got 2");
    }
}
