//! Bytes between a container's terminal and who talks to it, both ways.
//!
//! That is a client of our daemon, over a connection of its own (a session), or whoever opens the machine's end of the
//! console. While nobody is there, the container must not wait: the last of its output is kept for who comes, older output is
//! dropped. With a client there, neither side is read faster than the other takes it. A session begins with the last of the
//! output, seen before or not.

use crate::console_log::ConsoleLog;
use crate::history::{History, KEPT};
use linux::pty::{self, Pty};
use rustix::io::Errno;
use rustix::termios::{tcgetwinsize, tcsetwinsize};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// So much of what is typed is held.
const ROOM: usize = 16 << 10;
/// So often it is gathered and passed on, and for so long, before others have their turn.
const TURN: usize = 8;
const LONGEST_TURN: Duration = Duration::from_millis(2);
/// A guest whose last reads come to so much, where each counts half of the one after it, is taken to go on: it is about what the
/// kernel holds for a terminal. One that prints byte by byte is not waited for.
const FLOW: usize = 4 << 10;
/// How long more of it is waited for, and after how much of that the processor is left to others in between.
const SOON: Duration = Duration::from_micros(100);
const AT_ONCE: Duration = Duration::from_micros(10);

pub struct Console {
    machine: End,
    guest: End,
    /// The daemon's connection for a client of its: while there is one, the machine's end rests.
    session: Option<End>,
    to_guest: Buffer,
    printed: History,
    /// What the last reads since there was nothing more to be read come to.
    flowing: usize,
    log: Option<ConsoleLog>,
    /// Keeps the terminal from hanging up whenever the guest closes it.
    _slave: OwnedFd,
}

/// A terminal's end or a connection, and what it may be ready for. The event loop tells of changes only.
struct End {
    fd: OwnedFd,
    readable: bool,
    writable: bool,
    /// Nobody has the other side open: reading says so, writing does not. The kernel takes some bytes all the same, for who
    /// opens it next.
    is_closed: bool,
    /// And no more of them. A further try would be told as a change, and so on without end.
    is_full: bool,
}

impl Console {
    pub fn new(machine: OwnedFd, terminal: Pty, log: Option<ConsoleLog>) -> io::Result<Console> {
        pty::set_nonblocking(machine.as_fd())?;
        pty::set_raw(machine.as_fd())?;
        pty::look_closed(machine.as_fd())?;
        Ok(Console {
            machine: End::new(machine),
            guest: End::new(terminal.master),
            session: None,
            to_guest: Buffer::default(),
            printed: History::default(),
            flowing: 0,
            log,
            _slave: terminal.slave,
        })
    }

    /// The descriptors to watch: the machine's, the guest's.
    pub fn ends(&self) -> [BorrowedFd<'_>; 2] {
        [self.machine.fd.as_fd(), self.guest.fd.as_fd()]
    }

    /// A connection that does not block takes the console over, from an earlier one too.
    pub fn begin_session(&mut self, connection: OwnedFd) {
        self.printed.replay();
        // Held for who opens the terminal; the session gets it instead.
        pty::discard_output(self.machine.fd.as_fd());
        self.machine.is_full = false;
        self.session = Some(End::new(connection));
        self.wake();
    }

    /// Something has changed at one of the ends.
    pub fn wake(&mut self) {
        for end in [&mut self.machine, &mut self.guest].into_iter().chain(&mut self.session) {
            (end.readable, end.writable) = (true, true);
        }
    }

    /// Gives the container's terminal the size that a client has given to the machine's end. The kernel tells who is at it.
    pub fn follow_window(&self) {
        let Ok(size) = tcgetwinsize(&self.machine.fd) else { return };
        if size.ws_row != 0 && size.ws_col != 0 {
            // One of them is gone: then there is nothing to follow.
            _ = tcsetwinsize(&self.guest.fd, size);
        }
    }

    /// Moves what can be moved; true when there may be more at once.
    pub fn turn(&mut self) -> bool {
        let until = Instant::now() + LONGEST_TURN;
        for _ in 0..TURN {
            let typed = self.pass_typed();
            let printed = self.pass_printed(until);
            if self.session.as_ref().is_some_and(|session| session.is_closed) {
                self.session = None;
                self.wake();
            } else if !typed && !printed {
                return false;
            }
            if Instant::now() >= until {
                break;
            }
        }
        true
    }

    /// One read and one write towards the guest; true when anything moved.
    fn pass_typed(&mut self) -> bool {
        let from = self.session.as_mut().unwrap_or(&mut self.machine);
        let mut moved = false;
        if from.readable && self.to_guest.has_room() {
            if let Some(count) = from.read(self.to_guest.room()) {
                self.to_guest.filled(count);
                moved = true;
            }
        }
        if self.guest.writable && !self.to_guest.is_empty() {
            if let Some(count) = self.guest.write(&[self.to_guest.contents()]) {
                self.to_guest.taken(count);
                moved = true;
            }
        }
        moved
    }

    /// Gathers the guest's output and passes it on; true when anything moved.
    fn pass_printed(&mut self, until: Instant) -> bool {
        let new = self.gather(until);
        let mut moved = new > 0;
        if moved {
            if let Some(log) = &mut self.log {
                self.printed.last(new).into_iter().for_each(|piece| log.add(piece));
            }
            // Nothing tells when a client opens the end, so it is looked for.
            self.machine.readable |= self.machine.is_closed;
        }
        let to = self.session.as_mut().unwrap_or(&mut self.machine);
        if to.writable && !to.is_full && self.printed.room() < KEPT {
            if let Some(count) = to.write(&self.printed.unsent()) {
                self.printed.sent(count);
                moved = true;
            }
        }
        if to.is_full && self.printed.room() == 0 {
            self.printed.forget_half();
            moved = true;
        }
        moved
    }

    /// Reads what the guest has printed, until there is nothing more, no room for it or no time; says how much that was.
    ///
    /// A terminal of the kernel's holds 4 KiB, which a thread of the kernel's fills anew when they are read. To sleep for it
    /// and be woken, and to wake who waits for those 4 KiB, takes much longer than they take on their way: so from a guest
    /// that prints without a pause more is waited for a moment without sleeping.
    fn gather(&mut self, until: Instant) -> usize {
        let mut gathered = 0;
        while self.guest.readable && self.printed.room() > 0 {
            if self.flowing >= FLOW && !comes_soon(&self.guest.fd) {
                self.flowing = 0;
                // Only a read that finds nothing makes sure that we are told of more: that one comes when this is sent.
                if gathered > 0 {
                    break;
                }
            }
            let Some(count) = self.guest.read(self.printed.space()) else {
                self.flowing = 0;
                break;
            };
            self.printed.filled(count);
            self.flowing = self.flowing / 2 + count;
            gathered += count;
            // The rest stays readable, for the next turn.
            if Instant::now() >= until {
                break;
            }
        }
        gathered
    }
}

/// Whether there is something to be read from a terminal's end, or will be soon.
fn comes_soon(end: &OwnedFd) -> bool {
    let begun = Instant::now();
    loop {
        // This asks the kernel only how much is there. A failure is read's to tell.
        match rustix::io::ioctl_fionread(end) {
            Ok(0) => match begun.elapsed() {
                waited if waited < AT_ONCE => std::hint::spin_loop(),
                waited if waited < SOON => rustix::thread::sched_yield(),
                _ => return false,
            },
            Ok(_) | Err(_) => return true,
        }
    }
}

impl End {
    fn new(fd: OwnedFd) -> End {
        End { fd, readable: true, writable: true, is_closed: false, is_full: false }
    }

    fn opened(&mut self) {
        self.writable |= self.is_full;
        (self.is_closed, self.is_full) = (false, false);
    }

    /// None: there is nothing to be read.
    fn read(&mut self, bytes: &mut [u8]) -> Option<usize> {
        match rustix::io::read(&self.fd, bytes) {
            Ok(count @ 1..) => {
                self.opened();
                Some(count)
            }
            Err(Errno::INTR) => Some(0),
            Err(Errno::AGAIN) => {
                self.readable = false;
                self.opened();
                None
            }
            Ok(0) | Err(_) => {
                self.readable = false;
                self.is_closed = true;
                None
            }
        }
    }

    /// None: it takes nothing now.
    fn write<const PIECES: usize>(&mut self, bytes: &[&[u8]; PIECES]) -> Option<usize> {
        match rustix::io::writev(&self.fd, &bytes.map(IoSlice::new)) {
            Ok(count) => Some(count),
            Err(Errno::INTR) => Some(0),
            Err(_) => {
                self.writable = false;
                self.is_full = self.is_closed;
                None
            }
        }
    }
}

/// Bytes on their way; those not taken yet are `bytes[start..end]`. It has no memory before the first byte.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn has_room(&self) -> bool {
        self.end - self.start < ROOM
    }

    /// The free part behind what is held.
    fn room(&mut self) -> &mut [u8] {
        self.bytes.resize(ROOM, 0);
        if self.end == ROOM {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use linux::beneath;
    use rustix::event::{Timespec, epoll};
    use rustix::pty::OpenptFlags;
    use std::io::Write;
    use std::path::Path;

    /// For a machine that is busy otherwise.
    const PATIENCE: Duration = Duration::from_secs(60);

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
        (Console::new(machine.master, guest, None).unwrap(), machine.slave, guest_slave)
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
        let mut console = Console::new(machine, guest, None).unwrap();
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
        assert!(seen.ends_with("line 19998\nline 19999\n") && seen.len() >= KEPT / 2, "{seen}");
        assert!(seen.starts_with("line 0\n"), "{seen}");
    }

    #[test]
    fn a_session_begins_with_what_was_printed_and_takes_over() {
        let (mut console, client, guest) = console();
        let print = |console: &mut Console, text: &[u8]| {
            for piece in text.chunks(1024) {
                assert_eq!(rustix::io::write(&guest, piece), Ok(piece.len()));
                run(console);
            }
        };
        let connect = |console: &mut Console| {
            let session = connect(console);
            run(console);
            session
        };
        print(&mut console, b"early\n");
        assert_eq!(read(&client), b"early\n");
        let first = connect(&mut console);
        assert_eq!(read(&first), b"early\n");
        rustix::io::write(&first, b"typed").unwrap();
        print(&mut console, b"late\n");
        assert_eq!((read(&first), read(&client), read(&guest)), (b"late\n".to_vec(), vec![], b"typed".to_vec()));
        let second = connect(&mut console);
        assert_eq!(rustix::io::read(&first, &mut [0; 8]), Ok(0), "the first is not told");
        assert_eq!(read(&second), b"early\nlate\n");
        drop(second);
        run(&mut console);
        print(&mut console, b"after\n");
        assert_eq!(read(&client), b"after\n");
    }

    /// A session's other end, which does not block.
    fn connect(console: &mut Console) -> OwnedFd {
        let (daemon, controller) = std::os::unix::net::UnixStream::pair().unwrap();
        controller.set_nonblocking(true).unwrap();
        daemon.set_nonblocking(true).unwrap();
        console.begin_session(controller.into());
        OwnedFd::from(daemon)
    }

    /// A guest's end whose writer waits for room.
    fn block(guest: &OwnedFd) {
        let flags = rustix::fs::fcntl_getfl(guest).unwrap();
        rustix::fs::fcntl_setfl(guest, flags - rustix::fs::OFlags::NONBLOCK).unwrap();
    }

    #[test]
    fn a_flood_is_passed_on_whole_and_in_order() {
        let (mut console, _client, guest) = console();
        let session = connect(&mut console);
        block(&guest);
        let written: Vec<u8> = (0..2_000_000u32).map(|number| (number % 251) as u8).collect();
        let all = written.clone();
        // Another processor's, as a guest is.
        let writer = std::thread::spawn(move || std::fs::File::from(guest).write_all(&all));
        let mut seen = Vec::new();
        let deadline = std::time::Instant::now() + PATIENCE;
        while seen.len() < written.len() {
            assert!(std::time::Instant::now() < deadline, "{} of {} have come", seen.len(), written.len());
            console.wake();
            console.turn();
            seen.extend(read(&session));
        }
        writer.join().unwrap().unwrap();
        assert!(seen == written, "{} bytes of {}", seen.len(), written.len());
    }

    /// Time of this thread's own, whatever else the machine does.
    fn on_processor() -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
    }

    /// A guest that prints just fast enough to be waited for each time keeps nobody else from their turn.
    #[test]
    fn a_trickle_behind_a_flood_ends_the_turn() {
        let (mut console, _client, guest) = console();
        let session = connect(&mut console);
        block(&guest);
        let written: Vec<u8> = (0..516_384u32).map(|number| (number % 251) as u8).collect();
        let all = written.clone();
        let writer = std::thread::spawn(move || {
            let mut guest = std::fs::File::from(guest);
            let (flood, trickle) = all.split_at(16_384);
            guest.write_all(flood)?;
            for byte in trickle.chunks(1) {
                guest.write_all(byte)?;
            }
            std::io::Result::Ok(())
        });
        let (mut seen, mut longest) = (Vec::new(), Duration::ZERO);
        let deadline = Instant::now() + PATIENCE;
        while seen.len() < written.len() {
            assert!(Instant::now() < deadline, "{} of {} have come", seen.len(), written.len());
            console.wake();
            let before = on_processor();
            console.turn();
            longest = longest.max(on_processor() - before);
            seen.extend(read(&session));
        }
        writer.join().unwrap().unwrap();
        assert!(seen == written, "{} bytes of {}", seen.len(), written.len());
        // Generous, for the machine may be busy: the trickle alone takes a second.
        assert!(longest < Duration::from_millis(400), "a turn has taken {longest:?}");
    }

    /// The event loop tells of changes only: whatever the guest prints, and wherever it stops, the change is told.
    #[test]
    fn nothing_is_left_lying_when_the_guest_rests() {
        let (mut console, _client, guest) = console();
        let session = connect(&mut console);
        block(&guest);
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        for end in console.ends() {
            epoll::add(&epoll, end, epoll::EventData::new_u64(0), crate::serve::CHANGES).unwrap();
        }
        run(&mut console);
        let (go_on, wait) = std::sync::mpsc::channel();
        let lengths: Vec<usize> = (0..400).map(|turn| 1 + turn * 7919 % 12_000).collect();
        let asked = lengths.clone();
        let writer = std::thread::spawn(move || {
            let guest = std::fs::File::from(guest);
            for length in asked {
                (&guest).write_all(&vec![b'x'; length]).unwrap();
                wait.recv().unwrap();
            }
        });
        let mut events = Vec::with_capacity(4);
        for length in lengths {
            let mut seen = 0;
            while seen < length {
                let timeout = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
                events.clear();
                epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), Some(&timeout)).unwrap();
                assert!(!events.is_empty(), "{seen} of {length} have come, and nothing is told of the rest");
                console.wake();
                while console.turn() {}
                seen += read(&session).len();
            }
            assert_eq!(seen, length);
            go_on.send(()).unwrap();
        }
        writer.join().unwrap();
    }
}
