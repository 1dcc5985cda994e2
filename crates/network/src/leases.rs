//! Addresses that dnsmasq has lent, read from the file that it keeps (dnsmasq(8), `--dhcp-leasefile`), or from the
//! one that libvirt's helper keeps where libvirt started the network.

use conf::Mac;
use conf::network::Network;
use serde_json::Value;
use std::net::IpAddr;

/// One address lent to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The bridge.
    pub link: String,
    /// Seconds since 1970; 0 is never.
    pub expires: i64,
    pub mac: Option<String>,
    /// Of IPv6 leases.
    pub iaid: Option<String>,
    pub address: IpAddr,
    pub prefix: u8,
    pub hostname: Option<String>,
    /// The client's own name for itself, for IPv6 its DUID.
    pub client_id: Option<String>,
}

/// Those of `text` that have not run out at `now`. Lines: expiry, address of hardware or IAID, address, name, client.
pub fn from_dnsmasq(text: &str, network: &Network, now: i64) -> Vec<Lease> {
    let mut leases = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [expires, hardware, address, hostname, client, ..] = words[..] else { continue };
        let (Ok(expires), Ok(address)) = (expires.parse::<i64>(), address.parse::<IpAddr>()) else { continue };
        let client = given(client);
        let (mac, iaid) = match address {
            IpAddr::V4(_) => (hardware_address(hardware), None),
            // A capital T stands before the number of a temporary address.
            IpAddr::V6(_) => {
                (client.as_deref().and_then(mac_of_duid), Some(hardware.trim_start_matches('T').to_string()))
            }
        };
        leases.push(Lease {
            link: network.bridge.name.clone().unwrap_or_default(),
            expires,
            mac,
            iaid,
            address,
            prefix: prefix(network, address),
            hostname: given(hostname),
            client_id: client,
        });
    }
    leases.retain(|lease| lease.expires == 0 || lease.expires >= now);
    leases
}

/// The same from a file of libvirt's: an array of objects.
pub fn from_libvirt(text: &str, network: &Network, now: i64) -> Vec<Lease> {
    let Ok(Value::Array(entries)) = serde_json::from_str(text) else { return Vec::new() };
    let lease = |entry: &Value| {
        let word = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_string);
        let address: IpAddr = word("ip-address")?.parse().ok()?;
        let expires = entry.get("expiry-time").and_then(Value::as_i64)?;
        (expires == 0 || expires >= now).then(|| Lease {
            link: network.bridge.name.clone().unwrap_or_default(),
            expires,
            mac: word("mac-address"),
            iaid: word("iaid"),
            address,
            prefix: prefix(network, address),
            hostname: word("hostname"),
            client_id: word("client-id"),
        })
    };
    entries.iter().filter_map(lease).collect()
}

fn given(word: &str) -> Option<String> {
    (word != "*").then(|| word.to_string())
}

/// Ethernet addresses stand as they are, others after the number of their type.
fn hardware_address(word: &str) -> Option<String> {
    let bare = word.rsplit('-').next().unwrap_or(word);
    Mac::parse(bare).map(|mac| mac.to_string())
}

/// The hardware address that most DUIDs (RFC 8415, types 1 and 3) end in.
fn mac_of_duid(duid: &str) -> Option<String> {
    let rest = duid
        .strip_prefix("00:01:00:01:")
        .map(|rest| rest.get(12..))
        .unwrap_or_else(|| duid.strip_prefix("00:03:00:01:"))?;
    Mac::parse(rest).map(|mac| mac.to_string())
}

fn prefix(network: &Network, address: IpAddr) -> u8 {
    let inside = |prefix: u8, ip: &conf::network::Ip| conf::network::in_subnet(address, ip.address, prefix);
    let same_family = |ip: &&conf::network::Ip| ip.address.is_ipv4() == address.is_ipv4();
    let all = || network.ips.iter().filter(same_family).filter_map(|ip| Some((ip, ip.prefix()?)));
    all().find(|(ip, prefix)| inside(*prefix, ip)).or_else(|| all().next()).map_or(0, |(_, prefix)| prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::Uuid;
    use conf::network::Facts;

    fn network() -> Network {
        let xml = "<network><name>n</name><bridge name='virbr0'/><ip address='192.168.122.1' prefix='24'/>\
                   <ip family='ipv6' address='fd00::1' prefix='64'/></network>";
        let facts = Facts { new_uuid: Uuid([1; 16]), is_virtual_function: &|_| false };
        Network::parse(xml.as_bytes(), false, &facts).unwrap()
    }

    #[test]
    fn lines_of_dnsmasq() {
        let text = "200 52:54:00:aa:bb:cc 192.168.122.7 box 01:52:54:00:aa:bb:cc\n\
                    0 52:54:00:aa:bb:cd 192.168.122.8 * *\n\
                    99 52:54:00:aa:bb:ce 192.168.122.9 old *\n\
                    nonsense\n\
                    duid 00:01:00:01:2d:00:00:00:52:54:00:00:00:01\n\
                    300 11189196 fd00::64 six 00:03:00:01:52:54:00:aa:bb:cc\n\
                    300 T42 fd00::65 * 00:01:00:01:2d:11:22:33:52:54:00:aa:bb:cd\n";
        let leases = from_dnsmasq(text, &network(), 100);
        let shown: Vec<String> = leases
            .iter()
            .map(|lease| {
                let word = |word: &Option<String>| word.clone().unwrap_or("-".into());
                let (mac, iaid) = (word(&lease.mac), word(&lease.iaid));
                format!("{} {mac} {iaid} {}/{} {}", lease.expires, lease.address, lease.prefix, word(&lease.hostname))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "200 52:54:00:aa:bb:cc - 192.168.122.7/24 box",
                "0 52:54:00:aa:bb:cd - 192.168.122.8/24 -",
                "300 52:54:00:aa:bb:cc 11189196 fd00::64/64 six",
                "300 52:54:00:aa:bb:cd 42 fd00::65/64 -",
            ]
        );
    }

    #[test]
    fn entries_of_libvirt() {
        let text = r#"[{"ip-address": "192.168.122.7", "mac-address": "52:54:00:aa:bb:cc", "hostname": "h1",
            "client-id": "01", "expiry-time": 200}, {"ip-address": "192.168.122.8", "expiry-time": 50}]"#;
        let leases = from_libvirt(text, &network(), 100);
        assert_eq!(leases.len(), 1);
        assert_eq!(leases[0].hostname.as_deref(), Some("h1"));
        assert_eq!(from_libvirt("", &network(), 0), []);
    }
}
