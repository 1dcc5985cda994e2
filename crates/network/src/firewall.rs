//! The firewall rules of a network: a table of nftables of its own, which is loaded and removed as one.
//!
//! Traffic to and from the host is not touched. What passes through is let in or out as the forward mode says,
//! everything else that comes from or goes to the bridge is rejected; NAT where the mode asks for it.

use crate::program;
use api::{Error, ErrorDomain, Result};
use conf::network::{ForwardMode, Ip, Network, network_address};
use std::fmt::Write as _;

/// The ports that translated connections come from, unless the document says otherwise.
const NAT_PORTS: (u16, u16) = (1024, 65535);

/// Loads the rules in place of those that are there.
pub fn load(network: &Network) -> Result<()> {
    match script(network)? {
        Some(script) => nft(&network.name, &script),
        None => Ok(()),
    }
}

/// Takes the rules away; nothing happens where there are none.
pub fn remove(network: &Network) -> Result<()> {
    let Some(table) = table(network)? else { return Ok(()) };
    nft(&network.name, &removal(&table))
}

fn nft(network: &str, script: &str) -> Result<()> {
    program::run("nft", "nftables", &["-f", "-"], script)
        .map_err(|e| e.explain(format!(" (the firewall rules of network '{network}')")))
}

fn removal(table: &str) -> String {
    // Made first, so that deleting it cannot fail.
    format!("table inet {table}\ndelete table inet {table}\n")
}

/// The table's name; `None` where the network has no rules.
fn table(network: &Network) -> Result<Option<String>> {
    let Some(bridge) = network.bridge.name.as_deref() else { return Ok(None) };
    if !network.forward.mode.owns_bridge() || network.forward.mode == ForwardMode::Open {
        return Ok(None);
    }
    quoted(bridge)?;
    Ok(Some(table_name(bridge)))
}

/// The name of a table that is about one link.
pub(crate) fn table_name(link: &str) -> String {
    let mut name = "virtlxc_".to_string();
    for byte in link.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' => name.push(char::from(byte)),
            // What a link may be called and a table may not is written as its number.
            other => _ = write!(name, "_{other:02x}"),
        }
    }
    name
}

/// The name of a link as nft reads it.
pub(crate) fn quoted(link: &str) -> Result<String> {
    match link.chars().any(|c| matches!(c, '"' | '\\' | '*') || c.is_control() || c.is_whitespace()) {
        false => Ok(format!("\"{link}\"")),
        true => Err(Error::config_unsupported(
            ErrorDomain::Network,
            format!("'{link}' has a character that no firewall rule can have"),
        )),
    }
}

/// The whole table as a script for `nft -f`.
fn script(network: &Network) -> Result<Option<String>> {
    let (Some(table), Some(bridge)) = (table(network)?, network.bridge.name.as_deref()) else { return Ok(None) };
    let bridge = quoted(bridge)?;
    let dev = network.forward.interfaces.first().map(|dev| quoted(dev)).transpose()?;
    let mut script = removal(&table);
    let mut line = |text: &str| {
        script.push_str(text);
        script.push('\n');
    };
    line(&format!("table inet {table} {{"));
    line("\tchain forward {");
    line("\t\ttype filter hook forward priority filter; policy accept;");
    line(&format!("\t\tiifname {bridge} oifname {bridge} accept"));
    let subnets = subnets(network);
    let forwards = network.forward.mode != ForwardMode::None;
    if forwards {
        let from = dev.as_ref().map(|dev| format!("iifname {dev} ")).unwrap_or_default();
        for subnet in &subnets {
            let state = if subnet.translated { " ct state related,established" } else { "" };
            line(&format!("\t\t{from}oifname {bridge} {} daddr {}{state} accept", subnet.family, subnet.text));
        }
    }
    if forwards {
        // Whoever translates a destination into the network wants it reached.
        line(&format!("\t\toifname {bridge} ct status dnat accept"));
    }
    line(&format!("\t\toifname {bridge} reject"));
    if forwards {
        let to = dev.as_ref().map(|dev| format!("oifname {dev} ")).unwrap_or_default();
        for subnet in &subnets {
            line(&format!("\t\tiifname {bridge} {to}{} saddr {} accept", subnet.family, subnet.text));
        }
    }
    line(&format!("\t\tiifname {bridge} reject"));
    line("\t}");
    if subnets.iter().any(|subnet| subnet.translated) {
        line("\tchain postrouting {");
        line("\t\ttype nat hook postrouting priority srcnat; policy accept;");
        for subnet in subnets.iter().filter(|subnet| subnet.translated) {
            for rule in translation(network, subnet, dev.as_deref()) {
                line(&format!("\t\t{rule}"));
            }
        }
        line("\t}");
    }
    line("}");
    Ok(Some(script))
}

struct Subnet {
    /// `ip` or `ip6`
    family: &'static str,
    text: String,
    translated: bool,
}

fn subnets(network: &Network) -> Vec<Subnet> {
    let nat = network.forward.mode == ForwardMode::Nat;
    let subnet = |ip: &Ip| {
        let prefix = ip.prefix()?;
        let (family, translated) = match ip.address.is_ipv4() {
            true => ("ip", nat),
            false => ("ip6", nat && network.forward.nat.ipv6 == Some(true)),
        };
        Some(Subnet { family, text: format!("{}/{prefix}", network_address(ip.address, prefix)), translated })
    };
    network.ips.iter().filter_map(subnet).collect()
}

fn translation(network: &Network, subnet: &Subnet, dev: Option<&str>) -> Vec<String> {
    let nat = &network.forward.nat;
    let (family, net) = (subnet.family, &subnet.text);
    let out = dev.map(|dev| format!("oifname {dev} ")).unwrap_or_default();
    let not_translated: &[&str] = if family == "ip" { &["224.0.0.0/24", "255.255.255.255"] } else { &["ff02::/16"] };
    let mut rules: Vec<String> = not_translated
        .iter()
        .map(|destination| format!("{out}{family} saddr {net} {family} daddr {destination} return"))
        .collect();
    let (first, last) = if nat.port == (0, 0) { NAT_PORTS } else { nat.port };
    let (with_ports, plain) = match nat.address.filter(|_| family == "ip") {
        Some((start, end)) if start == end => {
            (format!("snat ip to {start}:{first}-{last}"), format!("snat ip to {start}"))
        }
        Some((start, end)) => (format!("snat ip to {start}-{end}:{first}-{last}"), format!("snat ip to {start}-{end}")),
        None => (format!("masquerade to :{first}-{last}"), "masquerade".to_string()),
    };
    let leaving = format!("{out}{family} saddr {net} {family} daddr != {net}");
    rules.push(format!("meta l4proto {{ tcp, udp }} {leaving} {with_ports}"));
    rules.push(format!("{leaving} {plain}"));
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::Uuid;
    use conf::network::Facts;

    fn rules(inside: &str) -> String {
        let xml = format!("<network><name>n</name><bridge name='virbr0'/>{inside}</network>");
        let facts = Facts { new_uuid: Uuid([1; 16]), is_virtual_function: &|_| false };
        script(&Network::parse(xml.as_bytes(), false, &facts).unwrap()).unwrap().unwrap_or_default()
    }

    const IP: &str = "<ip address='192.168.122.1' netmask='255.255.255.0'/>";

    #[test]
    fn nat_lets_out_and_lets_answers_in() {
        assert_eq!(
            rules(&format!("<forward/>{IP}")),
            "table inet virtlxc_virbr0
delete table inet virtlxc_virbr0
table inet virtlxc_virbr0 {
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname \"virbr0\" oifname \"virbr0\" accept
		oifname \"virbr0\" ip daddr 192.168.122.0/24 ct state related,established accept
		oifname \"virbr0\" ct status dnat accept
		oifname \"virbr0\" reject
		iifname \"virbr0\" ip saddr 192.168.122.0/24 accept
		iifname \"virbr0\" reject
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 192.168.122.0/24 ip daddr 224.0.0.0/24 return
		ip saddr 192.168.122.0/24 ip daddr 255.255.255.255 return
		meta l4proto { tcp, udp } ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 masquerade to :1024-65535
		ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 masquerade
	}
}
"
        );
    }

    #[test]
    fn other_modes() {
        let check = |inside: &str, has: &[&str], has_not: &[&str]| {
            let rules = rules(inside);
            has.iter().for_each(|text| assert!(rules.contains(text), "{text} is not in\n{rules}"));
            has_not.iter().for_each(|text| assert!(!rules.contains(text), "{text} is in\n{rules}"));
        };
        check(
            &format!("<forward mode='route' dev='eth0'/>{IP}"),
            &[
                "iifname \"eth0\" oifname \"virbr0\" ip daddr 192.168.122.0/24 accept",
                "iifname \"virbr0\" oifname \"eth0\" ip saddr",
            ],
            &["masquerade", "ct state"],
        );
        check(IP, &["oifname \"virbr0\" reject", "iifname \"virbr0\" reject"], &["saddr", "daddr"]);
        check(
            &format!("<forward><nat ipv6='yes'/></forward>{IP}<ip family='ipv6' address='fd00::1' prefix='64'/>"),
            &["ip6 saddr fd00::/64 ip6 daddr ff02::/16 return", "ip6 daddr != fd00::/64 masquerade"],
            &[],
        );
        check(
            &format!(
                "<forward><nat><address start='1.2.3.4' end='1.2.3.5'/><port start='500' end='1000'/></nat></forward>{IP}"
            ),
            &["snat ip to 1.2.3.4-1.2.3.5:500-1000", "snat ip to 1.2.3.4-1.2.3.5\n"],
            &["masquerade"],
        );
        assert_eq!(rules(&format!("<forward mode='open'/>{IP}")), "");
    }
}
