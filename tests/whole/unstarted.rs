//! A daemon that cannot start says why in one line, in the foreground and in the background, and leaves nothing behind.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use tests::daemon::{Daemon, file, virsh};
use tests::program::{self, PATIENCE, finish, ours};
use tests::sandbox;

/// What it says, the same in both ways.
#[track_caller]
fn complaint(arguments: &[&str]) -> String {
    let said = [&[][..], &["-d"]].map(|way| {
        let outcome = program::run(ours("virtlxcd"), &[way, arguments].concat());
        assert_eq!((outcome.code, outcome.out.as_str()), (1, ""), "{outcome}");
        outcome.err
    });
    assert_eq!(said[0], said[1]);
    let [said, _] = said;
    assert!(said.starts_with("virtlxcd: ") && said.lines().count() == 1, "{said}");
    said.trim_start_matches("virtlxcd: ").trim_end().to_string()
}

#[test]
fn each_reason_is_one_line() {
    sandbox::require();
    assert_eq!(complaint(&["--frobnicate"]), "unknown option '--frobnicate'; --help lists them");
    assert_eq!(complaint(&["--timeout", "soon"]), "timeout 'soon' is not a number of seconds");
    assert_eq!(complaint(&["--pid-file"]), "option '--pid-file' requires an argument");
    assert_eq!(complaint(&["--config", "/nowhere"]), "cannot read '/nowhere': No such file or directory");
    assert_eq!(complaint(&["--config", "/tmp"]), "cannot read '/tmp': Is a directory");
    for (text, why) in [
        (&b"\nmax_clients = many\n"[..], "2: expected a number, a \"string\" or a [list]"),
        (b"max_clients = 1\nmax_client = 1\n", "2: there is no setting 'max_client'"),
        (b"# \xff\n", "1: the file is not UTF-8"),
        (
            b"\n\nlog_filters = \"rpc\"\n",
            "3: Malformed format for filter 'rpc': expected LEVEL:NAME, LEVEL being 1 to 4",
        ),
    ] {
        fs::write("/tmp/settings.conf", text).unwrap();
        assert_eq!(complaint(&["--config", "/tmp/settings.conf"]), format!("/tmp/settings.conf:{why}"));
    }
    for (text, why) in [
        (
            "log_outputs = \"1:file:/nowhere/log\"",
            "/tmp/settings.conf:1: log output '1:file:/nowhere/log': No such file or directory",
        ),
        (
            "unix_sock_group = \"nobody-here\"",
            "configuration file syntax error: unix_sock_group: no group 'nobody-here'",
        ),
    ] {
        assert_eq!(complaint(&["--config", &file("settings.conf", text)]), why);
    }
    let folder = "/run/somewhere";
    fs::create_dir(folder).unwrap();
    assert_eq!(complaint(&["-p", folder]), format!("Failed to acquire pid file '{folder}': Is a directory"));
    for path in ["/run/virtlxcd.pid", "/run/libvirt/virtlxcd-sock", "/run/libvirt/lxc/driver.pid"] {
        assert!(!Path::new(path).exists(), "{path} was left");
    }
}

#[test]
fn only_root_runs_it() {
    sandbox::require();
    // Where it was built there may be nothing for others to see.
    fs::copy(ours("virtlxcd"), "/tmp/virtlxcd").unwrap();
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "/tmp/virtlxcd"];
    let said = program::run("setpriv", &nobody).failure();
    assert!(said.starts_with("virtlxcd: only root can run it") && said.lines().count() == 1, "{said}");
}

#[test]
fn what_another_has_is_not_taken() {
    sandbox::require();
    let log = "/var/log/other.log";
    let settings = file("settings.conf", &format!("log_outputs = \"1:file:{log}\"\n"));
    fs::create_dir_all("/run/libvirt").unwrap();
    let socket = "/run/libvirt/virtlxcd-sock";
    fs::write(socket, "kept").unwrap();
    let why = format!("Failed to bind socket to '{socket}': what is there is no socket");
    assert_eq!(complaint(&["--config", &settings]), why);
    assert_eq!(fs::read_to_string(socket).unwrap(), "kept");
    fs::remove_file(socket).unwrap();
    let other = UnixListener::bind(socket).unwrap();
    let why = format!("Failed to bind socket to '{socket}': process {} serves it already", std::process::id());
    assert_eq!(complaint(&["--config", &settings]), why);
    assert!(fs::read_to_string(log).unwrap().contains(&format!("error : {why}\n")), "the log does not say so");
    drop(other);
    // Nobody listens there any more: it is taken away.
    let daemon = Daemon::start();
    let running = format!("another daemon is running (process {})", daemon.pid());
    let locked = |path: &str| format!("Failed to acquire pid file '{path}': {running}");
    assert_eq!(complaint(&["--config", &settings]), locked("/run/virtlxcd.pid"));
    let own = ["--config", &settings, "-p", "/run/other.pid"];
    assert_eq!(complaint(&own), locked("/run/libvirt/lxc/driver.pid"));
    virsh(&["list"]).ok();
}

#[test]
fn files_are_named_from_where_it_is_started() {
    sandbox::require();
    file("here.conf", "log_outputs = \"1:file:/var/log/here.log\"\n");
    let mut command = Command::new(ours("virtlxcd"));
    command.args(["-d", "-f", "here.conf", "-p", "here.pid", "--root", "here"]).current_dir("/tmp");
    finish(command, b"", PATIENCE).ok();
    let pid: u32 = fs::read_to_string("/tmp/here.pid").unwrap().trim().parse().unwrap();
    let uri = "lxc+unix:///system?socket=/tmp/here/run/libvirt/virtlxcd-sock";
    virsh(&["-c", uri, "list"]).ok();
    program::kill(pid, rustix::process::Signal::TERM);
    assert!(program::ended_within(pid, PATIENCE), "it does not end");
}
