//! The status file of a running domain, `<domstatus>`.

use crate::domain::{Domain, Host};
use api::{DomainState, Error, ErrorDomain, Result, StateReason};

/// A running domain and its processes.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainStatus {
    pub state: DomainState,
    pub reason: StateReason,
    pub controller_pid: i32,
    /// PID of the container's init, as the host sees it.
    pub init_pid: i32,
    pub domain: Domain,
}

impl DomainStatus {
    pub fn parse(xml: &[u8], host: &Host) -> Result<DomainStatus> {
        let _ = (xml, host);
        Err(Error::config_unsupported(ErrorDomain::Domain, "status files are not supported yet"))
    }

    /// The whole file but for its header.
    pub fn format(&self) -> String {
        String::new()
    }
}
