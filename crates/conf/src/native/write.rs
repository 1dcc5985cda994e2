//! LXC's configuration from a domain, in the keys of format 3.

use super::{Capabilities, Written, capabilities};
use crate::domain::*;
use std::fmt::Display;

/// A configuration for LXC 3 and later. Limits are written for both versions of control groups; LXC takes those that fit.
pub fn to_lxc_tools(domain: &Domain) -> Written {
    let mut out = Output { text: String::new(), warnings: Vec::new() };
    out.general(domain);
    domain.filesystems.iter().for_each(|filesystem| out.filesystem(filesystem));
    out.networks(domain);
    out.limits(domain);
    for disk in &domain.disks {
        out.warn(format!("disk '{}': left out", disk.target()));
    }
    Written { text: out.text, warnings: out.warnings }
}

struct Output {
    text: String,
    warnings: Vec<String>,
}

impl Output {
    fn set(&mut self, key: &str, value: impl Display) {
        let value = value.to_string();
        // The format knows no way to write these.
        if value.contains(['\n', '\r']) {
            self.warn(format!("{key}: a value of several lines is left out"));
            return;
        }
        self.text.push_str(&format!("{key} = {value}\n"));
    }

    fn set_some(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    fn warn(&mut self, what: String) {
        self.warnings.push(what);
    }

    fn general(&mut self, domain: &Domain) {
        self.set("lxc.uts.name", &domain.name);
        if !domain.os.arch.is_empty() {
            self.set("lxc.arch", &domain.os.arch);
        }
        let os = &domain.os;
        let words: Vec<&str> = std::iter::once(&os.init).chain(&os.init_args).map(String::as_str).collect();
        if words.iter().any(|word| word.is_empty() || word.contains(char::is_whitespace)) {
            self.warn("arguments of init with blanks in them: LXC will take them for several".to_string());
        }
        self.set("lxc.init.cmd", words.join(" "));
        self.set_some("lxc.init.cwd", os.init_dir.as_ref());
        self.id("lxc.init.uid", os.init_user.as_deref());
        self.id("lxc.init.gid", os.init_group.as_deref());
        for (name, value) in &os.init_env {
            self.set("lxc.environment", format_args!("{name}={value}"));
        }
        if let Some(cmdline) = &os.cmdline {
            self.set("lxc.environment", format_args!("LIBVIRT_LXC_CMDLINE={cmdline}"));
        }
        let terminals = domain.consoles.iter().filter(|console| console.kind == "pty").count();
        self.set("lxc.tty.max", terminals);
        for (kind, entries) in [("u", &domain.idmap.uids), ("g", &domain.idmap.gids)] {
            for IdMapEntry { start, target, count } in entries {
                self.set("lxc.idmap", format_args!("{kind} {start} {target} {count}"));
            }
        }
        match capabilities(domain) {
            Capabilities::AllBut(dropped) if dropped.is_empty() => {}
            Capabilities::AllBut(dropped) => self.set("lxc.cap.drop", dropped.join(" ")),
            Capabilities::Only(kept) if kept.is_empty() => self.set("lxc.cap.keep", "none"),
            Capabilities::Only(kept) => self.set("lxc.cap.keep", kept.join(" ")),
        }
        if let Some(autostart) = domain.extension.autostart {
            self.set("lxc.start.order", autostart.order);
            self.set("lxc.start.delay", autostart.delay);
        }
    }

    /// LXC knows users by number.
    fn id(&mut self, key: &str, id: Option<&str>) {
        match id.map(|id| (id, id.trim_start_matches('+').parse::<u32>())) {
            None => {}
            Some((_, Ok(number))) => self.set(key, number),
            Some((id, Err(_))) => self.warn(format!("{key}: '{id}' is a name, LXC takes a number: left out")),
        }
    }

    fn filesystem(&mut self, filesystem: &Filesystem) {
        let mut options = Vec::new();
        let given = filesystem.mount.as_ref().and_then(|mount| mount.options.as_deref());
        options.extend(given);
        if filesystem.read_only {
            options.push("ro");
        }
        let target = filesystem.target.trim_start_matches('/');
        let size;
        let (source, kind) = match &filesystem.source {
            FilesystemSource::Mount { dir } if target.is_empty() => {
                self.root(format_args!("dir:{dir}"), &options);
                return;
            }
            FilesystemSource::Block { dev } if target.is_empty() => {
                self.root(dev, &options);
                return;
            }
            FilesystemSource::File { file } if target.is_empty() => {
                self.root(format_args!("loop:{file}"), &options);
                return;
            }
            FilesystemSource::Mount { dir } => {
                options.extend(["rbind", "create=dir"]);
                (dir.as_str(), "none")
            }
            FilesystemSource::Block { dev } => {
                options.push("create=dir");
                (dev.as_str(), "auto")
            }
            FilesystemSource::File { file } => {
                options.extend(["loop", "create=dir"]);
                (file.as_str(), "auto")
            }
            FilesystemSource::Ram { usage } => {
                size = format!("size={usage}k");
                options.extend([size.as_str(), "create=dir"]);
                ("tmpfs", "tmpfs")
            }
            other => {
                let kind = other.kind();
                self.warn(format!("file system of type '{kind}' at {}: left out", filesystem.target));
                return;
            }
        };
        // The format is fstab's: a blank in a path is written as its octal number.
        let word = |path: &str| path.replace(' ', "\\040").replace('\t', "\\011");
        let line = format!("{} {} {kind} {} 0 0", word(source), word(target), options.join(","));
        self.set("lxc.mount.entry", line);
    }

    fn root(&mut self, path: impl Display, options: &[&str]) {
        self.set("lxc.rootfs.path", path);
        if !options.is_empty() {
            self.set("lxc.rootfs.options", options.join(","));
        }
    }

    fn networks(&mut self, domain: &Domain) {
        let mut number = 0;
        for interface in &domain.interfaces {
            self.interface(number, interface);
            number += 1;
        }
        for hostdev in &domain.hostdevs {
            match &hostdev.source {
                HostdevSource::Net { interface, .. } => {
                    self.set(&format!("lxc.net.{number}.type"), "phys");
                    self.set(&format!("lxc.net.{number}.link"), interface);
                    number += 1;
                }
                HostdevSource::Storage { block: path } | HostdevSource::Misc { char: path } => {
                    let target = path.trim_start_matches('/');
                    self.set("lxc.mount.entry", format_args!("{path} {target} none bind,create=file 0 0"));
                    self.warn(format!("{path}: allow its numbers in lxc.cgroup.devices.allow"));
                }
                _ => self.warn("a host device is left out".to_string()),
            }
        }
        if number == 0 {
            self.set("lxc.net.0.type", if domain.features.privnet { "empty" } else { "none" });
        }
    }

    fn interface(&mut self, number: usize, interface: &Interface) {
        let key = |name: &str| format!("lxc.net.{number}.{name}");
        match &interface.source {
            InterfaceSource::Bridge { bridge } => {
                self.set(&key("type"), "veth");
                self.set(&key("link"), bridge);
            }
            InterfaceSource::Network { network, .. } => {
                self.set(&key("type"), "veth");
                match interface.actual.as_ref().and_then(|actual| actual.bridge.as_ref()) {
                    Some(bridge) => self.set(&key("link"), bridge),
                    None => self.warn(format!("network '{network}': name its bridge in {}", key("link"))),
                }
            }
            InterfaceSource::Direct { dev, mode } => {
                self.set(&key("type"), "macvlan");
                self.set(&key("link"), dev);
                let mode = if *mode == DirectMode::Passthrough { "passthru" } else { mode.word() };
                self.set(&key("macvlan.mode"), mode);
            }
            InterfaceSource::Ethernet { .. } => self.set(&key("type"), "veth"),
            InterfaceSource::Other { kind, .. } => {
                self.set(&key("type"), "empty");
                self.warn(format!("interface of type '{kind}': left out"));
                return;
            }
        }
        if interface.link_up != Some(false) {
            self.set(&key("flags"), "up");
        }
        self.set(&key("hwaddr"), interface.mac);
        self.set_some(&key("name"), interface.guest_dev.as_ref());
        if interface.mtu > 0 {
            self.set(&key("mtu"), interface.mtu);
        }
        for ip in &interface.ips {
            let family = if ip.address.is_ipv4() { "ipv4" } else { "ipv6" };
            let prefix = ip.prefix.map(|prefix| format!("/{prefix}")).unwrap_or_default();
            self.set(&key(&format!("{family}.address")), format_args!("{}{prefix}", ip.address));
        }
        for route in &interface.routes {
            let everywhere = route.address.is_unspecified() && route.prefix.unwrap_or(0) == 0;
            match everywhere {
                true if route.gateway.is_ipv4() => self.set(&key("ipv4.gateway"), route.gateway),
                true => self.set(&key("ipv6.gateway"), route.gateway),
                false => self.warn(format!("route to {}: left out", route.address)),
            }
        }
    }

    fn limits(&mut self, domain: &Domain) {
        let bytes = |kib: u64| kib.saturating_mul(1024);
        let MemTune { hard_limit, soft_limit, swap_hard_limit, .. } = domain.memtune;
        let hard = hard_limit.unwrap_or(domain.memory.maximum);
        self.set("lxc.cgroup.memory.limit_in_bytes", bytes(hard));
        self.set("lxc.cgroup2.memory.max", bytes(hard));
        self.both("memory.soft_limit_in_bytes", "memory.high", soft_limit.map(bytes));
        self.set_some("lxc.cgroup.memory.memsw.limit_in_bytes", swap_hard_limit.map(bytes));
        let swap = swap_hard_limit.map(|both| bytes(both.saturating_sub(hard)));
        self.set_some("lxc.cgroup2.memory.swap.max", swap);

        let CpuTune { shares, period, quota, .. } = domain.cputune;
        self.both("cpu.shares", "cpu.weight", shares);
        self.set_some("lxc.cgroup.cpu.cfs_period_us", period);
        self.set_some("lxc.cgroup.cpu.cfs_quota_us", quota);
        if let Some(quota) = quota {
            let quota = u64::try_from(quota).map_or("max".to_string(), |quota| quota.to_string());
            self.set("lxc.cgroup2.cpu.max", format_args!("{quota} {}", period.unwrap_or(100_000)));
        }
        let cpus = domain.vcpu.cpuset.as_ref().filter(|set| !set.is_everything());
        self.both("cpuset.cpus", "cpuset.cpus", cpus);
        let nodes = domain.numatune.as_ref().and_then(|tune| tune.memory.as_ref()).and_then(|m| m.nodeset.as_ref());
        self.both("cpuset.mems", "cpuset.mems", nodes);

        let BlkioTune { weight, devices } = &domain.blkiotune;
        self.both("blkio.weight", "io.weight", Some(*weight).filter(|weight| *weight > 0));
        devices.iter().for_each(|device| self.block_device(device));

        let extension = &domain.extension;
        self.both("pids.max", "pids.max", extension.pids_limit);
        for Rlimit { name, soft, hard } in &extension.rlimits {
            let word = |limit: &Option<u64>| limit.map_or("unlimited".to_string(), |number| number.to_string());
            self.set(&format!("lxc.prlimit.{name}"), format_args!("{}:{}", word(soft), word(hard)));
        }
        for (name, value) in &extension.sysctls {
            self.set(&format!("lxc.sysctl.{name}"), value);
        }
    }

    /// For version 1 and for version 2.
    fn both(&mut self, first: &str, second: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.set(&format!("lxc.cgroup.{first}"), &value);
            self.set(&format!("lxc.cgroup2.{second}"), &value);
        }
    }

    fn block_device(&mut self, device: &BlkioDevice) {
        let Some(numbers) = device.path.strip_prefix("/dev/block/") else {
            self.warn(format!("limits of '{}': LXC takes the device's numbers, as /dev/block has them", device.path));
            return;
        };
        let limits = [
            ("device_weight", u64::from(device.weight)),
            ("throttle.read_bps_device", device.read_bytes),
            ("throttle.write_bps_device", device.write_bytes),
            ("throttle.read_iops_device", device.read_iops.into()),
            ("throttle.write_iops_device", device.write_iops.into()),
        ];
        for (name, value) in limits.into_iter().filter(|(_, value)| *value > 0) {
            self.set(&format!("lxc.cgroup.blkio.{name}"), format_args!("{numbers} {value}"));
        }
        let second = [
            ("rbps", device.read_bytes),
            ("wbps", device.write_bytes),
            ("riops", device.read_iops.into()),
            ("wiops", device.write_iops.into()),
        ];
        let words: Vec<String> =
            second.iter().filter(|(_, value)| *value > 0).map(|(name, value)| format!("{name}={value}")).collect();
        if !words.is_empty() {
            self.set("lxc.cgroup2.io.max", format_args!("{numbers} {}", words.join(" ")));
        }
    }
}
