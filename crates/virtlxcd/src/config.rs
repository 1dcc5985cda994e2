//! `virtlxcd.conf`. A name or a kind of value that the daemon does not know is an error with file and line, never ignored.

use crate::host::UuidSource;
use crate::log::{Filters, Outputs};
use crate::settings_file;
use api::settings::{self, Value, count, text};
use rpc::client::Keepalive;
use rpc::server::{ClientLimits, PoolLimits};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub socket_dir: Option<PathBuf>,
    pub socket_group: Option<String>,
    pub read_write_mode: u32,
    pub read_only_mode: u32,
    pub admin_mode: u32,
    pub limits: ClientLimits,
    /// Kept for who asks: nobody has to authenticate.
    pub most_unauthenticated: u32,
    pub workers: PoolLimits,
    pub backlog: i32,
    pub admin_limits: ClientLimits,
    pub admin_workers: PoolLimits,
    pub admin_backlog: i32,
    /// 1 debug, 2 information, 3 warnings, 4 errors.
    pub log_level: Option<u32>,
    pub log_filters: String,
    pub log_outputs: String,
    pub host_uuid: Option<api::Uuid>,
    pub host_uuid_source: UuidSource,
    pub audit: ::lxc::AuditSettings,
    /// Controllers are copied from one that is loaded.
    pub copy_controllers: bool,
}

impl Default for Config {
    fn default() -> Config {
        let keepalive = Some(Keepalive { interval: Duration::from_secs(5), count: 5 });
        Config {
            socket_dir: None,
            socket_group: None,
            read_write_mode: 0o700,
            read_only_mode: 0o777,
            admin_mode: 0o700,
            limits: ClientLimits { max_clients: 5000, max_requests: 5, keepalive },
            most_unauthenticated: 20,
            workers: PoolLimits { min_workers: 5, max_workers: 20, priority_workers: 5 },
            backlog: 1000,
            admin_limits: ClientLimits { max_clients: 5000, max_requests: 5, keepalive },
            admin_workers: PoolLimits { min_workers: 1, max_workers: 5, priority_workers: 0 },
            admin_backlog: 20,
            log_level: None,
            log_filters: String::new(),
            log_outputs: String::new(),
            host_uuid: None,
            host_uuid_source: UuidSource::Firmware,
            audit: ::lxc::AuditSettings { level: 1, logging: false },
            copy_controllers: true,
        }
    }
}

/// Where a file says what, for what turns out to be wrong later.
#[derive(Debug, Clone)]
pub struct Places {
    file: PathBuf,
    /// By the settings' names.
    lines: BTreeMap<String, usize>,
}

impl Places {
    /// The file, and the line where it has that setting, if it has.
    pub fn of(&self, name: &str) -> String {
        let file = self.file.display();
        self.lines.get(name).map_or_else(|| file.to_string(), |line| format!("{file}:{line}"))
    }
}

impl Config {
    /// Reads `path`. A file that is not there gives the defaults unless it was `named` on the command line.
    pub fn read(path: &Path, named: bool) -> Result<(Config, Places), String> {
        let text = if named { settings_file::required(path)? } else { settings_file::text(path)?.unwrap_or_default() };
        let (config, lines) =
            Config::with_lines(&text).map_err(|(line, why)| format!("{}:{line}: {why}", path.display()))?;
        Ok((config, Places { file: path.to_path_buf(), lines }))
    }

    #[cfg(test)]
    pub fn parse(text: &str) -> Result<Config, settings::Failure> {
        Config::with_lines(text).map(|(config, _)| config)
    }

    /// And the line of each setting, by name. The error has the number of its line.
    fn with_lines(text: &str) -> Result<(Config, BTreeMap<String, usize>), settings::Failure> {
        let mut config = Config::default();
        let mut lines = BTreeMap::new();
        settings::read_with_lines(text, |line, name, value| {
            lines.insert(name.to_string(), line);
            config.set(name, value)
        })?;
        for workers in [&mut config.workers, &mut config.admin_workers] {
            workers.min_workers = workers.min_workers.min(workers.max_workers);
        }
        Ok((config, lines))
    }

    fn set(&mut self, name: &str, value: Value) -> Result<(), String> {
        match name {
            "unix_sock_dir" => self.socket_dir = Some(text(name, value)?.into()),
            "unix_sock_group" => self.socket_group = Some(text(name, value)?),
            "unix_sock_rw_perms" => self.read_write_mode = mode(name, value)?,
            "unix_sock_ro_perms" => self.read_only_mode = mode(name, value)?,
            "unix_sock_admin_perms" => self.admin_mode = mode(name, value)?,
            "auth_unix_rw" | "auth_unix_ro" => match text(name, value)?.as_str() {
                "none" => {}
                other => return Err(format!("{name}: '{other}' is not supported, only \"none\" is")),
            },
            "max_clients" => self.limits.max_clients = count(name, value)? as usize,
            "max_anonymous_clients" => self.most_unauthenticated = count(name, value)?,
            "max_queued_clients" => self.backlog = count(name, value)? as i32,
            "max_client_requests" => self.limits.max_requests = at_least_one(name, value)? as usize,
            "min_workers" => self.workers.min_workers = count(name, value)?,
            "max_workers" => self.workers.max_workers = at_least_one(name, value)?,
            "prio_workers" => self.workers.priority_workers = count(name, value)?,
            "keepalive_interval" => set_interval(&mut self.limits, name, value)?,
            "keepalive_count" => set_count(&mut self.limits, count(name, value)?),
            "admin_min_workers" => self.admin_workers.min_workers = count(name, value)?,
            "admin_max_workers" => self.admin_workers.max_workers = at_least_one(name, value)?,
            "admin_max_clients" => self.admin_limits.max_clients = count(name, value)? as usize,
            "admin_max_queued_clients" => self.admin_backlog = count(name, value)? as i32,
            "admin_max_client_requests" => self.admin_limits.max_requests = at_least_one(name, value)? as usize,
            "admin_keepalive_interval" => set_interval(&mut self.admin_limits, name, value)?,
            "admin_keepalive_count" => set_count(&mut self.admin_limits, count(name, value)?),
            "log_level" => {
                let level = count(name, value)?;
                if !(1..=4).contains(&level) {
                    return Err(format!("log_level: {level} is not between 1 (debug) and 4 (errors)"));
                }
                self.log_level = Some(level);
            }
            "log_filters" => {
                self.log_filters = text(name, value)?;
                Filters::parse(&self.log_filters)?;
            }
            "log_outputs" => {
                self.log_outputs = text(name, value)?;
                Outputs::check(&self.log_outputs)?;
            }
            "host_uuid" => {
                let uuid = text(name, value)?;
                self.host_uuid =
                    Some(api::Uuid::parse(&uuid).ok_or_else(|| format!("host_uuid: '{uuid}' is not a UUID"))?);
            }
            "host_uuid_source" => match text(name, value)?.as_str() {
                "smbios" => self.host_uuid_source = UuidSource::Firmware,
                "machine-id" => self.host_uuid_source = UuidSource::MachineId,
                other => return Err(format!("host_uuid_source: '{other}' is neither \"smbios\" nor \"machine-id\"")),
            },
            // What these govern does not exist here; the settings stand in the files of a libvirt installation.
            "ovs_timeout" => drop(count(name, value)?),
            "audit_level" => {
                let level = count(name, value)?;
                if level > 2 {
                    return Err(format!("audit_level: {level} is not between 0 and 2"));
                }
                self.audit.level = level;
            }
            "audit_logging" => self.audit.logging = count(name, value)? != 0,
            "copy_controllers" => self.copy_controllers = count(name, value)? != 0,
            "access_drivers" => match value {
                Value::List(list) if list.is_empty() => {}
                Value::List(list) if list == ["none"] => {}
                _ => return Err("access_drivers: access control is not supported, only [ ] is".to_string()),
            },
            "sasl_allowed_username_list" => match value {
                Value::List(_) => {}
                _ => return Err(format!("{name} expects a list of strings")),
            },
            _ => return Err(format!("there is no setting '{name}'")),
        }
        Ok(())
    }
}

/// The names of settings that are not the same.
pub fn differences(before: &Config, after: &Config) -> Vec<&'static str> {
    let differs = |of: &dyn Fn(&Config) -> Option<u64>| of(before) != of(after);
    let seconds = |limits: &ClientLimits| limits.keepalive.map(|keepalive| keepalive.interval.as_secs());
    let times = |limits: &ClientLimits| limits.keepalive.map(|keepalive| u64::from(keepalive.count));
    let number = |number: u32| Some(u64::from(number));
    let all = [
        ("unix_sock_dir", before.socket_dir != after.socket_dir),
        ("unix_sock_group", before.socket_group != after.socket_group),
        ("unix_sock_rw_perms", differs(&|c| number(c.read_write_mode))),
        ("unix_sock_ro_perms", differs(&|c| number(c.read_only_mode))),
        ("unix_sock_admin_perms", differs(&|c| number(c.admin_mode))),
        ("max_clients", differs(&|c| Some(c.limits.max_clients as u64))),
        ("max_anonymous_clients", differs(&|c| number(c.most_unauthenticated))),
        ("max_queued_clients", before.backlog != after.backlog),
        ("max_client_requests", differs(&|c| Some(c.limits.max_requests as u64))),
        ("min_workers", differs(&|c| number(c.workers.min_workers))),
        ("max_workers", differs(&|c| number(c.workers.max_workers))),
        ("prio_workers", differs(&|c| number(c.workers.priority_workers))),
        ("keepalive_interval", differs(&|c| seconds(&c.limits))),
        ("keepalive_count", differs(&|c| times(&c.limits))),
        ("admin_min_workers", differs(&|c| number(c.admin_workers.min_workers))),
        ("admin_max_workers", differs(&|c| number(c.admin_workers.max_workers))),
        ("admin_max_clients", differs(&|c| Some(c.admin_limits.max_clients as u64))),
        ("admin_max_queued_clients", before.admin_backlog != after.admin_backlog),
        ("admin_max_client_requests", differs(&|c| Some(c.admin_limits.max_requests as u64))),
        ("admin_keepalive_interval", differs(&|c| seconds(&c.admin_limits))),
        ("admin_keepalive_count", differs(&|c| times(&c.admin_limits))),
        ("log_level", before.log_level != after.log_level),
        ("log_filters", before.log_filters != after.log_filters),
        ("log_outputs", before.log_outputs != after.log_outputs),
        ("host_uuid", before.host_uuid != after.host_uuid),
        ("host_uuid_source", before.host_uuid_source != after.host_uuid_source),
        ("audit_level", before.audit.level != after.audit.level),
        ("audit_logging", before.audit.logging != after.audit.logging),
        ("copy_controllers", before.copy_controllers != after.copy_controllers),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

fn at_least_one(name: &str, value: Value) -> Result<u32, String> {
    match count(name, value)? {
        0 => Err(format!("{name} must be at least 1")),
        number => Ok(number),
    }
}

fn mode(name: &str, value: Value) -> Result<u32, String> {
    let text = text(name, value)?;
    u32::from_str_radix(&text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| format!("{name}: '{text}' is not an octal mode such as \"0770\""))
}

fn set_interval(limits: &mut ClientLimits, name: &str, value: Value) -> Result<(), String> {
    limits.keepalive = match value {
        Value::Number(-1) => None,
        other => {
            let seconds = Duration::from_secs(u64::from(at_least_one(name, other)?));
            let count = limits.keepalive.unwrap_or_default().count;
            Some(Keepalive { interval: seconds, count })
        }
    };
    Ok(())
}

fn set_count(limits: &mut ClientLimits, count: u32) {
    if let Some(keepalive) = &mut limits.keepalive {
        keepalive.count = count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_every_kind() {
        let config = Config::parse(
            "# comment\nunix_sock_group = \"lxc\"\n  unix_sock_rw_perms = '0770' # behind\nmax_clients=7\n\
             keepalive_interval = -1\nsasl_allowed_username_list = [\n  \"a\", # one\n  \"b\"\n]\nlog_level = 1",
        )
        .unwrap();
        assert_eq!(config.socket_group.as_deref(), Some("lxc"));
        assert_eq!((config.read_write_mode, config.limits.max_clients, config.log_level), (0o770, 7, Some(1)));
        assert_eq!(config.limits.keepalive, None);
        let config = Config::parse("max_clients = 70\nmax_anonymous_clients = 3\n").unwrap();
        assert_eq!((config.limits.max_clients, config.most_unauthenticated), (70, 3));
        assert_eq!(Config::parse(""), Ok(Config::default()));
    }

    #[test]
    fn the_sample_says_what_holds() {
        const SAMPLE: &str = include_str!("../../../data/virtlxcd.conf");
        let lines = SAMPLE.lines().filter(|line| line.starts_with('#') && !line.starts_with("# "));
        let settings: Vec<&str> = lines.map(|line| line.trim_start_matches('#')).collect();
        let shown = Config::parse(&settings.join("\n")).unwrap();
        let unset = Config { socket_dir: None, socket_group: None, log_level: None, host_uuid: None, ..shown };
        let defaults =
            Config { log_filters: "1:rpc 4:network".into(), log_outputs: "1:stderr".into(), ..Config::default() };
        assert_eq!(unset, defaults);
    }

    #[test]
    fn each_setting_of_the_sample_is_a_difference() {
        let other = "unix_sock_dir='/x'\nunix_sock_group='g'\nunix_sock_rw_perms='0'\nunix_sock_ro_perms='0'\n\
                     unix_sock_admin_perms='0'\nmax_clients=9\nmax_anonymous_clients=9\nmax_queued_clients=9\n\
                     max_client_requests=9\nmin_workers=9\nmax_workers=99\nprio_workers=9\nkeepalive_interval=9\n\
                     keepalive_count=9\nadmin_min_workers=9\nadmin_max_workers=99\nadmin_max_clients=9\n\
                     admin_max_queued_clients=9\nadmin_max_client_requests=9\nadmin_keepalive_interval=9\n\
                     admin_keepalive_count=9\nlog_level=4\nlog_filters='1:x'\nlog_outputs='1:stderr'\n\
                     host_uuid='12345678-1234-1234-1234-123456789012'\nhost_uuid_source='machine-id'\naudit_level=0\n\
                     audit_logging=1\ncopy_controllers=0\n";
        let names: Vec<&str> = other.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        let (before, after) = (Config::default(), Config::parse(other).unwrap());
        assert_eq!(differences(&before, &after), names);
        assert_eq!(differences(&before, &before), Vec::<&str>::new());
        const SAMPLE: &str = include_str!("../../../data/virtlxcd.conf");
        let told = SAMPLE.lines().filter_map(|line| line.strip_prefix('#')?.split_once(" = "));
        let told = told.map(|(name, _)| name).filter(|name| !name.starts_with(' '));
        for name in told.filter(|name| !name.starts_with("auth_unix_")) {
            assert!(names.contains(&name), "{name}");
        }
    }

    #[test]
    fn no_more_threads_than_the_most() {
        let config = Config::parse("min_workers = 9\nmax_workers = 3\n").unwrap();
        assert_eq!(config.workers.min_workers, 3);
    }

    #[test]
    fn mistakes_name_their_line() {
        for (text, line, part) in [
            ("\n\nmax_client = 5", 3, "no setting 'max_client'"),
            ("max_clients = \"5\"", 1, "whole number"),
            ("unix_sock_group = 5", 1, "string"),
            ("unix_sock_rw_perms = \"0999\"", 1, "octal"),
            ("a\nmax_workers = 0", 1, "expected '='"),
            ("log_level = 1\nmax_workers = 0", 2, "at least 1"),
            ("log_filters = \"x\nlog_level = 1", 1, "does not end"),
            ("auth_unix_rw = \"polkit\"", 1, "not supported"),
            ("max_clients = 5 5", 1, "unexpected text"),
            ("log_level = 9", 1, "not between"),
            ("\nlog_outputs = \"1:pigeon\"", 2, "Malformed format for log output"),
            ("\nlog_filters = \"rpc\"", 2, "Malformed format for filter"),
        ] {
            let (at, why) = Config::parse(text).unwrap_err();
            assert_eq!(at, line, "{text}: {why}");
            assert!(why.contains(part), "{text}: {why}");
        }
    }
}
