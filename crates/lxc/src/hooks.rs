//! The administrator's scripts `hooks/lxc` and `hooks/lxc.d/*`, called at turns of a domain's life with its
//! document on standard input.

use crate::driver::Driver;
use crate::start::hook_document;
use api::{Code, Error, ErrorDomain, Result};
use conf::domain::Domain;
use linux::script;
use std::time::Duration;

/// When a hook is called, in the words of its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Prepare,
    Start,
    Started,
    Stopped,
    Release,
    Reconnect,
}

impl Moment {
    fn words(self) -> [&'static str; 2] {
        match self {
            Moment::Prepare => ["prepare", "begin"],
            Moment::Start => ["start", "begin"],
            Moment::Started => ["started", "begin"],
            Moment::Stopped => ["stopped", "end"],
            Moment::Release => ["release", "end"],
            Moment::Reconnect => ["reconnect", "begin"],
        }
    }
}

/// The call, and with it the job on the domain, waits so long for a script.
const PATIENCE: Duration = Duration::from_secs(300);

impl Driver {
    /// Calls the hooks where there are any; their failure is ours.
    pub(crate) fn hook(&self, domain: &Domain, moment: Moment) -> Result<()> {
        let scripts = script::scripts(&self.paths.hooks(), "lxc");
        if scripts.is_empty() {
            return Ok(());
        }
        let [operation, suboperation] = moment.words();
        let arguments = [&domain.name, operation, suboperation, "-"];
        script::run_all(&scripts, &arguments, hook_document(domain).as_bytes(), PATIENCE).map_err(|failure| {
            Error::new(ErrorDomain::Hook, Code::HookScriptFailed, format!("internal error: {failure}"))
        })
    }

    /// The same where nothing depends on it any more.
    pub(crate) fn hook_after(&self, domain: &Domain, moment: Moment) {
        if let Err(error) = self.hook(domain, moment) {
            tracing::warn!("{error}");
        }
    }
}
