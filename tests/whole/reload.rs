//! SIGHUP: what has changed in the files of settings holds from then on; a mistake changes nothing.

use crate::nursery::nursery;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{self, PATIENCE, eventually};
use tests::sandbox;

/// Where [`Daemon`] has its settings.
const SETTINGS: &str = "/etc/virtlxcd-test.conf";
const OF_LXC: &str = "/etc/libvirt/lxc.conf";

/// Adds these lines to the settings, has them read, and waits until the log has these words once more.
fn reload(daemon: &Daemon, lines: &str, words: &str) {
    let usual = "log_level = 1\nlog_outputs = \"1:file:/var/log/virtlxcd.log\"\n";
    fs::write(SETTINGS, format!("{usual}{lines}")).unwrap();
    let count = || daemon.log().matches(words).count();
    let before = count();
    program::kill(daemon.pid(), Signal::HUP);
    eventually(&format!("the log says: {words}"), PATIENCE, || (count() > before).then_some(()));
}

fn admin(command: &str) -> Vec<String> {
    let text = program::run("/usr/bin/virt-admin", &["-c", "virtlxcd:///system", command, "virtlxcd"]).ok();
    text.split_whitespace().map(str::to_string).collect()
}

#[track_caller]
fn shows(command: &str, name: &str, value: &str) {
    let words = admin(command);
    let found = words.windows(3).any(|three| three[0] == name && three[1] == ":" && three[2] == value);
    assert!(found, "{name} is not {value}: {words:?}");
}

fn mode_and_group(socket: &str) -> (u32, u32) {
    let about = fs::symlink_metadata(format!("/run/libvirt/{socket}")).unwrap();
    (about.mode() & 0o777, about.gid())
}

#[test]
fn settings_hold_at_once() {
    sandbox::require();
    let daemon = Daemon::start();
    let read = "settings read again";
    reload(
        &daemon,
        "copy_controllers = 1\n",
        "settings read again from '/etc/virtlxcd-test.conf': nothing has changed",
    );
    let numbers = "max_clients = 70\nmax_anonymous_clients = 9\nmin_workers = 2\nmax_workers = 7\nprio_workers = 3\n";
    reload(&daemon, numbers, read);
    shows("srv-clients-info", "nclients_max", "70");
    shows("srv-clients-info", "nclients_unauth_max", "9");
    for (name, value) in [("minWorkers", "2"), ("maxWorkers", "7"), ("prioWorkers", "3")] {
        shows("srv-threadpool-info", name, value);
    }
    // What an administrator has changed stays while the file says the same.
    program::run(
        "/usr/bin/virt-admin",
        &["-c", "virtlxcd:///system", "srv-clients-set", "virtlxcd", "--max-clients", "60"],
    )
    .ok();
    reload(&daemon, &format!("{numbers}keepalive_interval = 7\n"), ": keepalive_interval\n");
    shows("srv-clients-info", "nclients_max", "60");

    let set = |command: &str, arguments: &[&str]| {
        let start = ["-c", "virtlxcd:///system", command];
        program::run("/usr/bin/virt-admin", &[&start, arguments].concat()).ok()
    };
    set("srv-clients-set", &["virtlxcd", "--max-unauth-clients", "11"]);
    reload(&daemon, &format!("{numbers}admin_max_clients = 15\n"), ": keepalive_interval, admin_max_clients\n");
    shows("srv-clients-info", "nclients_unauth_max", "11");

    // The log, where the file says nothing else; what was moved away is opened anew.
    let (own, theirs) = ("1:file:/var/log/virtlxcd.log", "1:file:/var/log/more.log");
    set("daemon-log-outputs", &["--outputs", &format!("{own} {theirs}")]);
    set("daemon-log-filters", &["--filters", "4:nothing"]);
    fs::rename("/var/log/more.log", "/var/log/more.log.1").unwrap();
    reload(&daemon, numbers, ": admin_max_clients\n");
    let shown = |command: &str| set(command, &[]).trim().to_string();
    assert!(shown("daemon-log-outputs").ends_with(&format!("{own} {theirs}")), "{}", shown("daemon-log-outputs"));
    assert!(shown("daemon-log-filters").ends_with("4:nothing"), "{}", shown("daemon-log-filters"));
    assert!(fs::read_to_string("/var/log/more.log").unwrap().contains("settings read again"));
    reload(&daemon, "log_filters = \"3:nobody\"\n", read);
    assert!(shown("daemon-log-filters").ends_with("3:nobody"), "{}", shown("daemon-log-filters"));
    assert!(shown("daemon-log-outputs").ends_with(&format!("{own} {theirs}")), "{}", shown("daemon-log-outputs"));

    // Sockets.
    let group: u32 = program::shell("getent group daemon | cut -d: -f3").ok().trim().parse().unwrap();
    let sockets = "unix_sock_group = \"daemon\"\nunix_sock_rw_perms = \"0770\"\nunix_sock_ro_perms = \"0775\"\n\
                   unix_sock_admin_perms = \"0750\"\n";
    reload(&daemon, sockets, read);
    for (socket, mode) in [
        ("virtlxcd-sock", 0o770),
        ("virtlxcd-sock-ro", 0o775),
        ("virtlxcd-admin-sock", 0o750),
        ("libvirt-sock", 0o770),
        ("libvirt-sock-ro", 0o775),
    ] {
        assert_eq!(mode_and_group(socket), (mode, group), "{socket}");
    }
    reload(&daemon, "", read);
    assert_eq!(mode_and_group("virtlxcd-sock"), (0o700, 0));

    // What holds from the next start on is named, each time.
    let later = "unix_sock_dir = \"/run/elsewhere\"\nhost_uuid = \"12345678-1234-1234-1234-123456789012\"\n";
    for name in ["unix_sock_dir", "host_uuid"] {
        reload(&daemon, later, &format!("{name} has changed: that holds from the next start on"));
    }
    assert!(!Path::new("/run/elsewhere").exists());
    virsh(&["list"]).ok();
}

#[test]
fn a_mistake_changes_nothing() {
    sandbox::require();
    let daemon = Daemon::start();
    fs::create_dir_all("/etc/libvirt").unwrap();
    let stay = "the settings stay as they were: ";
    for (lines, why) in [
        ("max_clients = 70\nmax_clients = \"7\"\n", "/etc/virtlxcd-test.conf:4: max_clients expects a whole number"),
        ("max_clients = 70\nmax_client = 7\n", "/etc/virtlxcd-test.conf:4: there is no setting 'max_client'"),
        (
            "max_clients = 70\nunix_sock_group = \"nobody-here\"\n",
            "/etc/virtlxcd-test.conf:4: configuration file syntax error: unix_sock_group",
        ),
        (
            "max_clients = 70\n\nlog_outputs = \"1:file:/nowhere/log\"\n",
            "/etc/virtlxcd-test.conf:5: log output '1:file:/nowhere/log': No such file or directory",
        ),
    ] {
        reload(&daemon, lines, &format!("{stay}{why}"));
    }
    fs::write(OF_LXC, "\nsecurity_driver = 5\n").unwrap();
    reload(&daemon, "max_clients = 70\n", &format!("{stay}{OF_LXC}:2: security_driver expects"));
    fs::remove_file(SETTINGS).unwrap();
    program::kill(daemon.pid(), Signal::HUP);
    eventually("a file that is gone is told", PATIENCE, || {
        daemon.log().contains(&format!("{stay}cannot read '{SETTINGS}': No such file or directory")).then_some(())
    });
    shows("srv-clients-info", "nclients_max", "5000");
    virsh(&["list"]).ok();
}

#[test]
fn containers_follow_new_settings() {
    sandbox::require();
    let daemon = Daemon::start();
    let read = "settings read again";
    image::busybox(Path::new("/opt/box"), "exec sleep 100000").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", "/opt/box", &["/init"], ""))]).ok();
    virsh(&["start", "box"]).ok();
    let process = nursery(None);
    virsh(&["destroy", "box"]).ok();
    assert!(!daemon.log().contains("audit: "));

    reload(&daemon, "copy_controllers = 0\naudit_logging = 1\n", ": audit_logging, copy_controllers\n");
    assert!(program::ended_within(process, PATIENCE), "the process that controllers were copied from stays");
    virsh(&["start", "box"]).ok();
    assert!(daemon.log().contains("audit: virt=lxc op=start reason=booted vm=\"box\""), "no record in the log");
    virsh(&["destroy", "box"]).ok();

    fs::create_dir_all("/etc/libvirt").unwrap();
    fs::write(OF_LXC, "security_require_confined = 1\n").unwrap();
    reload(&daemon, "", ": audit_logging, copy_controllers, lxc.conf\n");
    let complaint = virsh(&["start", "box"]).failure();
    assert!(complaint.contains("Unconfined guests are not allowed on this host"), "{complaint}");
    fs::remove_file(OF_LXC).unwrap();
    reload(&daemon, "", read);
    virsh(&["start", "box"]).ok();
    nursery(None);
}
