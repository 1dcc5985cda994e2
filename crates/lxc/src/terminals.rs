//! The host's ends of a container's consoles: a pty each, whose master the controller gets and whose slave clients open.

use crate::files::system;
use api::{Error, ErrorDomain, Result};
use conf::domain::Domain;
use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::os::fd::OwnedFd;

/// A terminal for each console, its path and alias noted in the live definition.
pub fn open(live: &mut Domain) -> Result<Vec<OwnedFd>> {
    check(live)?;
    let mut masters = Vec::with_capacity(live.consoles.len());
    for (number, console) in live.consoles.iter_mut().enumerate() {
        let (master, path) = open_one().map_err(|e| system(&e, "Failed to allocate tty".into()))?;
        console.tty = (number == 0).then(|| path.clone());
        console.source_path = Some(path);
        console.alias = Some(format!("console{number}"));
        masters.push(master);
    }
    Ok(masters)
}

/// What can be said before anything is made.
pub fn check(definition: &Domain) -> Result<()> {
    let refused = |words: &str| Err(Error::config_unsupported(ErrorDomain::Lxc, words));
    if definition.consoles.is_empty() {
        return refused("At least one PTY console is required");
    }
    if definition.consoles.iter().any(|console| console.kind != "pty") {
        return refused("Only PTY console types are supported");
    }
    for console in &definition.consoles {
        if let Some(file) = console.log().and_then(|log| log.attr("file")).filter(|file| !file.starts_with('/')) {
            return refused(&format!("The log file '{file}' of a console must be an absolute path"));
        }
    }
    Ok(())
}

/// In raw mode: bytes pass as they are, for there is a terminal of the container's own behind it.
fn open_one() -> std::io::Result<(OwnedFd, String)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    unlockpt(&master)?;
    let path = ptsname(&master, Vec::new())?.to_string_lossy().into_owned();
    let mut modes = tcgetattr(&master)?;
    modes.make_raw();
    tcsetattr(&master, OptionalActions::Now, &modes)?;
    rustix::io::ioctl_fionbio(&master, true)?;
    Ok((master, path))
}
