//! Files of the networks: where they are, and how they are written so that none is ever half there.

use api::{Error, ErrorDomain, Paths, Result, Uuid};
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The folders of one daemon's networks.
#[derive(Debug, Clone)]
pub struct Files {
    config: PathBuf,
    run: PathBuf,
    dnsmasq: PathBuf,
}

impl Files {
    pub fn new(paths: &Paths) -> Files {
        Files { config: paths.networks(), run: paths.network_state(), dnsmasq: paths.dnsmasq() }
    }

    pub fn config(&self) -> &Path {
        &self.config
    }

    pub fn run(&self) -> &Path {
        &self.run
    }

    pub fn dnsmasq(&self) -> &Path {
        &self.dnsmasq
    }

    pub fn definition(&self, network: &str) -> PathBuf {
        self.config.join(format!("{network}.xml"))
    }

    pub fn autostart_folder(&self) -> PathBuf {
        self.config.join("autostart")
    }

    pub fn autostart(&self, network: &str) -> PathBuf {
        self.autostart_folder().join(format!("{network}.xml"))
    }

    /// There once autostart was done after a boot.
    pub fn autostarted(&self) -> PathBuf {
        self.run.join("autostarted")
    }

    pub fn status(&self, network: &str) -> PathBuf {
        self.run.join(format!("{network}.xml"))
    }

    pub fn dnsmasq_pid(&self, network: &str) -> PathBuf {
        self.run.join(format!("{network}.pid"))
    }

    pub fn ports(&self, network: &str) -> PathBuf {
        self.run.join(network).join("ports")
    }

    pub fn port(&self, network: &str, port: &Uuid) -> PathBuf {
        self.ports(network).join(format!("{port}.xml"))
    }

    pub fn dnsmasq_config(&self, network: &str) -> PathBuf {
        self.dnsmasq.join(format!("{network}.conf"))
    }

    pub fn hosts_file(&self, network: &str) -> PathBuf {
        self.dnsmasq.join(format!("{network}.hostsfile"))
    }

    pub fn added_hosts(&self, network: &str) -> PathBuf {
        self.dnsmasq.join(format!("{network}.addnhosts"))
    }

    pub fn leases(&self, network: &str) -> PathBuf {
        self.dnsmasq.join(format!("{network}.leases"))
    }

    /// Where libvirt's own helper keeps the leases of a bridge.
    pub fn libvirt_leases(&self, bridge: &str) -> PathBuf {
        self.dnsmasq.join(format!("{bridge}.status"))
    }
}

pub fn failed(error: &io::Error, what: &str, path: &Path) -> Error {
    Error::system(ErrorDomain::Network, error, format!("cannot {what} '{}'", path.display()))
}

pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| failed(&e, "make the folder", path))
}

/// Replaces the file as a whole; at no time is there a part of it. What lies under `/run` is gone after a power cut
/// in any case, so it is not waited for.
pub fn write(path: &Path, content: &str, mode: u32) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let new = folder.join(name);
    let written = || -> io::Result<()> {
        _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(content.as_bytes())?;
        fs::rename(&new, path)
    };
    written().map_err(|e| {
        _ = fs::remove_file(&new);
        failed(&e, "write", path)
    })
}

/// `write`, and not back before the disk has it.
pub fn write_durably(path: &Path, content: &str, mode: u32) -> Result<()> {
    write(path, content, mode)?;
    let synced = || -> io::Result<()> {
        fs::File::open(path)?.sync_all()?;
        fs::File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
    };
    synced().map_err(|e| failed(&e, "write", path))
}

/// Gone afterwards, whether or not it was there; a failure is logged.
pub fn remove_file(path: &Path) {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("cannot remove '{}': {e}", path.display());
        }
        _ => {}
    }
}

/// The names of the networks that have a file `NAME.xml` in `folder`, in order.
pub fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.strip_suffix(".xml").map(str::to_string))
        .filter(|name| !name.is_empty() && !name.starts_with('.'))
        .collect();
    names.sort();
    names
}
