//! `exec`: a command inside a container, with its streams, signals and status as if it ran here.

use crate::arguments::Arguments;
use crate::failure::{Done, Failure, words as error_words};
use crate::inside::{End, Session, Source};
use crate::lookup;
use crate::shell::Shell;
use crate::signals::Signals;
use crate::table::*;
use crate::terminal::{self, Raw};
use rpc::Str;
use rpc::records::{DATA_MAX, Record};
use rpc::virtlxc::{self, Task};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::{self, Read, Write, stdin};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "exec",
        "run a command inside a container, wherever its daemon is",
        &[
            domain(ACTIVE),
            text("user", "as this user, by the container's own names or numbers: USER[:GROUP]").by_name(),
            text("cwd", "in this folder").by_name(),
            words("env", "with this variable: NAME=VALUE; may be given again").by_name(),
            flag("tty", "on a terminal of the container"),
            words("cmd", "the command and its arguments, behind --").required(),
        ],
        exec,
    )
    .more(
        "The command may do what the container's init may, and nothing else. Its status is virsh's: 128 and the number of a \
         signal that killed it, 127 where it is not found, 126 where it cannot be executed, 125 where it was not tried. \
         Interrupts and other signals to virsh go to the command; when virsh is gone, the command is hung up, and killed \
         five seconds later.",
    )
    .fails_with(NOT_BEGUN),
];

/// Where it was not the command that failed.
const NOT_BEGUN: u8 = 125;
/// What ends a program that writes to where nobody reads.
const SIGPIPE: u8 = 13;

fn exec(shell: &mut Shell, arguments: &Arguments) -> Done {
    shell.verbatim = true;
    let domain = lookup::domain(shell, arguments)?;
    let on_terminal = arguments.has("tty");
    let task = Task::Execute(command(arguments, on_terminal)?);
    let session = Session::open(shell, domain, task)?;
    let ended = converse(&session, on_terminal)
        .map_err(|error| Failure::new(format!("the command's streams cannot be used: {}", error_words(&error))))?;
    let (status, text) = match ended {
        End::Exited(status) => (status, None),
        End::Killed(signal) => (128u8.saturating_add(signal), None),
        End::Refused { status, text } => (status, Some(text)),
        End::Lost(error) => (NOT_BEGUN, Some(error.message)),
    };
    shell.exit_status = Some(status);
    match (status, text) {
        (0, _) => Ok(()),
        (_, Some(text)) => Err(Failure::new(text)),
        (_, None) => Err(Failure::silent()),
    }
}

fn command(arguments: &Arguments, on_terminal: bool) -> Result<virtlxc::Command, Failure> {
    let (user, group) = match arguments.text("user")? {
        Some(both) => match both.split_once(':') {
            Some((user, group)) => (Some(user), Some(group).filter(|group| !group.is_empty())),
            None => (Some(both), None),
        },
        None => (None, None),
    };
    let mut environment: Vec<Str> = Vec::new();
    if let Some(kind) = std::env::var("TERM").ok().filter(|kind| on_terminal && !kind.is_empty()) {
        environment.push(format!("TERM={kind}").into());
    }
    for variable in arguments.words("env") {
        if variable.find('=').is_none_or(|at| at == 0) {
            return Err(Failure::new(format!("--env '{variable}' is no variable: NAME=VALUE is")));
        }
        environment.push(variable.into());
    }
    let window = || {
        let size = terminal::window().filter(|size| size.ws_row > 0 && size.ws_col > 0);
        let (rows, columns) = size.map_or((24, 80), |size| (size.ws_row, size.ws_col));
        virtlxc::Window { rows: rows.into(), columns: columns.into() }
    };
    Ok(virtlxc::Command {
        words: arguments.words("cmd").into_iter().map(Str::from).collect(),
        environment,
        user: user.filter(|user| !user.is_empty()).map(Str::from),
        group: group.map(Str::from),
        folder: arguments.text("cwd")?.map(Str::from),
        terminal: on_terminal.then(window),
    })
}

fn converse(session: &Session, on_terminal: bool) -> io::Result<End> {
    let mut ends = Signals::of_the_end()?;
    let mut resizes = Signals::of_the_window()?;
    let raw = if on_terminal && terminal::is_terminal() { Some(Raw::enter()?) } else { None };
    let (mut news, mut telling) = UnixStream::pair()?;
    // Where one byte waits to be read, another is of no use.
    telling.set_nonblocking(true)?;
    let ended = thread::scope(|scope| {
        let output = scope.spawn(move || {
            let mut unwritten = None;
            let end = session.listen(&mut |source, data| {
                let shown = match (source, data.as_slice()) {
                    // Room: the other thread may be waiting for it.
                    (_, []) => {
                        _ = telling.write_all(&[0]);
                        return;
                    }
                    _ if unwritten.is_some() => return,
                    (Source::Output, data) => show(&mut io::stdout(), data),
                    (Source::Errors, data) => show(&mut io::stderr(), data),
                };
                if let Err(error) = shown {
                    // Nobody sees what it does: here it would have been ended by its own output.
                    session.abort();
                    unwritten = Some(error);
                }
            });
            // Dropped, the news' end tells.
            drop(telling);
            match unwritten {
                Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(End::Killed(SIGPIPE)),
                Some(error) => Err(error),
                None => Ok(end),
            }
        });
        let fed = feed(session, &mut news, &mut ends, &mut resizes);
        if fed.is_err() {
            session.abort();
        }
        let ended = output.join().unwrap_or_else(|_| Err(io::Error::other("the output could not be written")));
        fed.and(ended)
    });
    drop(raw);
    ended
}

fn show(to: &mut dyn Write, data: &[u8]) -> io::Result<()> {
    to.write_all(data).and_then(|()| to.flush())
}

/// Carries input, signals and sizes until the output's side says that all is over.
fn feed(session: &Session, news: &mut UnixStream, ends: &mut Signals, resizes: &mut Signals) -> io::Result<()> {
    let mut input_over = false;
    let mut buffer = vec![0; DATA_MAX];
    loop {
        let room = session.room().min(buffer.len());
        let (told, readable) = {
            let input = stdin();
            let own = Some(news.as_fd()).into_iter();
            let watched: Vec<BorrowedFd<'_>> = own.chain(ends.fds()).chain(resizes.fds()).collect();
            let mut ready: Vec<PollFd<'_>> = watched.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
            if !input_over && room > 0 {
                ready.push(PollFd::new(&input, PollFlags::IN));
            }
            match poll(&mut ready, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let happened = |at: usize| ready.get(at).is_some_and(|fd| !fd.revents().is_empty());
            (happened(0), happened(watched.len()))
        };
        if told && news.read(&mut [0; 256])? == 0 {
            return Ok(());
        }
        while let Some(signal) = ends.take() {
            // To a command that has just ended nothing can be sent, nor need be.
            _ = session.send(&Record::Signal(u8::try_from(signal).unwrap_or(15)));
        }
        if let Some(size) = resizes.take().and_then(|_| terminal::window()) {
            _ = session.send(&Record::Window(size.ws_row, size.ws_col));
        }
        if !readable {
            continue;
        }
        let sent = match rustix::io::read(stdin(), buffer.get_mut(..room).unwrap_or_default()) {
            Ok(0) | Err(Errno::IO | Errno::BADF) => {
                input_over = true;
                session.end_input()
            }
            Ok(count) => session.input(buffer.get(..count).unwrap_or_default()),
            Err(Errno::INTR | Errno::AGAIN) => Ok(()),
            Err(errno) => return Err(errno.into()),
        };
        // The command may have ended: how, the other side knows.
        input_over |= sent.is_err();
    }
}
