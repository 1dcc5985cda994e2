//! The list of all networks: kept, looked up, loaded from their files.

use crate::files::{self, Files};
use crate::{bridge, dnsmasq, firewall, forwards, running};
use api::{Code, Error, ErrorDomain, Event, NetworkEvent, Paths, Result, Uuid};
use conf::Mac;
use conf::network::{Facts, Network, Port};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

/// All networks of one daemon.
pub struct Networks {
    pub(crate) files: Files,
    pub(crate) proc: PathBuf,
    pub(crate) sys: PathBuf,
    pub(crate) hook: crate::hook::Hook,
    publish: Box<dyn Fn(Event) + Send + Sync>,
    /// Locked before any single network, where both are.
    list: Mutex<Vec<Arc<Handle>>>,
}

/// One network. Its name and UUID stay as they are for its whole life.
pub struct Handle {
    pub name: String,
    pub uuid: Uuid,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub struct State {
    /// While it runs.
    pub live: Option<Network>,
    /// What is defined for the next start.
    pub config: Option<Network>,
    pub autostart: bool,
    pub ports: BTreeMap<Uuid, Port>,
}

impl State {
    /// The document that counts now.
    pub fn current(&self) -> Option<&Network> {
        self.live.as_ref().or(self.config.as_ref())
    }
}

impl Handle {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Networks {
    /// Loads what is defined and finds what runs; makes `default` where there never was a network; starts what is
    /// marked for autostart, once after each boot.
    pub fn new(paths: &Paths, publish: impl Fn(Event) + Send + Sync + 'static) -> Result<Arc<Networks>> {
        let networks = Networks {
            files: Files::new(paths),
            proc: paths.proc.clone(),
            sys: paths.sys.clone(),
            hook: crate::hook::Hook::new(paths),
            publish: Box::new(publish),
            list: Mutex::new(Vec::new()),
        };
        let first = !networks.files.config().exists();
        networks.load_running();
        networks.load_definitions();
        if first && let Err(e) = networks.make_default() {
            tracing::error!("the network 'default' cannot be made: {}", e.message);
        }
        networks.autostart();
        Ok(Arc::new(networks))
    }

    pub(crate) fn list(&self) -> MutexGuard<'_, Vec<Arc<Handle>>> {
        self.list.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn publish(&self, handle: &Handle, event: NetworkEvent) {
        (self.publish)(Event::Network { name: handle.name.clone(), uuid: handle.uuid, event });
    }

    /// All handles, by name.
    pub fn all(&self) -> Vec<Arc<Handle>> {
        let mut all = self.list().clone();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    pub fn by_name(&self, name: &str) -> Result<Arc<Handle>> {
        let found = self.list().iter().find(|handle| handle.name == name).cloned();
        found.ok_or_else(|| {
            let words = format!("no network with matching name '{name}'");
            Error::new(ErrorDomain::Network, Code::NoNetwork, words)
        })
    }

    pub fn by_uuid(&self, uuid: &Uuid) -> Result<Arc<Handle>> {
        let found = self.list().iter().find(|handle| handle.uuid == *uuid).cloned();
        found.ok_or_else(|| no_network_uuid(uuid, None))
    }

    pub(crate) fn add(&self, list: &mut Vec<Arc<Handle>>, name: &str, uuid: Uuid, state: State) -> Arc<Handle> {
        let handle = Arc::new(Handle { name: name.to_string(), uuid, state: Mutex::new(state) });
        list.push(Arc::clone(&handle));
        handle
    }

    /// Takes a network off the list that neither runs nor is defined.
    pub(crate) fn forget_if_nothing(&self, handle: &Arc<Handle>) {
        let mut list = self.list();
        if handle.state().current().is_none() {
            dnsmasq::forget(&handle.name, &self.files);
            list.retain(|other| !Arc::ptr_eq(other, handle));
        }
    }

    /// The documents of all networks, for checks against a new one.
    pub(crate) fn documents(list: &[Arc<Handle>]) -> Vec<Network> {
        let both = |handle: &Arc<Handle>| {
            let state = handle.state();
            [state.live.clone(), state.config.clone()]
        };
        list.iter().flat_map(both).flatten().collect()
    }

    /// A document read and completed: refused where its bridge belongs to another network.
    pub(crate) fn complete(&self, network: &mut Network, list: &[Arc<Handle>]) -> Result<()> {
        let others = Networks::documents(list);
        network.refuse_shared_bridge(others.iter())?;
        let named = |name: &str| others.iter().any(|other| other.bridge.name.as_deref() == Some(name));
        let there = |name: &str| bridge::socket().is_ok_and(|mut socket| socket.link(name).is_ok());
        let random = random_bytes()?;
        let mac = Mac::generated([random[0], random[1], random[2]]);
        // One that is defined again keeps its bridge and address.
        if let Some(before) = others.iter().rev().find(|other| other.uuid == network.uuid) {
            network.mac = network.mac.or(before.mac.filter(|_| network.forward.mode.owns_bridge()));
            if network.bridge.name.is_none() && network.forward.mode.owns_bridge() {
                network.bridge.name.clone_from(&before.bridge.name);
            }
        }
        network.complete(mac, &|name| named(name) || there(name))
    }

    pub(crate) fn parse(&self, xml: &[u8], validate: bool) -> Result<Network> {
        let device = |address: &str| self.sys.join("bus/pci/devices").join(address).join("physfn").exists();
        let facts = Facts { new_uuid: Uuid::from_random(random_bytes()?), is_virtual_function: &device };
        let network = Network::parse(xml, validate, &facts)?;
        for warning in conf::network::dropped(xml) {
            tracing::warn!("network '{}': {warning}", network.name);
        }
        if matches!(network.name.as_str(), "." | "..") {
            return Err(Error::xml(
                ErrorDomain::Network,
                format!("network name '{}' cannot be a file's", network.name),
            ));
        }
        Ok(network)
    }

    /// Writes the persistent document.
    pub(crate) fn save_definition(&self, network: &Network) -> Result<()> {
        files::make_folder(self.files.config())?;
        let text = conf::file::with_header(&running::edit_command(&network.name), &network.format());
        files::write_durably(&self.files.definition(&network.name), &text, 0o600)
    }

    fn load_running(&self) {
        for name in files::names_in(self.files.run()) {
            let path = self.files.status(&name);
            let read = fs::read(&path).map_err(|e| files::failed(&e, "read", &path));
            let network = match read.and_then(|xml| Network::parse_status(&xml, &path.to_string_lossy())) {
                Ok(network) if network.name == name => network,
                Ok(network) => {
                    tracing::error!("'{}' holds network '{}': it is left alone", path.display(), network.name);
                    continue;
                }
                Err(e) => {
                    tracing::error!("a running network is not taken over: {}", e.message);
                    continue;
                }
            };
            let ports = self.load_ports(&name);
            let state = State { live: Some(network.clone()), ports, ..State::default() };
            if !running::reattach(&network, &forwards::reserved(&state), &self.files, &self.proc) {
                tracing::warn!("the bridge of network '{name}' is gone: the network has ended");
                state.ports.values().for_each(forwards::forget);
                self.clear(&network);
                continue;
            }
            self.add(&mut self.list(), &name, network.uuid, state);
        }
    }

    /// What is left of a network that ended without us.
    pub(crate) fn clear(&self, network: &Network) {
        files::remove_file(&self.files.status(&network.name));
        dnsmasq::stop(&network.name, &self.files, &self.proc);
        if let Err(e) = firewall::remove(network) {
            tracing::warn!("{}", e.message);
        }
        _ = fs::remove_dir_all(self.files.ports(&network.name));
    }

    fn load_ports(&self, network: &str) -> BTreeMap<Uuid, Port> {
        let folder = self.files.ports(network);
        let mut ports = BTreeMap::new();
        for name in files::names_in(&folder) {
            let path = folder.join(format!("{name}.xml"));
            let read = fs::read(&path).map_err(|e| files::failed(&e, "read", &path));
            match read.and_then(|xml| Port::parse_file(&xml, &path.to_string_lossy())) {
                Ok(port) => _ = ports.insert(port.uuid, port),
                Err(e) => tracing::error!("a port of network '{network}' is lost: {}", e.message),
            }
        }
        ports
    }

    fn load_definitions(&self) {
        let names = files::names_in(self.files.config());
        for name in &names {
            if let Err(e) = self.load_definition(name, names.len() == 1) {
                tracing::error!("network '{name}' is not loaded: {}", e.message);
            }
        }
    }

    fn load_definition(&self, name: &str, only: bool) -> Result<()> {
        let path = self.files.definition(name);
        let xml = fs::read(&path).map_err(|e| files::failed(&e, "read", &path))?;
        let mut network = self.parse(&xml, false)?;
        if network.name != name {
            let words =
                format!("Network config filename '{}' does not match network name '{}'", path.display(), network.name);
            return Err(Error::internal(ErrorDomain::Network, words));
        }
        let mut list = self.list();
        let before = network.clone();
        self.complete(&mut network, &list)?;
        // A file as a package lays it down names no UUID: until now no daemon has read it.
        let untouched = !String::from_utf8_lossy(&xml).contains("<uuid>");
        if untouched || before != network {
            self.save_definition(&network)?;
        }
        if untouched && only && name == "default" {
            self.link_autostart(name)?;
        }
        let autostart = self.files.autostart(name).symlink_metadata().is_ok();
        match list.iter().find(|handle| handle.name == name).cloned() {
            Some(handle) => {
                let mut state = handle.state();
                network.uuid = handle.uuid;
                state.config = Some(network);
                state.autostart = autostart;
            }
            None => {
                network.refuse_shared_name(Networks::documents(&list).iter())?;
                let uuid = network.uuid;
                let state = State { config: Some(network), autostart, ..State::default() };
                self.add(&mut list, name, uuid, state);
            }
        }
        Ok(())
    }

    fn make_default(&self) -> Result<()> {
        let third = bridge::free_third_byte(&mut bridge::socket()?)?;
        let xml = format!(
            "<network><name>default</name><forward mode='nat'/><bridge stp='on' delay='0'/>\
             <ip address='192.168.{third}.1' netmask='255.255.255.0'>\
             <dhcp><range start='192.168.{third}.2' end='192.168.{third}.254'/></dhcp></ip></network>"
        );
        self.define(&xml, false)?;
        self.set_autostart(&*self.by_name("default")?, true)
    }

    fn autostart(&self) {
        let marker = self.files.autostarted();
        if marker.exists() {
            return;
        }
        for handle in self.all() {
            let wanted = {
                let state = handle.state();
                state.autostart && state.live.is_none()
            };
            if wanted && let Err(e) = self.start(&handle) {
                tracing::error!("network '{}' is not started: {}", handle.name, e.message);
            }
        }
        let marked = files::make_folder(self.files.run()).and_then(|()| files::write(&marker, "", 0o600));
        if let Err(e) = marked {
            tracing::warn!("{}", e.message);
        }
    }
}

pub fn random_bytes() -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .map_err(|e| Error::system(ErrorDomain::Network, &e.into(), "cannot draw random numbers"))?;
    Ok(bytes)
}

/// `name`, where the client has one.
pub fn no_network_uuid(uuid: &Uuid, name: Option<&str>) -> Error {
    let more = name.map(|name| format!(" ({name})")).unwrap_or_default();
    let words = format!("no network with matching uuid '{uuid}'{more}");
    Error::new(ErrorDomain::Network, Code::NoNetwork, words)
}
