//! An interface of a running container changed: its link up or down, its limits, the bridge that it is plugged into. libvirt's
//! driver changes nothing of what runs.

use crate::driver::Driver;
use crate::hotplug::unsupported;
use crate::interfaces::{limits, netlink, owner};
use api::{Code, Error, ErrorDomain, Result};
use conf::Bandwidth;
use conf::domain::{Actual, Device, Domain, Interface, InterfaceSource};
use conf::element::Element;
use linux::netlink::Socket;

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
        let networks = self.limits_of_network(domain, &before, wanted)?;
        let after = changed(&before, wanted, networks)?;
        let direct = matches!(before.source, InterfaceSource::Direct { .. })
            || before.actual.as_ref().is_some_and(|actual| actual.direct.is_some());
        let Some(link) = before.target_dev.clone().filter(|_| !direct) else {
            return Err(unsupported("Only bridged veth devices can be changed"));
        };
        let mut netlink = netlink()?;
        let outcome = apply(&mut netlink, &link, &before, &after);
        if outcome.is_err() {
            if let Err(second) = apply(&mut netlink, &link, &after, &before) {
                tracing::error!("domain '{}': interface {link} is not as it was: {second}", domain.name);
            }
        }
        self.audit_device(domain, "update", device, outcome.is_ok());
        outcome?;
        if let Some(place) = domain.interfaces.get_mut(at) {
            *place = after;
        }
        Ok(())
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
fn changed(before: &Interface, wanted: &Interface, networks: Option<Bandwidth>) -> Result<Interface> {
    // A live document shows its network's, which do not become its own when somebody sends it back.
    let shown = before.bandwidth.is_none() && networks.is_some() && wanted.bandwidth == networks;
    let own = wanted.bandwidth.clone().filter(|_| !shown);
    let mut after = Interface { link_up: wanted.link_up, bandwidth: own.clone(), ..before.clone() };
    if let (InterfaceSource::Bridge { .. }, InterfaceSource::Bridge { .. }) = (&before.source, &wanted.source) {
        after.source = wanted.source.clone();
    }
    if let Some(actual) = &before.actual {
        after.actual = Some(Actual { bandwidth: own.or(networks), ..actual.clone() });
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
                "{what} of an interface cannot be changed while the domain runs; <link>, <bandwidth> and the bridge of a \
                 <source> can"
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

fn apply(netlink: &mut Socket, link: &str, before: &Interface, after: &Interface) -> Result<()> {
    if let (true, InterfaceSource::Bridge { bridge }) = (before.source != after.source, &after.source) {
        let words = || format!("Unable to add bridge {bridge} port {link}");
        netlink.set_master(link, Some(bridge)).map_err(|e| Error::system(ErrorDomain::None, &e, words()))?;
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
    if is_up(before) != is_up(after) {
        let words = || format!("Cannot set interface flags on '{link}'");
        netlink.set_up(link, is_up(after)).map_err(|e| Error::system(ErrorDomain::None, &e, words()))?;
    }
    Ok(())
}
