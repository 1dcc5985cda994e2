//! Which program a document's `<emulator>` means.

use api::{Error, ErrorDomain, Paths, Result};
use std::path::{Path, PathBuf};

const NAME: &str = "libvirt_lxc";

/// Where distributions have libvirt's controller. Documents carry these paths from machine to machine.
const CUSTOMARY: [&str; 5] =
    ["/usr/libexec", "/usr/lib/libvirt", "/usr/lib64/libvirt", "/usr/local/libexec", "/usr/lib/libexec"];

/// Where ours is installed, when it is not beside the daemon.
const INSTALLED: [&str; 2] = ["/usr/lib/virtlxc", "/usr/local/lib/virtlxc"];

#[derive(Debug, Clone)]
pub struct Emulator {
    ours: PathBuf,
    default_path: String,
    /// `--root` for our controller, where the daemon has one.
    root: PathBuf,
}

/// The program that a domain's container is run by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    pub program: PathBuf,
    /// It is the one that belongs to this daemon.
    pub ours: bool,
}

impl Emulator {
    /// Ours is the one beside the daemon's own program, or the installed one.
    pub fn find(paths: &Paths) -> Emulator {
        let beside = std::env::current_exe().ok().and_then(|daemon| Some(daemon.parent()?.join(NAME)));
        let mut places = beside.into_iter().chain(INSTALLED.iter().map(|folder| Path::new(folder).join(NAME)));
        let ours = places.find(|path| path.is_file()).unwrap_or_else(|| Path::new(INSTALLED[0]).join(NAME));
        Emulator { default_path: ours.to_string_lossy().into_owned(), ours, root: paths.root.clone() }
    }

    /// Our own, whatever documents name.
    pub fn own_program(&self) -> &Path {
        &self.ours
    }

    /// What is filled in where a document names none.
    pub fn default_path(&self) -> &str {
        &self.default_path
    }

    /// Words for our controller's command line that libvirt's does not know.
    pub fn own_options(&self) -> Vec<std::ffi::OsString> {
        match self.root.as_os_str().is_empty() {
            true => Vec::new(),
            false => vec!["--root".into(), self.root.clone().into()],
        }
    }

    /// The program for a document's path. A customary path that is absent here means ours.
    pub fn choose(&self, written: Option<&str>) -> Result<Chosen> {
        let Some(written) = written.filter(|written| !written.is_empty()) else { return Ok(self.own()) };
        let path = Path::new(written);
        if path == self.ours || is_same_file(path, &self.ours) {
            return Ok(self.own());
        }
        if path.is_file() {
            return Ok(Chosen { program: path.to_path_buf(), ours: false });
        }
        let customary = CUSTOMARY.iter().chain(&INSTALLED).any(|folder| path == Path::new(folder).join(NAME));
        if customary && self.ours.is_file() {
            return Ok(self.own());
        }
        let there = CUSTOMARY.iter().map(|folder| Path::new(folder).join(NAME)).chain([self.ours.clone()]);
        let there: Vec<String> = there.filter(|path| path.is_file()).map(|path| path.display().to_string()).collect();
        let hint = match there.as_slice() {
            [] => "; no libvirt_lxc was found on this machine".to_string(),
            there => format!("; there is {}", there.join(", ")),
        };
        let words = format!(
            "guest failed to start: libvirt:  error : cannot execute binary {written}: No such file or directory{hint}"
        );
        Err(Error::internal(ErrorDomain::Lxc, words))
    }

    fn own(&self) -> Chosen {
        Chosen { program: self.ours.clone(), ours: true }
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    identity(one).is_some_and(|one| Some(one) == identity(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customary_path_that_is_absent_means_ours() {
        let ours = PathBuf::from("/bin/sh");
        let emulator = Emulator { default_path: "/bin/sh".into(), ours: ours.clone(), root: PathBuf::new() };
        let own = Chosen { program: ours, ours: true };
        for written in [None, Some(""), Some("/bin/sh"), Some("/usr/lib64/libvirt/libvirt_lxc")] {
            assert_eq!(emulator.choose(written), Ok(own.clone()), "{written:?}");
        }
        let other = Chosen { program: "/bin/cat".into(), ours: false };
        assert_eq!(emulator.choose(Some("/bin/cat")), Ok(other));
        let error = emulator.choose(Some("/nonexistent/libvirt_lxc")).unwrap_err();
        assert!(error.message.contains("cannot execute binary /nonexistent/libvirt_lxc: No such file"), "{error}");
        assert!(error.message.contains("/bin/sh"), "{error}");
    }
}
