//! Connection URIs: `driver[+transport]://[user@][host][:port]/path[?parameters]`.

use crate::error::rpc_error;
use api::{Code, Error, ErrorDomain, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Unix,
    Tcp,
    Tls,
    Ssh,
    Ext,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// `lxc`, `network`, `qemu`…, as written.
    pub driver: String,
    /// None: unix where no host is named, tls where one is.
    pub transport: Option<Transport>,
    pub user: Option<String>,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub path: String,
    pub parameters: Vec<(String, String)>,
}

/// Parameters for the client alone; the others go to the daemon.
const CLIENT_PARAMETERS: &[&str] = &[
    "name",
    "command",
    "socket",
    "auth",
    "sshauth",
    "netcat",
    "keyfile",
    "pkipath",
    "known_hosts",
    "known_hosts_verify",
    "tls_priority",
    "mode",
    "proxy",
    "no_sanity",
    "no_verify",
    "no_tty",
    "authfile",
];

impl Uri {
    pub fn parse(text: &str) -> Result<Uri> {
        let malformed = |why: &str| rpc_error(format!("connection URI '{text}': {why}"));
        let (scheme, rest) = text.split_once(':').ok_or_else(|| {
            let words = format!("URI '{text}' does not include a driver name");
            Error::new(ErrorDomain::None, Code::NoConnect, words)
        })?;
        let rest = rest.split('#').next().unwrap_or_default();
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => match rest.find('/') {
                Some(at) => rest.split_at(at),
                None => (rest, ""),
            },
            None => ("", rest),
        };
        let (user, server) = match authority.rsplit_once('@') {
            Some((user, server)) => (Some(unescape(user)), server),
            None => (None, authority),
        };
        let (host, port) = split_port(server).ok_or_else(|| malformed("the port is not a number up to 65535"))?;
        let (driver, transport) = match scheme.split_once('+') {
            None => (scheme, None),
            Some((driver, name)) => {
                let transport = match name.to_ascii_lowercase().as_str() {
                    "unix" => Transport::Unix,
                    "tcp" => Transport::Tcp,
                    "tls" => Transport::Tls,
                    "ssh" | "libssh" | "libssh2" => Transport::Ssh,
                    "ext" => Transport::Ext,
                    _ => {
                        let words = "remote_open: transport in URL not recognised (should be unix|tcp|tls|ssh|ext)";
                        return Err(Error::new(ErrorDomain::Remote, Code::InvalidArg, words));
                    }
                };
                (driver, Some(transport))
            }
        };
        Ok(Uri {
            driver: driver.to_string(),
            transport,
            user,
            host: Some(unescape(host)).filter(|host| !host.is_empty()),
            port,
            path: path.to_string(),
            parameters: query
                .split(['&', ';'])
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (unescape(name), unescape(value)))
                .collect(),
        })
    }

    pub fn transport(&self) -> Transport {
        self.transport.unwrap_or(if self.host.is_some() { Transport::Tls } else { Transport::Unix })
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The URI as the daemon sees it: without transport, server and what only the client needs.
    pub fn daemon_name(&self) -> String {
        if let Some(name) = self.parameter("name") {
            return name.to_string();
        }
        if self.driver == "remote" {
            return String::new();
        }
        let mut name = format!("{}://{}", self.driver, self.path);
        let mut mark = '?';
        for (key, value) in self.parameters.iter().filter(|(key, _)| !CLIENT_PARAMETERS.contains(&key.as_str())) {
            name += &format!("{mark}{}={}", escape(key), escape(value));
            mark = '&';
        }
        name
    }
}

/// `host:port`, `[v6]:port`, or either without the port.
fn split_port(server: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':')?)),
        None => match server.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    match port {
        None | Some("") => Some((host, None)),
        Some(port) => Some((host, Some(port.parse().ok()?))),
    }
}

fn unescape(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |digit: Option<u8>| (digit? as char).to_digit(16);
        let mut ahead = bytes.clone();
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => (byte as char).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_of_every_transport() {
        let cases = [
            ("lxc:///", Transport::Unix, None, None, "lxc:///"),
            ("lxc:///system", Transport::Unix, None, None, "lxc:///system"),
            ("lxc:", Transport::Unix, None, None, "lxc://"),
            ("lxc+unix:///?socket=/tmp/a%20b", Transport::Unix, None, None, "lxc:///"),
            ("lxc+tcp://host:99/system?x=1&socket=y", Transport::Tcp, Some("host"), Some(99), "lxc:///system?x=1"),
            ("lxc+ssh://me@[fe80::1]/system", Transport::Ssh, Some("fe80::1"), None, "lxc:///system"),
            ("lxc://host/", Transport::Tls, Some("host"), None, "lxc:///"),
            ("remote+ext:///?command=/bin/x", Transport::Ext, None, None, ""),
            ("lxc+tcp://h/?name=qemu:///s", Transport::Tcp, Some("h"), None, "qemu:///s"),
        ];
        for (text, transport, host, port, name) in cases {
            let uri = Uri::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!((uri.transport(), uri.host.as_deref(), uri.port), (transport, host, port), "{text}");
            assert_eq!(uri.daemon_name(), name, "{text}");
        }
        assert_eq!(Uri::parse("lxc+unix:///?socket=/tmp/a%20b").unwrap().parameter("socket"), Some("/tmp/a b"));
        for text in ["lxc", "lxc+carrier-pigeon://h/", "lxc+tcp://h:99999/"] {
            assert!(Uri::parse(text).is_err(), "{text}");
        }
    }
}
