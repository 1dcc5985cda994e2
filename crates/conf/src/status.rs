//! The status file of a running domain, `<domstatus>`.

use crate::domain::{Domain, FormatOptions, Host, ParseOptions};
use crate::refuse;
use crate::xml::{Document, Source, Writer};
use api::{DomainState, ErrorDomain, Result, StateReason};

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
        let document = Document::parse(xml, Source { name: "(domain_status)", domain: ErrorDomain::Domain })?;
        let root = document.root();
        if root.name() != "domstatus" {
            return Err(refuse::xml(format!("expecting root element of 'domstatus', not '{}'", root.name())));
        }
        let state = root.attr("state").and_then(DomainState::from_text);
        let state = state.ok_or_else(|| refuse::internal("invalid domain state"))?;
        let reason = root.attr("reason").and_then(|text| StateReason::from_text(state, text));
        let pid = |text: Option<&str>| text.and_then(|text| text.parse().ok()).ok_or_else(bad_pid);
        let controller_pid = pid(root.attr("pid"))?;
        let init_pid = pid(root.child("init").and_then(|init| init.attr("pid")))?;
        let domain = root.child("domain").ok_or_else(|| refuse::internal("no domain config"))?;
        let how = ParseOptions { live: true, validate: false };
        let mut domain = crate::domain::from_node(domain, how, host)?;
        domain.id.get_or_insert(controller_pid);
        Ok(DomainStatus { state, reason: reason.unwrap_or(StateReason::UNKNOWN), controller_pid, init_pid, domain })
    }

    /// The whole file but for its header.
    pub fn format(&self) -> String {
        let mut w = Writer::new();
        w.open("domstatus");
        w.attr("state", self.state.text());
        w.attr("reason", self.reason.text(self.state));
        w.attr("pid", self.controller_pid);
        w.open("init");
        w.attr("pid", self.init_pid);
        w.close();
        self.domain.write(&mut w, FormatOptions::Status);
        w.close();
        w.finish()
    }
}

fn bad_pid() -> api::Error {
    refuse::internal("invalid pid")
}
