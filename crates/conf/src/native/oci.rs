//! `config.json` of the OCI runtime specification, version 1.0, from a domain.

use super::{Capabilities, Written, capabilities};
use crate::domain::*;
use serde_json::{Map, Value, json};

/// A configuration that runc, crun and their kin start beside the root file system. Networks are theirs to make: the
/// container gets a network namespace of its own, and the interfaces are named in the warnings.
pub fn to_oci(domain: &Domain) -> Written {
    let mut warnings = Vec::new();
    let mut mounts = basic_mounts();
    let mut root = None;
    for filesystem in &domain.filesystems {
        match (filesystem.target.as_str(), &filesystem.source) {
            ("/", FilesystemSource::Mount { dir }) => {
                root = Some(json!({ "path": dir, "readonly": filesystem.read_only }));
            }
            _ => match mount(filesystem) {
                Some(mount) => mounts.push(mount),
                None => {
                    let kind = filesystem.source.kind();
                    warnings.push(format!("file system of type '{kind}' at {}: left out", filesystem.target));
                }
            },
        }
    }
    for hostdev in &domain.hostdevs {
        match &hostdev.source {
            HostdevSource::Storage { block: path } | HostdevSource::Misc { char: path } => {
                mounts.push(json!({ "destination": path, "type": "none", "source": path, "options": ["bind"] }));
                warnings.push(format!("{path}: allow its numbers in linux.resources.devices"));
            }
            _ => warnings.push("a host device is left out".to_string()),
        }
    }
    for interface in &domain.interfaces {
        warnings.push(format!("interface {} ({}): left out", interface.mac, interface.source.kind()));
    }
    for disk in &domain.disks {
        warnings.push(format!("disk '{}': left out", disk.target()));
    }
    if root.is_none() {
        warnings.push("no root directory: the host's own is named".to_string());
    }
    let config = json!({
        "ociVersion": "1.0.2",
        "process": process(domain, &mut warnings),
        "root": root.unwrap_or_else(|| json!({ "path": "/", "readonly": false })),
        "hostname": domain.name,
        "mounts": mounts,
        "annotations": { "org.libvirt.uuid": domain.uuid.to_string() },
        "linux": linux(domain),
    });
    // Writing a value that was made here cannot fail.
    let text = serde_json::to_string_pretty(&config).unwrap_or_default();
    Written { text: format!("{text}\n"), warnings }
}

fn process(domain: &Domain, warnings: &mut Vec<String>) -> Value {
    let os = &domain.os;
    let mut id = |what: &str, id: Option<&String>| {
        let number = id.map(|id| id.trim_start_matches('+').parse::<u32>());
        if let (Some(Err(_)), Some(id)) = (&number, id) {
            warnings.push(format!("{what} '{id}' is a name, the format takes a number: root"));
        }
        number.and_then(Result::ok).unwrap_or(0)
    };
    let user = json!({ "uid": id("user", os.init_user.as_ref()), "gid": id("group", os.init_group.as_ref()) });
    let mut environment = vec![
        "PATH=/bin:/sbin".to_string(),
        "TERM=linux".to_string(),
        "HOME=/".to_string(),
        "container=lxc-libvirt".to_string(),
        format!("container_uuid={}", domain.uuid),
        format!("LIBVIRT_LXC_UUID={}", domain.uuid),
        format!("LIBVIRT_LXC_NAME={}", domain.name),
    ];
    environment.extend(os.cmdline.iter().map(|cmdline| format!("LIBVIRT_LXC_CMDLINE={cmdline}")));
    environment.extend(os.init_env.iter().map(|(name, value)| format!("{name}={value}")));
    let names = capability_names(domain);
    let limits: Vec<Value> = domain
        .extension
        .rlimits
        .iter()
        .map(|limit| {
            let number = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
            let name = format!("RLIMIT_{}", limit.name.to_ascii_uppercase());
            json!({ "type": name, "soft": number(limit.soft), "hard": number(limit.hard) })
        })
        .collect();
    json!({
        "terminal": !domain.consoles.is_empty(),
        "user": user,
        "args": std::iter::once(&os.init).chain(&os.init_args).collect::<Vec<_>>(),
        "env": environment,
        "cwd": os.init_dir.as_deref().unwrap_or("/"),
        "capabilities": { "bounding": names, "effective": names, "permitted": names },
        "rlimits": limits,
    })
}

fn capability_names(domain: &Domain) -> Vec<String> {
    let keep: Vec<&str> = match capabilities(domain) {
        Capabilities::Only(kept) => kept,
        Capabilities::AllBut(dropped) => {
            let all = Capability::ALL.iter().map(|capability| capability.word());
            all.filter(|name| !dropped.contains(name)).collect()
        }
    };
    keep.into_iter().map(|name| format!("CAP_{}", name.to_ascii_uppercase())).collect()
}

fn basic_mounts() -> Vec<Value> {
    let plain = ["nosuid", "noexec", "nodev"];
    let mount = |destination: &str, kind: &str, options: &[&str]| json!({ "destination": destination, "type": kind, "source": kind, "options": options });
    vec![
        mount("/proc", "proc", &plain),
        mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount("/dev/pts", "devpts", &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
        mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777"]),
        mount("/dev/mqueue", "mqueue", &plain),
        mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
        mount("/sys/fs/cgroup", "cgroup", &["nosuid", "noexec", "nodev", "relatime"]),
    ]
}

fn mount(filesystem: &Filesystem) -> Option<Value> {
    let mut options: Vec<String> = Vec::new();
    let (kind, source) = match &filesystem.source {
        FilesystemSource::Mount { dir } => {
            options.push("rbind".to_string());
            ("none", dir.as_str())
        }
        FilesystemSource::Ram { usage } => {
            options.push(format!("size={usage}k"));
            ("tmpfs", "tmpfs")
        }
        _ => return None,
    };
    if filesystem.read_only {
        options.push("ro".to_string());
    }
    if let Some(given) = filesystem.mount.as_ref().and_then(|mount| mount.options.as_ref()) {
        options.extend(given.split(',').map(str::to_string));
    }
    Some(json!({ "destination": filesystem.target, "type": kind, "source": source, "options": options }))
}

fn linux(domain: &Domain) -> Value {
    let shares = &domain.shares;
    let shares_net = !domain.features.privnet && domain.interfaces.is_empty();
    let mut namespaces = vec![json!({ "type": "pid" }), json!({ "type": "mount" })];
    for (kind, share, absent) in
        [("network", &shares.sharenet, shares_net), ("ipc", &shares.shareipc, false), ("uts", &shares.shareuts, false)]
    {
        let file = if kind == "network" { "net" } else { kind };
        match share {
            None if absent => {}
            Some(Share { source: ShareSource::Pid, value }) => {
                namespaces.push(json!({ "type": kind, "path": format!("/proc/{value}/ns/{file}") }));
            }
            Some(Share { source: ShareSource::Netns, value }) => {
                namespaces.push(json!({ "type": kind, "path": format!("/var/run/netns/{value}") }));
            }
            // Another container's is only known while it runs.
            None | Some(_) => namespaces.push(json!({ "type": kind })),
        }
    }
    let mut linux = Map::new();
    let map = |entries: &[IdMapEntry]| -> Vec<Value> {
        let entry = |IdMapEntry { start, target, count }: &IdMapEntry| json!({ "containerID": start, "hostID": target, "size": count });
        entries.iter().map(entry).collect()
    };
    if !domain.idmap.uids.is_empty() {
        namespaces.push(json!({ "type": "user" }));
        linux.insert("uidMappings".into(), map(&domain.idmap.uids).into());
        linux.insert("gidMappings".into(), map(&domain.idmap.gids).into());
    }
    linux.insert("namespaces".into(), namespaces.into());
    linux.insert("resources".into(), resources(domain));
    if !domain.extension.sysctls.is_empty() {
        let sysctls = domain.extension.sysctls.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        linux.insert("sysctl".into(), Value::Object(sysctls.collect()));
    }
    if domain.extension.masked_paths != Some(false) {
        let masked =
            ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"];
        let read_only = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
        linux.insert("maskedPaths".into(), json!(masked));
        linux.insert("readonlyPaths".into(), json!(read_only));
    }
    Value::Object(linux)
}

fn resources(domain: &Domain) -> Value {
    let bytes = |kib: u64| i64::try_from(kib.saturating_mul(1024)).unwrap_or(i64::MAX);
    let mut memory = Map::new();
    memory.insert("limit".into(), bytes(domain.memtune.hard_limit.unwrap_or(domain.memory.maximum)).into());
    let more = [("reservation", domain.memtune.soft_limit), ("swap", domain.memtune.swap_hard_limit)];
    memory.extend(more.into_iter().filter_map(|(name, kib)| Some((name.to_string(), bytes(kib?).into()))));

    let cpus = domain.vcpu.cpuset.as_ref().filter(|set| !set.is_everything()).map(ToString::to_string);
    let nodes = domain.numatune.as_ref().and_then(|tune| tune.memory.as_ref()).and_then(|m| m.nodeset.as_ref());
    let cpu = [
        ("shares", domain.cputune.shares.map(Value::from)),
        ("period", domain.cputune.period.map(Value::from)),
        ("quota", domain.cputune.quota.map(Value::from)),
        ("cpus", cpus.map(Value::from)),
        ("mems", nodes.map(|nodes| nodes.to_string().into())),
    ];
    let cpu: Map<String, Value> =
        cpu.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?))).collect();

    let mut resources = Map::new();
    resources.insert("devices".into(), devices(domain));
    resources.insert("memory".into(), Value::Object(memory));
    if !cpu.is_empty() {
        resources.insert("cpu".into(), Value::Object(cpu));
    }
    if domain.blkiotune != BlkioTune::default() {
        resources.insert("blockIO".into(), block(&domain.blkiotune));
    }
    if let Some(limit) = domain.extension.pids_limit {
        resources.insert("pids".into(), json!({ "limit": limit }));
    }
    Value::Object(resources)
}

/// None but null, zero, full, random, urandom, tty and the pseudo-terminals; where nodes may be made, that for all.
fn devices(domain: &Domain) -> Value {
    let allow = |major: u32, minor: Option<u32>| {
        let mut rule = json!({ "allow": true, "type": "c", "major": major, "access": "rwm" });
        if let (Some(minor), Some(rule)) = (minor, rule.as_object_mut()) {
            rule.insert("minor".into(), minor.into());
        }
        rule
    };
    let mut rules = vec![json!({ "allow": false, "access": "rwm" })];
    rules.extend(
        [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2)].map(|(major, minor)| allow(major, Some(minor))),
    );
    rules.push(allow(136, None));
    if domain.features.capability(Capability::Mknod) == Some(true) {
        rules.extend(["b", "c"].map(|kind| json!({ "allow": true, "type": kind, "access": "m" })));
    }
    rules.into()
}

fn block(tune: &BlkioTune) -> Value {
    let mut block = Map::new();
    if tune.weight > 0 {
        block.insert("weight".into(), tune.weight.into());
    }
    let numbered = |device: &BlkioDevice| -> Option<(u32, u32)> {
        let (major, minor) = device.path.strip_prefix("/dev/block/")?.split_once(':')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    type Limit = fn(&BlkioDevice) -> u64;
    let lists: [(&str, &str, Limit); 5] = [
        ("weightDevice", "weight", |device| device.weight.into()),
        ("throttleReadBpsDevice", "rate", |device| device.read_bytes),
        ("throttleWriteBpsDevice", "rate", |device| device.write_bytes),
        ("throttleReadIOPSDevice", "rate", |device| device.read_iops.into()),
        ("throttleWriteIOPSDevice", "rate", |device| device.write_iops.into()),
    ];
    for (list, key, value) in lists {
        let entries: Vec<Value> = tune
            .devices
            .iter()
            .filter_map(|device| {
                let (major, minor) = numbered(device)?;
                Some(json!({ "major": major, "minor": minor, key: Some(value(device)).filter(|value| *value > 0)? }))
            })
            .collect();
        if !entries.is_empty() {
            block.insert(list.into(), entries.into());
        }
    }
    Value::Object(block)
}
