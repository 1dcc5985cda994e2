//! Changes to a domain: to the running container, to the persistent definition, or to both.

use crate::driver::Driver;
use crate::monitor::wait;
use crate::object::{DomainObject, not_running};
use api::{Error, ErrorDomain, Event, Result};
use conf::domain::Domain;
use linux::cgroup::Group;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// `VIR_DOMAIN_AFFECT_LIVE` and `VIR_DOMAIN_AFFECT_CONFIG`; neither means the one that a domain is in.
pub const LIVE: u32 = 1;
pub const CONFIG: u32 = 2;

/// What a change to a running container needs of it.
pub(crate) struct Running {
    pub group: Option<Arc<Group>>,
    pub init: Option<Init>,
}

/// The container's first process.
#[derive(Clone)]
pub(crate) struct Init {
    /// As the machine numbers it.
    pub pid: i32,
    pub process: Arc<OwnedFd>,
}

impl Init {
    /// An error once it has ended. Until then its number is its own, and so is all that was found by it.
    pub fn is_there(&self) -> io::Result<()> {
        match wait(&[&self.process], Duration::ZERO) {
            [false] => Ok(()),
            [true] => Err(rustix::io::Errno::SRCH.into()),
        }
    }

    /// Its root folder.
    pub fn root(&self, proc: &Path) -> io::Result<OwnedFd> {
        let root = linux::beneath::host(&proc.join(self.pid.to_string()).join("root"))?;
        self.is_there().map(|()| root)
    }
}

impl Running {
    pub fn group(&self) -> Result<&Group> {
        self.group.as_deref().ok_or_else(crate::suspend::no_group)
    }
}

impl Driver {
    /// Whether live state and persistent definition are meant. Errors as libvirt has them.
    fn affected(object: &DomainObject, flags: u32) -> Result<(bool, bool)> {
        let state = object.lock();
        let active = state.live.is_some();
        let (live, config) = match (flags & LIVE != 0, flags & CONFIG != 0) {
            (false, false) => (active, !active),
            chosen => chosen,
        };
        if live && !active {
            return Err(not_running());
        }
        if config && !state.persistent {
            let words = "transient domains do not have any persistent config";
            return Err(Error::operation_invalid(ErrorDomain::Domain, words));
        }
        Ok((live, config))
    }

    /// The definition that a question is about. Beside it, what runs, where it is about that.
    pub(crate) fn asked(object: &DomainObject, flags: u32) -> Result<(Arc<Domain>, Option<Running>)> {
        let (live, config) = Driver::affected(object, flags)?;
        if live && config {
            let words = "the live and the persistent definition cannot be asked for at once";
            return Err(Error::new(ErrorDomain::Domain, api::Code::InvalidArg, words));
        }
        let state = object.lock();
        match (live, &state.live) {
            (true, Some(running)) => Ok((Arc::clone(&running.domain), Some(running.handles()))),
            (true, None) => Err(not_running()),
            (false, _) => Ok((Arc::clone(&state.definition), None)),
        }
    }

    /// Changes the definitions that the flags mean. `change` is called with each: first with the persistent one, so that what
    /// is wrong is found before anything is done; then with the live one and the container, where it acts.
    pub(crate) fn change(
        &self,
        object: &Arc<DomainObject>,
        what: &'static str,
        flags: u32,
        change: impl FnMut(&mut Domain, Option<&Running>) -> Result<()>,
    ) -> Result<()> {
        self.change_and_tell(object, what, flags, change, Vec::new)
    }

    /// The same; then the events are published, before another change of this domain can begin. What fails in the container
    /// leaves the persistent definition as it was.
    pub(crate) fn change_and_tell(
        &self,
        object: &Arc<DomainObject>,
        what: &'static str,
        flags: u32,
        mut change: impl FnMut(&mut Domain, Option<&Running>) -> Result<()>,
        events: impl FnOnce() -> Vec<Event>,
    ) -> Result<()> {
        let _job = object.begin(what)?;
        let (live, config) = Driver::affected(object, flags)?;
        let config = match config {
            true => {
                let mut definition = (*object.lock().definition).clone();
                change(&mut definition, None)?;
                self.save(&definition)?;
                Some(definition)
            }
            false => None,
        };
        if live {
            let mut change_live = || {
                let (mut domain, mut origin, running) = {
                    let state = object.lock();
                    let running = state.running()?;
                    ((*running.domain).clone(), (*running.origin).clone(), running.handles())
                };
                // What cannot be said of a definition goes with the container's end.
                let lasts = change(&mut origin, None).is_ok();
                change(&mut domain, Some(&running))?;
                let mut state = object.lock();
                let live = state.running_mut()?;
                live.domain = Arc::new(domain);
                if lasts {
                    live.origin = Arc::new(origin);
                }
                Ok(())
            };
            if let (Err(error), saved) = (change_live(), config.is_some()) {
                if saved {
                    let before = Arc::clone(&object.lock().definition);
                    if let Err(second) = self.save(&before) {
                        tracing::error!(
                            "domain '{}': its definition keeps a change that failed: {second}",
                            object.name
                        );
                    }
                }
                return Err(error);
            }
        }
        if let Some(definition) = config {
            object.lock().definition = Arc::new(definition);
        }
        let saved = if live { self.save_status(object) } else { Ok(()) };
        events().into_iter().for_each(|event| self.publish(event));
        saved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    use std::process::Command;

    #[test]
    fn what_was_found_by_a_number_counts_while_it_is_its_own() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let process = Arc::new(pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap());
        let proc = Path::new("/proc");
        assert!(Init { pid, process: Arc::clone(&process) }.root(proc).is_ok());
        child.kill().unwrap();
        child.wait().unwrap();
        // As if the number were another's by now.
        let another = Init { pid: rustix::process::getpid().as_raw_nonzero().get(), process };
        assert_eq!(another.root(proc).unwrap_err().raw_os_error(), Some(rustix::io::Errno::SRCH.raw_os_error()));
    }
}
