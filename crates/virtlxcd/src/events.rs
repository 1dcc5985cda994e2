//! Which client wants to hear of what, and the messages that tell it.

use crate::convert;
use crate::daemon::Daemon;
use api::{Code, Error, ErrorDomain, Event, NodeDeviceEvent, Result, Uuid};
use rpc::message::{Header, Outgoing};
use rpc::remote::{self, NonnullDomain, Procedure};
use rpc::xdr::Codec;
use std::sync::atomic::{AtomicI32, Ordering};

/// Event ids that `virDomainEventID` has in libvirt 9.0.0.
const DOMAIN_EVENTS: i32 = 27;
/// Ids that the registration calls of old clients know.
const LEGACY_EVENTS: i32 = 16;

const LIFECYCLE: i32 = 0;
const REBOOT: i32 = 1;
const BALLOON_CHANGE: i32 = 13;
const DEVICE_REMOVED: i32 = 15;
const TUNABLE: i32 = 17;
const DEVICE_ADDED: i32 = 19;
const METADATA_CHANGE: i32 = 23;
/// Of a device of the machine.
const UPDATE: i32 = 1;

/// Events of remote's program carry this serial.
const SERIAL: u32 = 1;

/// Callback ids are counted for each of these apart, over all clients.
#[derive(Default)]
pub struct Counters {
    domain: AtomicI32,
    network: AtomicI32,
    node_device: AtomicI32,
    beside: AtomicI32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    kind: Kind,
    event: i32,
    /// None: all domains, networks or devices.
    of: Option<Subject>,
    id: i32,
}

/// Whom an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Uuid(Uuid),
    /// Devices of the machine are known by their names.
    Device(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Domain,
    /// By a client that does not know callback ids.
    DomainLegacy,
    Network,
    NodeDevice,
    /// Nothing of these kinds ever happens here.
    StoragePool,
    Secret,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Kind::Domain | Kind::DomainLegacy => "domain",
            Kind::Network => "network",
            Kind::NodeDevice => "node device",
            Kind::StoragePool => "storage pool",
            Kind::Secret => "secret",
        }
    }
}

/// All registrations of one client.
pub type Registrations = Vec<Registration>;

pub fn register_domain(
    counters: &Counters,
    list: &mut Registrations,
    event: i32,
    dom: Option<NonnullDomain>,
) -> Result<i32> {
    if !(0..DOMAIN_EVENTS).contains(&event) {
        return Err(Error::internal(ErrorDomain::Rpc, format!("unsupported event ID {event}")));
    }
    let id = counters.domain.fetch_add(1, Ordering::Relaxed);
    list.push(Registration { kind: Kind::Domain, event, of: dom.map(|dom| Subject::Uuid(Uuid(dom.uuid))), id });
    Ok(id)
}

pub fn register_legacy(counters: &Counters, list: &mut Registrations, event: i32) -> Result<()> {
    if !(0..LEGACY_EVENTS).contains(&event) {
        return Err(Error::internal(ErrorDomain::Rpc, format!("unsupported event ID {event}")));
    }
    if list.iter().any(|r| r.kind == Kind::DomainLegacy && r.event == event) {
        return Err(Error::new(ErrorDomain::None, Code::InvalidArg, "event callback already tracked"));
    }
    let id = counters.domain.fetch_add(1, Ordering::Relaxed);
    list.push(Registration { kind: Kind::DomainLegacy, event, of: None, id });
    Ok(())
}

pub fn register_network(
    counters: &Counters,
    list: &mut Registrations,
    event: i32,
    net: Option<remote::NonnullNetwork>,
) -> Result<i32> {
    if event != LIFECYCLE {
        return Err(Error::internal(ErrorDomain::Rpc, format!("unsupported network event ID {event}")));
    }
    let id = counters.network.fetch_add(1, Ordering::Relaxed);
    list.push(Registration { kind: Kind::Network, event, of: net.map(|net| Subject::Uuid(Uuid(net.uuid))), id });
    Ok(id)
}

pub fn register_node_device(
    counters: &Counters,
    list: &mut Registrations,
    event: i32,
    name: Option<String>,
) -> Result<i32> {
    if event != LIFECYCLE && event != UPDATE {
        return Err(Error::internal(ErrorDomain::Rpc, format!("unsupported node device event ID {event}")));
    }
    let id = counters.node_device.fetch_add(1, Ordering::Relaxed);
    list.push(Registration { kind: Kind::NodeDevice, event, of: name.map(Subject::Device), id });
    Ok(id)
}

/// Whether one of them is for devices of the machine.
pub fn hears_of_devices(list: &Registrations) -> bool {
    list.iter().any(|registration| registration.kind == Kind::NodeDevice)
}

/// Of what is never heard of: storage pools and secrets have two events each.
pub fn register_beside(counters: &Counters, list: &mut Registrations, kind: Kind, event: i32) -> Result<i32> {
    if !(0..2).contains(&event) {
        return Err(Error::internal(ErrorDomain::Rpc, format!("unsupported {} event ID {event}", kind.words())));
    }
    let id = counters.beside.fetch_add(1, Ordering::Relaxed);
    list.push(Registration { kind, event, of: None, id });
    Ok(id)
}

/// Ends a registration that has an id.
pub fn deregister(list: &mut Registrations, kind: Kind, id: i32) -> Result<()> {
    let unknown = || Error::internal(ErrorDomain::Rpc, format!("{} event callback {id} not registered", kind.words()));
    remove(list, |r| r.kind == kind && r.id == id).ok_or_else(unknown)
}

pub fn deregister_legacy(list: &mut Registrations, event: i32) -> Result<()> {
    let unknown = || Error::internal(ErrorDomain::Rpc, format!("domain event {event} not registered"));
    remove(list, |r| r.kind == Kind::DomainLegacy && r.event == event).ok_or_else(unknown)
}

fn remove(list: &mut Registrations, which: impl Fn(&Registration) -> bool) -> Option<()> {
    let at = list.iter().position(which)?;
    list.remove(at);
    Some(())
}

/// Sends `event` to every client that asked for it, once for each time that it asked.
pub fn publish(daemon: &Daemon, event: &Event) {
    let Some(server) = daemon.server() else { return };
    for client in server.clients() {
        let wanted: Registrations = client.session.state().registrations.clone();
        for message in wanted.iter().filter_map(|registration| message(registration, event)) {
            client.send(message);
        }
    }
}

/// What a registration hears of an event; None where that is nothing.
fn message(registration: &Registration, event: &Event) -> Option<Outgoing> {
    let (kind, number, subject) = match event {
        Event::Lifecycle { domain, .. } => (Kind::Domain, LIFECYCLE, Subject::Uuid(domain.uuid)),
        Event::Reboot { domain } => (Kind::Domain, REBOOT, Subject::Uuid(domain.uuid)),
        Event::BalloonChange { domain, .. } => (Kind::Domain, BALLOON_CHANGE, Subject::Uuid(domain.uuid)),
        Event::DeviceRemoved { domain, .. } => (Kind::Domain, DEVICE_REMOVED, Subject::Uuid(domain.uuid)),
        Event::Tunable { domain, .. } => (Kind::Domain, TUNABLE, Subject::Uuid(domain.uuid)),
        Event::DeviceAdded { domain, .. } => (Kind::Domain, DEVICE_ADDED, Subject::Uuid(domain.uuid)),
        Event::MetadataChange { domain, .. } => (Kind::Domain, METADATA_CHANGE, Subject::Uuid(domain.uuid)),
        Event::Network { uuid, .. } => (Kind::Network, LIFECYCLE, Subject::Uuid(*uuid)),
        Event::NodeDevice { name, event: NodeDeviceEvent::Updated } => {
            (Kind::NodeDevice, UPDATE, Subject::Device(name.clone()))
        }
        Event::NodeDevice { name, .. } => (Kind::NodeDevice, LIFECYCLE, Subject::Device(name.clone())),
    };
    let legacy = registration.kind == Kind::DomainLegacy;
    let same_kind = registration.kind == kind || (legacy && kind == Kind::Domain);
    let same_subject = registration.of.as_ref().is_none_or(|wanted| *wanted == subject);
    if !same_kind || registration.event != number || !same_subject {
        return None;
    }
    let callback_id = registration.id;
    // Who registered in the old way gets the message bare, others with the number of their callback around it.
    macro_rules! either {
        ($bare:ident, $wrapped:ident, $around:ident, $msg:expr) => {{
            let msg = $msg;
            match legacy {
                true => encode(Procedure::$bare, &msg),
                false => encode(Procedure::$wrapped, &remote::$around { callback_id, msg }),
            }
        }};
    }
    match event {
        Event::Lifecycle { domain, event, detail } => either!(
            DomainEventLifecycle,
            DomainEventCallbackLifecycle,
            DomainEventCallbackLifecycleMsg,
            remote::DomainEventLifecycleMsg { dom: convert::domain(domain), event: *event as i32, detail: *detail }
        ),
        Event::Reboot { domain } => either!(
            DomainEventReboot,
            DomainEventCallbackReboot,
            DomainEventCallbackRebootMsg,
            remote::DomainEventRebootMsg { dom: convert::domain(domain) }
        ),
        Event::BalloonChange { domain, memory } => either!(
            DomainEventBalloonChange,
            DomainEventCallbackBalloonChange,
            DomainEventCallbackBalloonChangeMsg,
            remote::DomainEventBalloonChangeMsg { dom: convert::domain(domain), actual: *memory }
        ),
        Event::DeviceRemoved { domain, device } => either!(
            DomainEventDeviceRemoved,
            DomainEventCallbackDeviceRemoved,
            DomainEventCallbackDeviceRemovedMsg,
            remote::DomainEventDeviceRemovedMsg { dom: convert::domain(domain), dev_alias: device.into() }
        ),
        Event::Tunable { domain, params } => {
            let params = params.iter().map(convert::typed_param_to_wire).collect();
            let msg = remote::DomainEventCallbackTunableMsg { callback_id, dom: convert::domain(domain), params };
            encode(Procedure::DomainEventCallbackTunable, &msg)
        }
        Event::DeviceAdded { domain, device } => {
            let msg = remote::DomainEventCallbackDeviceAddedMsg {
                callback_id,
                dom: convert::domain(domain),
                dev_alias: device.into(),
            };
            encode(Procedure::DomainEventCallbackDeviceAdded, &msg)
        }
        Event::MetadataChange { domain, kind, uri } => {
            let msg = remote::DomainEventCallbackMetadataChangeMsg {
                callback_id,
                dom: convert::domain(domain),
                r#type: *kind,
                nsuri: uri.as_ref().map(|uri| uri.into()),
            };
            encode(Procedure::DomainEventCallbackMetadataChange, &msg)
        }
        Event::Network { name, uuid, event } => {
            let net = convert::network(name, uuid);
            let msg = remote::NetworkEventLifecycleMsg { callback_id, net, event: *event as i32, detail: 0 };
            encode(Procedure::NetworkEventLifecycle, &msg)
        }
        Event::NodeDevice { name, event } => {
            let dev = remote::NonnullNodeDevice { name: name.into() };
            match event {
                NodeDeviceEvent::Updated => {
                    let msg = remote::NodeDeviceEventUpdateMsg { callback_id, dev };
                    encode(Procedure::NodeDeviceEventUpdate, &msg)
                }
                NodeDeviceEvent::Created | NodeDeviceEvent::Deleted => {
                    let msg = remote::NodeDeviceEventLifecycleMsg { callback_id, dev, event: *event as i32, detail: 0 };
                    encode(Procedure::NodeDeviceEventLifecycle, &msg)
                }
            }
        }
    }
}

fn encode<C: Codec<Value = C>>(procedure: Procedure, msg: &C) -> Option<Outgoing> {
    Outgoing::new::<C>(&Header::event(procedure, SERIAL), msg)
        .inspect_err(|e| tracing::error!("an event cannot be encoded: {e}"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{DomainRef, LifecycleEvent};

    fn started() -> Event {
        let domain = DomainRef { name: "vm1".into(), uuid: Uuid([7; 16]), id: 42 };
        Event::Lifecycle { domain, event: LifecycleEvent::Started, detail: 0 }
    }

    #[test]
    fn registrations_hear_what_they_asked_for() {
        let counters = Counters::default();
        let mut list = Registrations::new();
        let other = NonnullDomain { name: "x".into(), uuid: [8; 16], id: -1 };
        assert_eq!(register_domain(&counters, &mut list, 0, None).map_err(|e| e.message), Ok(0));
        assert_eq!(register_domain(&counters, &mut list, 0, Some(other)).map_err(|e| e.message), Ok(1));
        assert_eq!(register_domain(&counters, &mut list, 1, None).map_err(|e| e.message), Ok(2));
        register_legacy(&counters, &mut list, 0).unwrap();
        let heard: Vec<usize> =
            list.iter().enumerate().filter(|(_, r)| message(r, &started()).is_some()).map(|(i, _)| i).collect();
        assert_eq!(heard, [0, 3]);
        assert_eq!(
            register_legacy(&counters, &mut list, 0).unwrap_err().message,
            "invalid argument: event callback already tracked"
        );
        assert_eq!(
            register_domain(&counters, &mut list, 27, None).unwrap_err().message,
            "internal error: unsupported event ID 27"
        );
        assert_eq!(
            deregister(&mut list, Kind::Domain, 999).unwrap_err().message,
            "internal error: domain event callback 999 not registered"
        );
        deregister(&mut list, Kind::Domain, 0).unwrap();
        assert_eq!(list.len(), 3);
    }
    #[test]
    fn devices_are_told_apart_by_name() {
        let counters = Counters::default();
        let mut list = Registrations::new();
        for (event, name) in [(0, None), (0, Some("block_sda")), (0, Some("block_sdb")), (1, None)] {
            register_node_device(&counters, &mut list, event, name.map(str::to_string)).unwrap();
        }
        let heard = |event| {
            let event = Event::NodeDevice { name: "block_sda".into(), event };
            list.iter().filter(|r| message(r, &event).is_some()).map(|r| r.id).collect::<Vec<i32>>()
        };
        assert_eq!(heard(NodeDeviceEvent::Created), [0, 1]);
        assert_eq!(heard(NodeDeviceEvent::Deleted), [0, 1]);
        assert_eq!(heard(NodeDeviceEvent::Updated), [3]);
        assert!(hears_of_devices(&list));
        assert_eq!(
            register_node_device(&counters, &mut list, 2, None).unwrap_err().message,
            "internal error: unsupported node device event ID 2"
        );
    }
}
