//! How a container ends: by its own will, by ours, by a reboot.

use crate::guest::Guest;
use crate::leftovers::Leftovers;
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{PATIENCE, ended_within, eventually, kill};
use tests::sandbox;

const ROOT: &str = "/opt/box";

/// Starts a domain `box` whose PID 1 runs this line of shell, which may be short.
fn start(init: &str) {
    image::busybox(Path::new(ROOT), init).unwrap();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], ""))]).ok();
    virsh(&["start", "box"]).ok();
}

/// The same, where it goes on until somebody does something about it.
fn running(init: &str) -> Guest {
    start(init);
    Guest::of("box")
}

fn until_state(wanted: &str) {
    eventually(wanted, PATIENCE, || (virsh(&["domstate", "--reason", "box"]).ok().trim() == wanted).then_some(()));
}

/// What runs under the name of a container that has rebooted.
#[track_caller]
fn next(before: &Guest) -> Guest {
    eventually("the next start", PATIENCE, || {
        let id = virsh(&["domid", "box"]).out.trim().parse().ok().filter(|id| *id != before.controller)?;
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
        (!children.trim().is_empty()).then(|| Guest::with_id("box", id))
    })
}

#[test]
fn destroy_waits_for_no_signal_handler() {
    sandbox::require();
    let _daemon = Daemon::start();
    let before = Leftovers::now();
    // The customary 1.6 s of waiting for SIGTERM to be obeyed is not spent: nobody is asked first.
    let (asked, ready) = (Path::new(ROOT).join("asked"), Path::new(ROOT).join("ready"));
    let trap_is_set = || eventually("the trap is set", PATIENCE, || ready.exists().then_some(()));
    let guest = running("trap 'touch /asked' TERM HUP INT; touch /ready; while :; do sleep 0.05; done");
    trap_is_set();
    virsh(&["destroy", "box"]).ok();
    assert!(ended_within(guest.init, Duration::ZERO), "PID 1 lives");
    assert!(!asked.exists(), "PID 1 was asked to end");
    until_state("shut off (destroyed)");
    before.assert_none_since();
    // Who would be asked in that way does hear it.
    fs::remove_file(&ready).unwrap();
    virsh(&["start", "box"]).ok();
    trap_is_set();
    let guest = Guest::of("box");
    kill(guest.init, Signal::TERM);
    eventually("PID 1 is asked", PATIENCE, || asked.exists().then_some(()));
    virsh(&["destroy", "box"]).ok();
}

#[test]
fn the_end_of_pid_1_is_the_end_of_the_domain() {
    sandbox::require();
    let _daemon = Daemon::start();
    let before = Leftovers::now();
    for status in [0, 7] {
        image::busybox(Path::new("/opt/brief"), &format!("exit {status}")).unwrap();
        fs::create_dir_all(ROOT).unwrap();
        virsh(&["define", &file("box.xml", &domain("box", "/opt/brief", &["/init"], ""))]).ok();
        virsh(&["start", "box"]).ok();
        until_state("shut off (shutdown)");
        before.assert_none_since();
        // Another definition of that name without its UUID would be refused.
        virsh(&["undefine", "box"]).ok();
        fs::remove_dir_all("/opt/brief").unwrap();
    }
}

#[test]
fn a_killed_pid_1_or_controller_is_noticed() {
    sandbox::require();
    let _daemon = Daemon::start();
    let before = Leftovers::now();
    let guest = running("exec sleep 1000");
    kill(guest.init, Signal::KILL);
    until_state("shut off (crashed)");
    before.assert_none_since();

    virsh(&["start", "box"]).ok();
    let guest = Guest::of("box");
    kill(guest.controller, Signal::KILL);
    until_state("shut off (failed)");
    assert!(ended_within(guest.init, PATIENCE), "PID 1 outlives its controller");
    before.assert_none_since();
}

#[test]
fn a_reboot_from_inside_starts_it_again() {
    sandbox::require();
    let _daemon = Daemon::start();
    let root = Path::new(ROOT);
    let guest = running(
        "echo again >> /starts; while :; do [ -e /reboot ] && rm /reboot && busybox reboot -f; sleep 0.05; done",
    );
    fs::write(root.join("reboot"), "").unwrap();
    let again = next(&guest);
    assert_ne!(again.init, guest.init);
    eventually("init begins anew", PATIENCE, || {
        (fs::read_to_string(root.join("starts")).unwrap() == "again\nagain\n").then_some(())
    });
    until_state("running (booted)");
    virsh(&["destroy", "box"]).ok();
}

#[test]
fn a_reboot_keeps_what_runs_whatever_is_defined_meanwhile() {
    sandbox::require();
    let _daemon = Daemon::start();
    fs::create_dir_all("/srv/shared").unwrap();
    fs::write("/srv/shared/word", "shared\n").unwrap();
    let guest = running("while :; do [ -e /reboot ] && rm /reboot && busybox reboot -f; sleep 0.05; done");
    let defined = virsh(&["dumpxml", "--inactive", "box"]).ok();
    let later = defined.replace("<on_reboot>restart", "<on_reboot>destroy");
    assert_ne!(later, defined);
    virsh(&["define", &file("box.xml", &later)]).ok();
    let share = "<filesystem type='mount'><source dir='/srv/shared'/><target dir='/mnt'/></filesystem>";
    virsh(&["attach-device", "box", &file("share.xml", share), "--live"]).ok();
    fs::write(Path::new(ROOT).join("reboot"), "").unwrap();
    assert_eq!(next(&guest).shell("cat /mnt/word").ok(), "shared\n");
    assert!(virsh(&["dumpxml", "box"]).ok().contains("<on_reboot>restart</on_reboot>"));
    let defined = virsh(&["dumpxml", "--inactive", "box"]).ok();
    assert!(defined.contains("<on_reboot>destroy</on_reboot>") && !defined.contains("/mnt"), "{defined}");
    virsh(&["destroy", "box"]).ok();
}

#[test]
fn a_reboot_is_no_end_to_those_who_ask() {
    sandbox::require();
    // Holds the domain between its end and the next start.
    let hook = "[ \"$2\" = release ] || exit 0; cat > /dev/null; touch /tmp/between
until [ -e /tmp/go-on ]; do sleep 0.05; done";
    fs::create_dir_all("/etc/libvirt/hooks").unwrap();
    image::script(Path::new("/etc/libvirt/hooks/lxc"), hook).unwrap();
    let settings = "log_level = 1\nlog_outputs = \"1:file:/var/log/audit-test\"\naudit_logging = 1\n";
    let _daemon = Daemon::start_in(Path::new(""), &["--config", &file("audit.conf", settings)]);
    let guest = running("while :; do [ -e /reboot ] && rm /reboot && busybox reboot -f; sleep 0.05; done");
    fs::write(Path::new(ROOT).join("reboot"), "").unwrap();
    eventually("it is at its end", PATIENCE, || Path::new("/tmp/between").exists().then_some(()));
    until_state("running (booted)");
    assert_eq!(virsh(&["list", "--name"]).ok(), "box\n\n");
    assert_eq!(virsh(&["domid", "box"]).ok().trim(), guest.controller.to_string());
    assert!(virsh(&["dumpxml", "box"]).ok().contains(&format!("id='{}'", guest.controller)));
    fs::write("/tmp/go-on", "").unwrap();
    // Whoever wants to do something with it waits for the next container.
    virsh(&["destroy", "box"]).ok();
    until_state("shut off (destroyed)");
    assert!(ended_within(guest.controller, Duration::ZERO), "the first controller lives");
    let log = fs::read_to_string("/var/log/audit-test").unwrap();
    let control: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split_once("audit: virt=lxc op="))
        .map(|(_, rest)| rest.split(" vm=").next().unwrap())
        .collect();
    assert_eq!(
        control,
        ["init", "start reason=booted", "stop reason=reboot", "init", "start reason=reboot", "stop reason=destroyed"]
    );
}

#[test]
fn a_container_that_does_nothing_but_reboot_comes_to_rest() {
    sandbox::require();
    let daemon = Daemon::start();
    let before = Leftovers::now();
    image::busybox(Path::new(ROOT), "echo again >> /starts; exec busybox reboot -f").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], ""))]).ok();
    virsh(&["start", "box"]).ok();
    eventually("its rest", PATIENCE, || daemon.log().contains("it is not started again").then_some(()));
    until_state("shut off (shutdown)");
    // A start that took long on a busy machine begins the count anew.
    let starts = fs::read_to_string(Path::new(ROOT).join("starts")).unwrap().lines().count();
    assert!(starts >= 6, "{starts}");
    before.assert_none_since();
    let log = fs::read_to_string("/var/log/libvirt/lxc/box.log").unwrap();
    assert_eq!(log.matches(": starting up").count(), starts, "{log}");
}

#[test]
fn power_off_from_inside_ends_it() {
    sandbox::require();
    let _daemon = Daemon::start();
    let before = Leftovers::now();
    start("sleep 0.2; exec busybox poweroff -f");
    until_state("shut off (shutdown)");
    before.assert_none_since();
}

#[test]
fn shutdown_by_signal_reaches_pid_1() {
    sandbox::require();
    let _daemon = Daemon::start();
    running("trap 'exit 0' TERM; touch /ready; while :; do sleep 1; done");
    eventually("the trap is set", PATIENCE, || Path::new(ROOT).join("ready").exists().then_some(()));
    virsh(&["shutdown", "--mode", "signal", "box"]).ok();
    until_state("shut off (shutdown)");
}

#[test]
fn a_transient_domain_vanishes_with_its_end() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    let document = file("box.xml", &domain("box", ROOT, &["/init"], ""));
    assert_eq!(virsh(&["create", &document]).ok(), format!("Domain 'box' created from {document}\n\n"));
    assert!(!Path::new("/etc/libvirt/lxc/box.xml").exists());
    virsh(&["destroy", "box"]).ok();
    assert!(virsh(&["domstate", "box"]).failure().contains("failed to get domain 'box'"));
}

#[test]
fn suspend_stops_every_process_and_resume_lets_them_go_on() {
    sandbox::require();
    let _daemon = Daemon::start();
    running("while :; do date +%N > /tick; done");
    let tick = || fs::read_to_string(Path::new(ROOT).join("tick")).unwrap_or_default();
    let moves = |seconds| {
        let first = tick();
        let deadline = Instant::now() + Duration::from_secs_f64(seconds);
        while Instant::now() < deadline {
            if tick() != first {
                return true;
            }
            std::thread::yield_now();
        }
        false
    };
    assert!(moves(PATIENCE.as_secs_f64()));
    virsh(&["suspend", "box"]).ok();
    until_state("paused (user)");
    assert!(!moves(0.3), "it runs on");
    virsh(&["resume", "box"]).ok();
    until_state("running (unpaused)");
    assert!(moves(PATIENCE.as_secs_f64()), "it does not go on");
    virsh(&["suspend", "box"]).ok();
    virsh(&["destroy", "box"]).ok();
}
