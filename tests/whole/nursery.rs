//! After the first start controllers are copied from a process that is loaded: each copy is a controller like any other.

use crate::guest::Guest;
use crate::leftovers::Leftovers;
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{self, PATIENCE, eventually};
use tests::sandbox;

const ROOT: &str = "/opt/box";

fn define() {
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], ""))]).ok();
}

fn words(pid: u32) -> Vec<String> {
    let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split_terminator('\0').map(str::to_string).collect()
}

/// Parent and session.
fn family(pid: u32) -> (u32, u32) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<u32> =
        stat.rsplit_once(") ").unwrap().1.split(' ').map(|field| field.parse().unwrap_or(0)).collect();
    (fields[1], fields[3])
}

fn nurseries() -> Vec<u32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| words(*pid).iter().any(|word| word == "--nursery")).collect()
}

/// The one there is, but for `other`.
pub fn nursery(other: Option<u32>) -> u32 {
    eventually("there is one process to copy controllers from", PATIENCE, || match nurseries().as_slice() {
        [one] if Some(*one) != other => Some(*one),
        _ => None,
    })
}

/// What is told of a controller that does not depend on its number: its words, whose numbers of descriptors may differ, its
/// parent, whether it leads its session, its name, and what its descriptors are.
fn portrait(guest: &Guest) -> (Vec<String>, u32, bool, String, Vec<String>) {
    // It is he who answers that, when all that belongs to the start is done and closed.
    guest.shell("cat /proc/meminfo").ok();
    let pid = guest.controller;
    let plain = |word: String| word.replace(|c: char| c.is_ascii_digit(), "0");
    let (parent, session) = family(pid);
    let mut open: Vec<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .flatten()
        .filter_map(|fd| fs::read_link(fd.path()).ok())
        .map(|path| plain(path.to_string_lossy().into_owned()))
        .collect();
    open.sort();
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    (words(pid).into_iter().map(plain).collect(), parent, session == pid, name, open)
}

/// Where the program is in memory.
fn layout(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/maps")).unwrap().split('-').next().unwrap().to_string()
}

#[test]
fn a_copy_is_a_controller_like_any_other() {
    sandbox::require();
    let daemon = Daemon::start();
    define();
    virsh(&["start", "box"]).ok();
    let first = portrait(&Guest::of("box"));
    let executed = layout(Guest::of("box").controller);
    assert!(first.0.windows(2).any(|two| two == ["--name", "box"]), "{first:?}");
    let from = nursery(None);
    assert_eq!(family(from).0, daemon.pid());
    virsh(&["destroy", "box"]).ok();
    let before = Leftovers::now();
    virsh(&["start", "box"]).ok();
    let guest = Guest::of("box");
    assert_eq!(portrait(&guest), first);
    // Copied, and not executed: its memory is laid out as that of the other.
    assert_eq!(layout(guest.controller), layout(from));
    assert_ne!(layout(guest.controller), executed);
    assert_eq!(family(guest.controller).0, daemon.pid());
    virsh(&["destroy", "box"]).ok();
    before.assert_none_since();
    assert_eq!(nurseries(), [from]);
    daemon.kill();
    eventually("it ends with its daemon", PATIENCE, || nurseries().is_empty().then_some(()));
}

#[test]
fn one_that_has_gone_is_done_without() {
    sandbox::require();
    let _daemon = Daemon::start();
    define();
    virsh(&["start", "box"]).ok();
    let first = nursery(None);
    virsh(&["destroy", "box"]).ok();
    program::kill(first, Signal::KILL);
    assert!(program::ended_within(first, PATIENCE));
    virsh(&["start", "box"]).ok();
    let second = nursery(Some(first));
    virsh(&["destroy", "box"]).ok();

    // Whether it has made a copy before it stood still is not known, so that this start fails, and the next one works.
    let before = Leftovers::now();
    program::kill(second, Signal::STOP);
    let said = virsh(&["start", "box"]).failure();
    assert!(said.contains("no controller came of it"), "{said}");
    before.assert_none_since();
    virsh(&["start", "box"]).ok();
    nursery(Some(second));
    virsh(&["destroy", "box"]).ok();
    before.assert_none_since();
}
