//! The administrator's scripts `hooks/network` and `hooks/network.d/*`, called as libvirt calls it: network, operation, sub-operation, `-`,
//! and the documents on its standard input.

use api::{Code, Error, ErrorDomain, Paths, Result};
use conf::network::{Network, Port};
use linux::script;
use std::path::PathBuf;
use std::time::Duration;

/// The call waits so long for a script.
const PATIENCE: Duration = Duration::from_secs(300);

pub struct Hook {
    folder: PathBuf,
}

impl Hook {
    pub fn new(paths: &Paths) -> Hook {
        Hook { folder: paths.hooks() }
    }

    pub fn network(&self, network: &Network, operation: &str, sub_operation: &str) -> Result<()> {
        self.call(network, None, operation, sub_operation)
    }

    pub fn port(&self, network: &Network, port: &Port, operation: &str) -> Result<()> {
        self.call(network, Some(port), operation, "begin")
    }

    fn call(&self, network: &Network, port: Option<&Port>, operation: &str, sub_operation: &str) -> Result<()> {
        let scripts = script::scripts(&self.folder, "network");
        if scripts.is_empty() {
            return Ok(());
        }
        let indented = |xml: String| xml.lines().map(|line| format!("  {line}\n")).collect::<String>();
        let mut input = format!("<hookData>\n{}", indented(network.format()));
        if let Some(port) = port {
            input.push_str(&indented(port.format()));
        }
        input.push_str("</hookData>\n");
        let arguments = [network.name.as_str(), operation, sub_operation, "-"];
        script::run_all(&scripts, &arguments, input.as_bytes(), PATIENCE).map_err(|failure| {
            Error::new(ErrorDomain::Hook, Code::HookScriptFailed, format!("internal error: {failure}"))
        })
    }
}
