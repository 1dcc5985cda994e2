//! The command line, as the daemon writes it: libvirt's, and our own `--root` and `--document`.

use std::os::fd::RawFd;
use std::path::PathBuf;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The domain, whose status file has the rest.
    pub name: String,
    /// The machine's ends of the consoles, in order.
    pub consoles: Vec<RawFd>,
    /// Descriptors for the container's init, in order; it finds them from 3 on.
    pub pass: Vec<RawFd>,
    /// Names of links that move into the container, in the order of the document's interfaces.
    pub veths: Vec<String>,
    /// Where the daemon's bytes are read and ours are written.
    pub handshake: Option<(RawFd, RawFd)>,
    /// The security model; only `none` is known.
    pub security: Option<String>,
    pub share_net: Option<RawFd>,
    pub share_ipc: Option<RawFd>,
    pub share_uts: Option<RawFd>,
    /// The folder below which the daemon keeps its files, where it is not the system's.
    pub root: Option<PathBuf>,
    /// What the status file will say, before it is written. The daemon's first byte says then whether the control groups are made.
    pub document: Option<RawFd>,
}

pub enum Asked {
    Run(Options),
    /// To be copied for each command line that comes by this socket.
    Nursery(RawFd),
    /// A task inside a container that runs.
    Inside {
        name: String,
        root: Option<PathBuf>,
    },
    Help,
}

pub const HELP: &str = "\
usage: libvirt_lxc --name NAME --console FD... --handshakefds R:W [OPTION]...
       libvirt_lxc --inside NAME [--root DIR]
       libvirt_lxc --nursery FD

Builds the container of a domain, as its status file describes it, and stays until it ends.
A daemon starts it; there is no reason to do so by hand.

  -n, --name NAME           the domain
  -c, --console FD          the machine's end of a console; again for each further one
  -s, --handshakefds R:W    descriptors to read the daemon's bytes from and write ours to
  -S, --security NAME       the security model: none
  -v, --veth NAME           a network link that moves into the container; again for each
  -P, --passfd FD           a descriptor for the container's init; again for each
  -N, --share-net FD        use this network namespace
  -I, --share-ipc FD        use this IPC namespace
  -U, --share-uts FD        use this UTS namespace
      --inside NAME         carry out a task in this domain's running container: it is read from standard
                            input, a client's stream is descriptor 3, the container's init descriptor 4
      --root DIR            the folder below which the daemon keeps its files
      --nursery FD          be copied for each container whose command line and descriptors come by this socket
      --document FD         the status document, in place of its file; the daemon tells of the control groups then
  -h, --help                show this
";

pub fn parse(arguments: &[String]) -> Result<Asked, String> {
    let mut options = Options::default();
    let mut inside = None;
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let (option, attached) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_string())),
            _ => (word.as_str(), None),
        };
        let mut value = || match attached.clone().or_else(|| rest.next().cloned()) {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(format!("option '{option}' requires a value")),
        };
        match option {
            "--name" | "-n" => options.name = value()?,
            "--console" | "-c" => options.consoles.push(number(option, &value()?)?),
            "--passfd" | "-P" => options.pass.push(number(option, &value()?)?),
            "--veth" | "-v" => options.veths.push(value()?),
            "--security" | "-S" => options.security = Some(value()?),
            "--share-net" | "-N" => options.share_net = Some(number(option, &value()?)?),
            "--share-ipc" | "-I" => options.share_ipc = Some(number(option, &value()?)?),
            "--share-uts" | "-U" => options.share_uts = Some(number(option, &value()?)?),
            "--inside" => inside = Some(value()?),
            "--root" => options.root = Some(value()?.into()),
            "--handshakefds" | "-s" => {
                options.handshake = Some(numbers(option, &value()?)?);
            }
            "--document" => options.document = Some(number(option, &value()?)?),
            "--nursery" => return Ok(Asked::Nursery(number(option, &value()?)?)),
            "--help" | "-h" => return Ok(Asked::Help),
            _ => return Err(format!("unknown option '{word}'; see --help")),
        }
    }
    if let Some(name) = inside {
        return Ok(Asked::Inside { name, root: options.root });
    }
    if options.name.is_empty() {
        return Err("--name argument is required for configuration".into());
    }
    match options.security.as_deref() {
        None | Some("none") => Ok(Asked::Run(options)),
        Some(other) => Err(format!("security model '{other}' is not supported, only 'none' is")),
    }
}

fn numbers(option: &str, pair: &str) -> Result<(RawFd, RawFd), String> {
    let (one, other) = pair.split_once(':').ok_or_else(|| format!("'{option}' takes NUMBER:NUMBER, not '{pair}'"))?;
    Ok((number(option, one)?, number(option, other)?))
}

fn number(option: &str, value: &str) -> Result<RawFd, String> {
    value
        .parse()
        .ok()
        .filter(|number| *number >= 0)
        .ok_or_else(|| format!("option '{option}' takes the number of a descriptor, not '{value}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) -> Result<Options, String> {
        match parse(&line.split(' ').map(str::to_string).collect::<Vec<_>>())? {
            Asked::Run(options) => Ok(options),
            Asked::Inside { name, root } => Err(format!("inside {name} {root:?}")),
            Asked::Nursery(socket) => Err(format!("nursery {socket}")),
            Asked::Help => Err("help".into()),
        }
    }

    #[test]
    fn what_libvirts_daemon_writes_is_understood() {
        let line = "--name box --console 25 --console 27 --security=none --handshakefds 31:30 --veth vnet1 --passfd 4";
        let expected = Options {
            name: "box".into(),
            consoles: vec![25, 27],
            pass: vec![4],
            veths: vec!["vnet1".into()],
            handshake: Some((31, 30)),
            security: Some("none".into()),
            ..Options::default()
        };
        assert_eq!(check(line), Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(check("--console 1").unwrap_err().contains("--name"));
        assert!(check("--name box --console x").unwrap_err().contains("'x'"));
        assert!(check("--name box --handshakefds 3").unwrap_err().contains("NUMBER:NUMBER"));
        assert_eq!(check("--nursery 3").unwrap_err(), "nursery 3");
        assert!(check("--name box --security selinux").unwrap_err().contains("selinux"));
        assert!(check("--name box --wat").unwrap_err().contains("--wat"));
        assert_eq!(check("--inside box --root /r").unwrap_err(), "inside box Some(\"/r\")");
        assert!(check("--name").unwrap_err().contains("requires a value"));
    }
}
