//! What the kernel tells of devices that come, change and go, and what udevd makes of it. See the kernel's
//! `lib/kobject_uevent.c`, and for the other form systemd's `src/libsystemd/sd-device/device-monitor.c`.

use rustix::io::Errno;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::sockopt::{set_socket_passcred, set_socket_recv_buffer_size_force};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SocketFlags, SocketType,
};
use std::collections::BTreeMap;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Properties of the device, `ACTION`, `DEVPATH` and `SUBSYSTEM` among them.
pub type Uevent = BTreeMap<String, String>;

/// Who tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teller {
    Kernel = 1,
    /// After its rules have run, so that links and names are final.
    Udevd = 2,
}

/// A socket that hears of the devices that the network namespace of its thread is told of.
pub struct Uevents(OwnedFd);

/// More than a message of either form has.
const LONGEST: usize = 16 * 1024;
/// Room for what comes at once when a controller with all its disks is found.
const BUFFER: usize = 4 * 1024 * 1024;

impl Uevents {
    pub fn hear(teller: Teller) -> io::Result<Uevents> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(KOBJECT_UEVENT))?;
        set_socket_passcred(&socket, true)?;
        // A smaller buffer works as well, until it overflows; who hears is told of that.
        _ = set_socket_recv_buffer_size_force(&socket, BUFFER);
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, teller as u32))?;
        Ok(Uevents(socket))
    }

    /// What is there to be read; None where nothing is. An error `ENOBUFS` says that messages were lost.
    pub fn next(&self) -> io::Result<Option<Uevent>> {
        let mut buffer = vec![0; LONGEST];
        loop {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut parts = [IoSliceMut::new(&mut buffer)];
            let received = match rustix::net::recvmsg(&self.0, &mut parts, &mut control, RecvFlags::empty()) {
                Ok(received) => received,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            };
            // The kernel itself is shown as root. Anybody else has no say.
            let from_root = control
                .drain()
                .any(|message| matches!(message, RecvAncillaryMessage::ScmCredentials(sender) if sender.uid.is_root()));
            let whole = !received.flags.contains(ReturnFlags::TRUNC);
            let message = buffer.get(..received.bytes).unwrap_or_default();
            if let Some(event) = read(message).filter(|_| from_root && whole) {
                return Ok(Some(event));
            }
        }
    }
}

impl AsFd for Uevents {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A message of either form: `add@/devices/x`, or udevd's header, then `NAME=value` words, each closed by a zero.
fn read(message: &[u8]) -> Option<Uevent> {
    const UDEVD: &[u8] = b"libudev\0";
    /// In network order, behind that word.
    const MAGIC: [u8; 4] = 0xfeed_cafe_u32.to_be_bytes();
    let words = match message.strip_prefix(UDEVD) {
        Some(header) => {
            if header.get(..4)? != MAGIC {
                return None;
            }
            // In the machine's order: the header's size, then where the words begin and how long they are.
            let number = |at: usize| Some(u32::from_ne_bytes(header.get(at..at + 4)?.try_into().ok()?) as usize);
            let (from, length) = (number(8)?, number(12)?);
            message.get(from..from.checked_add(length)?)?
        }
        None => {
            let end = message.iter().position(|byte| *byte == 0)?;
            message.get(..end)?.contains(&b'@').then(|| &message[end + 1..])?
        }
    };
    let word = |word: &[u8]| {
        let (name, value) = std::str::from_utf8(word).ok()?.split_once('=')?;
        Some((name.to_string(), value.to_string()))
    };
    let event: Uevent = words.split(|byte| *byte == 0).filter_map(word).collect();
    (event.contains_key("ACTION") && event.contains_key("DEVPATH")).then_some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &[u8] = b"ACTION=add\0DEVPATH=/devices/virtual/net/v0\0SUBSYSTEM=net\0INTERFACE=v0=1\0junk\0\xff=\0";

    fn from_udevd(offset: u32, length: u32) -> Vec<u8> {
        let header: [&[u8]; 7] = [
            b"libudev\0",
            &0xfeed_cafe_u32.to_be_bytes(),
            &40u32.to_ne_bytes(),
            &offset.to_ne_bytes(),
            &length.to_ne_bytes(),
            &[0; 16],
            WORDS,
        ];
        header.concat()
    }

    #[test]
    fn both_forms_are_read() {
        let kernel = [b"add@/devices/virtual/net/v0\0", WORDS].concat();
        for message in [kernel, from_udevd(40, WORDS.len() as u32)] {
            let event = read(&message).unwrap();
            let words: Vec<String> = event.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let expected = ["ACTION=add", "DEVPATH=/devices/virtual/net/v0", "INTERFACE=v0=1", "SUBSYSTEM=net"];
            assert_eq!(words, expected);
        }
    }

    #[test]
    fn what_is_none_is_left() {
        let whole = from_udevd(40, WORDS.len() as u32);
        for length in 0..40 {
            assert_eq!(read(&whole[..length]), None);
        }
        assert_eq!(read(&from_udevd(u32::MAX, u32::MAX)), None);
        assert_eq!(read(&from_udevd(40, 4096)), None);
        assert_eq!(read(&[b"libudev\0", &[0; 60][..]].concat()), None);
        assert_eq!(read(b"add@/x\0SUBSYSTEM=net\0"), None);
        assert_eq!(read(b"no at sign\0ACTION=add\0DEVPATH=/x\0"), None);
    }

    #[test]
    fn nothing_is_there_to_hear() {
        assert_eq!(Uevents::hear(Teller::Udevd).unwrap().next().unwrap(), None);
    }
}
