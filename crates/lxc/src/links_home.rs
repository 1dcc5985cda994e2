//! Links of the machine that a document gives to its container (`<hostdev type='net'>`), brought back at its end. The kernel
//! would do that for hardware alone, and to the very first network namespace instead of ours; other links end with the
//! container's namespace. So that namespace is held for as long as there is something in it to be brought back.

use crate::driver::Driver;
use conf::domain::{Domain, HostdevSource};
use linux::netlink::{Netns, Socket};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread;

/// The namespace with the links in it.
#[derive(Clone)]
pub struct Away {
    namespace: Arc<OwnedFd>,
    links: Vec<String>,
}

impl Driver {
    /// None where the document gives away no link. `init`: a process in the container's namespaces.
    pub(crate) fn links_away(&self, domain: &Domain, init: impl FnOnce() -> Option<i32>) -> Option<Away> {
        let links: Vec<String> = domain
            .hostdevs
            .iter()
            .filter_map(|hostdev| match &hostdev.source {
                HostdevSource::Net { interface, .. } => Some(interface.clone()),
                _ => None,
            })
            .collect();
        if links.is_empty() {
            return None;
        }
        File::open(self.paths.proc.join(init()?.to_string()).join("ns/net"))
            .inspect_err(|e| tracing::warn!("domain '{}': its links will not come back: {e}", domain.name))
            .ok()
            .map(|namespace| Away { namespace: Arc::new(namespace.into()), links })
    }
}

impl Away {
    /// What cannot be brought back, since the guest has renamed or removed it, is told in the log.
    pub fn bring_home(&self, domain: &str) {
        let away = self.clone();
        // A socket belongs to the namespace of the thread that makes it, and this thread shall stay where it is.
        let brought = thread::spawn(move || away.bring_from_there()).join();
        match brought {
            Ok(Ok(missing)) => {
                for (link, error) in missing {
                    tracing::warn!("domain '{domain}': interface {link} does not come back: {error}");
                }
            }
            Ok(Err(error)) => tracing::warn!("domain '{domain}': its interfaces do not come back: {error}"),
            Err(_) => tracing::error!("domain '{domain}': bringing its interfaces back has panicked"),
        }
    }

    fn bring_from_there(&self) -> io::Result<Vec<(String, io::Error)>> {
        let here = File::open("/proc/thread-self/ns/net")?;
        move_into_link_name_space(self.namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        let mut socket = Socket::new()?;
        let moved = self.links.iter().map(|link| (link.clone(), socket.move_to(link, Netns::Fd(here.as_fd()), None)));
        Ok(moved.filter_map(|(link, moved)| Some((link, moved.err()?))).collect())
    }
}
