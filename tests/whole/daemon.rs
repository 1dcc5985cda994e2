//! The daemon's own life: killed and started again under running containers, side by side.

use crate::guest::Guest;
use std::fs;
use std::path::Path;
use std::process::Command;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::{domain, interface};
use tests::image;
use tests::program::{self, PATIENCE, eventually, ours};
use tests::sandbox;
use tests::terminal::Terminal;

const ROOT: &str = "/opt/box";

#[test]
fn containers_run_on_when_it_is_killed() {
    sandbox::require();
    let daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec /bin/sh").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], &interface("default")))]).ok();
    virsh(&["define", &file("off.xml", &domain("off", ROOT, &["/init"], ""))]).ok();
    virsh(&["start", "box"]).ok();
    let guest = Guest::of("box");
    let before = virsh(&["dumpxml", "box"]).ok();
    daemon.kill();
    assert!(Path::new(&format!("/proc/{}", guest.init)).exists(), "the container died with the daemon");

    let daemon = Daemon::start();
    let again = Guest::of("box");
    assert_eq!((again.controller, again.init), (guest.controller, guest.init));
    assert_eq!(virsh(&["dumpxml", "box"]).ok(), before);
    assert_eq!(virsh(&["list", "--all", "--name"]).ok(), "box\noff\n\n");
    assert!(virsh(&["net-list"]).ok().contains("default"), "the network is down");

    let mut command = Command::new(ours("virsh"));
    let mut terminal = Terminal::start(command.args(["console", "box"])).unwrap();
    terminal.prompt(PATIENCE).unwrap();
    terminal.type_in("echo still-$((40+2))\r").unwrap();
    terminal.expect("\nstill-42", PATIENCE).unwrap();
    terminal.type_in("\u{1d}").unwrap();
    assert_eq!(terminal.wait(PATIENCE), Some(0));

    // Its end is noticed by the daemon that did not start it.
    guest.shell("kill -9 1; kill -9 -1");
    program::kill(guest.init, rustix::process::Signal::KILL);
    eventually("the end is noticed", PATIENCE, || {
        (virsh(&["domstate", "box"]).ok().trim() == "shut off").then_some(())
    });
    virsh(&["start", "box"]).ok();
    daemon.kill();
    let _daemon = Daemon::start();
    virsh(&["destroy", "box"]).ok();
    assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "shut off");
}

#[test]
fn what_ended_while_it_was_away_is_off() {
    sandbox::require();
    let daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], ""))]).ok();
    virsh(&["create", &file("brief.xml", &domain("brief", ROOT, &["/init"], ""))]).ok();
    virsh(&["start", "box"]).ok();
    let guests = [Guest::of("box"), Guest::of("brief")];
    daemon.kill();
    for guest in &guests {
        program::kill(guest.controller, rustix::process::Signal::KILL);
        assert!(program::ended_within(guest.controller, PATIENCE) && program::ended_within(guest.init, PATIENCE));
    }
    let _daemon = Daemon::start();
    assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "shut off");
    assert_eq!(virsh(&["list", "--all", "--name"]).ok(), "box\n\n", "a transient domain that is gone stays listed");
    virsh(&["start", "box"]).ok();
    virsh(&["destroy", "box"]).ok();
}

#[test]
fn a_definition_acknowledged_is_there_after_a_kill() {
    sandbox::require();
    let mut daemon = Daemon::start();
    for number in 0..20 {
        let name = format!("box{number}");
        virsh(&["define", &file("box.xml", &domain(&name, ROOT, &["/init"], ""))]).ok();
        let xml = virsh(&["dumpxml", &name]).ok();
        daemon.kill();
        daemon = Daemon::start();
        assert_eq!(virsh(&["dumpxml", &name]).ok(), xml);
    }
    let stray: Vec<_> = fs::read_dir("/etc/libvirt/lxc").unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(stray.iter().all(|name| name.to_string_lossy().ends_with(".xml") || name == "autostart"), "{stray:?}");
}

#[test]
fn two_live_side_by_side() {
    sandbox::require();
    let (first, second) = (Daemon::start(), Daemon::start_in(Path::new("/srv/second"), &[]));
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    let document = file("box.xml", &domain("box", ROOT, &["/init"], ""));
    for daemon in [&first, &second] {
        virsh(&["-c", &daemon.uri(), "define", &document]).ok();
        virsh(&["-c", &daemon.uri(), "start", "box"]).ok();
    }
    let id = |daemon: &Daemon| virsh(&["-c", &daemon.uri(), "domid", "box"]).ok();
    assert_ne!(id(&first), id(&second));
    assert!(second.path("/run/libvirt/lxc/box.xml").exists());
    virsh(&["-c", &first.uri(), "destroy", "box"]).ok();
    assert_eq!(virsh(&["-c", &second.uri(), "domstate", "box"]).ok().trim(), "running");
    virsh(&["-c", &second.uri(), "destroy", "box"]).ok();
}

#[test]
fn it_serves_the_socket_of_libvirtd_where_nobody_does() {
    sandbox::require();
    let _daemon = Daemon::start();
    for socket in ["libvirt-sock", "libvirt-sock-ro", "virtlxcd-sock", "virtlxcd-sock-ro"] {
        let uri = format!("lxc+unix:///system?socket=/run/libvirt/{socket}");
        let said = program::run(tests::daemon::DEBIAN_VIRSH, &["-c", &uri, "uri"]).ok();
        assert!(said.starts_with("lxc+unix:///system"), "{said}");
    }
    let refused =
        program::run(tests::daemon::DEBIAN_VIRSH, &["-c", "lxc:///", "-r", "define", &file("x.xml", "<domain/>")]);
    assert!(refused.failure().contains("read only"));
}
