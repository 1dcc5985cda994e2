//! One job per domain: who changes a domain holds it, who comes meanwhile waits for a bounded time.

use crate::object::{DomainObject, ObjectState};
use api::{Code, Error, ErrorDomain, Result};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So long a call waits for another to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who holds a domain's job.
#[derive(Debug, Clone, Copy)]
pub struct Holder {
    what: &'static str,
    since: Instant,
}

/// The right to change a domain; given back when dropped. It may travel to another thread.
pub struct Job {
    object: Arc<DomainObject>,
}

impl DomainObject {
    /// Waits for the domain's job and takes it. `what` is what errors of those who wait will say.
    pub(crate) fn begin(self: &Arc<Self>, what: &'static str) -> Result<Job> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        while let Some(holder) = state.job {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(busy(&holder));
            }
            state = self.job_over.wait_timeout(state, left).unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
        if state.gone {
            return Err(Error::no_domain_uuid(&self.uuid, Some(&self.name)));
        }
        state.job = Some(Holder { what, since: Instant::now() });
        Ok(Job { object: Arc::clone(self) })
    }
}

impl ObjectState {
    pub(crate) fn job_under_way(&self) -> bool {
        self.job.is_some()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.object.lock().job = None;
        self.object.job_over.notify_all();
    }
}

fn busy(holder: &Holder) -> Error {
    let words = format!(
        "cannot acquire state change lock: '{}' has been under way for {} seconds",
        holder.what,
        holder.since.elapsed().as_secs()
    );
    Error::new(ErrorDomain::Lxc, Code::OperationTimeout, words)
}
