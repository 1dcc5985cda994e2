//! Every folder that the system reads or writes, as one value, so that several daemons can live side by side.

use std::path::{Path, PathBuf};

/// The folders of one installation. `Paths::system()` is libvirt's layout; `Paths::under(dir)` moves
/// state, run, log and configuration below `dir` (what is the machine's own stays: `/proc`, `/sys`, …).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Empty for the system's own layout; what `--root` gave otherwise.
    pub root: PathBuf,
    /// `/etc/libvirt`
    pub etc: PathBuf,
    /// `/run/libvirt`
    pub run: PathBuf,
    /// `/var/log/libvirt`
    pub log: PathBuf,
    /// `/var/lib/libvirt`
    pub lib: PathBuf,
    pub proc: PathBuf,
    pub sys: PathBuf,
    /// udevd's, `/run/udev`
    pub udev: PathBuf,
    /// Data that programs share, `/usr/share`
    pub share: PathBuf,
}

impl Paths {
    pub fn system() -> Paths {
        Paths::under(Path::new(""))
    }

    pub fn under(root: &Path) -> Paths {
        let at = |path: &str| if root.as_os_str().is_empty() { PathBuf::from(path) } else { root.join(&path[1..]) };
        Paths {
            root: root.to_path_buf(),
            etc: at("/etc/libvirt"),
            run: at("/run/libvirt"),
            log: at("/var/log/libvirt"),
            lib: at("/var/lib/libvirt"),
            proc: PathBuf::from("/proc"),
            sys: PathBuf::from("/sys"),
            udev: PathBuf::from("/run/udev"),
            share: PathBuf::from("/usr/share"),
        }
    }

    /// The folder of pid files, `/run`.
    pub fn pid_dir(&self) -> PathBuf {
        self.run.parent().map(Path::to_path_buf).unwrap_or_default()
    }

    /// `/etc/subuid` or `/etc/subgid`: ids that are set aside for user namespaces.
    pub fn subordinate_ids(&self, file: &str) -> PathBuf {
        self.etc.parent().map(Path::to_path_buf).unwrap_or_default().join(file)
    }

    /// Persistent domain documents, `NAME.xml`, and `autostart/`.
    pub fn domains(&self) -> PathBuf {
        self.etc.join("lxc")
    }

    /// Running domains: `NAME.xml` (status), `NAME.pid`, `NAME.sock`.
    pub fn domain_state(&self) -> PathBuf {
        self.run.join("lxc")
    }

    /// `NAME.log` of each domain.
    pub fn domain_logs(&self) -> PathBuf {
        self.log.join("lxc")
    }

    /// Persistent network documents, `NAME.xml`, and `autostart/`. The folder is qemu's for all drivers.
    pub fn networks(&self) -> PathBuf {
        self.etc.join("qemu/networks")
    }

    /// Running networks: `NAME.xml` (status), `NAME.pid`, `NAME/ports/UUID.xml`.
    pub fn network_state(&self) -> PathBuf {
        self.run.join("network")
    }

    /// dnsmasq's configuration, host files and leases.
    pub fn dnsmasq(&self) -> PathBuf {
        self.lib.join("dnsmasq")
    }

    pub fn hooks(&self) -> PathBuf {
        self.etc.join("hooks")
    }

    pub fn socket(&self, name: &str) -> PathBuf {
        self.run.join(name)
    }
}
