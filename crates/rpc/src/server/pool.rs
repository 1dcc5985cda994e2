//! Workers: ordinary ones take every job in turn, priority workers only those that may not wait behind a slow one.

use super::event_loop::lock;
use crate::protocol::Priority;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

pub type Job = Box<dyn FnOnce() + Send>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    pub min_workers: u32,
    /// At least 1.
    pub max_workers: u32,
    pub priority_workers: u32,
}

/// How busy the pool is, as the admin interface shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    pub limits: PoolLimits,
    pub workers: u32,
    pub free_workers: u32,
    pub priority_workers: u32,
    pub queued: u32,
}

pub(super) struct Pool {
    name: &'static str,
    state: Mutex<State>,
    /// A job came for an ordinary worker, or the limits changed.
    ordinary: Condvar,
    /// The same for a priority worker.
    priority: Condvar,
    /// A worker has nothing to do any more.
    rested: Condvar,
}

struct State {
    limits: PoolLimits,
    jobs: VecDeque<(Priority, Job)>,
    workers: u32,
    free: u32,
    priority_workers: u32,
    priority_free: u32,
    closing: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Ordinary,
    Priority,
}

impl Pool {
    pub fn new(name: &'static str, limits: PoolLimits) -> Arc<Pool> {
        let pool = Arc::new(Pool {
            name,
            state: Mutex::new(State {
                limits,
                jobs: VecDeque::new(),
                workers: 0,
                free: 0,
                priority_workers: 0,
                priority_free: 0,
                closing: false,
            }),
            ordinary: Condvar::new(),
            priority: Condvar::new(),
            rested: Condvar::new(),
        });
        pool.set_limits(limits);
        pool
    }

    pub fn set_limits(self: &Arc<Self>, limits: PoolLimits) {
        let mut state = lock(&self.state);
        state.limits = limits;
        while state.workers < limits.min_workers && self.start(&mut state, Kind::Ordinary) {}
        while state.priority_workers < limits.priority_workers && self.start(&mut state, Kind::Priority) {}
        drop(state);
        // Workers beyond a lowered limit leave.
        self.wake_all();
    }

    pub fn state(&self) -> PoolState {
        let state = lock(&self.state);
        PoolState {
            limits: state.limits,
            workers: state.workers,
            free_workers: state.free,
            priority_workers: state.priority_workers,
            queued: state.jobs.len() as u32,
        }
    }

    /// Gives the job back where no worker takes any more.
    pub fn push(self: &Arc<Self>, priority: Priority, job: Job) -> Result<(), Job> {
        let mut state = lock(&self.state);
        if state.closing {
            return Err(job);
        }
        state.jobs.push_back((priority, job));
        // A free worker counts as free until it has taken its job, so the queue tells whether there is one for this job.
        let served = state.jobs.len() as u32 <= state.free
            || (state.workers < state.limits.max_workers && self.start(&mut state, Kind::Ordinary));
        drop(state);
        if served {
            self.ordinary.notify_one();
        } else if priority == Priority::High {
            self.priority.notify_one();
        }
        Ok(())
    }

    fn wake_all(&self) {
        self.ordinary.notify_all();
        self.priority.notify_all();
    }

    /// Takes no more jobs and waits, at most so long, for those that are there.
    pub fn finish(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut state = lock(&self.state);
        state.closing = true;
        self.wake_all();
        while state.workers + state.priority_workers > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.rested.wait_timeout(state, left).unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
        // Outside the lock: what they hold may come back here when it goes.
        let undone = std::mem::take(&mut state.jobs);
        drop(state);
        drop(undone);
    }

    fn start(self: &Arc<Self>, state: &mut State, kind: Kind) -> bool {
        let pool = Arc::clone(self);
        let started = std::thread::Builder::new().name(self.name.into()).spawn(move || pool.work(kind));
        match started {
            Ok(_) => {
                match kind {
                    Kind::Ordinary => state.workers += 1,
                    Kind::Priority => state.priority_workers += 1,
                }
                true
            }
            Err(error) => {
                tracing::error!("cannot start a worker: {error}");
                false
            }
        }
    }

    fn work(&self, kind: Kind) {
        let wakes = match kind {
            Kind::Ordinary => &self.ordinary,
            Kind::Priority => &self.priority,
        };
        let mut state = lock(&self.state);
        while !state.superfluous(kind) {
            if let Some(job) = state.take(kind) {
                drop(state);
                // A panic is this job's failure: the worker lives on. The hook has written it down.
                _ = std::panic::catch_unwind(AssertUnwindSafe(job));
                state = lock(&self.state);
                continue;
            }
            if state.closing {
                break;
            }
            *state.free_count(kind) += 1;
            state = wakes.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
            *state.free_count(kind) -= 1;
        }
        match kind {
            Kind::Ordinary => state.workers -= 1,
            Kind::Priority => state.priority_workers -= 1,
        }
        drop(state);
        self.rested.notify_all();
    }
}

impl State {
    fn superfluous(&self, kind: Kind) -> bool {
        match kind {
            Kind::Ordinary => self.workers > self.limits.max_workers,
            Kind::Priority => self.priority_workers > self.limits.priority_workers,
        }
    }

    fn take(&mut self, kind: Kind) -> Option<Job> {
        let at = match kind {
            Kind::Ordinary => 0,
            Kind::Priority => self.jobs.iter().position(|(priority, _)| *priority == Priority::High)?,
        };
        self.jobs.remove(at).map(|(_, job)| job)
    }

    fn free_count(&mut self, kind: Kind) -> &mut u32 {
        match kind {
            Kind::Ordinary => &mut self.free,
            Kind::Priority => &mut self.priority_free,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn priority_jobs_pass_when_all_ordinary_workers_are_busy() {
        let pool = Pool::new("test", PoolLimits { min_workers: 1, max_workers: 2, priority_workers: 1 });
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let (done, results) = mpsc::channel();
        for _ in 0..2 {
            let held = Arc::clone(&held);
            assert!(pool.push(Priority::Low, Box::new(move || _ = held.lock().unwrap().recv())).is_ok());
        }
        let low = done.clone();
        assert!(pool.push(Priority::Low, Box::new(move || low.send("low").unwrap())).is_ok());
        assert!(pool.push(Priority::High, Box::new(move || done.send("high").unwrap())).is_ok());
        assert_eq!(results.recv(), Ok("high"));
        assert_eq!(pool.state().workers, 2);
        release.send(()).unwrap();
        release.send(()).unwrap();
        assert_eq!(results.recv(), Ok("low"));
        pool.finish(Duration::from_secs(60));
        assert_eq!(pool.state().workers, 0);
    }

    #[test]
    fn a_panic_costs_no_worker_and_the_end_gives_jobs_back() {
        let pool = Pool::new("test", PoolLimits { min_workers: 1, max_workers: 1, priority_workers: 0 });
        let (done, results) = mpsc::channel();
        assert!(pool.push(Priority::Low, Box::new(|| panic!("a job's fault"))).is_ok());
        assert!(pool.push(Priority::Low, Box::new(move || done.send(()).unwrap())).is_ok());
        pool.finish(Duration::from_secs(60));
        assert_eq!(results.try_recv(), Ok(()), "what was taken is done");
        assert_eq!(pool.state().workers, 0);
        assert!(pool.push(Priority::Low, Box::new(|| ())).is_err());
    }
}
