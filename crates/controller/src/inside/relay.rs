//! Between the client's stream and the process inside, until that ends or the client goes. One loop, nothing blocks: neither a
//! process that does not read nor a client that does not can hold up a signal or the end.

use linux::process::Child;
use rpc::records::{self, DATA_MAX, FIRST_ROOM, Record};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_send_signal, waitid};
use rustix::termios::{Winsize, tcsetwinsize};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// A process whose client has gone may put things in order for so long; then it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// What waits for the client before the process has to wait.
const BACKLOG: usize = 256 << 10;
/// What is still taken from each output when the process has ended and others go on writing.
const LAST_WORDS: usize = 2 << 20;
/// What a person types to say that there is no more.
const END_OF_INPUT: u8 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Output,
    Errors,
}

struct Output {
    from: OwnedFd,
    source: Source,
    last_words: usize,
}

pub struct Relay {
    child: Child,
    terminal: Option<OwnedFd>,
    input: Option<OwnedFd>,
    /// For the process, and not taken yet.
    waiting: Vec<u8>,
    input_over: bool,
    /// Taken or thrown away, and the client not told yet.
    taken: usize,
    outputs: Vec<Output>,
    reader: records::Reader,
    to_client: Vec<u8>,
    end: Option<Record>,
    /// The process is told when its client goes; else the end of its input says so.
    hang_up: bool,
    gone: bool,
    kill_at: Option<Instant>,
}

#[derive(Default)]
struct Ready {
    stream: Events,
    input: Events,
    outputs: Vec<Events>,
    ended: bool,
}

/// What came of waiting for one descriptor; none where it was not waited for.
type Events = Option<PollFlags>;

impl Relay {
    pub fn new(child: Child, input: OwnedFd, outputs: Vec<(OwnedFd, Source)>, hang_up: bool) -> Relay {
        Relay {
            child,
            terminal: None,
            input: Some(input),
            waiting: Vec::new(),
            input_over: false,
            taken: 0,
            outputs: outputs
                .into_iter()
                .map(|(from, source)| Output { from, source, last_words: LAST_WORDS })
                .collect(),
            reader: records::Reader::default(),
            to_client: Vec::new(),
            end: None,
            hang_up,
            gone: false,
            kill_at: None,
        }
    }

    pub fn on_terminal(child: Child, master: OwnedFd, hang_up: bool) -> io::Result<Relay> {
        let (input, output) = (master.try_clone()?, master.try_clone()?);
        let relay = Relay::new(child, input, vec![(output, Source::Output)], hang_up);
        Ok(Relay { terminal: Some(master), ..relay })
    }

    pub fn run(mut self, stream: OwnedFd) -> io::Result<()> {
        linux::pty::set_nonblocking(stream.as_fd())?;
        let mut stream = Some(stream);
        loop {
            let ready = self.wait(stream.as_ref())?;
            if let Some(open) = &stream {
                if let Some(flags) = ready.stream {
                    self.serve(open, flags);
                }
            }
            self.write_input(ready.input);
            self.read_outputs(&ready.outputs);
            if ready.ended && self.end.is_none() {
                self.take_end()?;
            }
            if !self.gone && self.is_told(stream.as_ref()) {
                return Ok(());
            }
            if self.gone {
                stream = None;
                if self.end.is_some() {
                    return Ok(());
                }
                if self.kill_at.is_some_and(|at| Instant::now() >= at) {
                    self.kill_at = None;
                    self.signal(Signal::KILL);
                }
            }
        }
    }

    fn wait(&self, stream: Option<&OwnedFd>) -> io::Result<Ready> {
        let mut ready = Ready::default();
        let mut fds: Vec<PollFd> = Vec::new();
        if let Some(stream) = stream {
            let mut flags = PollFlags::IN;
            flags.set(PollFlags::OUT, !self.to_client.is_empty());
            fds.push(PollFd::new(stream, flags));
        }
        // A terminal without another end would report that for ever; its output tells of it. A pipe's end is news.
        let input = self.input.as_ref().filter(|_| !self.waiting.is_empty() || self.terminal.is_none());
        if let Some(input) = input {
            let flags = if self.waiting.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            fds.push(PollFd::new(input, flags));
        }
        let outputs = if self.to_client.len() < BACKLOG { self.outputs.as_slice() } else { &[] };
        fds.extend(outputs.iter().map(|output| PollFd::new(&output.from, PollFlags::IN)));
        if self.end.is_none() {
            fds.push(PollFd::new(&self.child.pidfd, PollFlags::IN));
        }
        // Once the process has ended, what is there is read without waiting for more.
        let drains = self.end.is_some() && !outputs.is_empty();
        let left = match (drains, self.kill_at) {
            (true, _) => Some(Duration::ZERO),
            (false, Some(at)) => Some(at.saturating_duration_since(Instant::now()) + Duration::from_millis(1)),
            (false, None) => None,
        };
        let timeout = left.map(|left| Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() });
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut found = fds.iter().map(PollFd::revents);
        ready.stream = stream.and_then(|_| found.next());
        ready.input = input.and_then(|_| found.next());
        ready.outputs = outputs.iter().map(|_| found.next()).collect();
        ready.ended = self.end.is_none() && found.next().is_some_and(|flags| !flags.is_empty());
        Ok(ready)
    }

    /// The client's side.
    fn serve(&mut self, stream: &OwnedFd, flags: PollFlags) {
        if flags.contains(PollFlags::IN) {
            let mut bytes = vec![0; DATA_MAX];
            match rustix::io::read(stream, &mut bytes) {
                Ok(0) => return self.client_gone(),
                Ok(count) => {
                    self.reader.push(bytes.get(..count).unwrap_or_default());
                    if self.obey().is_err() {
                        return self.client_gone();
                    }
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(_) => return self.client_gone(),
            }
        } else if flags.intersects(PollFlags::HUP | PollFlags::ERR) {
            return self.client_gone();
        }
        if self.flush(stream).is_err() {
            self.client_gone();
        }
    }

    fn obey(&mut self) -> Result<(), records::Malformed> {
        while let Some(record) = self.reader.take()? {
            match record {
                Record::Input(data) if data.is_empty() => {
                    self.input_over = true;
                    if self.terminal.is_some() {
                        self.waiting.push(END_OF_INPUT);
                    }
                }
                Record::Input(data) if self.input.is_some() => self.waiting.extend(data),
                // Nobody reads it any more.
                Record::Input(data) => self.taken += data.len(),
                Record::Signal(number) => {
                    if let Some(signal) = Signal::from_named_raw(number.into()) {
                        self.signal(signal);
                    }
                }
                Record::Window(rows, columns) => {
                    if let Some(terminal) = &self.terminal {
                        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
                        // A size that the terminal does not take leaves it as it is.
                        _ = tcsetwinsize(terminal, size);
                    }
                }
                _ => return Err(records::Malformed),
            }
            // More than it was given room for.
            if self.waiting.len() > FIRST_ROOM + 1 {
                return Err(records::Malformed);
            }
        }
        Ok(())
    }

    /// To the process and what it has started, as a person's interrupt goes to all that runs in the foreground.
    fn signal(&self, signal: Signal) {
        // Not waited for yet, so the numbers are still its own.
        if self.end.is_none() && kill_process_group(self.child.pid, signal).is_err() {
            _ = pidfd_send_signal(&self.child.pidfd, signal);
        }
    }

    fn write_input(&mut self, flags: Events) {
        let Some(input) = &self.input else { return };
        let broken = flags.is_some_and(|flags| flags.intersects(PollFlags::ERR)) && self.terminal.is_none();
        let mut over = broken;
        while !over && !self.waiting.is_empty() {
            match rustix::io::write(input, &self.waiting) {
                Ok(count) => {
                    self.taken += count;
                    self.waiting.drain(..count);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => over = true,
            }
        }
        if over {
            self.taken += self.waiting.len();
            self.waiting.clear();
        }
        if over || (self.input_over && self.waiting.is_empty() && self.terminal.is_none()) {
            self.input = None;
        }
    }

    fn read_outputs(&mut self, flags: &[Events]) {
        let ended = self.end.is_some();
        let mut kept = Vec::new();
        for (at, mut output) in std::mem::take(&mut self.outputs).into_iter().enumerate() {
            let ready = flags.get(at).copied().flatten().is_some_and(|flags| !flags.is_empty());
            if self.to_client.len() >= BACKLOG || !(ready || ended) {
                kept.push(output);
                continue;
            }
            let mut bytes = vec![0; DATA_MAX];
            match rustix::io::read(&output.from, &mut bytes) {
                Ok(count) if count > 0 && (!ended || output.last_words > count) => {
                    bytes.truncate(count);
                    let record =
                        if output.source == Source::Output { Record::Output(bytes) } else { Record::Errors(bytes) };
                    if !self.gone {
                        record.write(&mut self.to_client);
                    }
                    output.last_words -= if ended { count } else { 0 };
                    kept.push(output);
                }
                Err(Errno::INTR) => kept.push(output),
                Err(Errno::AGAIN) if !ended => kept.push(output),
                // The end, or all that there was when the process ended. EIO: a terminal without another end.
                _ => {}
            }
        }
        self.outputs = kept;
    }

    fn take_end(&mut self) -> io::Result<()> {
        let status = waitid(WaitId::PidFd(self.child.pidfd.as_fd()), WaitIdOptions::EXITED)?;
        let Some(status) = status else { return Ok(()) };
        let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
        self.end = Some(match (status.exit_status(), status.terminating_signal()) {
            (_, Some(signal)) => Record::Killed(byte(signal)),
            (code, None) => Record::Exited(byte(code.unwrap_or(0))),
        });
        self.input = None;
        Ok(())
    }

    fn client_gone(&mut self) {
        self.gone = true;
        self.input = None;
        self.to_client.clear();
        // A command may have something to say while it puts things in order; only a terminal is taken away, with the last
        // descriptor of it, and the kernel tells those in its foreground. A copy learns of it by its broken pipe.
        if self.terminal.take().is_some() || !self.hang_up {
            self.outputs.clear();
        }
        if self.hang_up {
            self.signal(Signal::HUP);
            self.signal(Signal::CONT);
        }
        self.kill_at = Some(Instant::now() + GRACE);
    }

    /// Tells the client of room and of the end; true when it knows all.
    fn is_told(&mut self, stream: Option<&OwnedFd>) -> bool {
        let Some(stream) = stream else { return true };
        if self.taken > 0 && (self.waiting.is_empty() || self.taken >= DATA_MAX) {
            Record::Room(u32::try_from(self.taken).unwrap_or(u32::MAX)).write(&mut self.to_client);
            self.taken = 0;
        }
        if let Some(end) = self.end.as_ref().filter(|_| self.outputs.is_empty()) {
            end.write(&mut self.to_client);
            self.flush_all(stream);
            return true;
        }
        if self.flush(stream).is_err() {
            self.client_gone();
        }
        false
    }

    fn flush(&mut self, stream: &OwnedFd) -> rustix::io::Result<()> {
        while !self.to_client.is_empty() {
            match rustix::net::send(stream, &self.to_client, rustix::net::SendFlags::NOSIGNAL) {
                Ok(count) => drop(self.to_client.drain(..count)),
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// There is nothing else to be done: the client may take its time, or go.
    fn flush_all(&mut self, stream: &OwnedFd) {
        while self.flush(stream).is_ok() && !self.to_client.is_empty() {
            let mut fds = [PollFd::new(stream, PollFlags::OUT)];
            if poll(&mut fds, None).is_err_and(|errno| errno != Errno::INTR) {
                break;
            }
        }
    }
}
