//! What a container says of itself, without an agent: a process of ours looks around inside it. The guest can spoil what comes of that for
//! itself, not more: it is short, comes in time or not at all, and is only shown.

use crate::driver::Driver;
use crate::guest::GuestInterface;
use crate::object::DomainObject;
use api::{Error, ErrorDomain, Result, TypedParam, TypedValue};
use rpc::records::{Reader, Record};
use rpc::virtlxc::{SeenInterface, Sight, Task};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// A container that is being held up may be late.
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST: usize = 1 << 20;

/// `virDomainGuestInfoTypes`, without users and disks, of which a container has none of its own.
pub mod kinds {
    pub const OS: u32 = 1 << 1;
    pub const TIMEZONE: u32 = 1 << 2;
    pub const HOSTNAME: u32 = 1 << 3;
    pub const FILE_SYSTEMS: u32 = 1 << 4;
    pub const INTERFACES: u32 = 1 << 6;
    pub const KNOWN: u32 = OS | TIMEZONE | HOSTNAME | FILE_SYSTEMS | INTERFACES;
}

/// A file system as a container has it mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestFileSystem {
    pub mountpoint: String,
    /// The device's name without its folder, or whatever the file system is mounted from.
    pub name: String,
    pub kind: String,
    /// Targets of the document's disks that it is on.
    pub targets: Vec<String>,
}

impl Driver {
    /// The name that it has given itself.
    pub fn own_hostname(&self, object: &DomainObject) -> Result<String> {
        Ok(self.look_inside(object)?.hostname.to_string_lossy())
    }

    /// The addresses of its interfaces, as it has set them.
    pub fn own_addresses(&self, object: &DomainObject) -> Result<Vec<GuestInterface>> {
        let interface = |seen: SeenInterface| GuestInterface {
            name: seen.name.to_string_lossy(),
            mac: seen.mac.map(|mac| mac.to_string_lossy()).unwrap_or_default(),
            addresses: addresses(&seen.addresses),
        };
        Ok(self.look_inside(object)?.interfaces.into_iter().map(interface).collect())
    }

    pub fn own_file_systems(&self, object: &DomainObject) -> Result<Vec<GuestFileSystem>> {
        let disks: Vec<String> =
            object.lock().running()?.domain.disks.iter().map(|disk| disk.target().to_string()).collect();
        let seen = self.look_inside(object)?.mounts.into_iter().map(|mount| {
            let source = mount.source.to_string_lossy();
            let name = source.strip_prefix("/dev/").unwrap_or(&source).to_string();
            GuestFileSystem {
                mountpoint: mount.mountpoint.to_string_lossy(),
                targets: disks.iter().filter(|target| **target == name).cloned().collect(),
                kind: mount.kind.to_string_lossy(),
                name,
            }
        });
        Ok(seen.collect())
    }

    /// By the names that libvirt has for them; nothing where the container does not say.
    pub fn guest_info(&self, object: &DomainObject, types: u32) -> Result<Vec<TypedParam>> {
        let types = if types == 0 { kinds::KNOWN } else { types };
        Ok(parameters(&self.look_inside(object)?, types))
    }

    fn look_inside(&self, object: &DomainObject) -> Result<Sight> {
        let failed = |words: String| Error::operation_failed(ErrorDomain::Lxc, words);
        let task = rpc::xdr::encode::<Task>(&Task::Look(())).map_err(|error| failed(error.to_string()))?;
        let stream = self.run_inside(object, &task)?;
        let bytes = output(&stream, Instant::now() + PATIENCE)
            .map_err(|words| failed(format!("cannot look inside domain '{}': {words}", object.name)))?;
        rpc::xdr::decode::<Sight>(&bytes)
            .map_err(|error| failed(format!("domain '{}' does not say what it is: {error}", object.name)))
    }
}

/// What the task prints, if it ends well and in time.
fn output(stream: &OwnedFd, deadline: Instant) -> std::result::Result<Vec<u8>, String> {
    let mut reader = Reader::default();
    let (mut said, mut complaints) = (Vec::new(), Vec::new());
    let mut buffer = vec![0; 65_536];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return Err(format!("there is no answer within {} s", PATIENCE.as_secs())),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno.to_string()),
        }
        match rustix::io::read(stream, &mut buffer) {
            Ok(0) => return Err("the process inside ended without a word".into()),
            Ok(count) => reader.push(buffer.get(..count).unwrap_or_default()),
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno.to_string()),
        }
        while let Some(record) = reader.take().map_err(|malformed| malformed.to_string())? {
            match record {
                Record::Output(data) => said.extend(data),
                Record::Errors(data) => complaints.extend(data),
                Record::Exited(0) => return Ok(said),
                Record::Failed(_, text) => return Err(text),
                Record::Exited(_) => return Err(String::from_utf8_lossy(&complaints).trim_end().to_string()),
                Record::Killed(signal) => return Err(format!("the process inside was killed by signal {signal}")),
                _ => {}
            }
            if said.len() > LONGEST || complaints.len() > LONGEST {
                return Err("the answer is too long".into());
            }
        }
    }
}

fn addresses(seen: &[rpc::virtlxc::SeenAddress]) -> Vec<(IpAddr, u8)> {
    let address = |seen: &rpc::virtlxc::SeenAddress| {
        Some((seen.address.as_str()?.parse().ok()?, u8::try_from(seen.prefix).ok().filter(|prefix| *prefix <= 128)?))
    };
    seen.iter().filter_map(address).collect()
}

/// On the wire there is room for 2048.
const MOST: usize = 2000;

fn parameters(sight: &Sight, types: u32) -> Vec<TypedParam> {
    let mut all = Vec::new();
    let mut add = |name: String, value: TypedValue| all.push(TypedParam::new(name, value));
    let text = |words: &rpc::Str| TypedValue::String(words.to_string_lossy());
    let number = |count: usize| TypedValue::UInt(u32::try_from(count).unwrap_or(u32::MAX));
    if types & kinds::OS != 0 {
        let release = sight.release.to_string_lossy();
        for (name, key) in [
            ("os.id", "ID"),
            ("os.name", "NAME"),
            ("os.pretty-name", "PRETTY_NAME"),
            ("os.version", "VERSION"),
            ("os.version-id", "VERSION_ID"),
            ("os.variant", "VARIANT"),
            ("os.variant-id", "VARIANT_ID"),
        ] {
            if let Some(value) = release_field(&release, key) {
                add(name.into(), TypedValue::String(value));
            }
        }
        add("os.machine".into(), text(&sight.machine));
        add("os.kernel-release".into(), text(&sight.kernel));
        add("os.kernel-version".into(), text(&sight.build));
    }
    if let Some(name) = sight.timezone.as_ref().filter(|_| types & kinds::TIMEZONE != 0) {
        add("timezone.name".into(), text(name));
    }
    if types & kinds::HOSTNAME != 0 {
        add("hostname".into(), text(&sight.hostname));
    }
    if types & kinds::FILE_SYSTEMS != 0 {
        add("fs.count".into(), number(sight.mounts.len()));
        for (at, mount) in sight.mounts.iter().enumerate() {
            add(format!("fs.{at}.name"), text(&mount.source));
            add(format!("fs.{at}.mountpoint"), text(&mount.mountpoint));
            add(format!("fs.{at}.fstype"), text(&mount.kind));
            if mount.total > 0 {
                add(format!("fs.{at}.total-bytes"), TypedValue::ULLong(mount.total));
                add(format!("fs.{at}.used-bytes"), TypedValue::ULLong(mount.used));
            }
        }
    }
    if types & kinds::INTERFACES != 0 {
        add("if.count".into(), number(sight.interfaces.len()));
        for (at, interface) in sight.interfaces.iter().enumerate() {
            add(format!("if.{at}.name"), text(&interface.name));
            if let Some(mac) = &interface.mac {
                add(format!("if.{at}.hwaddr"), text(mac));
            }
            let own = addresses(&interface.addresses);
            add(format!("if.{at}.addr.count"), number(own.len()));
            for (n, (address, prefix)) in own.into_iter().enumerate() {
                let kind = if address.is_ipv6() { "ipv6" } else { "ipv4" };
                add(format!("if.{at}.addr.{n}.type"), TypedValue::String(kind.into()));
                add(format!("if.{at}.addr.{n}.addr"), TypedValue::String(address.to_string()));
                add(format!("if.{at}.addr.{n}.prefix"), TypedValue::UInt(prefix.into()));
            }
        }
    }
    all.truncate(MOST);
    all
}

/// A value of os-release(5), without its quotes.
fn release_field(text: &str, key: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?.trim();
    let bare = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    Some(bare.unwrap_or(value).replace("\\\"", "\"").replace("\\$", "$"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rpc::virtlxc::{SeenAddress, SeenMount};

    fn shown(types: u32) -> Vec<String> {
        let address = |address: &str, prefix| SeenAddress { address: address.into(), prefix };
        let sight = Sight {
            hostname: "box".into(),
            kernel: "6.1".into(),
            build: "#1".into(),
            machine: "x86_64".into(),
            release: "ID=debian\nPRETTY_NAME=\"A \\\"b\\\"\"\nVERSION_ID='12'\n".into(),
            timezone: Some("Etc/UTC".into()),
            interfaces: vec![SeenInterface {
                name: "eth0".into(),
                mac: Some("00:11:22:33:44:55".into()),
                addresses: vec![
                    address("192.0.2.1", 24),
                    address("no address", 3),
                    address("fe80::1", 200),
                    address("::1", 128),
                ],
            }],
            mounts: vec![SeenMount {
                source: "/dev/sda1".into(),
                mountpoint: "/".into(),
                kind: "ext4".into(),
                total: 9,
                used: 4,
            }],
        };
        let line = |param: TypedParam| match param.value {
            TypedValue::String(text) => format!("{}={text}", param.field),
            TypedValue::UInt(number) => format!("{}={number}", param.field),
            TypedValue::ULLong(number) => format!("{}={number}", param.field),
            other => format!("{}={other:?}", param.field),
        };
        parameters(&sight, types).into_iter().map(line).collect()
    }

    #[test]
    fn what_is_asked_for_by_libvirts_names() {
        let os = [
            "os.id=debian",
            "os.pretty-name=A \"b\"",
            "os.version-id=12",
            "os.machine=x86_64",
            "os.kernel-release=6.1",
            "os.kernel-version=#1",
        ];
        assert_eq!(shown(kinds::OS), os);
        assert_eq!(shown(kinds::HOSTNAME | kinds::TIMEZONE), ["timezone.name=Etc/UTC", "hostname=box"]);
        let file_systems = [
            "fs.count=1",
            "fs.0.name=/dev/sda1",
            "fs.0.mountpoint=/",
            "fs.0.fstype=ext4",
            "fs.0.total-bytes=9",
            "fs.0.used-bytes=4",
        ];
        assert_eq!(shown(kinds::FILE_SYSTEMS), file_systems);
        let interfaces = shown(kinds::INTERFACES);
        assert_eq!(interfaces.len(), 4 + 2 * 3, "{interfaces:?}");
        assert!(interfaces.contains(&"if.0.addr.1.addr=::1".to_string()), "{interfaces:?}");
    }
}
