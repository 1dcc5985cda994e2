//! The administrator's scripts: called when libvirt calls them, with what it gives them, and obeyed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::{domain, interface};
use tests::image;
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
