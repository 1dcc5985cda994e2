//! `<ip>` and all inside it, and `<route>`.

use super::address::{mask_of, masked, parse_address, parse_ip, range_size};
use super::read::{filled, one_of, owned, unsigned_long, unsupported, xml_error, yes_no};
use super::{Bootp, DhcpHost, DhcpRange, Ip, Lease, LeaseUnit, StaticRoute};
use crate::Mac;
use crate::refuse;
use crate::xml::Node;
use api::Result;

pub(super) fn ip(node: Node, network: &str) -> Result<Ip> {
    let family = filled(node, "family");
    let Some(text) = node.attr("address").filter(|text| !text.is_empty()) else {
        return xml_error(format!("Missing required address attribute in network '{network}'"));
    };
    let Some(address) = parse_ip(text) else {
        return xml_error(format!("Invalid address '{text}' in network '{network}'"));
    };
    let netmask = match node.attr("netmask").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => match parse_ip(text) {
            None => return xml_error(format!("Invalid netmask '{text}' in network '{network}'")),
            mask => mask,
        },
    };
    let prefix = refuse::unsigned(node, "prefix", 10)?.filter(|prefix| *prefix > 0);
    let local_ptr = yes_no(node, "localPtr")?;
    match family.as_deref() {
        None | Some("ipv4") => {
            if !address.is_ipv4() {
                let what = if family.is_none() { "no family" } else { "ipv4 family" };
                return unsupported(format!("{what} specified for non-IPv4 address '{text}' in network '{network}'"));
            }
            if let Some(netmask) = netmask {
                if prefix.is_some() {
                    let words = format!("Network '{network}' IP address cannot have both a prefix and a netmask");
                    return unsupported(words);
                }
                if !netmask.is_ipv4() {
                    return unsupported(format!(
                        "Invalid netmask '{netmask}' for address '{text}' in network '{network}' (both must be IPv4)"
                    ));
                }
            }
            if let Some(prefix) = prefix.filter(|prefix| *prefix > 32) {
                return unsupported(format!("Invalid IPv4 prefix '{prefix}' in network '{network}'"));
            }
        }
        Some("ipv6") => {
            if !address.is_ipv6() {
                let words = format!("Family 'ipv6' specified for non-IPv6 address '{text}' in network '{network}'");
                return unsupported(words);
            }
            if netmask.is_some() {
                let words = format!("netmask not allowed for IPv6 address '{text}' in network '{network}'");
                return unsupported(words);
            }
            if let Some(prefix) = prefix.filter(|prefix| *prefix > 128) {
                return unsupported(format!("Invalid IPv6 prefix '{prefix}' in network '{network}'"));
            }
        }
        Some(other) => return xml_error(format!("Unrecognized family '{other}' in network '{network}'")),
    }
    let mut ip = Ip {
        family,
        address,
        netmask,
        prefix: prefix.unwrap_or(0),
        local_ptr,
        tftp_root: None,
        ranges: Vec::new(),
        hosts: Vec::new(),
        bootp: None,
    };
    if let Some(dhcp) = node.child("dhcp") {
        for element in dhcp.elements() {
            match element.name() {
                "range" => ip.ranges.push(range(element, &ip, network)?),
                "host" => ip.hosts.push(host(element, &ip, network, false)?),
                "bootp" if address.is_ipv4() => {
                    if let Some(file) = owned(element, "file") {
                        let server = element.attr("server").map(parse_address).transpose()?;
                        ip.bootp = Some(Bootp { file, server });
                    }
                }
                _ => {}
            }
        }
    }
    if let Some(tftp) = node.child("tftp") {
        if !address.is_ipv4() {
            return unsupported(format!("Unsupported <tftp> element in an IPv6 element in network '{network}'"));
        }
        ip.tftp_root = filled(tftp, "root");
    }
    if !ip.has_dhcp() {
        ip.bootp = None;
    }
    Ok(ip)
}

pub(super) fn range(node: Node, ip: &Ip, network: &str) -> Result<DhcpRange> {
    let read = |name: &str| match node.attr(name) {
        Some(text) => parse_address(text),
        None => xml_error(format!("Missing '{name}' attribute in dhcp range for network '{network}'")),
    };
    let (start, end) = (read("start")?, read("end")?);
    range_size(start, end, Some((ip.address, ip.prefix())))?;
    Ok(DhcpRange { start, end, lease: lease(node)? })
}

/// With `partial`, one field that says which is enough.
pub(super) fn host(node: Node, ip: &Ip, network: &str, partial: bool) -> Result<DhcpHost> {
    let ipv6 = ip.address.is_ipv6();
    let mac = owned(node, "mac");
    if let Some(mac) = &mac {
        if ipv6 {
            return xml_error(format!(
                "Invalid to specify MAC address '{mac}' in network '{network}' IPv6 static host definition"
            ));
        }
        let Some(parsed) = Mac::parse(mac) else {
            return xml_error(format!("Cannot parse MAC address '{mac}' in network '{network}'"));
        };
        if parsed.is_multicast() {
            let words = format!("expected unicast mac address, found multicast '{mac}' in network '{network}'");
            return xml_error(words);
        }
    }
    let id = owned(node, "id");
    if let Some(id) = &id
        && let Some(wrong) = id.chars().find(|c| !c.is_ascii_hexdigit() && *c != ':')
    {
        return xml_error(format!("Invalid character '{wrong}' in id '{id}' of network '{network}'"));
    }
    let name = owned(node, "name");
    if let Some(name) = &name
        && !name.starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        return xml_error(format!("Cannot use host name '{name}' in network '{network}'"));
    }
    let address = match node.attr("ip").map(parse_ip) {
        Some(None) => {
            return xml_error(format!("Invalid IP address in static host definition for network '{network}'"));
        }
        address => address.flatten(),
    };
    if partial {
        if mac.is_none() && name.is_none() && address.is_none() {
            return xml_error(format!(
                "At least one of name, mac, or ip attribute must be specified for static host definition in network '{network}' "
            ));
        }
    } else {
        if ipv6 && id.is_none() && name.is_none() {
            let words = format!("Static host definition in IPv6 network '{network}' must have id or name attribute");
            return xml_error(words);
        }
        if !ipv6 && mac.is_none() && name.is_none() {
            let words = format!("Static host definition in IPv4 network '{network}' must have mac or name attribute");
            return xml_error(words);
        }
        if address.is_none() {
            return xml_error(format!("Missing IP address in static host definition for network '{network}'"));
        }
    }
    Ok(DhcpHost { mac, id, name, ip: address, lease: lease(node)? })
}

/// The last one that has a time counts.
fn lease(node: Node) -> Result<Option<Lease>> {
    let mut last = None;
    for node in node.all("lease") {
        last = lease_time(node)?.or(last);
    }
    Ok(last)
}

fn lease_time(node: Node) -> Result<Option<Lease>> {
    let Some(expiry) = unsigned_long(node, "expiry")? else { return Ok(None) };
    let units = [LeaseUnit::Seconds, LeaseUnit::Minutes, LeaseUnit::Hours].map(|unit| (unit.text(), unit));
    let unit = one_of(node, "unit", &units)?.unwrap_or(LeaseUnit::Minutes);
    let least = match unit {
        LeaseUnit::Seconds => 120,
        LeaseUnit::Minutes => 2,
        LeaseUnit::Hours => 0,
    };
    if expiry != 0 && expiry < least {
        return unsupported("The minimum lease time should be greater than 2 minutes");
    }
    Ok(Some(Lease { expiry, unit }))
}

pub(super) fn route(node: Node, network: &str) -> Result<StaticRoute> {
    let wrong = |words: String| xml_error(format!("{network}: {words}"));
    let family = owned(node, "family");
    let (address, netmask, gateway) = (node.attr("address"), node.attr("netmask"), node.attr("gateway"));
    let prefix = refuse::unsigned(node, "prefix", 10)?;
    let metric = refuse::unsigned(node, "metric", 10)?;
    if metric == Some(0) {
        return Err(refuse::zero_attribute("route", "metric"));
    }
    let Some(address) = address else {
        return wrong("Missing required address attribute in route definition".into());
    };
    let Some(gateway) = gateway else {
        return wrong("Missing required gateway attribute in route definition".into());
    };
    let Some(destination) = parse_ip(address) else {
        return wrong(format!("Bad network address '{address}' in route definition"));
    };
    let mask = match netmask.map(|text| (text, parse_ip(text))) {
        None => None,
        Some((_, Some(mask))) => Some(mask),
        Some((text, None)) => return wrong(format!("Bad netmask address '{text}' in route definition")),
    };
    let Some(by) = parse_ip(gateway) else {
        return wrong(format!("Bad gateway address '{gateway}' in route definition"));
    };
    match family.as_deref() {
        None | Some("ipv4") => {
            if !destination.is_ipv4() {
                let what = if family.is_none() { "No family" } else { "IPv4 family" };
                return wrong(format!("{what} specified for non-IPv4 address '{address}' in route definition"));
            }
            if !by.is_ipv4() {
                // Libvirt names the address here.
                return wrong(format!("No family specified for non-IPv4 gateway '{address}' in route definition"));
            }
            if let Some(mask) = mask.filter(|mask| !mask.is_ipv4()) {
                return wrong(format!("Invalid netmask '{mask}' for address '{address}' (both must be IPv4)"));
            }
            if mask.is_some() && prefix.is_some() {
                return wrong("Route definition cannot have both a prefix and a netmask".into());
            }
            if let Some(prefix) = prefix.filter(|prefix| *prefix > 32) {
                return wrong(format!("Invalid prefix {prefix} specified in route definition, must be 0 - 32"));
            }
        }
        Some("ipv6") => {
            if !destination.is_ipv6() {
                let words = format!("ipv6 family specified for non-IPv6 address '{address}' in route definition");
                return wrong(words);
            }
            if netmask.is_some() {
                let words = format!("Specifying netmask invalid for IPv6 address '{address}' in route definition");
                return wrong(words);
            }
            if !by.is_ipv6() {
                let words = format!("ipv6 specified for non-IPv6 gateway address '{gateway}' in route definition");
                return wrong(words);
            }
            if let Some(prefix) = prefix.filter(|prefix| *prefix > 128) {
                return wrong(format!("Invalid prefix {prefix} specified in route definition, must be 0 - 128"));
            }
        }
        Some(other) => return wrong(format!("Unrecognized family '{other}' in route definition")),
    }
    let mask_used = mask.unwrap_or_else(|| mask_of(destination, prefix.unwrap_or(0) as u8));
    if masked(destination, mask_used) != destination {
        return wrong(format!("Address '{address}' in route definition is not a network address"));
    }
    Ok(StaticRoute { family, address: destination, netmask: mask, prefix, gateway: by, metric })
}
