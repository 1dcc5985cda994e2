//! Files of settings: what they change, what is refused with file and line, and where the daemon's log goes.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{self, PATIENCE, eventually, ours};
use tests::sandbox;

#[test]
fn a_mistake_is_named_with_file_and_line() {
    sandbox::require();
    fs::create_dir_all("/etc/libvirt").unwrap();
    for (path, text, words) in [
        (
            "/etc/libvirt/lxc.conf",
            "# a comment\nsecurity_driver = 5\n",
            "/etc/libvirt/lxc.conf:2: security_driver expects",
        ),
        ("/etc/libvirt/lxc.conf", "nothing = 1\n", "/etc/libvirt/lxc.conf:1: there is no setting 'nothing'"),
        ("/etc/libvirt/virtlxcd.conf", "\n\nmax_client = 5\n", "/etc/libvirt/virtlxcd.conf:3: there is no setting"),
    ] {
        fs::write(path, text).unwrap();
        let complaint = program::run(ours("virtlxcd"), &["-d"]).failure();
        assert!(complaint.contains(words), "{complaint}");
        fs::remove_file(path).unwrap();
    }
    fs::write("/etc/libvirt/libvirt.conf", "uri_aliases = [ \"here\" ]\n").unwrap();
    let complaint = virsh(&["list"]).failure();
    assert!(complaint.contains("/etc/libvirt/libvirt.conf:1: uri_aliases: 'here' is not of the form"), "{complaint}");
    // It is asked only by those who need an answer.
    for line in [&["help"][..], &["--version"]] {
        virsh(line).ok();
    }
    let _daemon = Daemon::start();
    virsh(&["-c", "lxc:///", "list"]).ok();
    // Other clients have the same file.
    fs::write("/etc/libvirt/libvirt.conf", "remote_mode = \"auto\"\nother = 1\n").unwrap();
    assert_eq!(virsh(&["uri"]).ok().trim(), "lxc:///");
    let remark = "warning: /etc/libvirt/libvirt.conf:2: there is no setting 'other'\n";
    assert_eq!(virsh(&["uri"]).err, remark);
    assert_eq!(virsh(&["-q", "uri"]).err, "");
    fs::write("/etc/libvirt/libvirt.conf", "uri_aliases = [ \"here=lxc:///\" ]\nuri_default = \"here\"\n").unwrap();
    assert_eq!(virsh(&["uri"]).ok().trim(), "lxc:///");
    assert_eq!(virsh(&["-c", "here", "uri"]).ok().trim(), "lxc:///");
}

#[test]
fn lxc_conf_can_refuse_containers_without_a_label() {
    sandbox::require();
    fs::create_dir_all("/etc/libvirt").unwrap();
    fs::write("/etc/libvirt/lxc.conf", "security_driver = \"none\"\nsecurity_require_confined = 1\n").unwrap();
    let _daemon = Daemon::start();
    image::busybox(Path::new("/opt/box"), "exec sleep 1000").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", "/opt/box", &["/init"], ""))]).ok();
    let complaint = virsh(&["start", "box"]).failure();
    assert!(complaint.contains("Unconfined guests are not allowed on this host"), "{complaint}");
}

#[test]
fn the_daemons_log_goes_to_each_output() {
    sandbox::require();
    sandbox::own_devices();
    fs::create_dir_all("/run/systemd/journal").unwrap();
    // Each is read all the while: the kernel keeps few messages.
    let told = ["/dev/log", "/run/systemd/journal/socket"].map(|path| {
        _ = fs::remove_file(path);
        let socket = UnixDatagram::bind(path).unwrap();
        let (sender, told) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length) = socket.recv(&mut bytes) {
                if sender.send(String::from_utf8_lossy(&bytes[..length]).into_owned()).is_err() {
                    break;
                }
            }
        });
        told
    });
    let settings = "log_level = 1\nlog_outputs = \"1:stderr 1:file:/var/log/to-file 1:syslog:lxcd 1:journald\"\n";
    let config = file("outputs.conf", settings);
    let error = fs::File::create("/var/log/to-stderr").unwrap();
    let mut daemon = Command::new(ours("virtlxcd")).args(["--config", &config]).stderr(error).spawn().unwrap();
    for (name, told, parts) in [
        ("syslog", &told[0], &["<30>lxcd[", "is ready"][..]),
        ("journald", &told[1], &["PRIORITY=6", "SYSLOG_IDENTIFIER=virtlxcd", "is ready"]),
    ] {
        let found = || told.try_iter().any(|text| parts.iter().all(|part| text.contains(part)));
        eventually(name, PATIENCE, || found().then_some(()));
    }
    for path in ["/var/log/to-file", "/var/log/to-stderr"] {
        eventually(path, PATIENCE, || fs::read_to_string(path).ok()?.contains("is ready").then_some(()));
    }
    // SIGHUP reads the settings again; a mistake leaves them as they were.
    fs::write(&config, "log_level = 1\nlog_outputs = \"1:file:/var/log/other\"\n").unwrap();
    program::kill(daemon.id(), rustix::process::Signal::HUP);
    let contains = |path: &str, words: &str| fs::read_to_string(path).is_ok_and(|text| text.contains(words));
    eventually("the new output is used", PATIENCE, || contains("/var/log/other", "settings read again").then_some(()));
    fs::write(&config, "log_level = 17\n").unwrap();
    program::kill(daemon.id(), rustix::process::Signal::HUP);
    eventually("a mistake is told", PATIENCE, || {
        contains("/var/log/other", "outputs.conf:1: log_level: 17 is not between").then_some(())
    });
    program::kill(daemon.id(), rustix::process::Signal::TERM);
    daemon.wait().unwrap();
}
