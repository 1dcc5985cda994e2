//! Devices attached to a running container and taken away: what works in both documents, what fails and leaves nothing.

use crate::guest::Guest;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::shell;
use tests::sandbox;

const ROOT: &str = "/opt/box";

fn running(more: &str) -> Guest {
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    let document = domain("box", ROOT, &["/init"], "").replace("</os>", &format!("</os>{more}"));
    virsh(&["define", &file("box.xml", &document)]).ok();
    virsh(&["start", "box"]).ok();
    Guest::of("box")
}

fn share(source: &str, target: &str, more: &str) -> String {
    let xml = format!("<filesystem type='mount'><source dir='{source}'/><target dir='{target}'/>{more}</filesystem>");
    file("share.xml", &xml)
}

fn documents() -> (String, String) {
    (virsh(&["dumpxml", "box"]).ok(), virsh(&["dumpxml", "--inactive", "box"]).ok())
}

#[test]
fn a_folder_appears_in_a_running_container_and_goes_again() {
    sandbox::require();
    let daemon = Daemon::start();
    fs::create_dir_all("/srv/shared").unwrap();
    fs::write("/srv/shared/word", "from the machine\n").unwrap();
    let guest = running("");
    let xml = share("/srv/shared", "/mnt/deep/shared", "");
    virsh(&["attach-device", "box", &xml, "--live", "--config"]).ok();
    assert_eq!(guest.shell("cat /mnt/deep/shared/word && touch /mnt/deep/shared/made").ok(), "from the machine\n");
    assert!(Path::new("/srv/shared/made").exists());
    assert!(!Path::new("/opt/box/mnt/deep/shared/word").exists(), "the machine has the mount");
    let (live, config) = documents();
    assert!(live.contains("/mnt/deep/shared") && config.contains("/mnt/deep/shared"));
    assert!(virsh(&["attach-device", "box", &xml, "--live"]).failure().contains("already exists"));

    // Another daemon finds it in the status file, and takes it away.
    drop(daemon);
    let _daemon = Daemon::start();
    virsh(&["detach-device", "box", &xml, "--live", "--config"]).ok();
    assert_eq!(guest.shell("ls /mnt/deep/shared").ok(), "");
    let (live, config) = documents();
    assert!(!live.contains("/mnt/deep/shared") && !config.contains("/mnt/deep/shared"));
    assert!(virsh(&["detach-device", "box", &xml, "--live"]).failure().contains("not found"));

    // A file, read-only.
    let xml = share("/srv/shared/word", "/etc/word", "<readonly/>");
    virsh(&["attach-device", "box", &xml]).ok();
    assert_eq!(guest.shell("cat /etc/word").ok(), "from the machine\n");
    assert!(guest.shell("echo x > /etc/word").failure().contains("Read-only"));
    // The container takes it away itself; then there is nothing to be done, and that is no failure.
    guest.shell("umount /etc/word").ok();
    virsh(&["detach-device", "box", &xml]).ok();
}

#[test]
fn what_is_attached_is_recorded() {
    sandbox::require();
    let settings = "log_level = 1\nlog_outputs = \"1:file:/var/log/audit-test\"\naudit_logging = 1\n";
    let _daemon = Daemon::start_in(Path::new(""), &["--config", &file("audit.conf", settings)]);
    running("");
    let xml = share("/etc", "/mnt/shared", "");
    virsh(&["attach-device", "box", &xml]).ok();
    // The target is enough to take it away; the record has the source all the same.
    virsh(&["detach-device", "box", &share("/", "/mnt/shared", "")]).ok();
    let log = fs::read_to_string("/var/log/audit-test").unwrap();
    let records: Vec<&str> =
        log.lines().filter(|line| line.contains("resrc=fs reason=") && !line.contains("start")).collect();
    let [attached, detached] = records.as_slice() else { panic!("{log}") };
    assert!(attached.contains("reason=attach") && attached.contains("old-fs=\"?\" new-fs=\"/etc\""), "{attached}");
    assert!(detached.contains("reason=detach") && detached.contains("old-fs=\"/etc\" new-fs=\"?\""), "{detached}");
}

#[test]
fn a_container_with_ids_of_its_own_gets_one_too() {
    sandbox::require();
    let _daemon = Daemon::start();
    fs::create_dir_all("/srv/shared").unwrap();
    fs::write("/srv/file", "of the machine\n").unwrap();
    let map =
        "<idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='200000' count='65536'/></idmap>";
    // The sandbox's own file system cannot map owners: there, what is made is given to the container's root.
    for (prepare, on_disk) in [("true", (100_000, 200_000)), ("mount -t tmpfs -o mode=755 mapped /opt/box", (0, 0))] {
        shell(&format!("mkdir -p /opt/box && {prepare}")).ok();
        let guest = running(map);
        for (source, target) in [("/srv/shared", "/mnt/made/shared"), ("/srv/file", "/mnt/made/file")] {
            virsh(&["attach-device", "box", &share(source, target, "")]).ok();
            assert!(guest.shell("cat /proc/mounts").ok().contains(&format!(" {target} ")), "it is not mounted");
            virsh(&["detach-device", "box", &share(source, target, "")]).ok();
            assert!(!guest.shell("cat /proc/mounts").ok().contains(&format!(" {target} ")), "it is still mounted");
        }
        // What it was mounted on was made for the container's root, as which the guest sees itself.
        for path in ["/mnt/made", "/mnt/made/shared", "/mnt/made/file"] {
            assert_eq!(guest.shell(&format!("stat -c %u:%g {path}")).ok(), "0:0\n", "{path} after {prepare}");
            let found = fs::metadata(format!("/opt/box{path}")).unwrap();
            assert_eq!((found.uid(), found.gid()), on_disk, "{path} after {prepare}");
        }
        virsh(&["destroy", "box"]).ok();
        virsh(&["undefine", "box"]).ok();
    }
}

#[test]
fn what_cannot_be_attached_leaves_everything_as_it_was() {
    sandbox::require();
    let _daemon = Daemon::start();
    fs::create_dir_all("/srv/shared").unwrap();
    fs::create_dir_all("/srv/outside").unwrap();
    fs::write("/srv/file", "").unwrap();
    let guest = running("");
    let mounts = || guest.shell("cat /proc/mounts").ok();
    let before = (documents(), mounts());
    symlink("../../../../srv/outside", "/opt/box/mnt/up").unwrap();
    for (source, target, words) in [
        ("/srv/missing", "/mnt/a", "Failed to access '/srv/missing'"),
        ("/srv/shared", "/proc/a", "Failed to mount '/srv/shared' on '/proc/a'"),
        ("/srv/file", "/mnt", "Is a directory"),
        ("/srv/shared", "/init", "Not a directory"),
        ("/srv/shared", "/", "must be an absolute path below the root"),
        ("/srv/shared", "/mnt/../../etc", "without '..'"),
    ] {
        for flags in [&["--live"][..], &["--live", "--config"]] {
            let xml = share(source, target, "");
            let complaint = virsh(&[&["attach-device", "box", xml.as_str()], flags].concat()).failure();
            assert!(complaint.contains(words) || complaint.contains("already exists"), "{target}: {complaint}");
            assert_eq!((documents(), mounts()), before, "{source} on {target}");
        }
    }
    // No link of the container's leads out of its root.
    let outcome = virsh(&["attach-device", "box", &share("/srv/shared", "/mnt/up/in", "")]);
    assert_ne!(outcome.code, 0, "{outcome}");
    assert_eq!(fs::read_dir("/srv/outside").unwrap().count(), 0);
    assert_eq!((documents(), mounts()), before);
    let ram = file("ram.xml", "<filesystem type='ram'><source usage='1024'/><target dir='/mnt/ram'/></filesystem>");
    assert!(virsh(&["attach-device", "box", &ram, "--live"]).failure().contains("cannot be attached"));
}

#[test]
fn what_the_container_hides_by_a_link_is_not_unmounted() {
    sandbox::require();
    let _daemon = Daemon::start();
    fs::create_dir_all("/srv/shared").unwrap();
    let guest = running("");
    let xml = share("/srv/shared", "/mnt/a/sys", "");
    virsh(&["attach-device", "box", &xml]).ok();
    guest.shell("umount /mnt/a/sys && mv /mnt/a /mnt/b && ln -s /proc /mnt/a").ok();
    let hidden = guest.shell("cat /proc/mounts").ok();
    let complaint = virsh(&["detach-device", "box", &xml]).failure();
    assert!(complaint.contains("is not '/srv/shared'"), "{complaint}");
    assert_eq!(guest.shell("cat /proc/mounts").ok(), hidden);
}

#[test]
fn a_disk_or_device_that_fails_leaves_no_node() {
    sandbox::require();
    let _daemon = Daemon::start();
    let guest = running("");
    guest.shell("touch /dev/sdb").ok();
    let nodes = || guest.shell("ls -lR /dev").ok();
    let before = (documents(), nodes());
    for (name, xml, words) in [
        ("disk", "<disk type='block'><source dev='/dev/missing'/><target dev='sda'/></disk>", "/dev/missing"),
        (
            "taken",
            "<disk type='block'><source dev='/dev/loop0'/><target dev='sdb'/></disk>",
            "Unable to create device /dev/sdb",
        ),
        (
            "misc",
            "<hostdev mode='capabilities' type='misc'><source><char>/dev/missing</char></source></hostdev>",
            "/dev/missing",
        ),
        ("interface", "<interface type='bridge'><source bridge='missing'/><target dev='here'/></interface>", "missing"),
    ] {
        let xml = file(&format!("{name}.xml"), xml);
        for flags in [&["--live"][..], &["--live", "--config"]] {
            let complaint = virsh(&[&["attach-device", "box", xml.as_str()], flags].concat()).failure();
            assert!(complaint.contains(words), "{name}: {complaint}");
            assert_eq!((documents(), nodes()), before, "{name}");
        }
    }
    assert!(!Path::new("/sys/class/net/here").exists());
}

#[test]
fn an_interface_of_a_running_container_is_changed() {
    sandbox::require();
    let _daemon = Daemon::start();
    shell("ip link add one0 type bridge && ip link add two0 type bridge").ok();
    image::busybox(Path::new("/opt/box-changed"), "exec sleep 1000").unwrap();
    let mac = "52:54:00:00:00:77";
    let device = |bridge: &str, more: &str| {
        let xml =
            format!("<interface type='bridge'><mac address='{mac}'/><source bridge='{bridge}'/>{more}</interface>");
        file("interface.xml", &xml)
    };
    let plain = "<interface type='bridge'><mac address='52:54:00:00:00:77'/><source bridge='one0'/></interface>";
    virsh(&["define", &file("changed.xml", &domain("changed", "/opt/box-changed", &["/init"], plain))]).ok();
    virsh(&["start", "changed"]).ok();
    let link = virsh(&["domiflist", "changed"]).ok();
    let link = link.lines().find(|line| line.contains(mac)).and_then(|line| line.split_whitespace().next()).unwrap();
    let shown = || shell(&format!("ip -o link show {link}; tc qdisc show dev {link}")).ok();
    assert!(shown().contains("master one0"), "{}", shown());

    virsh(&["update-device", "changed", &device("two0", ""), "--live", "--config"]).ok();
    assert!(shown().contains("master two0"), "{}", shown());
    assert!(virsh(&["dumpxml", "changed"]).ok().contains("bridge='two0'"));
    assert!(virsh(&["dumpxml", "changed", "--inactive"]).ok().contains("bridge='two0'"));

    // Nothing is as it was half-way: neither what runs nor what is defined.
    let refused = virsh(&["update-device", "changed", &device("none0", ""), "--live", "--config"]).failure();
    assert!(refused.contains("none0"), "{refused}");
    let limited = "<bandwidth><inbound average='100'/></bandwidth><mtu size='1400'/>";
    let refused = virsh(&["update-device", "changed", &device("one0", limited), "--live"]).failure();
    assert!(refused.contains("<mtu>"), "{refused}");
    assert!(shown().contains("master two0") && !shown().contains("tbf"), "{}", shown());
    assert!(virsh(&["dumpxml", "changed", "--inactive"]).ok().contains("bridge='two0'"));

    let documents = || (virsh(&["dumpxml", "changed"]).ok(), virsh(&["dumpxml", "changed", "--inactive"]).ok());
    let before = documents();
    for (kept, name) in [
        ("<vlan><tag id='42'/></vlan>", "<vlan>"),
        ("<virtualport type='openvswitch'/>", "<virtualport>"),
        ("<port isolated='yes'/>", "<port>"),
        ("<tune><sndbuf>1600</sndbuf></tune>", "<tune>"),
        ("<boot order='1'/>", "<boot>"),
    ] {
        let wanted = device("two0", &format!("{kept}<link state='down'/>"));
        let refused = virsh(&["update-device", "changed", &wanted, "--live", "--config"]).failure();
        assert!(refused.contains(name), "{refused}");
        assert_eq!(documents(), before, "{name}");
        assert!(shown().contains(",UP"), "{}", shown());
    }

    let limited = "<bandwidth><inbound average='100'/><outbound average='100'/></bandwidth>";
    virsh(&["update-device", "changed", &device("two0", limited), "--live"]).ok();
    assert!(shown().contains("tbf"), "{}", shown());
    assert!(shell("nft list tables").ok().contains(link));
    assert!(!virsh(&["dumpxml", "changed", "--inactive"]).ok().contains("bandwidth"));
    virsh(&["update-device", "changed", &device("two0", ""), "--live"]).ok();
    assert!(!shown().contains("tbf"), "{}", shown());
    assert!(!shell("nft list tables").ok().contains(link));

    virsh(&["domif-setlink", "changed", mac, "down"]).ok();
    assert!(!shown().contains(",UP"), "{}", shown());
    assert!(virsh(&["domif-getlink", "changed", mac]).ok().contains("down"));
    virsh(&["domif-setlink", "changed", mac, "up"]).ok();
    assert!(shown().contains(",UP"), "{}", shown());
    virsh(&["destroy", "changed"]).ok();
}

#[test]
fn an_interface_of_a_running_container_moves_to_another_network() {
    sandbox::require();
    let _daemon = Daemon::start();
    shell("ip link add one0 type bridge").ok();
    let other = "<network><name>other</name><bridge name='other0'/><ip address='192.168.77.1' netmask='255.255.255.0'/>
        <portgroup name='slow'><bandwidth><inbound average='1000'/></bandwidth></portgroup></network>";
    virsh(&["net-create", &file("other.xml", other)]).ok();
    virsh(&["net-define", &file("idle.xml", "<network><name>idle</name><bridge name='idle0'/></network>")]).ok();
    image::busybox(Path::new("/opt/box-moved"), "exec sleep 100000").unwrap();
    let mac = "52:54:00:00:00:79";
    let device = |kind: &str, source: &str| {
        format!("<interface type='{kind}'><mac address='{mac}'/><source {source}/></interface>")
    };
    let document = domain("moved", "/opt/box-moved", &["/init"], &device("network", "network='default'"));
    virsh(&["define", &file("moved.xml", &document)]).ok();
    virsh(&["start", "moved"]).ok();
    let listed = virsh(&["domiflist", "moved"]).ok();
    let link = listed.lines().find(|line| line.contains(mac)).and_then(|line| line.split_whitespace().next()).unwrap();
    let shown = || shell(&format!("ip -o link show {link}; tc qdisc show dev {link}")).ok();
    let ports = |network: &str| virsh(&["net-port-list", network, "--uuid"]).ok().split_whitespace().count();
    let update = |kind: &str, source: &str, flags: &[&str]| {
        virsh(&[&["update-device", "moved", &file("moved-to.xml", &device(kind, source))], flags].concat())
    };
    let documents = || (virsh(&["dumpxml", "moved"]).ok(), virsh(&["dumpxml", "moved", "--inactive"]).ok());
    assert!(shown().contains("master virbr0"), "{}", shown());
    assert_eq!((ports("default"), ports("other")), (1, 0));

    update("network", "network='other' portgroup='slow'", &["--live", "--config"]).ok();
    assert!(shown().contains("master other0") && shown().contains("rate 8Mbit"), "{}", shown());
    assert_eq!((ports("default"), ports("other")), (0, 1));
    assert!(documents().0.contains("bridge='other0'"), "{}", documents().0);
    assert!(documents().1.contains("<source network='other' portgroup='slow'/>"), "{}", documents().1);

    // Where that cannot be, everything is as it was.
    let held = || (shown().contains("master other0"), shown().contains("rate 8Mbit"), ports("default"), ports("other"));
    let before = (documents(), held());
    for (kind, source, words) in [
        ("network", "network='idle'", "network 'idle' is not active"),
        ("network", "network='nowhere'", "no network with matching name 'nowhere'"),
        ("bridge", "bridge='none0'", "none0"),
        ("direct", "dev='lo' mode='bridge'", "<source>"),
    ] {
        let refused = update(kind, source, &["--live", "--config"]).failure();
        assert!(refused.contains(words), "{refused}");
        assert_eq!((documents(), held()), before, "{source}");
    }

    update("network", "network='other'", &["--live"]).ok();
    assert!(shown().contains("master other0") && !shown().contains("tbf"), "{}", shown());
    assert_eq!(ports("other"), 1);
    update("bridge", "bridge='one0'", &["--live"]).ok();
    assert!(shown().contains("master one0"), "{}", shown());
    assert_eq!((ports("default"), ports("other")), (0, 0));
    update("network", "network='default'", &["--live"]).ok();
    assert!(shown().contains("master virbr0"), "{}", shown());
    virsh(&["destroy", "moved"]).ok();
    assert_eq!((ports("default"), ports("other")), (0, 0));
}

#[test]
fn forwarded_ports_follow_an_interface_to_another_port_of_its_network() {
    sandbox::require();
    let _daemon = Daemon::start();
    let network = "<network><name>led</name><forward mode='nat'/><bridge name='led0'/>
        <ip address='192.168.78.1' netmask='255.255.255.0'><dhcp><range start='192.168.78.2' end='192.168.78.9'/></dhcp></ip>
        <portgroup name='slow'><bandwidth><inbound average='1000'/></bandwidth></portgroup></network>";
    virsh(&["net-create", &file("led.xml", network)]).ok();
    image::busybox(Path::new("/opt/box-led"), "exec sleep 100000").unwrap();
    let device = |group: &str| {
        format!(
            "<interface type='network'><mac address='52:54:00:00:00:78'/><source network='led' {group}/></interface>"
        )
    };
    let forward = "<virtlxc:container xmlns:virtlxc='urn:virtlxc:domain:1.0'>\
                   <virtlxc:forward protocol='tcp' host-port='8079' port='80'/></virtlxc:container><devices>";
    let document = domain("led", "/opt/box-led", &["/init"], &device("")).replace("<devices>", forward);
    virsh(&["create", &file("led-box.xml", &document)]).ok();
    let rules = || {
        let all = shell("nft list ruleset").ok();
        let rules = all.lines().filter(|line| line.contains("8079")).map(|line| line.trim().to_string());
        rules.collect::<Vec<_>>()
    };
    let ports = || virsh(&["net-port-list", "led", "--uuid"]).ok().trim().to_string();
    let before = (rules(), ports());
    assert_eq!(before.0.len(), 2, "{before:?}");
    virsh(&["update-device", "led", &file("led-to.xml", &device("portgroup='slow'")), "--live"]).ok();
    // To the same address, which nobody else has.
    assert_eq!(rules(), before.0);
    assert_ne!(ports(), before.1);
    assert_eq!(ports().lines().count(), 1);
    virsh(&["destroy", "led"]).ok();
    assert_eq!(rules(), Vec::<String>::new());
    virsh(&["net-destroy", "led"]).ok();
}
