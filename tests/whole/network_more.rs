//! Networks beyond the first lease: the way out, fixed addresses, limits, restarts of daemon and network.

use crate::guest::Guest;
use std::path::Path;
use std::process::Command;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::{domain, interface};
use tests::image;
use tests::program::{self, PATIENCE, eventually, shell};
use tests::sandbox;

/// A running container `name` with this in its `<devices>`.
fn start(name: &str, devices: &str) -> Guest {
    let root = format!("/opt/box-{name}");
    image::busybox(Path::new(&root), "exec sleep 1000").unwrap();
    virsh(&["create", &file("box.xml", &domain(name, &root, &["/init"], devices))]).ok();
    Guest::of(name)
}

fn dhcp(guest: &Guest) -> String {
    guest.shell("ip link set eth0 up; udhcpc -i eth0 -q -t 50 -T 1 -A 1 -s /etc/udhcpc").ok();
    guest.shell("ip -o -4 addr show dev eth0").ok()
}

/// A network without the delay of the spanning tree.
fn network(name: &str, subnet: u8, inside: &str) -> String {
    let xml = format!(
        "<network><name>{name}</name>{inside}<bridge name='{name}' stp='off'/>
        <ip address='10.77.{subnet}.1' netmask='255.255.255.0'><dhcp>
        <range start='10.77.{subnet}.2' end='10.77.{subnet}.99'/></dhcp></ip></network>"
    );
    file(&format!("{name}.xml"), &xml)
}

/// Another machine at 10.99.0.2, which knows no way back into any network.
fn world() {
    shell("ip netns add world && ip link add out0 type veth peer name eth0 netns world").ok();
    shell("ip addr add 10.99.0.1/24 dev out0 && ip link set out0 up").ok();
    shell("ip -n world addr add 10.99.0.2/24 dev eth0 && ip -n world link set eth0 up").ok();
}

#[test]
fn the_way_out_is_by_the_hosts_address_and_only_that_way() {
    sandbox::require();
    let _daemon = Daemon::start();
    world();
    virsh(&["net-create", &network("nat0", 1, "<forward mode='nat'/>")]).ok();
    virsh(&["net-create", &network("alone0", 2, "")]).ok();
    let inside = start("inside", &interface("nat0"));
    let alone = start("alone", &interface("alone0"));
    assert!(dhcp(&inside).contains("10.77.1."));
    assert!(dhcp(&alone).contains("10.77.2."));
    inside.shell("ping -c 1 -W 30 10.99.0.2").ok();
    assert!(alone.shell("ip route").ok().lines().all(|line| !line.starts_with("default")));
    alone.shell("ip route add default via 10.77.2.1").ok();
    assert_ne!(alone.shell("ping -c 1 -W 1 10.99.0.2").code, 0, "an isolated network has a way out");
    // Nobody comes in, not even one that knows the way.
    shell("ip -n world route add 10.77.0.0/16 via 10.99.0.1").ok();
    let address =
        dhcp(&inside).split_whitespace().find_map(|word| Some(word.split_once("/24")?.0.to_string())).unwrap();
    assert_ne!(shell(&format!("ip netns exec world ping -c 1 -W 1 {address}")).code, 0, "a stranger reaches {address}");
    for name in ["inside", "alone"] {
        virsh(&["destroy", name]).ok();
    }
}

#[test]
fn an_address_of_its_own() {
    sandbox::require();
    let _daemon = Daemon::start();
    virsh(&["net-define", &network("fix0", 3, "<domain name='lab.example'/>")]).ok();
    virsh(&["net-start", "fix0"]).ok();
    let host = "<host mac='52:54:00:00:00:10' name='web' ip='10.77.3.10'/>";
    virsh(&["net-update", "fix0", "add", "ip-dhcp-host", host, "--live", "--config"]).ok();
    virsh(&[
        "net-update",
        "fix0",
        "add",
        "dns-host",
        "<host ip='10.77.3.200'><hostname>door</hostname></host>",
        "--live",
    ])
    .ok();
    let guest = start(
        "web",
        "<interface type='network'><mac address='52:54:00:00:00:10'/><source network='fix0'/></interface>",
    );
    assert!(dhcp(&guest).contains("10.77.3.10/24"));
    let named = |name: &str| guest.shell(&format!("nslookup {name} 10.77.3.1")).out;
    eventually("the door has its address", PATIENCE, || named("door").contains("10.77.3.200").then_some(()));
    eventually("the guest has its name", PATIENCE, || named("web.lab.example").contains("10.77.3.10").then_some(()));
    assert!(virsh(&["net-dhcp-leases", "fix0"]).ok().contains("web"));
    virsh(&["destroy", "web"]).ok();
}

#[test]
fn it_outlives_the_daemon() {
    sandbox::require();
    let daemon = Daemon::start();
    let guest = start("box", &interface("default"));
    let port = virsh(&["net-port-list", "default", "--uuid"]).ok();
    let server = || shell("pgrep -x dnsmasq | head -1; nft list ruleset").out;
    let before = server();
    daemon.kill();
    shell("nft flush ruleset").ok();
    let _daemon = Daemon::start();
    assert!(virsh(&["net-list"]).ok().contains("default"));
    assert_eq!(virsh(&["net-port-list", "default", "--uuid"]).ok(), port);
    assert_eq!(server(), before, "another dnsmasq, or other rules");
    assert!(virsh(&["net-dumpxml", "default"]).ok().contains("<network connections='1'>"));
    assert!(dhcp(&guest).contains("192.168.122."));
    virsh(&["destroy", "box"]).ok();
    eventually("the port is given back", PATIENCE, || {
        virsh(&["net-port-list", "default", "--uuid"]).ok().trim().is_empty().then_some(())
    });
}

#[test]
fn a_network_that_starts_again_has_its_containers_again() {
    sandbox::require();
    let _daemon = Daemon::start();
    let guest = start("box", &interface("default"));
    let ports = || shell("ip -o link show master virbr0").out;
    assert!(ports().contains("vnet"));
    virsh(&["net-destroy", "default"]).ok();
    virsh(&["net-start", "default"]).ok();
    assert!(ports().contains("vnet"), "the container is not plugged in again");
    assert_eq!(virsh(&["net-port-list", "default", "--uuid"]).ok().trim().lines().count(), 1);
    assert!(dhcp(&guest).contains("192.168.122."));
    virsh(&["destroy", "box"]).ok();
}

#[test]
fn what_an_interface_carries_can_be_limited() {
    sandbox::require();
    let _daemon = Daemon::start();
    let limited = "<interface type='network'><source network='default'/><bandwidth>
        <inbound average='1000' peak='2000' burst='512'/><outbound average='500'/></bandwidth></interface>";
    start("box", limited);
    let link = shell("ip -o link show master virbr0 | cut -d' ' -f2 | cut -d@ -f1").ok().trim().to_string();
    let queue = shell(&format!("tc qdisc show dev {link}")).ok();
    assert!(queue.contains("tbf") && queue.contains("rate 8Mbit") && queue.contains("peakrate 16Mbit"), "{queue}");
    let rules = || shell("nft list ruleset").ok();
    assert!(rules().contains(&format!("table netdev virtlxc_{link}")), "{}", rules());
    virsh(&["destroy", "box"]).ok();
    eventually("the rule is gone", PATIENCE, || (!rules().contains("netdev")).then_some(()));
}

#[test]
fn the_networks_limits_are_back_when_an_interface_is_changed() {
    sandbox::require();
    let _daemon = Daemon::start();
    let group = "<portgroup name='slow'><bandwidth><inbound average='1000'/></bandwidth></portgroup>";
    virsh(&["net-create", &network("lim0", 5, group)]).ok();
    let device = |more: &str| {
        let mac = "<mac address='52:54:00:00:00:78'/>";
        format!("<interface type='network'>{mac}<source network='lim0' portgroup='slow'/>{more}</interface>")
    };
    start("box", &device(""));
    let link = shell("ip -o link show master lim0 | cut -d' ' -f2 | cut -d@ -f1").ok().trim().to_string();
    let queue = || shell(&format!("tc qdisc show dev {link}")).ok();
    let update = |more: &str| virsh(&["update-device", "box", &file("limits.xml", &device(more)), "--live"]);
    assert!(queue().contains("rate 8Mbit"), "{}", queue());

    let own = "<bandwidth><inbound average='2000'/></bandwidth>";
    update(own).ok();
    assert!(queue().contains("rate 16Mbit"), "{}", queue());
    update("").ok();
    assert!(queue().contains("rate 8Mbit"), "{}", queue());
    // What virsh sends is the live document, with the network's limits in it.
    virsh(&["domif-setlink", "box", &link, "down"]).ok();
    update("").ok();
    assert!(queue().contains("rate 8Mbit"), "{}", queue());

    // Without its network nobody knows what they were.
    update(own).ok();
    virsh(&["net-destroy", "lim0"]).ok();
    let refused = update("").failure();
    assert!(refused.contains("not active") || refused.contains("not found"), "{refused}");
    assert!(queue().contains("rate 16Mbit"), "{}", queue());
    assert!(virsh(&["dumpxml", "box"]).ok().contains("average='2000'"));
    virsh(&["destroy", "box"]).ok();
}

#[test]
fn two_daemons_have_networks_of_their_own() {
    sandbox::require();
    let _daemon = Daemon::start();
    let other = Daemon::start_in(Path::new("/opt/other"), &[]);
    let uri = other.uri();
    let there = |arguments: &[&str]| virsh(&[&["-c", uri.as_str()], arguments].concat());
    let xml = there(&["net-dumpxml", "default"]).ok();
    assert!(xml.contains("192.168.123.1") && xml.contains("virbr1"), "{xml}");
    virsh(&["net-destroy", "default"]).ok();
    assert!(there(&["net-list"]).ok().contains("default"));
    there(&["net-destroy", "default"]).ok();
}

#[test]
fn a_port_of_the_host_leads_into_a_container() {
    sandbox::require();
    let daemon = Daemon::start();
    world();
    virsh(&["net-define", &network("web0", 4, "<forward mode='nat'/>")]).ok();
    virsh(&["net-start", "web0"]).ok();
    let root = "/opt/box-served";
    image::busybox(Path::new(root), "exec sleep 1000").unwrap();
    let xml = domain("served", root, &["/init"], &interface("web0")).replace(
        "<devices>",
        "<virtlxc:container xmlns:virtlxc='urn:virtlxc:domain:1.0'>\
         <virtlxc:forward protocol='tcp' host-port='8080' port='80'/></virtlxc:container><devices>",
    );
    virsh(&["create", &file("served.xml", &xml)]).ok();
    let guest = Guest::of("served");
    let address = dhcp(&guest);
    guest.shell("mkdir -p /www && echo served > /www/index.html && httpd -p 80 -h /www").ok();
    // Not busybox's wget: linked statically, it crashes where the C library's name services are.
    let get = "python3 -c 'import urllib.request as r; print(r.urlopen(\"http://10.99.0.1:8080/\", timeout=30).read().decode(), end=\"\")'";
    let fetch = || shell(&format!("ip netns exec world {get}")).out;
    assert_eq!(fetch(), "served\n", "{address}");
    assert_eq!(shell(get).out, "served\n");
    let neighbour = start("neighbour", &interface("web0"));
    dhcp(&neighbour);
    assert_eq!(shell(&format!("nsenter --target {} --net {get}", neighbour.init)).ok(), "served\n");
    virsh(&["destroy", "neighbour"]).ok();
    // It lasts through both.
    daemon.kill();
    let _daemon = Daemon::start();
    assert_eq!(fetch(), "served\n");
    virsh(&["net-destroy", "web0"]).ok();
    virsh(&["net-start", "web0"]).ok();
    guest.shell("ip addr flush dev eth0").ok();
    assert_eq!(dhcp(&guest).split_whitespace().nth(3), address.split_whitespace().nth(3), "another address");
    assert_eq!(fetch(), "served\n");
    virsh(&["destroy", "served"]).ok();
    eventually("the rules are gone", PATIENCE, || (!shell("nft list ruleset").out.contains("8080")).then_some(()));
}

#[test]
fn ipv6_is_announced_and_passed_on() {
    sandbox::require();
    let _daemon = Daemon::start();
    let xml = "<network><name>six0</name><forward mode='route'/><bridge name='six0' stp='off'/>
        <ip family='ipv6' address='fd77:1::1' prefix='64'/></network>";
    virsh(&["net-create", &file("six0.xml", xml)]).ok();
    let guest = start("box", &interface("six0"));
    guest.shell("ip link set eth0 up").ok();
    let address = || guest.shell("ip -6 -o addr show dev eth0 scope global").out;
    eventually("an address from the announced prefix", PATIENCE, || address().contains("fd77:1:").then_some(()));
    // Neither side answers before its address is known to be nobody else's.
    eventually("the gateway answers", PATIENCE, || {
        (guest.shell("ping -6 -c 1 -W 5 fd77:1::1").code == 0).then_some(())
    });
    let router = || guest.shell("ip -6 route show default").out;
    eventually("a router", PATIENCE, || router().contains("default via fe80:").then_some(()));
    virsh(&["destroy", "box"]).ok();
}

#[test]
fn a_bridge_without_a_free_port_is_named() {
    sandbox::require();
    let _daemon = Daemon::start();
    let mut links = String::from("link add full0 type bridge\n");
    for number in 1..=512 {
        links += &format!("link add a{number} master full0 type veth peer name b{number}\n");
        if number < 512 {
            links += &format!("link set b{number} master full0\n");
        }
    }
    let mut batch = Command::new("ip");
    batch.args(["-batch", &file("links", &links)]);
    program::finish(batch, b"", 3 * PATIENCE).ok();
    image::busybox(Path::new("/opt/box-full"), "exec sleep 1000").unwrap();
    let device = "<interface type='bridge'><source bridge='full0'/></interface>";
    let failed = virsh(&["create", &file("full.xml", &domain("full", "/opt/box-full", &["/init"], device))]);
    assert!(failed.err.contains("bridge 'full0' has no port left"), "{failed:?}");
    assert!(!virsh(&["list", "--all"]).ok().contains("full"));
}
