//! A file with all that a console's guest prints, where the document asks for one (`<log file='…' append='…'/>`).
//!
//! The guest decides how much that is, so the file has a greatest size: then it is set aside as `FILE.0`, an earlier one as
//! `FILE.1` and so on, as libvirt's log daemon does.

use crate::failure::{Doing, Failure, Result};
use crate::log;
use rustix::fs::{FileType, Mode, OFlags};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What `virtlogd.conf` has where nothing is set.
const MOST: u64 = 2 << 20;
const SET_ASIDE: usize = 3;

pub struct ConsoleLog {
    path: PathBuf,
    file: File,
    length: u64,
    /// A failure is told once.
    complained: bool,
}

impl ConsoleLog {
    pub fn open(path: &Path, append: bool) -> Result<ConsoleLog> {
        let doing = || format!("Unable to open console log '{}'", path.display());
        let file = open(path).doing(doing)?;
        let metadata = file.metadata().doing(doing)?;
        if !append {
            file.set_len(0).doing(doing)?;
        }
        let length = if append { metadata.len() } else { 0 };
        Ok(ConsoleLog { path: path.to_path_buf(), file, length, complained: false })
    }

    pub fn add(&mut self, bytes: &[u8]) {
        if self.length + bytes.len() as u64 > MOST {
            self.turn_over();
        }
        match self.file.write_all(bytes) {
            Ok(()) => self.length += bytes.len() as u64,
            Err(error) => self.complain(&error),
        }
    }

    fn turn_over(&mut self) {
        let aside = |number: usize| {
            let mut path = self.path.clone().into_os_string();
            path.push(format!(".{number}"));
            PathBuf::from(path)
        };
        for number in (1..SET_ASIDE).rev() {
            // Those that are not there yet are no failure.
            _ = std::fs::rename(aside(number - 1), aside(number));
        }
        match std::fs::rename(&self.path, aside(0)).and_then(|()| open(&self.path)) {
            Ok(file) => self.file = file,
            Err(error) => {
                self.complain(&error);
                // It must not grow on.
                _ = self.file.set_len(0);
            }
        }
        self.length = 0;
    }

    fn complain(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.complained, true) {
            log::error(Failure::new(format!("console log '{}': {error}", self.path.display())));
        }
    }
}

/// For appending, made where it is missing. Only an ordinary file: nothing else is sure not to block.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let fd = rustix::fs::open(path, flags, Mode::from_raw_mode(0o600))?;
    match FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) {
        FileType::RegularFile => Ok(fd.into()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not an ordinary file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("virtlxc-console-log-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn it_is_appended_to_or_begun_anew() {
        let folder = scratch("append");
        let path = folder.join("log");
        for (append, word, content) in [(false, "a", "a"), (true, "b", "ab"), (false, "c", "c")] {
            ConsoleLog::open(&path, append).unwrap().add(word.as_bytes());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
        assert!(ConsoleLog::open(&folder, true).is_err() && ConsoleLog::open(Path::new("/dev/null"), true).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn it_does_not_grow_beyond_measure() {
        let folder = scratch("growth");
        let path = folder.join("log");
        let mut log = ConsoleLog::open(&path, false).unwrap();
        let block = vec![b'x'; 64 << 10];
        for _ in 0..(5 * MOST as usize / block.len()) {
            log.add(&block);
        }
        let sizes: Vec<u64> =
            std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).collect();
        assert_eq!(sizes.len(), 1 + SET_ASIDE);
        assert!(sizes.iter().all(|size| *size <= MOST) && path.exists(), "{sizes:?}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
