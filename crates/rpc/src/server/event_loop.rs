//! The loop: waits for descriptors and timers, and calls what belongs to them.

use api::{Error, ErrorDomain, Result};
pub use rustix::event::epoll::EventFlags;
use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::io::Errno;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Something that the loop waits for. Both methods run in the loop's thread and must not block.
pub trait Source: Send + Sync {
    /// No flags at all: the kernel would not watch it as it wanted, and watches it no longer.
    fn ready(self: Arc<Self>, flags: EventFlags);

    /// A time that was set with [`Loop::set_timer`] has come.
    fn timer(self: Arc<Self>) {}
}

/// What the loop calls a source by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u64);

const WAKE: u64 = 0;

pub struct Loop {
    epoll: OwnedFd,
    wake: OwnedFd,
    sources: Mutex<HashMap<Token, Arc<dyn Source>>>,
    timers: Mutex<BinaryHeap<Reverse<(Instant, Token)>>>,
    /// Sources that the kernel would not watch as they wanted.
    lost: Mutex<Vec<Token>>,
    /// For what a source reads and passes on at once.
    scratch: Mutex<Vec<u8>>,
    next: AtomicU64,
    stopping: AtomicBool,
}

impl Loop {
    pub fn new() -> Result<Loop> {
        let failed = |e: Errno| Error::system(ErrorDomain::Event, &e.into(), "cannot make the event loop");
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(failed)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(failed)?;
        epoll::add(&epoll, &wake, epoll::EventData::new_u64(WAKE), EventFlags::IN).map_err(failed)?;
        Ok(Loop {
            epoll,
            wake,
            sources: Mutex::default(),
            timers: Mutex::default(),
            lost: Mutex::default(),
            scratch: Mutex::default(),
            next: AtomicU64::new(WAKE + 1),
            stopping: AtomicBool::new(false),
        })
    }

    /// So many bytes for [`Source::ready`] to use, with anything in them. Nobody else may hold them meanwhile.
    pub(super) fn scratch(&self, length: usize) -> MutexGuard<'_, Vec<u8>> {
        let mut scratch = lock(&self.scratch);
        if scratch.len() < length {
            *scratch = vec![0; length];
        }
        scratch
    }

    /// A name for a source that is going to be added.
    pub fn token(&self) -> Token {
        Token(self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub fn add(&self, token: Token, fd: impl AsFd, flags: EventFlags, source: Arc<dyn Source>) -> Result<()> {
        lock(&self.sources).insert(token, source);
        epoll::add(&self.epoll, fd, epoll::EventData::new_u64(token.0), flags).map_err(|e| {
            lock(&self.sources).remove(&token);
            Error::system(ErrorDomain::Event, &e.into(), "cannot watch a descriptor")
        })
    }

    /// A source without a descriptor: for timers alone.
    pub fn add_timer_source(&self, token: Token, source: Arc<dyn Source>) {
        lock(&self.sources).insert(token, source);
    }

    /// Where this fails the source is told, unless it was removed meanwhile: it would wait for ever.
    pub fn modify(&self, token: Token, fd: impl AsFd, flags: EventFlags) {
        if let Err(errno) = epoll::modify(&self.epoll, fd, epoll::EventData::new_u64(token.0), flags) {
            tracing::debug!("epoll modify: {errno}");
            lock(&self.lost).push(token);
            self.wake();
        }
    }

    pub fn remove(&self, token: Token, fd: impl AsFd) {
        if let Err(errno) = epoll::delete(&self.epoll, fd) {
            tracing::trace!("epoll delete: {errno}");
        }
        lock(&self.sources).remove(&token);
    }

    /// [`Source::timer`] is called once at `when` or soon after, unless the source is removed before.
    pub fn set_timer(&self, token: Token, when: Instant) {
        let mut timers = lock(&self.timers);
        let first = timers.peek().is_none_or(|Reverse((first, _))| when < *first);
        timers.push(Reverse((when, token)));
        drop(timers);
        if first {
            self.wake();
        }
    }

    fn wake(&self) {
        _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }

    /// Ends [`Loop::run`]. May be called from any thread.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.wake();
    }

    /// Runs until [`Loop::stop`].
    pub fn run(&self) -> Result<()> {
        let mut events = Vec::with_capacity(64);
        while !self.stopping.load(Ordering::Acquire) {
            events.clear();
            let timeout = self.timeout();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::system(ErrorDomain::Event, &errno.into(), "cannot wait for events")),
            }
            for event in &events {
                let (flags, data) = (event.flags, event.data.u64());
                if data == WAKE {
                    _ = rustix::io::read(&self.wake, &mut [0u8; 8]);
                } else if let Some(source) = self.source(Token(data)) {
                    source.ready(flags);
                }
            }
            self.run_timers();
            for token in std::mem::take(&mut *lock(&self.lost)) {
                if let Some(source) = self.source(token) {
                    source.ready(EventFlags::empty());
                }
            }
        }
        Ok(())
    }

    fn source(&self, token: Token) -> Option<Arc<dyn Source>> {
        lock(&self.sources).get(&token).cloned()
    }

    fn timeout(&self) -> Option<Timespec> {
        let left =
            lock(&self.timers).peek().map(|Reverse((when, _))| when.saturating_duration_since(Instant::now()))?;
        // Rounded up: epoll counts in milliseconds, and waking early would only spin.
        let left = left + Duration::from_micros(999);
        Some(Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() })
    }

    fn run_timers(&self) {
        let now = Instant::now();
        loop {
            let mut timers = lock(&self.timers);
            if timers.peek().is_none_or(|Reverse((when, _))| *when > now) {
                return;
            }
            let due = timers.pop();
            drop(timers);
            if let Some(source) = due.and_then(|Reverse((_, token))| self.source(token)) {
                source.timer();
            }
        }
    }
}

/// Nothing here is left half-changed by a panic: the data of a poisoned lock is as good as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    struct Told(Mutex<Sender<EventFlags>>);

    impl Source for Told {
        fn ready(self: Arc<Self>, flags: EventFlags) {
            _ = lock(&self.0).send(flags);
        }
    }

    #[test]
    fn who_is_not_watched_any_more_is_told() {
        let event_loop = Arc::new(Loop::new().unwrap());
        let (tell, told) = channel();
        let source = Arc::new(Told(Mutex::new(tell)));
        let (pipe, _other_end) = std::io::pipe().unwrap();
        let (kept, removed) = (event_loop.token(), event_loop.token());
        for token in [removed, kept] {
            event_loop.add(token, &pipe, EventFlags::IN, Arc::clone(&source) as Arc<dyn Source>).unwrap();
            epoll::delete(&event_loop.epoll, &pipe).unwrap();
        }
        event_loop.remove(removed, &pipe);
        for token in [removed, kept] {
            event_loop.modify(token, &pipe, EventFlags::OUT);
        }
        let runs = Arc::clone(&event_loop);
        let running = std::thread::spawn(move || runs.run());
        assert_eq!(told.recv_timeout(Duration::from_secs(30)), Ok(EventFlags::empty()));
        event_loop.stop();
        running.join().unwrap().unwrap();
        assert!(told.try_recv().is_err(), "who was removed is told of nothing");
    }
}
