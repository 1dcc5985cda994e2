//! What a start may leave on the machine, so that a test can compare before and after.

use std::collections::BTreeSet;
use std::fs;
use tests::program::{PATIENCE, eventually, shell};

/// Links, cgroups, mounts, files of running domains, and processes of ours.
pub struct Leftovers {
    seen: BTreeSet<String>,
}

impl Leftovers {
    pub fn now() -> Leftovers {
        let mut seen = BTreeSet::new();
        for link in fs::read_dir("/sys/class/net").unwrap().flatten() {
            seen.insert(format!("link {}", link.file_name().to_string_lossy()));
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        seen.extend(mounts.lines().filter_map(|line| Some(format!("mount {}", line.split(' ').nth(4)?))));
        // The partition `/machine` itself stays for the next domain, as libvirt's does.
        let found = shell(
            "find /sys/fs/cgroup -mindepth 1 -type d -path '*machine?*'; find /run/libvirt/lxc -mindepth 1 2>/dev/null",
        );
        seen.extend(found.out.lines().map(str::to_string));
        for process in fs::read_dir("/proc").unwrap().flatten() {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            // The one that controllers are copied from is nobody's remains.
            let line = fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
            if matches!(name.trim(), "libvirt_lxc" | "sleep") && !line.contains("\0--nursery\0") {
                seen.insert(format!("process {} {}", process.file_name().to_string_lossy(), name.trim()));
            }
        }
        Leftovers { seen }
    }

    /// Fails, naming what is there now and was not then. What a reply does not wait for gets a moment to go.
    #[track_caller]
    pub fn assert_none_since(&self) {
        let mut left = Vec::new();
        let gone = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually("all is removed", PATIENCE, || {
                left = Leftovers::now().seen.difference(&self.seen).cloned().collect();
                left.is_empty().then_some(())
            });
        }));
        assert!(gone.is_ok(), "left behind: {left:#?}");
    }
}
