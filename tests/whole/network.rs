//! The network `default`: an address by DHCP, the way out, the lease, what is left when it goes.

use crate::guest::Guest;
use crate::leftovers::Leftovers;
use std::path::Path;
use tests::daemon::{Daemon, debian_virsh, file, virsh};
use tests::documents::{domain, interface};
use tests::image;
use tests::program::{PATIENCE, eventually, shell};
use tests::sandbox;

const ROOT: &str = "/opt/box";

fn define(name: &str, network: &str) {
    let root = format!("{ROOT}-{name}");
    image::busybox(Path::new(&root), "exec sleep 1000").unwrap();
    virsh(&["define", &file("box.xml", &domain(name, &root, &["/init"], &interface(network)))]).ok();
}

/// The address that udhcpc was given, once it was.
fn address(guest: &Guest) -> String {
    // Like libvirt's, an interface without addresses in the document is the guest's to bring up.
    guest.shell("ip link set eth0 up; udhcpc -i eth0 -q -t 50 -T 1 -A 1 -s /etc/udhcpc -x hostname:$(hostname)").ok();
    let shown = guest.shell("ip -o -4 addr show dev eth0").ok();
    let found =
        shown.split_whitespace().find(|word| word.contains('/')).unwrap_or_else(|| panic!("no address: {shown}"));
    found.split('/').next().unwrap_or_default().to_string()
}

#[test]
fn a_lease_the_gateway_and_each_other() {
    sandbox::require();
    let _daemon = Daemon::start();
    for name in ["one", "two"] {
        define(name, "default");
        virsh(&["start", name]).ok();
    }
    let guests = [Guest::of("one"), Guest::of("two")];
    let addresses = [address(&guests[0]), address(&guests[1])];
    assert_ne!(addresses[0], addresses[1]);
    for (guest, address) in guests.iter().zip(&addresses) {
        let last: u8 = address.strip_prefix("192.168.122.").unwrap().parse().unwrap();
        assert!(last >= 2, "{address}");
        guest.shell("ping -c 1 -W 30 192.168.122.1").ok();
        for client in [virsh, debian_virsh] {
            let leases = client(&["net-dhcp-leases", "default"]).ok();
            let line = leases.lines().find(|line| line.contains(&format!("{address}/24")));
            assert!(line.is_some_and(|line| line.contains(&guest.name) && line.contains("ipv4")), "{leases}");
        }
        let mac = guest.shell("cat /sys/class/net/eth0/address").ok();
        assert!(virsh(&["dumpxml", &guest.name]).ok().contains(&format!("<mac address='{}'/>", mac.trim())));
    }
    guests[0].shell(&format!("ping -c 1 -W 30 {}", addresses[1])).ok();
    // Names of other containers are answered by the gateway.
    assert!(guests[0].shell("nslookup two 192.168.122.1").out.contains(&addresses[1]));
    for name in ["one", "two"] {
        virsh(&["destroy", name]).ok();
    }
}

#[test]
fn an_inactive_network_is_named_with_its_cure() {
    sandbox::require();
    let _daemon = Daemon::start();
    define("box", "default");
    virsh(&["net-destroy", "default"]).ok();
    let before = Leftovers::now();
    let said = virsh(&["start", "box"]).failure();
    assert!(said.contains("network 'default' is not active"), "{said}");
    assert!(said.contains("virsh net-start default"), "{said}");
    before.assert_none_since();
    virsh(&["net-start", "default"]).ok();
    virsh(&["start", "box"]).ok();
    virsh(&["destroy", "box"]).ok();
}

#[test]
fn nothing_of_it_is_left_when_it_goes() {
    sandbox::require();
    let links = || shell("ip -o link | cut -d: -f2; nft list ruleset; pgrep -x dnsmasq").out;
    let before = links();
    let _daemon = Daemon::start();
    eventually("the network is up", PATIENCE, || links().contains("virbr0").then_some(()));
    define("box", "default");
    virsh(&["start", "box"]).ok();
    assert!(shell("ip -o link show master virbr0").ok().contains("vnet"), "no port on the bridge");
    virsh(&["destroy", "box"]).ok();
    eventually("the port is gone", PATIENCE, || shell("ip -o link show master virbr0").ok().is_empty().then_some(()));
    virsh(&["net-destroy", "default"]).ok();
    let cleared =
        || (!links().contains("virbr0") && links().lines().count() <= before.lines().count() + 4).then_some(());
    eventually("bridge, rules and dnsmasq are gone", PATIENCE, cleared);
    assert!(!links().contains("192.168.122"), "{}", links());
}

#[test]
fn it_is_made_at_the_first_start_and_not_again() {
    sandbox::require();
    shell("rm -rf /etc/libvirt/qemu/networks").ok();
    let daemon = Daemon::start();
    let list = virsh(&["net-list", "--all"]).ok();
    let row: Vec<&str> = list.lines().nth(2).unwrap_or_default().split_whitespace().collect();
    assert_eq!(row, ["default", "active", "yes", "yes"], "{list}");
    virsh(&["net-destroy", "default"]).ok();
    virsh(&["net-undefine", "default"]).ok();
    drop(daemon);
    let _daemon = Daemon::start();
    assert!(!virsh(&["net-list", "--all"]).ok().contains("default"), "a network that was undefined came back");
}
