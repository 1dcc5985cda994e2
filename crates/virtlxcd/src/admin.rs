//! The admin program: what `virt-admin` sees of the daemon and changes in it.

use crate::call::no_flags;
use crate::config::Config;
use crate::idle::IdleEnd;
use crate::log;
use api::{Code, Error, ErrorDomain, Result};
use rpc::admin::*;
use rpc::error::rpc_error;
use rpc::message::{Header, Message, Status};
use rpc::protocol::Priority;
use rpc::server::{Client, ClientInfo, ClientLimits, Control, Peer, PoolLimits, Reply, Service, Then};
use rpc::xdr::Codec;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

/// `VIR_CLIENT_TRANS_UNIX`.
const TRANSPORT_UNIX: u32 = 0;
const LIBVIRT_VERSION: u64 = 9_000_000;

pub struct Admin {
    pub servers: Arc<OnceLock<Servers>>,
    pub idle: Arc<IdleEnd>,
    pub unauthenticated: Arc<Unauthenticated>,
}

/// What was set for each server as the most clients that have yet to authenticate: kept, since it can be asked for, but none
/// has to here.
pub struct Unauthenticated(Mutex<BTreeMap<String, u32>>);

impl Unauthenticated {
    pub fn new(all: BTreeMap<String, u32>) -> Unauthenticated {
        Unauthenticated(Mutex::new(all))
    }

    /// What the settings say of this server is another, or the most clients in all may be: these have been set already.
    pub fn change(&self, server: &str, before: Option<u32>, after: Option<u32>, clients: usize) {
        if let Some(most) = self.all().get_mut(server) {
            let wanted = after.filter(|_| before != after).unwrap_or(*most);
            *most = wanted.min(u32::try_from(clients).unwrap_or(u32::MAX));
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// libvirt's default of the same.
const UNAUTHENTICATED: u32 = 20;

/// What holds for the daemon's servers at first: never more than clients in all.
pub fn most_unauthenticated(config: &Config) -> BTreeMap<String, u32> {
    let all = [
        ("virtlxcd", config.most_unauthenticated, config.limits.max_clients),
        ("admin", UNAUTHENTICATED, config.admin_limits.max_clients),
    ];
    all.map(|(server, most, clients)| (server.to_string(), most.min(u32::try_from(clients).unwrap_or(u32::MAX)))).into()
}

/// The daemon's servers by name, in the order in which they are listed.
pub type Servers = Vec<(&'static str, Arc<dyn Control>)>;

/// Whether the client has opened its connection.
#[derive(Default)]
pub struct AdminSession(AtomicBool);

impl Service for Admin {
    type Session = AdminSession;

    fn session(&self, _: &Peer) -> AdminSession {
        AdminSession::default()
    }

    fn admit(&self, header: &Header) -> Result<Priority> {
        if (header.program, header.version) != (PROGRAM, VERSION) {
            return Err(rpc_error(format!("Cannot find program {} version {}", header.program, header.version)));
        }
        if header.status != Status::Ok {
            return Err(rpc_error(format!("Unexpected message status {}", header.status.number())));
        }
        Procedure::from_number(header.procedure).map(|p| p.info().priority).ok_or_else(|| unknown(header.procedure))
    }

    #[rustfmt::skip]
    fn call(&self, client: &Arc<Client<Admin>>, message: Message) -> Result<Reply> {
        use Procedure as P;
        let number = message.header.procedure;
        let procedure = P::from_number(number).ok_or_else(|| unknown(number))?;
        let opened = &client.session.0;
        if !opened.load(Ordering::Acquire) && procedure != P::ConnectOpen {
            return Err(Error::internal(ErrorDomain::Rpc, "connection not open"));
        }
        match procedure {
            P::ConnectOpen => typed(&message, |args: ConnectOpenArgs| {
                no_flags(args.flags, "adminDispatchConnectOpen", ErrorDomain::Rpc)?;
                if opened.swap(true, Ordering::AcqRel) {
                    return Err(Error::internal(ErrorDomain::Rpc, "connection already open"));
                }
                Ok(())
            }),
            P::ConnectClose => Ok(Reply { then: Then::Close, ..Reply::default() }),
            P::ConnectGetLibVersion => typed(&message, |(): ()| Ok(ConnectGetLibVersionRet { lib_ver: LIBVIRT_VERSION })),
            P::ConnectListServers => typed(&message, |args| self.list_servers(args)),
            P::ConnectLookupServer => typed(&message, |args| self.lookup_server(args)),
            P::ServerGetThreadpoolParameters => typed(&message, |args| self.workers(args)),
            P::ServerSetThreadpoolParameters => typed(&message, |args| self.set_workers(args)),
            P::ServerListClients => typed(&message, |args| self.list_clients(args)),
            P::ServerLookupClient => typed(&message, |args| self.lookup_client(args)),
            P::ClientGetInfo => typed(&message, |args| self.client_info(args)),
            P::ClientClose => typed(&message, |args| self.close_client(args)),
            P::ServerGetClientLimits => typed(&message, |args| self.limits(args)),
            P::ServerSetClientLimits => typed(&message, |args| self.set_limits(args)),
            P::ConnectGetLoggingOutputs => typed(&message, log_outputs),
            P::ConnectGetLoggingFilters => typed(&message, log_filters),
            P::ConnectSetLoggingOutputs => typed(&message, set_log_outputs),
            P::ConnectSetLoggingFilters => typed(&message, set_log_filters),
            P::ServerUpdateTlsFiles => typed(&message, |args: ServerUpdateTlsFilesArgs| -> Result<()> {
                self.find(&args.srv)?;
                Err(Error::internal(ErrorDomain::Rpc, "no tls service found, unable to update tls files"))
            }),
            P::ConnectSetDaemonTimeout => typed(&message, |args: ConnectSetDaemonTimeoutArgs| {
                let timeout = u64::from(args.timeout);
                self.idle.set_timeout((timeout > 0).then_some(Duration::from_secs(timeout)));
                Ok(())
            }),
        }
    }

    fn gone(&self, _: &Arc<Client<Admin>>) {}

    /// An administrator does not keep the daemon from its end.
    fn clients_changed(&self, _: usize) {}
}

fn unknown(procedure: i32) -> Error {
    rpc_error(format!("unknown procedure: {procedure}"))
}

fn typed<A, R>(message: &Message, handler: impl FnOnce(A) -> Result<R>) -> Result<Reply>
where
    A: Codec<Value = A>,
    R: Codec<Value = R>,
{
    let args = message.decode::<A>().map_err(|_| rpc_error("Unable to decode message payload"))?;
    Reply::new::<R>(&handler(args)?).map_err(|e| rpc_error(format!("Unable to encode message payload: {e}")))
}

impl Admin {
    fn find(&self, server: &NonnullServer) -> Result<&Arc<dyn Control>> {
        let name = server.name.to_string_lossy();
        let servers = self.servers.get().into_iter().flatten();
        servers
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, server)| server)
            .ok_or_else(|| Error::new(ErrorDomain::Rpc, Code::NoServer, format!("No server named '{name}'")))
    }

    fn list_servers(&self, args: ConnectListServersArgs) -> Result<ConnectListServersRet> {
        no_flags(args.flags, "adminConnectListServers", ErrorDomain::Rpc)?;
        let servers = self.servers.get().into_iter().flatten();
        let servers: Vec<_> = servers.map(|(name, _)| NonnullServer { name: (*name).into() }).collect();
        let ret = servers.len() as u32;
        Ok(ConnectListServersRet { servers: if args.need_results != 0 { servers } else { Vec::new() }, ret })
    }

    fn lookup_server(&self, args: ConnectLookupServerArgs) -> Result<ConnectLookupServerRet> {
        no_flags(args.flags, "adminConnectLookupServer", ErrorDomain::Rpc)?;
        let srv = NonnullServer { name: args.name };
        self.find(&srv)?;
        Ok(ConnectLookupServerRet { srv })
    }

    fn workers(&self, args: ServerGetThreadpoolParametersArgs) -> Result<ServerGetThreadpoolParametersRet> {
        no_flags(args.flags, "adminServerGetThreadPoolParameters", ErrorDomain::Rpc)?;
        let state = self.find(&args.srv)?.workers();
        let params = [
            ("minWorkers", state.limits.min_workers),
            ("maxWorkers", state.limits.max_workers),
            ("nWorkers", state.workers),
            ("freeWorkers", state.free_workers),
            ("prioWorkers", state.priority_workers),
            ("jobQueueDepth", state.queued),
        ];
        Ok(ServerGetThreadpoolParametersRet { params: params.map(uint).into() })
    }

    fn set_workers(&self, args: ServerSetThreadpoolParametersArgs) -> Result<()> {
        no_flags(args.flags, "adminServerSetThreadPoolParameters", ErrorDomain::Rpc)?;
        let server = self.find(&args.srv)?;
        let mut limits = server.workers().limits;
        for param in args.params {
            match uint_of(param)? {
                (name, value) if name == "minWorkers" => limits.min_workers = value,
                (name, value) if name == "maxWorkers" => limits.max_workers = value,
                (name, value) if name == "prioWorkers" => limits.priority_workers = value,
                (name, _) => return Err(unsupported(&name)),
            }
        }
        check_workers(&limits)?;
        server.set_workers(limits);
        Ok(())
    }

    fn list_clients(&self, args: ServerListClientsArgs) -> Result<ServerListClientsRet> {
        no_flags(args.flags, "adminServerListClients", ErrorDomain::Rpc)?;
        let clients = self.find(&args.srv)?.clients();
        let ret = clients.len() as u32;
        let clients = clients.iter().filter(|_| args.need_results != 0).map(|client| to_wire(&args.srv, client));
        Ok(ServerListClientsRet { clients: clients.collect(), ret })
    }

    fn lookup_client(&self, args: ServerLookupClientArgs) -> Result<ServerLookupClientRet> {
        no_flags(args.flags, "adminServerLookupClient", ErrorDomain::Rpc)?;
        let client = self.client(&args.srv, args.id)?;
        Ok(ServerLookupClientRet { clnt: to_wire(&args.srv, &client) })
    }

    fn client(&self, server: &NonnullServer, id: u64) -> Result<ClientInfo> {
        let clients = self.find(server)?.clients();
        clients.into_iter().find(|client| client.id == id).ok_or_else(|| no_client(id))
    }

    fn client_info(&self, args: ClientGetInfoArgs) -> Result<ClientGetInfoRet> {
        no_flags(args.flags, "adminClientGetInfo", ErrorDomain::Rpc)?;
        let peer = self.client(&args.clnt.srv, args.clnt.id)?.peer;
        let param = |field: &str, value| TypedParam { field: field.into(), value };
        let name = |path: &str, id: u32| TypedParamValue::String(name_of(path, id).unwrap_or_default().into());
        let mut params = vec![param("readonly", TypedParamValue::Boolean(peer.read_only.into()))];
        if let (Some(uid), Some(gid), Some(pid)) = (peer.uid, peer.gid, peer.pid) {
            params.extend([
                param("unix_user_id", TypedParamValue::Int(uid as i32)),
                param("unix_user_name", name("/etc/passwd", uid)),
                param("unix_group_id", TypedParamValue::Int(gid as i32)),
                param("unix_group_name", name("/etc/group", gid)),
                param("unix_process_id", TypedParamValue::Int(pid)),
            ]);
        }
        Ok(ClientGetInfoRet { params })
    }

    fn close_client(&self, args: ClientCloseArgs) -> Result<()> {
        no_flags(args.flags, "adminClientClose", ErrorDomain::Rpc)?;
        let known = self.find(&args.clnt.srv)?.close_client(args.clnt.id);
        if known { Ok(()) } else { Err(no_client(args.clnt.id)) }
    }

    fn limits(&self, args: ServerGetClientLimitsArgs) -> Result<ServerGetClientLimitsRet> {
        no_flags(args.flags, "adminServerGetClientLimits", ErrorDomain::Rpc)?;
        let server = self.find(&args.srv)?;
        let params = [
            ("nclients_max", server.limits().max_clients as u32),
            ("nclients", server.clients().len() as u32),
            ("nclients_unauth_max", self.most_unauthenticated(&args.srv)),
            // Nobody has to authenticate: no client is ever without.
            ("nclients_unauth", 0),
        ];
        Ok(ServerGetClientLimitsRet { params: params.map(uint).into() })
    }

    fn set_limits(&self, args: ServerSetClientLimitsArgs) -> Result<()> {
        no_flags(args.flags, "adminServerSetClientLimits", ErrorDomain::Rpc)?;
        let server = self.find(&args.srv)?;
        let mut limits: ClientLimits = server.limits();
        let mut unauthenticated = self.most_unauthenticated(&args.srv);
        for param in args.params {
            match uint_of(param)? {
                (name, value) if name == "nclients_max" => limits.max_clients = value as usize,
                (name, value) if name == "nclients_unauth_max" => unauthenticated = value,
                (name, _) => return Err(unsupported(&name)),
            }
        }
        if unauthenticated as usize > limits.max_clients {
            let words = "The overall maximum number of clients waiting for authentication must not be less than the \
                         overall maximum number of clients";
            let more = format!("; {unauthenticated} would be more than {}", limits.max_clients);
            return Err(Error::new(ErrorDomain::Rpc, Code::InvalidArg, words).explain(more));
        }
        server.set_limits(limits);
        self.unauthenticated.all().insert(args.srv.name.to_string_lossy(), unauthenticated);
        Ok(())
    }

    fn most_unauthenticated(&self, server: &NonnullServer) -> u32 {
        self.unauthenticated.all().get(&server.name.to_string_lossy()).copied().unwrap_or(UNAUTHENTICATED)
    }
}

fn check_workers(limits: &PoolLimits) -> Result<()> {
    let refused = |words: &str| Err(Error::new(ErrorDomain::Rpc, Code::InvalidArg, words));
    match (limits.min_workers, limits.max_workers) {
        (min, max) if min > max => refused("minWorkers cannot be larger than maxWorkers"),
        (_, 0) => refused("maxWorkers must be greater than 0"),
        _ => Ok(()),
    }
}

fn uint((field, value): (&str, u32)) -> TypedParam {
    TypedParam { field: field.into(), value: TypedParamValue::Uint(value) }
}

fn uint_of(param: TypedParam) -> Result<(String, u32)> {
    let name = param.field.to_string_lossy();
    match param.value {
        TypedParamValue::Uint(value) => Ok((name, value)),
        _ => Err(Error::new(
            ErrorDomain::Rpc,
            Code::InvalidArg,
            format!("invalid type for parameter '{name}', expected 'uint'"),
        )),
    }
}

fn unsupported(name: &str) -> Error {
    Error::new(ErrorDomain::Rpc, Code::ArgumentUnsupported, format!("parameter '{name}' not supported"))
}

fn no_client(id: u64) -> Error {
    Error::new(ErrorDomain::Rpc, Code::NoClient, format!("No client with matching ID '{id}'"))
}

fn to_wire(server: &NonnullServer, client: &ClientInfo) -> NonnullClient {
    let timestamp = client.peer.since.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64;
    NonnullClient { srv: server.clone(), id: client.id, timestamp, transport: TRANSPORT_UNIX }
}

/// From the files alone: the daemon asks no name service.
fn name_of(path: &str, id: u32) -> Option<String> {
    let id = id.to_string();
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find(|line| line.split(':').nth(2) == Some(&id))?.split(':').next().map(str::to_string)
}

fn log_outputs(args: ConnectGetLoggingOutputsArgs) -> Result<ConnectGetLoggingOutputsRet> {
    no_flags(args.flags, "adminConnectGetLoggingOutputs", ErrorDomain::Rpc)?;
    let outputs = log::outputs_text();
    let noutputs = outputs.split_whitespace().count() as u32;
    Ok(ConnectGetLoggingOutputsRet { outputs: outputs.into(), noutputs })
}

fn log_filters(args: ConnectGetLoggingFiltersArgs) -> Result<ConnectGetLoggingFiltersRet> {
    no_flags(args.flags, "adminConnectGetLoggingFilters", ErrorDomain::Rpc)?;
    let filters = log::filters_text();
    let nfilters = filters.split_whitespace().count() as u32;
    Ok(ConnectGetLoggingFiltersRet { filters: (nfilters > 0).then(|| filters.into()), nfilters })
}

fn set_log_outputs(args: ConnectSetLoggingOutputsArgs) -> Result<()> {
    no_flags(args.flags, "adminConnectSetLoggingOutputs", ErrorDomain::Rpc)?;
    let text = args.outputs.map(|text| text.to_string_lossy()).unwrap_or_default();
    let outputs = log::Outputs::parse(&text).map_err(|why| Error::new(ErrorDomain::Rpc, Code::InvalidArg, why))?;
    log::set_outputs(outputs);
    Ok(())
}

fn set_log_filters(args: ConnectSetLoggingFiltersArgs) -> Result<()> {
    no_flags(args.flags, "adminConnectSetLoggingFilters", ErrorDomain::Rpc)?;
    let text = args.filters.map(|text| text.to_string_lossy()).unwrap_or_default();
    let filters = log::Filters::parse(&text).map_err(|why| Error::new(ErrorDomain::Rpc, Code::InvalidArg, why))?;
    log::set_filters(filters);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unauthenticated_change_where_the_settings_do() {
        let all = Unauthenticated::new([("admin".to_string(), 20), ("virtlxcd".to_string(), 20)].into());
        all.change("virtlxcd", Some(20), Some(30), 5000);
        all.change("admin", Some(20), Some(20), 5000);
        let is = |virtlxcd: u32, admin: u32| {
            assert_eq!(*all.all(), [("admin".to_string(), admin), ("virtlxcd".to_string(), virtlxcd)].into());
        };
        is(30, 20);
        // An administrator's figure stays, but for one that no longer goes.
        all.all().insert("virtlxcd".into(), 60);
        all.change("virtlxcd", Some(30), Some(30), 5000);
        all.change("admin", Some(20), Some(3), 3);
        is(60, 3);
        all.change("virtlxcd", Some(30), Some(30), 50);
        is(50, 3);
    }

    #[test]
    fn the_unauthenticated_are_no_more_than_all() {
        for (text, daemon, admin) in [
            ("", 20, 20),
            ("max_anonymous_clients = 7", 7, 20),
            ("max_clients = 5\nadmin_max_clients = 3", 5, 3),
            ("max_anonymous_clients = 9\nmax_clients = 8", 8, 20),
        ] {
            let found = most_unauthenticated(&Config::parse(text).unwrap());
            assert_eq!((found["virtlxcd"], found["admin"]), (daemon, admin), "{text}");
        }
    }
}
