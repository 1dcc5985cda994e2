//! A domain from LXC's configuration.

use super::configuration::{Entry, entries};
use super::device::{self, Net};
use super::{limits, refused};
use crate::domain::*;
use api::{Code, Error, ErrorDomain, Result, Uuid};

/// What LXC's users know as `lxc.container.conf`, as a domain; keys without a counterpart are named in the warnings.
///
/// The result has been checked like any document, but is not completed: as libvirt's it names no architecture that
/// the configuration does not name.
pub fn from_lxc_tools(text: &str, host: &Host) -> Result<Parsed> {
    let mut reading = Reading::new(host);
    for entry in entries(text)? {
        reading.take(&entry)?;
    }
    let Parsed { domain, warnings } = reading.finish()?;
    Domain::parse(domain.format(FormatOptions::Inactive).as_bytes(), ParseOptions::default(), host)?;
    Ok(Parsed { domain, warnings })
}

struct Reading {
    domain: Domain,
    warnings: Vec<String>,
    root: Option<String>,
    root_read_only: bool,
    mounts: Vec<Filesystem>,
    /// With the number of a `lxc.net.N`; those of `lxc.network` have none.
    nets: Vec<(Option<String>, Net)>,
    keep: Vec<Capability>,
    /// Of version 2, in KiB.
    swap: Option<u64>,
}

/// Keys that say what every container of ours has or does without.
const NEEDLESS: [&str; 12] = [
    "lxc.autodev",
    "lxc.console",
    "lxc.console.path",
    "lxc.devttydir",
    "lxc.kmsg",
    "lxc.mount.auto",
    "lxc.pts",
    "lxc.pty.max",
    "lxc.rootfs.backend",
    "lxc.rootfs.mount",
    "lxc.tty.dir",
    "lxc.ttydir",
];

/// A key of format 2 by its name in format 3.
fn modern(key: &str) -> &str {
    match key {
        "lxc.utsname" => "lxc.uts.name",
        "lxc.rootfs" => "lxc.rootfs.path",
        "lxc.tty" => "lxc.tty.max",
        "lxc.id_map" => "lxc.idmap",
        "lxc.mount" => "lxc.mount.fstab",
        "lxc.init_cmd" => "lxc.init.cmd",
        "lxc.init_uid" => "lxc.init.uid",
        "lxc.init_gid" => "lxc.init.gid",
        key => key,
    }
}

impl Reading {
    fn new(host: &Host) -> Reading {
        let mut bytes = [0; 16];
        (host.random)(&mut bytes);
        Reading {
            domain: empty(Uuid::from_random(bytes), host.emulator),
            warnings: Vec::new(),
            root: None,
            root_read_only: false,
            mounts: Vec::new(),
            nets: Vec::new(),
            keep: Vec::new(),
            swap: None,
        }
    }

    fn take(&mut self, entry: &Entry) -> Result<()> {
        let Entry { line, key, value } = *entry;
        let domain = &mut self.domain;
        match modern(key) {
            "lxc.uts.name" => domain.name = value.to_string(),
            "lxc.arch" => domain.os.arch = architecture(value).to_string(),
            "lxc.rootfs.path" => self.root = Some(value.to_string()),
            "lxc.rootfs.options" => self.root_read_only = value.split(',').any(|option| option == "ro"),
            "lxc.mount.fstab" => {
                let words = "lxc.mount.fstab or lxc.mount found, use lxc.mount.entry lines instead";
                return Err(Error::new(ErrorDomain::Lxc, Code::ArgumentUnsupported, words));
            }
            "lxc.mount.entry" => self.mounts.extend(device::mount(value)?),
            "lxc.tty.max" => {
                let count: u32 = value.parse().map_err(|_| refused(format!("failed to parse int: '{value}'")))?;
                // Each costs a pseudo-terminal and a place in the document.
                let count = Some(count).filter(|count| *count <= 256);
                let count = count.ok_or_else(|| refused(format!("{key}: {value} terminals are more than 256")))?;
                domain.consoles = (0..count).map(console).collect();
            }
            "lxc.idmap" => self.idmap(key, value)?,
            "lxc.cap.drop" => self.drop(line, value),
            "lxc.cap.keep" => {
                let (known, unknown) = capabilities(value);
                self.keep.extend(known);
                self.warn_unknown(line, &unknown);
            }
            "lxc.init.cmd" | "lxc.execute.cmd" => {
                let mut words = value.split_whitespace().map(str::to_string);
                if let Some(init) = words.next() {
                    (domain.os.init, domain.os.init_args) = (init, words.collect());
                }
            }
            "lxc.init.cwd" => domain.os.init_dir = Some(value.to_string()),
            "lxc.init.uid" => domain.os.init_user = Some(limits::number::<u32>(value)?.to_string()),
            "lxc.init.gid" => domain.os.init_group = Some(limits::number::<u32>(value)?.to_string()),
            "lxc.environment" => match value.split_once('=') {
                Some((name, value)) => domain.os.init_env.push((name.to_string(), value.to_string())),
                None => self.warn(line, &format!("the value of '{value}' is only known on the host: left out")),
            },
            "lxc.start.order" | "lxc.start.delay" => {
                let autostart = domain.extension.autostart.get_or_insert(Autostart { order: 0, delay: 0 });
                let number = limits::number(value)?;
                let to = if key.ends_with("order") { &mut autostart.order } else { &mut autostart.delay };
                *to = number;
            }
            key if NEEDLESS.contains(&key) => {}
            key => {
                if !self.take_family(key, line, value)? {
                    self.warn(line, &format!("'{key}' has no counterpart: left out"));
                }
            }
        }
        Ok(())
    }

    /// Keys that are a family's name and something behind. Whether it is one.
    fn take_family(&mut self, key: &str, line: usize, value: &str) -> Result<bool> {
        if let Some(limit) = key.strip_prefix("lxc.cgroup.").or_else(|| key.strip_prefix("lxc.cgroup2.")) {
            return limits::take(&mut self.domain, limit, key, value, &mut self.swap);
        }
        if let Some(name) = key.strip_prefix("lxc.sysctl.") {
            self.domain.extension.sysctls.push((name.to_string(), value.to_string()));
            return Ok(true);
        }
        if let Some(name) = key.strip_prefix("lxc.prlimit.").or_else(|| key.strip_prefix("lxc.limit.")) {
            self.domain.extension.rlimits.push(rlimit(name, value)?);
            return Ok(true);
        }
        let (number, rest) = match key.strip_prefix("lxc.network.") {
            Some(rest) => (None, rest),
            None => match key.strip_prefix("lxc.net.").and_then(|key| key.split_once('.')) {
                Some((number, rest)) => (Some(number.to_string()), rest),
                None => return Ok(false),
            },
        };
        let warnings = &mut self.warnings;
        let mut warn = |text: String| warnings.push(format!("line {line}: {text}"));
        let known = match number.is_some() {
            true => self.nets.iter_mut().find(|(other, _)| *other == number),
            // Each type begins another.
            false if rest == "type" => None,
            false => self.nets.iter_mut().rfind(|(other, _)| other.is_none()),
        };
        match known {
            Some((_, net)) => net.take(rest, value, &mut warn),
            None => {
                let mut net = Net::default();
                let taken = net.take(rest, value, &mut warn)?;
                self.nets.push((number, net));
                Ok(taken)
            }
        }
    }

    fn warn(&mut self, line: usize, what: &str) {
        self.warnings.push(format!("line {line}: {what}"));
    }

    fn warn_unknown(&mut self, line: usize, unknown: &[&str]) {
        for name in unknown {
            self.warn(line, &format!("'{name}' is no capability that a domain knows: left out"));
        }
    }

    /// `u`, `g` or `b`, the first id in the container, the first outside, and how many.
    fn idmap(&mut self, key: &str, value: &str) -> Result<()> {
        let wrong = || refused(format!("invalid {key}: '{value}'"));
        let fields: Vec<&str> = value.split_whitespace().collect();
        let &[kind, start, target, count] = fields.as_slice() else { return Err(wrong()) };
        let number = |text: &str| text.parse::<u32>().map_err(|_| wrong());
        let entry = IdMapEntry { start: number(start)?, target: number(target)?, count: number(count)? };
        let map = &mut self.domain.idmap;
        match kind {
            "u" => map.uids.push(entry),
            "g" => map.gids.push(entry),
            "b" => {
                map.uids.push(entry);
                map.gids.push(entry);
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }

    fn drop(&mut self, line: usize, value: &str) {
        // Nothing at all takes back the lines before.
        if value.is_empty() {
            self.domain.features.capabilities.clear();
        }
        let (known, unknown) = capabilities(value);
        self.domain.features.capabilities.extend(known.into_iter().map(|capability| (capability, false)));
        self.warn_unknown(line, &unknown);
    }

    fn finish(mut self) -> Result<Parsed> {
        let domain = &mut self.domain;
        if domain.name.is_empty() {
            return Err(refused("lxc.uts.name (or lxc.utsname) is missing: it becomes the domain's name"));
        }
        let Some(root) = self.root else {
            return Err(refused("lxc.rootfs.path (or lxc.rootfs) is missing"));
        };
        if root.starts_with("overlay") {
            self.warnings.push(format!("'{root}' is no folder: mount the layers, and name where"));
        }
        domain.filesystems.push(device::root(&root, self.root_read_only));
        domain.filesystems.append(&mut self.mounts);
        limits::finish(domain, self.swap);
        let mut shares_network = false;
        for (_, net) in self.nets {
            shares_network |= net.finish(domain)?;
        }
        let has_net = !domain.interfaces.is_empty()
            || domain.hostdevs.iter().any(|hostdev| matches!(hostdev.source, HostdevSource::Net { .. }));
        domain.features.privnet = !shares_network && !has_net;
        let capabilities = &mut domain.features.capabilities;
        match (capabilities.is_empty(), self.keep.is_empty()) {
            (true, false) => {
                domain.features.capability_policy = CapabilityPolicy::Deny;
                capabilities.extend(self.keep.into_iter().map(|capability| (capability, true)));
            }
            (false, false) => self.warnings.push("lxc.cap.keep beside lxc.cap.drop: left out".to_string()),
            _ => {}
        }
        capabilities.sort_unstable();
        capabilities.dedup();
        for map in [&mut domain.idmap.uids, &mut domain.idmap.gids] {
            map.sort_unstable_by_key(|entry| entry.start);
        }
        Ok(Parsed { domain: self.domain, warnings: self.warnings })
    }
}

fn capabilities(value: &str) -> (Vec<Capability>, Vec<&str>) {
    let find = |name: &str| Capability::from_word(name.to_ascii_lowercase().trim_start_matches("cap_"));
    let (known, unknown): (Vec<&str>, Vec<&str>) = value.split_whitespace().partition(|name| find(name).is_some());
    (known.into_iter().filter_map(find).collect(), unknown)
}

/// Nothing where it is unknown, which leaves the host's.
fn architecture(value: &str) -> &str {
    match value {
        "x86" | "i386" | "i486" | "i586" | "i686" => "i686",
        "amd64" | "x86_64" => "x86_64",
        "arm64" | "aarch64" => "aarch64",
        "arm" | "armhf" | "armv7l" => "armv7l",
        "ppc64" | "ppc64le" | "riscv64" | "s390x" => value,
        _ => "",
    }
}

fn rlimit(name: &str, value: &str) -> Result<Rlimit> {
    let number = |text: &str| match text.trim() {
        "unlimited" => Ok(None),
        text => limits::number(text).map(Some),
    };
    let (soft, hard) = value.split_once(':').unwrap_or((value, value));
    Ok(Rlimit { name: name.to_string(), soft: number(soft)?, hard: number(hard)? })
}

fn console(port: u32) -> Console {
    Console {
        kind: "pty".to_string(),
        target_kind: "lxc".to_string(),
        port,
        tty: None,
        source_path: None,
        alias: None,
        kept: Vec::new(),
    }
}

/// LXC keeps all capabilities and has no limit of memory; a document must have one.
fn empty(uuid: Uuid, emulator: &str) -> Domain {
    let plain = Domain::plain(uuid);
    Domain {
        os: Os { init: "/sbin/init".to_string(), ..Os::default() },
        features: Features { capability_policy: CapabilityPolicy::Allow, ..plain.features.clone() },
        emulator: Some(emulator.to_string()),
        ..plain
    }
}
