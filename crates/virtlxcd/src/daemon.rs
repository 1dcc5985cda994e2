//! What all clients share, and the service that the sockets of libvirt's own protocol offer.

use crate::call::Call;
use crate::device_events::DeviceEvents;
use crate::dispatch;
use crate::events::{self, Counters, Registration};
use crate::host::Host;
use crate::idle::IdleEnd;
use api::{Error, ErrorDomain, Event, NetworkEvent, Paths, Result, Uuid};
use network::Networks;
use nodedev::Machine;
use rpc::error::rpc_error;
use rpc::message::{Header, Message, Status};
use rpc::protocol::{Kind, Priority};
use rpc::server::{Client, Loop, Peer, Reply, Server, Service, StreamSession};
use rpc::{lxc, qemu, remote, virtlxc};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

pub struct Daemon {
    pub paths: Paths,
    pub host: Host,
    pub devices: Machine,
    pub callback_ids: Counters,
    /// Clients of all sockets, for the end after a time of idleness.
    pub clients: AtomicUsize,
    /// Console streams by the terminal's path.
    pub consoles: Mutex<HashMap<String, Arc<StreamSession>>>,
    server: OnceLock<Arc<Server<Hypervisor>>>,
    drivers: OnceLock<Drivers>,
    idle: OnceLock<Arc<IdleEnd>>,
}

struct Drivers {
    domains: Arc<::lxc::Driver>,
    networks: Arc<Networks>,
    device_events: Arc<DeviceEvents>,
}

impl Daemon {
    pub fn new(paths: Paths, host_uuid: Uuid) -> Arc<Daemon> {
        Arc::new(Daemon {
            host: Host::new(&paths, host_uuid),
            devices: Machine::new(&paths, host_uuid),
            paths,
            callback_ids: Counters::default(),
            clients: AtomicUsize::new(0),
            consoles: Mutex::default(),
            server: OnceLock::new(),
            drivers: OnceLock::new(),
            idle: OnceLock::new(),
        })
    }

    /// The server that clients of the hypervisor are connected to, once there is one.
    pub fn server(&self) -> Option<&Arc<Server<Hypervisor>>> {
        self.server.get()
    }

    pub fn set_idle(&self, idle: &Arc<IdleEnd>) {
        if self.idle.set(Arc::clone(idle)).is_err() {
            tracing::error!("the end after idleness was set twice");
        }
    }

    /// Whether a client is there, or a domain that runs, starts or ends.
    pub fn is_needed(&self) -> bool {
        self.clients.load(Ordering::Acquire) > 0
            || self.drivers.get().is_some_and(|drivers| drivers.domains.is_needed())
    }

    /// Makes the drivers; before the first client is accepted.
    pub fn start_drivers(
        self: &Arc<Self>,
        event_loop: &Arc<Loop>,
        audit: ::lxc::AuditSettings,
        security: ::lxc::SecuritySettings,
        copies_controllers: bool,
    ) -> Result<()> {
        let publisher = |daemon: &Arc<Daemon>| {
            let daemon = Arc::clone(daemon);
            move |event| events::publish(&daemon, &event)
        };
        let networks = Networks::new(&self.paths, {
            let (daemon, publish) = (Arc::clone(self), publisher(self));
            move |event| {
                let started = match &event {
                    Event::Network { name, event: NetworkEvent::Started, .. } => Some(name.clone()),
                    _ => None,
                };
                publish(event);
                if let (Some(network), Ok(domains)) = (started, daemon.domains()) {
                    domains.plug_again(&network);
                }
            }
        })?;
        let spawner = Arc::clone(self);
        let domains = ::lxc::Driver::new(::lxc::Setup {
            paths: self.paths.clone(),
            networks: Arc::clone(&networks),
            event_loop: Arc::clone(event_loop),
            spawn: Box::new(move |work| match spawner.server() {
                Some(server) => server.spawn(Priority::High, work),
                None => work(),
            }),
            publish: Box::new(publisher(self)),
            arch: self.host.architecture(),
            audit,
            security,
            copies_controllers,
        })?;
        let device_events = DeviceEvents::new(self, event_loop);
        if self.drivers.set(Drivers { domains: Arc::clone(&domains), networks, device_events }).is_err() {
            tracing::error!("the drivers were made twice");
        }
        domains.autostart();
        Ok(())
    }

    pub fn domains(&self) -> Result<&Arc<::lxc::Driver>> {
        self.drivers.get().map(|drivers| &drivers.domains).ok_or_else(not_ready)
    }

    pub fn networks(&self) -> Result<&Arc<Networks>> {
        self.drivers.get().map(|drivers| &drivers.networks).ok_or_else(not_ready)
    }

    pub fn device_events(&self) -> Result<&Arc<DeviceEvents>> {
        self.drivers.get().map(|drivers| &drivers.device_events).ok_or_else(not_ready)
    }

    pub fn set_server(&self, server: &Arc<Server<Hypervisor>>) {
        if self.server.set(Arc::clone(server)).is_err() {
            tracing::error!("the server was set twice");
        }
    }
}

fn not_ready() -> Error {
    Error::internal(ErrorDomain::Rpc, "the daemon's drivers are not ready")
}

/// Programs REMOTE, LXC and QEMU of libvirt, and our own.
pub struct Hypervisor {
    pub daemon: Arc<Daemon>,
}

/// What is remembered of one client.
#[derive(Default)]
pub struct Session {
    state: Mutex<SessionState>,
}

#[derive(Default)]
pub struct SessionState {
    pub opened: Option<Opened>,
    pub registrations: Vec<Registration>,
}

/// A connection after `CONNECT_OPEN`.
#[derive(Debug, Clone)]
pub struct Opened {
    pub uri: String,
    pub driver: Driver,
    pub read_only: bool,
}

/// What the connection was opened for. All calls are served on both kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    Lxc,
    Network,
}

impl Session {
    pub fn state(&self) -> MutexGuard<'_, SessionState> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Service for Hypervisor {
    type Session = Session;

    fn session(&self, _: &Peer) -> Session {
        Session::default()
    }

    fn admit(&self, header: &Header) -> Result<Priority> {
        if header.status != Status::Ok {
            return Err(rpc_error(format!("Unexpected message status {}", header.status.number())));
        }
        let unknown = || rpc_error(format!("unknown procedure: {}", header.procedure));
        let info = match (header.program, header.version) {
            (remote::PROGRAM, remote::VERSION) => remote::Procedure::from_number(header.procedure).map(|p| p.info()),
            (lxc::PROGRAM, lxc::VERSION) => lxc::Procedure::from_number(header.procedure).map(|p| p.info()),
            (qemu::PROGRAM, qemu::VERSION) => qemu::Procedure::from_number(header.procedure).map(|p| p.info()),
            (virtlxc::PROGRAM, virtlxc::VERSION) => virtlxc::Procedure::from_number(header.procedure).map(|p| p.info()),
            (program, version) => {
                return Err(rpc_error(format!("Cannot find program {program} version {version}")));
            }
        };
        info.filter(|info| info.kind == Kind::Call).map(|info| info.priority).ok_or_else(unknown)
    }

    fn call(&self, client: &Arc<Client<Hypervisor>>, message: Message) -> Result<Reply> {
        let call = Call { daemon: &self.daemon, client, message: &message };
        let procedure = message.header.procedure;
        match message.header.program {
            lxc::PROGRAM => dispatch::lxc_program(&call, lxc::Procedure::from_number(procedure)),
            qemu::PROGRAM => match qemu::Procedure::from_number(procedure) {
                Some(procedure) => call.not_supported(procedure.info()),
                None => Err(rpc_error(format!("unknown procedure: {procedure}"))),
            },
            virtlxc::PROGRAM => match virtlxc::Procedure::from_number(procedure) {
                Some(procedure) => dispatch::own_program(&call, procedure),
                None => Err(rpc_error(format!("unknown procedure: {procedure}"))),
            },
            _ => match remote::Procedure::from_number(procedure) {
                Some(procedure) => dispatch::remote_program(&call, procedure),
                None => Err(rpc_error(format!("unknown procedure: {procedure}"))),
            },
        }
    }

    fn gone(&self, client: &Arc<Client<Hypervisor>>) {
        let registrations = std::mem::take(&mut client.session.state().registrations);
        if let Ok(domains) = self.daemon.domains() {
            domains.client_gone(client.id);
        }
        if let (true, Ok(watched)) = (events::hears_of_devices(&registrations), self.daemon.device_events()) {
            watched.leave();
        }
    }

    fn clients_changed(&self, count: usize) {
        self.daemon.clients.store(count, Ordering::Release);
        if let Some(idle) = self.daemon.idle.get() {
            idle.touch();
        }
    }
}

/// The error domain of a procedure's family of functions.
pub fn domain_of(number: i32) -> ErrorDomain {
    ErrorDomain::from_number(number).unwrap_or(ErrorDomain::None)
}
