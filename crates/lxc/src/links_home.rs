//! Links of the machine that a document gives to its container (`<hostdev type='net'>`), brought back at its end. The kernel
//! would do that for hardware alone, and to the very first network namespace instead of ours; other links end with the
//! container's namespace. So that namespace is held for as long as there is something in it to be brought back; and since the
//! guest may give any name to any link, what comes back is looked at first.

use crate::driver::Driver;
use conf::domain::{Domain, HostdevSource};
use linux::netlink::{Link, Netns, Socket};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// The namespace with the links in it.
#[derive(Clone)]
pub struct Away {
    namespace: Arc<OwnedFd>,
    links: Vec<Lent>,
}

/// One of them, with what tells it from another that the guest has given its name.
#[derive(Clone)]
struct Lent {
    name: String,
    /// None: it was not there.
    identity: Option<Identity>,
}

/// What no guest can change, nor give to a link of another kind that it makes: hardware has no kind, and an address burnt in. (An
/// index is another one, where the container has one of that number already.)
#[derive(Clone, PartialEq, Eq)]
struct Identity {
    kind: String,
    permanent: Option<[u8; 6]>,
}

impl From<Link> for Identity {
    fn from(link: Link) -> Identity {
        Identity { kind: link.kind, permanent: link.permanent_mac }
    }
}

impl Lent {
    fn is_seen_by(&self, socket: &mut Socket) -> io::Result<bool> {
        Ok(self.identity.as_ref() == Some(&socket.link(&self.name)?.into()))
    }

    fn move_to(&self, home: BorrowedFd, socket: &mut Socket) -> io::Result<()> {
        match self.is_seen_by(socket)? {
            true => socket.move_to(&self.name, Netns::Fd(home), None),
            false => Err(io::Error::other("another link in the container has its name")),
        }
    }
}

impl Driver {
    /// None where the document gives away no link. `init`: a process in the container's namespaces.
    pub(crate) fn links_away(&self, domain: &Domain, init: impl FnOnce() -> Option<i32>) -> Option<Away> {
        let names: Vec<&String> = domain
            .hostdevs
            .iter()
            .filter_map(|hostdev| match &hostdev.source {
                HostdevSource::Net { interface, .. } => Some(interface),
                _ => None,
            })
            .collect();
        if names.is_empty() {
            return None;
        }
        Away::hold(&self.paths.proc.join(init()?.to_string()).join("ns/net"), &names)
            .inspect_err(|e| tracing::warn!("domain '{}': its links will not come back: {e}", domain.name))
            .ok()
    }
}

impl Away {
    /// The links are on the machine still; after a restart of the daemon they are in the container.
    fn hold(namespace: &Path, names: &[&String]) -> io::Result<Away> {
        let namespace: OwnedFd = File::open(namespace)?.into();
        let mut here = Socket::new()?;
        let mut links: Vec<Lent> = names
            .iter()
            .map(|name| Lent { name: (*name).clone(), identity: here.link(name).ok().map(Identity::from) })
            .collect();
        if links.iter().any(|link| link.identity.is_none()) {
            links = within(&namespace, move |_, there| {
                for link in links.iter_mut().filter(|link| link.identity.is_none()) {
                    link.identity = there.link(&link.name).ok().map(Identity::from);
                }
                Ok(links)
            })?;
        }
        Ok(Away { namespace: Arc::new(namespace), links })
    }

    /// What cannot be brought back, since the guest has renamed or removed it, is told in the log.
    pub fn bring_home(&self, domain: &str) {
        let links = self.links.clone();
        let brought = within(&self.namespace, move |home, there| {
            let missing = links.into_iter().filter_map(|link| Some((link.move_to(home, there).err()?, link)));
            Ok(missing.collect::<Vec<_>>())
        });
        let missing = match brought {
            Ok(missing) => missing,
            Err(error) => return tracing::warn!("domain '{domain}': its interfaces do not come back: {error}"),
        };
        for (error, link) in missing {
            // A start that has failed early leaves it where it was.
            let is_home = Socket::new().and_then(|mut here| link.is_seen_by(&mut here)).unwrap_or(false);
            if !is_home {
                tracing::warn!("domain '{domain}': interface {} does not come back: {error}", link.name);
            }
        }
    }
}

/// A socket belongs to the namespace of the thread that makes it, and this thread shall stay where it is. `act` is given this
/// namespace and a socket in the other.
fn within<T: Send + 'static>(
    namespace: &OwnedFd,
    act: impl FnOnce(BorrowedFd, &mut Socket) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let namespace = namespace.try_clone()?;
    let work = move || {
        let here = File::open("/proc/thread-self/ns/net")?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        act(here.as_fd(), &mut Socket::new()?)
    };
    let thread = thread::Builder::new().name("links".into()).spawn(work)?;
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that moves them has panicked")))
}
