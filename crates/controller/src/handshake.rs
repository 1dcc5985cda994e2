//! The bytes that daemon and controller exchange during a start. Ours to the daemon: the container's control groups are
//! there; the container runs. The daemon's to us between them: go on; and, where it has given us the document, one before all
//! others: the control groups are there, or are ours to make. An end of file is the other's failure.

use crate::failure::{Doing, Failure, Result};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

/// What every byte of the conversation is, but for one.
const CONTINUE: u8 = b'c';
/// The daemon has made the control groups: the length of what there is to be said about them follows in four bytes, the least
/// significant first, and then that.
const GROUPS: u8 = b'g';

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
        match self.read()? {
            CONTINUE => Ok(()),
            other => Err(unknown(other)),
        }
    }

    /// What the daemon says about the control groups, where it has made them.
    pub fn groups(&mut self) -> Result<Option<Vec<u8>>> {
        match self.read()? {
            GROUPS => {
                let mut words =
                    vec![0; u32::from_le_bytes([self.read()?, self.read()?, self.read()?, self.read()?]) as usize];
                self.from_daemon.read_exact(&mut words).doing(|| "error hearing of the control groups")?;
                Ok(Some(words))
            }
            CONTINUE => Ok(None),
            other => Err(unknown(other)),
        }
    }

    fn read(&mut self) -> Result<u8> {
        let mut byte = [0];
        self.from_daemon.read_exact(&mut byte).doing(|| "error waiting for the daemon")?;
        let [byte] = byte;
        Ok(byte)
    }
}

fn unknown(byte: u8) -> Failure {
    Failure::new(format!("the daemon's handshake has byte {byte} in place of 'c'"))
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
        daemon_writes.write_all(b"ccg\x02\0\0\0abx").unwrap();
        handshake.wait().unwrap();
        assert_eq!(handshake.groups().unwrap(), None);
        assert_eq!(handshake.groups().unwrap(), Some(b"ab".to_vec()));
        assert!(handshake.wait().unwrap_err().to_string().contains("120"));
        drop(daemon_writes);
        assert!(handshake.wait().is_err());
    }
}
