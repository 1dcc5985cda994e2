//! Labels of the machine's security module: which can be given to a container, how its own profile is made, and which label it
//! has.

use crate::driver::Driver;
use crate::object::DomainObject;
use api::{Error, ErrorDomain, Result, Uuid};
use conf::domain::{Domain, SecLabel, SecLabelKind};
use linux::{label, script};
use std::path::PathBuf;
use std::sync::{PoisonError, RwLockReadGuard};
use std::time::Duration;

const APPARMOR: &str = "apparmor";

/// What the administrator asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecuritySettings {
    /// The only module that is used; none: what the machine has.
    pub driver: Option<String>,
    /// A container whose document asks for no label gets one.
    pub default_confined: bool,
    /// No container starts without.
    pub require_confined: bool,
}

impl Driver {
    /// Other settings from the next start of a container on.
    pub fn set_security(&self, settings: SecuritySettings) {
        *self.security.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    fn security(&self) -> RwLockReadGuard<'_, SecuritySettings> {
        self.security.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The module that labels containers here, as capabilities and documents name it.
    pub fn security_model(&self) -> &'static str {
        let allowed = self.security().driver.as_deref().is_none_or(|driver| driver == APPARMOR);
        if allowed && label::has_apparmor(&self.paths.sys) { APPARMOR } else { "none" }
    }

    /// Refuses what the machine cannot give, and writes into the document what it will have; nothing is made yet.
    pub(crate) fn check_labels(&self, live: &mut Domain) -> Result<()> {
        let (requires, gives) = {
            let settings = self.security();
            (settings.require_confined, settings.default_confined)
        };
        if gives && live.seclabels.is_empty() && self.security_model() == APPARMOR {
            live.seclabels.push(dynamic());
        }
        if requires && !live.seclabels.iter().any(is_wanted) {
            return Err(refused("Unconfined guests are not allowed on this host".into()));
        }
        let uuid = live.uuid;
        for wanted in live.seclabels.iter_mut().filter(|label| is_wanted(label)) {
            if wanted.model != APPARMOR || self.security_model() != APPARMOR {
                return Err(refused(format!("Security driver model '{}' is not available", wanted.model)));
            }
            match wanted.kind {
                SecLabelKind::Static => self.check_static(wanted)?,
                _ if wanted.base_label.is_some() => {
                    return Err(refused("Cannot set a base label with AppArmour".into()));
                }
                _ => {
                    let profile = profile_name(&uuid);
                    (wanted.image_label, wanted.label) = (Some(profile.clone()), Some(profile));
                }
            }
        }
        Ok(())
    }

    fn check_static(&self, wanted: &SecLabel) -> Result<()> {
        let profile = wanted.label.as_deref().unwrap_or_default();
        match label::has_apparmor_profile(&self.paths.sys, profile) {
            Ok(true) => {}
            Ok(false) => {
                return Err(refused(format!("AppArmor profile '{profile}' is not loaded (apparmor_parser(8))")));
            }
            // Without securityfs the kernel says so at the start.
            Err(error) => tracing::debug!("the list of AppArmor profiles: {error}"),
        }
        Ok(())
    }

    /// Loads the container's own profile where it is to have one.
    pub(crate) fn load_profile(&self, live: &Domain) -> Result<()> {
        let Some(profile) = own_profile(live) else { return Ok(()) };
        let cannot = |why: String| {
            Error::internal(ErrorDomain::Security, format!("cannot load AppArmor profile '{profile}'")).explain(why)
        };
        let parser = parser().ok_or_else(|| cannot(": apparmor_parser(8) is not there (package apparmor)".into()))?;
        let text = match std::fs::read_to_string(TEMPLATE) {
            Ok(template) => template.replace(TEMPLATE_NAME, profile),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => text(profile),
            Err(error) => return Err(cannot(format!(": {TEMPLATE}: {error}"))),
        };
        // Not kept in its cache: the next one of that name may have another text.
        let arguments = ["--replace", "--skip-cache", "--quiet"];
        script::run(&parser, &arguments, text.as_bytes(), PATIENCE).map_err(|failure| cannot(format!(": {failure}")))
    }

    /// Behind the container's end; where some of its processes have not ended, when they have.
    pub(crate) fn unload_profile(&self, domain: &Domain) {
        if self.late.has(&domain.uuid) {
            return;
        }
        if let Some(profile) = own_profile(domain)
            && let Err(error) = label::remove_apparmor_profile(&self.paths.sys, profile)
        {
            tracing::warn!("domain '{}': its AppArmor profile '{profile}' stays loaded: {error}", domain.name);
        }
    }

    /// The label of the container's init and whether it is enforced.
    pub fn security_label(&self, object: &DomainObject) -> Result<Option<(String, bool)>> {
        let init = object.lock().live.as_ref().and_then(|live| live.init.as_ref().map(|(pid, _)| *pid));
        let Some(init) = init.filter(|_| self.security_model() == APPARMOR) else { return Ok(None) };
        match label::apparmor_profile(&self.paths.proc, init) {
            Ok(found) => Ok(Some(found.unwrap_or(("unconfined".into(), false)))),
            Err(error) => Err(crate::files::system(&error, "cannot read the label of the container's init".into())),
        }
    }
}

/// To compile a profile takes a part of a second.
const PATIENCE: Duration = Duration::from_secs(25);

/// libvirt's own, or the administrator's; each container's profile is a copy under its own name.
const TEMPLATE: &str = "/etc/apparmor.d/libvirt/TEMPLATE.lxc";
const TEMPLATE_NAME: &str = "LIBVIRT_TEMPLATE";

/// File systems that show the machine, and none but its own administrator mounts.
const MACHINES_OWN: &str = "sysfs, debugfs, tracefs, securityfs, configfs, efivarfs, pstore, bpf, cgroup, selinuxfs";

/// What stands here is denied wherever the guest's `/proc` and `/sys` are, to write to. Their parts that belong to the
/// container's own namespaces are not among it.
const MACHINES_SWITCHES: [&str; 10] = [
    "sysrq-trigger",
    // By these names wherever a part of `/proc` or `/sys` is the root.
    "kernel/{core_pattern,modprobe,uevent_helper}",
    "kernel/{panic,sysrq,dmesg_restrict,kptr_restrict,randomize_va_space,perf_event_paranoid}*",
    "kernel/yama/**",
    // All but `auto_msgmni`, `domainname`, `hostname`, `msg*`, `ns_last_pid`, `sem*`, `shm*`.
    "sys/kernel/{[^adhmns],a[^u],d[^o],h[^o],ho[^s],m[^s],n[^s],s[^eh],se[^m]}**",
    "sys/vm/**",
    // All but `cgroup` and `mqueue`.
    "sys/fs/{[^cm],c[^g],m[^q]}**",
    "sys/{block,bus,class,devices,firmware,hypervisor,module,power}/**",
    "proc/{acpi,bus,irq,scsi}/**",
    "proc/sys/{abi,debug,dev}/**",
];

/// The machine's memory is not to be read either.
const MACHINES_MEMORY: &str = "kcore";

/// What shows the switches under another path where it is mounted once more, and a guest's init has no need to; it binds `debug`,
/// `tracing`, `bpf` and the like to themselves.
const KEPT_IN_PLACE: [&str; 6] = [
    "{sysrq-trigger,kcore}",
    "sys/{block,bus,class,dev,devices,firmware,hypervisor,module,power,vm}/{,**}",
    "sys/{fs,kernel}/",
    "sys/kernel/{[^cdst],c[^o],cor,d[^e],s[^e],t[^r]}**",
    "sys/fs/{[^bcms],b[^p],c[^g],m[^q],s[^e]}**",
    "kernel/{core_pattern,modprobe,uevent_helper}",
];

/// Paths that do not end in `sys`.
const NOT_SYS: &str = "/{,{,**/}{[^s]*,s,s[^y]*,sy,sy[^s]*,sys?*}/}";

/// A profile for a container of which nothing more is known: what init programs need, without what reaches the machine.
fn text(profile: &str) -> String {
    let mut text = format!(
        "profile {profile} flags=(attach_disconnected) {{\n  file,\n  capability,\n  network,\n  unix,\n  dbus,\n  mount,\n  \
         umount,\n  pivot_root,\n  signal peer={profile},\n  signal (receive) peer=unconfined,\n  ptrace peer={profile},\n  \
         ptrace (readby, tracedby) peer=unconfined,\n  deny mount fstype=({MACHINES_OWN}),\n  deny pivot_root /{{,**/}}sys/,\n"
    );
    for path in MACHINES_SWITCHES {
        text += &format!("  deny /{{,**/}}{path} wl,\n");
    }
    text += &format!("  deny /{{,**/}}{MACHINES_MEMORY} rwkl,\n");
    for way in ["bind", "rbind", "move"] {
        for path in KEPT_IN_PLACE {
            text += &format!("  deny mount options=(rw, {way}) /{{,**/}}{path},\n");
        }
        text += &format!("  deny mount options=(rw, {way}) /{{,**/}}sys/ -> {NOT_SYS},\n");
    }
    text + "}\n"
}

fn parser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|folder| folder.join("apparmor_parser")).find(|file| file.is_file())
}

fn profile_name(uuid: &Uuid) -> String {
    format!("libvirt-{uuid}")
}

/// The profile that a document, completed for its container, has been given.
fn own_profile(live: &Domain) -> Option<&str> {
    let own = |label: &&SecLabel| label.kind == SecLabelKind::Dynamic && label.model == APPARMOR;
    live.seclabels.iter().find(own).and_then(|label| label.label.as_deref())
}

fn dynamic() -> SecLabel {
    SecLabel {
        kind: SecLabelKind::Dynamic,
        model: APPARMOR.into(),
        relabel: true,
        label: None,
        image_label: None,
        base_label: None,
    }
}

fn is_wanted(label: &SecLabel) -> bool {
    !label.model.is_empty() && label.model != "none" && label.kind != SecLabelKind::None
}

fn refused(words: String) -> Error {
    Error::config_unsupported(ErrorDomain::Security, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where there is a parser, it takes the text; a kernel with AppArmor is not needed.
    #[test]
    fn the_profile_can_be_compiled() {
        let text = text("libvirt-3b1e1c8e-0f5b-4d0e-9a4b-2f7f3a1c5d60");
        assert!(text.starts_with("profile libvirt-3b1e1c8e-0f5b-4d0e-9a4b-2f7f3a1c5d60 flags="));
        assert!(text.contains("  deny /{,**/}sysrq-trigger wl,\n") && text.ends_with("}\n"));
        assert!(text.contains("  deny /{,**/}kcore rwkl,\n"));
        for way in ["bind", "rbind", "move"] {
            assert!(text.contains(&format!("  deny mount options=(rw, {way}) /{{,**/}}sys/{{fs,kernel}}/,\n")));
        }
        match parser() {
            Some(parser) => {
                let arguments = ["--skip-kernel-load", "--skip-cache", "--quiet"];
                script::run(&parser, &arguments, text.as_bytes(), PATIENCE).unwrap();
            }
            None => assert!(
                std::env::var_os("VIRTLXC_ALL_TOOLS").is_none(),
                "apparmor_parser is needed (Debian's apparmor)"
            ),
        }
    }
}
