//! From devices to their elements.

use super::network::{address_element, route_element};
use super::*;
use crate::xml::Writer;

fn yes_no(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}

fn kept(elements: &[Element], names: &[&str], w: &mut Writer) {
    for name in names {
        elements.iter().filter(|e| e.name == *name).for_each(|e| e.write(w));
    }
}

const INFO: [&str; 6] = ["boot", "rom", "alias", "master", "acpi", "address"];

impl Filesystem {
    pub(crate) fn write(&self, w: &mut Writer) {
        w.open("filesystem");
        w.attr("type", self.source.kind());
        w.attr_opt("accessmode", self.access_mode);
        w.attr_opt("model", self.model.as_ref());
        w.attr_opt("multidevs", self.multidevs.as_ref());
        w.attr_opt("fmode", self.file_mode.map(|mode| format!("{mode:04o}")));
        w.attr_opt("dmode", self.directory_mode.map(|mode| format!("{mode:04o}")));
        if let Some(driver) = &self.driver {
            w.open("driver");
            w.attr("type", driver.kind);
            w.attr_opt("format", driver.format.as_ref());
            w.attr_opt("wrpolicy", driver.write_policy.as_ref());
            driver.kept.iter().for_each(|(name, value)| w.attr(name, value));
            w.close();
        }
        kept(&self.kept, &["driver", "binary"], w);
        w.open("source");
        match &self.source {
            FilesystemSource::Mount { dir } | FilesystemSource::Bind { dir } => w.attr("dir", dir),
            FilesystemSource::MountSocket { socket } => w.attr("socket", socket),
            FilesystemSource::Block { dev } => w.attr("dev", dev),
            FilesystemSource::File { file } => w.attr("file", file),
            FilesystemSource::Template { name } => w.attr("name", name),
            FilesystemSource::Ram { usage } => {
                w.attr("usage", usage);
                w.attr("units", "KiB");
            }
            FilesystemSource::Volume { pool, volume } => {
                w.attr("pool", pool);
                w.attr("volume", volume);
            }
        }
        w.close();
        w.open("target");
        w.attr("dir", &self.target);
        w.close();
        if self.read_only {
            w.empty("readonly");
        }
        kept(&self.kept, &INFO, w);
        for (name, limit) in [("space_hard_limit", self.space_hard_limit), ("space_soft_limit", self.space_soft_limit)]
        {
            if limit != 0 {
                w.open(name);
                w.attr("unit", "bytes");
                w.close_with(limit);
            }
        }
        if let Some(mount) = &self.mount {
            mount.write(w);
        }
        w.close();
    }
}

impl Console {
    pub(crate) fn write(&self, w: &mut Writer, form: FormatOptions) {
        let live = form != FormatOptions::Inactive;
        w.open("console");
        w.attr("type", &self.kind);
        w.attr_opt("tty", self.tty.as_ref().filter(|_| live));
        if let Some(path) = self.source_path.as_ref().filter(|_| live && self.kind == "pty") {
            w.open("source");
            w.attr("path", path);
            w.close();
        }
        kept(&self.kept, &["source", "protocol", "log"], w);
        w.open("target");
        w.attr("type", &self.target_kind);
        w.attr("port", self.port);
        w.close();
        if let Some(alias) = self.alias.as_ref().filter(|_| live) {
            w.open("alias");
            w.attr("name", alias);
            w.close();
        }
        kept(&self.kept, &INFO, w);
        w.close();
    }
}

impl Hostdev {
    pub(crate) fn write(&self, w: &mut Writer) {
        let (mode, kind) = match &self.source {
            HostdevSource::Other(element) => return element.write(w),
            HostdevSource::Storage { .. } => ("capabilities", "storage"),
            HostdevSource::Misc { .. } => ("capabilities", "misc"),
            HostdevSource::Net { .. } => ("capabilities", "net"),
            HostdevSource::Usb(_) => ("subsystem", "usb"),
        };
        w.open("hostdev");
        w.attr("mode", mode);
        w.attr("type", kind);
        if mode == "subsystem" {
            w.attr("managed", yes_no(self.managed));
        }
        match &self.source {
            HostdevSource::Storage { block } => nested(w, "block", block),
            HostdevSource::Misc { char } => nested(w, "char", char),
            HostdevSource::Net { interface, ips, routes } => {
                nested(w, "interface", interface);
                ips.iter().map(address_element).for_each(|ip| ip.write(w));
                routes.iter().map(route_element).for_each(|route| route.write(w));
            }
            HostdevSource::Usb(usb) => usb.write(w),
            HostdevSource::Other(_) => {}
        }
        kept(&self.kept, &["readonly", "shareable"], w);
        kept(&self.kept, &INFO, w);
        w.close_apart();
    }
}

fn nested(w: &mut Writer, name: &'static str, text: &str) {
    w.open("source");
    w.text(name, text);
    w.close();
}

impl UsbSource {
    fn write(&self, w: &mut Writer) {
        if *self == UsbSource::default() {
            return;
        }
        w.open("source");
        w.attr_opt("startupPolicy", self.startup_policy.as_ref());
        w.attr_opt("guestReset", self.guest_reset.as_ref());
        if self.vendor != 0 {
            for (name, id) in [("vendor", self.vendor), ("product", self.product)] {
                w.open(name);
                w.attr("id", format!("0x{id:04x}"));
                w.close();
            }
        }
        if self.bus != 0 || self.device != 0 {
            w.open("address");
            w.attr("bus", self.bus);
            w.attr("device", self.device);
            w.close();
        }
        w.close();
    }
}

impl Interface {
    pub(crate) fn write(&self, w: &mut Writer, form: FormatOptions) {
        let live = form != FormatOptions::Inactive;
        // A live document shows what the network made of the interface, a status file keeps both.
        let shown = self.actual.as_ref().filter(|_| form == FormatOptions::Live);
        let kind = match (&self.source, shown) {
            (InterfaceSource::Network { .. }, Some(actual)) => actual.kind.word(),
            _ => self.source.kind(),
        };
        w.open("interface");
        w.attr("type", kind);
        w.attr_opt("managed", self.managed.then_some("yes"));
        let trust = shown.and_then(|actual| actual.trust_guest_rx_filters).or(self.trust_guest_rx_filters);
        w.attr_opt("trustGuestRxFilters", trust.map(yes_no));
        w.open("mac");
        w.attr("address", self.mac);
        self.mac_kept.iter().for_each(|(name, value)| w.attr(name, value));
        w.close();
        // Of a device of the machine, the driver comes first.
        let whole = self.source.kind() == "hostdev";
        if whole {
            kept(&self.kept, &["driver"], w);
        }
        self.write_source(w, live, shown);
        if let Some(actual) = self.actual.as_ref().filter(|_| form == FormatOptions::Status) {
            actual.write(w);
        }
        let from = |name: &str| {
            let theirs = shown.filter(|actual| actual.kept.iter().any(|e| e.name == name));
            theirs.map_or(&self.kept, |actual| &actual.kept)
        };
        for name in ["vlan", "virtualport"] {
            kept(from(name), &[name], w);
        }
        if let Some(bandwidth) = shown.and_then(|a| a.bandwidth.as_ref()).or(self.bandwidth.as_ref()) {
            bandwidth.write(w, None);
        }
        kept(from("port"), &["port"], w);
        self.ips.iter().for_each(|ip| address_element(ip).write(w));
        self.routes.iter().for_each(|route| route_element(route).write(w));
        kept(&self.kept, &["portForward"], w);
        if let Some(script) = &self.script {
            w.open("script");
            w.attr("path", script);
            w.close();
        }
        kept(&self.kept, &["downscript", "backenddomain"], w);
        let made_up = |dev: &str| ["vnet", "macvtap", "macvlan"].iter().any(|prefix| dev.starts_with(prefix));
        let target = self.target_dev.as_ref().filter(|dev| live || !made_up(dev));
        if target.is_some() || self.target_managed.is_some() {
            w.open("target");
            w.attr_opt("dev", target);
            w.attr_opt("managed", self.target_managed.map(yes_no));
            w.close();
        }
        if self.guest_dev.is_some() || self.guest_actual.is_some() {
            w.open("guest");
            w.attr_opt("dev", self.guest_dev.as_ref());
            w.attr_opt("actual", self.guest_actual.as_ref());
            w.close();
        }
        if let Some(model) = &self.model {
            w.open("model");
            w.attr("type", model);
            w.close();
        }
        if !whole {
            kept(&self.kept, &["driver"], w);
        }
        kept(&self.kept, &["backend"], w);
        if let Some(filter) = &self.filterref {
            filter.write(w);
        }
        kept(&self.kept, &["tune", "teaming"], w);
        if let Some(up) = self.link_up {
            w.open("link");
            w.attr("state", if up { "up" } else { "down" });
            w.close();
        }
        if self.mtu != 0 {
            w.open("mtu");
            w.attr("size", self.mtu);
            w.close();
        }
        kept(&self.kept, &["coalesce", "boot"], w);
        if let Some(alias) = self.alias.as_ref().filter(|_| live) {
            w.open("alias");
            w.attr("name", alias);
            w.close();
        }
        kept(&self.kept, &["rom", "acpi", "address"], w);
        w.close();
    }

    fn write_source(&self, w: &mut Writer, live: bool, shown: Option<&Actual>) {
        match &self.source {
            InterfaceSource::Network { network, portgroup } => {
                w.open("source");
                w.attr("network", network);
                w.attr_opt("portgroup", portgroup.as_ref());
                w.attr_opt("portid", self.port_id.filter(|_| live));
                if let Some(actual) = shown {
                    w.attr_opt("bridge", actual.bridge.as_ref());
                    if let Some((dev, mode)) = &actual.direct {
                        w.attr("dev", dev);
                        w.attr("mode", mode);
                    }
                    w.attr_opt("macTableManager", actual.mac_table_manager.as_ref());
                }
                w.close();
            }
            InterfaceSource::Bridge { bridge } => {
                w.open("source");
                w.attr("bridge", bridge);
                w.close();
            }
            InterfaceSource::Direct { dev, mode } => {
                w.open("source");
                w.attr("dev", dev);
                w.attr("mode", mode);
                w.close();
            }
            InterfaceSource::Ethernet { ips, routes } => {
                if !ips.is_empty() || !routes.is_empty() {
                    w.open("source");
                    ips.iter().for_each(|ip| address_element(ip).write(w));
                    routes.iter().for_each(|route| route_element(route).write(w));
                    w.close();
                }
            }
            InterfaceSource::Other { source, .. } => {
                if let Some(source) = source {
                    source.write(w);
                }
            }
        }
    }
}

impl Actual {
    fn write(&self, w: &mut Writer) {
        w.open("actual");
        w.attr("type", self.kind.word());
        w.attr_opt("trustGuestRxFilters", self.trust_guest_rx_filters.map(yes_no));
        if self.bridge.is_some() || self.direct.is_some() || self.mac_table_manager.is_some() {
            w.open("source");
            w.attr_opt("bridge", self.bridge.as_ref());
            if let Some((dev, mode)) = &self.direct {
                w.attr("dev", dev);
                w.attr("mode", mode);
            }
            w.attr_opt("macTableManager", self.mac_table_manager.as_ref());
            w.close();
        }
        if let Some(class) = self.class_id {
            w.open("class");
            w.attr("id", class);
            w.close();
        }
        kept(&self.kept, &["vlan", "virtualport"], w);
        if let Some(bandwidth) = &self.bandwidth {
            bandwidth.write(w, None);
        }
        kept(&self.kept, &["port"], w);
        w.close();
    }
}
