//! Every step of a start fails in turn, by the kernel's answer to it or by the end of who takes it: each time there is a
//! clear error, nothing is left, and the next start works. The same for each step of a container's end.
//!
//! `inject.py` stands between the programs and the kernel. By default only some steps are tried, spread over all, for half a minute
//! each test; `VIRTLXC_EVERY_STEP=1` tries them all, and `VIRTLXC_FIRST_STEP=N` begins later.

use crate::leftovers::Leftovers;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tests::daemon::{Daemon, file, virsh};
use tests::documents::{domain, interface};
use tests::image;
use tests::program::{self, Outcome, PATIENCE, ended_within, eventually, ours, shell};
use tests::sandbox;

const ROOT: &str = "/opt/box";
/// No other test has an image of that name: loop devices are the whole machine's.
const IMAGE: &str = "/opt/every-step.img";
const SOCKET: &str = "/tmp/inject.sock";
/// Steps that are tried where not all are.
const SAMPLE: usize = 40;
/// No further step is begun after so long, where not all are to be tried, unless there were few.
const BUDGET: Duration = Duration::from_secs(30);
const FEW: usize = 10;

/// What the container's side does last, and what its controller does from then on: it asks for the size of a window.
const AFTER_ALL_IS_TOLD: [&str; 2] = ["execve /init", "ioctl 0x5413"];

/// A daemon of which calls can be made to fail.
pub struct Frail {
    pub daemon: Daemon,
    runs: u32,
}

impl Frail {
    pub fn start(copies_controllers: bool) -> Frail {
        Frail { daemon: Frail::daemon(0, copies_controllers), runs: 0 }
    }

    fn daemon(run: u32, copies_controllers: bool) -> Daemon {
        let script = PathBuf::from(file("inject.py", include_str!("inject.py")));
        _ = fs::remove_file(SOCKET);
        let log = format!("/tmp/inject-{run}.log");
        Daemon::start_by(
            &["/usr/bin/python3", &script.to_string_lossy(), SOCKET, &log],
            Path::new(""),
            &[],
            copies_controllers,
        )
    }

    /// The next one, after the end of this.
    fn again(&mut self) {
        self.runs += 1;
        self.daemon = Frail::daemon(self.runs, false);
    }

    /// A command to the supervisor: how many calls there were before it, and which one was hit.
    pub fn tell(&self, command: &str) -> (usize, String) {
        let mut socket = UnixStream::connect(SOCKET).unwrap();
        socket.write_all(command.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (count, call) = answer.trim().split_once(' ').unwrap_or_else(|| panic!("'{answer}'"));
        (count.parse().unwrap(), call.to_string())
    }

    /// How many steps a start has, and an end.
    fn count_steps(&self) -> (usize, usize) {
        // What only the first start does is done by one that does not count.
        start().ok();
        destroy().ok();
        self.tell("arm 0 EIO");
        start().ok();
        let (count, _) = self.tell("tell");
        self.tell("arm 0 EIO");
        destroy().ok();
        let (end, _) = self.tell("tell");
        assert!(count > 300 && end > 10, "only {count} and {end} calls are seen");
        (count, end)
    }

    /// What the step was. No other one fails before there is another command.
    fn hit(&self, step: usize) -> String {
        let (_, call) = self.tell("tell");
        format!("step {step}, {call}")
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.daemon.pid())).unwrap().count()
    }
}

/// A domain `box` with something of every kind that a start makes.
fn define() {
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    shell(&format!("truncate -s 8M {IMAGE} && mkfs.ext4 -q {IMAGE} && mkdir -p /opt/data")).ok();
    let more = interface("default")
        + "<filesystem type='mount'><source dir='/opt/data'/><target dir='/mnt/data'/></filesystem>\
           <filesystem type='ram'><source usage='1' units='MiB'/><target dir='/mnt/ram'/></filesystem>"
        + &format!("<filesystem type='file'><source file='{IMAGE}'/><target dir='/mnt/image'/></filesystem>");
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], &more))]).ok();
    eventually("the network is up", PATIENCE, || virsh(&["net-list"]).ok().contains("default").then_some(()));
}

fn start() -> Outcome {
    told("start")
}

fn destroy() -> Outcome {
    told("destroy")
}

/// Without a daemon it fails: here none is to be started on the way. A daemon that does not answer is a failure of another kind.
fn told(what: &str) -> Outcome {
    let mut command = Command::new(ours("virsh"));
    command.args([what, "box"]).env("LIBVIRT_AUTOSTART", "0");
    program::observe(command, b"", PATIENCE).unwrap()
}

/// Which steps of so many are tried.
fn steps(count: usize) -> impl Iterator<Item = usize> {
    let every = std::env::var_os("VIRTLXC_EVERY_STEP").is_some();
    let first = std::env::var("VIRTLXC_FIRST_STEP").ok().and_then(|step| step.parse().ok()).unwrap_or(1);
    let begun = Instant::now();
    let all: Vec<usize> = (first..=count).step_by(if every { 1 } else { count.div_ceil(SAMPLE) }).collect();
    // A slow machine gets to some of them: not to the first ones only, but to some of each part.
    let order = if every { 1 } else { FEW };
    let spread: Vec<usize> = (0..order).flat_map(|from| all.iter().copied().skip(from).step_by(order)).collect();
    spread
        .into_iter()
        .enumerate()
        .take_while(move |(tried, _)| every || *tried < FEW || begun.elapsed() < BUDGET)
        .map(|(_, step)| step)
}

/// Calls vary in number from one start to the next: the last ones may not come.
fn came_to_nothing(call: &str) -> bool {
    call.ends_with(", nothing")
}

#[track_caller]
fn assert_nothing_left(before: &Leftovers, call: &str) {
    let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| before.assert_none_since()));
    assert!(checked.is_ok(), "after {call}");
    // The kernel lets go of it when the last file system that was mounted from it is gone for good.
    eventually(&format!("the image is let go of after {call}"), PATIENCE, || {
        let attached = fs::read_dir("/sys/block").unwrap().flatten().any(|entry| {
            fs::read_to_string(entry.path().join("loop/backing_file")).is_ok_and(|path| path.contains("every-step"))
        });
        (!attached).then_some(())
    });
}

#[track_caller]
fn assert_next_works(before: &Leftovers, call: &str) {
    assert_nothing_left(before, call);
    let again = start();
    assert_eq!(again.code, 0, "the start after {call}: {again}");
    virsh(&["destroy", "box"]).ok();
}

#[track_caller]
fn assert_clear(said: &Outcome, call: &str) {
    // The daemon may have failed to listen to the client.
    let refused =
        call.contains("epoll_ctl").then(|| said.err.strip_prefix("error: failed to connect to the hypervisor\n"));
    assert!(!said.late, "no answer after {call}");
    let failed = |what: &str| said.err.strip_prefix(&format!("error: Failed to {what} domain 'box'\nerror: "));
    let reason = failed("start").or(failed("destroy")).or(refused.flatten());
    let reason = reason.unwrap_or_else(|| panic!("after {call}: {said}"));
    assert!(!reason.trim().is_empty() && !reason.contains("cause is unknown"), "after {call}: {said}");
}

#[test]
fn every_step_of_a_start_fails_in_turn() {
    sandbox::require();
    let frail = Frail::start(false);
    define();
    let (count, _) = frail.count_steps();
    let (before, descriptors) = (Leftovers::now(), frail.descriptors());
    let (mut tried, mut failed) = (0, 0);
    for step in steps(count) {
        frail.tell(&format!("arm {step} EIO"));
        let said = start();
        let call = frail.hit(step);
        assert!(frail.daemon.is_alive() && !said.late, "after {call} the daemon is gone or hangs");
        if said.code == 0 {
            // Something that a start can do without.
            let destroyed = virsh(&["destroy", "box"]);
            assert_eq!(destroyed.code, 0, "after {call}: {destroyed}");
        } else {
            assert_clear(&said, &call);
            assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "shut off", "after {call}");
            failed += 1;
        }
        assert_next_works(&before, &call);
        tried += 1;
    }
    println!("{tried} of {count} steps tried, {failed} starts failed");
    assert!(failed > tried / 2, "most steps matter, but only {failed} of {tried} starts failed");
    eventually("the daemon has no descriptor more", PATIENCE, || (frail.descriptors() <= descriptors).then_some(()));
}

#[test]
fn who_takes_a_step_is_killed_at_each() {
    sandbox::require();
    let mut frail = Frail::start(false);
    define();
    let (count, _) = frail.count_steps();
    let before = Leftovers::now();
    let (mut tried, mut daemons) = (0, 0);
    for step in steps(count) {
        frail.tell(&format!("kill {step}"));
        let said = start();
        let call = frail.hit(step);
        if call.contains(&format!("virtlxcd {}: ", frail.daemon.pid())) {
            assert!(said.code != 0 && ended_within(frail.daemon.pid(), PATIENCE), "{call}: {said}");
            daemons += 1;
            frail.again();
            // What was complete runs on, what was not is gone.
            match virsh(&["domstate", "box"]).ok().trim() {
                // It may be about to end.
                "running" => _ = virsh(&["destroy", "box"]),
                state => assert_eq!(state, "shut off", "after {call}"),
            }
        } else if came_to_nothing(&call) {
            assert_eq!(said.code, 0, "{call}: {said}");
            virsh(&["destroy", "box"]).ok();
        } else if said.code == 0 && AFTER_ALL_IS_TOLD.iter().any(|step| call.contains(step)) {
            // A container that ran, if not for long.
            eventually("its end is noticed", PATIENCE, || {
                let state = virsh(&["domstate", "--reason", "box"]).ok();
                ["shut off (crashed)", "shut off (failed)"].contains(&state.trim()).then_some(())
            });
        } else {
            assert!(frail.daemon.is_alive(), "after {call} the daemon is gone");
            assert_clear(&said, &call);
            assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "shut off", "after {call}");
        }
        assert_next_works(&before, &call);
        tried += 1;
    }
    println!("{tried} of {count} steps tried, the daemon was killed at {daemons}");
    assert!(daemons > 0 && daemons < tried);
}

#[test]
fn every_step_of_an_end_fails_in_turn() {
    sandbox::require();
    let frail = Frail::start(false);
    define();
    let (_, count) = frail.count_steps();
    let (before, descriptors) = (Leftovers::now(), frail.descriptors());
    let (mut tried, mut failed) = (0, 0);
    for step in steps(count) {
        start().ok();
        frail.tell(&format!("arm {step} EIO"));
        let said = destroy();
        let call = frail.hit(step);
        frail.tell("arm 0 EIO");
        assert!(frail.daemon.is_alive() && !said.late, "after {call} the daemon is gone or hangs");
        if said.code != 0 {
            // Nothing has happened to it, or all: another attempt is told that it does not run.
            assert_clear(&said, &call);
            if virsh(&["domstate", "box"]).ok().trim() == "running" {
                virsh(&["destroy", "box"]).ok();
            }
            failed += 1;
        }
        assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "shut off", "after {call}");
        // A file that could not be removed then is in nobody's way, and goes the next time.
        let again = start();
        assert_eq!(again.code, 0, "the start after {call}: {again}");
        virsh(&["destroy", "box"]).ok();
        assert_nothing_left(&before, &call);
        tried += 1;
    }
    println!("{tried} of {count} steps tried, {failed} ends failed");
    eventually("the daemon has no descriptor more", PATIENCE, || (frail.descriptors() <= descriptors).then_some(()));
}

#[test]
fn a_daemon_is_killed_at_each_step_of_an_end() {
    sandbox::require();
    let mut frail = Frail::start(false);
    define();
    let (_, count) = frail.count_steps();
    let before = Leftovers::now();
    let (mut tried, mut daemons) = (0, 0);
    for step in steps(count) {
        start().ok();
        frail.tell(&format!("kill {step}"));
        let said = destroy();
        let call = frail.hit(step);
        if call.contains(&format!("virtlxcd {}: ", frail.daemon.pid())) {
            assert!(ended_within(frail.daemon.pid(), PATIENCE), "{call}: {said}");
            daemons += 1;
            frail.again();
            // What was begun may be at its end, or not be done at all.
            match virsh(&["domstate", "box"]).ok().trim() {
                "running" => _ = virsh(&["destroy", "box"]),
                state => assert_eq!(state, "shut off", "after {call}"),
            }
        } else {
            assert!(frail.daemon.is_alive() && said.code == 0, "after {call}: {said}");
        }
        assert_next_works(&before, &call);
        tried += 1;
    }
    println!("{tried} of {count} steps tried, the daemon was killed at {daemons}");
    assert!(daemons > tried / 2);
}
