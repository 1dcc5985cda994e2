//! The kernel's network set-up by rtnetlink: links, addresses, routes. Blocking, one request at a time. Beside it, what else
//! is told by netlink.
//! See netlink(7), rtnetlink(7) and `include/uapi/linux/if_link.h`.

mod address;
mod audit;
mod limit;
mod link;
mod message;
mod nbd;
mod uevent;

pub use address::{Address, Route};
pub use audit::{Audit, AuditRecord, audit_value};
pub use limit::Limit;
pub use link::{Bridge, Change, LONGEST_NAME, Link, Macvlan, MacvlanMode, Netns, Veth};
pub use nbd::NetworkDisks;
pub use uevent::{Teller, Uevent, Uevents};

use message::{Request, split};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io;
use std::os::fd::OwnedFd;

/// A socket to the network namespace of the thread that made it.
pub struct Socket {
    socket: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

/// Answers to a dump come in datagrams of up to this size.
const BUFFER: usize = 32 * 1024;

impl Socket {
    pub fn new() -> io::Result<Socket> {
        // No protocol by name: NETLINK_ROUTE is number 0.
        Socket::to(None)
    }

    fn to(protocol: Option<Protocol>) -> io::Result<Socket> {
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0))?;
        Ok(Socket { socket, sequence: 0, buffer: vec![0; BUFFER] })
    }

    /// Sends `request` and waits until the kernel has carried it out.
    fn act(&mut self, request: Request) -> io::Result<()> {
        self.exchange(request, |_, _| ())
    }

    /// Sends `request` and gives each answer of its own (kind, body) to `take`, until the last.
    fn exchange(&mut self, request: Request, mut take: impl FnMut(u16, &[u8])) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let bytes = request.finish(self.sequence);
        rustix::net::send(&self.socket, &bytes, SendFlags::empty())?;
        loop {
            let received = rustix::net::recv(&self.socket, &mut self.buffer[..], RecvFlags::empty());
            let length = match received {
                Ok((_, length)) => length,
                Err(rustix::io::Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            };
            let mut rest = self.buffer.get(..length).unwrap_or(&self.buffer);
            while let Some((answer, after)) = split(rest)? {
                rest = after;
                if answer.sequence != self.sequence {
                    continue;
                }
                match i32::from(answer.kind) {
                    libc::NLMSG_ERROR => {
                        return match message::u32_at(answer.body, 0).unwrap_or(0) as i32 {
                            0 => Ok(()),
                            errno => Err(io::Error::from_raw_os_error(-errno)),
                        };
                    }
                    libc::NLMSG_DONE => return Ok(()),
                    _ => take(answer.kind, answer.body),
                }
            }
        }
    }
}
