//! Bad input: a clear error each, the daemon lives, nothing is left behind.

use crate::leftovers::Leftovers;
use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::{domain, interface};
use tests::image;
use tests::program::{PATIENCE, eventually};
use tests::sandbox;

const ROOT: &str = "/opt/box";

#[test]
fn documents_that_are_refused() {
    sandbox::require();
    let daemon = Daemon::start();
    let before = Leftovers::now();
    let table = [
        ("", "Document is empty"),
        ("<domain type='lxc'><name>box</name>", "Premature end of data in tag domain"),
        ("<domain type='lxc'><name>box</nam></domain>", "Opening and ending tag mismatch: name line 1 and nam"),
        ("<network/>", "XML error: expecting root element of 'domain', not 'network'"),
        (
            "<domain type='lxc'><memory>1</memory><os><type>exe</type><init>/i</init></os></domain>",
            "missing name information",
        ),
        (
            "<domain type='lxc'><name>a/b</name><memory>1</memory><os><type>exe</type><init>/i</init></os></domain>",
            "name a/b cannot contain '/'",
        ),
        (
            "<domain type='lxc'><name>box</name><memory>much</memory><os><type>exe</type><init>/i</init></os></domain>",
            "memory",
        ),
        ("<domain type='lxc'><name>box</name><os><type>exe</type><init>/i</init></os></domain>", "memory"),
        ("<domain type='qemu'><name>box</name><memory>1</memory><os><type>exe</type></os></domain>", "qemu"),
    ];
    for (document, complaint) in table {
        let said = virsh(&["define", &file("bad.xml", document)]).failure();
        assert!(said.starts_with("error: Failed to define domain from /tmp/bad.xml\nerror: "), "{document}: {said}");
        assert!(said.contains(complaint), "{document}: '{complaint}' is not in {said}");
    }
    assert_eq!(virsh(&["list", "--all", "--name"]).ok(), "\n");
    before.assert_none_since();
    assert!(daemon.is_alive());
}

#[test]
fn a_name_or_uuid_already_taken() {
    sandbox::require();
    let _daemon = Daemon::start();
    let with_uuid = |name: &str, uuid: &str| {
        let tagged = format!("<name>{name}</name><uuid>{uuid}</uuid>");
        domain(name, ROOT, &["/init"], "").replace(&format!("<name>{name}</name>"), &tagged)
    };
    let (first, second) = ("11111111-2222-4333-8444-000000000001", "11111111-2222-4333-8444-000000000002");
    virsh(&["define", &file("a.xml", &with_uuid("box", first))]).ok();
    let said = virsh(&["define", &file("b.xml", &with_uuid("box", second))]).failure();
    assert!(said.contains(&format!("domain 'box' already exists with uuid {first}")), "{said}");
    let said = virsh(&["define", &file("c.xml", &with_uuid("other", first))]).failure();
    assert!(said.contains(&format!("domain 'box' is already defined with uuid {first}")), "{said}");
    // The same again is a new definition of the same domain.
    virsh(&["define", &file("a.xml", &with_uuid("box", first))]).ok();
    assert_eq!(virsh(&["list", "--all", "--name"]).ok(), "box\n\n");
}

#[test]
fn starts_that_fail_leave_nothing() {
    sandbox::require();
    let daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    std::fs::write("/opt/box/notes", "not a program\n").unwrap();
    eventually("the network is up", PATIENCE, || virsh(&["net-list"]).ok().contains("default").then_some(()));
    let before = Leftovers::now();
    let net = interface("default");
    let table = [
        ("a root folder that is not there", domain("box", "/opt/nowhere", &["/init"], &net), "/opt/nowhere"),
        (
            "an init that is not there",
            domain("box", ROOT, &["/bin/nope"], &net),
            "cannot find init path '/bin/nope' relative to container root",
        ),
        ("an init that cannot be executed", domain("box", ROOT, &["/notes"], &net), "/notes"),
        (
            "an unknown network",
            domain("box", ROOT, &["/init"], &interface("nope")),
            "no network with matching name 'nope'",
        ),
        (
            "one known and one unknown",
            domain("box", ROOT, &["/init"], &(net.clone() + &interface("nope"))),
            "no network with matching name 'nope'",
        ),
        (
            "a source that is not there",
            domain(
                "box",
                ROOT,
                &["/init"],
                &(net.clone()
                    + "<filesystem type='mount'><source dir='/nonexistent/x'/><target dir='/mnt'/></filesystem>"),
            ),
            "/nonexistent/x",
        ),
        (
            "an emulator that is not there",
            domain("box", ROOT, &["/init"], &(net.clone() + "<emulator>/nonexistent/libvirt_lxc</emulator>")),
            "/nonexistent/libvirt_lxc",
        ),
        (
            "a bridge that is not there",
            domain("box", ROOT, &["/init"], "<interface type='bridge'><source bridge='nobr'/></interface>"),
            "nobr",
        ),
    ];
    for (what, document, complaint) in table {
        virsh(&["define", &file("box.xml", &document)]).ok();
        let said = virsh(&["start", "box"]).failure();
        assert!(said.starts_with("error: Failed to start domain 'box'\nerror: "), "{what}: {said}");
        assert!(said.contains(complaint), "{what}: '{complaint}' is not in {said}");
        assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "shut off", "{what}");
        before.assert_none_since();
        virsh(&["undefine", "box"]).ok();
        let said = virsh(&["create", &file("box.xml", &document)]).failure();
        assert!(said.contains(complaint), "{what}: '{complaint}' is not in {said}");
        assert_eq!(virsh(&["list", "--all", "--name"]).ok(), "\n", "{what}: a transient domain stays");
        before.assert_none_since();
    }
    // It ends, though the links in a container cannot be seen from here.
    let named = |name: &str| net.replace("<source", &format!("<guest dev='{name}'/><source"));
    for (name, devices) in [("lo", named("lo")), ("lan", named("lan") + &named("lan")), ("eth0", named("eth0") + &net)]
    {
        let said = virsh(&["create", &file("box.xml", &domain("box", ROOT, &["/init"], &devices))]).failure();
        assert!(said.contains(&format!("another link of the name '{name}'")), "{said}");
        before.assert_none_since();
    }
    assert!(!Path::new("/opt/nowhere").exists(), "a missing root folder was created");
    assert!(!Path::new("/nonexistent").exists(), "a missing source folder was created");
    assert!(daemon.is_alive());
}

#[test]
fn states_in_which_a_command_makes_no_sense() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], ""))]).ok();
    let refused = |arguments: &[&str], complaint: &str| {
        let said = virsh(arguments).failure();
        assert!(said.contains(complaint), "{arguments:?}: '{complaint}' is not in {said}");
    };
    refused(&["destroy", "box"], "Requested operation is not valid: domain is not running");
    refused(&["shutdown", "box"], "Requested operation is not valid: domain is not running");
    refused(&["suspend", "box"], "Requested operation is not valid: domain is not running");
    refused(&["start", "nope"], "failed to get domain 'nope'");
    virsh(&["start", "box"]).ok();
    refused(&["start", "box"], "Domain is already active");
    refused(&["resume", "box"], "domain is already running");
    virsh(&["undefine", "box"]).ok();
    // Running on, now transient.
    assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "running");
    virsh(&["destroy", "box"]).ok();
    refused(&["domstate", "box"], "failed to get domain 'box'");
}
