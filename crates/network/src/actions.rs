//! What clients do with networks: define, start, stop, change, forget.

use crate::files;
use crate::leases::{self, Lease};
use crate::registry::{Handle, Networks, State};
use crate::{dnsmasq, firewall, forwards, running};
use api::{Error, ErrorDomain, NetworkEvent, Result};
use conf::Mac;
use conf::network::{Command, Connections, Network, Plug, Section};
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Bits of `virNetworkUpdateFlags`.
pub const UPDATE_LIVE: u32 = 1;
pub const UPDATE_CONFIG: u32 = 2;

fn invalid<T>(words: impl Into<String>) -> Result<T> {
    Err(Error::operation_invalid(ErrorDomain::Network, words))
}

pub(crate) fn not_active(name: &str) -> Error {
    Error::operation_invalid(ErrorDomain::Network, format!("network '{name}' is not active"))
}

impl Networks {
    /// Defines a network, or defines it anew; what runs goes on as it is.
    pub fn define(&self, xml: &str, validate: bool) -> Result<Arc<Handle>> {
        let mut network = self.parse(xml.as_bytes(), validate)?;
        dnsmasq::check_lines(&network, None, &self.files)?;
        let mut list = self.list();
        self.complete(&mut network, &list)?;
        network.refuse_shared_name(Networks::documents(&list).iter())?;
        let found = list.iter().find(|handle| handle.uuid == network.uuid).cloned();
        self.save_definition(&network)?;
        let handle = match found {
            Some(handle) => {
                handle.state().config = Some(network);
                handle
            }
            None => {
                let (name, uuid) = (network.name.clone(), network.uuid);
                let state = State { config: Some(network), ..State::default() };
                self.add(&mut list, &name, uuid, state)
            }
        };
        drop(list);
        self.publish(&handle, NetworkEvent::Defined);
        Ok(handle)
    }

    /// Makes and starts a network that is gone when it ends, unless it is also defined.
    pub fn create(&self, xml: &str, validate: bool) -> Result<Arc<Handle>> {
        let mut network = self.parse(xml.as_bytes(), validate)?;
        dnsmasq::check_lines(&network, None, &self.files)?;
        let mut list = self.list();
        self.complete(&mut network, &list)?;
        network.refuse_shared_name(Networks::documents(&list).iter())?;
        let found = list.iter().find(|handle| handle.uuid == network.uuid).cloned();
        let handle = match found {
            Some(handle) => handle,
            None => self.add(&mut list, &network.name, network.uuid, State::default()),
        };
        let mut state = handle.state();
        drop(list);
        if state.live.is_some() {
            return invalid(format!("network is already active as '{}'", handle.name));
        }
        let started = self.bring_up(&handle, &mut state, network);
        drop(state);
        if started.is_err() {
            self.forget_if_nothing(&handle);
        }
        started?;
        self.publish(&handle, NetworkEvent::Started);
        Ok(handle)
    }

    pub fn start(&self, handle: &Handle) -> Result<()> {
        let mut state = handle.state();
        if state.live.is_some() {
            return invalid("network is already active");
        }
        let Some(network) = state.config.clone() else {
            return Err(crate::registry::no_network_uuid(&handle.uuid, Some(&handle.name)));
        };
        self.bring_up(handle, &mut state, network)?;
        drop(state);
        self.publish(handle, NetworkEvent::Started);
        Ok(())
    }

    fn bring_up(&self, handle: &Handle, state: &mut State, network: Network) -> Result<()> {
        let live = network.with_live_defaults();
        self.hook.network(&live, "start", "begin")?;
        running::start(&live, &self.files, &self.proc)?;
        if let Err(e) = self.hook.network(&live, "started", "begin") {
            running::stop(&live, &self.files, &self.proc);
            return Err(e);
        }
        tracing::info!("network '{}' is started", handle.name);
        state.live = Some(live);
        state.ports.clear();
        Ok(())
    }

    /// Ends the network; whoever is plugged in is unplugged.
    pub fn destroy(&self, handle: &Arc<Handle>) -> Result<()> {
        let mut state = handle.state();
        let Some(live) = state.live.take() else { return Err(not_active(&handle.name)) };
        running::stop(&live, &self.files, &self.proc);
        state.ports.values().for_each(forwards::forget);
        state.ports.clear();
        _ = fs::remove_dir_all(self.files.run().join(&handle.name));
        if let Err(e) = self.hook.network(&live, "stopped", "end") {
            tracing::warn!("{}", e.message);
        }
        drop(state);
        self.forget_if_nothing(handle);
        tracing::info!("network '{}' has ended", handle.name);
        self.publish(handle, NetworkEvent::Stopped);
        Ok(())
    }

    /// Forgets the definition; what runs goes on and is gone when it ends.
    pub fn undefine(&self, handle: &Arc<Handle>) -> Result<()> {
        let mut state = handle.state();
        if state.config.is_none() {
            return invalid("can't undefine transient network");
        }
        let path = self.files.definition(&handle.name);
        files::remove_file(&self.files.autostart(&handle.name));
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(files::failed(&e, "remove", &path)),
            _ => {}
        }
        state.config = None;
        state.autostart = false;
        drop(state);
        self.forget_if_nothing(handle);
        self.publish(handle, NetworkEvent::Undefined);
        Ok(())
    }

    pub fn set_autostart(&self, handle: &Handle, autostart: bool) -> Result<()> {
        let mut state = handle.state();
        if state.config.is_none() {
            return invalid("cannot set autostart for transient network");
        }
        if autostart {
            self.link_autostart(&handle.name)?;
        } else {
            files::remove_file(&self.files.autostart(&handle.name));
        }
        state.autostart = autostart;
        Ok(())
    }

    pub(crate) fn link_autostart(&self, name: &str) -> Result<()> {
        let link = self.files.autostart(name);
        files::make_folder(&self.files.autostart_folder())?;
        match symlink(self.files.definition(name), &link) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(files::failed(&e, "make the link", &link)),
            _ => Ok(()),
        }
    }

    /// The document as it runs, or as it is defined.
    pub fn xml(&self, handle: &Handle, inactive: bool) -> Result<String> {
        let state = handle.state();
        match (inactive, &state.live, &state.config) {
            (false, Some(live), _) => Ok(live.format_live(&connections(&state))),
            (_, _, Some(config)) => Ok(config.format()),
            // Of one that is not persistent the running document is all there is.
            (_, Some(live), None) => Ok(live.format()),
            (_, None, None) => Err(crate::registry::no_network_uuid(&handle.uuid, Some(&handle.name))),
        }
    }

    pub fn bridge_name(&self, handle: &Handle) -> Result<String> {
        let state = handle.state();
        match state.current().and_then(|network| network.bridge.name.clone()) {
            Some(bridge) => Ok(bridge),
            None => {
                let words = format!("network '{}' does not have a bridge name.", handle.name);
                Err(Error::internal(ErrorDomain::Network, words))
            }
        }
    }

    /// Addresses that are lent now; of one client if `mac` is given.
    pub fn leases(&self, handle: &Handle, mac: Option<&str>) -> Result<Vec<Lease>> {
        let state = handle.state();
        let Some(network) = state.current() else { return Ok(Vec::new()) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        let mut found = Vec::new();
        let bridge = network.bridge.name.as_deref().unwrap_or_default();
        if let Ok(text) = fs::read_to_string(self.files.libvirt_leases(bridge)) {
            found = leases::from_libvirt(&text, network, now);
        }
        if let Ok(text) = fs::read_to_string(self.files.leases(&handle.name)) {
            let ours = leases::from_dnsmasq(&text, network, now);
            found.retain(|lease| ours.iter().all(|other| other.address != lease.address));
            found.extend(ours);
        }
        let wanted = mac.map(|mac| {
            conf::Mac::parse(mac).ok_or_else(|| Error::new(ErrorDomain::Network, api::Code::InvalidMac, mac))
        });
        if let Some(wanted) = wanted.transpose()? {
            let same = |lease: &Lease| lease.mac.as_deref().and_then(conf::Mac::parse) == Some(wanted);
            found.retain(same);
        }
        Ok(found)
    }

    /// Changes one section, of what runs, of what is defined, or both; all or nothing.
    pub fn update(
        &self,
        handle: &Handle,
        (command, section, parent): (Command, Section, i32),
        xml: &str,
        flags: u32,
    ) -> Result<()> {
        let mut state = handle.state();
        let flags = match flags & (UPDATE_LIVE | UPDATE_CONFIG) {
            0 if state.live.is_some() => UPDATE_LIVE,
            0 => UPDATE_CONFIG,
            flags => flags,
        };
        if flags & UPDATE_LIVE != 0 && state.live.is_none() {
            return invalid("network is not running");
        }
        if flags & UPDATE_CONFIG != 0 && state.config.is_none() {
            return invalid("cannot change persistent config of a transient network");
        }
        let changed = |network: &Option<Network>, flag: u32| match network {
            Some(network) if flags & flag != 0 => {
                self.refuse_device_in_use(&state, network, command, section, xml, flag)?;
                let after = network.updated(command, section, parent, xml)?;
                dnsmasq::check_lines(&after, Some(network), &self.files)?;
                Ok(Some(after))
            }
            _ => Ok(None),
        };
        let config = changed(&state.config, UPDATE_CONFIG)?;
        for warning in conf::network::dropped_from_update(section, xml.as_bytes()) {
            tracing::warn!("a change of network '{}': {warning}", handle.name);
        }
        let live = changed(&state.live, UPDATE_LIVE)?;
        if let (Some(live), Some(before)) = (&live, &state.live) {
            self.apply(before, live, &forwards::reserved(&state))?;
        }
        if let Some(config) = config {
            self.save_definition(&config)?;
            state.config = Some(config);
        }
        if let Some(live) = live {
            running::save(&live, &self.files)?;
            if let Err(e) = self.hook.network(&live, "updated", "begin") {
                tracing::warn!("{}", e.message);
            }
            state.live = Some(live);
        }
        Ok(())
    }

    /// A device that interfaces of domains are on stays in the pool.
    fn refuse_device_in_use(
        &self,
        state: &State,
        network: &Network,
        command: Command,
        section: Section,
        xml: &str,
        flag: u32,
    ) -> Result<()> {
        if section != Section::ForwardInterface || command != Command::Delete || flag != UPDATE_LIVE {
            return Ok(());
        }
        let after = network.updated(command, section, -1, xml)?;
        let gone = network.forward.interfaces.iter().find(|dev| !after.forward.interfaces.contains(dev));
        let Some(dev) = gone else { return Ok(()) };
        match device_use(state, dev) {
            0 => Ok(()),
            count => invalid(format!(
                "unable to delete interface '{dev}' in network '{}'. It is currently being used by {count} domains.",
                network.name
            )),
        }
    }

    /// Makes a running network follow its changed document.
    fn apply(&self, before: &Network, after: &Network, reserved: &[(Mac, Ipv4Addr)]) -> Result<()> {
        if !after.forward.mode.owns_bridge() {
            return Ok(());
        }
        if before.forward != after.forward {
            firewall::load(after)?;
        }
        let (old, new) = (dnsmasq::config(before, &self.files), dnsmasq::config(after, &self.files));
        if old == new && dnsmasq::is_needed(before) == dnsmasq::is_needed(after) {
            if before.ips == after.ips && before.dns == after.dns {
                return Ok(());
            }
            return dnsmasq::reload(after, reserved, &self.files, &self.proc);
        }
        dnsmasq::stop(&after.name, &self.files, &self.proc);
        dnsmasq::start(after, reserved, &self.files).inspect_err(|_| {
            if let Err(e) = dnsmasq::start(before, reserved, &self.files) {
                tracing::error!("network '{}' is without dnsmasq: {}", after.name, e.message);
            }
        })
    }
}

pub(crate) fn device_use(state: &State, dev: &str) -> usize {
    state.ports.values().filter(|port| matches!(&port.plug, Plug::Direct { dev: other, .. } if other == dev)).count()
}

fn connections(state: &State) -> Connections {
    let devices = state.live.as_ref().map(|live| live.forward.interfaces.clone()).unwrap_or_default();
    Connections {
        all: state.ports.len(),
        by_device: devices.into_iter().map(|dev| (dev.clone(), device_use(state, &dev))).collect(),
    }
}
