//! The daemon's sockets: made here, or received from systemd; and taken away again.

use crate::config::Config;
use api::{Error, ErrorDomain, Paths, Result};
use rustix::fs::{Gid, Mode};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Which clients a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    ReadWrite,
    ReadOnly,
    Admin,
}

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

/// Every socket that the daemon serves. The caller holds the lock that makes it the only daemon of its folders.
pub fn open(paths: &Paths, config: &Config) -> Result<Vec<DaemonSocket>> {
    let received = received()?;
    if !received.is_empty() {
        return Ok(received);
    }
    let dir = config.socket_dir.clone().unwrap_or_else(|| paths.run.clone());
    fs::create_dir_all(&dir).map_err(|e| failed(&e, "cannot create directory", &dir))?;
    let group = config.socket_group.as_deref().map(group_id).transpose()?;
    let mut sockets = Vec::new();
    let own = [
        ("virtlxcd-sock", Purpose::ReadWrite, config.read_write_mode),
        ("virtlxcd-sock-ro", Purpose::ReadOnly, config.read_only_mode),
        ("virtlxcd-admin-sock", Purpose::Admin, config.admin_mode),
    ];
    for (name, purpose, mode) in own {
        sockets.push(bind(dir.join(name), purpose, mode, group, config.backlog)?);
    }
    let common = [
        ("libvirt-sock", Purpose::ReadWrite, config.read_write_mode),
        ("libvirt-sock-ro", Purpose::ReadOnly, config.read_only_mode),
    ];
    for (name, purpose, mode) in common {
        let path = dir.join(name);
        if is_served(&path) {
            tracing::info!("'{}' is served by another daemon", path.display());
        } else {
            sockets.push(bind(path, purpose, mode, group, config.backlog)?);
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

fn bind(path: PathBuf, purpose: Purpose, mode: u32, group: Option<Gid>, backlog: i32) -> Result<DaemonSocket> {
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
    rustix::net::listen(&socket.socket, backlog).map_err(|e| broken(&e.into()))?;
    Ok(socket)
}

fn is_served(path: &Path) -> bool {
    UnixStream::connect(path).is_ok()
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// From /etc/group alone: the daemon asks no name service.
fn group_id(name: &str) -> Result<Gid> {
    let unknown =
        || Error::new(ErrorDomain::Conf, api::Code::ConfSyntax, format!("unix_sock_group: no group '{name}'"));
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
