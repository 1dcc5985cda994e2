//! Addresses of links, and routes.

use super::Socket;
use super::message::{Request, attributes, u32_at};
use libc::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, RTM_DELADDR, RTM_GETADDR, RTM_GETROUTE, RTM_NEWADDR, RTM_NEWROUTE,
};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const IFA_FLAGS: u16 = 8;

/// An address of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The link's index.
    pub link: u32,
    pub address: IpAddr,
    pub prefix: u8,
    /// The other end of a link between two (ip-address(8)); the prefix is its then.
    pub peer: Option<IpAddr>,
    /// Filled in by `add_address` where it is `None`, and the subnet has one, and there is no peer.
    pub broadcast: Option<Ipv4Addr>,
}

/// A route of the main table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub destination: IpAddr,
    pub prefix: u8,
    pub gateway: Option<IpAddr>,
    /// The link's index.
    pub link: Option<u32>,
    pub metric: Option<u32>,
}

impl Socket {
    /// An IPv6 address is usable at once: it is not checked for duplicates first.
    pub fn add_address(&mut self, address: &Address) -> io::Result<()> {
        let request = address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address);
        self.act(request)
    }

    pub fn remove_address(&mut self, address: &Address) -> io::Result<()> {
        self.act(address_request(RTM_DELADDR, 0, address))
    }

    /// The addresses of all links.
    pub fn addresses(&mut self) -> io::Result<Vec<Address>> {
        let mut found = Vec::new();
        let request = Request::new(RTM_GETADDR, NLM_F_DUMP, &[0; 8]);
        self.exchange(request, |kind, body| {
            if kind == RTM_NEWADDR {
                found.extend(read_address(body));
            }
        })?;
        Ok(found)
    }

    pub fn add_route(&mut self, route: &Route) -> io::Result<()> {
        let scope = if route.gateway.is_some() { libc::RT_SCOPE_UNIVERSE } else { libc::RT_SCOPE_LINK };
        let fixed = [
            family(route.destination),
            route.prefix,
            0,
            0,
            libc::RT_TABLE_MAIN,
            libc::RTPROT_STATIC,
            if route.destination.is_ipv6() { libc::RT_SCOPE_UNIVERSE } else { scope },
            libc::RTN_UNICAST,
            0,
            0,
            0,
            0,
        ];
        let mut request = Request::new(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &fixed);
        request.attr(libc::RTA_DST, &octets(route.destination));
        if let Some(gateway) = route.gateway {
            request.attr(libc::RTA_GATEWAY, &octets(gateway));
        }
        if let Some(link) = route.link {
            request.number(libc::RTA_OIF, link);
        }
        if let Some(metric) = route.metric {
            request.number(libc::RTA_PRIORITY, metric);
        }
        self.act(request)
    }

    /// The routes of the main table, of both families.
    pub fn routes(&mut self) -> io::Result<Vec<Route>> {
        let mut found = Vec::new();
        let request = Request::new(RTM_GETROUTE, NLM_F_DUMP, &[0; 12]);
        self.exchange(request, |kind, body| {
            if kind == RTM_NEWROUTE {
                found.extend(read_route(body));
            }
        })?;
        Ok(found)
    }
}

fn address_request(kind: u16, flags: i32, address: &Address) -> Request {
    let mut fixed = [0; 8];
    fixed[0] = family(address.address);
    fixed[1] = address.prefix;
    fixed[4..].copy_from_slice(&address.link.to_ne_bytes());
    let mut request = Request::new(kind, NLM_F_ACK | flags, &fixed);
    request.attr(libc::IFA_LOCAL, &octets(address.address));
    request.attr(libc::IFA_ADDRESS, &octets(address.peer.unwrap_or(address.address)));
    match address.address {
        IpAddr::V4(v4) => {
            let own = || broadcast(v4, address.prefix).filter(|_| address.peer.is_none());
            let broadcast = address.broadcast.or_else(own);
            if let Some(broadcast) = broadcast {
                request.attr(libc::IFA_BROADCAST, &broadcast.octets());
            }
        }
        IpAddr::V6(_) => request.number(IFA_FLAGS, libc::IFA_F_NODAD),
    }
    request
}

/// The last address of the subnet; none where every address is a host's.
fn broadcast(address: Ipv4Addr, prefix: u8) -> Option<Ipv4Addr> {
    let host_bits = u32::MAX.checked_shr(u32::from(prefix)).filter(|bits| *bits > 1)?;
    Some(Ipv4Addr::from(u32::from(address) | host_bits))
}

fn read_address(body: &[u8]) -> Option<Address> {
    let (family, prefix, link) = (*body.first()?, *body.get(1)?, u32_at(body, 4)?);
    let (mut local, mut given, mut broadcast) = (None, None, None);
    for (kind, value) in attributes(body.get(8..)?) {
        match kind {
            libc::IFA_LOCAL => local = ip(family, value),
            libc::IFA_ADDRESS => given = ip(family, value),
            libc::IFA_BROADCAST => broadcast = <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from),
            _ => {}
        }
    }
    let address = local.or(given)?;
    Some(Address { link, address, prefix, peer: given.filter(|given| *given != address), broadcast })
}

fn read_route(body: &[u8]) -> Option<Route> {
    let (family, prefix, table, kind) = (*body.first()?, *body.get(1)?, *body.get(4)?, *body.get(7)?);
    if table != libc::RT_TABLE_MAIN || kind != libc::RTN_UNICAST {
        return None;
    }
    let any = match i32::from(family) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        libc::AF_INET6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => return None,
    };
    let mut route = Route { destination: any, prefix, gateway: None, link: None, metric: None };
    for (kind, value) in attributes(body.get(12..)?) {
        match kind {
            libc::RTA_DST => route.destination = ip(family, value)?,
            libc::RTA_GATEWAY => route.gateway = ip(family, value),
            libc::RTA_OIF => route.link = u32_at(value, 0),
            libc::RTA_PRIORITY => route.metric = u32_at(value, 0),
            _ => {}
        }
    }
    Some(route)
}

fn family(address: IpAddr) -> u8 {
    if address.is_ipv4() { libc::AF_INET as u8 } else { libc::AF_INET6 as u8 }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

fn ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match i32::from(family) {
        libc::AF_INET => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        libc::AF_INET6 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broadcast_address_of_a_subnet() {
        let check = |address: [u8; 4], prefix, expect: Option<[u8; 4]>| {
            assert_eq!(broadcast(Ipv4Addr::from(address), prefix), expect.map(Ipv4Addr::from));
        };
        check([192, 168, 122, 1], 24, Some([192, 168, 122, 255]));
        check([10, 0, 0, 1], 30, Some([10, 0, 0, 3]));
        check([10, 0, 0, 1], 31, None);
        check([10, 0, 0, 1], 32, None);
    }

    #[test]
    fn dumps_can_be_read() {
        let mut socket = Socket::new().unwrap();
        socket.addresses().unwrap();
        socket.routes().unwrap();
    }
}
