//! The loop that a running container's controller is in: consoles, the daemon's connections, init's end. It sleeps until
//! one of them has something, and wakes for nothing else.
//!
//! Nothing announces that a client has given the machine's end of a console another size, so a client that has sends
//! SIGWINCH, which other controllers ignore.

use crate::console::Console;
use crate::failure::{Doing, Result};
use crate::log;
use crate::monitor::Monitor;
use crate::procview::ProcView;
use linux::process::Child;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::process::Signal;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// So many turns at most a console has when init has ended: more than the kernel holds of its output.
const LAST_TURNS: usize = 16;

/// What an event is about: the upper half of its number says the kind, the lower which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Init,
    Listener,
    View,
    Window,
    Console(usize),
    Client(RawFd),
}

impl About {
    fn number(self) -> u64 {
        match self {
            About::Init => 0,
            About::Listener => 1 << 32,
            About::View => 2 << 32,
            About::Window => 3 << 32,
            About::Console(index) => 4 << 32 | index as u64,
            About::Client(fd) => 5 << 32 | fd as u64,
        }
    }

    fn of(number: u64) -> About {
        match number >> 32 {
            0 => About::Init,
            1 => About::Listener,
            2 => About::View,
            3 => About::Window,
            4 => About::Console((number & 0xffff_ffff) as usize),
            _ => About::Client((number & 0xffff_ffff) as RawFd),
        }
    }
}

/// What a console's ends are watched for. Changes only: a terminal that nobody has open would report that for ever.
pub const CHANGES: EventFlags = EventFlags::IN.union(EventFlags::OUT).union(EventFlags::RDHUP).union(EventFlags::ET);

/// What the loop waits for.
pub struct Watched {
    epoll: OwnedFd,
    windows: OwnedFd,
}

/// All that is to be waited for, before anybody is told that the container runs.
pub fn watch_all(child: &Child, consoles: &[Console], view: Option<&ProcView>, monitor: &Monitor) -> Result<Watched> {
    let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(Into::into).doing(|| "Unable to make an epoll")?;
    watch(&epoll, child.pidfd.as_fd(), About::Init, EventFlags::IN)?;
    watch(&epoll, monitor.listener(), About::Listener, EventFlags::IN)?;
    for client in monitor.clients() {
        watch_client(&epoll, client)?;
    }
    if let Some(view) = view {
        watch(&epoll, view.fd(), About::View, EventFlags::IN)?;
    }
    for (index, console) in consoles.iter().enumerate() {
        for end in console.ends() {
            watch(&epoll, end, About::Console(index), CHANGES)?;
        }
    }
    let windows = linux::signal::into_pipe(&[Signal::WINCH.as_raw()]).doing(|| "Unable to catch a signal")?;
    watch(&epoll, windows.as_fd(), About::Window, EventFlags::IN)?;
    Ok(Watched { epoll, windows })
}

/// Until init ends, or an error that nothing can be done about. The monitor comes back, to tell of it.
pub fn serve(
    watched: Watched,
    child: &Child,
    mut consoles: Vec<Console>,
    mut view: Option<ProcView>,
    mut monitor: Monitor,
) -> (Monitor, Result<()>) {
    let served = loop_until_end(watched, child, &mut consoles, &mut view, &mut monitor);
    // The last words of the guest. Who types without end is not heard to the end.
    for console in &mut consoles {
        console.wake();
        _ = (0..LAST_TURNS).all(|_| console.turn());
    }
    (monitor, served)
}

/// Answers what the container asks of its view, which is gone when that is over.
pub fn answer(view: &mut Option<ProcView>) {
    let ready = view.as_mut().map_or(Ok(false), ProcView::ready);
    // That the container has let go of it is the way it ends.
    let goes_on = ready.unwrap_or_else(|error| {
        log::info(format!("the container's view of memory, processors and time is over: {error}"));
        false
    });
    if !goes_on {
        *view = None;
    }
}

fn loop_until_end(
    watched: Watched,
    child: &Child,
    consoles: &mut [Console],
    view: &mut Option<ProcView>,
    monitor: &mut Monitor,
) -> Result<()> {
    let Watched { epoll, windows } = watched;
    // Whoever was quicker than that.
    consoles.iter().for_each(Console::follow_window);
    let mut events = Vec::with_capacity(16);
    let mut more = false;
    loop {
        events.clear();
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let timeout = more.then_some(&at_once);
        match epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), timeout) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()).doing(|| "Unable to wait for events"),
        }
        for event in &events {
            match About::of(event.data.u64()) {
                About::Init => return Ok(()),
                About::Listener => {
                    if let Some(client) = monitor.accept(child.pid.as_raw_nonzero().get()) {
                        watch_client(&epoll, client)?;
                    }
                }
                // Closed with its end, it is not watched any more.
                About::View => answer(view),
                About::Window => {
                    _ = rustix::io::read(&windows, &mut [0; 16]);
                    consoles.iter().for_each(Console::follow_window);
                }
                About::Console(index) => {
                    if let Some(console) = consoles.get_mut(index) {
                        console.wake();
                    }
                }
                About::Client(client) => {
                    let asked = monitor.look_at(client);
                    // For a console that there is not, the connection ends.
                    let found = asked.and_then(|(index, session)| Some((index, consoles.get_mut(index)?, session)));
                    if let Some((index, console, session)) = found {
                        let about = EventData::new_u64(About::Console(index).number());
                        // The one that the event came from.
                        _ = epoll::modify(&epoll, &session, about, CHANGES);
                        console.begin_session(session);
                    }
                }
            }
        }
        more = consoles.iter_mut().fold(false, |more, console| console.turn() | more);
    }
}

fn watch_client(epoll: &OwnedFd, client: BorrowedFd) -> Result<()> {
    watch(epoll, client, About::Client(client.as_raw_fd()), EventFlags::IN | EventFlags::RDHUP)
}

fn watch(epoll: &OwnedFd, what: BorrowedFd, about: About, events: EventFlags) -> Result<()> {
    epoll::add(epoll, what, EventData::new_u64(about.number()), events)
        .map_err(Into::into)
        .doing(|| "Unable to watch a descriptor")
}

#[cfg(test)]
mod tests {
    use super::About;

    #[test]
    fn numbers_tell_what_they_are_about() {
        for about in [About::Init, About::Listener, About::View, About::Window, About::Console(3), About::Client(7)] {
            assert_eq!(About::of(about.number()), about);
        }
    }
}
