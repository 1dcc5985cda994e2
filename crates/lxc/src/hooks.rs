//! An administrator's hook program, called at turns of a domain's life with its document on standard input.

use crate::driver::{Driver, shown};
use crate::start::hook_document;
use api::{Code, Error, ErrorDomain, Result};
use conf::domain::Domain;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

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

impl Driver {
    /// Calls the hook where there is one; its failure is ours.
    pub(crate) fn hook(&self, domain: &Domain, moment: Moment) -> Result<()> {
        let program = self.paths.hooks().join("lxc");
        if !program.is_file() {
            return Ok(());
        }
        let [operation, suboperation] = moment.words();
        let failed = |why: String| {
            let words = format!("{} {} {operation}: {why}", shown(&program), domain.name);
            Err(Error::new(ErrorDomain::Hook, Code::HookScriptFailed, words))
        };
        let mut command = Command::new(&program);
        command.args([&domain.name, operation, suboperation, "-"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(e) => return failed(e.to_string()),
        };
        let document = hook_document(domain);
        let mut said = String::new();
        std::thread::scope(|scope| {
            let to = child.stdin.take();
            scope.spawn(move || {
                // A hook need not read it.
                _ = to.map(|mut to| to.write_all(document.as_bytes()));
            });
            _ = child.stderr.take().map(|mut from| from.read_to_string(&mut said));
        });
        match child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => failed(format!("{status}: {}", said.trim_end())),
            Err(e) => failed(e.to_string()),
        }
    }

    /// The same where nothing depends on it any more.
    pub(crate) fn hook_after(&self, domain: &Domain, moment: Moment) {
        if let Err(error) = self.hook(domain, moment) {
            tracing::warn!("{error}");
        }
    }
}
