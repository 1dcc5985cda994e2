//! The administrator's script `hooks/network`, called as libvirt calls it: network, operation, sub-operation, `-`,
//! and the documents on its standard input.

use api::{Code, Error, ErrorDomain, Paths, Result};
use conf::network::{Network, Port};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub struct Hook {
    script: PathBuf,
}

impl Hook {
    pub fn new(paths: &Paths) -> Hook {
        Hook { script: paths.hooks().join("network") }
    }

    pub fn network(&self, network: &Network, operation: &str, sub_operation: &str) -> Result<()> {
        self.call(network, None, operation, sub_operation)
    }

    pub fn port(&self, network: &Network, port: &Port, operation: &str) -> Result<()> {
        self.call(network, Some(port), operation, "begin")
    }

    fn call(&self, network: &Network, port: Option<&Port>, operation: &str, sub_operation: &str) -> Result<()> {
        let executable = |mode: u32| mode & 0o111 != 0;
        if !self.script.metadata().is_ok_and(|found| found.is_file() && executable(found.permissions().mode())) {
            return Ok(());
        }
        let indented = |xml: String| xml.lines().map(|line| format!("  {line}\n")).collect::<String>();
        let mut input = format!("<hookData>\n{}", indented(network.format()));
        if let Some(port) = port {
            input.push_str(&indented(port.format()));
        }
        input.push_str("</hookData>\n");
        let failed = |words: String| {
            let words = format!("Hook script {} network failed: {words}", self.script.display());
            Error::new(ErrorDomain::Hook, Code::HookScriptFailed, words)
        };
        let mut child = Command::new(&self.script)
            .args([network.name.as_str(), operation, sub_operation, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| failed(e.to_string()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A script need not read it.
            _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(|e| failed(e.to_string()))?;
        match output.status.success() {
            true => Ok(()),
            false => {
                let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
                Err(failed(format!("{}: {said}", output.status)))
            }
        }
    }
}
