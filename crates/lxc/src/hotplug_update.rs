//! An interface of a running container changed: its link up or down, its limits, the network or bridge that it is plugged into.
//! libvirt's driver changes nothing of what runs.

use crate::driver::Driver;
use crate::hotplug::unsupported;
use crate::interfaces::{limits, netlink, owner};
use api::{Code, Error, ErrorDomain, Result};
use conf::Bandwidth;
use conf::domain::{Actual, ActualKind, Device, Domain, Interface, InterfaceSource};
use conf::element::Element;
use linux::netlink::Socket;
use network::{Plug, PortLink};

impl Driver {
    /// What fails half-way is put back.
    pub(crate) fn update_live(&self, domain: &mut Domain, device: &Device) -> Result<()> {
        let Device::Interface(wanted) = device else {
            let words = "Unable to modify live devices";
            return Err(Error::new(ErrorDomain::Lxc, Code::OperationUnsupported, words));
        };
        let at = domain.find_interface(wanted)?;
        let Some(place) = domain.interfaces.get(at) else { return Ok(()) };
        let before = place.clone();
        let port = self.other_port(domain, &before, wanted)?;
        let outcome = self.update_interface(domain, at, &before, wanted, port.as_ref());
        self.audit_device(domain, "update", device, outcome.is_ok());
        // Of both ports one is not needed any more.
        let left = match &outcome {
            Ok(after) if after.source != before.source => before.port_id.map(|id| (&before.source, id)),
            Ok(_) => None,
            Err(_) => port.map(|port| (&wanted.source, port.port_id)),
        };
        if let Some((InterfaceSource::Network { network, .. }, id)) = left {
            self.networks.release_port(network, &id);
        }
        outcome.map(drop)
    }

    /// The port that the interface is to have where it is to be plugged into another network.
    fn other_port(&self, domain: &Domain, before: &Interface, wanted: &Interface) -> Result<Option<PortLink>> {
        let InterfaceSource::Network { network, .. } = &wanted.source else { return Ok(None) };
        if wanted.source == before.source || !is_bridged(before) {
            return Ok(None);
        }
        let owned = Interface { mac: before.mac, ..wanted.clone() };
        self.networks.allocate_port(network, &owner((&domain.name, &domain.uuid), &owned)).map(Some)
    }

    /// The interface as it is then, in the document too.
    fn update_interface(
        &self,
        domain: &mut Domain,
        at: usize,
        before: &Interface,
        wanted: &Interface,
        port: Option<&PortLink>,
    ) -> Result<Interface> {
        let networks = match port {
            Some(port) => port.bandwidth.clone(),
            None if wanted.source != before.source => None,
            None => self.limits_of_network(domain, before, wanted)?,
        };
        let after = changed(before, wanted, networks, port)?;
        let direct = matches!(before.source, InterfaceSource::Direct { .. })
            || before.actual.as_ref().is_some_and(|actual| actual.direct.is_some());
        let Some(link) = before.target_dev.clone().filter(|_| !direct) else {
            return Err(unsupported("Only bridged veth devices can be changed"));
        };
        let mut netlink = netlink()?;
        let mut then = domain.clone();
        if let Some(place) = then.interfaces.get_mut(at) {
            place.clone_from(&after);
        }
        let moves = after.source != before.source;
        let was_isolated = moves && self.is_isolated(domain, before);
        let isolated = port.is_some_and(|port| port.isolated);
        let outcome = apply(&mut netlink, &link, before, &after, isolated)
            .and_then(|()| if moves { self.forward_ports(&then) } else { Ok(()) });
        if let Err(error) = outcome {
            let back = apply(&mut netlink, &link, &after, before, was_isolated)
                .and_then(|()| if moves { self.forward_ports(domain) } else { Ok(()) });
            if let Err(second) = back {
                tracing::error!("domain '{}': interface {link} is not as it was: {second}", domain.name);
            }
            return Err(error);
        }
        *domain = then;
        Ok(after)
    }

    /// Whether its network keeps it from the bridge's other ports.
    fn is_isolated(&self, domain: &Domain, interface: &Interface) -> bool {
        let (InterfaceSource::Network { network, .. }, Some(port)) = (&interface.source, &interface.port_id) else {
            return false;
        };
        let owner = owner((&domain.name, &domain.uuid), interface);
        self.networks.claim_port(network, port, &owner).is_ok_and(|link| link.isolated)
    }

    /// Limits that the interface has of its network, which is asked where they were put aside for some of the interface's own.
    fn limits_of_network(&self, domain: &Domain, before: &Interface, wanted: &Interface) -> Result<Option<Bandwidth>> {
        if before.bandwidth.is_none() {
            return Ok(before.actual.as_ref().and_then(|actual| actual.bandwidth.clone()));
        }
        let InterfaceSource::Network { network, .. } = &before.source else { return Ok(None) };
        if wanted.bandwidth.is_some() {
            return Ok(None);
        }
        let lost = || unsupported(format!("An interface without a port in network '{network}' cannot lose its limits"));
        let port = before.port_id.ok_or_else(lost)?;
        let owner = owner((&domain.name, &domain.uuid), before);
        let link = self.networks.claim_port(network, &port, &owner);
        link.map(|link| link.bandwidth).map_err(|error| error.explain("; it says how the interface is limited"))
    }
}

/// The interface as it is to be; an error where anything else would change. `networks`: limits that it has of its network.
/// `port`: that in another network.
fn changed(
    before: &Interface,
    wanted: &Interface,
    networks: Option<Bandwidth>,
    port: Option<&PortLink>,
) -> Result<Interface> {
    // A live document shows its network's, which do not become its own when somebody sends it back.
    let theirs = before.actual.as_ref().and_then(|actual| actual.bandwidth.as_ref());
    let shown = before.bandwidth.is_none() && theirs.is_some() && wanted.bandwidth.as_ref() == theirs;
    let own = wanted.bandwidth.clone().filter(|_| !shown);
    let mut after = Interface { link_up: wanted.link_up, bandwidth: own.clone(), ..before.clone() };
    match (&wanted.source, port) {
        (InterfaceSource::Bridge { .. }, _) if wanted.source != before.source && is_bridged(before) => {
            after = Interface { source: wanted.source.clone(), actual: None, port_id: None, ..after };
        }
        (InterfaceSource::Network { .. }, Some(port)) => {
            let (kind, bridge) = match &port.plug {
                Plug::Network { bridge } => (ActualKind::Network, bridge.clone()),
                Plug::Bridge { bridge } => (ActualKind::Bridge, bridge.clone()),
                Plug::Direct { .. } => {
                    return Err(unsupported("A running interface can be moved to networks that have a bridge only"));
                }
            };
            let actual = Actual { kind, bridge: Some(bridge), bandwidth: own.or(networks), ..Actual::default() };
            let (source, port_id) = (wanted.source.clone(), Some(port.port_id));
            after = Interface { source, actual: Some(actual), port_id, ..after };
        }
        _ => {
            if let Some(actual) = &before.actual {
                after.actual = Some(Actual { bandwidth: own.or(networks), ..actual.clone() });
            }
        }
    }
    // What the document may leave out is as it is.
    let actual = before.actual.as_ref();
    let trusts = actual.and_then(|actual| actual.trust_guest_rx_filters).or(before.trust_guest_rx_filters);
    let differs = [
        ("trustGuestRxFilters", wanted.trust_guest_rx_filters.is_some_and(|trust| trust != trusts.unwrap_or(false))),
        ("<mac>", wanted.mac_kept.iter().any(|given| !before.mac_kept.contains(given))),
        ("<source>", wanted.source != after.source),
        ("<target dev=''>", wanted.target_dev.as_ref().is_some_and(|name| Some(name) != before.target_dev.as_ref())),
        ("<target managed=''>", wanted.target_managed.is_some_and(|it| it != before.target_managed.unwrap_or(true))),
        ("<guest dev=''>", wanted.guest_dev.as_ref().is_some_and(|name| Some(name) != before.guest_dev.as_ref())),
        ("<model>", wanted.model.is_some() && wanted.model != before.model),
        ("<mtu>", wanted.mtu != before.mtu),
        ("<ip>", wanted.ips != before.ips),
        ("<route>", wanted.routes != before.routes),
        ("<filterref>", wanted.filterref != before.filterref),
        ("<script>", wanted.script != before.script),
    ];
    let differs = differs.into_iter().find(|(_, differs)| *differs).map(|(what, _)| what.to_string());
    match differs.or_else(|| other_kept(before, wanted)) {
        None => Ok(after),
        Some(what) => {
            let words = format!(
                "{what} of an interface cannot be changed while the domain runs; <link>, <bandwidth> and the network or bridge \
                 of a <source> can"
            );
            Err(Error::new(ErrorDomain::Lxc, Code::OperationUnsupported, words))
        }
    }
}

/// An element without a type of its own that would not be as it is. A live document shows those that its network gave it.
fn other_kept(before: &Interface, wanted: &Interface) -> Option<String> {
    fn named<'a>(list: &'a [Element], name: &str) -> Vec<&'a Element> {
        list.iter().filter(|element| element.name == name).collect()
    }
    let networks = before.actual.as_ref().map_or(&[][..], |actual| &actual.kept);
    let differs = |name: &str| {
        let given = named(&wanted.kept, name);
        given != named(&before.kept, name) && given != named(networks, name)
    };
    wanted.kept.iter().map(|element| &element.name).find(|name| differs(name)).map(|name| format!("<{name}>"))
}

/// Plugged into a bridge, the host's or a network's.
fn is_bridged(interface: &Interface) -> bool {
    bridge_of(interface).is_some()
}

fn bridge_of(interface: &Interface) -> Option<&str> {
    match (&interface.source, &interface.actual) {
        (InterfaceSource::Bridge { bridge }, _) => Some(bridge),
        (InterfaceSource::Network { .. }, Some(actual)) => actual.bridge.as_deref(),
        _ => None,
    }
}

fn apply(netlink: &mut Socket, link: &str, before: &Interface, after: &Interface, isolated: bool) -> Result<()> {
    let other_bridge = bridge_of(before) != bridge_of(after);
    let set_up = |netlink: &mut Socket, up| {
        let words = || format!("Cannot set interface flags on '{link}'");
        netlink.set_up(link, up).map_err(|e| Error::system(ErrorDomain::None, &e, words()))
    };
    if let (true, Some(bridge)) = (before.source != after.source, bridge_of(after)) {
        if other_bridge {
            // It leads nowhere until the bridge knows whom it is kept from.
            set_up(netlink, false)?;
        }
        let words = || format!("Unable to add bridge {bridge} port {link}");
        netlink.set_master(link, Some(bridge)).map_err(|e| Error::system(ErrorDomain::None, &e, words()))?;
        let words = || format!("Unable to set bridge port {link} isolated");
        netlink.set_isolated(link, isolated).map_err(|e| Error::system(ErrorDomain::None, &e, words()))?;
    }
    let (old, new) = (limits(before), limits(after));
    if old != new {
        netlink.unlimit_sending(link).map_err(|e| {
            Error::system(ErrorDomain::None, &e, format!("Unable to remove the network bandwidth of {link}"))
        })?;
        old.iter().for_each(|old| network::bandwidth::forget(link, old));
        new.iter().try_for_each(|new| network::bandwidth::limit(netlink, link, new))?;
    }
    let is_up = |interface: &Interface| interface.link_up != Some(false);
    if other_bridge || is_up(before) != is_up(after) {
        set_up(netlink, is_up(after))?;
    }
    Ok(())
}
