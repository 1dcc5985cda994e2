//! Our programs in the place of Debian's, one at a time, and beside them.

use crate::guest::{Guest, namespace};
use std::fs;
use std::path::Path;
use std::process::Command;
use tests::daemon::{Daemon, Libvirtd, debian_virsh, file, hide_cgroup2, virsh};
use tests::documents::{PRIVATE_ROOT, VM1, VM1_PRIVATE_ROOT, domain};
use tests::image;
use tests::program::{self, PATIENCE, eventually, ours};
use tests::sandbox;
use tests::terminal::Terminal;

/// Where Debian has libvirt's own controller.
const DEBIAN_CONTROLLER: &str = "/usr/lib/libvirt/libvirt_lxc";

#[test]
fn our_virsh_and_debians_libvirtd() {
    sandbox::require();
    let _libvirtd = Libvirtd::start();
    virsh(&["net-start", "default"]).ok();
    image::busybox(Path::new(PRIVATE_ROOT), "exec /bin/sh").unwrap();
    // Debian's knows one emulator path only.
    for (name, document) in [("vm1.xml", VM1), ("vm1-private-root.xml", VM1_PRIVATE_ROOT)] {
        let document = file(name, &document.replace("/usr/libexec/libvirt_lxc", DEBIAN_CONTROLLER));
        for arguments in [&["define", document.as_str()][..], &["start", "vm1"]] {
            virsh(arguments).ok();
        }
        for arguments in [
            &["list"][..],
            &["list", "--all"],
            &["dominfo", "vm1"],
            &["dumpxml", "vm1"],
            &["domstate", "--reason", "vm1"],
            &["domid", "vm1"],
            &["net-list", "--all"],
            &["net-dumpxml", "default"],
        ] {
            assert_eq!(steady(&virsh(arguments).ok()), steady(&debian_virsh(arguments).ok()), "{arguments:?}");
        }
        let mut command = Command::new(ours("virsh"));
        let mut terminal = Terminal::start(command.args(["console", "vm1"])).unwrap();
        terminal.prompt(PATIENCE).unwrap();
        terminal.type_in("ps -ef; echo over-$((1+1))\r").unwrap();
        terminal.expect("\nover-2", PATIENCE).unwrap();
        terminal.type_in("\u{1d}").unwrap();
        assert_eq!(terminal.wait(PATIENCE), Some(0));
        virsh(&["destroy", "vm1"]).ok();
        virsh(&["undefine", "vm1"]).ok();
    }
}

/// Without the time and memory that a container has used, which go on.
fn steady(text: &str) -> String {
    let moves = |line: &&str| ["CPU time:", "Used memory:"].iter().any(|name| line.starts_with(name));
    text.lines().filter(|line| !moves(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn debians_libvirtd_and_our_controller() {
    sandbox::require();
    let _libvirtd = Libvirtd::start();
    let controller = "/opt/ours/libvirt_lxc";
    fs::create_dir_all("/opt/ours").unwrap();
    fs::copy(ours("libvirt_lxc"), controller).unwrap();
    debian_virsh(&["net-start", "default"]).ok();
    image::busybox(Path::new("/opt/box"), "exec /bin/sh").unwrap();
    let devices =
        format!("<emulator>{controller}</emulator><interface type='network'><source network='default'/></interface>");
    debian_virsh(&["define", &file("box.xml", &domain("box", "/opt/box", &["/init"], &devices))]).ok();
    for _ in 0..2 {
        debian_virsh(&["start", "box"]).ok();
        let id = debian_virsh(&["domid", "box"]).ok().trim().parse().unwrap();
        let guest = Guest::with_id("box", id);
        assert_ne!(guest.namespace("net"), namespace(1, "net"));
        assert_eq!(fs::read_link(format!("/proc/{id}/exe")).unwrap(), Path::new(controller));
        let addressed = guest.shell(
            "ip link set eth0 up && udhcpc -i eth0 -q -t 50 -T 1 -A 1 -s /etc/udhcpc && ping -c 1 -W 30 192.168.122.1",
        );
        addressed.ok();
        let mut command = Command::new(tests::daemon::DEBIAN_VIRSH);
        let mut terminal = Terminal::start(command.args(["-c", "lxc:///", "console", "box"])).unwrap();
        terminal.prompt(PATIENCE).unwrap();
        terminal.type_in("echo over-$((1+1))\r").unwrap();
        terminal.expect("\nover-2", PATIENCE).unwrap();
        drop(terminal);
        debian_virsh(&["destroy", "box"]).ok();
        assert_eq!(debian_virsh(&["domstate", "box"]).ok().trim(), "shut off");
    }
    // Its end by itself reaches their daemon through our monitor messages.
    debian_virsh(&["start", "box"]).ok();
    let id = debian_virsh(&["domid", "box"]).ok().trim().parse().unwrap();
    program::kill(Guest::with_id("box", id).init, rustix::process::Signal::KILL);
    eventually("the end is noticed", PATIENCE, || {
        (debian_virsh(&["domstate", "--reason", "box"]).ok().trim() == "shut off (shutdown)").then_some(())
    });
}

#[test]
fn our_daemon_and_debians_controller() {
    sandbox::require();
    hide_cgroup2();
    let _daemon = Daemon::start();
    image::busybox(Path::new("/opt/box"), "exec /bin/sh").unwrap();
    let devices = format!(
        "<emulator>{DEBIAN_CONTROLLER}</emulator><interface type='network'><source network='default'/></interface>"
    );
    virsh(&["define", &file("box.xml", &domain("box", "/opt/box", &["/init"], &devices))]).ok();
    virsh(&["start", "box"]).ok();
    let guest = Guest::of("box");
    assert_eq!(fs::read_link(format!("/proc/{}/exe", guest.controller)).unwrap(), Path::new(DEBIAN_CONTROLLER));
    guest
        .shell(
            "ip link set eth0 up && udhcpc -i eth0 -q -t 50 -T 1 -A 1 -s /etc/udhcpc && ping -c 1 -W 30 192.168.122.1",
        )
        .ok();
    let mut command = Command::new(ours("virsh"));
    let mut terminal = Terminal::start(command.args(["console", "box"])).unwrap();
    terminal.prompt(PATIENCE).unwrap();
    terminal.type_in("echo over-$((1+1))\r").unwrap();
    terminal.expect("\nover-2", PATIENCE).unwrap();
    drop(terminal);
    virsh(&["destroy", "box"]).ok();
    assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "shut off");
    virsh(&["start", "box"]).ok();
    program::kill(Guest::of("box").init, rustix::process::Signal::KILL);
    eventually("the end is noticed", PATIENCE, || {
        (virsh(&["domstate", "--reason", "box"]).ok().trim() == "shut off (shutdown)").then_some(())
    });
}

#[test]
fn a_container_of_debians_libvirtd_is_taken_over() {
    sandbox::require();
    let libvirtd = Libvirtd::start();
    image::busybox(Path::new("/opt/box"), "exec /bin/sh").unwrap();
    debian_virsh(&["define", &file("box.xml", &domain("box", "/opt/box", &["/init"], ""))]).ok();
    debian_virsh(&["start", "box"]).ok();
    let id = debian_virsh(&["domid", "box"]).ok();
    drop(libvirtd);
    let _daemon = Daemon::start();
    assert_eq!(virsh(&["domid", "box"]).ok(), id);
    let guest = Guest::of("box");
    virsh(&["destroy", "box"]).ok();
    assert!(program::ended_within(guest.init, PATIENCE));
    virsh(&["start", "box"]).ok();
    virsh(&["destroy", "box"]).ok();
    virsh(&["undefine", "box"]).ok();
}
