//! Changes to one section of a network's document (`virNetworkUpdate`).

use super::read::xml_error;
use super::{DhcpHost, DhcpRange, Dns, DnsSrv, Ip, Network, dhcp, dns, parse};
use crate::Mac;
use crate::xml::{Document, Node, Source};
use api::{Code, Error, ErrorDomain, Result};

/// `virNetworkUpdateCommand`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Modify = 1,
    Delete = 2,
    AddLast = 3,
    AddFirst = 4,
}

impl Command {
    pub fn from_number(number: u32) -> Option<Command> {
        [Command::Modify, Command::Delete, Command::AddLast, Command::AddFirst]
            .into_iter()
            .find(|command| *command as u32 == number)
    }
}

/// `virNetworkUpdateSection`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Bridge = 1,
    Domain = 2,
    Ip = 3,
    IpDhcpHost = 4,
    IpDhcpRange = 5,
    Forward = 6,
    ForwardInterface = 7,
    ForwardPf = 8,
    Portgroup = 9,
    DnsHost = 10,
    DnsTxt = 11,
    DnsSrv = 12,
}

const SECTIONS: &[(Section, &str)] = &[
    (Section::Bridge, "bridge"),
    (Section::Domain, "domain"),
    (Section::Ip, "ip"),
    (Section::IpDhcpHost, "dhcp host"),
    (Section::IpDhcpRange, "dhcp range"),
    (Section::Forward, "forward"),
    (Section::ForwardInterface, "forward interface"),
    (Section::ForwardPf, "forward pf"),
    (Section::Portgroup, "portgroup"),
    (Section::DnsHost, "dns host"),
    (Section::DnsTxt, "dns txt"),
    (Section::DnsSrv, "dns srv"),
];

impl Section {
    pub fn from_number(number: u32) -> Option<Section> {
        SECTIONS.iter().map(|(section, _)| *section).find(|section| *section as u32 == number)
    }
}

fn invalid<T>(words: String) -> Result<T> {
    Err(Error::operation_invalid(ErrorDomain::Network, words))
}

fn not_supported<T>(words: String) -> Result<T> {
    Err(Error::new(ErrorDomain::Network, Code::OperationUnsupported, words))
}

fn insert<T>(list: &mut Vec<T>, command: Command, element: T) {
    match command {
        Command::AddFirst => list.insert(0, element),
        _ => list.push(element),
    }
}

pub(super) const SOURCE: Source = Source { name: "network_update_xml", domain: ErrorDomain::Network };

impl Network {
    /// The document with the change made. `parent` counts the elements that `section` can be in, -1 is the fitting one.
    pub fn updated(&self, command: Command, section: Section, parent: i32, xml: &str) -> Result<Network> {
        let document = Document::parse(xml.as_bytes(), SOURCE)?;
        let mut network = self.clone();
        let node = document.root();
        let name = &self.name;
        match section {
            Section::IpDhcpHost => network.update_dhcp_host(command, parent, node)?,
            Section::IpDhcpRange => network.update_dhcp_range(command, parent, node)?,
            Section::ForwardInterface => network.update_forward_interface(command, node)?,
            Section::Portgroup => network.update_portgroup(command, node)?,
            Section::DnsHost => update_dns_host(&mut network.dns, name, command, node)?,
            Section::DnsTxt => update_dns_txt(&mut network.dns, name, command, node)?,
            Section::DnsSrv => update_dns_srv(&mut network.dns, name, command, node)?,
            Section::Bridge | Section::Domain | Section::Ip | Section::Forward | Section::ForwardPf => {
                let word = SECTIONS.iter().find(|(other, _)| *other == section).map_or("", |(_, word)| word);
                return not_supported(format!("can't update '{word}' section of network '{name}'"));
            }
        }
        // Whether the parts still fit together is told by the reader.
        let document = Document::parse(network.format().as_bytes(), SOURCE)?;
        Network::from_node(document.root(), network.uuid)
    }

    /// The position of the `<ip>` that a DHCP entry belongs to.
    fn dhcp_parent(&self, index: i32) -> Result<usize> {
        let name = &self.name;
        if let Ok(index) = usize::try_from(index) {
            let words =
                format!("couldn't update dhcp host entry - no <ip> element found at index {index} in network '{name}'");
            return if index < self.ips.len() { Ok(index) } else { invalid(words) };
        }
        let with = |test: &dyn Fn(&Ip) -> bool| self.ips.iter().position(test);
        let found = with(&Ip::has_dhcp)
            .or_else(|| with(&|ip| ip.address.is_ipv4()))
            .or_else(|| with(&|ip| ip.address.is_ipv6()));
        let words = format!("couldn't update dhcp host entry - no <ip> element found in network '{name}'");
        found.map_or_else(|| invalid(words), Ok)
    }

    /// Nothing is added where another address of the family has entries.
    fn refuse_second_dhcp(&self, index: usize) -> Result<()> {
        let ipv4 = self.ips[index].address.is_ipv4();
        let another = |(other, ip): (usize, &Ip)| other != index && ip.address.is_ipv4() == ipv4 && ip.has_dhcp();
        if self.ips.iter().enumerate().any(another) {
            let family = if ipv4 { "IPv4" } else { "IPv6" };
            return invalid(format!("dhcp is supported only for a single {family} address on each network"));
        }
        Ok(())
    }

    fn update_dhcp_host(&mut self, command: Command, parent: i32, node: Node) -> Result<()> {
        let name = self.name.clone();
        expect(node, "host", &name)?;
        let index = self.dhcp_parent(parent)?;
        let second = self.refuse_second_dhcp(index);
        let ip = &mut self.ips[index];
        let host = dhcp::host(node, ip, &name, command == Command::Delete)?;
        if command != Command::Delete && host.ip.is_some_and(|address| address.is_ipv4() != ip.address.is_ipv4()) {
            return invalid(
                "the address family of a host entry IP must match the address family of the dhcp element's parent"
                    .into(),
            );
        }
        match command {
            Command::Modify => match ip.hosts.iter_mut().find(|other| shares_a_field(other, &host)) {
                Some(found) => *found = host,
                None => {
                    return invalid(format!(
                        "couldn't locate an existing dhcp host entry with \"mac='{}'\" \"name='{}'\" \"ip='{}'\" in network '{name}'",
                        host.mac.as_deref().unwrap_or("unknown"),
                        host.name.as_deref().unwrap_or("unknown"),
                        host.ip.map_or_else(|| "unknown".to_string(), |address| address.to_string())
                    ));
                }
            },
            Command::AddFirst | Command::AddLast => {
                second?;
                if ip.hosts.iter().any(|other| shares_a_field(other, &host)) {
                    let mac = host.mac.as_deref().unwrap_or("unknown");
                    let shown = host.ip.map_or_else(|| "unknown".to_string(), |address| address.to_string());
                    let text = match &host.name {
                        Some(host) => format!("<host mac='{mac}' name='{host}' ip='{shown}'/>"),
                        None => format!("<host mac='{mac}' name='unknown' ip='{shown}'/>"),
                    };
                    return invalid(format!(
                        "there is an existing dhcp host entry in network '{name}' that matches \"{text}\""
                    ));
                }
                insert(&mut ip.hosts, command, host);
            }
            Command::Delete => match ip.hosts.iter().position(|other| fits(other, &host)) {
                Some(index) => _ = ip.hosts.remove(index),
                None => {
                    return invalid(format!("couldn't locate a matching dhcp host entry in network '{name}'"));
                }
            },
        }
        Ok(())
    }

    fn update_dhcp_range(&mut self, command: Command, parent: i32, node: Node) -> Result<()> {
        let name = self.name.clone();
        expect(node, "range", &name)?;
        let index = self.dhcp_parent(parent)?;
        let second = self.refuse_second_dhcp(index);
        let ip = &mut self.ips[index];
        if command == Command::Modify {
            return not_supported("dhcp ranges cannot be modified, only added or deleted".into());
        }
        let range = dhcp::range(node, ip, &name)?;
        if range.start.is_ipv4() != ip.address.is_ipv4() {
            return invalid(
                "the address family of a dhcp range must match the address family of the dhcp element's parent".into(),
            );
        }
        if command != Command::Delete {
            second?;
        }
        let same = |other: &DhcpRange| (other.start, other.end) == (range.start, range.end);
        let found = ip.ranges.iter().position(same);
        match (command, found) {
            (Command::Delete, Some(index)) => _ = ip.ranges.remove(index),
            (Command::Delete, None) => {
                return invalid(format!("couldn't locate a matching dhcp range entry in network '{name}'"));
            }
            (_, Some(_)) => {
                return invalid(format!(
                    "there is an existing dhcp range entry in network '{name}' that matches \"<range start='{}' end='{}'/>\"",
                    range.start, range.end
                ));
            }
            (_, None) => insert(&mut ip.ranges, command, range),
        }
        Ok(())
    }

    fn update_forward_interface(&mut self, command: Command, node: Node) -> Result<()> {
        let name = &self.name;
        expect(node, "interface", name)?;
        if command == Command::Modify {
            return not_supported("forward interface entries cannot be modified, only added or deleted".into());
        }
        let Some(dev) = node.attr("dev") else {
            return xml_error("missing dev attribute in <interface> element");
        };
        let list = &mut self.forward.interfaces;
        match (command, list.iter().position(|other| other == dev)) {
            (Command::Delete, Some(index)) => _ = list.remove(index),
            (Command::Delete, None) => {
                return invalid(format!(
                    "couldn't find an interface entry in network '{name}' matching <interface dev='{dev}'>"
                ));
            }
            (_, Some(_)) => {
                return invalid(format!(
                    "there is an existing interface entry in network '{name}' that matches \"<interface dev='{dev}'>\""
                ));
            }
            (_, None) => insert(list, command, dev.to_string()),
        }
        Ok(())
    }

    fn update_portgroup(&mut self, command: Command, node: Node) -> Result<()> {
        let name = &self.name;
        expect(node, "portgroup", name)?;
        let group = parse::portgroup(node)?;
        let list = &mut self.portgroups;
        let found = list.iter().position(|other| other.name == group.name);
        let shown = format!("<portgroup name='{}'>", group.name);
        let adding = matches!(command, Command::AddFirst | Command::AddLast);
        match found {
            None if !adding => {
                return invalid(format!("couldn't find a portgroup entry in network '{name}' matching {shown}"));
            }
            Some(_) if adding => {
                return invalid(format!(
                    "there is an existing portgroup entry in network '{name}' that matches \"{shown}\""
                ));
            }
            _ => {}
        }
        let another = list.iter().enumerate().any(|(index, other)| other.default && Some(index) != found);
        if command != Command::Delete && group.default && another {
            return invalid(format!(
                "a different portgroup entry in network '{name}' is already set as the default. Only one default is allowed."
            ));
        }
        match (command, found) {
            (Command::Modify, Some(index)) => list[index] = group,
            (Command::Delete, Some(index)) => _ = list.remove(index),
            _ => insert(list, command, group),
        }
        Ok(())
    }
}

fn expect(node: Node, element: &str, network: &str) -> Result<()> {
    if node.name() == element {
        return Ok(());
    }
    xml_error(format!(
        "unexpected element <{}>, expecting <{element}>, while updating network '{network}'",
        node.name()
    ))
}

fn same_mac(one: &Option<String>, other: &Option<String>) -> bool {
    one.is_some() && one.as_deref().and_then(Mac::parse) == other.as_deref().and_then(Mac::parse) && other.is_some()
}

/// Equal hardware address, name or address: two such entries cannot stand together.
fn shares_a_field(one: &DhcpHost, other: &DhcpHost) -> bool {
    same_mac(&one.mac, &other.mac)
        || one.name.is_some() && one.name == other.name
        || one.ip.is_some() && one.ip == other.ip
}

/// Whether an entry is the one that is described: each field that both have is equal.
fn fits(entry: &DhcpHost, description: &DhcpHost) -> bool {
    (description.mac.is_none() || entry.mac.is_none() || same_mac(&entry.mac, &description.mac))
        && (description.name.is_none() || entry.name == description.name)
        && (description.ip.is_none() || entry.ip == description.ip)
}

fn update_dns_host(dns: &mut Dns, network: &str, command: Command, node: Node) -> Result<()> {
    if command == Command::Modify {
        return not_supported("DNS HOST records cannot be modified, only added or deleted".into());
    }
    expect(node, "host", network)?;
    let host = dns::host(node, network, command == Command::Delete)?;
    if command != Command::Delete {
        if dns.hosts.iter().any(|other| other.ip == host.ip) {
            return invalid(format!(
                "there is already at least one DNS HOST record with a matching field in network {network}"
            ));
        }
        insert(&mut dns.hosts, command, host);
        return Ok(());
    }
    let matches = |other: &super::DnsHost| {
        host.ip.is_some() && other.ip == host.ip || other.names.iter().any(|name| host.names.contains(name))
    };
    let several = format!("multiple matching DNS HOST records were found in network {network}");
    let index = only_one(&dns.hosts, matches, network, "HOST", several)?;
    dns.hosts.remove(index);
    Ok(())
}

fn update_dns_txt(dns: &mut Dns, network: &str, command: Command, node: Node) -> Result<()> {
    if command == Command::Modify {
        return not_supported("DNS TXT records cannot be modified, only added or deleted".into());
    }
    expect(node, "txt", network)?;
    let txt = dns::txt(node, network, command == Command::Delete)?;
    match (command, dns.txts.iter().position(|other| other.name == txt.name)) {
        (Command::Delete, Some(index)) => _ = dns.txts.remove(index),
        (Command::Delete, None) => {
            return invalid(format!("couldn't locate a matching DNS TXT record in network {network}"));
        }
        (_, Some(_)) => {
            let name = txt.name;
            return invalid(format!("there is already a DNS TXT record with name '{name}' in network {network}"));
        }
        (_, None) => insert(&mut dns.txts, command, txt),
    }
    Ok(())
}

fn update_dns_srv(dns: &mut Dns, network: &str, command: Command, node: Node) -> Result<()> {
    if command == Command::Modify {
        return not_supported("DNS SRV records cannot be modified, only added or deleted".into());
    }
    expect(node, "srv", network)?;
    let srv = dns::srv(node, network, command == Command::Delete)?;
    let matches = |other: &DnsSrv| {
        let text = |given: &Option<String>, there: &Option<String>| given.is_none() || given == there;
        text(&srv.domain, &other.domain)
            && text(&srv.service, &other.service)
            && text(&srv.protocol, &other.protocol)
            && text(&srv.target, &other.target)
            && (srv.port == 0 || srv.port == other.port)
            && (srv.priority == 0 || srv.priority == other.priority)
            && (srv.weight == 0 || srv.weight == other.weight)
    };
    if command != Command::Delete {
        if dns.srvs.iter().any(matches) {
            return invalid(format!(
                "there is already at least one DNS SRV record matching all specified fields in network {network}"
            ));
        }
        insert(&mut dns.srvs, command, srv);
        return Ok(());
    }
    let several = format!("multiple DNS SRV records matching all specified fields were found in network {network}");
    let index = only_one(&dns.srvs, matches, network, "SRV", several)?;
    dns.srvs.remove(index);
    Ok(())
}

fn only_one<T>(list: &[T], matches: impl Fn(&T) -> bool, network: &str, what: &str, several: String) -> Result<usize> {
    let mut found = (0..list.len()).filter(|index| matches(&list[*index]));
    match (found.next(), found.next()) {
        (None, _) => invalid(format!("couldn't locate a matching DNS {what} record in network {network}")),
        (Some(index), None) => Ok(index),
        (Some(_), Some(_)) => invalid(several),
    }
}
