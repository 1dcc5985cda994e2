//! Network block devices (linux/nbd-netlink.h): who serves an image at the other end of a socket is shown as a disk.

use super::Socket;
use super::message::{Request, attributes, u16_at, u32_at};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Families of generic netlink are asked for by name (linux/genetlink.h).
const CONTROL: u16 = 0x10;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

const CONNECT: u8 = 1;
const DISCONNECT: u8 = 2;
const RECONFIGURE: u8 = 3;

const INDEX: u16 = 1;
const SIZE: u16 = 2;
const BLOCK_SIZE: u16 = 3;
const SERVER_FLAGS: u16 = 5;
const CLIENT_FLAGS: u16 = 6;
const SOCKETS: u16 = 7;
const SOCKETS_ITEM: u16 = 1;
const SOCKETS_ITEM_FD: u16 = 1;

/// A client's flag: the device is let go when nobody has it open any more.
const DISCONNECT_ON_CLOSE: u64 = 2;

/// The smallest that there is, so that no byte of an image is cut off.
const SECTOR: u64 = 512;

/// The kernel's network block devices.
pub struct NetworkDisks {
    socket: Socket,
    family: u16,
}

impl NetworkDisks {
    /// None where the kernel has none, and in every network namespace but the machine's first.
    pub fn open() -> io::Result<Option<NetworkDisks>> {
        let mut socket = Socket::to(Some(rustix::net::netlink::GENERIC))?;
        let mut request = request(CONTROL, GET_FAMILY);
        request.text(FAMILY_NAME, "nbd");
        let mut family = None;
        let asked = socket.exchange(request, |_, body| {
            family = value(body, FAMILY_ID).and_then(|value| u16_at(value, 0));
        });
        match (asked, family) {
            (Ok(()), Some(family)) => Ok(Some(NetworkDisks { socket, family })),
            (Ok(()), None) => Ok(None),
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            (Err(error), _) => Err(error),
        }
    }

    /// Makes a device that nobody has of what is served at the other end, so large and with these flags of the protocol. The N
    /// of `/dev/nbdN`, which stays until it is let go.
    pub fn connect(&mut self, server: BorrowedFd, size: u64, flags: u16) -> io::Result<u32> {
        let mut request = request(self.family, CONNECT);
        request.attr(SIZE, &size.to_ne_bytes());
        request.attr(BLOCK_SIZE, &SECTOR.to_ne_bytes());
        request.attr(SERVER_FLAGS, &u64::from(flags).to_ne_bytes());
        request.attr(CLIENT_FLAGS, &0u64.to_ne_bytes());
        request.nest(SOCKETS, &[], |all| {
            all.nest(SOCKETS_ITEM, &[], |one| one.number(SOCKETS_ITEM_FD, server.as_raw_fd().unsigned_abs()));
        });
        let mut index = None;
        self.socket.exchange(request, |_, body| {
            index = value(body, INDEX).and_then(|value| u32_at(value, 0));
        })?;
        index.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the kernel does not say which device it is"))
    }

    /// From now on the device is let go when its last user closes it.
    pub fn end_with_last_user(&mut self, index: u32) -> io::Result<()> {
        let mut request = request(self.family, RECONFIGURE);
        request.number(INDEX, index);
        request.attr(CLIENT_FLAGS, &DISCONNECT_ON_CLOSE.to_ne_bytes());
        self.socket.act(request)
    }

    /// Lets go of it at once.
    pub fn disconnect(&mut self, index: u32) -> io::Result<()> {
        let mut request = request(self.family, DISCONNECT);
        request.number(INDEX, index);
        self.socket.act(request)
    }
}

/// A request that is acknowledged.
fn request(family: u16, command: u8) -> Request {
    Request::new(family, libc::NLM_F_ACK, &[command, 1, 0, 0])
}

/// Behind the command and its version.
fn value(body: &[u8], wanted: u16) -> Option<&[u8]> {
    attributes(body.get(4..)?).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kernel has the family that tells of families, and no kernel the one that is not there.
    #[test]
    fn a_family_is_found_or_none() {
        assert!(NetworkDisks::open().is_ok());
        let mut socket = Socket::to(Some(rustix::net::netlink::GENERIC)).unwrap();
        let mut asked = |name: &str| {
            let mut request = request(CONTROL, GET_FAMILY);
            request.text(FAMILY_NAME, name);
            let mut found = None;
            let outcome = socket.exchange(request, |_, body| {
                found = value(body, FAMILY_ID).and_then(|value| u16_at(value, 0));
            });
            outcome.map(|()| found)
        };
        assert_eq!(asked("nlctrl").unwrap(), Some(CONTROL));
        assert_eq!(asked("no-such").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
