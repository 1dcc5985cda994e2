//! Arithmetic of addresses.

use api::{Code, Error, ErrorDomain, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address in any form that `inet_aton` or `inet_pton` takes.
pub(super) fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| short_ipv4(text).map(IpAddr::V4))
}

/// The old forms of IPv4 addresses, of fewer than four parts: the last one fills the rest.
fn short_ipv4(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u32> = text
        .split('.')
        .map(|part| match part.strip_prefix("0x").or(part.strip_prefix("0X")) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None if part.len() > 1 && part.starts_with('0') => u32::from_str_radix(part, 8).ok(),
            None if part.starts_with('+') => None,
            None => part.parse().ok(),
        })
        .collect::<Option<_>>()?;
    let (last, first) = parts.split_last()?;
    if first.len() > 3 || first.iter().any(|part| *part > 255) {
        return None;
    }
    let room = 8 * (4 - first.len() as u32);
    if room < 32 && *last >= 1 << room {
        return None;
    }
    let high = first.iter().zip([24, 16, 8]).fold(0, |sum, (part, shift)| sum | part << shift);
    Some(Ipv4Addr::from(high | last))
}

/// The error of libvirt's address parser alone, where no other words are put around it.
pub(super) fn parse_address(text: &str) -> Result<IpAddr> {
    parse_ip(text).ok_or_else(|| {
        let words = format!("Cannot parse socket address '{text}': Name or service not known");
        Error::new(ErrorDomain::None, Code::SystemError, words)
    })
}

/// The prefix as given, or of the netmask (`None` if it has gaps), or of the address's old class.
pub(super) fn prefix(address: IpAddr, netmask: Option<IpAddr>, given: u32) -> Option<u8> {
    if given > 0 {
        return u8::try_from(given).ok();
    }
    match (netmask, address) {
        (Some(IpAddr::V4(mask)), _) => {
            let bits = u32::from(mask);
            (bits.leading_ones() + bits.trailing_zeros() >= 32).then_some(bits.leading_ones() as u8)
        }
        (Some(IpAddr::V6(mask)), _) => Some(u128::from(mask).leading_ones() as u8),
        (None, IpAddr::V6(_)) => Some(64),
        (None, IpAddr::V4(v4)) => Some(match v4.octets()[0] {
            0..=127 => 8,
            128..=191 => 16,
            192..=223 => 24,
            _ => 0,
        }),
    }
}

pub fn mask_of(family: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match family {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from(u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0))),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from(u128::MAX.checked_shl(128 - prefix.min(128)).unwrap_or(0))),
    }
}

/// The address with its host part zero.
pub fn network_address(address: IpAddr, prefix: u8) -> IpAddr {
    masked(address, mask_of(address, prefix))
}

pub(super) fn masked(address: IpAddr, mask: IpAddr) -> IpAddr {
    match (address, mask) {
        (IpAddr::V4(a), IpAddr::V4(m)) => IpAddr::V4(Ipv4Addr::from(u32::from(a) & u32::from(m))),
        (IpAddr::V6(a), IpAddr::V6(m)) => IpAddr::V6(Ipv6Addr::from(u128::from(a) & u128::from(m))),
        _ => address,
    }
}

/// The last address of an IPv4 subnet.
pub fn broadcast(address: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(address) | u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0))
}

pub fn in_subnet(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    address.is_ipv4() == network.is_ipv4() && network_address(address, prefix) == network_address(network, prefix)
}

/// How many addresses a range has; an error where it is none, or does not lie in the subnet that is given.
pub fn range_size(start: IpAddr, end: IpAddr, network: Option<(IpAddr, Option<u8>)>) -> Result<u32> {
    let range = format!("range {start} - {end}");
    let wrong = |words: String| Err(Error::internal(ErrorDomain::None, words));
    if start.is_ipv4() != end.is_ipv4() {
        return wrong(format!("mismatch of address family in {range}"));
    }
    if let Some((address, prefix)) = network {
        if start.is_ipv4() != address.is_ipv4() {
            return wrong(format!("mismatch of address family in {range} for network {address}"));
        }
        let Some(prefix) = prefix else {
            return wrong(format!("bad prefix -1 for network {address} when  checking {range}"));
        };
        if !in_subnet(start, address, prefix) || !in_subnet(end, address, prefix) {
            return wrong(format!("{range} is not entirely within network {address}/{prefix}"));
        }
        if let IpAddr::V4(v4) = address {
            if start == network_address(address, prefix) {
                return wrong(format!("start of {range} in network {address}/{prefix} is the network address"));
            }
            if end == IpAddr::V4(broadcast(v4, prefix)) {
                return wrong(format!("end of {range} in network {address}/{prefix} is the broadcast address"));
            }
        }
    }
    let v6 = start.is_ipv6();
    let (start, end) = (number(start), number(end));
    if start >> 16 != end >> 16 {
        return wrong(format!("{range} is too large (> 65535)"));
    }
    match end.checked_sub(start) {
        Some(size) => Ok(size as u32 + 1),
        None if v6 => wrong(format!("{range} start larger than end")),
        None => wrong(format!("{range} is reversed ")),
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_all_forms() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(parse_ip(text).map(|a| a.to_string()).as_deref(), expect, "{text}");
        };
        check("192.168.122.1", Some("192.168.122.1"));
        check("10.1", Some("10.0.0.1"));
        check("0x7f.1", Some("127.0.0.1"));
        check("2001:0DB8::1", Some("2001:db8::1"));
        check("999.1.1.1", None);
        check("10.1.2.3.4", None);
        check("x", None);
        check("", None);
    }

    #[test]
    fn prefixes() {
        let check = |address: &str, mask: Option<&str>, expect: Option<u8>| {
            let mask = mask.map(|m| m.parse().unwrap());
            assert_eq!(prefix(address.parse().unwrap(), mask, 0), expect, "{address} {mask:?}");
        };
        check("10.0.0.1", Some("255.255.255.0"), Some(24));
        check("10.0.0.1", Some("0.0.0.0"), Some(0));
        check("10.0.0.1", Some("255.0.255.0"), None);
        check("10.0.0.1", None, Some(8));
        check("192.168.1.1", None, Some(24));
        check("fd00::1", None, Some(64));
    }
}
