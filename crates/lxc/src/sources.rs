//! What of the machine is lent to a container, asked when a controller is quiet for long: a file system over a network that is
//! gone, or one whose server sleeps, holds up whoever looks at it.

use conf::domain::{Domain, FilesystemSource, HostdevSource};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// An answer takes microseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Words about the first source that does not answer. It is asked on a thread, which waits on with it.
pub(crate) fn mute(domain: &Domain) -> Option<String> {
    let sources = sources(domain);
    let (asking, asked) = channel();
    let paths: Vec<PathBuf> = sources.iter().map(|(path, _)| path.clone()).collect();
    let ask_all = move || {
        for (index, path) in paths.iter().enumerate() {
            // Nobody may be listening any more.
            _ = asking.send(index);
            ask(path);
        }
    };
    thread::Builder::new().name("lent-sources".into()).spawn(ask_all).ok()?;
    let mut last = None;
    loop {
        match asked.recv_timeout(PATIENCE) {
            Ok(index) => last = Some(index),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                let (path, what) = sources.get(last?)?;
                return Some(format!("'{}', {what}, does not answer", path.display()));
            }
        }
    }
}

fn ask(path: &Path) {
    // Only whether there is an answer counts. What a folder is may be remembered; what is in it is not, where there is no such
    // thing.
    if std::fs::metadata(path).is_ok_and(|found| found.is_dir()) {
        _ = std::fs::symlink_metadata(path.join("dev"));
    }
}

/// Paths of the machine, and what they are for.
fn sources(domain: &Domain) -> Vec<(PathBuf, String)> {
    let filesystems = domain.filesystems.iter().filter_map(|one| {
        let (FilesystemSource::Mount { dir: path }
        | FilesystemSource::Block { dev: path }
        | FilesystemSource::File { file: path }) = &one.source
        else {
            return None;
        };
        Some((path.into(), format!("the source of the file system on {}", one.target)))
    });
    let disks = domain.disks.iter().filter_map(|disk| {
        disk.source_path().map(|path| (path.into(), format!("the source of the disk {}", disk.target())))
    });
    let devices = domain.hostdevs.iter().filter_map(|device| match &device.source {
        HostdevSource::Storage { block: path } | HostdevSource::Misc { char: path } => {
            Some((path.into(), "a device of the machine".to_string()))
        }
        _ => None,
    });
    filesystems.chain(disks).chain(devices).collect()
}
