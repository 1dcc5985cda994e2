//! What must hold on every layout of cgroups: version 1 alone, version 2 alone, both.

mod groups;

use crate::guest::Guest;
use crate::leftovers::Leftovers;
use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::sandbox;

#[test]
fn a_container_is_in_cgroups_of_its_own_and_they_go_with_it() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new("/opt/box"), "exec sleep 1000").unwrap();
    let before = Leftovers::now();
    virsh(&["define", &file("box.xml", &domain("box", "/opt/box", &["/init"], ""))]).ok();
    virsh(&["start", "box"]).ok();
    let guest = Guest::of("box");
    let name = format!("/machine/lxc-{}-box.libvirt-lxc", guest.controller);
    let memberships = guest.proc("cgroup");
    for line in memberships.lines() {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) =
            (fields.next(), fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        // Version 1's pids and named hierarchies are a matter of taste.
        let used = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio"];
        // A hierarchy of the machine that this layout does not show is not ours to use.
        let shown = Path::new("/sys/fs/cgroup").join(controllers).exists();
        if shown && controllers.split(',').any(|controller| used.contains(&controller)) {
            assert!(path.ends_with(&name), "{line}");
        }
    }
    // In version 2 the container has a part of its own below its limits: it could not divide a group with the controller in it.
    let own =
        |line: &str| line.ends_with(&name) || line.starts_with("0::") && line.ends_with(&format!("{name}/container"));
    assert!(memberships.lines().any(own), "{memberships}");
    let limit = |file: &str| fs::read_to_string(file).ok().map(|text| text.trim().to_string());
    let limits = [
        limit(&format!("/sys/fs/cgroup/memory{name}/memory.limit_in_bytes")),
        limit(&format!("/sys/fs/cgroup{name}/memory.max")),
    ];
    // Where the memory controller is at hand at all.
    let controlled = Path::new("/sys/fs/cgroup/memory").exists()
        || fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").is_ok_and(|list| list.contains("memory"));
    assert_eq!(limits.iter().flatten().any(|limit| limit == "67108864"), controlled, "{limits:?}");
    assert!(guest.shell("dd if=/dev/zero of=/dev/null count=1").code == 0);
    virsh(&["destroy", "box"]).ok();
    before.assert_none_since();
}
