//! Events, as python3-libvirt hears them: which come, with which details, in which order.

use crate::guest::Guest;
use rustix::process::Signal;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::{domain, without_swap};
use tests::image;
use tests::program::{PATIENCE, kill, shell};
use tests::sandbox;

const ROOT: &str = "/opt/box";

struct Listener {
    child: Child,
    lines: Receiver<String>,
}

impl Listener {
    fn start(domain: &str) -> Listener {
        let script = file("events.py", concat!(include_str!("event_loop.py"), include_str!("events.py")));
        let mut command = Command::new("/usr/bin/python3");
        command.args([script.as_str(), domain]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("Debian's package python3-libvirt is needed");
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || out.lines().map_while(Result::ok).for_each(|line| _ = sender.send(line)));
        let listener = Listener { child, lines };
        listener.expect(&["ready"]);
        listener
    }

    /// The next events are these, and in this order.
    #[track_caller]
    fn expect(&self, events: &[&str]) {
        for event in events {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("'{event}' does not come"));
            assert_eq!(line, *event);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn define(name: &str, init: &str, more: &str) {
    let root = format!("/opt/{name}");
    image::busybox(Path::new(&root), init).unwrap();
    let document = without_swap(domain(name, &root, &["/init"], "")).replace("</os>", &format!("</os>{more}"));
    virsh(&["define", &file(&format!("{name}.xml"), &document)]).ok();
}

#[test]
fn the_end_of_a_container_says_why_it_ended() {
    sandbox::require();
    let _daemon = Daemon::start();
    define("box", "exec sleep 1000", "");
    define("other", "exec sleep 1000", "");
    let listener = Listener::start("box");
    virsh(&["start", "other"]).ok();
    listener.expect(&["any other started 0"]);
    virsh(&["destroy", "other"]).ok();
    listener.expect(&["any other stopped 1"]);

    let start = || {
        virsh(&["start", "box"]).ok();
        listener.expect(&["any box started 0", "only box started 0"]);
    };
    let reason = || virsh(&["domstate", "--reason", "box"]).ok().trim().to_string();
    // Crashed: killed by a signal that ends no container in good order.
    start();
    kill(Guest::of("box").init, Signal::KILL);
    listener.expect(&["any box stopped 2", "only box stopped 2"]);
    assert_eq!(reason(), "shut off (crashed)");
    // Failed: its controller is gone.
    start();
    kill(Guest::of("box").controller, Signal::KILL);
    listener.expect(&["any box stopped 5", "only box stopped 5"]);
    assert_eq!(reason(), "shut off (failed)");
    start();
    virsh(&["suspend", "box"]).ok();
    virsh(&["resume", "box"]).ok();
    virsh(&["destroy", "box"]).ok();
    let both = |event: &str| [format!("any box {event}"), format!("only box {event}")];
    let order: Vec<String> = ["suspended 0", "resumed 0", "stopped 1"].iter().flat_map(|event| both(event)).collect();
    listener.expect(&order.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(reason(), "shut off (destroyed)");

    // Shut down by itself, then rebooted from inside.
    image::script(
        Path::new(&format!("{ROOT}/init")),
        "[ -e /again ] || { touch /again; sleep 2; exec reboot -f; }; exit 3",
    )
    .unwrap();
    start();
    listener.expect(&["REBOOT box", "any box stopped 0", "only box stopped 0"]);
    assert_eq!(reason(), "shut off (shutdown)");
    virsh(&["undefine", "box"]).ok();
    listener.expect(&["any box undefined 0", "only box undefined 0"]);
}

#[test]
fn a_container_without_memory_has_crashed() {
    sandbox::require();
    let _daemon = Daemon::start();
    define("box", "sleep 2; exec awk 'BEGIN { x = \"x\"; while (1) x = x x }'", "<on_crash>destroy</on_crash>");
    let listener = Listener::start("box");
    virsh(&["start", "box"]).ok();
    listener.expect(&["any box started 0", "only box started 0", "any box stopped 2", "only box stopped 2"]);
    let log = std::fs::read_to_string("/var/log/libvirt/lxc/box.log").unwrap();
    assert!(log.contains("crashed: out of memory"), "{log}");
}

#[test]
fn changes_of_a_running_container_are_told_in_their_order() {
    sandbox::require();
    let _daemon = Daemon::start();
    define("box", "exec sleep 1000", "");
    virsh(&["start", "box"]).ok();
    let listener = Listener::start("box");
    let misc = "<hostdev mode='capabilities' type='misc'><source><char>/dev/loop-control</char></source></hostdev>";
    let misc = file("misc.xml", misc);
    shell("mkdir -p /srv/shared");
    let share = file(
        "share.xml",
        "<filesystem type='mount'><source dir='/srv/shared'/><target dir='/mnt/shared'/></filesystem>",
    );
    virsh(&["attach-device", "box", &misc, "--live"]).ok();
    virsh(&["attach-device", "box", &share, "--live", "--config"]).ok();
    virsh(&["schedinfo", "box", "--live", "--set", "cpu_shares=512"]).ok();
    virsh(&["desc", "box", "--title", "a title"]).ok();
    virsh(&["setmem", "box", "40M", "--live"]).ok();
    virsh(&["detach-device", "box", &share, "--live"]).ok();
    virsh(&["detach-device", "box", &misc, "--live"]).ok();
    // What changes the definition alone is no device's arrival, and what fails is nothing.
    virsh(&["detach-device", "box", &share, "--config"]).ok();
    virsh(&["detach-device", "box", &misc, "--live"]).failure();
    virsh(&["destroy", "box"]).ok();
    listener.expect(&[
        "DEVICE_ADDED box /dev/loop-control",
        "DEVICE_ADDED box /mnt/shared",
        "TUNABLE box [('cputune.cpu_shares', 512)]",
        "METADATA_CHANGE box 1 None",
        "BALLOON_CHANGE box 40960",
        "DEVICE_REMOVED box /mnt/shared",
        "DEVICE_REMOVED box /dev/loop-control",
        "any box stopped 1",
    ]);
}
