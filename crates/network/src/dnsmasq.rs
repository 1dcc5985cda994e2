//! dnsmasq, which serves a network's addresses and names: its files, its start, its end.

use crate::files::{self, Files};
use crate::program;
use api::{Error, ErrorDomain, Result};
use conf::Mac;
use conf::network::{ForwardMode, Ip, Lease, LeaseUnit, Network, range_size};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::collections::HashSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

const PACKAGE: &str = "dnsmasq-base";

/// Whether the network has anything to serve.
pub fn is_needed(network: &Network) -> bool {
    let served = |ip: &Ip| ip.has_dhcp() || ip.tftp_root.is_some();
    !network.ips.is_empty() && (network.dns.enable != Some(false) || network.ips.iter().any(served))
}

/// Writes the files and starts it; the one that ran before must have ended.
pub fn start(network: &Network, reserved: &[(Mac, Ipv4Addr)], files: &Files) -> Result<()> {
    if !is_needed(network) {
        return Ok(());
    }
    write_files(network, reserved, files)?;
    let name = &network.name;
    let leases = files.leases(name);
    files::make_folder(files.run())?;
    let config = format!("--conf-file={}", files.dnsmasq_config(name).display());
    let leases = format!("--dhcp-leasefile={}", leases.display());
    program::run("dnsmasq", PACKAGE, &[&config, &leases], "")
}

/// Ends it and waits until it has ended. Nothing happens where it does not run.
pub fn stop(network: &str, files: &Files, proc: &Path) {
    let Some(pid) = running(network, files, proc) else { return };
    let handle = pidfd_open(pid, PidfdFlags::empty());
    for signal in [Signal::TERM, Signal::KILL] {
        if kill_process(pid, signal).is_err() {
            break;
        }
        let Ok(handle) = &handle else { break };
        let timeout = Timespec { tv_sec: 5, tv_nsec: 0 };
        if poll(&mut [PollFd::new(handle, PollFlags::IN)], Some(&timeout)).is_ok_and(|ready| ready > 0) {
            break;
        }
        tracing::warn!(
            "network '{network}': dnsmasq (process {pid}) does not end by {signal:?}",
            pid = pid.as_raw_pid()
        );
    }
    files::remove_file(&files.dnsmasq_pid(network));
}

/// Makes it read its host files anew.
pub fn reload(network: &Network, reserved: &[(Mac, Ipv4Addr)], files: &Files, proc: &Path) -> Result<()> {
    write_files(network, reserved, files)?;
    match running(&network.name, files, proc) {
        Some(pid) => kill_process(pid, Signal::HUP).map_err(|e| {
            Error::system(ErrorDomain::Network, &e.into(), format!("cannot signal dnsmasq of '{}'", network.name))
        }),
        None => start(network, reserved, files),
    }
}

/// Its process, if the pid file names one that is really this network's: its command line names our file.
pub fn running(network: &str, files: &Files, proc: &Path) -> Option<Pid> {
    let text = fs::read_to_string(files.dnsmasq_pid(network)).ok()?;
    let pid = Pid::from_raw(text.trim().parse().ok()?)?;
    let command = fs::read(proc.join(pid.as_raw_pid().to_string()).join("cmdline")).ok()?;
    let wanted = format!("--conf-file={}", files.dnsmasq_config(network).display());
    command.split(|byte| *byte == 0).any(|word| word == wanted.as_bytes()).then_some(pid)
}

/// Refuses what would not stay one line, for dnsmasq, of its files; not what was so in the document `before`.
pub fn check_lines(network: &Network, before: Option<&Network>, files: &Files) -> Result<()> {
    /// It reads a file in pieces of 1024 bytes: what stands behind one is a line of its own.
    const LONGEST: usize = 1024;
    network.check_lines(before)?;
    let texts = |network: &Network| config(network, files) + &hosts_file(network, &[]);
    let old = before.map(texts).unwrap_or_default();
    let there: HashSet<&str> = old.lines().collect();
    match texts(network).lines().find(|line| line.len() > LONGEST && !there.contains(line)) {
        None => Ok(()),
        Some(line) => Err(Error::config_unsupported(
            ErrorDomain::Network,
            format!(
                "a line of dnsmasq's configuration for network '{}' would have {} bytes, more than {LONGEST}: '{}'",
                network.name,
                line.len(),
                line.chars().take(60).collect::<String>()
            ),
        )),
    }
}

fn write_files(network: &Network, reserved: &[(Mac, Ipv4Addr)], files: &Files) -> Result<()> {
    check_lines(network, None, files)?;
    let name = &network.name;
    files::make_folder(files.dnsmasq())?;
    // dnsmasq reads these two after it has given up its rights.
    files::write(&files.hosts_file(name), &hosts_file(network, reserved), 0o644)?;
    files::write(&files.added_hosts(name), &added_hosts(network), 0o644)?;
    files::write(&files.dnsmasq_config(name), &config(network, files), 0o600)
}

/// What stays behind after an end is of no use once the network is undefined.
pub fn forget(network: &str, files: &Files) {
    for path in
        [files.dnsmasq_config(network), files.hosts_file(network), files.added_hosts(network), files.leases(network)]
    {
        files::remove_file(&path);
    }
}

/// The configuration, in the order in which libvirt writes it.
pub fn config(network: &Network, files: &Files) -> String {
    let name = &network.name;
    let dns = &network.dns;
    let mut out = format!(
        "##WARNING:  THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE\n\
         ##OVERWRITTEN AND LOST.  Changes to this configuration should be made using:\n\
         ##    virsh net-edit {name}\n\
         ## or other application using the libvirt API.\n\
         ##\n\
         ## dnsmasq conf file created by libvirt\n"
    );
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line("strict-order".into());
    if dns.enable == Some(false) {
        line("port=0".into());
    }
    for forwarder in &dns.forwarders {
        match (&forwarder.domain, forwarder.address) {
            (Some(domain), Some(address)) => line(format!("server=/{domain}/{address}")),
            (Some(domain), None) => line(format!("server=/{domain}/#")),
            (None, Some(address)) => line(format!("server={address}")),
            (None, None) => {}
        }
    }
    if dns.forwarders.iter().any(|forwarder| forwarder.domain.is_none()) {
        line("no-resolv".into());
    }
    if let Some(domain) = network.domain.as_ref().filter(|domain| !domain.is_empty()) {
        if network.domain_local_only == Some(true) {
            line(format!("local=/{domain}/"));
        }
        line(format!("domain={domain}"));
        line("expand-hosts".into());
    }
    for zone in network.ips.iter().filter(|ip| ip.local_ptr == Some(true)).filter_map(reverse_zone) {
        line(format!("local=/{zone}/"));
    }
    if dns.forward_plain_names == Some(false) {
        line("domain-needed".into());
        line("local=//".into());
    }
    line(format!("pid-file={}", files.dnsmasq_pid(name).display()));
    line("except-interface=lo".into());
    line("bind-dynamic".into());
    line(format!("interface={}", network.bridge.name.as_deref().unwrap_or_default()));
    if network.forward.mode == ForwardMode::None {
        // No way out: neither a router nor a name server is told of.
        line("dhcp-option=3".into());
        line("no-resolv".into());
        line("ra-param=*,0,0".into());
    }
    for txt in &dns.txts {
        line(format!("txt-record={},{}", txt.name, txt.value.as_deref().unwrap_or_default()));
    }
    for srv in &dns.srvs {
        line(srv_record(srv));
    }
    if let Some(root) = network.ips.iter().find_map(|ip| ip.tftp_root.as_ref()) {
        line("enable-tftp".into());
        line(format!("tftp-root={root}"));
    }
    let mut addresses = 0;
    for ip in network.ips.iter().filter(|ip| ip.has_dhcp() && ip.address.is_ipv4()) {
        for text in ranges(ip) {
            line(text);
        }
        line("dhcp-no-override".into());
        line("dhcp-authoritative".into());
        if let Some(bootp) = &ip.bootp {
            let server = bootp.server.map(|server| format!(",,{server}")).unwrap_or_default();
            line(format!("dhcp-boot={}{server}", bootp.file));
        }
        addresses += size(ip);
    }
    for ip in network.ips.iter().filter(|ip| ip.has_dhcp() && ip.address.is_ipv6()) {
        for text in ranges(ip) {
            line(text);
        }
        addresses += size(ip);
    }
    if addresses > 0 {
        line(format!("dhcp-lease-max={addresses}"));
    }
    if network.ips.iter().any(Ip::has_dhcp) {
        line(format!("dhcp-hostsfile={}", files.hosts_file(name).display()));
    }
    if dns.enable != Some(false) {
        line(format!("addn-hosts={}", files.added_hosts(name).display()));
    }
    if network.mtu > 0 {
        line(format!("dhcp-option=option:mtu,{}", network.mtu));
    }
    if network.ipv6().any(Ip::has_dhcp) {
        line("enable-ra".into());
    } else {
        for ip in network.ipv6() {
            line(format!("dhcp-range={},ra-only", ip.address));
        }
    }
    for option in &network.dnsmasq_options {
        line(option.clone());
    }
    out
}

fn ranges(ip: &Ip) -> Vec<String> {
    let prefix = ip.prefix().unwrap_or(0);
    let mask = match ip.address.is_ipv4() {
        true => conf::network::mask_of(ip.address, prefix).to_string(),
        false => prefix.to_string(),
    };
    let mut lines: Vec<String> = ip
        .ranges
        .iter()
        .map(|range| format!("dhcp-range={},{},{mask}{}", range.start, range.end, lease(range.lease)))
        .collect();
    if lines.is_empty() {
        lines.push(format!("dhcp-range={},static", ip.address));
    }
    lines
}

fn size(ip: &Ip) -> u64 {
    ip.ranges.iter().filter_map(|range| range_size(range.start, range.end, None).ok()).map(u64::from).sum()
}

fn lease(lease: Option<Lease>) -> String {
    match lease {
        None => String::new(),
        Some(Lease { expiry: 0, .. }) => ",infinite".into(),
        Some(Lease { expiry, unit }) => {
            let letter = match unit {
                LeaseUnit::Seconds => 's',
                LeaseUnit::Minutes => 'm',
                LeaseUnit::Hours => 'h',
            };
            format!(",{expiry}{letter}")
        }
    }
}

fn srv_record(srv: &conf::network::DnsSrv) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut line = format!("srv-host=_{}._{}", text(&srv.service), text(&srv.protocol));
    if let Some(domain) = &srv.domain {
        line.push_str(&format!(".{domain}"));
    }
    if let Some(target) = &srv.target {
        line.push_str(&format!(",{target}"));
        // A later number needs those before it.
        let numbers = [srv.port, srv.priority, srv.weight];
        let count = numbers.iter().rposition(|number| *number > 0).map_or(0, |last| last + 1);
        for number in &numbers[..count] {
            line.push_str(&format!(",{number}"));
        }
    }
    line
}

/// The zone of names that addresses of the subnet are looked up in; only at the borders of bytes or half bytes.
fn reverse_zone(ip: &Ip) -> Option<String> {
    let prefix = usize::from(ip.prefix()?);
    let (digits, suffix): (Vec<String>, &str) = match ip.address {
        IpAddr::V4(v4) if prefix > 0 && prefix % 8 == 0 => {
            (v4.octets()[..prefix / 8].iter().map(u8::to_string).collect(), "in-addr.arpa")
        }
        IpAddr::V6(v6) if prefix > 0 && prefix % 4 == 0 => {
            let all = v6.octets().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
            (all.take(prefix / 4).map(|digit| format!("{digit:x}")).collect(), "ip6.arpa")
        }
        _ => return None,
    };
    let reversed: Vec<String> = digits.into_iter().rev().collect();
    Some(format!("{}.{suffix}", reversed.join(".")))
}

/// `reserved` are addresses beyond the document's.
fn hosts_file(network: &Network, reserved: &[(Mac, Ipv4Addr)]) -> String {
    let mut out = String::new();
    for host in network.ips.iter().flat_map(|ip| &ip.hosts) {
        let Some(address) = host.ip else { continue };
        let lease = lease(host.lease);
        let name = host.name.as_deref();
        // What a document may have behind the address is not told.
        let mac = host.mac.as_deref().and_then(|mac| mac.split(|c: char| c <= ' ').next());
        let line = match (address, mac, &host.id) {
            (IpAddr::V6(v6), _, Some(id)) => {
                let name = name.map(|name| format!("{name},")).unwrap_or_default();
                format!("id:{id},{name}[{v6}]{lease}")
            }
            (IpAddr::V6(v6), _, None) => format!("{},[{v6}]{lease}", name.unwrap_or_default()),
            (IpAddr::V4(v4), Some(mac), _) => {
                let name = name.map(|name| format!(",{name}")).unwrap_or_default();
                format!("{mac},{v4}{name}{lease}")
            }
            (IpAddr::V4(v4), None, _) => format!("{},{v4}{lease}", name.unwrap_or_default()),
        };
        out.push_str(&line);
        out.push('\n');
    }
    for (mac, address) in reserved {
        let listed = |host: &conf::network::DhcpHost| {
            host.ip == Some(IpAddr::V4(*address)) || host.mac.as_deref().and_then(Mac::parse) == Some(*mac)
        };
        if !network.ips.iter().flat_map(|ip| &ip.hosts).any(listed) && network.ipv4().any(Ip::has_dhcp) {
            out.push_str(&format!("{mac},{address}\n"));
        }
    }
    out
}

fn added_hosts(network: &Network) -> String {
    let mut out = String::new();
    for host in &network.dns.hosts {
        let Some(ip) = host.ip else { continue };
        out.push_str(&format!("{ip}\t"));
        for name in &host.names {
            out.push_str(&format!("{name}\t"));
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests;
