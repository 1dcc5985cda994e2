//! What must hold on every layout of cgroups: version 1 alone, version 2 alone, both.

mod groups;
mod nesting;
mod tuning;
mod view;

use crate::guest::Guest;
use crate::leftovers::Leftovers;
use linux::cgroup::{Controller, Hierarchies, Version};
use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{PATIENCE, eventually, shell};
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
    let hierarchies = Hierarchies::detect(Path::new("/proc")).unwrap();
    for line in memberships.lines() {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) =
            (fields.next(), fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        // Version 1's pids and named hierarchies are a matter of taste.
        let used = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio"];
        // A hierarchy of the machine that this layout does not show is not ours to use.
        let shown = hierarchies.all.iter().any(|one| {
            one.version == Version::One
                && one.controllers.iter().any(|has| controllers.split(',').any(|word| word == has.name()))
        });
        if shown && controllers.split(',').any(|controller| used.contains(&controller)) {
            assert!(path.ends_with(&name), "{line}");
        }
    }
    // In version 2 the container has a part of its own below its limits: it could not divide a group with the controller in it.
    let own =
        |line: &str| line.ends_with(&name) || line.starts_with("0::") && line.ends_with(&format!("{name}/container"));
    assert!(memberships.lines().any(own), "{memberships}");
    // Where the memory controller is at hand at all.
    if let Some(hierarchy) = hierarchies.of(Controller::Memory) {
        let file = if hierarchy.version == Version::One { "memory.limit_in_bytes" } else { "memory.max" };
        let path = hierarchy.mounted_at.join(name.trim_start_matches('/')).join(file);
        assert_eq!(fs::read_to_string(path).unwrap(), "67108864\n");
    }
    assert!(guest.shell("dd if=/dev/zero of=/dev/null count=1").code == 0);
    virsh(&["destroy", "box"]).ok();
    before.assert_none_since();
}

/// As Alpine has it: busybox as init, its table, a shutdown in order.
#[test]
fn a_busybox_with_an_init_of_its_own_boots_and_ends() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new("/opt/box"), "").unwrap();
    let table = "::sysinit:/bin/sh -c 'mount -o remount,rw / 2>/dev/null; hostname > /booted'\n\
                 ::respawn:/bin/sleep 1000\n::shutdown:/bin/sh -c 'echo down > /ended'\n";
    fs::write("/opt/box/etc/inittab", table).unwrap();
    let before = Leftovers::now();
    virsh(&["define", &file("box.xml", &domain("box", "/opt/box", &["/bin/init"], ""))]).ok();
    virsh(&["start", "box"]).ok();
    let booted = || fs::read_to_string("/opt/box/booted").ok().filter(|text| text.ends_with('\n'));
    assert_eq!(eventually("it has booted", PATIENCE, booted), "box\n");
    let guest = Guest::of("box");
    eventually("it serves", PATIENCE, || guest.shell("ps").out.contains("sleep 1000").then_some(()));
    // What it asks for may end it first, by SIGTERM.
    let asked = guest.shell("poweroff");
    assert!([0, 128 + 15].contains(&asked.code), "{asked}");
    eventually("it has ended by itself", PATIENCE, || {
        (virsh(&["domstate", "--reason", "box"]).ok().trim() == "shut off (shutdown)").then_some(())
    });
    assert_eq!(fs::read_to_string("/opt/box/ended").unwrap(), "down\n");
    before.assert_none_since();
}

/// Nothing in it is large by then: its controller, which is in its groups, would be the largest.
#[test]
fn a_container_that_fills_its_memory_takes_no_controller_along() {
    const SYS_RESOURCE: u32 = 24;
    sandbox::require();
    let _daemon = Daemon::start();
    let fill = "read go < /go; mount -t tmpfs none /mnt; i=0; while :; do : > /mnt/$i; i=$((i+1)); done";
    image::busybox(Path::new("/opt/box"), fill).unwrap();
    shell("mkfifo /opt/box/go").ok();
    let document = domain("box", "/opt/box", &["/init"], "");
    virsh(&["define", &file("box.xml", &document.replace("<os>", "<on_crash>destroy</on_crash><os>"))]).ok();
    virsh(&["start", "box"]).ok();
    let guest = Guest::of("box");
    let score = |process: u32| fs::read_to_string(format!("/proc/{process}/oom_score_adj")).unwrap();
    assert_eq!(score(guest.init), score(std::process::id()));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let held = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    if u64::from_str_radix(held.trim(), 16).unwrap() & 1 << SYS_RESOURCE == 0 {
        // Only who may take resources can be spared by the kernel: it is said.
        let log = fs::read_to_string("/var/log/libvirt/lxc/box.log").unwrap();
        assert!(log.contains("a container without memory may lose its controller"), "{log}");
        return;
    }
    assert_eq!(score(guest.controller), "-999\n");
    fs::write("/opt/box/go", "go\n").unwrap();
    let ended = || Some(virsh(&["domstate", "--reason", "box"]).ok()).filter(|state| state.starts_with("shut off"));
    assert_eq!(eventually("it has ended", PATIENCE, ended).trim(), "shut off (crashed)");
}
