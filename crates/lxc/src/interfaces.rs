//! A domain's interfaces on the host's side: ports in virtual networks, veth pairs, macvlans; made for a start, undone.

use crate::driver::Driver;
use api::{Error, ErrorDomain, Result, Uuid};
use conf::Bandwidth;
use conf::domain::{Actual, ActualKind, DirectMode, Domain, HostdevSource, Interface, InterfaceSource};
use linux::netlink::{Change, Macvlan, MacvlanMode, Netns, Socket, Veth};
use network::{Plug, PortOwner};
use rustix::io::Errno;
use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// What was made for one start.
#[derive(Default)]
pub struct Plugged {
    /// Ports taken: network and port.
    ports: Vec<(String, Uuid)>,
    /// Links made here, to be deleted where no container's end will take them along.
    links: Vec<String>,
    /// What those links are limited to.
    limits: Vec<(String, Bandwidth)>,
    /// The ends that the controller moves into the container, one an interface.
    pub inner: Vec<String>,
    /// Pairs that are made once the container's network namespace is there: to move a link there costs the kernel twenty
    /// milliseconds, to make it there nothing.
    waiting: Vec<Waiting>,
}

/// A veth pair that is still to be made.
struct Waiting {
    /// Which of the document's interfaces it is.
    interface: usize,
    cable: Cable,
    names: (String, String),
}

/// What a veth pair is to be like.
struct Cable {
    bridge: Option<String>,
    mtu: Option<u32>,
    isolated: bool,
    /// The outer end's name as the document has it.
    given: Option<String>,
}

/// Numbers of `vnetN` and `macvlanN` given out. A pair of links takes two.
#[derive(Default)]
pub struct LinkNumbers {
    vnet: AtomicU32,
    macvlan: AtomicU32,
}

impl LinkNumbers {
    fn vnet(&self) -> String {
        format!("vnet{}", self.vnet.fetch_add(1, Ordering::Relaxed))
    }

    fn macvlan(&self) -> String {
        format!("macvlan{}", self.macvlan.fetch_add(1, Ordering::Relaxed))
    }

    /// A name that a running container has is not given out again.
    pub fn reserve(&self, name: &str) {
        if let Some(number) = name.strip_prefix("vnet").and_then(|number| number.parse::<u32>().ok()) {
            self.vnet.fetch_max(number.saturating_add(1), Ordering::Relaxed);
        }
    }
}

/// Interfaces that one bridge takes (`BR_MAX_PORTS` of Linux, of which number 0 is none).
const BRIDGE_PORTS: u32 = 1023;

/// Where an interface really goes.
enum Connection {
    Bridge(Cable),
    Direct { dev: String, mode: DirectMode },
}

/// What can be said before anything is made.
pub fn check(definition: &Domain) -> Result<()> {
    for interface in &definition.interfaces {
        let refused = |words: &str| Err(Error::config_unsupported(ErrorDomain::Lxc, words));
        if let InterfaceSource::Other { kind, .. } = &interface.source {
            return match kind.as_str() {
                "hostdev" => refused("Unsupported hostdev type pci"),
                kind => Err(Error::internal(ErrorDomain::Lxc, format!("Unsupported network type {kind}"))),
            };
        }
        if interface.script.is_some() {
            return refused("scripts are not supported on LXC network interfaces");
        }
        if matches!(interface.source, InterfaceSource::Direct { .. }) {
            if interface.bandwidth.is_some() {
                return refused("Unable to set network bandwidth on direct interfaces");
            }
            if interface.kept.iter().any(|element| element.name == "virtualport") {
                return refused("Unable to set port profile on direct interfaces");
            }
        }
    }
    check_names(definition)
}

/// Each link has a name of its own in the container.
fn check_names(definition: &Domain) -> Result<()> {
    let lent = definition.hostdevs.iter().filter_map(|hostdev| match &hostdev.source {
        HostdevSource::Net { interface, .. } => Some(interface.clone()),
        _ => None,
    });
    let mut unnamed = 0;
    let made = definition.interfaces.iter().map(|interface| name_inside(interface, &mut unnamed));
    let mut taken = HashSet::from(["lo".to_string()]);
    for name in made.chain(lent) {
        if let Some(name) = taken.replace(name) {
            let words =
                format!("the container has another link of the name '{name}': another <guest dev=''/> is needed");
            return Err(Error::config_unsupported(ErrorDomain::Lxc, words));
        }
    }
    Ok(())
}

/// What an interface is called in the container; those that the document does not name are counted.
fn name_inside(interface: &Interface, unnamed: &mut u32) -> String {
    interface.guest_dev.clone().unwrap_or_else(|| {
        let name = format!("eth{unnamed}");
        *unnamed += 1;
        name
    })
}

impl Driver {
    /// Makes all interfaces and notes in the live definition what became of them. What was made is in `plugged` even where
    /// this fails. Our own controller can do without veth pairs until [`Driver::plug_waiting`].
    pub(crate) fn plug_all(&self, live: &mut Domain, plugged: &mut Plugged, ours: bool) -> Result<()> {
        if live.interfaces.is_empty() {
            return self.forward_ports(live);
        }
        let mut netlink = netlink()?;
        let mut unnamed = 0;
        let (name, uuid) = (live.name.clone(), live.uuid);
        for (at, interface) in live.interfaces.iter_mut().enumerate() {
            match self.connection(interface, (&name, &uuid), plugged)? {
                Connection::Bridge(cable) if ours => {
                    let names = self.names(&cable);
                    interface.target_dev = Some(names.0.clone());
                    plugged.inner.push(names.1.clone());
                    plugged.waiting.push(Waiting { interface: at, cable, names });
                }
                connection => self.make(&mut netlink, interface, connection, plugged)?,
            }
            // By this libvirt's controller finds which link is which interface's.
            interface.guest_actual = plugged.inner.last().cloned();
            interface.guest_dev = Some(name_inside(interface, &mut unnamed));
        }
        self.forward_ports(live)
    }

    /// Makes one interface, at once.
    pub(crate) fn plug(
        &self,
        netlink: &mut Socket,
        interface: &mut Interface,
        (name, uuid): (&str, &Uuid),
        plugged: &mut Plugged,
    ) -> Result<()> {
        let connection = self.connection(interface, (name, uuid), plugged)?;
        self.make(netlink, interface, connection, plugged)
    }

    fn make(
        &self,
        netlink: &mut Socket,
        interface: &mut Interface,
        connection: Connection,
        plugged: &mut Plugged,
    ) -> Result<()> {
        match connection {
            Connection::Bridge(cable) => {
                let names = self.names(&cable);
                let inner = self.veth(netlink, interface, &cable, names, None, plugged)?;
                plugged.inner.push(inner);
                Ok(())
            }
            Connection::Direct { dev, mode } => self.macvlan(netlink, interface, &dev, mode, plugged),
        }
    }

    /// Makes the pairs that waited, with one end in the network namespace of the controller's child under its last name. The
    /// controller takes it from there, or moves it in where the child is not known.
    pub(crate) fn plug_waiting(&self, live: &mut Domain, plugged: &mut Plugged, controller: i32) -> Result<()> {
        let waiting = std::mem::take(&mut plugged.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        let mut netlink = netlink()?;
        let child = only_child(&self.paths.proc, controller);
        for Waiting { interface, cable, names } in waiting {
            let Some(interface) = live.interfaces.get_mut(interface) else { continue };
            self.veth(&mut netlink, interface, &cable, names, child, plugged)?;
        }
        Ok(())
    }

    fn connection(
        &self,
        interface: &mut Interface,
        (name, uuid): (&str, &Uuid),
        plugged: &mut Plugged,
    ) -> Result<Connection> {
        let given = interface.target_dev.clone();
        let cable = |bridge, mtu, isolated, given| Connection::Bridge(Cable { bridge, mtu, isolated, given });
        let network = match &interface.source {
            InterfaceSource::Network { network, .. } => network.clone(),
            InterfaceSource::Bridge { bridge } => return Ok(cable(Some(bridge.clone()), None, false, given)),
            InterfaceSource::Ethernet { .. } => return Ok(cable(None, None, false, given)),
            InterfaceSource::Direct { dev, mode } => return Ok(Connection::Direct { dev: dev.clone(), mode: *mode }),
            InterfaceSource::Other { kind, .. } => {
                return Err(Error::internal(ErrorDomain::Lxc, format!("Unsupported network type {kind}")));
            }
        };
        let port = self.networks.allocate_port(&network, &owner((name, uuid), interface))?;
        plugged.ports.push((network, port.port_id));
        interface.port_id = Some(port.port_id);
        let (kind, bridge, direct) = match &port.plug {
            Plug::Network { bridge } => (ActualKind::Network, Some(bridge.clone()), None),
            Plug::Bridge { bridge } => (ActualKind::Bridge, Some(bridge.clone()), None),
            Plug::Direct { dev, mode } => {
                let mode = DirectMode::from_word(mode).unwrap_or(DirectMode::Vepa);
                (ActualKind::Direct, None, Some((dev.clone(), mode)))
            }
        };
        let bandwidth = interface.bandwidth.clone().or_else(|| port.bandwidth.clone());
        interface.actual =
            Some(Actual { kind, bridge: bridge.clone(), direct: direct.clone(), bandwidth, ..Actual::default() });
        Ok(match direct {
            Some((dev, mode)) => Connection::Direct { dev, mode },
            None => cable(bridge, port.mtu, port.isolated, given),
        })
    }

    /// Names for both ends, the document's or new ones.
    fn names(&self, cable: &Cable) -> (String, String) {
        let outer = cable.given.clone().unwrap_or_else(|| self.links.vnet());
        (outer, self.links.vnet())
    }

    /// Makes a veth pair, its inner end in the network namespace of `child` where that is given; the inner end's name here.
    fn veth(
        &self,
        netlink: &mut Socket,
        interface: &mut Interface,
        cable: &Cable,
        mut names: (String, String),
        child: Option<i32>,
        plugged: &mut Plugged,
    ) -> Result<String> {
        let master = match &cable.bridge {
            Some(bridge) => Some(netlink.index(bridge).map_err(|e| {
                Error::system(ErrorDomain::None, &e, format!("Unable to add bridge {bridge} port {}", names.0))
            })?),
            None => None,
        };
        let own_mtu = (interface.mtu > 0).then_some(interface.mtu);
        loop {
            let (outer, inner) = &names;
            let inside = child.and(interface.guest_dev.as_deref());
            let made = netlink.create_veth(&Veth {
                name: outer,
                mtu: own_mtu.or(cable.mtu),
                master,
                up: true,
                peer_name: inside.unwrap_or(inner),
                peer_mac: Some(interface.mac.0),
                peer_netns: child.map(Netns::Pid),
                ..Veth::default()
            });
            match made {
                Ok(()) => break,
                // Another daemon's number, or an administrator's link.
                Err(e)
                    if e.kind() == io::ErrorKind::AlreadyExists
                        && is_free_choice(netlink, cable.given.is_none(), outer, inside.is_none().then_some(inner)) =>
                {
                    names = self.names(cable);
                }
                Err(e) => {
                    let inner = inside.unwrap_or(inner);
                    let mut words = format!("unable to create {outer} <-> {inner} veth pair");
                    if let (Some(Errno::XFULL), Some(bridge)) = (Errno::from_io_error(&e), &cable.bridge) {
                        words += &format!(
                            ": bridge '{bridge}' has no port left, for the kernel gives a bridge {BRIDGE_PORTS}"
                        );
                    }
                    return Err(Error::system(ErrorDomain::None, &e, words));
                }
            }
        }
        let (outer, inner) = names;
        plugged.links.push(outer.clone());
        if cable.isolated {
            let words = format!("Unable to set bridge port {outer} isolated");
            netlink.set_isolated(&outer, true).map_err(|e| Error::system(ErrorDomain::None, &e, words))?;
        }
        if let Some(bandwidth) = limits(interface) {
            network::bandwidth::limit(netlink, &outer, &bandwidth)?;
            plugged.limits.push((outer.clone(), bandwidth));
        }
        if interface.link_up == Some(false) {
            let words = format!("Cannot set interface flags on '{outer}'");
            netlink.set_up(&outer, false).map_err(|e| Error::system(ErrorDomain::None, &e, words))?;
        }
        interface.target_dev = Some(outer);
        Ok(inner)
    }

    fn macvlan(
        &self,
        netlink: &mut Socket,
        interface: &mut Interface,
        dev: &str,
        mode: DirectMode,
        plugged: &mut Plugged,
    ) -> Result<()> {
        let lower = netlink
            .index(dev)
            .map_err(|e| Error::system(ErrorDomain::None, &e, format!("Unable to get index for interface {dev}")))?;
        let mode = match mode {
            DirectMode::Vepa => MacvlanMode::Vepa,
            DirectMode::Private => MacvlanMode::Private,
            DirectMode::Bridge => MacvlanMode::Bridge,
            DirectMode::Passthrough => MacvlanMode::Passthrough,
        };
        let mtu = (interface.mtu > 0).then_some(interface.mtu);
        let name = loop {
            let name = self.links.macvlan();
            let link = Macvlan { name: &name, lower, mode, mac: Some(interface.mac.0), mtu, netns: None };
            match netlink.create_macvlan(&link) {
                Ok(()) => break name,
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => {
                    let words = format!("error creating macvlan interface {name}@{dev}");
                    return Err(Error::system(ErrorDomain::None, &e, words));
                }
            }
        };
        // The lower device passes nothing while it is down.
        if let Err(e) = netlink.change(dev, &Change { up: Some(true), ..Change::default() }) {
            tracing::warn!("cannot bring interface {dev} up: {e}");
        }
        plugged.links.push(name.clone());
        plugged.inner.push(name);
        Ok(())
    }

    /// Undoes what was made for a start that failed.
    pub(crate) fn unplug_all(&self, plugged: &Plugged) {
        if !plugged.links.is_empty() {
            match netlink() {
                Ok(mut netlink) => {
                    for link in &plugged.links {
                        // It may be gone with the container's end.
                        _ = netlink.delete(link);
                    }
                }
                Err(error) => tracing::warn!("{error}"),
            }
        }
        for (link, bandwidth) in &plugged.limits {
            network::bandwidth::forget(link, bandwidth);
        }
        for (network, port) in &plugged.ports {
            self.networks.release_port(network, port);
        }
    }

    /// Gives back the ports of a container that ended. Its links died with its network namespace.
    pub(crate) fn release_ports(&self, live: &Domain) {
        live.interfaces.iter().for_each(|interface| self.release_port(interface));
    }

    /// The same for one interface whose link is gone.
    pub(crate) fn release_port(&self, interface: &Interface) {
        if let (Some(link), Some(bandwidth)) = (&interface.target_dev, limits(interface)) {
            network::bandwidth::forget(link, &bandwidth);
        }
        if let (InterfaceSource::Network { network, .. }, Some(port)) = (&interface.source, &interface.port_id) {
            self.networks.release_port(network, port);
        }
    }

    /// After a restart of the daemon: the ports of a container that still runs are its own again.
    pub(crate) fn claim_ports(&self, live: &Domain) {
        for interface in &live.interfaces {
            if let Some(name) = &interface.target_dev {
                self.links.reserve(name);
            }
            let (InterfaceSource::Network { network, .. }, Some(port)) = (&interface.source, &interface.port_id) else {
                continue;
            };
            let owner = owner((&live.name, &live.uuid), interface);
            if let Err(error) = self.networks.claim_port(network, port, &owner) {
                tracing::error!("domain '{}': its port in network '{network}': {error}", live.name);
            }
        }
        if let Err(error) = self.forward_ports(live) {
            tracing::error!("domain '{}': {error}", live.name);
        }
    }
}

/// Whether another number helps where a name is taken: one that is ours to choose is taken here. `inner`: where the inner end
/// is made here too. A name that is taken in the container stays so.
fn is_free_choice(netlink: &mut Socket, chosen: bool, outer: &str, inner: Option<&String>) -> bool {
    (chosen && netlink.index(outer).is_ok()) || inner.is_some_and(|inner| netlink.index(inner).is_ok())
}

/// Who plugs this interface into a network.
pub(crate) fn owner((name, uuid): (&str, &Uuid), interface: &Interface) -> PortOwner {
    let portgroup = match &interface.source {
        InterfaceSource::Network { portgroup, .. } => portgroup.clone(),
        _ => None,
    };
    PortOwner { domain_name: name.to_string(), domain_uuid: *uuid, mac: interface.mac.0, portgroup }
}

/// What a running interface is limited to: by its own words, or by those of its network.
pub(crate) fn limits(interface: &Interface) -> Option<Bandwidth> {
    let actual = interface.actual.as_ref().and_then(|actual| actual.bandwidth.as_ref());
    actual.or(interface.bandwidth.as_ref()).cloned()
}

pub(crate) fn netlink() -> Result<Socket> {
    Socket::new().map_err(|e| Error::system(ErrorDomain::None, &e, "cannot open a netlink socket"))
}

/// The container's init, the one child that its controller has. None where the kernel tells no children.
pub(crate) fn only_child(proc: &std::path::Path, controller: i32) -> Option<i32> {
    let path = proc.join(format!("{controller}/task/{controller}/children"));
    let children = std::fs::read_to_string(path).ok()?;
    let mut children = children.split_whitespace();
    let child = children.next()?.parse().ok()?;
    children.next().is_none().then_some(child)
}

#[cfg(test)]
mod tests {
    use super::*;
    use conf::domain::{Host, ParseOptions};

    #[test]
    fn names_inside_are_each_links_own() {
        let host = Host { arch: "x86_64", emulator: "/e", random: &|bytes| bytes.fill(1) };
        let link = |guest: &str| format!("<interface type='bridge'><source bridge='b'/>{guest}</interface>");
        let lent = "<hostdev mode='capabilities' type='net'><source><interface>eth1</interface></source></hostdev>";
        let named = |name: &str| link(&format!("<guest dev='{name}'/>"));
        for (devices, refused) in [
            (link("") + &link("") + &named("eth2"), None),
            (link("") + lent, None),
            (named("lo"), Some("'lo'")),
            (named("lan") + &named("lan"), Some("'lan'")),
            (named("eth0") + &link(""), Some("'eth0'")),
            (link("") + &link("") + lent, Some("'eth1'")),
        ] {
            let xml = format!(
                "<domain type='lxc'><name>a</name><memory>65536</memory><os><type>exe</type><init>/i</init></os>\
                 <devices>{devices}</devices></domain>"
            );
            let domain = Domain::parse(xml.as_bytes(), ParseOptions::default(), &host).unwrap().domain;
            let said = check(&domain).err().map(|error| error.message);
            match refused {
                None => assert_eq!(said, None, "{devices}"),
                Some(name) => assert!(said.as_ref().is_some_and(|said| said.contains(name)), "{devices}: {said:?}"),
            }
        }
    }
}
