//! What the drivers tell the world; the daemon sends each to the clients that asked for it.

use crate::{TypedParam, Uuid};

/// A domain as events and replies name it. `id` is -1 for one that does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainRef {
    pub name: String,
    pub uuid: Uuid,
    pub id: i32,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Event id 0 of `virDomainEventID`.
    Lifecycle {
        domain: DomainRef,
        event: LifecycleEvent,
        detail: i32,
    },
    /// Event id 1: a reboot asked for from inside.
    Reboot {
        domain: DomainRef,
    },
    /// Event id 13: another limit of memory, in KiB.
    BalloonChange {
        domain: DomainRef,
        memory: u64,
    },
    /// Event id 15. `device` is its alias or, where it has none, what it is called in the container or on the machine.
    DeviceRemoved {
        domain: DomainRef,
        device: String,
    },
    /// Event id 17: limits that were changed, named as `virsh event` shows them: `cputune.cpu_shares`.
    Tunable {
        domain: DomainRef,
        params: Vec<TypedParam>,
    },
    /// Event id 19.
    DeviceAdded {
        domain: DomainRef,
        device: String,
    },
    /// Event id 23. `kind` as in `virDomainMetadataType`; `uri` for elements only.
    MetadataChange {
        domain: DomainRef,
        kind: i32,
        uri: Option<String>,
    },
    Network {
        name: String,
        uuid: Uuid,
        event: NetworkEvent,
    },
    NodeDevice {
        name: String,
        event: NodeDeviceEvent,
    },
}

/// `virDomainEventType`; the details are numbers whose meaning depends on the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleEvent {
    Defined = 0,
    Undefined = 1,
    Started = 2,
    Suspended = 3,
    Resumed = 4,
    Stopped = 5,
    Shutdown = 6,
    PmSuspended = 7,
    Crashed = 8,
}

/// `virNetworkEventLifecycleType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkEvent {
    Defined = 0,
    Undefined = 1,
    Started = 2,
    Stopped = 3,
}

/// A device of the machine came, went, or is another than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeDeviceEvent {
    /// `virNodeDeviceEventLifecycleType`.
    Created = 0,
    Deleted = 1,
    /// An event of its own, without a detail.
    Updated = -1,
}
