//! A whole Debian as debootstrap makes it: systemd boots to the end in a container, no unit fails, and it shuts down when it is told to.

use crate::guest::Guest;
use crate::leftovers::Leftovers;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::interface;
use tests::program::{self, PATIENCE, eventually, ours};
use tests::sandbox;
use tests::terminal::Terminal;

const ROOT: &str = "/opt/debian";
/// Some sixty units, on a machine that may be busy.
const BOOT: Duration = Duration::from_secs(180);

fn unpack() {
    let images = std::env::var_os("VIRTLXC_IMAGES").expect("`cargo xtask test whole` names the folder of images");
    fs::create_dir_all(ROOT).unwrap();
    let mut tar = Command::new("tar");
    tar.args(["-C", ROOT, "-xf"]).arg(Path::new(&images).join("debian.tar"));
    program::finish(tar, b"", BOOT).ok();
    fs::write(format!("{ROOT}/etc/hostname"), "debian\n").unwrap();
    fs::write(format!("{ROOT}/etc/network/interfaces.d/eth0"), "auto eth0\niface eth0 inet dhcp\n").unwrap();
}

#[test]
fn debian_root_boots_to_running() {
    sandbox::require();
    unpack();
    boots_and_ends("");
}

/// The files stay as they are: their owners are mapped by the mount.
#[test]
fn debian_root_boots_with_ids_of_its_own() {
    sandbox::require();
    // The sandbox's own file system cannot map owners.
    let image = "/opt/debian.img";
    let make = format!(
        "mkdir -p {ROOT} && truncate -s 2G {image} && mkfs.ext4 -q {image} && mount -o loop {image} {ROOT} && rmdir \
         {ROOT}/lost+found"
    );
    program::shell(&make).ok();
    unpack();
    boots_and_ends(
        "<idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='200000' count='65536'/></idmap>",
    );
    let owner = |path: &str| fs::metadata(format!("{ROOT}{path}")).map(|found| (found.uid(), found.gid())).unwrap();
    assert_eq!((owner("/etc/hostname"), owner("/var/log/journal")), ((0, 0), (0, 999)));
}

fn boots_and_ends(more: &str) {
    let _daemon = Daemon::start();
    let before = Leftovers::now();
    let document = format!(
        "<domain type='lxc'><name>debian</name><memory unit='MiB'>512</memory>\
         <os><type>exe</type><init>/sbin/init</init></os>{more}<devices>\
         <filesystem type='mount'><source dir='{ROOT}'/><target dir='/'/></filesystem>{}\
         <console type='pty'/></devices></domain>",
        interface("default")
    );
    virsh(&["define", &file("debian.xml", &document)]).ok();
    virsh(&["start", "debian"]).ok();
    let guest = Guest::of("debian");

    let mut command = Command::new(ours("virsh"));
    command.args(["console", "debian"]);
    let mut console = Terminal::start(&mut command).unwrap();
    console.expect("login: ", BOOT).unwrap();
    console.type_in("\u{1d}").unwrap();
    assert_eq!(console.wait(PATIENCE), Some(0));

    let state = guest.patient_shell("systemctl is-system-running --wait", BOOT);
    let failed = guest.shell("systemctl --failed --no-legend --plain").ok();
    let journal = || guest.shell("journalctl -b -p warning --no-pager | tail -n 40").out;
    assert_eq!((state.out.as_str(), failed.as_str()), ("running\n", ""), "{}", journal());
    assert!(guest.shell("ip -o -4 addr show dev eth0").ok().contains("192.168.122."), "{}", journal());
    assert_eq!(guest.shell("systemd-detect-virt").ok(), "lxc-libvirt\n");

    virsh(&["shutdown", "debian"]).ok();
    eventually("it has shut down", BOOT, || {
        (virsh(&["domstate", "--reason", "debian"]).ok().trim() == "shut off (shutdown)").then_some(())
    });
    before.assert_none_since();
}
