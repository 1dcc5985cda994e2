//! A domain's console on the person's terminal, and where it is.

use crate::arguments::Arguments;
use crate::document;
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::signals::{self, Signals};
use crate::table::*;
use crate::terminal::{self, Raw};
use rpc::client::{Stream, Transport, Uri};
use rpc::remote::*;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs::File;
use std::io::{Write, stdin, stdout};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;

const FORCE: u32 = 1;
const SAFE: u32 = 2;
const STATE_SHUTOFF: i32 = 5;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "console",
        "talk to a domain on its console",
        &[
            domain(ACTIVE),
            text("devname", "which console, as console1; the first without"),
            flag("force", "end another client's session first"),
            flag("safe", "only where the driver keeps sessions apart"),
            flag("resume", "let the domain go on once the console is open"),
        ],
        console,
    )
    .more("The escape character, ^] unless -e gives another, leaves it again; the domain runs on."),
    Command::new(
        "domdisplay",
        "where a domain's screen can be reached",
        &[
            domain(ACTIVE),
            flag("include-password", "with its password"),
            text("type", "only a screen of this type, as vnc"),
            flag("all", "every screen"),
        ],
        display,
    ),
    Command::new("ttyconsole", "the host's device behind a domain's console", &[domain(ACTIVE)], ttyconsole),
    Command::new("vncdisplay", "where a domain's VNC screen can be reached", &[domain(ACTIVE)], vncdisplay),
];

fn console(shell: &mut Shell, arguments: &Arguments) -> Done {
    let domain = lookup::domain(shell, arguments)?;
    let mut flags = 0;
    if arguments.has("force") {
        flags |= FORCE;
    }
    if arguments.has("safe") {
        flags |= SAFE;
    }
    let device = arguments.text("devname")?.map(str::to_string);
    attach(shell, &domain, device, flags)?;
    if arguments.has("resume") {
        shell.call::<_, _, ()>(Procedure::DomainResume, &DomainResumeArgs { dom: domain })?;
    }
    Ok(())
}

/// Opens the console and stays until the escape character, the end of the domain or a signal.
pub fn attach(shell: &Shell, domain: &NonnullDomain, device: Option<String>, flags: u32) -> Done {
    let state: DomainGetStateRet = shell
        .call(Procedure::DomainGetState, &DomainGetStateArgs { dom: domain.clone(), flags: 0 })
        .context("Unable to get domain status")?;
    if state.state == STATE_SHUTOFF {
        return Err(Failure::new("The domain is not running"));
    }
    if !terminal::is_terminal() {
        return Err(Failure::new("Cannot run interactive console without a controlling TTY"));
    }
    shell.say(&format!("Connected to domain '{}'\n", domain.name));
    shell.say(&format!("Escape character is {}\n", key_name(shell.settings.escape)));
    let args = DomainOpenConsoleArgs { dom: domain.clone(), dev_name: device.clone().map(Into::into), flags };
    let ((), stream) = shell.open_stream(Procedure::DomainOpenConsole, &args)?;
    let window = Window::of(shell, domain, device.as_deref());
    let ended = converse(&stream, shell.settings.escape, &window)
        .map_err(|error| Failure::new(format!("the terminal cannot be used: {}", crate::failure::words(&error))))?;
    match ended {
        // Whatever is still on its way is not wanted any more.
        Ended::Left | Ended::InputOver => _ = stream.abort(),
        Ended::Over => stream.finish()?,
        Ended::Failed(error) => return Err(error.into()),
        Ended::Signal(signal) => signals::die_of(signal),
    }
    Ok(())
}

/// A control character as `^] (Ctrl + ])`, any other as itself.
fn key_name(key: u8) -> String {
    match key {
        0..=31 | 127 => {
            let letter = char::from(key ^ 0x40);
            format!("^{letter} (Ctrl + {letter})")
        }
        _ => char::from(key).to_string(),
    }
}

/// Why the conversation is over.
enum Ended {
    /// The person typed the escape character.
    Left,
    InputOver,
    Over,
    Failed(api::Error),
    Signal(i32),
}

/// Carries bytes both ways. The terminal is raw inside, and restored on every way out, before anything that waits for the
/// daemon.
fn converse(stream: &Stream, escape: u8, window: &Window) -> std::io::Result<Ended> {
    let mut ends = Signals::of_the_end()?;
    let mut resizes = Signals::of_the_window()?;
    let (over, mut telling) = UnixStream::pair()?;
    let raw = Raw::enter()?;
    window.adjust();
    thread::scope(|scope| {
        let output = scope.spawn(move || {
            let outcome = copy_out(stream);
            // The loop below waits for this byte.
            _ = telling.write_all(&[0]);
            outcome
        });
        let ended = copy_in(stream, escape, &over, &mut ends, &mut resizes, window);
        match ended {
            Ok(Ended::Over) => match output.join() {
                Ok(Err(error)) => Ok(Ended::Failed(error)),
                _ => Ok(Ended::Over),
            },
            other => {
                drop(raw);
                // A signal asks to end at once; the daemon sees that from the connection's end.
                if let Ok(Ended::Signal(signal)) = other {
                    signals::die_of(signal);
                }
                // Ends the other side's wait for more.
                _ = stream.abort();
                other
            }
        }
    })
}

fn copy_out(stream: &Stream) -> api::Result<()> {
    let mut out = stdout();
    loop {
        let data = stream.recv()?;
        if data.is_empty() {
            return Ok(());
        }
        if out.write_all(&data).and_then(|()| out.flush()).is_err() {
            return Ok(());
        }
    }
}

fn copy_in(
    stream: &Stream,
    escape: u8,
    over: &UnixStream,
    ends: &mut Signals,
    resizes: &mut Signals,
    window: &Window,
) -> std::io::Result<Ended> {
    let mut buffer = [0; 4096];
    loop {
        let (typed, done) = {
            let input = stdin();
            let own = [input.as_fd(), over.as_fd()];
            let watched: Vec<BorrowedFd<'_>> = own.into_iter().chain(ends.fds()).chain(resizes.fds()).collect();
            let mut ready: Vec<PollFd<'_>> = watched.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
            match poll(&mut ready, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let happened = |at: usize| ready.get(at).is_some_and(|fd| !fd.revents().is_empty());
            (happened(0), happened(1))
        };
        if let Some(signal) = ends.take() {
            return Ok(Ended::Signal(signal));
        }
        if resizes.take().is_some() {
            window.adjust();
        }
        if done {
            return Ok(Ended::Over);
        }
        if !typed {
            continue;
        }
        // Past the buffer of the standard library, which would keep what it reads ahead.
        let count = match rustix::io::read(stdin(), &mut buffer) {
            Ok(0) | Err(Errno::IO) => return Ok(Ended::InputOver),
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(errno) => return Err(errno.into()),
        };
        let data = buffer.get(..count).unwrap_or_default();
        let (data, left) = match data.iter().position(|byte| *byte == escape) {
            Some(at) => (data.get(..at).unwrap_or_default(), true),
            None => (data, false),
        };
        if !data.is_empty() {
            if let Err(error) = stream.send(data) {
                return Ok(Ended::Failed(error));
            }
        }
        if left {
            return Ok(Ended::Left);
        }
    }
}

/// The console's own terminal, where it is on this machine: it is told how large ours is, and our controller, which the
/// domain's id names, passes that on. The protocol has no words for it, and a terminal of another machine keeps its size.
struct Window {
    console: Option<File>,
    controller: Option<OwnedFd>,
}

impl Window {
    fn of(shell: &Shell, domain: &NonnullDomain, device: Option<&str>) -> Window {
        let local = Uri::parse(&shell.uri).is_ok_and(|uri| uri.transport() == Transport::Unix);
        let path = local.then(|| tty_path(shell, domain, device).ok().flatten()).flatten();
        let options = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK;
        let opened = path.filter(|path| path.starts_with("/dev/pts/")).and_then(|path| {
            rustix::fs::open(path, options | rustix::fs::OFlags::CLOEXEC, rustix::fs::Mode::empty()).ok()
        });
        let controller = Pid::from_raw(domain.id).filter(|_| opened.is_some());
        let controller = controller.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        Window { console: opened.map(File::from), controller }
    }

    fn adjust(&self) {
        if let (Some(console), Some(size)) = (&self.console, terminal::window()) {
            // A size that cannot be passed on leaves the console as it is.
            _ = rustix::termios::tcsetwinsize(console, size);
            // Another controller than ours ignores it.
            _ = self.controller.as_ref().map(|controller| pidfd_send_signal(controller, Signal::WINCH));
        }
    }
}

/// The path of the host's device behind a console, by its alias or the first.
fn tty_path(shell: &Shell, domain: &NonnullDomain, device: Option<&str>) -> Result<Option<String>, Failure> {
    let xml = lookup::domain_xml(shell, domain, 0)?;
    let document = document::parse(&xml)?;
    let mut consoles = document::devices(&document, "console");
    let wanted = consoles.find(|console| {
        device.is_none_or(|device| document::child_attribute(*console, "alias", "name") == Some(device))
    });
    Ok(wanted.and_then(|console| console.attribute("tty")).map(str::to_string))
}

fn ttyconsole(shell: &mut Shell, arguments: &Arguments) -> Done {
    let domain = lookup::domain(shell, arguments)?;
    match tty_path(shell, &domain, None)? {
        Some(path) => shell.value("tty", &path),
        None => Err(Failure::silent()),
    }
}

fn running(shell: &Shell, arguments: &Arguments) -> Result<NonnullDomain, Failure> {
    let domain = lookup::domain(shell, arguments)?;
    match lookup::is_active(shell, &domain)? {
        true => Ok(domain),
        false => Err(Failure::new("Domain is not running")),
    }
}

fn display(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("all", "type")?;
    let domain = running(shell, arguments)?;
    let flags = u32::from(arguments.has("include-password"));
    let xml = lookup::domain_xml(shell, &domain, flags)?;
    let document = document::parse(&xml)?;
    let wanted = arguments.text("type")?;
    let mut found = 0;
    for graphics in document::devices(&document, "graphics") {
        let kind = graphics.attribute("type").unwrap_or_default();
        let Some(port) = graphics.attribute("port").filter(|_| wanted.is_none_or(|wanted| wanted == kind)) else {
            continue;
        };
        let listen = graphics.attribute("listen").filter(|listen| !matches!(*listen, "0.0.0.0" | "::"));
        shell.print(&format!("{kind}://{}:{port}\n", listen.unwrap_or("localhost")));
        found += 1;
        if !arguments.has("all") {
            break;
        }
    }
    match (found, wanted) {
        (0, None) => Err(Failure::new("No graphical display found")),
        (0, Some(wanted)) => Err(Failure::new(format!("No graphical display with type '{wanted}' found"))),
        _ => Ok(()),
    }
}

fn vncdisplay(shell: &mut Shell, arguments: &Arguments) -> Done {
    let domain = running(shell, arguments)?;
    let xml = lookup::domain_xml(shell, &domain, 0)?;
    let document = document::parse(&xml)?;
    let vnc = document::devices(&document, "graphics").find(|graphics| graphics.attribute("type") == Some("vnc"));
    let port = vnc.and_then(|vnc| vnc.attribute("port")).and_then(|port| port.parse::<i32>().ok());
    let port = port.ok_or_else(|| Failure::new("Failed to get VNC port. Is this domain using VNC?"))?;
    let listen = vnc.and_then(|vnc| vnc.attribute("listen")).filter(|listen| *listen != "0.0.0.0");
    shell.value("display", &format!("{}:{}", listen.unwrap_or_default(), port - 5900))
}
