//! Bytes between the machine's end of a console, which clients open, and the container's terminal, both ways.
//!
//! While nobody has the machine's end open, the container must not wait: the last of its output is kept for who comes, the
//! rest is dropped. With a client there, neither side is read faster than the other takes it.

use linux::pty::{self, Pty};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// So much of each direction is held.
const ROOM: usize = 16 << 10;
/// So many reads and writes before other consoles have their turn.
const TURN: usize = 64;

pub struct Console {
    machine: End,
    guest: End,
    to_guest: Buffer,
    to_machine: Buffer,
    /// Keeps the terminal from hanging up whenever the guest closes it.
    _slave: OwnedFd,
}

/// A terminal's end, and what it may be ready for. The event loop tells of changes only.
struct End {
    master: OwnedFd,
    readable: bool,
    writable: bool,
    /// Nobody has the other side open: reading says so, writing does not. The kernel takes some bytes all the same, for who
    /// opens it next.
    is_closed: bool,
    /// And no more of them. A further try would be told as a change, and so on without end.
    is_full: bool,
}

impl Console {
    pub fn new(machine: OwnedFd, terminal: Pty) -> io::Result<Console> {
        pty::set_nonblocking(machine.as_fd())?;
        pty::set_raw(machine.as_fd())?;
        pty::look_closed(machine.as_fd())?;
        let end = |master| End { master, readable: true, writable: true, is_closed: false, is_full: false };
        Ok(Console {
            machine: end(machine),
            guest: end(terminal.master),
            to_guest: Buffer::new(),
            to_machine: Buffer::new(),
            _slave: terminal.slave,
        })
    }

    /// The descriptors to watch: the machine's, the guest's.
    pub fn ends(&self) -> [BorrowedFd<'_>; 2] {
        [self.machine.master.as_fd(), self.guest.master.as_fd()]
    }

    /// Something has changed at one of the ends.
    pub fn wake(&mut self) {
        for end in [&mut self.machine, &mut self.guest] {
            (end.readable, end.writable) = (true, true);
        }
    }

    /// Moves what can be moved; true when there may be more at once.
    pub fn turn(&mut self) -> bool {
        for _ in 0..TURN {
            let typed = pass(&mut self.machine, &mut self.guest, &mut self.to_guest);
            let printed = pass(&mut self.guest, &mut self.machine, &mut self.to_machine);
            if !typed && !printed {
                return false;
            }
        }
        true
    }
}

impl End {
    fn opened(&mut self) {
        self.writable |= self.is_full;
        (self.is_closed, self.is_full) = (false, false);
    }
}

/// One read and one write; true when anything moved.
fn pass(from: &mut End, to: &mut End, buffer: &mut Buffer) -> bool {
    let mut moved = false;
    if from.readable && buffer.has_room() {
        match rustix::io::read(&from.master, buffer.room()) {
            Ok(count @ 1..) => {
                buffer.filled(count);
                from.opened();
                moved = true;
                // Nothing tells when a client opens the end, so it is looked for.
                to.readable |= to.is_closed;
            }
            Err(Errno::INTR) => moved = true,
            Err(Errno::AGAIN) => {
                from.readable = false;
                from.opened();
            }
            Ok(0) | Err(_) => {
                from.readable = false;
                from.is_closed = true;
            }
        }
    }
    if to.writable && !to.is_full && !buffer.is_empty() {
        match rustix::io::write(&to.master, buffer.contents()) {
            Ok(count) => {
                buffer.taken(count);
                moved = true;
            }
            Err(Errno::INTR) => moved = true,
            Err(_) => {
                to.writable = false;
                to.is_full = to.is_closed;
            }
        }
    }
    if to.is_full && !buffer.has_room() {
        buffer.forget_half();
        moved = true;
    }
    moved
}

/// Bytes on their way; those not taken yet are `bytes[start..end]`.
struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffer {
    fn new() -> Buffer {
        Buffer { bytes: vec![0; ROOM].into_boxed_slice(), start: 0, end: 0 }
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn has_room(&self) -> bool {
        self.end - self.start < self.bytes.len()
    }

    /// The free part behind what is held.
    fn room(&mut self) -> &mut [u8] {
        if self.end == self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    fn contents(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    fn taken(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Drops the older half, up to the end of a line where there is one, so that nobody sees half of an escape sequence.
    fn forget_half(&mut self) {
        let half = (self.end - self.start).div_ceil(2);
        let line = self.contents().iter().skip(half).take(512).position(|byte| *byte == b'\n');
        self.taken(half + line.map_or(0, |at| at + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linux::beneath;
    use rustix::pty::OpenptFlags;
    use std::path::Path;

    fn terminal() -> Pty {
        Pty::new(beneath::host(Path::new("/dev/pts")).unwrap().as_fd()).unwrap()
    }

    /// A console with both slaves raw and at hand: the client's and the guest's.
    fn console() -> (Console, OwnedFd, OwnedFd) {
        let (machine, guest) = (terminal(), terminal());
        pty::set_raw(guest.master.as_fd()).unwrap();
        let guest_slave = guest.slave.try_clone().unwrap();
        for slave in [&machine.slave, &guest_slave] {
            pty::set_nonblocking(slave.as_fd()).unwrap();
        }
        (Console::new(machine.master, guest).unwrap(), machine.slave, guest_slave)
    }

    fn run(console: &mut Console) {
        console.wake();
        while console.turn() {}
    }

    fn read(slave: &OwnedFd) -> Vec<u8> {
        let mut all = Vec::new();
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = rustix::io::read(slave, &mut bytes) {
            all.extend_from_slice(&bytes[..count]);
        }
        all
    }

    #[test]
    fn bytes_go_both_ways() {
        let (mut console, client, guest) = console();
        rustix::io::write(&client, b"typed\x03").unwrap();
        rustix::io::write(&guest, b"printed\n").unwrap();
        run(&mut console);
        assert_eq!((read(&guest), read(&client)), (b"typed\x03".to_vec(), b"printed\n".to_vec()));
    }

    #[test]
    fn a_client_that_does_not_read_holds_the_guest_and_loses_nothing() {
        let (mut console, client, guest) = console();
        let written: Vec<u8> = (0..100_000u32).map(|number| (number % 251) as u8).collect();
        let (mut given, mut seen, mut held) = (0, Vec::new(), false);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while seen.len() < written.len() {
            assert!(std::time::Instant::now() < deadline, "{given} given, {} seen", seen.len());
            let moved = rustix::io::write(&guest, &written[given..]).unwrap_or(0);
            given += moved;
            run(&mut console);
            // Only when nothing can be given any more.
            if moved == 0 {
                held |= given < written.len();
                seen.extend(read(&client));
            }
        }
        assert!(held, "the guest is never held");
        assert!(seen == written, "{} bytes of {}", seen.len(), written.len());
    }

    /// A terminal whose slave nobody has opened yet, as the daemon makes it.
    fn fresh() -> (OwnedFd, String) {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        (master, name)
    }

    #[test]
    fn without_a_client_the_guest_goes_on_and_the_last_of_it_is_kept() {
        let (machine, name) = fresh();
        let guest = terminal();
        pty::set_raw(guest.master.as_fd()).unwrap();
        let slave = guest.slave.try_clone().unwrap();
        let mut console = Console::new(machine, guest).unwrap();
        pty::set_nonblocking(slave.as_fd()).unwrap();
        for number in 0..20_000 {
            let line = format!("line {number}\n");
            assert_eq!(rustix::io::write(&slave, line.as_bytes()), Ok(line.len()), "{line}");
            run(&mut console);
        }
        let client = std::fs::OpenOptions::new().read(true).write(true).open(name).unwrap();
        let client = OwnedFd::from(client);
        pty::set_nonblocking(client.as_fd()).unwrap();
        let mut seen = Vec::new();
        for _ in 0..10 {
            run(&mut console);
            seen.extend(read(&client));
        }
        let seen = String::from_utf8(seen).unwrap();
        assert!(seen.ends_with("line 19998\nline 19999\n") && seen.len() >= ROOM / 2, "{seen}");
        assert!(seen.starts_with("line 0\n"), "{seen}");
    }
}
