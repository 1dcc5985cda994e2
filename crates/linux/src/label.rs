//! Labels of security modules: which module there is, and labels of threads (proc_pid_attr(5)).

use crate::descriptor;
use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, RawFd};
use std::path::Path;

/// Whether AppArmor confines programs on this machine.
pub fn has_apparmor(sys: &Path) -> bool {
    fs::read_to_string(sys.join("module/apparmor/parameters/enabled")).is_ok_and(|text| text.trim() == "Y")
}

/// Whether the kernel knows a profile by that name; an error where its list cannot be read.
pub fn has_apparmor_profile(sys: &Path, name: &str) -> io::Result<bool> {
    let list = fs::read_to_string(sys.join("kernel/security/apparmor/profiles"))?;
    Ok(list.lines().filter_map(|line| line.rsplit_once(" (")).any(|(known, _)| known == name))
}

/// Takes a profile out of the kernel, where it is there.
pub fn remove_apparmor_profile(sys: &Path, name: &str) -> io::Result<()> {
    match fs::write(sys.join("kernel/security/apparmor/.remove"), name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// A thread's own label, opened while `/proc` is the machine's, to be changed when that cannot be trusted any more.
pub struct Door(fs::File);

impl Door {
    pub fn open() -> io::Result<Door> {
        let open = |path| fs::File::options().write(true).open(path);
        match open("/proc/thread-self/attr/apparmor/current") {
            // Before Linux 5.8.
            Err(error) if error.kind() == io::ErrorKind::NotFound => open("/proc/thread-self/attr/current").map(Door),
            opened => opened.map(Door),
        }
    }

    /// The same, with a number that is at least `lowest`.
    pub fn above(self, lowest: RawFd) -> io::Result<Door> {
        Ok(Door(descriptor::duplicate_above(self.0.as_fd(), lowest)?.into()))
    }

    /// From now on this thread, which has opened it, is confined by the profile.
    pub fn confine(mut self, profile: &str) -> io::Result<()> {
        self.0.write_all(format!("changeprofile {profile}").as_bytes())
    }
}

/// The profile of a process, and whether it is enforced. None for what is not confined.
pub fn apparmor_profile(proc: &Path, pid: i32) -> io::Result<Option<(String, bool)>> {
    let folder = proc.join(pid.to_string()).join("attr");
    let text = match fs::read_to_string(folder.join("apparmor/current")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::read_to_string(folder.join("current"))?,
        text => text?,
    };
    Ok(profile(&text))
}

/// `NAME (MODE)`, or `unconfined`.
fn profile(text: &str) -> Option<(String, bool)> {
    let (name, mode) = text.trim_end_matches(['\n', '\0']).rsplit_once(" (")?;
    Some((name.to_string(), mode == "enforce)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_of_a_process() {
        assert_eq!(profile("a b (enforce)\n"), Some(("a b".into(), true)));
        assert_eq!(profile("box (complain)\n"), Some(("box".into(), false)));
        assert_eq!(profile("unconfined\n"), None);
    }
}
