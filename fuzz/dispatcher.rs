//! Conversations with the dispatcher of a daemon whose folders are empty and which can start nothing, for it is nobody on the
//! machine: no call panics, hangs or leaves its memory.
//!
//! The first byte says how the connection is opened; then, for each call, two bytes of its procedure, one of its program, two of
//! the length of its arguments, and these. Seeds: `fuzz/dispatch.corpus`, from the recorded conversations.

use api::{Paths, Uuid};
use rpc::message::{HEADER, Header, Message};
use rpc::remote::*;
use rpc::server::{Client, ClientLimits, Listening, Loop, PoolLimits, Server, Service};
use rpc::xdr::{Codec, decode};
use rpc::{lxc, qemu, virtlxc};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use virtlxcd::daemon::{Daemon, Hypervisor};

const PROGRAMS: [(u32, u32); 4] = [
    (PROGRAM, VERSION),
    (lxc::PROGRAM, lxc::VERSION),
    (qemu::PROGRAM, qemu::VERSION),
    (virtlxc::PROGRAM, virtlxc::VERSION),
];
/// So many inputs have one connection in turn.
const TURN: usize = 100;

/// All that the daemon keeps is in it. In memory where that is to be had, for definitions are synced.
pub fn folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
    parent.join(format!("virtlxc-fuzz-{}", std::process::id()))
}

struct Served {
    sockets: [PathBuf; 2],
    server: Arc<Server<Hypervisor>>,
}

/// The daemon, made once.
fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let nobody = (rustix::process::Uid::from_raw(65_534), rustix::process::Gid::from_raw(65_534));
        if rustix::process::geteuid().is_root() {
            set_thread_groups(&[]).unwrap();
            set_thread_res_gid(nobody.1, nobody.1, nobody.1).unwrap();
            set_thread_res_uid(nobody.0, nobody.0, nobody.0).unwrap();
        }
        let paths = Paths::under(&folder());
        std::fs::create_dir_all(&paths.run).unwrap();
        let event_loop = Arc::new(Loop::new().unwrap());
        let daemon = Daemon::new(paths.clone(), Uuid([7; 16]));
        let workers = PoolLimits { min_workers: 1, max_workers: 1, priority_workers: 1 };
        let limits = ClientLimits { max_clients: 100, max_requests: 5, keepalive: None };
        let service = Hypervisor { daemon: Arc::clone(&daemon) };
        let server = Server::new("rpc-worker", Arc::clone(&event_loop), service, workers, limits);
        daemon.set_server(&server);
        let audit = ::lxc::AuditSettings { level: 0, logging: false };
        daemon.start_drivers(&event_loop, audit, ::lxc::SecuritySettings::default(), false).unwrap();
        let sockets = [paths.run.join("rw"), paths.run.join("ro")];
        for (path, read_only) in sockets.iter().zip([false, true]) {
            let socket = UnixListener::bind(path).unwrap();
            socket.set_nonblocking(true).unwrap();
            server.listen(Listening { socket: socket.into(), read_only }).unwrap();
        }
        std::thread::spawn(move || event_loop.run().unwrap());
        Served { sockets, server }
    })
}

/// A connection, whose calls are taken at the dispatcher's door: what comes before it is the decoder's matter.
struct Connection {
    client: Arc<Client<Hypervisor>>,
    inputs: usize,
    _socket: UnixStream,
}

impl Connection {
    fn open(read_only: bool, asks_for_driver: bool) -> Connection {
        let served = served();
        let known = served.server.clients().last().map_or(0, |client| client.id);
        let socket = UnixStream::connect(&served.sockets[usize::from(read_only)]).unwrap();
        let client = loop {
            match served.server.clients().pop().filter(|client| client.id > known) {
                Some(client) => break client,
                None => std::thread::yield_now(),
            }
        };
        let connection = Connection { client, inputs: 0, _socket: socket };
        if asks_for_driver {
            let args = ConnectOpenArgs { name: Some("lxc:///".into()), flags: 0 };
            let opened: Option<()> = connection.typed(Procedure::ConnectOpen, &args);
            assert!(opened.is_some());
        }
        connection
    }

    fn call(&self, (program, version): (u32, u32), procedure: i32, payload: &[u8]) -> Option<Vec<u8>> {
        let header = Header { program, version, procedure, ..Header::call(Procedure::AuthList, 1) };
        let service = &served().server.service;
        service.admit(&header).ok()?;
        let frame = [&header.encode()[..], payload].concat();
        let reply = service.call(&self.client, Message::from_frame(header, frame, HEADER, Vec::new()));
        reply.ok().map(|reply| reply.payload)
    }

    fn typed<A: Codec<Value = A>, R: Codec<Value = R>>(&self, procedure: Procedure, args: &A) -> Option<R> {
        let payload = rpc::xdr::encode::<A>(args).ok()?;
        decode::<R>(&self.call(PROGRAMS[0], procedure.number(), &payload)?).ok()
    }

    /// What one input has defined is there for the next, but not for ever.
    fn forget_all(&self) {
        let args = ConnectListAllDomainsArgs { need_results: 1, flags: 0 };
        let all: Option<ConnectListAllDomainsRet> = self.typed(Procedure::ConnectListAllDomains, &args);
        for dom in all.map(|all| all.domains).unwrap_or_default() {
            let _: Option<()> = self.typed(Procedure::DomainUndefine, &DomainUndefineArgs { dom });
        }
        let args = ConnectListAllNetworksArgs { need_results: 1, flags: 0 };
        let all: Option<ConnectListAllNetworksRet> = self.typed(Procedure::ConnectListAllNetworks, &args);
        for net in all.map(|all| all.nets).unwrap_or_default() {
            let _: Option<()> = self.typed(Procedure::NetworkUndefine, &NetworkUndefineArgs { net });
        }
    }
}

/// The connections that are open, by the first byte of an input.
static CONNECTIONS: Mutex<[Option<Connection>; 4]> = Mutex::new([None, None, None, None]);

/// Takes one input; how many of its calls were answered with a result.
pub fn check(bytes: &[u8]) -> usize {
    let Some((how, mut rest)) = bytes.split_first() else { return 0 };
    let mut connections = CONNECTIONS.lock().unwrap();
    let slot = &mut connections[usize::from(how % 4)];
    if slot.as_ref().is_some_and(|there| there.inputs > TURN || there.client.is_closed()) {
        *slot = None;
        Connection::open(false, true).forget_all();
    }
    let connection = slot.get_or_insert_with(|| Connection::open(how & 1 != 0, how & 2 == 0));
    connection.inputs += 1;
    let mut answered = 0;
    while let Some((&[a, b, program, c, d], more)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([c, d])).min(more.len());
        let (payload, more) = more.split_at(length);
        let program = PROGRAMS[usize::from(program) % PROGRAMS.len()];
        let answer = connection.call(program, i32::from(u16::from_be_bytes([a, b])), payload);
        answered += usize::from(answer.is_some());
        rest = more;
    }
    answered
}
