//! What a domain is like: its documents, state, memory and time.

use crate::driver::Driver;
use crate::object::DomainObject;
use api::{DomainState, Result};
use conf::domain::{Domain, FormatOptions};

/// Which of a domain's documents a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct XmlForm {
    pub inactive: bool,
    pub migratable: bool,
    /// With passwords.
    pub secure: bool,
}

/// `virDomainInfo`: memory in KiB, time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    pub state: DomainState,
    pub maximum_memory: u64,
    pub memory: u64,
    pub cpus: u16,
    pub cpu_time: u64,
}

impl Driver {
    pub fn xml(&self, object: &DomainObject, form: XmlForm) -> String {
        let (domain, live) = {
            let state = object.lock();
            match &state.live {
                Some(live) if !form.inactive => (live.domain.clone(), true),
                _ => (state.definition.clone(), false),
            }
        };
        let written = match (live, form.migratable) {
            (true, true) => FormatOptions::Migratable,
            (true, false) => FormatOptions::Live,
            (false, _) => FormatOptions::Inactive,
        };
        match domain.has_secrets() && !form.secure {
            true => Domain::clone(&domain).without_secrets().format(written),
            false => domain.format(written),
        }
    }

    pub fn info(&self, object: &DomainObject) -> Result<Info> {
        let (state, domain, group) = {
            let state = object.lock();
            let group = state.live.as_ref().and_then(|live| live.group.clone());
            (state.state, state.current().clone(), group)
        };
        // A container that ends at this moment has no files to read any more.
        let (memory, cpu_time) = match &group {
            Some(group) => (group.memory_used().ok().map(|bytes| bytes / 1024), group.cpu_total().unwrap_or(0)),
            None => (None, 0),
        };
        Ok(Info {
            state,
            maximum_memory: domain.memory.maximum,
            memory: memory.unwrap_or(domain.memory.current),
            cpus: domain.vcpu.maximum.min(u32::from(u16::MAX)) as u16,
            cpu_time,
        })
    }

    /// In KiB.
    pub fn maximum_memory(&self, object: &DomainObject) -> u64 {
        object.lock().current().memory.maximum
    }
}
