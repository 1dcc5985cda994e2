//! The machine's devices are watched as long as a client listens, and not a moment longer.

use crate::daemon::{Daemon, Hypervisor};
use crate::events;
use api::{Error, ErrorDomain, Result};
use nodedev::Watch;
use rpc::protocol::Priority;
use rpc::server::{Client, EventFlags, Loop, Source, Token};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub struct DeviceEvents {
    daemon: Arc<Daemon>,
    event_loop: Arc<Loop>,
    /// Held while a watch begins, which reads all of /sys.
    beginning: Mutex<()>,
    /// Held for moments, so that nobody who leaves waits for anything.
    state: Mutex<State>,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    Watching(Token, Watch),
    /// One worker reads and tells, without the lock: a client whose connection is closed by what it is told may leave in the
    /// same thread. Afterwards that worker looks whether anybody listens.
    Telling,
}

impl DeviceEvents {
    pub fn new(daemon: &Arc<Daemon>, event_loop: &Arc<Loop>) -> Arc<DeviceEvents> {
        let (daemon, event_loop) = (Arc::clone(daemon), Arc::clone(event_loop));
        Arc::new(DeviceEvents { daemon, event_loop, beginning: Mutex::default(), state: Mutex::default() })
    }

    /// Somebody listens, and is registered for it.
    pub fn listen(self: &Arc<Self>) -> Result<()> {
        let _alone = self.beginning.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*self.state(), State::Idle) {
            return Ok(());
        }
        let watch = Watch::start(&self.daemon.devices).map_err(|error| {
            Error::system(ErrorDomain::Nodedev, &error, "cannot listen to the kernel's events of devices")
        })?;
        let token = self.event_loop.token();
        {
            let mut state = self.state();
            self.event_loop.add(token, &watch, flags(), Arc::clone(self) as Arc<dyn Source>)?;
            *state = State::Watching(token, watch);
        }
        // Who asked may have left meanwhile, when there was nothing to end.
        self.leave();
        Ok(())
    }

    /// Somebody is not registered any more.
    pub fn leave(&self) {
        let mut state = self.state();
        if let State::Watching(token, watch) = &*state
            && !self.is_needed()
        {
            self.event_loop.remove(*token, watch);
            *state = State::Idle;
        }
    }

    /// Reads what has happened. Only one worker does at a time, until all is sent, so that the order is kept.
    fn tell(&self) {
        let (token, mut watch) = {
            let mut state = self.state();
            match std::mem::replace(&mut *state, State::Telling) {
                State::Watching(token, watch) => (token, watch),
                other => {
                    *state = other;
                    return;
                }
            }
        };
        if self.is_needed() {
            for event in watch.changes() {
                events::publish(&self.daemon, &event);
            }
        }
        let mut state = self.state();
        // Whoever has begun to listen meanwhile was told that somebody watches.
        *state = match self.is_needed() {
            true => {
                self.event_loop.modify(token, &watch, flags());
                State::Watching(token, watch)
            }
            false => {
                self.event_loop.remove(token, &watch);
                State::Idle
            }
        };
    }

    fn is_needed(&self) -> bool {
        let listens =
            |client: &Arc<Client<Hypervisor>>| events::hears_of_devices(&client.session.state().registrations);
        self.daemon.server().is_some_and(|server| server.clients().iter().any(listens))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Once, until it is asked for again: a worker reads, since /sys may take its time and the loop has none.
fn flags() -> EventFlags {
    EventFlags::IN | EventFlags::ONESHOT
}

impl Source for DeviceEvents {
    fn ready(self: Arc<Self>, _: EventFlags) {
        if let Some(server) = Arc::clone(&self.daemon).server() {
            server.spawn(Priority::Low, Box::new(move || self.tell()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{Paths, Uuid};

    fn watched() -> Arc<DeviceEvents> {
        let daemon = Daemon::new(Paths { sys: "/nonexistent".into(), ..Paths::system() }, Uuid([7; 16]));
        DeviceEvents::new(&daemon, &Arc::new(Loop::new().unwrap()))
    }

    #[test]
    fn nobody_who_leaves_waits_for_what_is_told() {
        let watched = watched();
        let _begins = watched.beginning.lock().unwrap();
        *watched.state() = State::Telling;
        watched.leave();
        assert!(matches!(*watched.state(), State::Telling), "the worker that tells ends it");
    }

    #[test]
    fn nothing_is_watched_for_somebody_who_is_gone() {
        let watched = watched();
        watched.listen().unwrap();
        assert!(matches!(*watched.state(), State::Idle), "nobody was there when the watch had begun");
        watched.tell();
        assert!(matches!(*watched.state(), State::Idle));
        // All have gone while it was told.
        let watch = Watch::start(&watched.daemon.devices).unwrap();
        let token = watched.event_loop.token();
        watched.event_loop.add(token, &watch, flags(), Arc::clone(&watched) as Arc<dyn Source>).unwrap();
        *watched.state() = State::Watching(token, watch);
        watched.tell();
        assert!(matches!(*watched.state(), State::Idle));
    }
}
