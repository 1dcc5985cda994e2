//! What becomes of a domain when its container ends: each way of ending with each action of the document, the state's reason,
//! the events that clients hear, and the words in the domain's log.

use crate::guest::Guest;
use rustix::process::Signal;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::{domain, without_swap};
use tests::image;
use tests::program::{PATIENCE, eventually, kill, ours};
use tests::sandbox;

const ROOT: &str = "/opt/box";
const EVENTS: &str = "/tmp/events";

/// Waits for what the test does.
const INIT: &str = "\
trap 'exit 3' TERM
echo start >> /starts
while :; do
    [ -e /poweroff ] && rm /poweroff && busybox poweroff -f
    [ -e /reboot ] && rm /reboot && busybox reboot -f
    sleep 0.05
done";

/// A client that listens, and writes down what it hears.
struct Listener(Child);

impl Listener {
    fn start() -> Listener {
        let mut command = Command::new(ours("virsh"));
        command.args(["event", "--all", "--loop"]).stdout(File::create(EVENTS).unwrap());
        let listener = Listener(command.spawn().unwrap());
        // Its calls are answered in order: once it is listed it has asked for the events.
        eventually("it listens", PATIENCE, || {
            virsh(&["define", &file("none.xml", &domain("none", ROOT, &["/init"], ""))]).ok();
            virsh(&["undefine", "none"]).ok();
            heard().contains("none").then_some(())
        });
        listener
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn heard() -> String {
    fs::read_to_string(EVENTS).unwrap_or_default()
}

/// Events of domain `box` since so many lines of all.
fn events_since(lines: usize) -> Vec<String> {
    heard().lines().skip(lines).filter(|line| line.contains("'box'")).map(str::to_string).collect()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    PowerOff,
    Reboot,
    /// Init is killed.
    Crash,
    /// Init is asked to end, and does with status 3.
    Exit,
    /// The controller is killed.
    Failure,
}

fn bring_about(ending: Ending, guest: &Guest) {
    let ask = |name: &str| fs::write(Path::new(ROOT).join(name), "").unwrap();
    match ending {
        Ending::PowerOff => ask("poweroff"),
        Ending::Reboot => ask("reboot"),
        Ending::Crash => kill(guest.init, Signal::KILL),
        Ending::Exit => _ = virsh(&["shutdown", "--mode", "signal", "box"]).ok(),
        Ending::Failure => kill(guest.controller, Signal::KILL),
    }
}

#[test]
fn every_action_for_every_ending() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), INIT).unwrap();
    let _listener = Listener::start();
    let log = || fs::read_to_string("/var/log/libvirt/lxc/box.log").unwrap_or_default();
    for (ending, element, reason, detail, words) in [
        (Ending::PowerOff, "on_poweroff", "shutdown", "Shutdown", "the container has shut down"),
        (Ending::Exit, "on_poweroff", "shutdown", "Shutdown", "init exited with status 3"),
        (Ending::Reboot, "on_reboot", "shutdown", "Shutdown", "the container reboots"),
        (Ending::Crash, "on_crash", "crashed", "Crashed", "init was killed by signal 9"),
        (Ending::Failure, "on_crash", "failed", "Failed", ""),
    ] {
        let actions: &[&str] = match element {
            "on_crash" => &["destroy", "restart", "preserve", "rename-restart", "coredump-destroy", "coredump-restart"],
            _ => &["destroy", "restart", "preserve", "rename-restart"],
        };
        for action in actions {
            let what = format!("{ending:?} with {element} {action}");
            let document = domain("box", ROOT, &["/init"], "");
            let document = document.replace("<devices>", &format!("<{element}>{action}</{element}><devices>"));
            _ = fs::remove_file(Path::new(ROOT).join("starts"));
            let defined = virsh(&["define", &file("box.xml", &document)]);
            assert_eq!(defined.code, 0, "{what}: {defined}");
            let (heard_before, said_before) = (heard().lines().count(), log().len());
            virsh(&["start", "box"]).ok();
            let guest = Guest::of("box");
            let restarts = action.contains("restart");
            let starts = || fs::read_to_string(Path::new(ROOT).join("starts")).unwrap_or_default().lines().count();
            eventually("it has begun", PATIENCE, || (starts() == 1).then_some(()));
            if restarts && ending != Ending::Reboot {
                // What ends at once is not started again.
                std::thread::sleep(Duration::from_millis(1100));
            }
            // The listener may hear of it later than who has asked for it.
            eventually("its start is heard of", PATIENCE, || {
                events_since(heard_before).iter().any(|event| event.contains("Started")).then_some(())
            });
            let before = heard().lines().count();
            bring_about(ending, &guest);
            if restarts {
                eventually(&what, PATIENCE, || {
                    let id = virsh(&["domid", "box"]).out;
                    id.trim().parse::<u32>().is_ok_and(|id| id != guest.controller).then_some(())
                });
                assert_eq!(virsh(&["domstate", "--reason", "box"]).ok().trim(), "running (booted)", "{what}");
            } else {
                let wanted = format!("shut off ({reason})");
                eventually(&what, PATIENCE, || {
                    (virsh(&["domstate", "--reason", "box"]).ok().trim() == wanted).then_some(())
                });
            }
            let expected = match (restarts, ending) {
                (true, Ending::Reboot) => "event 'reboot' for domain 'box'".to_string(),
                (true, _) => "event 'lifecycle' for domain 'box': Started Booted".to_string(),
                (false, _) => format!("event 'lifecycle' for domain 'box': Stopped {detail}"),
            };
            eventually(&format!("{what}: {expected}"), PATIENCE, || (!events_since(before).is_empty()).then_some(()));
            assert_eq!(events_since(before), [expected], "{what}");
            let said = log();
            let said = said.get(said_before..).unwrap_or_default();
            // Who goes on is not shut down.
            let why = if restarts && ending == Ending::Reboot { "reboot" } else { reason };
            assert!(said.contains(words) && said.contains(&format!("shutting down, reason={why}\n")), "{what}: {said}");
            if restarts {
                eventually(&format!("{what}: its init begins anew"), PATIENCE, || (starts() == 2).then_some(()));
                virsh(&["destroy", "box"]).ok();
            }
            virsh(&["undefine", "box"]).ok();
        }
    }
}

#[test]
fn want_of_memory_is_told() {
    sandbox::require();
    let _daemon = Daemon::start();
    // A line without an end, kept in memory by who wants to see one.
    image::busybox(Path::new(ROOT), "exec sort /dev/zero").unwrap();
    virsh(&["define", &file("box.xml", &without_swap(domain("box", ROOT, &["/init"], "")))]).ok();
    virsh(&["start", "box"]).ok();
    eventually("the kernel has killed it", PATIENCE, || {
        (virsh(&["domstate", "--reason", "box"]).ok().trim() == "shut off (crashed)").then_some(())
    });
    let log = fs::read_to_string("/var/log/libvirt/lxc/box.log").unwrap();
    assert!(log.contains("init was killed by signal 9") && log.contains("for want of memory"), "{log}");
}
