//! The files of dnsmasq, beside those that libvirt wrote for the same documents.

use super::*;
use api::{Paths, Uuid};
use conf::network::Facts;

fn network(inside: &str) -> Network {
    let xml = format!(
        "<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'><name>n</name>\
         <bridge name='xmlbr0'/>{inside}</network>"
    );
    let facts = Facts { new_uuid: Uuid([1; 16]), is_virtual_function: &|_| false };
    Network::parse(xml.as_bytes(), false, &facts).unwrap()
}

fn check(inside: &str, expect: &str) {
    let text = config(&network(inside), &Files::new(&Paths::system()));
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("##")).collect();
    let expect: Vec<&str> = expect.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expect);
}

const RANGE: &str = "<dhcp><range start='10.77.1.2' end='10.77.1.100'/></dhcp>";

#[test]
fn nat_with_dhcp() {
    check(
        &format!("<forward/><ip address='10.77.1.1' netmask='255.255.255.0'>{RANGE}</ip>"),
        "strict-order
        pid-file=/run/libvirt/network/n.pid
        except-interface=lo
        bind-dynamic
        interface=xmlbr0
        dhcp-range=10.77.1.2,10.77.1.100,255.255.255.0
        dhcp-no-override
        dhcp-authoritative
        dhcp-lease-max=99
        dhcp-hostsfile=/var/lib/libvirt/dnsmasq/n.hostsfile
        addn-hosts=/var/lib/libvirt/dnsmasq/n.addnhosts",
    );
}

#[test]
fn everything_at_once() {
    check(
        "<forward/><mtu size='1400'/><domain name='lab.example' localOnly='yes'/>
        <dns><forwarder addr='8.8.8.8'/><forwarder domain='corp.example' addr='10.1.1.1'/>
        <forwarder domain='local.example'/><txt name='t1' value='hello world'/>
        <srv service='ldap' protocol='tcp' domain='lab.example' target='s1.lab.example' port='389' priority='1' weight='2'/>
        <srv service='sip' protocol='udp'/></dns>
        <ip address='10.77.1.1' netmask='255.255.255.0' localPtr='yes'><tftp root='/var/tmp'/><dhcp>
        <range start='10.77.1.2' end='10.77.1.100'><lease expiry='2' unit='hours'/></range>
        <range start='10.77.1.150' end='10.77.1.160'/><bootp file='pxe.0' server='10.77.1.9'/></dhcp></ip>
        <ip family='ipv6' address='fd77:1::1' prefix='64'><dhcp><range start='fd77:1::100' end='fd77:1::1ff'/></dhcp></ip>",
        "strict-order
        server=8.8.8.8
        server=/corp.example/10.1.1.1
        server=/local.example/#
        no-resolv
        local=/lab.example/
        domain=lab.example
        expand-hosts
        local=/1.77.10.in-addr.arpa/
        pid-file=/run/libvirt/network/n.pid
        except-interface=lo
        bind-dynamic
        interface=xmlbr0
        txt-record=t1,hello world
        srv-host=_ldap._tcp.lab.example,s1.lab.example,389,1,2
        srv-host=_sip._udp
        enable-tftp
        tftp-root=/var/tmp
        dhcp-range=10.77.1.2,10.77.1.100,255.255.255.0,2h
        dhcp-range=10.77.1.150,10.77.1.160,255.255.255.0
        dhcp-no-override
        dhcp-authoritative
        dhcp-boot=pxe.0,,10.77.1.9
        dhcp-range=fd77:1::100,fd77:1::1ff,64
        dhcp-lease-max=366
        dhcp-hostsfile=/var/lib/libvirt/dnsmasq/n.hostsfile
        addn-hosts=/var/lib/libvirt/dnsmasq/n.addnhosts
        dhcp-option=option:mtu,1400
        enable-ra",
    );
}

#[test]
fn isolated_with_hosts_only_and_no_dns() {
    check(
        "<dns enable='no'/><ip address='10.77.1.1' netmask='255.255.255.0'><dhcp>
        <host mac='00:16:3e:78:00:01' ip='10.77.1.9'/></dhcp></ip>
        <dnsmasq:options><dnsmasq:option value='log-queries'/></dnsmasq:options>",
        "strict-order
        port=0
        pid-file=/run/libvirt/network/n.pid
        except-interface=lo
        bind-dynamic
        interface=xmlbr0
        dhcp-option=3
        no-resolv
        ra-param=*,0,0
        dhcp-range=10.77.1.1,static
        dhcp-no-override
        dhcp-authoritative
        dhcp-hostsfile=/var/lib/libvirt/dnsmasq/n.hostsfile
        log-queries",
    );
}

#[test]
fn ipv6_alone_is_announced() {
    check(
        "<forward mode='route'/><ip family='ipv6' address='fd77:1::1' prefix='64'/>",
        "strict-order
        pid-file=/run/libvirt/network/n.pid
        except-interface=lo
        bind-dynamic
        interface=xmlbr0
        addn-hosts=/var/lib/libvirt/dnsmasq/n.addnhosts
        dhcp-range=fd77:1::1,ra-only",
    );
}

#[test]
fn host_files() {
    let network = network(
        "<dns><host ip='10.78.1.200'><hostname>gw</hostname><hostname>door</hostname></host></dns>
        <ip address='10.78.1.1' netmask='255.255.255.0'><dhcp>
        <host mac='00:16:3e:78:00:0a' ip='10.78.1.20'/><host mac='00:16:3e:78:00:01' name='h1' ip='10.78.1.11'/>
        <host name='h6' ip='10.78.1.16'><lease expiry='5'/></host></dhcp></ip>
        <ip family='ipv6' address='fd78:1::1' prefix='64'><dhcp><host name='v6a' ip='fd78:1::21'/>
        <host id='00:01' ip='fd78:1::22'/></dhcp></ip>",
    );
    assert_eq!(
        hosts_file(&network, &[]),
        "00:16:3e:78:00:0a,10.78.1.20\n00:16:3e:78:00:01,10.78.1.11,h1\nh6,10.78.1.16,5m\n\
         v6a,[fd78:1::21]\nid:00:01,[fd78:1::22]\n"
    );
    assert_eq!(added_hosts(&network), "10.78.1.200\tgw\tdoor\t\n");
}

/// dnsmasq reads 1024 bytes at a time: what is behind them is a setting of its own.
#[test]
fn lines_that_dnsmasq_would_part() {
    let files = Files::new(&Paths::system());
    let txt = |length: usize| {
        let name = "txt-record=a,".len();
        network(&format!("<dns><txt name='a' value='{}'/></dns>", "x".repeat(length - name)))
    };
    let (longest, longer) = (txt(1024), txt(1025));
    assert_eq!(check_lines(&longest, None, &files), Ok(()));
    let error = check_lines(&longer, None, &files).expect_err("too long");
    assert!(error.message.contains("would have 1025 bytes, more than 1024: 'txt-record=a,xxx"), "{}", error.message);
    assert_eq!(check_lines(&longer, Some(&longer), &files), Ok(()), "what was there can stay");
    let host = |name: &str| {
        let dhcp = format!("<dhcp><host mac='00:16:3e:00:00:01' name='{name}' ip='10.77.1.2'/></dhcp>");
        network(&format!("<ip address='10.77.1.1' prefix='24'>{dhcp}</ip>"))
    };
    assert_eq!(check_lines(&host("a"), None, &files), Ok(()));
    assert!(check_lines(&host(&"a".repeat(1025)), None, &files).is_err());
    assert!(check_lines(&host("a&#10;b"), None, &files).is_err());
}
