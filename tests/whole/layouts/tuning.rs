//! Limits of a document, at the start and while the container runs. What the machine has no controller for is refused by name.

use crate::container::{before_devices, ours_too};
use crate::guest::Guest;
use linux::cgroup::{Controller, Group, Hierarchies, Version};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{PATIENCE, ended_within, eventually};
use tests::sandbox;

const ROOT: &str = "/opt/box";
const MIB: u64 = 1 << 20;

fn group(guest: &Guest) -> Group {
    let hierarchies = Hierarchies::detect(Path::new("/proc")).unwrap();
    let id = i32::try_from(guest.controller).unwrap();
    Group::detect(&hierarchies, Path::new("/proc"), id, &guest.name).unwrap()
}

#[track_caller]
fn start(document: &str) -> (Guest, Group) {
    virsh(&["define", &file("box.xml", document)]).ok();
    virsh(&["start", "box"]).ok();
    let guest = Guest::of("box");
    let group = group(&guest);
    (guest, group)
}

fn gone() {
    virsh(&["destroy", "box"]).ok();
    virsh(&["undefine", "box"]).ok();
}

#[track_caller]
fn refused(more: &str, complaint: &str) {
    let document = before_devices(domain("box", ROOT, &["/init"], ""), more);
    virsh(&["define", &file("box.xml", &document)]).ok();
    let said = virsh(&["start", "box"]).failure();
    assert!(said.contains(complaint), "'{complaint}' is not in {said}");
    virsh(&["undefine", "box"]).ok();
}

/// The folder whose files hold the container's limits, of the hierarchy that has this file.
fn holding(group: &Group, name: &str) -> Option<PathBuf> {
    group.folders().flat_map(|(_, folder)| [folder.parent().map(Path::to_path_buf), Some(folder)]).flatten().find(
        |folder| {
            folder.join(name).exists() && folder.file_name().is_some_and(|name| name.to_string_lossy().contains("box"))
        },
    )
}

#[test]
fn memory() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    let tune = "<memtune><hard_limit unit='MiB'>48</hard_limit><soft_limit unit='MiB'>32</soft_limit></memtune>";
    let plain = domain("box", ROOT, &["/init"], "");
    let (_, without) = start(&plain);
    let (has, has_swap) = (without.has(Controller::Memory), without.memory_and_swap().is_ok());
    gone();
    if !has {
        refused(tune, "Unable to find 'memory' cgroups controller mount");
        return;
    }
    let (_, limited) = start(&before_devices(plain.clone(), tune));
    assert_eq!((limited.memory_limit().unwrap(), limited.memory_soft().unwrap()), (48 * MIB, 32 * MIB));
    virsh(&["memtune", "box", "--hard-limit", "40960", "--soft-limit", "20480", "--live"]).ok();
    assert_eq!((limited.memory_limit().unwrap(), limited.memory_soft().unwrap()), (40 * MIB, 20 * MIB));
    assert!(virsh(&["memtune", "box", "--live"]).ok().contains("hard_limit     : 40960"));
    virsh(&["setmem", "box", "30720", "--live"]).ok();
    assert_eq!(limited.memory_limit().unwrap(), 30 * MIB);
    gone();
    let swap =
        "<memtune><hard_limit unit='MiB'>48</hard_limit><swap_hard_limit unit='MiB'>96</swap_hard_limit></memtune>";
    if has_swap {
        let (_, limited) = start(&before_devices(plain, swap));
        assert_eq!((limited.memory_limit().unwrap(), limited.memory_and_swap().unwrap()), (48 * MIB, 96 * MIB));
        virsh(&["memtune", "box", "--swap-hard-limit", "131072", "--live"]).ok();
        assert_eq!(limited.memory_and_swap().unwrap(), 128 * MIB);
        gone();
    } else {
        refused(swap, "memory.");
    }
}

#[test]
fn processors() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    let plain = domain("box", ROOT, &["/init"], "");
    let (_, without) = start(&plain);
    let (has_time, has_set) = (without.has(Controller::Cpu), without.has(Controller::Cpuset));
    gone();
    let time = "<cputune><shares>2048</shares><period>100000</period><quota>50000</quota></cputune>";
    if has_time {
        let (_, limited) = start(&before_devices(plain.clone(), time));
        assert_eq!((limited.cpu_shares().unwrap(), limited.cpu_bandwidth().unwrap()), (2048, (100_000, 50_000)));
        for (name, value) in [("cpu_shares", "512"), ("vcpu_period", "200000"), ("vcpu_quota", "-1")] {
            virsh(&["schedinfo", "box", "--set", &format!("{name}={value}"), "--live"]).ok();
        }
        assert_eq!((limited.cpu_shares().unwrap(), limited.cpu_bandwidth().unwrap()), (512, (200_000, -1)));
        gone();
    } else {
        refused(time, "Unable to find 'cpu' cgroups controller mount");
    }
    let set = "<vcpu cpuset='0'>1</vcpu><numatune><memory mode='strict' nodeset='0'/></numatune>";
    if has_set {
        let (guest, limited) = start(&before_devices(plain, set));
        assert_eq!(limited.cpus().unwrap(), "0");
        assert!(guest.proc("status").contains("Cpus_allowed_list:\t0\n"));
        let nodes = ["cpuset.mems", "cpuset.cpus"]
            .map(|name| fs::read_to_string(holding(&limited, name).unwrap().join(name)).unwrap().trim().to_string());
        assert_eq!(nodes, ["0", "0"]);
        gone();
    } else {
        refused(set, "Unable to find 'cpuset' cgroups controller mount");
    }
}

#[test]
fn disks() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    let plain = domain("box", ROOT, &["/init"], "");
    let (_, without) = start(&plain);
    let (has, weight) = (without.has(Controller::Blkio), without.block_weight().ok().flatten());
    gone();
    let disks = fs::read_dir("/sys/block").unwrap().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let number = fs::read_to_string(entry.path().join("dev")).ok()?.trim().to_string();
        Path::new("/dev").join(&name).exists().then_some((name, number))
    });
    // Best one that other tests do not make and take away.
    let disk = disks.min_by_key(|(name, _)| (name.starts_with("loop"), name.clone()));
    let (name, number) = disk.expect("a machine has a disk");
    let each = format!(
        "<blkiotune><device><path>/dev/{name}</path><read_bytes_sec>1048576</read_bytes_sec>\
         <write_iops_sec>100</write_iops_sec></device></blkiotune>"
    );
    if !has {
        refused(&each, "Unable to find 'blkio' cgroups controller mount");
        refused("<blkiotune><weight>500</weight></blkiotune>", "Unable to find 'blkio' cgroups controller mount");
        return;
    }
    let (_, limited) = start(&before_devices(plain.clone(), &each));
    let of = |old: &str, key: &str| {
        let name = if holding(&limited, old).is_some() { old } else { "io.max" };
        let text = fs::read_to_string(holding(&limited, name).unwrap().join(name)).unwrap();
        let line =
            text.lines().find_map(|line| line.strip_prefix(&format!("{number} "))).unwrap_or_default().to_string();
        let words = line.split(' ').find_map(|word| word.strip_prefix(&format!("{key}="))).unwrap_or(&line).to_string();
        words
    };
    assert_eq!(of("blkio.throttle.read_bps_device", "rbps"), "1048576");
    assert_eq!(of("blkio.throttle.write_iops_device", "wiops"), "100");
    virsh(&["blkiotune", "box", "--device-read-bytes-sec", &format!("/dev/{name},2097152"), "--live"]).ok();
    assert_eq!(of("blkio.throttle.read_bps_device", "rbps"), "2097152");
    gone();
    match weight {
        None => refused("<blkiotune><weight>500</weight></blkiotune>", "no weights for disks"),
        Some(_) => {
            let (_, limited) = start(&before_devices(plain, "<blkiotune><weight>500</weight></blkiotune>"));
            assert_eq!(limited.block_weight().unwrap(), Some(500));
            virsh(&["blkiotune", "box", "--weight", "300", "--live"]).ok();
            assert_eq!(limited.block_weight().unwrap(), Some(300));
            gone();
        }
    }
}

#[test]
fn the_number_of_processes() {
    sandbox::require();
    let _daemon = Daemon::start();
    // A fork that fails ends the shell that asked for it, so it is not init.
    let bomb = "(i=0; while [ $i -lt 60 ]; do sleep 1000 & i=$((i+1)); done)\nexec sleep 1000";
    image::busybox(Path::new(ROOT), bomb).unwrap();
    let document = ours_too(domain("box", ROOT, &["/init"], ""), "<virtlxc:pids max='20'/>");
    let hierarchies = Hierarchies::detect(Path::new("/proc")).unwrap();
    virsh(&["define", &file("box.xml", &document)]).ok();
    if hierarchies.of(Controller::Pids).is_none() {
        let said = virsh(&["start", "box"]).failure();
        assert!(said.contains("Unable to find 'pids' cgroups controller mount"), "{said}");
        return;
    }
    virsh(&["start", "box"]).ok();
    let group = group(&Guest::of("box"));
    // Older kernels count it where the fork was, newer ones where the limit is.
    let counts = |folder: &Path| {
        let text = fs::read_to_string(folder.join("pids.events")).unwrap_or_default();
        text.lines().any(|line| line.starts_with("max ") && line != "max 0")
    };
    eventually("the kernel has refused a fork", PATIENCE, || {
        let mut folders = group.folders().map(|(_, folder)| folder);
        folders.any(|folder| counts(&folder) || folder.parent().is_some_and(counts)).then_some(())
    });
    let count = group.processes().unwrap().len();
    assert!((10..=20).contains(&count), "{count}");
    gone();
}

#[test]
fn stopped_and_let_go() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "while :; do echo x >> /count; sleep 0.05; done").unwrap();
    let (guest, group) = start(&domain("box", ROOT, &["/init"], ""));
    let count = || fs::metadata("/opt/box/count").map_or(0, |found| found.len());
    eventually("it counts", PATIENCE, || (count() > 0).then_some(()));
    virsh(&["suspend", "box"]).ok();
    assert!(group.is_frozen().unwrap());
    assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "paused");
    let before = count();
    // Long enough for it to count, if it could: the test cannot fail for being slow.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(count(), before);
    virsh(&["resume", "box"]).ok();
    eventually("it counts again", PATIENCE, || (count() > before).then_some(()));
    virsh(&["suspend", "box"]).ok();
    gone();
    assert!(ended_within(guest.init, Duration::ZERO), "its init lives");
}

/// Version 2 counts the time of all processors together, and says how long each of them was busy to nobody.
#[test]
fn processor_time() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    start(&domain("box", ROOT, &["/init"], ""));
    let total = virsh(&["cpu-stats", "box", "--total"]).ok();
    let named = |name: &str| total.lines().any(|line| line.split_whitespace().next() == Some(name));
    assert!(["Total:", "cpu_time", "user_time", "system_time"].into_iter().all(named), "{total}");
    let each = virsh(&["cpu-stats", "box", "--start", "0", "--count", "1"]);
    let hierarchies = Hierarchies::detect(Path::new("/proc")).unwrap();
    match hierarchies.of(Controller::Cpuacct).map(|hierarchy| hierarchy.version) {
        Some(Version::One) => assert!(each.clone().ok().starts_with("CPU0:\n\tcpu_time "), "{each}"),
        _ => {
            let said = each.failure();
            let words = "version 2 of control groups does not count the time on each processor; ask for the total";
            assert!(said.contains(words), "{said}");
        }
    }
    gone();
}
