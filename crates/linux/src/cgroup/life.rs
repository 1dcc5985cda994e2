//! The processes in a container's group: listed, killed, frozen.

use super::file::{self, processes, walk};
use super::{Controller, Error, Group, Result};
use rustix::event::PollFlags;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the kernel may take to stop all processes of a group.
const PATIENCE: Duration = Duration::from_secs(10);

impl Group {
    /// All processes in the container's part, in groups that it made too. Version 1 has the controller among them.
    pub fn processes(&self) -> Result<Vec<i32>> {
        // Version 2 counts every process; beside it any hierarchy of version 1 does.
        let Some(part) = self.version_two().or_else(|| self.parts.first()) else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        walk(&part.container(), &mut |folder| {
            all.extend(processes(folder)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Kills the container's processes, frozen ones too, but for `keep`, the controller. Their end is not waited for.
    pub fn kill(&self, keep: i32) -> Result<()> {
        if let Some(part) = self.version_two() {
            let path = part.container().join("cgroup.kill");
            match file::write(&path, "1") {
                // Before Linux 5.14 there is no such file.
                Err(Error::System { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
                result => return result,
            }
        }
        // A round may miss what a process started meanwhile, so there is another one until one finds nobody new. Each
        // process is killed once, which ends also for a group that forks as fast as it can: it is frozen where that
        // does not freeze us.
        let frozen = keep != rustix::process::getpid().as_raw_nonzero().get() && self.freeze_at_once();
        let mut killed = std::collections::HashSet::new();
        loop {
            let before = killed.len();
            for pid in self.processes()?.into_iter().filter(|pid| *pid != keep) {
                let Some(process) = Pid::from_raw(pid) else { continue };
                if let Ok(process) = pidfd_open(process, PidfdFlags::empty()) {
                    _ = pidfd_send_signal(&process, Signal::KILL);
                }
                killed.insert(pid);
            }
            if killed.len() == before {
                break;
            }
        }
        if frozen { self.thaw() } else { Ok(()) }
    }

    /// Stops all processes of the container and waits until they are. Version 1 stops the controller as well.
    pub fn freeze(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        if let Some(part) = self.version_two() {
            let folder = part.container();
            file::write(&folder.join("cgroup.freeze"), "1")?;
            return match wait_for_event(&folder, "frozen 1", deadline)? {
                true => Ok(()),
                false => {
                    _ = self.thaw();
                    Err(Error::Unsupported(format!("the processes in '{}' cannot be stopped", folder.display())))
                }
            };
        }
        let Some(part) = self.part(Controller::Freezer) else {
            return Err(Error::Unsupported("Unable to find 'freezer' cgroups controller mount".into()));
        };
        let path = part.folder.join("freezer.state");
        file::write(&path, "FROZEN")?;
        // A process in the middle of a call is stopped when it returns; version 1 tells nobody, and looks again when asked.
        while file::read(&path)?.trim_end() != "FROZEN" {
            if Instant::now() > deadline {
                _ = self.thaw();
                return Err(Error::Unsupported(format!(
                    "the processes in '{}' cannot be stopped",
                    part.folder.display()
                )));
            }
            std::thread::yield_now();
            file::write(&path, "FROZEN")?;
        }
        Ok(())
    }

    /// Lets them go on. A group that is not there, or made by half, stops nobody.
    pub fn thaw(&self) -> Result<()> {
        let two = self.version_two().map(|part| (part.container().join("cgroup.freeze"), "0"));
        let one = self.part(Controller::Freezer).filter(|part| part.version == super::Version::One);
        let one = one.map(|part| (part.folder.join("freezer.state"), "THAWED"));
        let each = two.into_iter().chain(one).map(|(path, word)| match file::write(&path, word) {
            // ENODEV: it is being removed.
            Err(Error::System { source, .. }) if matches!(source.raw_os_error(), Some(libc::ENOENT | libc::ENODEV)) => {
                Ok(())
            }
            result => result,
        });
        // One that fails is no reason not to try the other.
        each.fold(Ok(()), Result::and)
    }

    /// Whether they are stopped, by whomever.
    pub fn is_frozen(&self) -> Result<bool> {
        if let Some(part) = self.version_two() {
            if file::read(&part.container().join("cgroup.freeze"))?.trim_end() == "1" {
                return Ok(true);
            }
        }
        match self.part(Controller::Freezer) {
            Some(part) if part.version == super::Version::One => {
                Ok(file::read(&part.folder.join("freezer.state"))?.trim_end() != "THAWED")
            }
            _ => Ok(false),
        }
    }

    /// Asks version 1's freezer to stop them, without waiting; whether there is one.
    fn freeze_at_once(&self) -> bool {
        let part = self.part(Controller::Freezer).filter(|part| part.version == super::Version::One);
        part.is_some_and(|part| file::write(&part.folder.join("freezer.state"), "FROZEN").is_ok())
    }
}

/// Waits for a line in the group's `cgroup.events`, which the kernel announces as an exceptional condition.
fn wait_for_event(folder: &Path, line: &str, deadline: Instant) -> Result<bool> {
    let path = folder.join("cgroup.events");
    let mut file = File::open(&path).map_err(|error| Error::reading(&path, error))?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| Error::reading(&path, error))?;
    loop {
        if text.lines().any(|found| found == line) {
            return Ok(true);
        }
        if !file::wait_readable(&file, PollFlags::PRI, deadline) {
            return Ok(false);
        }
        let mut bytes = [0; 256];
        let count = file.read_at(&mut bytes, 0).map_err(|error| Error::reading(&path, error))?;
        text = String::from_utf8_lossy(bytes.get(..count).unwrap_or_default()).into_owned();
    }
}
