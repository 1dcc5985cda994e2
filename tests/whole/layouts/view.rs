//! What the container sees of memory, processors and time, by the files that every program reads.

use crate::container::before_devices;
use crate::guest::Guest;
use linux::cgroup::{Controller, Hierarchies};
use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{PATIENCE, eventually, shell};
use tests::sandbox;

const ROOT: &str = "/opt/box";
const FILES: [&str; 7] = [
    "/proc/meminfo",
    "/proc/cpuinfo",
    "/proc/stat",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/swaps",
    "/sys/devices/system/cpu/online",
];

#[track_caller]
fn running(more: &str) -> Guest {
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    fs::write("/opt/box/etc/passwd", "root:x:0:0::/:/bin/sh\ntester:x:1000:1000::/:/bin/sh\n").unwrap();
    shell("chmod 755 /opt/box").ok();
    virsh(&["define", &file("box.xml", &before_devices(domain("box", ROOT, &["/init"], ""), more))]).ok();
    virsh(&["start", "box"]).ok();
    Guest::of("box")
}

fn has(controller: Controller) -> bool {
    Hierarchies::detect(Path::new("/proc")).unwrap().of(controller).is_some()
}

#[test]
fn memory_processors_and_time_are_its_own() {
    sandbox::require();
    let _daemon = Daemon::start();
    let set = if has(Controller::Cpuset) { "<vcpu cpuset='0'>1</vcpu>" } else { "" };
    let guest = running(set);
    let total = || guest.shell("grep MemTotal: /proc/meminfo").ok().split_whitespace().nth(1).unwrap().to_string();
    assert_eq!(total(), "65536");
    if has(Controller::Memory) {
        virsh(&["memtune", "box", "--hard-limit", "40960", "--live"]).ok();
        assert_eq!(total(), "40960");
    }
    if has(Controller::Cpuset) {
        assert_eq!(guest.shell("grep -c ^processor /proc/cpuinfo").ok(), "1\n");
        assert_eq!(guest.shell("grep -c '^cpu[0-9]' /proc/stat").ok(), "1\n");
        assert_eq!(guest.shell("cat /sys/devices/system/cpu/online").ok(), "0\n");
    }
    let uptime = |text: String| text.split(['.', ' ']).next().unwrap().parse::<u64>().unwrap();
    let (inside, outside) = (guest.shell("cat /proc/uptime").ok(), fs::read_to_string("/proc/uptime").unwrap());
    assert!(uptime(inside.clone()) < 120 && uptime(inside.clone()) < uptime(outside), "{inside}");
    assert!(guest.shell("grep btime /proc/stat").ok() != shell("grep btime /proc/stat").ok());
    assert_eq!(guest.shell("cat /proc/loadavg").ok().split_whitespace().count(), 5);
    assert!(guest.shell("cat /proc/swaps").ok().starts_with("Filename"));
    virsh(&["destroy", "box"]).ok();
}

#[test]
fn its_files_are_everybodys_and_can_be_read_from_any_place() {
    sandbox::require();
    let _daemon = Daemon::start();
    let guest = running("");
    for path in FILES {
        let whole = guest.shell(&format!("su tester -c 'cat {path}'")).ok();
        assert!(!whole.is_empty(), "{path}");
        assert_ne!(guest.shell(&format!("echo x > {path}")).code, 0, "{path}");
    }
    // Byte by byte, and from the middle on: the text of one opening stays the same.
    let whole = guest.shell("cat /proc/swaps").ok();
    assert_eq!(guest.shell("dd if=/proc/swaps bs=1 2>/dev/null").ok(), whole);
    assert_eq!(guest.shell("dd if=/proc/swaps bs=1 skip=5 2>/dev/null").ok(), whole[5..]);
    let list = guest.shell("dd if=/proc/cpuinfo bs=7 skip=1 count=1 2>/dev/null").ok();
    assert_eq!(list.len(), 7);
    virsh(&["destroy", "box"]).ok();
}

#[test]
fn a_container_lives_on_without_them() {
    sandbox::require();
    let _daemon = Daemon::start();
    let guest = running("");
    // fusectl(5): what a file system of FUSE is called there is the minor number of its device.
    let device = guest.shell("stat -c %d /proc/meminfo").ok();
    let device: u64 = device.trim().parse().unwrap();
    let minor = device & 0xff | (device >> 12) & 0xfff00;
    shell("mkdir -p /opt/control && mount -t fusectl control /opt/control").ok();
    fs::write(format!("/opt/control/{minor}/abort"), "1").unwrap();
    let said = guest.shell("cat /proc/meminfo");
    assert_ne!(said.code, 0, "{said}");
    assert_eq!(guest.shell("cat /proc/version > /dev/null; echo alive").ok(), "alive\n");
    assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "running");
    eventually("the log says so", PATIENCE, || {
        fs::read_to_string("/var/log/libvirt/lxc/box.log").ok().filter(|log| log.contains("container's view"))
    });
    // The controller serves on: the end of init is still noticed.
    guest.shell("kill -9 1; true");
    virsh(&["destroy", "box"]).ok();
    assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "shut off");
}
