//! `<dns>` and its records.

use super::address::parse_ip;
use super::read::{detail, filled, owned, unsigned, xml_error, yes_no};
use super::{Dns, DnsHost, DnsSrv, DnsTxt, Forwarder};
use crate::xml::Node;
use api::Result;

/// The longest service name that dnsmasq's own buffer takes.
const LONGEST_SERVICE: usize = 482;

pub(super) fn dns(node: Node, network: &str) -> Result<Dns> {
    let mut dns = Dns {
        enable: yes_no(node, "enable")?,
        forward_plain_names: yes_no(node, "forwardPlainNames")?,
        ..Dns::default()
    };
    for element in node.all("forwarder") {
        let address = match element.attr("addr").map(|text| (text, parse_ip(text))) {
            None => None,
            Some((_, Some(address))) => Some(address),
            Some((text, None)) => {
                return xml_error(format!("Invalid forwarder IP address '{text}' in network '{network}'"));
            }
        };
        let domain = owned(element, "domain");
        if address.is_none() && domain.is_none() {
            return xml_error("Invalid forwarder element, must contain at least one of addr or domain");
        }
        dns.forwarders.push(Forwarder { domain, address });
    }
    for element in node.all("host") {
        dns.hosts.push(host(element, network, false)?);
    }
    for element in node.all("srv") {
        dns.srvs.push(srv(element, network, false)?);
    }
    for element in node.all("txt") {
        dns.txts.push(txt(element, network, false)?);
    }
    let records = dns.forwarders.len() + dns.hosts.len() + dns.srvs.len() + dns.txts.len();
    if dns.enable == Some(false) && records > 0 {
        return xml_error(format!("Extra data in disabled network '{network}'"));
    }
    Ok(dns)
}

/// With `partial`, what says which record is enough.
pub(super) fn host(node: Node, network: &str, partial: bool) -> Result<DnsHost> {
    let text = node.attr("ip");
    if text.is_none() && !partial {
        return detail(format!("Missing IP address in network '{network}' DNS HOST record"));
    }
    let ip = match text.map(parse_ip) {
        Some(None) => return detail(format!("Invalid IP address in network '{network}' DNS HOST record")),
        ip => ip.flatten(),
    };
    let mut names = Vec::new();
    for element in node.all("hostname") {
        if element.children().next().is_none() {
            continue;
        }
        let name = element.text();
        if name.is_empty() {
            return detail(format!("Missing hostname in network '{network}' DNS HOST record"));
        }
        names.push(name.into_owned());
    }
    if names.is_empty() && !partial {
        return detail(format!("Missing hostname in network '{network}' DNS HOST record"));
    }
    if names.is_empty() && ip.is_none() {
        return detail(format!("Missing ip and hostname in network '{network}' DNS HOST record"));
    }
    Ok(DnsHost { ip, names })
}

pub(super) fn srv(node: Node, network: &str, partial: bool) -> Result<DnsSrv> {
    let service = owned(node, "service");
    match &service {
        None if !partial => {
            return detail(format!("missing required service attribute in DNS SRV record of network '{network}'"));
        }
        Some(service) if service.len() > LONGEST_SERVICE => {
            return detail(format!(
                "service attribute '{service}' in network '{network}' is too long, limit is {LONGEST_SERVICE} bytes"
            ));
        }
        Some(service) if !service.bytes().all(|b| in_protocol(b) || matches!(b, b'_' | b'*')) => {
            return detail(format!(
                "invalid character in service attribute '{service}' in DNS SRV record of network '{network}'"
            ));
        }
        _ => {}
    }
    let protocol = owned(node, "protocol");
    let shown = service.clone().unwrap_or_default();
    match &protocol {
        None if !partial => {
            return detail(format!(
                "missing required protocol attribute in DNS SRV record '{shown}' of network '{network}'"
            ));
        }
        Some(protocol) if !protocol.bytes().all(in_protocol) => {
            return detail(format!(
                "invalid character in protocol attribute '{protocol}' in DNS SRV record of network '{network}'"
            ));
        }
        _ => {}
    }
    let target = owned(node, "target");
    let number = |name: &str, least: u32, most: u32, word: &str| -> Result<u32> {
        let Some(text) = filled(node, name) else { return Ok(0) };
        let read = unsigned(&text);
        if read.is_ok() && target.is_none() {
            return detail(format!(
                "DNS SRV {name} attribute not permitted without target for service '{shown}' in network '{network}'"
            ));
        }
        match read {
            Ok(value) if (least..=most).contains(&value) => Ok(value),
            _ => detail(format!("{word} DNS SRV {name} attribute for service '{shown}' in network '{network}'")),
        }
    };
    let port = number("port", 1, 65535, "invalid")?;
    let priority = number("priority", 0, 65535, "Invalid")?;
    let weight = number("weight", 0, 65535, "invalid")?;
    Ok(DnsSrv { domain: owned(node, "domain"), service, protocol, target, port, priority, weight })
}

fn in_protocol(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'/')
}

pub(super) fn txt(node: Node, network: &str, partial: bool) -> Result<DnsTxt> {
    let Some(name) = owned(node, "name") else {
        return detail(format!("missing required name attribute in DNS TXT record of network {network}"));
    };
    if name.contains([' ', ',']) {
        return detail(format!("prohibited character in DNS TXT record name '{name}' of network {network}"));
    }
    let value = owned(node, "value");
    if value.is_none() && !partial {
        return detail(format!(
            "missing required value attribute in DNS TXT record named '{name}' of network {network}"
        ));
    }
    Ok(DnsTxt { name, value })
}
