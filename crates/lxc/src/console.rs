//! A container's consoles for clients: found by name, opened for one client at a time.

use crate::driver::Driver;
use crate::files::system;
use crate::object::DomainObject;
use api::{Error, ErrorDomain, Result};
use rustix::fs::{Mode, OFlags};
use std::os::fd::OwnedFd;

/// A console that a client is to be connected with.
pub struct Console {
    pub terminal: OwnedFd,
    /// Which one it is, for all clients: its terminal's path.
    pub path: String,
}

impl Driver {
    /// The console of that alias; the first one where none is named.
    pub fn open_console(&self, object: &DomainObject, name: Option<&str>) -> Result<Console> {
        let path = {
            let state = object.lock();
            let consoles = &state.running()?.domain.consoles;
            let found = match name {
                Some(name) => consoles.iter().find(|console| console.alias.as_deref() == Some(name)),
                None => consoles.first(),
            };
            let unknown = || match name {
                Some(name) => format!("cannot find console device '{name}'"),
                None => "cannot find default console device".to_string(),
            };
            let console = found.ok_or_else(|| Error::internal(ErrorDomain::Lxc, unknown()))?;
            let no_terminal = || {
                let alias = console.alias.as_deref().unwrap_or("console");
                Error::internal(ErrorDomain::Lxc, format!("character device {alias} is not using a PTY"))
            };
            console.source_path.clone().ok_or_else(no_terminal)?
        };
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let terminal = rustix::fs::open(&path, flags, Mode::empty())
            .map_err(|e| system(&e.into(), format!("Unable to open console '{path}'")))?;
        Ok(Console { terminal, path })
    }
}
