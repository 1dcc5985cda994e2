//! Which daemon to talk to, and starting our own where none listens.

use crate::failure::{Context, Failure, words};
use crate::settings::Settings;
use api::settings;
use rpc::client::{Connection, Keepalive, OpenOptions, Transport, Uri};
use rustix::fs::{FlockOperation, fcntl_lock};
use std::env;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const DEFAULT_URI: &str = "lxc:///";
const DAEMON: &str = "virtlxcd";
/// Locked while a client starts the daemon.
const TURN: &str = "/run/virtlxcd-start.lock";
/// How long a daemon that we started stays without a client or a running container.
const IDLE_SECONDS: &str = "120";

/// The URI of the options, of the environment, of `libvirt.conf`, or the LXC driver's; `remark` is told what of that file is not
/// understood. Only where the file has something to say is it read.
pub fn chosen_uri(settings: &Settings, remark: &mut dyn FnMut(&str)) -> Result<String, Failure> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let given = settings
        .uri
        .clone()
        .filter(|uri| !uri.is_empty())
        .or_else(|| variable("VIRSH_DEFAULT_CONNECT_URI"))
        .or_else(|| variable("LIBVIRT_DEFAULT_URI"));
    match given {
        // No alias has a colon.
        Some(uri) if uri.contains(':') => Ok(uri),
        given => {
            let config = ClientConfig::read(remark)?;
            let uri = given.or(config.default).unwrap_or_else(|| DEFAULT_URI.to_string());
            Ok(config.aliases.into_iter().find(|(name, _)| *name == uri).map_or(uri, |(_, whole)| whole))
        }
    }
}

pub fn open(settings: &Settings, uri: &str) -> Result<Connection, Failure> {
    open_quietly(settings, uri).context("failed to connect to the hypervisor")
}

fn open_quietly(settings: &Settings, uri: &str) -> Result<Connection, Failure> {
    if let Some(socket) = own_socket(uri, settings.read_only) {
        if !someone_listens(&socket) && may_start_daemon() {
            start_daemon(&socket)?;
        }
    }
    let usual = Keepalive::default();
    let keepalive = (settings.keepalive_interval != Some(0)).then_some(Keepalive {
        interval: settings.keepalive_interval.map_or(usual.interval, |seconds| Duration::from_secs(seconds.into())),
        count: settings.keepalive_count.unwrap_or(usual.count),
    });
    Ok(Connection::open(Some(uri), OpenOptions { read_only: settings.read_only, keepalive })?)
}

/// The socket that a local LXC connection ends at, whoever serves it.
fn own_socket(uri: &str, read_only: bool) -> Option<PathBuf> {
    let uri = Uri::parse(uri).ok()?;
    let local = uri.driver == "lxc" && uri.transport() == Transport::Unix && uri.host.is_none();
    if !local || uri.parameter("socket").is_some() || uri.parameter("mode").is_some() {
        return None;
    }
    let suffix = if read_only { "-ro" } else { "" };
    let direct = PathBuf::from(format!("/var/run/libvirt/virtlxcd-sock{suffix}"));
    let legacy = PathBuf::from(format!("/var/run/libvirt/libvirt-sock{suffix}"));
    Some(if !direct.exists() && legacy.exists() { legacy } else { direct })
}

fn someone_listens(socket: &Path) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    match std::os::unix::net::UnixStream::connect(socket) {
        Ok(_) => true,
        // Something is there that we may not use: that is for the connection to report.
        Err(error) => !matches!(error.kind(), ConnectionRefused | NotFound),
    }
}

fn may_start_daemon() -> bool {
    rustix::process::geteuid().is_root() && env::var("LIBVIRT_AUTOSTART").as_deref() != Ok("0")
}

/// Starts our daemon in the background; it comes back once it serves its sockets.
fn start_daemon(socket: &Path) -> Result<(), Failure> {
    let Some(program) = find_daemon() else { return Ok(()) };
    // Of clients that come at once, one starts it. Where there can be no such file, the daemons settle it among themselves.
    let turn = File::options().write(true).create(true).truncate(false).mode(0o600).open(TURN);
    let _turn = turn.and_then(|file| Ok(fcntl_lock(&file, FlockOperation::LockExclusive).map(|()| file)?));
    if someone_listens(socket) {
        return Ok(());
    }
    let outcome = Command::new(&program)
        .args(["-d", "--timeout", IDLE_SECONDS])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| Failure::new(format!("cannot start '{}': {}", program.display(), words(&error))))?;
    if outcome.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&outcome.stderr);
    let reason = said.trim().strip_prefix("virtlxcd: ").unwrap_or(said.trim());
    let reason = if reason.is_empty() { outcome.status.to_string() } else { reason.to_string() };
    Err(Failure::new(format!("cannot start '{}': {reason}", program.display())))
}

/// Beside our own program, or on the path.
fn find_daemon() -> Option<PathBuf> {
    let beside = env::current_exe().ok().and_then(|program| Some(program.parent()?.join(DAEMON)));
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join(DAEMON));
    let system = ["/usr/local/sbin", "/usr/sbin"].map(|folder| Path::new(folder).join(DAEMON));
    beside.into_iter().chain(on_path).chain(system).find(|program| program.is_file())
}

/// What of `libvirt.conf` concerns a client.
#[derive(Debug, Default, PartialEq, Eq)]
struct ClientConfig {
    default: Option<String>,
    aliases: Vec<(String, String)>,
    /// Names that are not known, with their lines: other clients have the same file.
    unknown: Vec<(usize, String)>,
}

impl ClientConfig {
    /// A file that is not there, or may not be read, says nothing.
    fn read(remark: &mut dyn FnMut(&str)) -> Result<ClientConfig, Failure> {
        let path = match rustix::process::geteuid().is_root() {
            true => Some(PathBuf::from("/etc/libvirt/libvirt.conf")),
            false => env::var_os("XDG_CONFIG_HOME")
                .map(PathBuf::from)
                .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".config")))
                .map(|folder| folder.join("libvirt/libvirt.conf")),
        };
        let read = path.and_then(|path| std::fs::read_to_string(&path).ok().map(|text| (path, text)));
        let Some((path, text)) = read else { return Ok(ClientConfig::default()) };
        let at = |line: usize, what: &str| format!("{}:{line}: {what}", path.display());
        let config = ClientConfig::parse(&text).map_err(|(line, why)| Failure::new(at(line, &why)))?;
        for (line, name) in &config.unknown {
            remark(&at(*line, &format!("there is no setting '{name}'")));
        }
        Ok(config)
    }

    fn parse(text: &str) -> Result<ClientConfig, settings::Failure> {
        let mut config = ClientConfig::default();
        settings::read_with_lines(text, |line, name, value| {
            match name {
                "uri_default" => config.default = Some(settings::text(name, value)?),
                "uri_aliases" => {
                    config.aliases =
                        settings::list(name, value)?.iter().map(|one| alias(one)).collect::<Result<_, _>>()?
                }
                // Which of libvirt's daemons a client of its own library looks for.
                "remote_mode" => _ = settings::text(name, value)?,
                _ => config.unknown.push((line, name.to_string())),
            }
            Ok(())
        })?;
        Ok(config)
    }
}

/// `name=uri`; names are letters, digits, `_` and `-`.
fn alias(entry: &str) -> Result<(String, String), String> {
    let plain = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    match entry.split_once('=').filter(|(name, uri)| plain(name) && !uri.is_empty()) {
        Some((name, uri)) => Ok((name.to_string(), uri.to_string())),
        None => Err(format!("uri_aliases: '{entry}' is not of the form name=uri")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_settings() {
        let text = "# uri_default = \"x\"\nuri_aliases = [\n  \"far=lxc+ssh://far/\", # one\n  \"near=lxc:///\"\n]\nuri_default = \"far\"\n";
        let config = ClientConfig::parse(text).unwrap();
        assert_eq!(config.default.as_deref(), Some("far"));
        let aliases = [("far".to_string(), "lxc+ssh://far/".to_string()), ("near".to_string(), "lxc:///".to_string())];
        assert_eq!(config.aliases, aliases);
        for (text, line, part) in [
            ("uri_default = [ \"lxc:///\" ]", 1, "string"),
            ("uri_aliases = \"a=b\"", 1, "list"),
            ("\n\nuri_aliases = [ \"a b=lxc:///\" ]", 3, "name=uri"),
        ] {
            let (at, why) = ClientConfig::parse(text).unwrap_err();
            assert!(at == line && why.contains(part), "{text}: {at}: {why}");
        }
        let config = ClientConfig::parse("remote_mode = \"auto\"\n\nuri_defaults = 1\nuri_default = \"x\"\n").unwrap();
        assert_eq!((config.unknown, config.default.as_deref()), (vec![(3, "uri_defaults".to_string())], Some("x")));
    }

    #[test]
    fn only_a_local_lxc_connection_has_a_daemon_to_start() {
        for uri in ["qemu:///system", "lxc+ssh://far/", "lxc+unix:///?socket=/x", "network:///system"] {
            assert_eq!(own_socket(uri, false), None, "{uri}");
        }
        assert!(own_socket("lxc:///", false).is_some());
    }
}
