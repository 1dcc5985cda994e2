//! Elements of a document one by one: what each makes of the container, and what is refused.

use crate::container::{before_devices, gone, ours_too, root, seen};
use crate::guest::Guest;
use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{self, shell};
use tests::sandbox;

const ROOT: &str = "/opt/box";

/// A busybox that sleeps, running with these devices.
#[track_caller]
fn running(more: &str) -> Guest {
    _ = fs::remove_dir_all(ROOT);
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], more))]).ok();
    virsh(&["start", "box"]).ok();
    Guest::of("box")
}

#[track_caller]
fn refused(document: &str, complaint: &str) {
    virsh(&["define", &file("bad.xml", document)]).ok();
    let said = virsh(&["start", "box"]).failure();
    assert!(said.contains(complaint), "'{complaint}' is not in {said}");
    virsh(&["undefine", "box"]).ok();
}

/// A small file system in a file.
fn ext4(path: &str) {
    shell(&format!("truncate -s 8M {path} && mkfs.ext4 -q {path}")).ok();
}

#[test]
fn file_systems_on_block_devices() {
    sandbox::require();
    let _daemon = Daemon::start();
    fs::create_dir_all("/opt").unwrap();
    ext4("/opt/disk.img");
    let device = shell("losetup --find --show /opt/disk.img").ok();
    let device = device.trim();
    // The machine's loop device must not outlive the sandbox, however this ends.
    struct Detached<'a>(&'a str);
    impl Drop for Detached<'_> {
        fn drop(&mut self) {
            _ = program::run("losetup", &["--detach", self.0]);
        }
    }
    let _detached = Detached(device);
    let more = format!("<filesystem type='block'><source dev='{device}'/><target dir='/mnt/disk'/></filesystem>");
    let guest = running(&more);
    guest.shell("echo kept > /mnt/disk/file").ok();
    // The file system is given, the device is not.
    assert!(!guest.shell("ls /dev").ok().contains("loop"));
    gone();
    let guest = running(&more.replace("</filesystem>", "<readonly/></filesystem>"));
    assert_eq!(guest.shell("cat /mnt/disk/file").ok(), "kept\n");
    assert_ne!(guest.shell("echo no > /mnt/disk/file").code, 0);
    gone();
    let on = |device: &str| {
        domain(
            "box",
            ROOT,
            &["/init"],
            &format!("<filesystem type='block'><source dev='{device}'/><target dir='/m'/></filesystem>"),
        )
    };
    refused(&on("/dev/nonexistent"), "Path '/dev/nonexistent' is not accessible");
    refused(&on("/dev/null"), "it has none of these file systems: ext4, xfs");
}

#[test]
fn file_systems_that_are_not_to_be_had() {
    sandbox::require();
    let daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    fs::write("/opt/disk.img", "nothing").unwrap();
    let of = |kind: &str, inside: &str| {
        let more = format!("<filesystem type='{kind}'>{inside}<target dir='/mnt/x'/></filesystem>");
        domain("box", ROOT, &["/init"], &more)
    };
    for (kind, inside, complaint) in [
        ("template", "<source name='t'/>", "Cannot mount filesystem type template"),
        (
            "file",
            "<driver type='loop' format='qcow2'/><source file='/opt/disk.img'/>",
            "fs format qcow2 is not supported",
        ),
        // Not on a kernel without, nor in the sandbox's network namespace.
        (
            "file",
            "<driver type='nbd' format='qcow2'/><source file='/opt/disk.img'/>",
            "Unable to serve /opt/disk.img: ",
        ),
        ("file", "<driver type='nbd'/><source file='/opt/disk.img'/>", "An explicit disk format must be specified"),
        ("file", "<source file='/opt/disk.img'/>", "Failed to mount /opt/disk.img: it has none of these file systems"),
        ("file", "<source file='/opt/nothing.img'/>", "Unable to open /opt/nothing.img: No such file or directory"),
        (
            "mount",
            "<source dir='/opt/box/bin'/><virtlxc:mount xmlns:virtlxc='urn:virtlxc:domain:1.0' options='lazy'/>",
            "mount option 'lazy'",
        ),
        (
            "bind",
            "<source dir='/not/inside'/>",
            "Failed to mount /not/inside inside on /mnt/x: No such file or directory",
        ),
    ] {
        refused(&of(kind, inside), complaint);
    }
    // What is only not obeyed is said, and the container runs.
    let limited = "<source dir='/opt/box/bin'/><space_hard_limit unit='MiB'>5</space_hard_limit>";
    virsh(&[
        "define",
        &file("box.xml", &of("mount", limited).replace("type='mount'>", "type='mount' accessmode='mapped'>")),
    ])
    .ok();
    virsh(&["start", "box"]).ok();
    let log = fs::read_to_string("/var/log/libvirt/lxc/box.log").unwrap();
    for word in ["accessmode='mapped'", "<space_hard_limit>"] {
        assert!(log.contains(&format!("{word} of the file system on /mnt/x is not obeyed")), "{log}");
    }
    gone();
    let found = virsh(&["domcapabilities"]).ok();
    assert!(found.contains("<value>usb</value>") && found.contains("<value>nbd</value>"), "{found}");
    assert!(daemon.is_alive());
}

#[test]
fn addresses_peers_and_routes() {
    sandbox::require();
    let _daemon = Daemon::start();
    shell("ip link add hd0 type veth peer name hd1 && ip link set hd1 up").ok();
    let more = "<interface type='network'><source network='default'/>\
        <ip address='192.168.122.77' prefix='24'/><ip address='10.9.0.2' peer='10.9.0.1' prefix='32'/>\
        <ip family='ipv6' address='fd00:7::2' prefix='64'/>\
        <route family='ipv4' address='10.20.0.0' prefix='16' gateway='192.168.122.1' metric='5'/>\
        <route family='ipv4' address='0.0.0.0' gateway='192.168.122.1'/>\
        <route family='ipv6' address='fd00:8::' prefix='64' gateway='fd00:7::1'/></interface>\
        <hostdev mode='capabilities' type='net'><source><interface>hd0</interface></source>\
        <ip address='10.8.0.2' prefix='24'/><route address='10.30.0.0' prefix='16' gateway='10.8.0.1'/></hostdev>";
    let guest = running(more);
    let addresses = guest.shell("ip addr show eth0").ok();
    for word in ["inet 192.168.122.77/24", "inet 10.9.0.2 peer 10.9.0.1/32", "inet6 fd00:7::2/64", "UP"] {
        assert!(addresses.contains(word), "{word} is not in {addresses}");
    }
    let routes = guest.shell("ip route; ip -6 route").ok();
    for word in [
        "10.20.0.0/16 via 192.168.122.1 dev eth0  metric 5",
        "default via 192.168.122.1 dev eth0",
        "10.9.0.1 dev eth0",
        "fd00:8::/64 via fd00:7::1 dev eth0",
        "10.30.0.0/16 via 10.8.0.1 dev hd0",
    ] {
        assert!(routes.contains(word), "{word} is not in {routes}");
    }
    assert!(guest.shell("ip addr show hd0").ok().contains("inet 10.8.0.2/24"));
    gone();
}

#[test]
fn usb_devices_by_place_and_by_kind() {
    sandbox::require();
    // This machine may have none: so a bus of two devices, made of files and of a node that no driver answers for.
    sandbox::own_devices();
    shell(
        "set -e; mkdir -p /dev/bus/usb/001; mknod /dev/bus/usb/001/004 c 189 3
         mount -t tmpfs bus /sys/bus
         for d in '1-1 046d c52b 1 4' '1-2 0951 1666 1 5' '1-3 0951 1666 1 6'; do
             set -- $d; f=/sys/bus/usb/devices/$1; mkdir -p $f $f:1.0
             echo $2 > $f/idVendor; echo $3 > $f/idProduct; echo $4 > $f/busnum; echo $5 > $f/devnum
         done",
    )
    .ok();
    let _daemon = Daemon::start();
    let device = |source: &str| format!("<hostdev mode='subsystem' type='usb'>{source}</hostdev>");
    let kind = device("<source><vendor id='0x046d'/><product id='0xc52b'/></source>");
    let place = device("<source><address bus='1' device='4'/></source>");
    for more in [&kind, &place] {
        let guest = running(more);
        let node = guest.shell("stat -c '%F %t:%T' /dev/bus/usb/001/004").ok();
        assert_eq!(node, "character special file bd:3\n");
        assert!(virsh(&["dumpxml", "box"]).ok().contains("<address bus='1' device='4'/>"));
        gone();
    }
    for (more, complaint) in [
        (
            "<source><vendor id='0x0951'/><product id='0x1666'/></source>",
            "Multiple USB devices for 0951:1666, use <address>",
        ),
        ("<source><vendor id='0x1234'/><product id='0x5678'/></source>", "Did not find USB device 1234:5678"),
        ("<source><address bus='1' device='9'/></source>", "Did not find USB device bus:1 device:9"),
    ] {
        refused(&domain("box", ROOT, &["/init"], &device(more)), complaint);
    }
    let optional = "<source startupPolicy='optional'><vendor id='0x1234'/><product id='0x5678'/></source>";
    let guest = running(&device(optional));
    assert!(!virsh(&["dumpxml", "box"]).ok().contains("<hostdev"));
    // Plugged in while it runs, and out again.
    virsh(&["attach-device", "box", &file("usb.xml", &kind)]).ok();
    guest.shell("test -c /dev/bus/usb/001/004").ok();
    virsh(&["detach-device", "box", &file("usb.xml", &kind)]).ok();
    assert_ne!(guest.shell("test -e /dev/bus/usb/001/004").code, 0);
    gone();
}

#[test]
fn ids_that_are_chosen() {
    sandbox::require();
    fs::write("/etc/subuid", "somebody:100000:65536\nvirtlxc:300000:131072\n").unwrap();
    fs::write("/etc/subgid", "virtlxc:500000:131072\n").unwrap();
    let daemon = Daemon::start();
    root();
    let document = |name: &str| ours_too(domain(name, ROOT, &["/init"], ""), "<virtlxc:idmap/>");
    for name in ["a", "b", "c"] {
        virsh(&["define", &file("box.xml", &document(name))]).ok();
    }
    let map = |name: &str| {
        virsh(&["start", name]).ok();
        Guest::of(name).proc("uid_map").split_whitespace().map(str::to_string).collect::<Vec<_>>().join(" ")
    };
    let all = ["0 300000 65536", "0 365536 65536"].map(str::to_string);
    let (a, b) = (map("a"), map("b"));
    assert!(a != b && all.contains(&a) && all.contains(&b), "{a}, {b}");
    let said = virsh(&["start", "c"]).failure();
    assert!(said.contains("no 65536 ids in a row are left of those that '/etc/subuid' gives"), "{said}");
    let live = virsh(&["dumpxml", "a"]).ok();
    assert!(
        live.contains(&format!("<uid start='0' target='{}' count='65536'/>", a.split(' ').nth(1).unwrap())),
        "{live}"
    );
    assert!(live.contains("<gid start='0' target='5"), "{live}");
    assert!(!virsh(&["dumpxml", "--inactive", "a"]).ok().contains("<idmap>"));
    // What a client has of a container that runs defines the same container.
    virsh(&["define", &file("box.xml", &live)]).ok();
    assert!(!virsh(&["dumpxml", "--inactive", "a"]).ok().contains("<idmap>"));
    // The sandbox's file system cannot map owners; the log says so.
    let log = fs::read_to_string("/var/log/libvirt/lxc/a.log").unwrap();
    assert!(log.contains("its files keep the machine's owners, for they cannot be mapped"), "{log}");
    // Another daemon knows who has which; and who starts again has the same.
    daemon.kill();
    let _daemon = Daemon::start();
    assert!(virsh(&["start", "c"]).failure().contains("no 65536 ids"));
    virsh(&["destroy", "a"]).ok();
    assert_eq!(map("a"), a);
    virsh(&["destroy", "a"]).ok();
    assert_eq!(map("c"), a);
    fs::write("/etc/subuid", "somebody:100000:65536\n").unwrap();
    let said = virsh(&["start", "a"]).failure();
    assert!(said.contains("'/etc/subuid' has no line for 'virtlxc' or 'root'"), "{said}");
}

#[test]
fn maps_that_the_kernel_would_refuse() {
    sandbox::require();
    let _daemon = Daemon::start();
    for (map, complaint) in [
        ("<uid start='0' target='1000' count='10'/>", "uid and gid should be mapped both"),
        (
            "<uid start='1' target='1000' count='10'/><gid start='0' target='1000' count='10'/>",
            "You must map the root user of container",
        ),
        (
            "<uid start='0' target='1000' count='10'/><uid start='5' target='2000' count='10'/><gid start='0' target='1000' count='10'/>",
            "<uid> '0 1000 10' and '5 2000 10' of <idmap> overlap",
        ),
        (
            "<uid start='0' target='1000' count='10'/><gid start='0' target='1000' count='10'/><gid start='10' target='1005' count='1'/>",
            "<gid> '0 1000 10' and '10 1005 1' of <idmap> overlap",
        ),
        (
            "<uid start='0' target='1000' count='0'/><gid start='0' target='1000' count='10'/>",
            "<uid> '0 1000 0' of <idmap> must count from 1",
        ),
        (
            "<uid start='0' target='4294967290' count='10'/><gid start='0' target='1000' count='10'/>",
            "<uid> '0 4294967290 10' of <idmap> must count",
        ),
    ] {
        let document = before_devices(domain("box", ROOT, &["/init"], ""), &format!("<idmap>{map}</idmap>"));
        let said = virsh(&["define", &file("bad.xml", &document)]).failure();
        assert!(said.contains(complaint), "'{complaint}' is not in {said}");
    }
}

#[test]
fn mounts_below_a_source_come_along_with_ids_of_its_own_too() {
    sandbox::require();
    let _daemon = Daemon::start();
    shell(
        "set -e; mkdir -p /opt/data; mount -t tmpfs data /opt/data; mkdir /opt/data/below; mount -t tmpfs below \
         /opt/data/below; mkdir /opt/data/below/deep; mount -t tmpfs deep /opt/data/below/deep; echo found > \
         /opt/data/below/deep/file",
    )
    .ok();
    let map =
        "<idmap><uid start='0' target='100000' count='1000'/><gid start='0' target='100000' count='1000'/></idmap>";
    let more = "<filesystem type='mount'><source dir='/opt/data'/><target dir='/mnt/data'/><readonly/></filesystem>";
    root();
    // The sandbox's own file system cannot map owners: the guest's root is a stranger there.
    shell("mkdir /opt/box/mnt/data; chmod 777 /opt/box").ok();
    let seen = seen(more, |document| before_devices(document, map));
    assert_eq!(seen.one("uid_map"), "0 100000 1000");
    for path in ["/mnt/data", "/mnt/data/below", "/mnt/data/below/deep"] {
        assert!(seen.mount(path).starts_with("tmpfs ro,"), "{path}: {}", seen.mount(path));
    }
    let guest = Guest::of("box");
    assert_eq!(guest.shell("cat /mnt/data/below/deep/file").ok(), "found\n");
    assert!(!guest.shell("ls -a /").ok().contains("oldroot"));
    gone();
}

#[test]
fn labels_where_no_module_gives_them() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    if Path::new("/sys/module/apparmor").exists() {
        println!("this machine has AppArmor: tested in the emulated one");
        return;
    }
    assert!(virsh(&["capabilities"]).ok().contains("<model>none</model>"));
    let labelled = |label: &str| before_devices(domain("box", ROOT, &["/init"], ""), label);
    for label in [
        "<seclabel type='static' model='apparmor' relabel='no'><label>p</label></seclabel>",
        "<seclabel type='dynamic' model='selinux'/>",
    ] {
        let model = if label.contains("apparmor") { "apparmor" } else { "selinux" };
        refused(&labelled(label), &format!("Security driver model '{model}' is not available"));
    }
    virsh(&["define", &file("box.xml", &labelled("<seclabel type='none'/>"))]).ok();
    virsh(&["start", "box"]).ok();
    assert!(virsh(&["dominfo", "box"]).ok().contains("Security model: none"));
    gone();
}

#[test]
fn settings_that_are_no_containers_own() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    let with = |more: &str| ours_too(domain("box", ROOT, &["/init"], ""), more);
    refused(&with("<virtlxc:sysctl name='kernel.panic' value='1'/>"), "sysctl 'kernel.panic' is not a container's own");
    let document = with("<virtlxc:rlimit name='nofile' soft='9' hard='5'/>");
    assert!(virsh(&["define", &file("bad.xml", &document)]).failure().contains("no more than 'hard'"));
    let document = with("<virtlxc:rlimit name='weight' soft='1' hard='5'/>");
    assert!(virsh(&["define", &file("bad.xml", &document)]).failure().contains("Expected one of as, core"));
    // Limits that init can see, and its children.
    virsh(&["define", &file("box.xml", &with("<virtlxc:rlimit name='core' soft='0' hard='unlimited'/><virtlxc:rlimit name='nproc' soft='55' hard='66'/>"))]).ok();
    virsh(&["start", "box"]).ok();
    let limits = Guest::of("box").proc("limits");
    let of = |name: &str| {
        limits.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of("Max core"), "Max core file size 0 unlimited bytes");
    assert_eq!(of("Max processes"), "Max processes 55 66 processes");
    gone();
}
