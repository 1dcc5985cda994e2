//! Ports: what plugs an interface of a domain into a network.

use crate::actions::{device_use, not_active};
use crate::files;
use crate::forwards;
use crate::registry::{Handle, Networks, State, random_bytes};
use crate::{Plug, PortLink, PortOwner};
use api::{Code, Error, ErrorDomain, Result, Uuid};
use conf::Mac;
use conf::network::{self, ForwardMode, Network, Port};
use std::sync::Arc;

impl Networks {
    /// A port for one interface of a domain that starts.
    pub fn allocate_port(&self, network: &str, owner: &PortOwner) -> Result<PortLink> {
        let handle = self.by_name(network)?;
        let mut state = handle.state();
        let uuid = Uuid::from_random(random_bytes()?);
        self.plug_in(&handle, &mut state, uuid, owner)
    }

    /// After a restart of the daemon: the port that the domain's status file names. It is made anew where it is lost.
    pub fn claim_port(&self, network: &str, port_id: &Uuid, owner: &PortOwner) -> Result<PortLink> {
        let handle = self.by_name(network)?;
        let mut state = handle.state();
        if let (Some(port), Some(live)) = (state.ports.get(port_id), &state.live) {
            return link(live, port);
        }
        self.plug_in(&handle, &mut state, *port_id, owner)
    }

    /// Nothing happens where the port or network is gone already.
    pub fn release_port(&self, network: &str, port_id: &Uuid) {
        let Ok(handle) = self.by_name(network) else { return };
        _ = self.unplug(&handle, port_id);
    }

    fn plug_in(&self, handle: &Handle, state: &mut State, uuid: Uuid, owner: &PortOwner) -> Result<PortLink> {
        let Some(live) = &state.live else {
            return Err(
                not_active(&handle.name).explain(format!("; it is started by: virsh net-start {}", handle.name))
            );
        };
        let group = live.portgroup(owner.portgroup.as_deref());
        let port = Port {
            uuid,
            owner_name: owner.domain_name.clone(),
            owner_uuid: owner.domain_uuid,
            group: owner.portgroup.clone(),
            mac: Mac(owner.mac),
            virtualport: None,
            class_id: None,
            bandwidth: group.and_then(|group| group.bandwidth.clone()),
            vlan: None,
            trust_guest: group.and_then(|group| group.trust_guest_rx_filters).or(live.trust_guest_rx_filters),
            isolated: live.port_isolated,
            plug: plug(state, live)?,
            address: None,
        };
        let link = link(live, &port)?;
        self.hook.port(live, &port, "port-created")?;
        self.save_port(handle, &port)?;
        state.ports.insert(uuid, port);
        Ok(link)
    }

    pub(crate) fn save_port(&self, handle: &Handle, port: &Port) -> Result<()> {
        files::make_folder(&self.files.ports(&handle.name))?;
        let text = conf::file::with_header(&format!("net-port-create {}", port.uuid), &port.format());
        files::write(&self.files.port(&handle.name, &port.uuid), &text, 0o600)
    }

    fn unplug(&self, handle: &Handle, port_id: &Uuid) -> Option<Port> {
        let mut state = handle.state();
        let port = state.ports.remove(port_id)?;
        forwards::forget(&port);
        files::remove_file(&self.files.port(&handle.name, port_id));
        if let Some(live) = &state.live
            && let Err(e) = self.hook.port(live, &port, "port-deleted")
        {
            tracing::warn!("{}", e.message);
        }
        Some(port)
    }

    /// A port from a client's document.
    pub fn create_port(&self, handle: &Arc<Handle>, xml: &str, validate: bool) -> Result<Uuid> {
        let mut state = handle.state();
        let Some(live) = state.live.clone() else { return Err(not_active(&handle.name)) };
        let mut port = Port::parse(xml.as_bytes(), validate)?;
        if state.ports.contains_key(&port.uuid) {
            let words = format!("Network port with UUID {} already exists", port.uuid);
            return Err(Error::new(ErrorDomain::Network, Code::NetworkPortExist, words));
        }
        if let Some(kind) = port.virtualport.as_ref().and_then(|port| port.attr("type"))
            && live.forward.mode.owns_bridge()
        {
            return Err(Error::config_unsupported(
                ErrorDomain::Network,
                format!(
                    "<virtualport type='{kind}'> not supported for network '{}' which uses IP forwarding",
                    handle.name
                ),
            ));
        }
        port.plug = plug(&state, &live)?;
        port.address = None;
        port.isolated = port.isolated.or(live.port_isolated);
        self.hook.port(&live, &port, "port-created")?;
        self.save_port(handle, &port)?;
        let uuid = port.uuid;
        state.ports.insert(uuid, port);
        Ok(uuid)
    }

    pub fn delete_port(&self, handle: &Handle, port_id: &Uuid) -> Result<()> {
        if handle.state().live.is_none() {
            return Err(not_active(&handle.name));
        }
        self.unplug(handle, port_id).map(|_| ()).ok_or_else(|| no_port(port_id))
    }

    pub fn port_xml(&self, handle: &Handle, port_id: &Uuid) -> Result<String> {
        let state = handle.state();
        let port = state.ports.get(port_id).ok_or_else(|| no_port(port_id))?;
        Ok(port.format())
    }

    pub fn port_ids(&self, handle: &Handle) -> Result<Vec<Uuid>> {
        let state = handle.state();
        match &state.live {
            Some(_) => Ok(state.ports.keys().copied().collect()),
            None => Err(not_active(&handle.name)),
        }
    }
}

pub fn no_port(port_id: &Uuid) -> Error {
    let words = format!("Network port with UUID {port_id} does not exist");
    Error::new(ErrorDomain::Network, Code::NoNetworkPort, words)
}

/// Where an interface goes in this network.
fn plug(state: &State, live: &Network) -> Result<network::Plug> {
    let mode = live.forward.mode;
    let name = &live.name;
    match (mode, &live.bridge.name) {
        (mode, Some(bridge)) if mode.owns_bridge() => {
            Ok(network::Plug::Network { bridge: bridge.clone(), mac_table_manager: None })
        }
        (ForwardMode::Bridge, Some(bridge)) => {
            Ok(network::Plug::Bridge { bridge: bridge.clone(), mac_table_manager: None })
        }
        (ForwardMode::Hostdev, _) => Err(Error::config_unsupported(
            ErrorDomain::Network,
            format!("network '{name}' provides PCI devices, which cannot be plugged into a container"),
        )),
        _ => {
            let devices = live.forward.interfaces.iter().map(|dev| (device_use(state, dev), dev));
            let exclusive = mode == ForwardMode::Passthrough;
            if live.forward.interfaces.is_empty() {
                let words =
                    format!("network '{name}' uses a direct mode, but has no forward dev and no interface pool");
                return Err(Error::internal(ErrorDomain::Network, words));
            }
            match devices.filter(|(used, _)| !exclusive || *used == 0).min_by_key(|(used, _)| *used) {
                Some((_, dev)) => Ok(network::Plug::Direct { dev: dev.clone(), mode: mode.text().to_string() }),
                None => {
                    let words =
                        format!("network '{name}' requires exclusive access to interfaces, but none are available");
                    Err(Error::internal(ErrorDomain::Network, words))
                }
            }
        }
    }
}

fn link(live: &Network, port: &Port) -> Result<PortLink> {
    let plug = match &port.plug {
        network::Plug::Network { bridge, .. } => Plug::Network { bridge: bridge.clone() },
        network::Plug::Bridge { bridge, .. } => Plug::Bridge { bridge: bridge.clone() },
        network::Plug::Direct { dev, mode } => Plug::Direct { dev: dev.clone(), mode: mode.clone() },
        network::Plug::None => {
            let words = format!("port {} of network '{}' leads nowhere", port.uuid, live.name);
            return Err(Error::internal(ErrorDomain::Network, words));
        }
    };
    Ok(PortLink {
        port_id: port.uuid,
        plug,
        mtu: Some(live.mtu).filter(|mtu| *mtu > 0),
        isolated: port.isolated == Some(true),
        bandwidth: port.bandwidth.clone(),
    })
}
