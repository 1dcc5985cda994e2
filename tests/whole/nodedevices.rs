//! Devices of the machine: as Debian's daemon shows them, those that there are and those of a machine that nobody has; and
//! what is heard of those that come and go.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};
use tests::daemon::{DEBIAN_VIRSH, Daemon, Libvirtd, debian_virsh, virsh};
use tests::program::{self, Outcome, PATIENCE, shell};
use tests::sandbox;

#[path = "../../crates/nodedev/tests/made_up/mod.rs"]
mod made_up;

/// Each device's name, with its document and what `nodedev-info` says.
fn shown() -> Vec<(String, String)> {
    let names = debian_virsh(&["nodedev-list", "--all"]).ok();
    let ask = |name: &str| {
        let document = debian_virsh(&["nodedev-dumpxml", name]).ok();
        (name.to_string(), document + &debian_virsh(&["nodedev-info", name]).ok())
    };
    names.lines().filter(|name| !name.is_empty()).map(ask).collect()
}

#[test]
fn as_debians_daemon_shows_them() {
    sandbox::require();
    let libvirtd = Libvirtd::start();
    let theirs = shown();
    let by_kind = |kind: &str| debian_virsh(&["nodedev-list", "--cap", kind]).ok();
    let kinds = ["system", "pci", "net", "storage", "scsi", "usb_device", "net,storage"];
    let their_kinds = kinds.map(by_kind);
    let their_tree = debian_virsh(&["nodedev-list", "--tree"]).ok();
    drop(libvirtd);
    let _daemon = Daemon::start();
    assert!(theirs.iter().any(|(name, _)| name == "net_lo_00_00_00_00_00_00"), "{theirs:?}");
    let ours = shown();
    for device in &theirs {
        let found = ours.iter().find(|(name, _)| *name == device.0);
        assert_eq!(found.map(|(_, shown)| &device.1 == shown), Some(true), "{}\n{found:?}", device.1);
    }
    // Without udevd, libvirt does not know disks of SCSI.
    let more = ours.iter().filter(|(name, _)| !theirs.iter().any(|(known, _)| known == name));
    let more: Vec<&String> = more.map(|(name, _)| name).filter(|name| !name.starts_with("block_s")).collect();
    assert!(more.is_empty(), "{more:?}");
    if ours.len() == theirs.len() {
        assert_eq!(kinds.map(by_kind), their_kinds);
        assert_eq!(debian_virsh(&["nodedev-list", "--tree"]).ok(), their_tree);
        assert_eq!(virsh(&["nodedev-list", "--tree"]).ok(), their_tree);
    }
    let refused =
        |virsh: fn(&[&str]) -> Outcome, more: &[&str]| virsh(&[&["nodedev-list", "--tree"], more].concat()).failure();
    for more in [&["--inactive"][..], &["--cap", "net"]] {
        assert_eq!(refused(virsh, more), refused(debian_virsh, more));
    }
    // Readers may look.
    let names: String = debian_virsh(&["-r", "nodedev-list"]).ok();
    assert_eq!(names.lines().filter(|name| !name.is_empty()).count(), ours.len());
}

/// In place of /sys, but for what the daemons need of it otherwise.
fn pretend() {
    made_up::make(Path::new("/made-up"));
    shell(
        "for part in devices/system fs module; do mkdir -p /made-up/sys/$part; mount --rbind /sys/$part \
         /made-up/sys/$part; done; mount --rbind /made-up/sys /sys; mkdir -p /run/udev /usr/share/misc; cp -a /made-up/run/udev /run; cp \
         /made-up/usr/share/misc/pci.ids /usr/share/misc",
    )
    .ok();
}

/// What the card of a machine of these tests can do is not told in files.
fn without_features(documents: &str) -> String {
    documents.lines().filter(|line| !line.contains("<feature ")).map(|line| format!("{line}\n")).collect()
}

fn all_documents() -> String {
    let names = debian_virsh(&["nodedev-list"]).ok();
    let documents =
        names.lines().filter(|name| !name.is_empty()).map(|name| debian_virsh(&["nodedev-dumpxml", name]).ok());
    without_features(&documents.map(|document| document.trim_end().to_string() + "\n").collect::<String>())
}

#[test]
fn of_a_machine_that_nobody_has() {
    sandbox::require();
    pretend();
    let _daemon = Daemon::start();
    assert_eq!(all_documents(), made_up::EXPECTED);
    let ports = debian_virsh(&["nodedev-list", "--cap", "fc_host"]).ok();
    assert_eq!(ports.trim(), "scsi_host5");
    let drives = virsh(&["nodedev-list", "--cap", "storage,drm", "--output", "json"]).ok();
    assert!(drives.contains("block_sda_QEMU_HARDDISK_QM_1") && drives.contains("drm_renderD128"), "{drives}");
}

/// The documents that ours are held against are theirs, but for what docs/differences.md tells.
#[test]
fn of_a_machine_that_nobody_has_as_debians_daemon_shows_it() {
    sandbox::require();
    // It leaves out a network card that does not answer.
    shell("ip link add made0 type veth peer name made1 && ip link add madewlan0 type veth peer name madebr0").ok();
    pretend();
    let _libvirtd = Libvirtd::start_with(&[("SYSTEMD_DEVICE_VERIFY_SYSFS", "0")]);
    let corrected = [
        // Sizes are sectors of 512 bytes, whatever the drive's own blocks are.
        ("<size>8589934592</size>", "<size>1073741824</size>"),
        ("<num_blocks>2097152</num_blocks>", "<num_blocks>262144</num_blocks>"),
        ("<media_size>4294965248</media_size>", "<media_size>1073741312</media_size>"),
        ("<num_blocks>2097151</num_blocks>", "<num_blocks>524287</num_blocks>"),
        ("<size>0</size>\n    <num_blocks>7</num_blocks>", "<size>3584</size>"),
    ];
    let theirs = corrected.iter().fold(all_documents(), |text, (from, to)| text.replace(from, to));
    let sorted = |text: &str| {
        // Members of a group come as the folder has them.
        let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
        lines.chunk_by_mut(|a, b| a.contains("<address ") && b.contains("<address ")).for_each(<[String]>::sort);
        lines
    };
    assert_eq!(sorted(&theirs), sorted(made_up::EXPECTED));
}

fn listen(event: &str) -> (std::process::Child, Receiver<String>) {
    let mut child = Command::new(DEBIAN_VIRSH)
        .args(["-c", "lxc:///", "nodedev-event", "--event", event, "--loop"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = channel();
    thread::spawn(move || out.lines().map_while(Result::ok).for_each(|line| _ = sender.send(line)));
    (child, lines)
}

/// Does something again and again until a line is heard.
fn provoke(lines: &Receiver<String>, mut act: impl FnMut()) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        act();
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => return line,
            Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => {}
            Err(error) => panic!("nothing is heard: {error}"),
        }
    }
}

#[test]
fn devices_that_come_and_go_are_heard_of() {
    sandbox::require();
    let daemon = Daemon::start();
    let sockets = || {
        let folder = format!("/proc/{}/fd", daemon.pid());
        fs::read_dir(folder).unwrap().flatten().filter_map(|entry| fs::read_link(entry.path()).ok()).collect::<Vec<_>>()
    };
    let before = sockets().len();

    let (mut child, lines) = listen("lifecycle");
    let mut number = 0;
    provoke(&lines, || {
        number += 1;
        shell(&format!("ip link add probe{number} type veth peer name other{number} && ip link del probe{number}"))
            .ok();
    });
    let next = || lines.recv_timeout(PATIENCE).expect("an event");
    let add = "ip link add made0 address 52:54:00:00:00:07 type veth peer name made1 address 52:54:00:00:00:08";
    shell(add).ok();
    let told = |name: &str, what: &str| format!("event 'lifecycle' for node device {name}: {what}");
    let pair = ["net_made0_52_54_00_00_00_07", "net_made1_52_54_00_00_00_08"];
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let line = next();
        if !line.contains("net_probe") && !line.contains("net_other") {
            heard.push(line);
        }
    }
    heard.sort();
    assert_eq!(heard, pair.map(|name| told(name, "Created")));
    debian_virsh(&["nodedev-dumpxml", pair[0]]).ok();
    shell("ip link del made0").ok();
    let mut heard = vec![next(), next()];
    heard.sort();
    assert_eq!(heard, pair.map(|name| told(name, "Deleted")));
    child.kill().unwrap();
    child.wait().unwrap();

    let (mut child, lines) = listen("update");
    let line = provoke(&lines, || fs::write("/sys/class/net/lo/uevent", "change").unwrap());
    assert_eq!(line, "event 'update' for node device net_lo_00_00_00_00_00_00");
    child.kill().unwrap();
    child.wait().unwrap();
    // Nobody listens, so the daemon does not either.
    program::eventually("the watch ends", PATIENCE, || (sockets().len() <= before).then_some(()));
}
