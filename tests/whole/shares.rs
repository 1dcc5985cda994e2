//! What a container has in common with something outside: namespaces that it shares, descriptors that a client hands it, links
//! of the machine that it is lent.

use crate::container::{Seen, before_devices, gone, root, seen};
use crate::guest::{Guest, namespace};
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{PATIENCE, eventually, kill, ours, shell};
use tests::sandbox;

const ROOT: &str = "/opt/box";

fn sharing(elements: &str) -> String {
    let own = "xmlns:lxc='http://libvirt.org/schemas/domain/lxc/1.0'";
    let document = domain("box", ROOT, &["/probe", "/seen"], "").replace("<domain ", &format!("<domain {own} "));
    document.replace("<devices>", &format!("<lxc:namespace>{elements}</lxc:namespace><devices>"))
}

#[test]
fn namespaces_by_name_process_and_file() {
    sandbox::require();
    let _daemon = Daemon::start();
    root();
    image::busybox(Path::new("/opt/base"), "exec sleep 1000").unwrap();
    let base = before_devices(domain("base", "/opt/base", &["/init"], ""), "<features><privnet/></features>");
    virsh(&["create", &file("base.xml", &base)]).ok();
    let base = Guest::of("base");
    shell("ip netns add apart").ok();
    let apart = shell("stat -L -c %i /run/netns/apart").ok();
    let by = |kind: &str, how: &str, value: &str| format!("<lxc:share{kind} type='{how}' value='{value}'/>");
    let init = base.init.to_string();
    let own = |kind: &str| namespace(std::process::id(), kind);
    for (elements, shared) in [
        (by("net", "name", "base"), vec!["net"]),
        (by("net", "pid", &init), vec!["net"]),
        (by("ipc", "name", "base") + &by("uts", "name", "base"), vec!["ipc", "uts"]),
        (by("ipc", "pid", &init) + &by("uts", "pid", &init) + &by("net", "name", "base"), vec!["ipc", "uts", "net"]),
    ] {
        virsh(&["create", &file("box.xml", &sharing(&elements))]).ok();
        let guest = Guest::of("box");
        for kind in ["net", "ipc", "uts", "pid", "mnt"] {
            let found = guest.namespace(kind);
            assert_eq!(found == base.namespace(kind), shared.contains(&kind), "{kind} with {elements}");
            // Without anything about it the network is the machine's.
            assert_eq!(found == own(kind), kind == "net" && !shared.contains(&"net"), "{kind} with {elements}");
        }
        virsh(&["destroy", "box"]).ok();
    }
    virsh(&["create", &file("box.xml", &sharing(&by("net", "netns", "apart")))]).ok();
    assert_eq!(Guest::of("box").namespace("net"), format!("net:[{}]", apart.trim()));
    virsh(&["destroy", "box"]).ok();
    // Its end is not the end of what it shared.
    assert_eq!(virsh(&["domstate", "base"]).ok().trim(), "running");
    for (elements, complaint) in [
        (by("net", "name", "nobody"), "nobody"),
        (by("ipc", "pid", "4000000"), "failed to open ns shareipc"),
        (by("net", "netns", "nothing"), "failed to open netns nothing"),
        (by("uts", "netns", "apart"), "can only be used with sharenet"),
    ] {
        let said = virsh(&["create", &file("box.xml", &sharing(&elements))]).failure();
        assert!(said.contains(complaint), "{elements}: {said}");
    }
    virsh(&["destroy", "base"]).ok();
}

#[test]
fn descriptors_of_a_client() {
    sandbox::require();
    let _daemon = Daemon::start();
    root();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/probe", "/seen"], ""))]).ok();
    fs::write("/tmp/first", "").unwrap();
    fs::write("/tmp/second", "").unwrap();
    let line = format!("exec 5</tmp/first 7</tmp/second; {} start box --pass-fds 5,7", ours("virsh").display());
    shell(&line).ok();
    let text = eventually("the probe has written", PATIENCE, || fs::read_to_string("/opt/box/seen").ok());
    let seen = Seen(text.lines().map(str::to_string).collect());
    let descriptors: Vec<&str> = seen.all("fd");
    assert_eq!(descriptors.len(), 5, "{descriptors:?}");
    assert_eq!(descriptors[3..], ["3 /tmp/first", "4 /tmp/second"]);
    for variable in ["LISTEN_FDS=2", "LISTEN_PID=1"] {
        assert!(seen.all("variable").contains(&variable), "{variable}: {:?}", seen.all("variable"));
    }
    gone();
}

#[test]
fn without_descriptors_nothing_is_said_of_them() {
    sandbox::require();
    let _daemon = Daemon::start();
    root();
    let seen = seen("", |document| document);
    assert!(!seen.all("variable").iter().any(|variable| variable.starts_with("LISTEN_")));
    gone();
}

/// Where the link is: on the machine, or not.
fn is_home() -> bool {
    Path::new("/sys/class/net/lent0").exists()
}

#[test]
fn links_of_the_machine_come_back() {
    sandbox::require();
    let mut daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    shell("ip link add lent0 type veth peer name lent1").ok();
    let lent = "<hostdev mode='capabilities' type='net'><source><interface>lent0</interface></source></hostdev>";
    let document = |init: &str| file("box.xml", &domain("box", ROOT, &[init], lent));
    let start = || {
        virsh(&["create", &document("/init")]).ok();
        let guest = Guest::of("box");
        assert!(!is_home());
        guest.shell("ip link show lent0").ok();
        guest
    };
    let comes_back = |what: &str| eventually(what, PATIENCE, || is_home().then_some(()));

    start();
    virsh(&["destroy", "box"]).ok();
    assert!(is_home(), "after destroy");

    let guest = start();
    kill(guest.init, Signal::KILL);
    comes_back("after init's end");

    let guest = start();
    kill(guest.controller, Signal::KILL);
    comes_back("after the controller's end");

    start();
    daemon.kill();
    daemon = Daemon::start();
    assert!(!is_home());
    virsh(&["destroy", "box"]).ok();
    assert!(is_home(), "after a new daemon's destroy");

    // A link of another kind under its name is the guest's own, and stays there.
    let guest = start();
    guest.shell("ip link set lent0 name other0 && ip link add lent0 type bridge").ok();
    virsh(&["destroy", "box"]).ok();
    assert!(!is_home(), "the guest's own link came to the machine");
    assert!(daemon.log().contains("lent0 does not come back: another link"), "{}", daemon.log());
    // With the container's namespace its end of the pair goes, and then the other.
    eventually("the pair is gone", PATIENCE, || {
        shell("ip link add lent0 type veth peer name lent1");
        is_home().then_some(())
    });

    // Init is missed last of all.
    virsh(&["create", &document("/nothing")]).failure();
    assert!(is_home(), "after a failed start");
    assert!(daemon.is_alive());
}
