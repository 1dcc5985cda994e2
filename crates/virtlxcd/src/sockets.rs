//! The daemon's sockets: made here, or received from systemd; and taken away again.

use crate::config::Config;
use api::{Code, Error, ErrorDomain, Paths, Result, errno_text};
use rustix::fs::{Gid, Mode};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Which clients a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    ReadWrite,
    ReadOnly,
    Admin,
}

/// Those of one daemon.
pub struct Sockets {
    list: Mutex<Vec<DaemonSocket>>,
    /// Some have not become what they were to: the last change failed with them.
    behind: AtomicBool,
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

    /// The last change failed with some of them: it is to be tried again.
    pub fn are_behind(&self) -> bool {
        self.behind.load(Ordering::Acquire)
    }

    /// Modes, group and backlogs as the settings have them now. What fails is told in the log.
    pub fn change(&self, config: &Config, group: Option<Gid>) {
        let group = group.unwrap_or_else(rustix::process::getegid);
        let mut behind = false;
        for socket in self.list().iter() {
            let Some(bound) = &socket.bound else { continue };
            if let Err(e) = bound.change(socket.purpose.mode(config), group) {
                tracing::error!("cannot change the mode or group of '{}': {}", bound.path.display(), errno_text(&e));
                behind = true;
            }
            // On a socket that listens already it changes the backlog alone.
            if let Err(e) = rustix::net::listen(&socket.socket, socket.purpose.backlog(config)) {
                tracing::error!("cannot change the backlog of '{}': {}", bound.path.display(), errno_text(&e.into()));
                behind = true;
            }
        }
        self.behind.store(behind, Ordering::Release);
    }

    /// Takes them away: who connects from now on finds nobody, or the next daemon.
    pub fn close(&self) {
        let all = std::mem::take(&mut *self.list());
        drop(all);
    }

    fn list(&self) -> MutexGuard<'_, Vec<DaemonSocket>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
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
    Ok(Sockets { list: Mutex::new(sockets), behind: AtomicBool::new(false) })
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
        if let Some(server) = make_room(&path)? {
            let words = format!("Failed to bind socket to '{}': {server} serves it already", path.display());
            return Err(Error::new(ErrorDomain::Rpc, Code::SystemError, words));
        }
        sockets.push(bind(path, purpose, group, config)?);
    }
    for (name, purpose) in [("libvirt-sock", Purpose::ReadWrite), ("libvirt-sock-ro", Purpose::ReadOnly)] {
        let path = dir.join(name);
        let shown = path.display().to_string();
        let made = make_room(&path).and_then(|server| match server {
            Some(server) => {
                tracing::info!("'{shown}' is served by another daemon, {server}");
                Ok(None)
            }
            None => bind(path, purpose, group, config).map(Some),
        });
        // It is libvirt's place: who has put something else there can do without ours in it.
        sockets.extend(made.unwrap_or_else(|error| {
            tracing::warn!("'{shown}' is not served: {error}");
            None
        }));
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
    let socket = new_socket().map_err(|e| broken(&e.into()))?;
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

fn new_socket() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

/// Who serves there, in words. A socket that nobody serves is taken away, but nothing else.
fn make_room(path: &Path) -> Result<Option<String>> {
    let broken = |e: &io::Error| failed(e, "Failed to bind socket to", path);
    let address = SocketAddrUnix::new(path).map_err(|e| broken(&e.into()))?;
    let socket = new_socket().map_err(|e| broken(&e.into()))?;
    let another = || Ok(Some("another process".to_string()));
    match rustix::net::connect(&socket, &address) {
        Ok(()) => rustix::net::sockopt::socket_peercred(&socket)
            .map_or_else(|_| another(), |peer| Ok(Some(format!("process {}", peer.pid.as_raw_nonzero())))),
        // So many wait for it already that there is no room for another.
        Err(Errno::AGAIN) => another(),
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::CONNREFUSED) => {
            let about = fs::symlink_metadata(path).map_err(|e| broken(&e))?;
            if !about.file_type().is_socket() {
                let words = format!("Failed to bind socket to '{}': what is there is no socket", path.display());
                return Err(Error::new(ErrorDomain::Rpc, Code::SystemError, words));
            }
            fs::remove_file(path).map_err(|e| failed(&e, "cannot remove the stale socket", path))?;
            Ok(None)
        }
        Err(e) => Err(broken(&e.into())),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::{UnixListener, UnixStream};

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("virtlxcd-{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn only_a_socket_that_nobody_serves_makes_room() {
        let folder = folder("room");
        let path = folder.join("socket");
        assert_eq!(make_room(&path), Ok(None));
        let served = UnixListener::bind(&path).unwrap();
        assert_eq!(make_room(&path), Ok(Some(format!("process {}", std::process::id()))));
        // It does not get round to those who wait.
        rustix::net::listen(&served, 0).unwrap();
        let waiting: Vec<UnixStream> = (0..).map_while(|_| one_more(&path)).collect();
        assert_eq!(make_room(&path), Ok(Some("another process".to_string())));
        drop((waiting, served));
        assert!(path.exists());
        assert_eq!(make_room(&path), Ok(None));
        assert!(!path.exists());
        fs::write(&path, "kept").unwrap();
        let wrong = format!("Failed to bind socket to '{}': what is there is no socket", path.display());
        assert_eq!(make_room(&path).unwrap_err().message, wrong);
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
        let wrong = make_room(&path.join("below")).unwrap_err().message;
        assert!(wrong.contains("socket/below': Not a directory"), "{wrong}");
        fs::remove_dir_all(folder).unwrap();
    }

    /// As long as there is room for it.
    fn one_more(path: &Path) -> Option<UnixStream> {
        let socket = new_socket().unwrap();
        rustix::net::connect(&socket, &SocketAddrUnix::new(path).unwrap()).ok()?;
        Some(socket.into())
    }

    #[test]
    fn a_change_that_fails_is_to_be_tried_again() {
        let folder = folder("behind");
        let config = Config { socket_dir: Some(folder.clone()), ..Config::default() };
        let sockets = open(&Paths::under(&folder), &config).unwrap();
        let path = folder.join("virtlxcd-sock");
        let mode = || fs::symlink_metadata(&path).unwrap().mode() & 0o777;
        let wider = Config { read_write_mode: 0o770, ..config };
        fs::rename(&path, folder.join("aside")).unwrap();
        sockets.change(&wider, None);
        assert!(sockets.are_behind());
        fs::rename(folder.join("aside"), &path).unwrap();
        assert_eq!(mode(), 0o700);
        sockets.change(&wider, None);
        assert_eq!((mode(), sockets.are_behind()), (0o770, false));
        drop(sockets);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_in_the_place_of_libvirts_own_daemon_is_left() {
        let folder = folder("kept");
        std::os::unix::fs::symlink("virtqemud-sock", folder.join("libvirt-sock")).unwrap();
        fs::write(folder.join("libvirt-sock-ro"), "words").unwrap();
        let config = Config { socket_dir: Some(folder.clone()), ..Config::default() };
        let sockets = open(&Paths::under(&folder), &config).unwrap();
        assert_eq!(sockets.list().len(), 3);
        drop(sockets);
        assert!(fs::symlink_metadata(folder.join("libvirt-sock")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(folder.join("libvirt-sock-ro")).unwrap(), "words");
        fs::remove_dir_all(folder).unwrap();
    }
}
