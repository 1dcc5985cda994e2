//! The bytes that daemon and controller exchange during a start. Ours to the daemon: the container's control groups are
//! there; the container runs. The daemon's to us between them: go on; and, where it has started us early, one before all others:
//! the status file is there. An end of file is the other's failure.

use crate::failure::{Doing, Failure, Result};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

/// What every byte of the conversation is.
const CONTINUE: u8 = b'c';

pub struct Handshake {
    from_daemon: File,
    to_daemon: File,
}

impl Handshake {
    pub fn new(from_daemon: OwnedFd, to_daemon: OwnedFd) -> Handshake {
        Handshake { from_daemon: from_daemon.into(), to_daemon: to_daemon.into() }
    }

    pub fn tell(&mut self) -> Result<()> {
        self.to_daemon.write_all(&[CONTINUE]).doing(|| "error sending handshake to the daemon")
    }

    pub fn wait(&mut self) -> Result<()> {
        let mut byte = [0];
        self.from_daemon.read_exact(&mut byte).doing(|| "error waiting for the daemon")?;
        match byte {
            [CONTINUE] => Ok(()),
            [other] => Err(Failure::new(format!("the daemon's handshake has byte {other} in place of 'c'"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_to_and_fro() {
        let ((daemon_reads, we_write), (we_read, mut daemon_writes)) =
            (std::io::pipe().unwrap(), std::io::pipe().unwrap());
        let mut handshake = Handshake::new(we_read.into(), we_write.into());
        handshake.tell().unwrap();
        assert_eq!({ daemon_reads }.read_exact(&mut [0]).map_err(|_| ()), Ok(()));
        daemon_writes.write_all(b"cx").unwrap();
        handshake.wait().unwrap();
        assert!(handshake.wait().unwrap_err().to_string().contains("120"));
        drop(daemon_writes);
        assert!(handshake.wait().is_err());
    }
}
