//! Roots for containers, made in an instant from the machine's static busybox.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// Where Debian's busybox-static puts it.
pub const BUSYBOX: &str = "/bin/busybox";

/// A small root: busybox under all its names, empty mount points, and an `/init` that ends as the given line of shell says.
pub fn busybox(root: &Path, init: &str) -> io::Result<()> {
    for dir in ["bin", "sbin", "usr/bin", "usr/sbin", "dev", "proc", "sys", "tmp", "etc", "root", "var/run", "mnt"] {
        fs::create_dir_all(root.join(dir))?;
    }
    fs::copy(BUSYBOX, root.join("bin/busybox"))?;
    let names = Command::new(BUSYBOX).arg("--list").output()?.stdout;
    for name in String::from_utf8_lossy(&names).lines().filter(|name| *name != "busybox") {
        symlink("/bin/busybox", root.join("bin").join(name))?;
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    fs::write(root.join("etc/group"), "root:x:0:\n")?;
    script(&root.join("init"), init)?;
    script(&root.join("etc/udhcpc"), DHCP_SCRIPT)
}

/// What udhcpc(1) calls to apply a lease.
const DHCP_SCRIPT: &str = "\
case $1 in
bound|renew)
    ip addr flush dev $interface
    ip addr add $ip/$mask dev $interface
    ip link set $interface up
    [ -z \"$router\" ] || ip route replace default via ${router%% *}
    echo \"nameserver ${dns%% *}\" > /etc/resolv.conf
    ;;
esac
";

/// An executable shell script.
pub fn script(path: &Path, lines: &str) -> io::Result<()> {
    fs::write(path, format!("#!/bin/sh\n{lines}\n"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}
