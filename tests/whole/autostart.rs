//! One command on a fresh machine: our virsh starts the daemon where none listens, and that one ends when nobody needs it.

use crate::guest::Guest;
use rustix::process::Signal;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;
use tests::daemon::{Daemon, debian_virsh, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{self, Outcome, PATIENCE, ended_within, eventually, finish, ours};
use tests::sandbox;

const PID_FILE: &str = "/run/virtlxcd.pid";
const SOCKET: &str = "/run/libvirt/virtlxcd-sock";

fn list(virsh: &Path, path: &str) -> Outcome {
    let mut command = Command::new(virsh);
    command.args(["list", "--name"]).env("PATH", path).env_remove("LIBVIRT_DEFAULT_URI");
    finish(command, b"", PATIENCE)
}

/// The daemon that runs, if one does.
fn daemon() -> Option<u32> {
    fs::read_to_string(PID_FILE).ok().map(|text| text.trim().parse().unwrap())
}

/// Ends the daemon, which is there, and tells which program it was.
#[track_caller]
fn end_daemon() -> PathBuf {
    let pid = daemon().expect("no daemon runs");
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap();
    program::kill(pid, Signal::TERM);
    assert!(ended_within(pid, PATIENCE));
    program
}

/// Copies one of our programs into a folder.
fn install(name: &str, folder: &str) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let path = Path::new(folder).join(name);
    fs::copy(ours(name), &path).unwrap();
    path
}

#[test]
fn one_command_suffices() {
    sandbox::require();
    assert!(debian_virsh(&["list"]).failure().contains("Failed to connect socket"));
    assert_eq!(virsh(&["list", "--name"]).ok(), "\n");
    let pid = daemon().unwrap();
    let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    assert!(words.contains("--timeout\u{0}120\u{0}"), "{words:?}");
    // The same one for the next command, and for the client of another make.
    assert_eq!(virsh(&["list", "--name"]).ok(), "\n");
    debian_virsh(&["list"]).ok();
    assert_eq!(daemon(), Some(pid));
    end_daemon();
    // To start a container too; one that a daemon left behind by its end is found again by the next.
    image::busybox(Path::new("/opt/box"), "exec sleep 1000").unwrap();
    virsh(&["create", &file("box.xml", &domain("box", "/opt/box", &["/init"], ""))]).ok();
    let before = Guest::of("box");
    end_daemon();
    assert_eq!(Guest::of("box").init, before.init);
    virsh(&["destroy", "box"]).ok();
    end_daemon();
}

#[test]
fn it_is_looked_for_beside_virsh_then_on_the_path() {
    sandbox::require();
    let client = install("virsh", "/opt/client");
    let path = "/opt/path:/usr/bin:/bin";
    let said = list(&client, path).failure();
    assert!(said.contains("Failed to connect socket to '/var/run/libvirt/virtlxcd-sock': No such file"), "{said}");
    let on_path = install("virtlxcd", "/opt/path");
    assert_eq!(list(&client, path).ok(), "\n");
    assert_eq!(end_daemon(), on_path);
    let beside = install("virtlxcd", "/opt/client");
    assert_eq!(list(&client, path).ok(), "\n");
    assert_eq!(end_daemon(), beside);
}

#[test]
fn it_is_started_only_for_root_who_lets_it() {
    sandbox::require();
    let refused = |command: Command, complaint: &str| {
        let said = finish(command, b"", PATIENCE).failure();
        assert!(said.starts_with("error: failed to connect to the hypervisor\nerror: "), "{said}");
        assert!(said.contains(complaint), "{said}");
        assert_eq!(program::shell("pgrep -x virtlxcd").out, "");
        assert!(!Path::new(PID_FILE).exists() && !Path::new(SOCKET).exists());
    };
    let mut forbidden = Command::new(ours("virsh"));
    forbidden.arg("list").env("LIBVIRT_AUTOSTART", "0");
    refused(forbidden, "Failed to connect socket to '/var/run/libvirt/virtlxcd-sock': No such file or directory");
    // In a folder that a user may enter.
    let client = install("virsh", "/opt/client");
    install("virtlxcd", "/opt/client");
    let mut by_user = Command::new("setpriv");
    by_user.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&client).arg("list");
    refused(by_user, "/run/libvirt/virtlxcd-sock': No such file or directory");
    // A daemon with folders of its own is not ours to start.
    let mut elsewhere = Command::new(ours("virsh"));
    elsewhere.args(["-c", "lxc+unix:///system?socket=/run/elsewhere", "list"]);
    refused(elsewhere, "Failed to connect socket to '/run/elsewhere': No such file or directory");

    // Who may only read starts it all the same, once it is root.
    assert_eq!(virsh(&["-r", "list", "--name"]).ok(), "\n");
    end_daemon();
}

#[test]
fn why_it_does_not_start_is_told() {
    sandbox::require();
    fs::create_dir_all("/etc/libvirt").unwrap();
    fs::write("/etc/libvirt/virtlxcd.conf", "max_clients = much\n").unwrap();
    let said = virsh(&["list"]).failure();
    assert!(said.contains("error: cannot start '") && said.contains("virtlxcd.conf"), "{said}");
}

#[test]
fn clients_that_come_at_once_find_one() {
    sandbox::require();
    let clients: Vec<_> = (0..8).map(|_| thread::spawn(|| virsh(&["list", "--name"]))).collect();
    for client in clients {
        assert_eq!(client.join().unwrap().ok(), "\n");
    }
    // Who came too late to listen ends, though nobody waits for that.
    eventually("one daemon is left", PATIENCE, || (program::shell("pgrep -x -c virtlxcd").out == "1\n").then_some(()));
}

#[test]
fn it_ends_when_nobody_needs_it() {
    sandbox::require();
    image::busybox(Path::new("/opt/box"), "exec sleep 1000").unwrap();
    // A client comes as soon as somebody listens, and keeps it until we are so far, however busy the machine is.
    let start = || {
        let client = thread::spawn(|| eventually("it listens", PATIENCE, || UnixStream::connect(SOCKET).ok()));
        let daemon = Daemon::start_in(Path::new(""), &["--timeout", "1"]);
        (daemon, client.join().unwrap())
    };
    let long = Duration::from_secs(3);
    let (daemon, client) = start();
    assert!(!ended_within(daemon.pid(), long), "it leaves a client");
    drop(client);
    assert!(ended_within(daemon.pid(), PATIENCE), "it stays though the client has left");
    assert!(!Path::new(PID_FILE).exists());
    drop(daemon);

    let (daemon, client) = start();
    virsh(&["create", &file("box.xml", &domain("box", "/opt/box", &["/init"], ""))]).ok();
    drop(client);
    assert!(!ended_within(daemon.pid(), long), "it leaves a container");
    virsh(&["destroy", "box"]).ok();
    assert!(ended_within(daemon.pid(), PATIENCE), "it stays though the container has ended");
    drop(daemon);

    // Nobody comes at all.
    let mut alone = Command::new(ours("virtlxcd"));
    let mut alone = alone.args(["--timeout", "1"]).spawn().unwrap();
    assert!(ended_within(alone.id(), PATIENCE), "it stays without a client");
    assert!(alone.wait().unwrap().success());
}
