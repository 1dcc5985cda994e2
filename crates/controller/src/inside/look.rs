//! What a container is from inside: its name, addresses, file systems, distribution. The kernel is asked, and the guest's files are read
//! as text.

use linux::mountinfo::{self, Mount};
use linux::netlink;
use rpc::virtlxc::{SeenAddress, SeenInterface, SeenMount, Sight};
use rustix::fs::OFlags;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// More than any such file has.
const LONGEST_FILE: u64 = 64 << 10;
/// Where there are more, the rest is left out.
const MOST: usize = 256;

/// Writes it to standard output.
pub fn describe() -> io::Result<()> {
    let kernel = rustix::system::uname();
    let sight = Sight {
        hostname: text(kernel.nodename()),
        kernel: text(kernel.release()),
        build: text(kernel.version()),
        machine: text(kernel.machine()),
        release: read("/etc/os-release").or_else(|| read("/usr/lib/os-release")).unwrap_or_default().into(),
        timezone: timezone().map(Into::into),
        interfaces: interfaces()?,
        mounts: mounts()?,
    };
    let bytes = rpc::xdr::encode::<Sight>(&sight).map_err(|error| io::Error::other(error.to_string()))?;
    let mut out = io::stdout();
    out.write_all(&bytes)?;
    out.flush()
}

fn text(words: &std::ffi::CStr) -> rpc::Str {
    rpc::Str(words.to_bytes().to_vec())
}

/// A plain file's text; none where there is none. Nothing is waited for.
fn read(path: &str) -> Option<String> {
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = File::options().read(true).custom_flags(nonblocking).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LONGEST_FILE).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// As `Europe/Paris`: Debian has a file with the name, others a link to the zone.
fn timezone() -> Option<String> {
    let link = std::fs::read_link("/etc/localtime").ok();
    let linked =
        link.as_deref().and_then(|path| path.to_str()?.split_once("zoneinfo/").map(|(_, name)| name.to_string()));
    let named = || read("/etc/timezone").map(|text| text.trim().to_string());
    linked.or_else(named).filter(|name| !name.is_empty())
}

fn interfaces() -> io::Result<Vec<SeenInterface>> {
    let mut socket = netlink::Socket::new()?;
    let links = socket.links()?;
    let addresses = socket.addresses()?;
    let mac = |bytes: [u8; 6]| bytes.map(|byte| format!("{byte:02x}")).join(":").into();
    let seen = links.into_iter().take(MOST).map(|link| {
        let own = addresses.iter().filter(|address| address.link == link.index).take(MOST);
        let address = |address: &netlink::Address| SeenAddress {
            address: address.address.to_string().into(),
            prefix: address.prefix.into(),
        };
        SeenInterface { name: link.name.into(), mac: link.mac.map(mac), addresses: own.map(address).collect() }
    });
    Ok(seen.collect())
}

/// File systems that are the kernel's own view of something, and hold no files.
const VIEWS: [&str; 19] = [
    "proc",
    "sysfs",
    "cgroup",
    "cgroup2",
    "devpts",
    "mqueue",
    "securityfs",
    "debugfs",
    "tracefs",
    "bpf",
    "pstore",
    "autofs",
    "binfmt_misc",
    "hugetlbfs",
    "configfs",
    "fusectl",
    "selinuxfs",
    "devtmpfs",
    "nsfs",
];
/// What is mounted there belongs to every container.
const OURS: [&str; 3] = ["/dev", "/proc", "/sys"];

fn holds_files(mount: &Mount) -> bool {
    !VIEWS.contains(&mount.kind.as_str()) && !OURS.iter().any(|folder| mount.mounted_at.starts_with(folder))
}

fn mounts() -> io::Result<Vec<SeenMount>> {
    let seen = mountinfo::read(Path::new("/proc"))?.into_iter().filter(holds_files).take(MOST).map(|mount| {
        // A server that is the guest's own, or far away, may never answer.
        let answers = !mount.kind.starts_with("fuse") && !mount.kind.starts_with("nfs") && mount.kind != "9p";
        let sizes = answers.then(|| rustix::fs::statvfs(&mount.mounted_at).ok()).flatten();
        let (total, used) = sizes.map_or((0, 0), |found| {
            let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
            (bytes(found.f_blocks), bytes(found.f_blocks.saturating_sub(found.f_bfree)))
        });
        SeenMount {
            source: rpc::Str(mount.source.as_os_str().as_bytes().to_vec()),
            mountpoint: rpc::Str(mount.mounted_at.as_os_str().as_bytes().to_vec()),
            kind: mount.kind.into(),
            total,
            used,
        }
    });
    Ok(seen.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_that_hold_files() {
        let table = b"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:5 / /dev rw - tmpfs tmpfs rw\n3 1 0:6 / /proc rw - proc proc rw\n\
            4 1 0:7 / /srv rw - tmpfs srv rw\n5 1 0:8 / /run/lock rw - tmpfs lock rw\n6 1 0:9 / /x rw - cgroup2 c rw\n\
            7 1 0:10 / /device rw - xfs /dev/sdb rw\n";
        let mounts = mountinfo::parse(table);
        let seen: Vec<&str> =
            mounts.iter().filter(|mount| holds_files(mount)).filter_map(|mount| mount.mounted_at.to_str()).collect();
        assert_eq!(seen, ["/", "/srv", "/run/lock", "/device"]);
    }
}
