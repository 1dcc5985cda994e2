//! SIGHUP: the files of settings are read again, and what has changed in them holds from now on. What an administrator has
//! changed with `virt-admin` stays as long as the file says the same as before.

use crate::admin::{Unauthenticated, most_unauthenticated};
use crate::config::{Config, Places, differences};
use crate::daemon::Daemon;
use crate::log::{self, Filters, Outputs};
use crate::lxc_config;
use crate::sockets::Sockets;
use lxc::SecuritySettings;
use rpc::server::{ClientLimits, Control, PoolLimits};
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Where settings are read from.
pub struct Files {
    /// `virtlxcd.conf`.
    pub daemon: PathBuf,
    /// It was named on the command line: it has to be there.
    pub named: bool,
    /// `lxc.conf`.
    pub driver: PathBuf,
    /// Of the command line: information is logged, whatever the file says.
    pub verbose: bool,
}

/// What the files say.
#[derive(Clone)]
pub struct Settings {
    pub daemon: Config,
    pub driver: SecuritySettings,
    places: Places,
}

impl Settings {
    /// Why what `virtlxcd.conf` says there cannot be, as a sentence with file and line.
    pub fn wrong(&self, setting: &str, why: impl Display) -> String {
        format!("{}: {why}", self.places.of(setting))
    }
}

impl Files {
    /// The error is a sentence with file and line.
    pub fn read(&self) -> Result<Settings, String> {
        let (daemon, places) = Config::read(&self.daemon, self.named)?;
        Ok(Settings { daemon, places, driver: lxc_config::read(&self.driver)? })
    }

    pub fn log_level(&self, config: &Config) -> u32 {
        let level = config.log_level.unwrap_or(3);
        if self.verbose { level.min(2) } else { level }
    }
}

/// Names of settings that a daemon has for its whole life: clients know it, and the machine, by them.
const AT_START: &[&str] = &["unix_sock_dir", "host_uuid", "host_uuid_source"];
/// Names of settings that are systemd's affair where it made the sockets.
const OF_SOCKETS: &[&str] = &[
    "unix_sock_group",
    "unix_sock_rw_perms",
    "unix_sock_ro_perms",
    "unix_sock_admin_perms",
    "max_queued_clients",
    "admin_max_queued_clients",
];

/// What the settings are for.
pub struct Reload {
    pub files: Files,
    pub daemon: Arc<Daemon>,
    pub hypervisor: Arc<dyn Control>,
    pub admin: Arc<dyn Control>,
    pub unauthenticated: Arc<Unauthenticated>,
    pub sockets: Arc<Sockets>,
    /// What holds, as the files said it.
    pub held: Mutex<Settings>,
}

impl Reload {
    /// All or nothing: a mistake leaves everything as it was.
    pub fn reload(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match self.try_reload(&held) {
            Ok(settings) => *held = settings,
            Err(why) => tracing::error!("the settings stay as they were: {why}"),
        }
    }

    /// The settings that hold now.
    fn try_reload(&self, held: &Settings) -> Result<Settings, String> {
        let mut read = self.files.read()?;
        let (before, after) = (&held.daemon, &read.daemon);
        let changed = differences(before, after);
        let differs = |names: &[&str]| names.iter().any(|name| changed.contains(name));
        let group = self.sockets.group(after).map_err(|e| read.wrong("unix_sock_group", e.message))?;
        let domains = self.daemon.domains().map_err(|e| e.message)?;
        let filters = differs(&["log_filters"]).then(|| Filters::parse(&after.log_filters)).transpose()?;
        let outputs = if differs(&["log_outputs"]) { after.log_outputs.clone() } else { log::outputs_text() };
        let opened = Outputs::parse(&outputs).map_err(|why| match outputs == after.log_outputs {
            true => read.wrong("log_outputs", why),
            false => format!("{why}, which virt-admin has set"),
        })?;
        if differs(&["audit_level", "audit_logging"]) {
            domains.set_audit(after.audit).map_err(|e| read.wrong("audit_level", format!("audit_level: {e}")))?;
        }
        // From here on nothing fails but a socket, which stays as it is.
        log::change(self.files.log_level(after), opened, filters);
        if differs(&["copy_controllers"]) {
            domains.set_copies_controllers(after.copy_controllers);
        }
        change_limits(&*self.hypervisor, &before.limits, &after.limits);
        change_workers(&*self.hypervisor, before.workers, after.workers);
        change_limits(&*self.admin, &before.admin_limits, &after.admin_limits);
        change_workers(&*self.admin, before.admin_workers, after.admin_workers);
        let (most_before, most) = (most_unauthenticated(before), most_unauthenticated(after));
        for (name, server) in [("virtlxcd", &self.hypervisor), ("admin", &self.admin)] {
            let (before, after) = (most_before.get(name).copied(), most.get(name).copied());
            self.unauthenticated.change(name, before, after, server.limits().max_clients);
        }
        let mut waits = AT_START.to_vec();
        if self.sockets.are_ours() {
            if differs(OF_SOCKETS) || self.sockets.are_behind() {
                self.sockets.change(after, group);
            }
        } else {
            waits.extend(OF_SOCKETS);
        }
        let (waiting, mut changed): (Vec<_>, Vec<_>) = changed.into_iter().partition(|name| waits.contains(name));
        for name in waiting {
            if AT_START.contains(&name) {
                tracing::warn!("{name} has changed: that holds from the next start on");
            } else {
                tracing::warn!("{name} has changed: the sockets are systemd's, whose units say that");
            }
        }
        if held.driver != read.driver {
            domains.set_security(read.driver.clone());
            changed.push("lxc.conf");
        }
        let what = if changed.is_empty() { "nothing has changed".to_string() } else { changed.join(", ") };
        tracing::info!("settings read again from '{}': {what}", self.files.daemon.display());
        // Said again as long as it is so.
        read.daemon.socket_dir.clone_from(&before.socket_dir);
        read.daemon.host_uuid = before.host_uuid;
        read.daemon.host_uuid_source = before.host_uuid_source;
        Ok(read)
    }
}

/// What has changed is taken over; else what holds stays, which an administrator may have set.
fn follow<T: PartialEq>(holds: &mut T, before: T, after: T) {
    if before != after {
        *holds = after;
    }
}

/// Those that differ, one by one.
fn change_limits(server: &dyn Control, before: &ClientLimits, after: &ClientLimits) {
    let mut limits = server.limits();
    follow(&mut limits.max_clients, before.max_clients, after.max_clients);
    follow(&mut limits.max_requests, before.max_requests, after.max_requests);
    follow(&mut limits.keepalive, before.keepalive, after.keepalive);
    if before != after {
        server.set_limits(limits);
    }
}

fn change_workers(server: &dyn Control, before: PoolLimits, after: PoolLimits) {
    let mut limits = server.workers().limits;
    follow(&mut limits.min_workers, before.min_workers, after.min_workers);
    follow(&mut limits.max_workers, before.max_workers, after.max_workers);
    follow(&mut limits.priority_workers, before.priority_workers, after.priority_workers);
    // One of both may be an administrator's.
    limits.min_workers = limits.min_workers.min(limits.max_workers);
    if before != after {
        server.set_workers(limits);
    }
}
