//! `cp`: files and folders into a container and out of it.

use crate::arguments::Arguments;
use crate::failure::{Done, Failure, words as error_words};
use crate::inside::{End, Session, Source};
use crate::lookup::{self, By};
use crate::report;
use crate::shell::Shell;
use crate::signals::{self, Signals};
use crate::table::*;
use rpc::archive::{self, Keep};
use rpc::remote::NonnullDomain;
use rpc::virtlxc::{BARE, OWNERS, Receiving, Sending, Task};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, ScopedJoinHandle};

pub const COMMANDS: &[Command] = &[
    Command::new(
        "cp",
        "copy files and folders into a container or out of it",
        &[
            need("source", "what to copy: a path here, DOMAIN:PATH in a container, or - for standard input")
                .of(Values::Files),
            need("target", "where to: the same; in a folder that is there, or under this name").of(Values::Files),
            flag("owners", "keep owners, by their numbers inside, and set-id bits"),
        ],
        cp,
    )
    .more(
        "A path in a container begins with / and is looked up there, links and all. Permissions and times are kept. Nothing is \
         seen under its final name before it is complete. A path here that has a colon is written with ./ before it.",
    ),
];

/// One side of a copy.
#[derive(Debug, PartialEq, Eq)]
enum Side<'a> {
    Here(&'a str),
    Stream,
    Inside { domain: &'a str, path: &'a str },
}

fn side(text: &str) -> Side<'_> {
    match text.split_once(':') {
        _ if text == "-" => Side::Stream,
        Some((domain, path)) if !domain.is_empty() && !domain.contains('/') => Side::Inside { domain, path },
        _ => Side::Here(text),
    }
}

fn cp(shell: &mut Shell, arguments: &Arguments) -> Done {
    let (source, target) = (arguments.need("source")?, arguments.need("target")?);
    let owners = arguments.has("owners");
    match (side(source), side(target)) {
        (Side::Inside { .. }, Side::Inside { .. }) => {
            Err(Failure::new("one side must be on this machine: copy out of the one container, then into the other"))
        }
        (Side::Inside { domain, path }, to) => {
            shell.verbatim = to == Side::Stream;
            let dom = named(shell, domain)?;
            copy_out(shell, dom, path, &to, owners)
        }
        (from, Side::Inside { domain, path }) => {
            let dom = named(shell, domain)?;
            copy_in(shell, dom, &from, path, owners)
        }
        _ => Err(Failure::new("one side must be in a container: DOMAIN:PATH")),
    }?;
    match shell.verbatim {
        true => Ok(()),
        false => shell.done(format!("'{source}' copied to '{target}'")),
    }
}

fn named(shell: &Shell, domain: &str) -> Result<NonnullDomain, Failure> {
    lookup::domain_named(shell, domain, By::Anything)
}

/// Names in it may be a guest's.
fn warn(text: &str) {
    eprintln!("warning: {}", report::printable(text));
}

/// What both sides of a copy have said, in the order of what matters.
fn verdict(here: io::Result<()>, end: End, complaints: Vec<u8>, stopped: Option<i32>) -> Done {
    if let Some(signal) = stopped {
        signals::die_of(signal);
    }
    let complaints = String::from_utf8_lossy(&complaints);
    let mut lines: Vec<String> = complaints.lines().map(str::to_string).collect();
    match end {
        End::Exited(0) => {
            here.map_err(|error| Failure::new(error_words(&error)))?;
            lines.iter().for_each(|line| warn(line));
            return Ok(());
        }
        // The other side's reason comes first: ours follows from it, as a rule.
        End::Exited(_) if lines.is_empty() => lines.push("the copy inside the container failed".into()),
        End::Exited(_) => {}
        End::Killed(signal) => lines.push(format!("the copy inside the container was killed by signal {signal}")),
        End::Refused { text, .. } => lines.push(text),
        End::Lost(error) => match here {
            Err(here) => lines.push(error_words(&here)),
            Ok(()) => lines.push(error.message),
        },
    }
    Err(Failure::several(lines))
}

/// While the work goes on, signals that would end virsh hang the task up instead, so that nothing half done is left; they end virsh
/// at once where there is nothing of that kind here, and the work may be waiting for whoever takes the output.
fn while_watching<T>(session: &Session, at_once: bool, work: impl FnOnce() -> T) -> io::Result<(T, Option<i32>)> {
    let mut ends = Signals::of_the_end()?;
    let (over, near) = UnixStream::pair()?;
    Ok(thread::scope(|scope| {
        let watching = scope.spawn(move || {
            loop {
                let mut ready: Vec<PollFd<'_>> =
                    ends.fds().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
                ready.push(PollFd::from_borrowed_fd(over.as_fd(), PollFlags::IN));
                _ = poll(&mut ready, None);
                let is_over = ready.last().is_some_and(|fd| !fd.revents().is_empty());
                if let Some(signal) = ends.take() {
                    session.abort();
                    if at_once {
                        signals::die_of(signal);
                    }
                    return Some(signal);
                }
                if is_over {
                    return None;
                }
            }
        });
        let done = work();
        drop(near);
        (done, watching.join().unwrap_or(None))
    }))
}

fn unusable(error: io::Error) -> Failure {
    Failure::new(format!("cannot watch for signals: {}", error_words(&error)))
}

fn copy_out(shell: &Shell, dom: NonnullDomain, path: &str, to: &Side, owners: bool) -> Done {
    let name = Path::new(path).file_name().map_or_else(|| dom.name.0.clone(), |name| name.as_bytes().to_vec());
    let flags = if *to == Side::Stream { BARE } else { 0 };
    let session = Session::open(shell, dom, Task::Send(Sending { path: path.into(), flags }))?;
    let (taken, stopped) = while_watching(&session, *to == Side::Stream, || {
        thread::scope(|scope| {
            // So much may wait until it is written here.
            let (pass, pieces) = sync_channel(4);
            let session = &session;
            let listening = scope.spawn(move || {
                let mut complaints = Vec::new();
                let mut wanted = true;
                let end = session.listen(&mut |source, data| match source {
                    Source::Errors => complaints.extend(data),
                    Source::Output if data.is_empty() || !wanted => {}
                    Source::Output => wanted = pass.send(data).is_ok(),
                });
                (end, complaints)
            });
            let mut pieces = Pieces { from: pieces, piece: Vec::new(), at: 0 };
            let here = match to {
                Side::Here(to) => {
                    let mut remark = |text: String| warn(&format!("cannot keep {text}"));
                    archive::unpack(Path::new(to), &name, Keep { owners }, &mut pieces, &mut remark)
                }
                _ => io::copy(&mut pieces, &mut io::stdout()).and_then(|_| io::stdout().flush()),
            };
            drop(pieces);
            if here.is_err() {
                // The other side need not send what nobody takes.
                session.abort();
            }
            let (end, complaints) = heard(listening);
            (here, end, complaints)
        })
    })
    .map_err(unusable)?;
    let (here, end, complaints) = taken;
    verdict(here, end, complaints, stopped)
}

/// How the task ended, and what it complained of.
fn heard(listening: ScopedJoinHandle<(End, Vec<u8>)>) -> (End, Vec<u8>) {
    listening.join().unwrap_or_else(|_| {
        let lost = api::Error::internal(api::ErrorDomain::Rpc, "the copy was given up");
        (End::Lost(lost), Vec::new())
    })
}

/// What the listening side passes on, to be read.
struct Pieces {
    from: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            match self.from.recv() {
                Ok(piece) => (self.piece, self.at) = (piece, 0),
                Err(_) => return Ok(0),
            }
        }
        let count = self.piece.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

fn copy_in(shell: &Shell, dom: NonnullDomain, from: &Side, path: &str, owners: bool) -> Done {
    let name = match from {
        Side::Here(from) => {
            // Refused before anything is begun inside.
            let real = std::fs::canonicalize(from).map_err(|error| Failure::file("open", from, &error))?;
            let own = Path::new(from).file_name().or(real.file_name());
            own.map_or_else(|| b"root".to_vec(), |name| name.as_bytes().to_vec())
        }
        _ => Vec::new(),
    };
    let flags = if *from == Side::Stream { BARE } else { u32::from(owners) * OWNERS };
    let task = Task::Receive(Receiving { path: path.into(), name: rpc::Str(name), flags });
    let session = Session::open(shell, dom, task)?;
    let (over, listens) = UnixStream::pair().map_err(unusable)?;
    let (sent, stopped) = while_watching(&session, false, || {
        thread::scope(|scope| {
            let session = &session;
            let listening = scope.spawn(move || {
                let mut complaints = Vec::new();
                let end = session.listen(&mut |source, data| {
                    if source == Source::Errors {
                        complaints.extend(data);
                    }
                });
                // Dropped, the other end tells that the task is over.
                drop(listens);
                (end, complaints)
            });
            let mut to = BufWriter::with_capacity(64 << 10, Inward(session));
            let mut pass_over =
                |path: &Path| warn(&format!("'{}' is neither file, folder nor link: left out", path.display()));
            let sent = match from {
                Side::Here(from) => archive::pack(Path::new(from), &mut to, &mut pass_over),
                _ => archive::send_pieces(&mut Input { over }, &mut to),
            };
            let sent = sent.and_then(|()| to.flush()).and_then(|()| session.end_input());
            if sent.is_err() {
                // Without its end mark nothing is made of what has come.
                session.abort();
            }
            let (end, complaints) = heard(listening);
            (sent, end, complaints)
        })
    })
    .map_err(unusable)?;
    let (here, end, complaints) = sent;
    verdict(here, end, complaints, stopped)
}

/// Standard input for as long as the task takes it: one that says nothing is not waited for beyond that.
struct Input {
    over: UnixStream,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let input = io::stdin();
        loop {
            let mut ready = [PollFd::new(&self.over, PollFlags::IN), PollFd::new(&input, PollFlags::IN)];
            match poll(&mut ready, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            if ready.first().is_some_and(|over| !over.revents().is_empty()) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            match rustix::io::read(&input, &mut *buffer) {
                Err(Errno::INTR | Errno::AGAIN) => {}
                result => return Ok(result?),
            }
        }
    }
}

/// A task's input, to be written to.
struct Inward<'a>(&'a Session);

impl Write for Inward<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.input(data).map(|()| data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_told_apart() {
        assert_eq!(side("box:/etc/motd"), Side::Inside { domain: "box", path: "/etc/motd" });
        assert_eq!(side("-"), Side::Stream);
        for here in ["file", "./a:b", "/x/a:b", ":x"] {
            assert_eq!(side(here), Side::Here(here));
        }
    }
}
