//! Daemons, ours and Debian's, in the sandbox.

use crate::program::{self, Outcome, PATIENCE, ours};
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Debian's client, driven against ours.
pub const DEBIAN_VIRSH: &str = "/usr/bin/virsh";

/// A running `virtlxcd`; told to end when dropped.
pub struct Daemon {
    root: PathBuf,
    pid: u32,
}

impl Daemon {
    /// On the system's paths.
    pub fn start() -> Daemon {
        Daemon::start_in(Path::new(""), &[])
    }

    /// With its folders below `root`, unless that is empty.
    pub fn start_in(root: &Path, arguments: &[&str]) -> Daemon {
        Daemon::start_by(&[], root, arguments, true)
    }

    /// By another program, whose last arguments are the command of the daemon. Who counts the steps of a start has those of its
    /// controller's load among them, where controllers are not copied.
    pub fn start_by(launcher: &[&str], root: &Path, arguments: &[&str], copies_controllers: bool) -> Daemon {
        let at = |path: &str| if root.as_os_str().is_empty() { PathBuf::from(path) } else { root.join(&path[1..]) };
        let config = at("/etc/virtlxcd-test.conf");
        fs::create_dir_all(at("/etc")).unwrap();
        fs::create_dir_all(at("/var/log")).unwrap();
        let log = at("/var/log/virtlxcd.log");
        let copied = u8::from(copies_controllers);
        let settings =
            format!("log_level = 1\nlog_outputs = \"1:file:{}\"\ncopy_controllers = {copied}\n", log.display());
        fs::write(&config, settings).unwrap();
        let program = ours("virtlxcd");
        let mut command = match launcher {
            [] => Command::new(program),
            [launcher, before @ ..] => {
                let mut command = Command::new(launcher);
                command.args(before).arg(program);
                command
            }
        };
        command.arg("-d").arg("--config").arg(&config).args(arguments);
        if !root.as_os_str().is_empty() {
            command.arg("--root").arg(root);
        }
        // In the background once it is ready to serve.
        program::finish(command, b"", PATIENCE).ok();
        let pid = fs::read_to_string(at("/run/virtlxcd.pid")).unwrap();
        Daemon { root: root.to_path_buf(), pid: pid.trim().parse().unwrap() }
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where this daemon has what the system has at `path`.
    pub fn path(&self, path: &str) -> PathBuf {
        if self.root.as_os_str().is_empty() {
            PathBuf::from(path)
        } else {
            self.root.join(path.trim_start_matches('/'))
        }
    }

    pub fn uri(&self) -> String {
        if self.root.as_os_str().is_empty() {
            return "lxc:///".into();
        }
        format!("lxc+unix:///system?socket={}", self.path("/run/libvirt/virtlxcd-sock").display())
    }

    /// Ends it as a power cut would: no handler runs.
    pub fn kill(self) {
        program::kill(self.pid, Signal::KILL);
        assert!(program::ended_within(self.pid, PATIENCE), "virtlxcd survives SIGKILL");
    }

    pub fn is_alive(&self) -> bool {
        !program::ended_within(self.pid, Duration::ZERO)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("/var/log/virtlxcd.log")).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        program::kill(self.pid, Signal::TERM);
        program::ended_within(self.pid, PATIENCE);
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log());
        }
    }
}

/// Debian's `libvirtd` 9, with its LXC and network drivers only, on the system's paths.
pub struct Libvirtd {
    child: std::process::Child,
}

impl Libvirtd {
    pub fn start() -> Libvirtd {
        Libvirtd::start_with(&[])
    }

    /// With these variables in its environment.
    pub fn start_with(variables: &[(&str, &str)]) -> Libvirtd {
        hide_cgroup2();
        // In the sandbox's own copy: that driver fails to start here, and takes libvirtd with it.
        let found = program::shell("find /usr/lib -name libvirt_driver_qemu.so").ok();
        for driver in found.lines() {
            fs::remove_file(driver).unwrap();
        }
        fs::create_dir_all("/run/libvirt").unwrap();
        let log = fs::File::create("/var/log/libvirtd.log").unwrap();
        let mut command = Command::new("/usr/sbin/libvirtd");
        command.envs(variables.iter().copied()).stderr(log);
        let child = command.spawn().expect("Debian's package libvirt-daemon is needed");
        let libvirtd = Libvirtd { child };
        let uri = || program::run(DEBIAN_VIRSH, &["-c", "lxc:///", "uri"]);
        program::eventually("Debian's libvirtd answers", PATIENCE, || (uri().code == 0).then_some(()));
        libvirtd
    }
}

impl Drop for Libvirtd {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// libvirt 9.0.0 cannot start a container while cgroup v1 and v2 are both mounted.
pub fn hide_cgroup2() {
    program::shell("umount /sys/fs/cgroup/unified && rmdir /sys/fs/cgroup/unified");
}

/// Our `virsh`.
pub fn virsh(arguments: &[&str]) -> Outcome {
    program::run(ours("virsh"), arguments)
}

/// Debian's `virsh` 9.0.0, on an LXC connection.
pub fn debian_virsh(arguments: &[&str]) -> Outcome {
    let all: Vec<&str> = ["-c", "lxc:///"].iter().chain(arguments).copied().collect();
    program::run(DEBIAN_VIRSH, &all)
}

/// A file in `/tmp` with this content.
pub fn file(name: &str, content: &str) -> String {
    let path = format!("/tmp/{name}");
    fs::write(&path, content).unwrap();
    path
}
