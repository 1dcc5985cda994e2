//! A program on a terminal of its own, typed into and read as a person would (pty(7)).

use crate::program::ended_within;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

pub struct Terminal {
    child: Child,
    master: File,
    /// Kept open, so that the program's end is not the terminal's.
    slave: File,
    output: Receiver<Vec<u8>>,
    /// All that was printed since the beginning, without carriage returns.
    seen: String,
    /// So much of it has been looked at.
    read: usize,
}

impl Terminal {
    /// Starts the program with the terminal as its input, output and error.
    pub fn start(command: &mut Command) -> std::io::Result<Terminal> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        tcsetwinsize(&master, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 })?;
        let slave = OpenOptions::new().read(true).write(true).open(name.to_string_lossy().as_ref())?;
        command.stdin(slave.try_clone()?).stdout(slave.try_clone()?).stderr(slave.try_clone()?);
        let child = command.spawn()?;
        let master = File::from(master);
        let mut reader = master.try_clone()?;
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Ends with the terminal, or with who listens.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer.get(..count).unwrap_or_default().to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Terminal { child, master, slave, output, seen: String::new(), read: 0 })
    }

    pub fn type_in(&mut self, keys: &str) -> std::io::Result<()> {
        self.master.write_all(keys.as_bytes())
    }

    /// Waits for a shell that can be typed to, and gives what came up to its prompt. What is typed before may be lost: virsh
    /// throws it away while it makes the terminal raw, and a prompt that was there before anybody looked is not printed again.
    pub fn prompt(&mut self, patience: Duration) -> Result<String, String> {
        let deadline = Instant::now() + patience;
        loop {
            self.type_in("\r").map_err(|error| format!("typing: {error}"))?;
            match self.expect("# ", Duration::from_secs(1)) {
                Err(_) if Instant::now() < deadline => {}
                answer => return answer,
            }
        }
    }

    /// Reads on until the text appears, and gives what came up to its end; an error says what came instead.
    pub fn expect(&mut self, text: &str, patience: Duration) -> Result<String, String> {
        self.expect_where(&format!("'{text}'"), patience, |new| new.find(text).map(|at| at + text.len()))
    }

    /// Reads on until the condition says where in the new text it is met.
    pub fn expect_where(
        &mut self,
        what: &str,
        patience: Duration,
        met: impl Fn(&str) -> Option<usize>,
    ) -> Result<String, String> {
        let deadline = Instant::now() + patience;
        loop {
            let new = self.seen.get(self.read..).unwrap_or_default();
            if let Some(end) = met(new) {
                let text = new.get(..end).unwrap_or_default().to_string();
                self.read += end;
                return Ok(text);
            }
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.seen += &String::from_utf8_lossy(&bytes).replace('\r', ""),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(format!(
                        "{what} did not appear within {} s; the terminal shows:\n{new}",
                        patience.as_secs()
                    ));
                }
            }
        }
    }

    pub fn resize(&self, rows: u16, columns: u16) -> std::io::Result<()> {
        tcsetwinsize(&self.master, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })?;
        // A program without this as its controlling terminal gets no signal from the kernel.
        let winch = rustix::process::Signal::WINCH;
        crate::program::kill(self.child.id(), winch);
        Ok(())
    }

    /// Whether typed characters are echoed and gathered into lines, as a terminal is left to a person.
    pub fn is_cooked(&self) -> std::io::Result<bool> {
        use rustix::termios::{LocalModes, tcgetattr};
        let modes = tcgetattr(&self.slave)?.local_modes;
        Ok(modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The program's exit status once it ends; none when it does not in time.
    pub fn wait(&mut self, patience: Duration) -> Option<i32> {
        ended_within(self.child.id(), patience).then(|| self.child.wait().ok()?.code()).flatten()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Ended already, as a rule.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
