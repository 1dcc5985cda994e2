//! How a client reaches the daemon: always one socket at the end, whatever program carries it.

use super::uri::{Transport, Uri};
use crate::error::rpc_error;
use api::{Code, Error, ErrorDomain, Result};
use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// libvirt's own spelling; it appears in error messages.
const SOCKET_DIR: &str = "/var/run/libvirt";
const TCP_PORT: u16 = 16509;

/// The socket, and the program at its other end where there is one.
pub struct Transported {
    pub socket: OwnedFd,
    pub child: Option<Child>,
}

pub fn connect(uri: &Uri, read_only: bool) -> Result<Transported> {
    let plain = |socket: OwnedFd| Transported { socket, child: None };
    match uri.transport() {
        Transport::Unix => {
            if let Some(host) = &uri.host {
                let words = format!("using unix socket and remote server '{host}' is not supported.");
                return Err(Error::new(ErrorDomain::Remote, Code::InvalidArg, words));
            }
            let path = match uri.parameter("socket") {
                Some(path) => PathBuf::from(path),
                None => local_socket(uri, read_only)?,
            };
            let socket = UnixStream::connect(&path).map_err(|e| {
                Error::system(ErrorDomain::Rpc, &e, format!("Failed to connect socket to '{}'", path.display()))
            })?;
            Ok(plain(socket.into()))
        }
        Transport::Tcp => {
            let host = uri.host.as_deref().unwrap_or("localhost");
            let port = uri.port.unwrap_or(TCP_PORT);
            let socket = TcpStream::connect((host, port)).map_err(|e| {
                Error::system(ErrorDomain::Rpc, &e, format!("unable to connect to server at '{host}:{port}'"))
            })?;
            // Messages are whole writes: waiting to fill a segment would only add to the round trip.
            _ = socket.set_nodelay(true);
            Ok(plain(socket.into()))
        }
        Transport::Tls => Err(Error::new(
            ErrorDomain::Remote,
            Code::NoSupport,
            "the tls transport: use lxc+ssh://, or lxc+tcp:// through a tunnel",
        )),
        Transport::Ssh => spawn(ssh_command(uri, read_only)?),
        Transport::Ext => {
            let command = uri.parameter("command").ok_or_else(|| {
                let words = "remote_open: for 'ext' transport, command is required";
                Error::new(ErrorDomain::Remote, Code::InvalidArg, words)
            })?;
            spawn(Command::new(command))
        }
    }
}

/// The socket of the driver's own daemon where its file exists, the common daemon's otherwise.
fn local_socket(uri: &Uri, read_only: bool) -> Result<PathBuf> {
    let suffix = if read_only { "-ro" } else { "" };
    let direct = PathBuf::from(format!("{SOCKET_DIR}/virt{}d-sock{suffix}", uri.driver));
    let legacy = PathBuf::from(format!("{SOCKET_DIR}/libvirt-sock{suffix}"));
    match uri.parameter("mode").unwrap_or("auto") {
        "direct" => Ok(direct),
        "legacy" => Ok(legacy),
        "auto" if uri.driver == "remote" || (!direct.exists() && legacy.exists()) => Ok(legacy),
        "auto" => Ok(direct),
        other => {
            let words = format!("Unknown remote mode '{other}'");
            Err(Error::new(ErrorDomain::Remote, Code::InvalidArg, words).explain("; it is auto, direct or legacy"))
        }
    }
}

fn ssh_command(uri: &Uri, read_only: bool) -> Result<Command> {
    let host = uri.host.as_deref().unwrap_or("localhost");
    let mut command = Command::new(uri.parameter("command").unwrap_or("ssh"));
    if let Some(port) = uri.port {
        command.arg("-p").arg(port.to_string());
    }
    if let Some(user) = &uri.user {
        command.arg("-l").arg(user);
    }
    if let Some(key) = uri.parameter("keyfile") {
        command.arg("-i").arg(key);
    }
    command.args(["-T", "-e", "none"]);
    if uri.parameter("no_tty") == Some("1") {
        command.args(["-o", "BatchMode=yes"]);
    }
    if uri.parameter("no_verify") == Some("1") {
        command.args(["-o", "StrictHostKeyChecking=no"]);
    }
    command.arg("--").arg(host).arg(remote_script(uri, read_only)?);
    Ok(command)
}

/// What the far side's shell runs: libvirt's helper where it is installed and wanted, netcat otherwise.
fn remote_script(uri: &Uri, read_only: bool) -> Result<String> {
    let suffix = if read_only { "-ro" } else { "" };
    let netcat = quote(uri.parameter("netcat").unwrap_or("nc"));
    let socket = match uri.parameter("socket") {
        Some(path) => format!("s={}", quote(path)),
        None => format!(
            "s={direct}; test -S \"$s\" || s={legacy}",
            direct = quote(&format!("{SOCKET_DIR}/virt{}d-sock{suffix}", uri.driver)),
            legacy = quote(&format!("{SOCKET_DIR}/libvirt-sock{suffix}")),
        ),
    };
    let by_netcat = format!(
        "{socket}; case \"$({netcat} -q 2>&1)\" in *\"requires an argument\"*) q=-q0;; *) q=;; esac; \
         exec {netcat} $q -U \"$s\""
    );
    let by_helper = format!("virt-ssh-helper {}{}", if read_only { "-r " } else { "" }, quote(&uri.daemon_name()));
    let only_netcat = uri.parameter("netcat").is_some() || uri.parameter("socket").is_some();
    let script = match uri.parameter("proxy").unwrap_or("auto") {
        "netcat" => by_netcat,
        "native" => format!("exec {by_helper}"),
        "auto" if only_netcat => by_netcat,
        "auto" => format!("if command -v virt-ssh-helper >/dev/null 2>&1; then exec {by_helper}; else {by_netcat}; fi"),
        other => return Err(rpc_error(format!("connection URI: proxy '{other}' is not auto, netcat or native"))),
    };
    Ok(format!("sh -c {}", quote(&script)))
}

/// For a shell, whatever is in it.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Runs `command` with one end of a socket pair as its standard input and output.
fn spawn(mut command: Command) -> Result<Transported> {
    let failed = |e: io::Error, program: &Path| {
        Error::system(ErrorDomain::Rpc, &e, format!("cannot execute '{}'", program.display()))
    };
    let program = PathBuf::from(command.get_program());
    let (near, far) = UnixStream::pair().map_err(|e| failed(e, &program))?;
    let far = OwnedFd::from(far);
    let copy = far.try_clone().map_err(|e| failed(e, &program))?;
    let child = command.stdin(Stdio::from(far)).stdout(Stdio::from(copy)).spawn().map_err(|e| failed(e, &program))?;
    Ok(Transported { socket: near.into(), child: Some(child) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_runs_one_quoted_script() {
        let uri = Uri::parse("lxc+ssh://me@host:2222/system?socket=/tmp/it's&no_tty=1").unwrap();
        let command = ssh_command(&uri, false).unwrap();
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        let (script, options) = words.split_last().unwrap();
        assert_eq!(options, ["-p", "2222", "-l", "me", "-T", "-e", "none", "-o", "BatchMode=yes", "--", "host"]);
        let shown = Command::new("sh").arg("-c").arg(format!("set -- {script}; printf %s \"$3\"")).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&shown.stdout), remote_inner("/tmp/it's"));
    }

    fn remote_inner(socket: &str) -> String {
        format!(
            "s={}; case \"$('nc' -q 2>&1)\" in *\"requires an argument\"*) q=-q0;; *) q=;; esac; exec 'nc' $q -U \"$s\"",
            quote(socket)
        )
    }
}
