//! What of the machine is lent to a container, asked when a controller is quiet for long: a file system over a network that is
//! gone, or one whose server sleeps, holds up whoever looks at it.

use crate::driver::lock;
use conf::domain::{Domain, FilesystemSource, HostdevSource};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// What has been asked and has not answered, and since when. Each has a thread, which waits with it however often it is asked.
static MUTE: Mutex<BTreeMap<PathBuf, Instant>> = Mutex::new(BTreeMap::new());

/// What a domain is lent, each source with words about it; all are being asked.
pub(crate) struct Asked(Vec<(PathBuf, String)>);

impl Asked {
    pub fn ask(domain: &Domain) -> Asked {
        let sources = sources(domain);
        for (path, _) in &sources {
            begin(path, ask);
        }
        Asked(sources)
    }

    /// Words about the first source that has not answered for so long.
    pub fn mute_for(&self, long: Duration) -> Option<String> {
        let mute = lock(&MUTE);
        let is_mute = |path: &Path| mute.get(path).is_some_and(|since| since.elapsed() >= long);
        let (path, what) = self.0.iter().find(|(path, _)| is_mute(path))?;
        Some(format!("'{}', {what}", path.display()))
    }
}

/// None where it has been asked already.
fn begin(path: &Path, ask: impl FnOnce(&Path) + Send + 'static) -> Option<JoinHandle<()>> {
    let mut mute = lock(&MUTE);
    if mute.contains_key(path) {
        return None;
    }
    let asked = path.to_path_buf();
    let work = move || {
        ask(&asked);
        lock(&MUTE).remove(&asked);
    };
    let thread = Builder::new().name("lent-source".into()).spawn(work).ok()?;
    mute.insert(path.to_path_buf(), Instant::now());
    Some(thread)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn who_does_not_answer_is_asked_once() {
        let path = Path::new("/mute");
        let asked = Asked(vec![("/quick".into(), "one".into()), (path.into(), "another".into())]);
        let (answer, question) = channel::<()>();
        let thread = begin(path, move |_| assert!(question.recv().is_err())).unwrap();
        assert!(begin(path, |_| unreachable!()).is_none());
        assert_eq!(asked.mute_for(Duration::ZERO).unwrap(), "'/mute', another");
        assert_eq!(asked.mute_for(Duration::from_secs(3600)), None);
        drop(answer);
        thread.join().unwrap();
        assert_eq!(asked.mute_for(Duration::ZERO), None);
        begin(path, |_| ()).unwrap().join().unwrap();
    }
}
