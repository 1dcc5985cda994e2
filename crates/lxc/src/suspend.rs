//! Suspending and resuming: the freezer of the container's control group.

use crate::controller::cgroup_error;
use crate::driver::Driver;
use crate::object::DomainObject;
use api::{DomainState, Error, ErrorDomain, LifecycleEvent, Result, StateReason};
use linux::cgroup::Group;
use std::sync::Arc;

/// Detail of `VIR_DOMAIN_EVENT_SUSPENDED`.
const PAUSED: i32 = 0;
/// Detail of `VIR_DOMAIN_EVENT_RESUMED`.
const UNPAUSED: i32 = 0;

impl Driver {
    pub fn suspend(&self, object: &Arc<DomainObject>) -> Result<()> {
        let _job = object.begin("suspend")?;
        let (group, state) = group_and_state(object)?;
        if state == DomainState::Paused {
            return Ok(());
        }
        group.freeze().map_err(cgroup_error)?;
        self.change_state(object, DomainState::Paused, StateReason::PAUSED_USER, LifecycleEvent::Suspended, PAUSED)
    }

    pub fn resume(&self, object: &Arc<DomainObject>) -> Result<()> {
        let _job = object.begin("resume")?;
        let (group, state) = group_and_state(object)?;
        if state == DomainState::Running {
            return Err(Error::operation_invalid(ErrorDomain::Lxc, "domain is already running"));
        }
        group.thaw().map_err(cgroup_error)?;
        let unpaused = StateReason::RUNNING_UNPAUSED;
        self.change_state(object, DomainState::Running, unpaused, LifecycleEvent::Resumed, UNPAUSED)
    }

    fn change_state(
        &self,
        object: &Arc<DomainObject>,
        state: DomainState,
        reason: StateReason,
        event: LifecycleEvent,
        detail: i32,
    ) -> Result<()> {
        let reference = {
            let mut locked = object.lock();
            locked.running()?;
            (locked.state, locked.reason) = (state, reason);
            object.reference_in(&locked)
        };
        self.lifecycle(reference, event, detail);
        self.save_status(object)
    }
}

fn group_and_state(object: &DomainObject) -> Result<(Arc<Group>, DomainState)> {
    let state = object.lock();
    let live = state.running()?;
    let group = live.group.clone().ok_or_else(no_group)?;
    Ok((group, state.state))
}

pub(crate) fn no_group() -> Error {
    Error::internal(ErrorDomain::Lxc, "the domain's control group was not found")
}
