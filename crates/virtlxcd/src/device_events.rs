//! The machine's devices are watched as long as a client listens, and not a moment longer.

use crate::daemon::{Daemon, Hypervisor};
use crate::events;
use api::{Error, ErrorDomain, Result};
use nodedev::Watch;
use rpc::protocol::Priority;
use rpc::server::{Client, EventFlags, Loop, Source, Token};
use std::sync::{Arc, Mutex, MutexGuard};

pub struct DeviceEvents {
    daemon: Arc<Daemon>,
    event_loop: Arc<Loop>,
    watch: Mutex<Option<(Token, Watch)>>,
}

impl DeviceEvents {
    pub fn new(daemon: &Arc<Daemon>, event_loop: &Arc<Loop>) -> Arc<DeviceEvents> {
        let (daemon, event_loop) = (Arc::clone(daemon), Arc::clone(event_loop));
        Arc::new(DeviceEvents { daemon, event_loop, watch: Mutex::default() })
    }

    /// Somebody listens, and is registered for it.
    pub fn listen(self: &Arc<Self>) -> Result<()> {
        let mut watching = self.watching();
        if watching.is_none() {
            let watch = Watch::start(&self.daemon.devices).map_err(|error| {
                Error::system(ErrorDomain::Nodedev, &error, "cannot listen to the kernel's events of devices")
            })?;
            let token = self.event_loop.token();
            self.event_loop.add(token, &watch, flags(), Arc::clone(self) as Arc<dyn Source>)?;
            *watching = Some((token, watch));
        }
        Ok(())
    }

    /// Somebody is not registered any more.
    pub fn leave(&self) {
        self.end_unless_needed(&mut self.watching());
    }

    /// Reads what has happened. The lock is held until all is sent, so that the order is kept.
    fn tell(&self) {
        let mut watching = self.watching();
        self.end_unless_needed(&mut watching);
        let Some((token, watch)) = &mut *watching else { return };
        for event in watch.changes() {
            events::publish(&self.daemon, &event);
        }
        self.event_loop.modify(*token, &*watch, flags());
    }

    fn end_unless_needed(&self, watching: &mut Option<(Token, Watch)>) {
        let listens =
            |client: &Arc<Client<Hypervisor>>| events::hears_of_devices(&client.session.state().registrations);
        if self.daemon.server().is_some_and(|server| server.clients().iter().any(listens)) {
            return;
        }
        if let Some((token, watch)) = watching.take() {
            self.event_loop.remove(token, &watch);
        }
    }

    fn watching(&self) -> MutexGuard<'_, Option<(Token, Watch)>> {
        self.watch.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
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
