//! LXC's networks and mounts as devices of a domain.

use super::{limits, refused};
use crate::domain::*;
use crate::mac::Mac;
use api::{Error, ErrorDomain, Result};
use std::net::IpAddr;

/// `lxc.net.N` or one run of `lxc.network` keys.
#[derive(Default)]
pub(super) struct Net {
    pub kind: Option<String>,
    link: Option<String>,
    up: bool,
    mac: Option<Mac>,
    name: Option<String>,
    pair: Option<String>,
    mtu: u32,
    mode: Option<String>,
    vlan: Option<String>,
    addresses: Vec<InterfaceAddress>,
    gateways: [Option<IpAddr>; 2],
}

impl Net {
    /// `key` is what stands behind `lxc.net.N.`. Whether it is known; what of it cannot be said goes to `warn`.
    pub fn take(&mut self, key: &str, value: &str, warn: &mut dyn FnMut(String)) -> Result<bool> {
        let text = || Some(value.to_string());
        match key {
            "type" => self.kind = text(),
            "link" => self.link = text(),
            "flags" => self.up = value.split([',', ' ']).any(|flag| flag == "up"),
            "name" => self.name = text(),
            "veth.pair" => self.pair = text(),
            "mtu" => self.mtu = limits::number(value)?,
            "macvlan.mode" => self.mode = text(),
            "vlan.id" => self.vlan = text(),
            "hwaddr" => match Mac::parse(value) {
                Some(mac) => self.mac = Some(mac),
                None => warn(format!("'{value}' is no whole MAC address: one will be made up")),
            },
            // LXC 2 has the keys without "address"; behind a blank there may be the broadcast address.
            "ipv4" | "ipv6" | "ipv4.address" | "ipv6.address" => self.addresses.push(address(value)?),
            "ipv4.gateway" => self.gateways[0] = gateway(value, warn)?,
            "ipv6.gateway" => self.gateways[1] = gateway(value, warn)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn routes(&self) -> Vec<Route> {
        let all = [("ipv4", IpAddr::from([0u8; 4])), ("ipv6", IpAddr::from([0u8; 16]))];
        let routes = all.into_iter().zip(self.gateways).filter_map(|((family, address), gateway)| {
            let family = Some(family.to_string());
            Some(Route { family, address, netmask: None, prefix: None, gateway: gateway?, metric: None })
        });
        routes.collect()
    }

    /// Adds the device to the domain. Whether the container is to have the host's network.
    pub fn finish(self, domain: &mut Domain) -> Result<bool> {
        let source = match self.kind.as_deref().unwrap_or_default() {
            "none" => return Ok(true),
            "empty" => return Ok(false),
            "veth" => match self.link.clone() {
                Some(bridge) => InterfaceSource::Bridge { bridge },
                None => InterfaceSource::Ethernet { ips: Vec::new(), routes: Vec::new() },
            },
            "macvlan" => InterfaceSource::Direct { dev: self.needed_link()?, mode: self.direct_mode()? },
            "phys" => {
                self.hostdev(domain, self.needed_link()?);
                return Ok(false);
            }
            "vlan" => {
                let link = self.needed_link()?;
                let interface = self.vlan.as_ref().map_or(link.clone(), |id| format!("{link}.{id}"));
                self.hostdev(domain, interface);
                return Ok(false);
            }
            kind => {
                let words = "it is 'none', 'empty', 'veth', 'macvlan', 'vlan' or 'phys'";
                return Err(refused(format!("unsupported network type '{kind}': {words}")));
            }
        };
        let routes = self.routes();
        domain.interfaces.push(Interface {
            // Libvirt writes zeros for an address that is to be made up.
            mac: self.mac.unwrap_or(Mac([0; 6])),
            mac_generated: false,
            mac_kept: Vec::new(),
            managed: false,
            source,
            port_id: None,
            actual: None,
            ips: self.addresses,
            routes,
            target_dev: self.pair,
            target_managed: None,
            guest_dev: self.name,
            guest_actual: None,
            model: None,
            link_up: Some(self.up),
            mtu: self.mtu,
            script: None,
            trust_guest_rx_filters: None,
            filterref: None,
            bandwidth: None,
            alias: None,
            kept: Vec::new(),
        });
        Ok(false)
    }

    fn needed_link(&self) -> Result<String> {
        let missing = || Error::config_unsupported(ErrorDomain::Lxc, "Missing 'link' attribute for NIC");
        self.link.clone().ok_or_else(missing)
    }

    fn direct_mode(&self) -> Result<DirectMode> {
        match self.mode.as_deref() {
            None => Ok(DirectMode::Private),
            Some("passthru") => Ok(DirectMode::Passthrough),
            Some(word) => DirectMode::from_word(word).ok_or_else(|| {
                let words = "it is 'private', 'vepa', 'bridge' or 'passthru'";
                refused(format!("unsupported macvlan mode '{word}': {words}"))
            }),
        }
    }

    fn hostdev(&self, domain: &mut Domain, interface: String) {
        let source = HostdevSource::Net { interface, ips: self.addresses.clone(), routes: self.routes() };
        domain.hostdevs.push(Hostdev { source, managed: false, kept: Vec::new() });
    }
}

fn address(value: &str) -> Result<InterfaceAddress> {
    let wrong = || refused(format!("invalid address '{value}': it is ADDRESS/PREFIX"));
    let text = value.split_whitespace().next().unwrap_or_default();
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| wrong())?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    match prefix {
        Some(prefix) if prefix > most => Err(wrong()),
        prefix => Ok(InterfaceAddress { address, prefix, peer: None }),
    }
}

fn gateway(value: &str, warn: &mut dyn FnMut(String)) -> Result<Option<IpAddr>> {
    match value {
        "auto" | "dev" => {
            warn(format!("gateway '{value}' depends on the host: name its address in a <route>"));
            Ok(None)
        }
        text => match text.parse() {
            Ok(address) => Ok(Some(address)),
            Err(_) => Err(refused(format!("invalid gateway '{text}': it is an address, 'auto' or 'dev'"))),
        },
    }
}

/// File systems that every container gets by itself.
const BY_ITSELF: [&str; 7] = ["cgroup", "cgroup2", "devpts", "mqueue", "proc", "securityfs", "sysfs"];

/// The root of the container.
pub(super) fn root(value: &str, read_only: bool) -> Filesystem {
    let source = match value.strip_prefix("loop:") {
        Some(file) => FilesystemSource::File { file: file.to_string() },
        None if value.starts_with("/dev/") => FilesystemSource::Block { dev: value.to_string() },
        None => FilesystemSource::Mount { dir: value.strip_prefix("dir:").unwrap_or(value).to_string() },
    };
    Filesystem { read_only, ..filesystem(source, "/") }
}

/// A line as in fstab(5). None where the container has it anyhow.
pub(super) fn mount(value: &str) -> Result<Option<Filesystem>> {
    let fields: Vec<&str> = value.split_whitespace().collect();
    let &[source, target, kind, options, ..] = fields.as_slice() else {
        return Err(refused(format!(
            "invalid lxc.mount.entry: '{value}': source, target, type and options are needed"
        )));
    };
    let options: Vec<&str> = options.split(',').collect();
    let bound = options.contains(&"bind") || options.contains(&"rbind");
    let found = match kind {
        _ if bound => FilesystemSource::Mount { dir: source.to_string() },
        "tmpfs" => FilesystemSource::Ram { usage: tmpfs_size(&options)? },
        kind if BY_ITSELF.contains(&kind) => return Ok(None),
        _ if source.starts_with("/dev/") => FilesystemSource::Block { dev: source.to_string() },
        _ => FilesystemSource::Mount { dir: source.to_string() },
    };
    let target = if target.starts_with('/') { target.to_string() } else { format!("/{target}") };
    Ok(Some(Filesystem { read_only: options.contains(&"ro"), ..filesystem(found, &target) }))
}

/// In KiB.
fn tmpfs_size(options: &[&str]) -> Result<u64> {
    let Some(size) = options.iter().find_map(|option| option.strip_prefix("size=")) else {
        return Err(refused("missing tmpfs size, set the size option"));
    };
    match size.ends_with('%') {
        true => Err(refused(format!("can't convert relative size: '{size}'"))),
        false => Ok(limits::size(size)? / 1024),
    }
}

fn filesystem(source: FilesystemSource, target: &str) -> Filesystem {
    Filesystem { access_mode: Some(AccessMode::Passthrough), ..Filesystem::new(source, target) }
}
