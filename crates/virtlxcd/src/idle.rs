//! The end of a daemon that nobody needs: no client and no running domain for a while.

use rpc::server::{EventFlags, Loop, Source, Token};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Whether the daemon is needed right now.
pub type Needed = Box<dyn Fn() -> bool + Send + Sync>;

pub struct IdleEnd {
    event_loop: Arc<Loop>,
    token: Token,
    needed: Needed,
    state: Mutex<State>,
}

struct State {
    /// None: the daemon stays.
    timeout: Option<Duration>,
    /// Since when nobody has needed the daemon, as far as anybody has said.
    since: Instant,
}

impl IdleEnd {
    pub fn new(event_loop: &Arc<Loop>, needed: Needed, timeout: Option<Duration>) -> Arc<IdleEnd> {
        let idle = Arc::new(IdleEnd {
            event_loop: Arc::clone(event_loop),
            token: event_loop.token(),
            needed,
            state: Mutex::new(State { timeout: None, since: Instant::now() }),
        });
        event_loop.add_timer_source(idle.token, Arc::clone(&idle) as Arc<dyn Source>);
        idle.set_timeout(timeout);
        idle
    }

    pub fn set_timeout(&self, timeout: Option<Duration>) {
        let mut state = self.state();
        *state = State { timeout, since: Instant::now() };
        if let Some(timeout) = timeout {
            self.event_loop.set_timer(self.token, state.since + timeout);
        }
    }

    /// Somebody came or went: the time begins anew.
    pub fn touch(&self) {
        self.state().since = Instant::now();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Source for IdleEnd {
    fn ready(self: Arc<Self>, _: EventFlags) {}

    fn timer(self: Arc<Self>) {
        let now = Instant::now();
        let mut state = self.state();
        let Some(timeout) = state.timeout else { return };
        if (self.needed)() {
            state.since = now;
        }
        let due = state.since + timeout;
        if now >= due {
            tracing::info!("nobody has needed the daemon for {} seconds", timeout.as_secs());
            self.event_loop.stop();
        } else {
            self.event_loop.set_timer(self.token, due);
        }
    }
}
