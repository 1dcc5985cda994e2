//! Programs that the networks need: found, run, and their words brought back where they fail.

use api::{Error, ErrorDomain, Result};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where programs of the system are, whatever the daemon's own search path is.
const FOLDERS: &[&str] = &["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

pub fn find(name: &str, package: &str) -> Result<PathBuf> {
    let candidates = FOLDERS.iter().map(|folder| PathBuf::from(folder).join(name));
    candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Error::internal(
            ErrorDomain::Network,
            format!("Cannot find '{name}' in {}: install the package '{package}'", FOLDERS.join(", ")),
        )
    })
}

/// Runs a program to its end with `input` on its standard input; an error holds what it said.
pub fn run(name: &str, package: &str, arguments: &[&str], input: &str) -> Result<()> {
    let path = find(name, package)?;
    let shown = format!("{} {}", path.display(), arguments.join(" "));
    let failed = |e: io::Error| Error::system(ErrorDomain::Network, &e, format!("cannot run '{shown}'"));
    let mut child = Command::new(&path)
        .args(arguments)
        .env_clear()
        .env("PATH", FOLDERS.join(":"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends early says why on its standard error.
        _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
    let how = match output.status.code() {
        Some(code) => format!("exit status {code}"),
        None => output.status.to_string(),
    };
    Err(Error::internal(ErrorDomain::Network, format!("Child process ({shown}) unexpected {how}: {said}")))
}
