//! The library's control groups on the real kernel.

use linux::cgroup::{Controller, DeviceRule, Error, Group, Hierarchies, Limits, Place};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tests::program::{PATIENCE, ended_within, eventually};
use tests::sandbox;

const PROC: &str = "/proc";

fn created(domain: &str) -> Group {
    sandbox::require();
    let place = place(domain);
    let (group, notes) = Group::create(&Hierarchies::detect(Path::new(PROC)).unwrap(), &place).unwrap();
    println!("{notes:#?}");
    group
}

fn place(domain: &str) -> Place {
    Place { partition: "/machine".into(), id: i32::try_from(std::process::id()).unwrap(), domain: domain.into() }
}

/// A shell in the group that waits for lines to run.
fn shell(group: &Group) -> Child {
    let child = Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    group.attach(pid(&child)).unwrap();
    child
}

fn pid(child: &Child) -> i32 {
    i32::try_from(child.id()).unwrap()
}

/// The exit status of a line of shell in a group.
fn status(group: &Group, line: &str) -> Option<i32> {
    let mut child = shell(group);
    writeln!(child.stdin.take().unwrap(), "{line}").unwrap();
    child.wait().unwrap().code()
}

#[test]
fn a_group_is_made_found_and_removed_with_what_is_in_it() {
    let group = created("made");
    let mut child = shell(&group);
    assert!(group.processes().unwrap().contains(&pid(&child)));
    // As a container's own init would.
    let folders: Vec<_> = group.folders().map(|(_, folder)| folder).collect();
    for folder in &folders {
        fs::create_dir_all(folder.join("a/b")).unwrap();
    }
    group.join().unwrap();
    let hierarchies = Hierarchies::detect(Path::new(PROC)).unwrap();
    let us = i32::try_from(std::process::id()).unwrap();
    assert_eq!(Group::detect(&hierarchies, Path::new(PROC), us, "made").unwrap(), group);
    let error = Group::detect(&hierarchies, Path::new(PROC), us, "other").unwrap_err();
    assert!(error.to_string().starts_with("No valid cgroup for machine lxc-"), "{error}");
    assert_eq!(Group::named(&hierarchies, &place("made")), group);

    // Out again, for a group with a process in it stays.
    for hierarchy in &hierarchies.all {
        let top = hierarchy.mounted_at.join("sandbox");
        let top = if top.exists() { top } else { hierarchy.mounted_at.clone() };
        fs::write(top.join("cgroup.procs"), "0").unwrap();
    }
    group.kill(us).unwrap();
    assert!(ended_within(child.id(), PATIENCE));
    child.wait().unwrap();
    group.remove().unwrap();
    assert!(!group.exists());
    group.remove().unwrap();
}

#[test]
fn what_a_controller_of_the_same_number_left_behind_is_no_hindrance() {
    let left = created("left");
    for (_, folder) in left.folders() {
        fs::create_dir_all(folder.join("below")).unwrap();
    }
    let group = created("left");
    assert!(group.folders().all(|(_, folder)| folder.exists() && !folder.join("below").exists()));
    group.remove().unwrap();
}

#[test]
fn processes_are_frozen_and_killed() {
    let group = created("frozen");
    let mut child = shell(&group);
    assert!(!group.is_frozen().unwrap());
    group.freeze().unwrap();
    assert!(group.is_frozen().unwrap());
    writeln!(child.stdin.as_mut().unwrap(), "exit 3").unwrap();
    assert!(child.try_wait().unwrap().is_none());
    group.thaw().unwrap();
    assert!(!group.is_frozen().unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(3));

    let mut frozen = shell(&group);
    group.freeze().unwrap();
    group.kill(0).unwrap();
    _ = group.thaw();
    assert_eq!(frozen.wait().unwrap().code(), None);
    group.remove().unwrap();
}

#[test]
fn only_devices_that_are_allowed_open() {
    let group = created("devices");
    assert_eq!(status(&group, "exec 3</dev/kmsg"), Some(0));
    group.allow_only(&DeviceRule::CUSTOMARY).unwrap();
    let all = "exec 3</dev/null && exec 4>/dev/zero && exec 3</dev/urandom && exit 5";
    assert_eq!(status(&group, all), Some(5));
    assert_ne!(status(&group, "exec 3</dev/kmsg"), Some(0));
    let kmsg = DeviceRule::character(1, 11);
    group.allow_device(&kmsg).unwrap();
    assert_eq!(status(&group, "exec 3</dev/kmsg"), Some(0));
    group.deny_device(&kmsg).unwrap();
    assert_ne!(status(&group, "exec 3</dev/kmsg"), Some(0));
    group.allow_only(&[DeviceRule::character(1, 5)]).unwrap();
    assert_ne!(status(&group, "exec 3</dev/null"), Some(0));
    group.remove().unwrap();
}

#[test]
fn limits_are_set_and_read_back() {
    let group = created("limits");
    let hierarchies = Hierarchies::detect(Path::new(PROC)).unwrap();
    let has = |controller| hierarchies.of(controller).is_some();
    let notes = group.limit(&Limits { memory: Some(64 << 20), ..Limits::default() }).unwrap();
    assert_eq!(notes.is_empty(), has(Controller::Memory), "{notes:?}");
    if has(Controller::Memory) {
        assert_eq!(group.memory_limit().unwrap(), 64 << 20);
        group.set_memory(128 << 20, Some(256 << 20)).unwrap();
        group.set_memory(32 << 20, Some(32 << 20)).unwrap();
        assert_eq!((group.memory_limit().unwrap(), group.memory_and_swap().unwrap()), (32 << 20, 32 << 20));
        group.set_memory_soft(16 << 20).unwrap();
        assert_eq!(group.memory_soft().unwrap(), 16 << 20);
        assert!(group.memory().unwrap().used < 32 << 20);
        assert_eq!(group.out_of_memory_kills().unwrap(), 0);
    } else {
        let explicit = Limits { memory_hard: Some(64 << 20), ..Limits::default() };
        let error = group.limit(&explicit).unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
    }
    if has(Controller::Cpu) {
        group.set_cpu_shares(2048).unwrap();
        assert_eq!(group.cpu_shares().unwrap(), 2048);
        group.set_cpu_bandwidth(Some(200_000), Some(40_000)).unwrap();
        assert_eq!(group.cpu_bandwidth().unwrap(), (200_000, 40_000));
        group.set_cpu_bandwidth(None, Some(-1)).unwrap();
        assert_eq!(group.cpu_bandwidth().unwrap(), (200_000, -1));
    }
    if has(Controller::Cpuset) {
        group.set_cpus("0").unwrap();
        assert_eq!(group.cpus().unwrap(), "0");
    }
    if has(Controller::Pids) {
        group.limit(&Limits { processes: Some(50), ..Limits::default() }).unwrap();
    }
    let mut child = shell(&group);
    writeln!(child.stdin.as_mut().unwrap(), "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done").unwrap();
    eventually("time is counted", PATIENCE, || (group.cpu_total().unwrap() > 10_000_000).then_some(()));
    assert!(group.cpu_time().unwrap().total > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    group.remove().unwrap();
}

#[test]
fn a_partition_of_ones_own_must_be_there() {
    sandbox::require();
    let hierarchies = Hierarchies::detect(Path::new(PROC)).unwrap();
    let mut place = place("partition");
    place.partition = "/machine/own".into();
    let version_one = hierarchies.all.iter().any(|one| one.version == linux::cgroup::Version::One);
    let result = Group::create(&hierarchies, &place);
    match version_one {
        true => {
            let error = result.unwrap_err().to_string();
            assert!(error.starts_with("Failed to create v1 controller "), "{error}");
        }
        false => result.unwrap().0.remove().unwrap(),
    }
    place.partition = "relative".into();
    let error = Group::create(&hierarchies, &place).unwrap_err().to_string();
    assert_eq!(error, "Resource partition 'relative' must start with '/'");
}
