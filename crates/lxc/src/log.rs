//! A domain's log, `NAME.log`: a line for each start, the command, then what the controller says. What it said last is the
//! reason of a start that failed.

use crate::driver::{Driver, shown};
use crate::files::system;
use api::{Error, ErrorDomain, Result, stamp};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// More than this of what a controller said before it failed is not looked at.
const READ_MAX: u64 = 256 << 10;

pub struct DomainLog {
    pub file: File,
    path: PathBuf,
    /// Where this start's lines begin.
    begin: u64,
}

impl DomainLog {
    pub fn open(driver: &Driver, name: &str) -> Result<DomainLog> {
        let path = driver.paths.domain_logs().join(format!("{name}.log"));
        let failed = |e: std::io::Error| system(&e, format!("Failed to open '{}'", shown(&path)));
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(failed)?;
        let begin = file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(DomainLog { file, path, begin })
    }

    /// The lines before the controller's own. A log that cannot be written is no reason not to start.
    pub fn starting(&mut self, environment: &[OsString], program: &Path, arguments: &[OsString]) {
        let words = environment.iter().map(|word| word.to_string_lossy());
        let arguments = arguments.iter().skip(1).map(|word| word.to_string_lossy());
        let command: Vec<_> = words.chain([program.to_string_lossy()]).chain(arguments).collect();
        let lines = format!("{}: starting up\n{}\n", stamp(SystemTime::now()), command.join(" "));
        if let Err(e) = self.file.write_all(lines.as_bytes()) {
            tracing::warn!("cannot write to '{}': {e}", shown(&self.path));
        }
        self.begin = self.file.stream_position().unwrap_or(self.begin);
    }

    /// A line as of the controller.
    pub fn note(&mut self, controller: i32, words: &str) {
        let line = format!("{}: {controller}: info : {words}\n", stamp(SystemTime::now()));
        if let Err(e) = self.file.write_all(line.as_bytes()) {
            tracing::warn!("cannot write to '{}': {e}", shown(&self.path));
        }
    }

    pub fn shutting_down(paths: &api::Paths, name: &str, why: &str) {
        let path = paths.domain_logs().join(format!("{name}.log"));
        let line = format!("{}: shutting down, reason={why}\n", stamp(SystemTime::now()));
        let written = OpenOptions::new().append(true).open(&path).and_then(|mut file| file.write_all(line.as_bytes()));
        if let Err(e) = written {
            tracing::debug!("cannot write to '{}': {e}", shown(&path));
        }
    }

    /// Why the start failed, in the controller's own words; `otherwise` where it said nothing.
    pub fn failure(&self, otherwise: &str) -> Error {
        let mut said = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.begin))?;
            file.take(READ_MAX).read_to_end(&mut said)
        });
        if let Err(e) = read {
            tracing::warn!("cannot read '{}': {e}", shown(&self.path));
        }
        let said = String::from_utf8_lossy(&said);
        let reason = reason(&said).unwrap_or_else(|| otherwise.to_string());
        Error::internal(ErrorDomain::Lxc, format!("guest failed to start: {reason}"))
    }
}

/// What matters of a failed controller's lines: the first that says so, or all that are not of a log.
fn reason(said: &str) -> Option<String> {
    const FAILURE: &str = "Failure in libvirt_lxc startup: ";
    if let Some(at) = said.find(FAILURE) {
        return said.get(at..)?.lines().next().map(|line| line.trim_end().to_string());
    }
    let plain: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty() && !is_log_line(line)).collect();
    // The command of the container's init is the controller's second line; it is no reason.
    let plain: Vec<&str> = plain.into_iter().filter(|line| !line.starts_with("PATH=")).collect();
    (!plain.is_empty()).then(|| plain.join("\n"))
}

/// `2026-11-24 19:17:40.093+0000: 179: info : …`
fn is_log_line(line: &str) -> bool {
    let mut fields = line.splitn(3, ": ");
    let stamp = fields.next().unwrap_or_default();
    stamp.len() == 28 && stamp.starts_with(|c: char| c.is_ascii_digit()) && fields.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_controllers_own_words() {
        let info = "2026-11-24 19:17:40.093+0000: 179: info : libvirt version: 9.0.0\n";
        let error = "2026-11-24 19:17:40.093+0000: 179: error : main:1 : nothing goes\n";
        let failure = "Failure in libvirt_lxc startup: Unable to open x: No such file or directory\n";
        let second = "Failure in libvirt_lxc startup: error receiving signal from container\n";
        for (said, expected) in [
            (String::new(), None),
            (format!("{info}{error}"), None),
            (
                format!("{info}{error}{failure}{second}"),
                Some("Failure in libvirt_lxc startup: Unable to open x: No such file or directory"),
            ),
            (format!("{info}sh: no\n"), Some("sh: no")),
        ] {
            assert_eq!(reason(&said).as_deref(), expected, "{said}");
        }
    }
}
