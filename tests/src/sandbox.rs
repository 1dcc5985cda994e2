//! The promise that what runs here is not the machine itself.

use std::path::Path;

/// Set by the sandbox, together with the file.
pub const VARIABLE: &str = "VIRTLXC_SANDBOX";
pub const MARKER: &str = "/run/virtlxc-sandbox";

pub fn entered() -> bool {
    std::env::var(VARIABLE).is_ok_and(|value| value == "1") && Path::new(MARKER).exists()
}

/// Devices are the machine's, and other sandboxes have the same folder of them: who makes some, or takes them away, has first
/// a folder of its own, in which the machine's are, and what is mounted there, control groups perhaps.
pub fn own_devices() {
    let mount = "set -e; mkdir -p /run/own-dev; mount -t tmpfs own /run/own-dev; cd /run/own-dev; mkdir up work
        for name in pts cgroup; do
            if mountpoint -q /dev/$name; then mkdir $name; mount --bind /dev/$name $name; fi
        done
        mount -t overlay -o lowerdir=/dev,upperdir=/run/own-dev/up,workdir=/run/own-dev/work own /dev
        for name in pts cgroup; do
            if [ -d $name ]; then mount --move $name /dev/$name; fi
        done";
    crate::program::shell(mount).ok();
}

/// Ends the test at once on a bare machine: a container may share the root, and daemons own system paths.
pub fn require() {
    assert!(
        entered(),
        "this test starts containers: run it with `cargo xtask test whole`, which makes a sandbox for it"
    );
}
