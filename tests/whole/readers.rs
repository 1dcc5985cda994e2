//! Who may only read: everything that changes something is refused, whatever its arguments, and nothing that may be asked
//! harms the daemon.

use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::sandbox;

#[test]
fn readers_change_nothing() {
    sandbox::require();
    let daemon = Daemon::start();
    image::busybox(Path::new("/opt/box"), "exec sleep 1000").unwrap();
    let document = file("box.xml", &domain("box", "/opt/box", &["/init"], ""));
    let config = file("config", "lxc.uts.name = x\nlxc.rootfs.path = /etc\n");
    virsh(&["define", &document]).ok();
    let refused: [&[&str]; 12] = [
        &["define", &document],
        // A document is not even read: this one would be refused otherwise.
        &["create", "/dev/null"],
        &["start", "box"],
        &["destroy", "box"],
        &["shutdown", "box"],
        &["undefine", "box"],
        &["autostart", "box"],
        &["memtune", "box", "--hard-limit", "1000"],
        &["dumpxml", "--security-info", "box"],
        &["domxml-from-native", "lxc-tools", &config],
        &["net-destroy", "default"],
        &["net-undefine", "default"],
    ];
    for running in [false, true] {
        // Of a domain that runs, the client itself says that it does.
        for command in refused.iter().filter(|command| !(running && command.first() == Some(&"start"))) {
            let said = virsh(&[&["-r"], *command].concat()).failure();
            assert!(said.contains("error: operation forbidden: "), "{command:?}: {said}");
        }
        // What may be asked, of a domain that is off and of one that runs.
        for question in
            ["memtune", "blkiotune", "schedinfo", "dommemstat", "dominfo", "dumpxml", "domstate", "domiflist"]
        {
            _ = virsh(&["-r", question, "box"]);
            assert!(daemon.is_alive(), "{question}");
        }
        assert_eq!(virsh(&["-r", "list", "--all", "--name"]).ok(), "box\n\n");
        if !running {
            virsh(&["start", "box"]).ok();
        }
    }
    virsh(&["destroy", "box"]).ok();
}
