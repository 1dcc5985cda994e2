//! The daemon's sockets: made here, or received from systemd; and taken away again.

use crate::config::Config;
use api::{Code, Error, ErrorDomain, Paths, Result};
use rustix::fs::{Gid, Mode};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Which clients a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    ReadWrite,
    ReadOnly,
    Admin,
}

/// Those of one daemon.
pub struct Sockets(Mutex<Vec<DaemonSocket>>);

pub struct DaemonSocket {
    pub purpose: Purpose,
    pub socket: OwnedFd,
    /// None for a socket of systemd's, which is not ours to remove.
    bound: Option<Bound>,
}

struct Bound {
    path: PathBuf,
    /// Device and inode: somebody else may have put his own socket there since.
    identity: (u64, u64),
}

impl Drop for DaemonSocket {
    fn drop(&mut self) {
        if let Some(bound) = &self.bound {
            if identity(&bound.path).is_ok_and(|identity| identity == bound.identity) {
                _ = fs::remove_file(&bound.path);
            }
        }
    }
}

impl Sockets {
    /// Made by this daemon, which has their settings, and not by systemd.
    pub fn are_ours(&self) -> bool {
        self.list().iter().any(|socket| socket.bound.is_some())
    }

    /// The sockets to be listened on, with what each is for.
    pub fn copies(&self) -> Result<Vec<(Purpose, OwnedFd)>> {
        let failed = |e: io::Error| Error::system(ErrorDomain::Rpc, &e, "cannot use a socket");
        self.list().iter().map(|socket| Ok((socket.purpose, socket.socket.try_clone().map_err(failed)?))).collect()
    }

    /// The group that the settings name, where these are sockets that can have one.
    pub fn group(&self, config: &Config) -> Result<Option<Gid>> {
        config.socket_group.as_deref().filter(|_| self.are_ours()).map(group_id).transpose()
    }

    /// Modes, group and backlogs as the settings have them now.
    pub fn change(&self, config: &Config, group: Option<Gid>) {
        let group = group.unwrap_or_else(rustix::process::getegid);
        for socket in self.list().iter() {
            let Some(bound) = &socket.bound else { continue };
            if let Err(e) = bound.change(socket.purpose.mode(config), group) {
                tracing::error!("cannot change the mode or group of '{}': {e}", bound.path.display());
            }
            // On a socket that listens already it changes the backlog alone.
            if let Err(e) = rustix::net::listen(&socket.socket, socket.purpose.backlog(config)) {
                tracing::error!("cannot change the backlog of '{}': {e}", bound.path.display());
            }
        }
    }

    /// Takes them away: who connects from now on finds nobody, or the next daemon.
    pub fn close(&self) {
        let all = std::mem::take(&mut *self.list());
        drop(all);
    }

    fn list(&self) -> MutexGuard<'_, Vec<DaemonSocket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Purpose {
    fn mode(self, config: &Config) -> u32 {
        match self {
            Purpose::ReadWrite => config.read_write_mode,
            Purpose::ReadOnly => config.read_only_mode,
            Purpose::Admin => config.admin_mode,
        }
    }

    fn backlog(self, config: &Config) -> i32 {
        match self {
            Purpose::ReadWrite | Purpose::ReadOnly => config.backlog,
            Purpose::Admin => config.admin_backlog,
        }
    }
}

impl Bound {
    /// At no moment may more people use it than before or after.
    fn change(&self, mode: u32, group: Gid) -> io::Result<()> {
        if identity(&self.path)? != self.identity {
            return Err(io::Error::other("another socket is there"));
        }
        let before = fs::symlink_metadata(&self.path)?.mode() & 0o777;
        fs::set_permissions(&self.path, fs::Permissions::from_mode(before & mode))?;
        rustix::fs::chown(&self.path, None, Some(group))?;
        fs::set_permissions(&self.path, fs::Permissions::from_mode(mode))
    }
}

/// Every socket that the daemon serves. The caller holds the lock that makes it the only daemon of its folders.
pub fn open(paths: &Paths, config: &Config) -> Result<Sockets> {
    let received = received()?;
    let sockets = if received.is_empty() { bind_all(paths, config)? } else { received };
    Ok(Sockets(Mutex::new(sockets)))
}

fn bind_all(paths: &Paths, config: &Config) -> Result<Vec<DaemonSocket>> {
    let dir = config.socket_dir.clone().unwrap_or_else(|| paths.run.clone());
    fs::create_dir_all(&dir).map_err(|e| failed(&e, "cannot create directory", &dir))?;
    let group = config.socket_group.as_deref().map(group_id).transpose()?;
    let mut sockets = Vec::new();
    let own = [
        ("virtlxcd-sock", Purpose::ReadWrite),
        ("virtlxcd-sock-ro", Purpose::ReadOnly),
        ("virtlxcd-admin-sock", Purpose::Admin),
    ];
    for (name, purpose) in own {
        let path = dir.join(name);
        if let Some(server) = server_of(&path) {
            let words = format!("Failed to bind socket to '{}': {server} serves it already", path.display());
            return Err(Error::new(ErrorDomain::Rpc, Code::SystemError, words));
        }
        sockets.push(bind(path, purpose, group, config)?);
    }
    for (name, purpose) in [("libvirt-sock", Purpose::ReadWrite), ("libvirt-sock-ro", Purpose::ReadOnly)] {
        let path = dir.join(name);
        match server_of(&path) {
            Some(server) => tracing::info!("'{}' is served by another daemon, {server}", path.display()),
            None => sockets.push(bind(path, purpose, group, config)?),
        }
    }
    Ok(sockets)
}

/// Sockets from systemd, which names them after their units.
fn received() -> Result<Vec<DaemonSocket>> {
    let failed = |e: &io::Error| Error::system(ErrorDomain::Rpc, e, "cannot take the sockets handed over by systemd");
    let descriptors = sd_notify::listen_fds_with_names().map_err(|e| failed(&e))?;
    descriptors
        .map(|(number, name)| {
            let socket = linux::descriptor::duplicate(number).map_err(|e| failed(&e))?;
            rustix::io::ioctl_fionbio(&socket, true).map_err(|e| failed(&e.into()))?;
            let purpose = match name.trim_end_matches(".socket") {
                name if name.ends_with("-ro") => Purpose::ReadOnly,
                name if name.ends_with("-admin") => Purpose::Admin,
                _ => Purpose::ReadWrite,
            };
            Ok(DaemonSocket { purpose, socket, bound: None })
        })
        .collect()
}

fn bind(path: PathBuf, purpose: Purpose, group: Option<Gid>, config: &Config) -> Result<DaemonSocket> {
    let mode = purpose.mode(config);
    let broken = |e: &io::Error| failed(e, "Failed to bind socket to", &path);
    let address = SocketAddrUnix::new(&path).map_err(|e| broken(&e.into()))?;
    if let Err(e) = fs::remove_file(&path) {
        if e.kind() != io::ErrorKind::NotFound {
            return Err(failed(&e, "cannot remove the stale socket", &path));
        }
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .map_err(|e| broken(&e.into()))?;
    // The file appears with its final mode or with less, never with more.
    let old = rustix::process::umask(Mode::from_bits_truncate(!mode & 0o777));
    let bound = rustix::net::bind(&socket, &address);
    rustix::process::umask(old);
    bound.map_err(|e| broken(&e.into()))?;
    let owned = Bound { identity: identity(&path).map_err(|e| broken(&e))?, path: path.clone() };
    let socket = DaemonSocket { purpose, socket, bound: Some(owned) };
    if let Some(group) = group {
        rustix::fs::chown(&path, None, Some(group)).map_err(|e| broken(&e.into()))?;
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(|e| broken(&e))?;
    rustix::net::listen(&socket.socket, purpose.backlog(config)).map_err(|e| broken(&e.into()))?;
    Ok(socket)
}

/// Who answers there, in words.
fn server_of(path: &Path) -> Option<String> {
    let stream = UnixStream::connect(path).ok()?;
    let peer = rustix::net::sockopt::socket_peercred(&stream).ok();
    Some(peer.map_or("another process".into(), |peer| format!("process {}", peer.pid.as_raw_nonzero())))
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// From /etc/group alone: the daemon asks no name service.
fn group_id(name: &str) -> Result<Gid> {
    let unknown = || Error::new(ErrorDomain::Conf, Code::ConfSyntax, format!("unix_sock_group: no group '{name}'"));
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let found = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    });
    found.map(Gid::from_raw).ok_or_else(unknown)
}

fn failed(error: &io::Error, what: &str, path: &Path) -> Error {
    Error::system(ErrorDomain::Rpc, error, format!("{what} '{}'", path.display()))
}
