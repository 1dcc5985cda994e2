//! Guests that want more than a command in them: our program through `/proc`, a terminal that is none, a command that is a trap.

use super::{ROOT, exec, nothing_is_left, running};
use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, virsh};
use tests::image;
use tests::program::{self, PATIENCE, eventually, ours};
use tests::sandbox;

fn programs() -> Vec<Vec<u8>> {
    ["libvirt_lxc", "virtlxcd", "virsh"].map(|name| fs::read(ours(name)).unwrap()).to_vec()
}

/// CVE-2019-5736: the guest makes the runtime execute itself, or waits for it, and writes to the machine's program.
#[test]
fn a_guest_cannot_overwrite_the_program_that_enters_it() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    let before = programs();
    let watcher = "while :; do for exe in /proc/[0-9]*/exe; do \
                   case $(readlink $exe) in /bin/busybox|'') ;; *) readlink $exe >> /seen; \
                   echo spoilt 2>/dev/null >> $exe && echo $exe >> /written;; esac; done; done";
    let watching = virsh(&["exec", "box", "--", "sh", "-c", &format!("({watcher}) >/dev/null 2>&1 & echo on")]);
    assert_eq!(watching.ok(), "on\n");
    image::script(&Path::new(ROOT).join("trap"), "").unwrap();
    fs::write(Path::new(ROOT).join("trap"), "#!/proc/self/exe --inside box\n").unwrap();
    for _ in 0..30 {
        let said = virsh(&["exec", "box", "--", "/trap"]);
        assert_ne!(said.code, 0, "{said}");
        let said = virsh(&["exec", "box", "--", "/proc/self/exe"]);
        assert_ne!(said.code, 0, "{said}");
        assert_eq!(exec(&[], "echo fine").ok(), "fine\n");
    }
    assert!(!Path::new(ROOT).join("written").exists(), "{:?}", fs::read_to_string(Path::new(ROOT).join("written")));
    assert_eq!(programs(), before);
    nothing_is_left();
}

#[test]
fn a_shell_that_is_a_trap_is_the_guests_own_matter() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    fs::remove_file(Path::new(ROOT).join("bin/sh")).unwrap();
    image::script(&Path::new(ROOT).join("bin/sh"), "").unwrap();
    fs::write(Path::new(ROOT).join("bin/sh"), "#!/bin/sh\n").unwrap();
    let said = virsh(&["exec", "box", "--", "sh", "-c", "true"]);
    assert_eq!(said.code, 126, "{said}");
    assert_eq!(virsh(&["exec", "box", "--", "busybox", "echo", "fine"]).ok(), "fine\n");
}

#[test]
fn what_stands_in_the_place_of_a_file_holds_nobody_up() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    // A pipe without another end, where users are looked for.
    exec(&[], "rm /etc/passwd; mkfifo /etc/passwd").ok();
    let said = virsh(&["exec", "box", "--user", "bob", "--", "id"]);
    assert!(said.failure().contains("/etc/passwd in the container is not a file"));
    assert_eq!(exec(&[], "echo fine").ok(), "fine\n");
    // Terminals that are none.
    exec(&[], "mount -t tmpfs none /dev/pts && mkfifo /dev/pts/ptmx").ok();
    let said = virsh(&["exec", "box", "--tty", "--", "id"]);
    assert!(said.failure().contains("/dev/pts is not a file system of terminals"));
    nothing_is_left();
}

/// It writes without end, to a client that does not read and then is gone.
#[test]
fn a_flood_ends_with_its_client() {
    sandbox::require();
    let daemon = Daemon::start();
    running();
    let mut child = super::start(&["--", "yes"], std::process::Stdio::null());
    eventually("it floods", PATIENCE, || (program::shell("pgrep -x yes").code == 0).then_some(()));
    assert_eq!(exec(&[], "echo fine").ok(), "fine\n");
    child.kill().unwrap();
    child.wait().unwrap();
    nothing_is_left();
    assert!(daemon.is_alive());
}
