//! The administrator's scripts `hooks/daemon` and `hooks/daemon.d/*`, called at turns of the daemon's own life. Whatever
//! they answer, it goes on.

use api::Paths;
use linux::script;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Start,
    Reload,
    Shutdown,
}

impl Turn {
    /// Operation, sub-operation and what else the scripts are told.
    fn words(self) -> [&'static str; 3] {
        match self {
            Turn::Start => ["start", "-", "start"],
            Turn::Reload => ["reload", "begin", "SIGHUP"],
            Turn::Shutdown => ["shutdown", "-", "shutdown"],
        }
    }
}

/// Start and end wait so long for a script.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn call(paths: &Paths, turn: Turn) {
    let [operation, suboperation, extra] = turn.words();
    let scripts = script::scripts(&paths.hooks(), "daemon");
    if let Err(failure) = script::run_all(&scripts, &["-", operation, suboperation, extra], b"", PATIENCE) {
        tracing::warn!("hook: {failure}");
    }
}
