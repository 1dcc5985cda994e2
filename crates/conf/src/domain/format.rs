//! From a domain to its document. The order of everything is libvirt's.

use super::parse::OTHER_CLASSES;
use super::*;
use crate::xml::Writer;

impl Domain {
    pub fn format(&self, form: FormatOptions) -> String {
        let mut w = Writer::new();
        self.write(&mut w, form);
        w.finish()
    }

    /// Whether the document has what is shown only to who asks for it (`--security-info`): passwords, cookies.
    pub fn has_secrets(&self) -> bool {
        let cookies = |disk: &Disk| disk.element.has_within("cookies");
        let password = |device: &Element| device.name == "graphics" && device.attr("passwd").is_some();
        self.other_devices.iter().any(password) || self.disks.iter().any(cookies)
    }

    pub fn without_secrets(mut self) -> Domain {
        self.other_devices.iter_mut().filter(|d| d.name == "graphics").for_each(|d| d.unset("passwd"));
        // A backing store has sources of its own, as deep as the document goes.
        self.disks.iter_mut().for_each(|disk| disk.element.remove_within("cookies"));
        self
    }

    pub(crate) fn write(&self, w: &mut Writer, form: FormatOptions) {
        w.open("domain");
        w.attr("type", "lxc");
        w.attr_opt("id", self.id.filter(|_| form != FormatOptions::Inactive));
        let shares = [&self.shares.sharenet, &self.shares.shareipc, &self.shares.shareuts];
        if self.shares.present || shares.iter().any(|share| share.is_some()) {
            w.attr("xmlns:lxc", super::seclabel::LXC);
        }
        if self.is_extended() {
            w.attr("xmlns:virtlxc", extension::NAMESPACE);
        }
        self.write_identity(w);
        self.write_resources(w);
        self.write_system(w);
        self.write_devices(w, form);
        self.seclabels.iter().for_each(|label| write_seclabel(label, w, form));
        self.keep(w, &["keywrap", "launchSecurity"]);
        if self.shares.present || shares.iter().any(|share| share.is_some()) {
            self.write_shares(w);
        }
        self.extension.write(w);
        w.close();
    }

    fn keep(&self, w: &mut Writer, names: &[&str]) {
        for name in names {
            self.kept.iter().filter(|element| element.name == *name).for_each(|element| element.write(w));
        }
    }

    fn write_identity(&self, w: &mut Writer) {
        w.text("name", &self.name);
        w.text("uuid", self.uuid);
        w.text_opt("genid", self.genid);
        w.text_opt("title", self.title.as_ref());
        w.text_opt("description", self.description.as_ref());
        if let Some(metadata) = &self.metadata {
            w.ready(&metadata.write(w.level()));
        }
    }

    fn write_resources(&self, w: &mut Writer) {
        w.open("memory");
        w.attr_opt("dumpCore", self.memory.dump_core.map(|on| if on { "on" } else { "off" }));
        w.attr("unit", "KiB");
        w.close_with(self.memory.maximum);
        kib(w, "currentMemory", Some(self.memory.current));
        self.write_blkiotune(w);
        let tune = &self.memtune;
        let limits = [tune.hard_limit, tune.soft_limit, tune.min_guarantee, tune.swap_hard_limit];
        if limits.iter().any(Option::is_some) {
            w.open("memtune");
            for (name, limit) in ["hard_limit", "soft_limit", "min_guarantee", "swap_hard_limit"].iter().zip(limits) {
                kib(w, name, limit);
            }
            w.close();
        }
        self.keep(w, &["memoryBacking"]);
        w.open("vcpu");
        w.attr("placement", self.vcpu.placement);
        w.attr_opt("cpuset", self.vcpu.cpuset.as_ref());
        w.attr_opt("current", self.vcpu.current);
        w.close_with(self.vcpu.maximum);
        self.keep(w, &["iothreads", "iothreadids", "defaultiothread"]);
        self.write_cputune(w);
        if let Some(tune) = &self.numatune {
            w.open("numatune");
            if let Some(memory) = &tune.memory {
                w.open("memory");
                w.attr("mode", memory.mode);
                match &memory.nodeset {
                    Some(nodeset) => w.attr("nodeset", nodeset),
                    None => w.attr("placement", memory.placement),
                }
                w.close();
            }
            tune.nodes.iter().for_each(|node| node.write(w));
            w.close();
        }
        if self.partition.is_some() || self.fibrechannel_appid.is_some() {
            w.open("resource");
            w.text_opt("partition", self.partition.as_ref());
            if let Some(appid) = &self.fibrechannel_appid {
                w.open("fibrechannel");
                w.attr("appid", appid);
                w.close();
            }
            w.close();
        }
    }

    fn write_blkiotune(&self, w: &mut Writer) {
        let tune = &self.blkiotune;
        if tune.weight == 0 && tune.devices.is_empty() {
            return;
        }
        w.open("blkiotune");
        w.text_opt("weight", Some(tune.weight).filter(|weight| *weight != 0));
        for device in &tune.devices {
            w.open("device");
            w.text("path", &device.path);
            w.text_opt("weight", Some(device.weight).filter(|n| *n != 0));
            w.text_opt("read_iops_sec", Some(device.read_iops).filter(|n| *n != 0));
            w.text_opt("write_iops_sec", Some(device.write_iops).filter(|n| *n != 0));
            w.text_opt("read_bytes_sec", Some(device.read_bytes).filter(|n| *n != 0));
            w.text_opt("write_bytes_sec", Some(device.write_bytes).filter(|n| *n != 0));
            w.close();
        }
        w.close();
    }

    fn write_cputune(&self, w: &mut Writer) {
        let tune = &self.cputune;
        if *tune == CpuTune::default() {
            return;
        }
        w.open("cputune");
        w.text_opt("shares", tune.shares);
        w.text_opt("period", tune.period);
        w.text_opt("quota", tune.quota);
        tune.kept.iter().for_each(|element| element.write(w));
        w.close();
    }

    fn write_system(&self, w: &mut Writer) {
        self.keep(w, &["sysinfo", "bootloader", "bootloader_args"]);
        let os = &self.os;
        w.open("os");
        w.open("type");
        w.attr_opt("arch", Some(&os.arch).filter(|arch| !arch.is_empty()));
        w.attr_opt("machine", os.machine.as_ref());
        w.close_with("exe");
        w.text("init", &os.init);
        os.init_args.iter().for_each(|argument| w.text("initarg", argument));
        for (name, value) in &os.init_env {
            w.open("initenv");
            w.attr("name", name);
            w.close_with(value);
        }
        w.text_opt("initdir", os.init_dir.as_ref());
        w.text_opt("inituser", os.init_user.as_ref());
        w.text_opt("initgroup", os.init_group.as_ref());
        w.text_opt("cmdline", os.cmdline.as_ref());
        if let Some(mode) = &os.smbios {
            w.open("smbios");
            w.attr("mode", mode);
            w.close();
        }
        w.close();
        if !self.idmap.uids.is_empty() || !self.idmap.gids.is_empty() {
            w.open("idmap");
            for (name, entries) in [("uid", &self.idmap.uids), ("gid", &self.idmap.gids)] {
                for entry in entries {
                    w.open(name);
                    w.attr("start", entry.start);
                    w.attr("target", entry.target);
                    w.attr("count", entry.count);
                    w.close();
                }
            }
            w.close();
        }
        self.write_features(w);
        self.keep(w, &["cpu"]);
        write_clock(&self.clock, w);
        w.text("on_poweroff", self.on_poweroff);
        w.text("on_reboot", self.on_reboot);
        w.text("on_crash", self.on_crash);
        self.keep(w, &["on_lockfailure", "pm", "perf"]);
    }

    fn write_features(&self, w: &mut Writer) {
        let features = &self.features;
        let capabilities = features.capability_policy != CapabilityPolicy::Default || !features.capabilities.is_empty();
        if !features.privnet && !capabilities && features.kept.is_empty() {
            return;
        }
        const BEFORE_PRIVNET: [&str; 5] = ["acpi", "apic", "pae", "hap", "viridian"];
        const BEFORE_CAPABILITIES: [&str; 3] = ["hyperv", "kvm", "pvspinlock"];
        w.open("features");
        let named = |names: &[&str], w: &mut Writer| {
            features.kept.iter().filter(|e| names.contains(&e.name.as_str())).for_each(|e| e.write(w));
        };
        named(&BEFORE_PRIVNET, w);
        if features.privnet {
            w.empty("privnet");
        }
        named(&BEFORE_CAPABILITIES, w);
        if capabilities {
            w.open("capabilities");
            w.attr("policy", features.capability_policy);
            for (capability, on) in &features.capabilities {
                w.open(capability.word());
                w.attr("state", if *on { "on" } else { "off" });
                w.close();
            }
            w.close();
        }
        let rest = |e: &&Element| {
            !BEFORE_PRIVNET.contains(&e.name.as_str()) && !BEFORE_CAPABILITIES.contains(&e.name.as_str())
        };
        features.kept.iter().filter(rest).for_each(|e| e.write(w));
        w.close();
    }

    fn write_devices(&self, w: &mut Writer, form: FormatOptions) {
        w.open("devices");
        w.text_opt("emulator", self.emulator.as_ref());
        self.disks.iter().for_each(|disk| disk.element.write(w));
        let others = |names: &[&str], w: &mut Writer| {
            for name in names {
                self.other_devices.iter().filter(|d| d.name == *name).for_each(|d| d.write(w));
            }
        };
        let (before, rest) = OTHER_CLASSES.split_at(2);
        others(before, w);
        self.filesystems.iter().for_each(|filesystem| filesystem.write(w));
        self.interfaces.iter().for_each(|interface| interface.write(w, form));
        let (before, rest) = rest.split_at(3);
        others(before, w);
        self.consoles.iter().for_each(|console| console.write(w, form));
        let (before, rest) = rest.split_at(7);
        others(before, w);
        self.hostdevs.iter().for_each(|hostdev| hostdev.write(w));
        others(rest, w);
        w.close_apart();
    }

    fn write_shares(&self, w: &mut Writer) {
        let shares = &self.shares;
        w.open("lxc:namespace");
        for (name, share) in
            [("lxc:sharenet", &shares.sharenet), ("lxc:shareipc", &shares.shareipc), ("lxc:shareuts", &shares.shareuts)]
        {
            if let Some(share) = share {
                w.open(name);
                w.attr("type", share.source);
                w.attr("value", &share.value);
                w.close();
            }
        }
        w.close_apart();
    }
}

fn kib(w: &mut Writer, name: &'static str, value: Option<u64>) {
    if let Some(value) = value {
        w.open(name);
        w.attr("unit", "KiB");
        w.close_with(value);
    }
}

fn write_clock(clock: &Clock, w: &mut Writer) {
    w.open("clock");
    match &clock.offset {
        ClockOffset::Utc { reset } | ClockOffset::Localtime { reset } => {
            let local = matches!(clock.offset, ClockOffset::Localtime { .. });
            w.attr("offset", if local { "localtime" } else { "utc" });
            w.attr_opt("adjustment", reset.then_some("reset"));
        }
        ClockOffset::Variable { adjustment, basis } => {
            w.attr("offset", "variable");
            w.attr("adjustment", adjustment);
            w.attr("basis", basis);
        }
        ClockOffset::Timezone(zone) => {
            w.attr("offset", "timezone");
            w.attr("timezone", zone);
        }
        ClockOffset::Absolute(start) => {
            w.attr("offset", "absolute");
            w.attr("start", start);
        }
    }
    clock.timers.iter().for_each(|timer| timer.element.write(w));
    w.close();
}

fn write_seclabel(label: &SecLabel, w: &mut Writer, form: FormatOptions) {
    let live = form != FormatOptions::Inactive;
    w.open("seclabel");
    w.attr("type", label.kind);
    w.attr("model", &label.model);
    if label.kind == SecLabelKind::None {
        w.close();
        return;
    }
    w.attr("relabel", if label.relabel { "yes" } else { "no" });
    w.text_opt("label", label.label.as_ref().filter(|_| live || label.kind == SecLabelKind::Static));
    w.text_opt("imagelabel", label.image_label.as_ref().filter(|_| live && label.relabel));
    w.text_opt("baselabel", label.base_label.as_ref());
    w.close();
}
