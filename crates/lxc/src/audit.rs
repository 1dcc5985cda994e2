//! Records of the life of containers for the machine's audit log, worded as libvirt's, for ausearch(8) and auvirt(8) read those.

use crate::driver::{Driver, lock};
use crate::files::system;
use api::Result;
use conf::domain::{Domain, FilesystemSource, HostdevSource};
use linux::netlink::{Audit, AuditRecord, audit_value};
use std::path::Path;
use std::sync::Mutex;

/// What the settings ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditSettings {
    /// 0 nothing, 1 records where the kernel takes them, 2 a daemon that does not start without.
    pub level: u32,
    /// Records go to the daemon's log too.
    pub logging: bool,
}

pub(crate) struct Auditor(Mutex<Ways>);

/// Where records go.
struct Ways {
    /// To the kernel; none where it has no audit, or nobody wants records.
    kernel: Option<Audit>,
    /// To the daemon's log.
    log: bool,
}

/// Something that a container has, gets or loses.
pub(crate) enum Resource<'a> {
    Disk(&'a str),
    Filesystem(&'a str),
    Interface(&'a str),
    Hostdev(&'a HostdevSource),
}

impl Auditor {
    pub fn new(settings: AuditSettings) -> Result<Auditor> {
        Ok(Auditor(Mutex::new(Ways::open(settings)?)))
    }
}

impl Ways {
    fn open(settings: AuditSettings) -> Result<Ways> {
        let kernel = match settings.level {
            0 => None,
            level => match Audit::open() {
                Ok(audit) => Some(audit),
                Err(error) if level > 1 => {
                    return Err(system(&error, "Unable to initialize audit layer".into()));
                }
                Err(_) => None,
            },
        };
        Ok(Ways { kernel, log: settings.logging })
    }
}

impl Driver {
    /// Other settings from now on; those before hold on where that fails.
    pub fn set_audit(&self, settings: AuditSettings) -> Result<()> {
        let ways = Ways::open(settings)?;
        *lock(&self.auditor.0) = ways;
        Ok(())
    }

    /// A start, as it ended; `init` is that of the container.
    pub(crate) fn audit_start(&self, domain: &Domain, reason: &str, controller: i32, init: Option<i32>, success: bool) {
        self.record(success, || {
            let mut records = resources(domain);
            for label in domain.seclabels.iter().filter(|label| label.model != "none") {
                let context = |text: &Option<String>| audit_value(text.as_deref().unwrap_or("?"));
                records.push((
                    AuditRecord::VirtMachineId,
                    format!(
                        "virt=lxc {} vm-ctx={} img-ctx={} model={}",
                        machine(domain),
                        context(&label.label),
                        context(&label.image_label),
                        label.model
                    ),
                ));
            }
            let control = |op: &str, more: String| {
                (AuditRecord::VirtControl, format!("virt=lxc op={op} {} vm-pid={controller}{more}", machine(domain)))
            };
            if let Some(init) = init {
                let namespace = namespace_number(&self.paths.proc, init);
                records.push(control("init", format!(" init-pid={init} pid-ns={namespace}")));
            }
            records.push(control(&format!("start reason={reason}"), String::new()));
            records
        });
    }

    pub(crate) fn audit_stop(&self, domain: &Domain, reason: &str, controller: i32) {
        self.record(true, || {
            let text = format!("virt=lxc op=stop reason={reason} {} vm-pid={controller}", machine(domain));
            vec![(AuditRecord::VirtControl, text)]
        });
    }

    /// A change while it runs: `reason` is `attach`, `detach` or `update`.
    pub(crate) fn audit_change(&self, domain: &Domain, reason: &str, what: &Resource, success: bool) {
        self.record(success, || resource(domain, reason, what).into_iter().collect());
    }

    /// Words are only made where somebody records them. That they cannot be recorded is no reason to fail.
    fn record(&self, success: bool, records: impl FnOnce() -> Vec<(AuditRecord, String)>) {
        let mut ways = lock(&self.auditor.0);
        if ways.kernel.is_none() && !ways.log {
            return;
        }
        let program = std::env::current_exe().unwrap_or_default();
        let program = audit_value(&program.to_string_lossy());
        let result = if success { "success" } else { "failed" };
        for (kind, text) in records() {
            let text = format!("{text} exe={program} hostname=? addr=? terminal=? res={result}");
            if ways.log {
                tracing::info!("audit: {text}");
            }
            // The kernel drops what nobody wants to have recorded, and says sooner so than whether anybody does.
            if let Some(Err(error)) = ways.kernel.as_mut().map(|kernel| kernel.record(kind, &text)) {
                tracing::warn!("not in the audit log, nor will be what comes: {text}: {error}");
                ways.kernel = None;
            }
        }
    }
}

fn machine(domain: &Domain) -> String {
    format!("vm={} uuid={}", audit_value(&domain.name), domain.uuid)
}

/// All that a container starts with.
fn resources(domain: &Domain) -> Vec<(AuditRecord, String)> {
    let disks = domain.disks.iter().filter_map(|disk| disk.source_path()).map(Resource::Disk);
    let filesystems = domain.filesystems.iter().filter_map(|one| source(&one.source)).map(Resource::Filesystem);
    let macs: Vec<String> = domain.interfaces.iter().map(|interface| interface.mac.to_string()).collect();
    let interfaces = macs.iter().map(|mac| Resource::Interface(mac));
    let hostdevs = domain.hostdevs.iter().map(|hostdev| Resource::Hostdev(&hostdev.source));
    let all = disks.chain(filesystems).chain(interfaces).chain(hostdevs);
    let mut records: Vec<(AuditRecord, String)> = all.filter_map(|what| resource(domain, "start", &what)).collect();
    for (name, old, new, amount) in [
        ("mem", "old-mem", "new-mem", domain.memory.current),
        ("vcpu", "old-vcpu", "new-vcpu", u64::from(domain.vcpu.current.unwrap_or(domain.vcpu.maximum))),
    ] {
        let text = format!("virt=lxc resrc={name} reason=start {} {old}=0 {new}={amount}", machine(domain));
        records.push((AuditRecord::VirtResource, text));
    }
    records
}

/// Where a file system comes from, if it is something of the machine's.
pub(crate) fn source(source: &FilesystemSource) -> Option<&str> {
    match source {
        FilesystemSource::Mount { dir: path }
        | FilesystemSource::Bind { dir: path }
        | FilesystemSource::Block { dev: path }
        | FilesystemSource::File { file: path } => Some(path),
        _ => None,
    }
}

fn resource(domain: &Domain, reason: &str, what: &Resource) -> Option<(AuditRecord, String)> {
    let (before, after) = if reason == "detach" { (true, false) } else { (false, true) };
    let either = |there: bool, text: &str| if there { audit_value(text) } else { "\"?\"".to_string() };
    let plain = |there: bool, text: &str| if there { text.to_string() } else { "?".to_string() };
    let (kind, more) = match what {
        Resource::Disk(path) => ("disk", format!("old-disk={} new-disk={}", either(before, path), either(after, path))),
        Resource::Filesystem(path) => ("fs", format!("old-fs={} new-fs={}", either(before, path), either(after, path))),
        Resource::Interface(mac) => ("net", format!("old-net={} new-net={}", plain(before, mac), plain(after, mac))),
        Resource::Hostdev(HostdevSource::Usb(usb)) => {
            ("dev", format!("bus=usb device={}", audit_value(&format!("{:03}.{:03}", usb.bus, usb.device))))
        }
        Resource::Hostdev(HostdevSource::Storage { block }) => ("hostdev", format!("disk={}", audit_value(block))),
        Resource::Hostdev(HostdevSource::Misc { char }) => ("hostdev", format!("chardev={}", audit_value(char))),
        Resource::Hostdev(HostdevSource::Net { interface, .. }) => {
            ("hostdev", format!("net={}", audit_value(interface)))
        }
        Resource::Hostdev(HostdevSource::Other(_)) => return None,
    };
    let text = format!("virt=lxc resrc={kind} reason={reason} {} {more}", machine(domain));
    Some((AuditRecord::VirtResource, text))
}

/// 0 where it has ended already.
fn namespace_number(proc: &Path, pid: i32) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(proc.join(pid.to_string()).join("ns/pid")).map_or(0, |found| found.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use conf::domain::{Host, ParseOptions};

    #[test]
    fn records_are_worded_as_libvirts() {
        let host = Host { arch: "x86_64", emulator: "/e", random: &|bytes| bytes.fill(1) };
        let xml = "<domain type='lxc'><name>a b</name><uuid>f16e6491-b67a-427c-9fa2-7ed0c0351c5a</uuid>\
                   <memory>65536</memory><os><type>exe</type><init>/i</init></os><devices>\
                   <filesystem type='mount'><source dir='/opt/b'/><target dir='/'/></filesystem>\
                   <interface type='bridge'><mac address='00:16:3e:00:00:01'/><source bridge='b'/></interface>\
                   <hostdev mode='capabilities' type='misc'><source><char>/dev/x</char></source></hostdev>\
                   </devices></domain>";
        let domain = conf::domain::Domain::parse(xml.as_bytes(), ParseOptions::default(), &host).unwrap().domain;
        let shown: Vec<String> = resources(&domain).into_iter().map(|(_, text)| text + "\n").collect();
        let machine = "reason=start vm=612062 uuid=f16e6491-b67a-427c-9fa2-7ed0c0351c5a";
        let expected = [
            format!("virt=lxc resrc=fs {machine} old-fs=\"?\" new-fs=\"/opt/b\"\n"),
            format!("virt=lxc resrc=net {machine} old-net=? new-net=00:16:3e:00:00:01\n"),
            format!("virt=lxc resrc=hostdev {machine} chardev=\"/dev/x\"\n"),
            format!("virt=lxc resrc=mem {machine} old-mem=0 new-mem=65536\n"),
            format!("virt=lxc resrc=vcpu {machine} old-vcpu=0 new-vcpu=1\n"),
        ];
        assert_eq!(shown, expected);
        let (_, detached) = resource(&domain, "detach", &Resource::Interface("m")).unwrap();
        assert!(detached.ends_with(" old-net=m new-net=?"), "{detached}");
    }
}
