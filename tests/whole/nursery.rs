//! After the first start controllers are copied from a process that is loaded: each copy is a controller like any other.

use crate::faults::Frail;
use crate::guest::Guest;
use crate::leftovers::Leftovers;
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
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

/// None of those copies that look like it for a moment: they lead a session only when they show their own command line.
fn leading_nurseries() -> Vec<u32> {
    let leads = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let mut fields = stat.rsplit_once(") ").unwrap_or_default().1.split(' ');
        fields.nth(3).and_then(|session| session.parse().ok()) == Some(*pid)
    };
    let all = fs::read_dir("/proc").unwrap().flatten();
    let leaders = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(leads);
    leaders.filter(|pid| words(*pid).iter().any(|word| word == "--nursery")).collect()
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

    // It makes no copy, and is ended for that.
    let before = Leftovers::now();
    program::kill(second, Signal::STOP);
    virsh(&["start", "box"]).ok();
    nursery(Some(second));
    virsh(&["destroy", "box"]).ok();
    before.assert_none_since();
}

/// What it does for a start: it clones, and tells of the copy. The copy tells of itself.
#[test]
fn one_that_is_killed_at_any_step_is_done_without() {
    sandbox::require();
    let frail = Frail::start(true);
    define();
    virsh(&["start", "box"]).ok();
    virsh(&["destroy", "box"]).ok();
    let before = Leftovers::now();
    // The call, and whether there is a copy by then.
    for (call, copied) in [("clone3", false), ("sendmsg", true)] {
        let from = nursery(None);
        let where_it_was = layout(from);
        frail.tell(&format!("kill {from} {call}"));
        virsh(&["start", "box"]).ok();
        let (_, hit) = frail.tell("tell");
        assert!(hit.starts_with(&format!("libvirt_lxc {from}: {call}")), "{hit}");
        let guest = Guest::of("box");
        assert_eq!(layout(guest.controller) == where_it_was, copied, "{call}");
        assert_eq!(family(guest.controller), (frail.daemon.pid(), guest.controller), "{call}");
        virsh(&["destroy", "box"]).ok();
        // The next start finds that it has gone, and after that there is another one.
        virsh(&["start", "box"]).ok();
        virsh(&["destroy", "box"]).ok();
        nursery(Some(from));
        before.assert_none_since();
    }
}

/// Says so when dropped, whatever happens before.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn ones_that_are_killed_again_and_again_are_done_without() {
    sandbox::require();
    let _daemon = Daemon::start();
    define();
    virsh(&["start", "box"]).ok();
    virsh(&["destroy", "box"]).ok();
    let before = Leftovers::now();
    let over = AtomicBool::new(false);
    let (killed, failed) = thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut killed = 0;
            while !over.load(Ordering::Relaxed) {
                for pid in leading_nurseries() {
                    program::kill(pid, Signal::KILL);
                    killed += 1;
                }
                thread::sleep(Duration::from_micros(killed * 37 % 3000));
            }
            killed
        });
        let ends = Ends(&over);
        let failed =
            (0..20).flat_map(|_| ["start", "destroy"]).map(|what| virsh(&[what, "box"])).find(|said| said.code != 0);
        drop(ends);
        (killer.join().unwrap(), failed)
    });
    assert!(failed.is_none(), "{}", failed.unwrap());
    assert!(killed > 0);
    // Nor has the daemon lost heart.
    virsh(&["start", "box"]).ok();
    nursery(None);
    virsh(&["destroy", "box"]).ok();
    before.assert_none_since();
}
