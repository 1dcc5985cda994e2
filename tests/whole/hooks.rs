//! The administrator's scripts: called when libvirt calls them, with what it gives them, and obeyed.

use crate::guest::Guest;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::{domain, interface};
use tests::image;
use tests::program::{self, PATIENCE, eventually, kill, ours};
use tests::sandbox;

const ROOT: &str = "/opt/box";
const CALLS: &str = "/tmp/calls";

fn install(name: &str, body: &str) {
    let path = Path::new("/etc/libvirt/hooks").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\necho \"${{0##*/}} $*\" >> {CALLS}\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn calls() -> String {
    let calls = fs::read_to_string(CALLS).unwrap_or_default();
    fs::write(CALLS, "").unwrap();
    calls
}

#[test]
fn scripts_are_called_and_obeyed() {
    sandbox::require();
    install("daemon", "");
    install("network", "grep -q '<hookData>' || echo no document >> /tmp/calls");
    install("lxc", "cat > /tmp/document.$2; [ \"$1 $2\" != 'bad prepare' ] || { echo no way >&2; exit 3; }");
    install("lxc.d/later", "");
    let daemon = Daemon::start();
    assert_eq!(calls(), "daemon - start - start\nnetwork default start begin -\nnetwork default started begin -\n");

    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    for name in ["box", "bad"] {
        let xml = domain(name, ROOT, &["/init"], &interface("default"));
        virsh(&["define", &file(&format!("{name}.xml"), &xml)]).ok();
    }
    virsh(&["start", "box"]).ok();
    let on_lxc = |calls: &str| -> Vec<String> {
        calls.lines().filter(|line| line.starts_with("lxc ")).map(str::to_string).collect()
    };
    let all = calls();
    assert_eq!(on_lxc(&all), ["prepare", "start", "started"].map(|operation| format!("lxc box {operation} begin -")));
    assert!(all.contains("lxc box prepare begin -\nlater box prepare begin -\n"), "{all}");
    assert!(all.contains("network default port-created begin -\n"), "{all}");
    assert!(fs::read_to_string("/tmp/document.started").unwrap().contains("<name>box</name>"));
    virsh(&["destroy", "box"]).ok();
    assert_eq!(on_lxc(&calls()), ["stopped", "release"].map(|operation| format!("lxc box {operation} end -")));

    let refused = virsh(&["start", "bad"]);
    assert_eq!(refused.code, 1);
    let words = "error: Hook script execution failed: internal error: Child process (LC_ALL=C ";
    assert!(refused.err.contains(words), "{}", refused.err);
    assert!(
        refused.err.contains("/hooks/lxc bad prepare begin -) unexpected exit status 3: no way"),
        "{}",
        refused.err
    );
    let expected = ["lxc bad prepare begin -", "lxc bad stopped end -", "lxc bad release end -"];
    assert_eq!(on_lxc(&calls()), expected);
    assert_eq!(virsh(&["domstate", "bad"]).ok().trim(), "shut off");

    drop(daemon);
    assert!(calls().ends_with("daemon - shutdown - shutdown\n"));
}

/// Longer than anybody waits for another's work on a domain.
#[test]
fn an_end_is_noticed_after_work_that_takes_long() {
    sandbox::require();
    let waits = "[ \"$2\" = port-created ] && [ -e /tmp/slow ] || exit 0
touch /tmp/held; until [ -e /tmp/go-on ]; do sleep 0.1; done";
    install("network", waits);
    let daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], &interface("default")))]).ok();
    virsh(&["start", "box"]).ok();
    let guest = Guest::of("box");
    fs::write("/tmp/slow", "").unwrap();
    let attached = std::thread::spawn(|| {
        let mut command = Command::new(ours("virsh"));
        command.args(["attach-interface", "box", "network", "default", "--live"]);
        program::finish(command, b"", 3 * PATIENCE)
    });
    eventually("the script holds it up", PATIENCE, || Path::new("/tmp/held").exists().then_some(()));
    kill(guest.init, Signal::KILL);
    eventually("it is put off", 2 * PATIENCE, || daemon.log().contains("is handled later").then_some(()));
    fs::write("/tmp/go-on", "").unwrap();
    eventually("it is noticed", PATIENCE, || {
        (virsh(&["domstate", "--reason", "box"]).ok().trim() == "shut off (crashed)").then_some(())
    });
    assert_ne!(attached.join().unwrap().code, 0, "an interface was given to nobody");
    eventually("its links are gone", PATIENCE, || {
        let links = fs::read_dir("/sys/class/net").unwrap().flatten();
        (!links.into_iter().any(|link| link.file_name().to_string_lossy().starts_with("vnet"))).then_some(())
    });
}
