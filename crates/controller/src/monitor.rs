//! The socket by which the daemon follows the container: it hears init's process id when it connects, and how the container
//! ended; the end of the connection is the end of the controller. libvirt's monitor protocol.

use crate::failure::{Doing, Failure, Result};
use rpc::controller;
use rpc::message::{HEADER, Header, LENGTH_MIN, Outgoing, Status, Type};
use rpc::monitor::{ExitEventMsg, ExitStatus, InitEventMsg, Procedure};
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The daemon needs one; a second is there while another takes over.
const MOST_CLIENTS: usize = 16;
/// Longest that a client that does not read can hold up the end.
const PATIENCE: Duration = Duration::from_millis(500);
/// As in events of the daemon.
const SERIAL: u32 = 1;
/// Of the only message that clients send.
const OPEN_CONSOLE_LENGTH: usize = LENGTH_MIN + 4;
/// The kernel's, with the final zero.
const LONGEST_PATH: usize = 108;

pub struct Monitor {
    path: PathBuf,
    listener: UnixListener,
    clients: Vec<UnixStream>,
}

impl Monitor {
    /// Only root may connect.
    pub fn listen(path: &Path) -> Result<Monitor> {
        let shown = path.display();
        if path.as_os_str().len() >= LONGEST_PATH {
            return Err(Failure::new(format!("Path {shown} too long for unix socket: File name too long")));
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).doing(|| format!("Failed to remove old socket '{shown}'"));
            }
            _ => {}
        }
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let listener = UnixListener::bind(path);
        rustix::process::umask(before);
        let listener = listener.doing(|| format!("Failed to bind socket to '{shown}'"))?;
        listener.set_nonblocking(true).doing(|| format!("Failed to set up socket '{shown}'"))?;
        Ok(Monitor { path: path.to_path_buf(), listener, clients: Vec::new() })
    }

    pub fn listener(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Who is connected.
    pub fn clients(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.clients.iter().map(AsFd::as_fd)
    }

    /// Takes a client that waits, and tells it who init is. None where there was none, or it is gone already.
    pub fn accept(&mut self, init: i32) -> Option<BorrowedFd<'_>> {
        let (mut client, _) = self.listener.accept().ok()?;
        if self.clients.len() >= MOST_CLIENTS {
            return None;
        }
        client.set_nonblocking(true).ok()?;
        let event = InitEventMsg { initpid: u64::try_from(init).ok()? };
        let message = Outgoing::new::<InitEventMsg>(&Header::event(Procedure::InitEvent, SERIAL), &event).ok()?;
        client.write_all(&message.bytes).ok()?;
        self.clients.push(client);
        self.clients.last().map(AsFd::as_fd)
    }

    /// A client has gone, or says something. There is one thing to be said to us: that the connection is to be a console's
    /// from now on. Whoever says anything else is let go.
    pub fn look_at(&mut self, client: RawFd) -> Option<(usize, OwnedFd)> {
        let at = self.clients.iter().position(|known| known.as_raw_fd() == client)?;
        let mut bytes = [0; OPEN_CONSOLE_LENGTH];
        match self.clients.get_mut(at)?.read(&mut bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => None,
            Ok(count) => {
                let mut client = self.clients.swap_remove(at);
                let (console, reply) = open_console(bytes.get(..count)?)?;
                client.write_all(&reply.bytes).ok()?;
                Some((console, client.into()))
            }
            Err(_) => {
                self.clients.swap_remove(at);
                None
            }
        }
    }

    /// Tells everybody how it ended, and takes the socket away.
    pub fn end(mut self, status: ExitStatus) {
        let event = ExitEventMsg { status };
        if let Ok(message) = Outgoing::new::<ExitEventMsg>(&Header::event(Procedure::ExitEvent, SERIAL), &event) {
            // Whoever connected in the last moment hears it too.
            while let Ok((client, _)) = self.listener.accept() {
                self.clients.push(client);
            }
            for client in &mut self.clients {
                // A client that cannot be told will see the end of the connection.
                _ = client.set_nonblocking(false);
                _ = client.set_write_timeout(Some(PATIENCE));
                _ = client.write_all(&message.bytes);
            }
        }
        self.remove();
    }

    /// Without a word, when nothing has begun.
    pub fn remove(self) {
        // The daemon removes what is left.
        _ = std::fs::remove_file(&self.path);
    }
}

/// Which console a client asks for, where the message is whole. It comes in one piece, since it is sent at once and is shorter
/// than any socket's buffer.
fn open_console(message: &[u8]) -> Option<(usize, Outgoing)> {
    let (length, rest) = message.split_first_chunk::<4>()?;
    let header = Header::decode(rest)?;
    let console = u32::from_be_bytes(rest.get(HEADER..)?.try_into().ok()?);
    let is_whole = u32::from_be_bytes(*length) as usize == message.len();
    if !is_whole || header != Header::call(controller::Procedure::OpenConsole, header.serial) {
        return None;
    }
    let reply = Outgoing::raw(&header.answer(Type::Reply, Status::Ok), &[]).ok()?;
    Some((console as usize, reply))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_are_libvirts() {
        let path = std::env::temp_dir().join(format!("virtlxc-monitor-{}.sock", std::process::id()));
        let mut monitor = Monitor::listen(&path).unwrap();
        let mut client = UnixStream::connect(&path).unwrap();
        assert!(monitor.accept(0xb7).is_some());
        let mut bytes = [0; 36];
        client.read_exact(&mut bytes).unwrap();
        // As libvirt's controller sent it.
        assert_eq!(
            &bytes,
            b"\0\0\0$\x12\x34\x12\x34\0\0\0\x01\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\xb7"
        );
        assert!(monitor.look_at(monitor.clients[0].as_raw_fd()).is_none());
        assert_eq!(monitor.clients.len(), 1);
        let talker = UnixStream::connect(&path).unwrap();
        monitor.accept(1).unwrap();
        (&talker).write_all(b"x").unwrap();
        assert!(monitor.look_at(monitor.clients[1].as_raw_fd()).is_none());
        assert_eq!(monitor.clients.len(), 1);
        let mut daemon = UnixStream::connect(&path).unwrap();
        monitor.accept(1).unwrap();
        daemon.write_all(b"\0\0\0\x20\x76lct\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x03").unwrap();
        let (console, session) = monitor.look_at(monitor.clients[1].as_raw_fd()).unwrap();
        assert_eq!((console, monitor.clients.len()), (3, 1));
        drop(session);
        let mut answer = Vec::new();
        daemon.read_to_end(&mut answer).unwrap();
        assert_eq!(answer[36..], *b"\0\0\0\x1c\x76lct\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x09\0\0\0\0");
        monitor.end(ExitStatus::Reboot);
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"\0\0\0 \x12\x34\x12\x34\0\0\0\x01\0\0\0\x01\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0\x02");
        assert!(!path.exists());
        assert!(Monitor::listen(Path::new(&"x".repeat(200))).is_err());
    }
}
