//! Listening sockets and the limits that all clients of a server share.

use super::Service;
use super::client::{Client, Peer};
use super::event_loop::{EventFlags, Loop, Source, Token, lock};
use super::pool::{Job, Pool, PoolLimits, PoolState};
use crate::client::Keepalive;
use crate::protocol::Priority;
use api::Result;
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Without descriptors to accept with, the listeners rest so long.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientLimits {
    /// With so many clients, further ones wait in the sockets' backlogs.
    pub max_clients: usize,
    /// Calls of one client that are read and not answered.
    pub max_requests: usize,
    /// None: the server never asks whether a client lives.
    pub keepalive: Option<Keepalive>,
}

/// One socket to listen on.
pub struct Listening {
    pub socket: OwnedFd,
    pub read_only: bool,
}

/// A set of listening sockets with one service, one pool of workers and common limits.
pub struct Server<S: Service> {
    pub service: S,
    pub(super) event_loop: Arc<Loop>,
    pub(super) pool: Arc<Pool>,
    limits: Mutex<ClientLimits>,
    clients: Mutex<BTreeMap<u64, Arc<Client<S>>>>,
    listeners: Mutex<Vec<Arc<Listener<S>>>>,
    next_client: AtomicU64,
    /// Calls that have not begun are not begun any more.
    pub(super) ending: AtomicBool,
}

/// What an administrator sees and changes, whatever the server's service is.
pub trait Control: Send + Sync {
    fn clients(&self) -> Vec<ClientInfo>;
    /// False: there is no such client.
    fn close_client(&self, id: u64) -> bool;
    fn limits(&self) -> ClientLimits;
    fn set_limits(&self, limits: ClientLimits);
    fn workers(&self) -> PoolState;
    fn set_workers(&self, limits: PoolLimits);
}

#[derive(Debug, Clone, Copy)]
pub struct ClientInfo {
    pub id: u64,
    pub peer: Peer,
}

impl<S: Service> Control for Server<S> {
    fn clients(&self) -> Vec<ClientInfo> {
        lock(&self.clients).values().map(|client| ClientInfo { id: client.id, peer: client.peer }).collect()
    }

    fn close_client(&self, id: u64) -> bool {
        let client = lock(&self.clients).get(&id).cloned();
        client.inspect(Client::close).is_some()
    }

    fn limits(&self) -> ClientLimits {
        *lock(&self.limits)
    }

    fn set_limits(&self, limits: ClientLimits) {
        let before = std::mem::replace(&mut *lock(&self.limits), limits);
        self.arm_listeners();
        if before.keepalive != limits.keepalive {
            Server::clients(self).iter().for_each(|client| client.keepalive_changed());
        }
    }

    fn workers(&self) -> PoolState {
        self.pool.state()
    }

    fn set_workers(&self, limits: PoolLimits) {
        self.pool.set_limits(limits);
    }
}

struct Listener<S: Service> {
    server: Arc<Server<S>>,
    listening: Listening,
    token: Token,
}

impl<S: Service> Server<S> {
    pub fn new(
        name: &'static str,
        event_loop: Arc<Loop>,
        service: S,
        workers: PoolLimits,
        limits: ClientLimits,
    ) -> Arc<Server<S>> {
        Arc::new(Server {
            service,
            event_loop,
            pool: Pool::new(name, workers),
            limits: Mutex::new(limits),
            clients: Mutex::default(),
            listeners: Mutex::default(),
            next_client: AtomicU64::new(1),
            ending: AtomicBool::new(false),
        })
    }

    /// Accepts clients from now on.
    pub fn listen(self: &Arc<Self>, listening: Listening) -> Result<()> {
        let token = self.event_loop.token();
        let listener = Arc::new(Listener { server: Arc::clone(self), listening, token });
        lock(&self.listeners).push(Arc::clone(&listener));
        let source = Arc::clone(&listener);
        self.event_loop.add(token, &listener.listening.socket, EventFlags::IN, source)
    }

    /// The clients there are, oldest first.
    pub fn clients(&self) -> Vec<Arc<Client<S>>> {
        lock(&self.clients).values().cloned().collect()
    }

    /// Work that is nobody's call, for a worker.
    pub fn spawn(&self, priority: Priority, job: Job) {
        if self.pool.push(priority, job).is_err() {
            tracing::debug!("the server ends: a job is left undone");
        }
    }

    /// Closes the listeners, lets running calls end (at most so long) and closes the clients; the service hears of each.
    pub fn finish(&self, patience: Duration) {
        self.ending.store(true, Ordering::Release);
        for listener in lock(&self.listeners).drain(..) {
            self.event_loop.remove(listener.token, &listener.listening.socket);
        }
        self.pool.finish(patience);
        for client in self.clients() {
            client.close();
        }
    }

    pub(super) fn forget(&self, client: u64) -> bool {
        let mut clients = lock(&self.clients);
        let known = clients.remove(&client).is_some();
        let count = clients.len();
        drop(clients);
        if known {
            self.arm_listeners();
            self.service.clients_changed(count);
        }
        known
    }

    fn arm_listeners(&self) {
        // Counted under the lock: of two threads, the later one must not arm by an older count.
        let listeners = lock(&self.listeners);
        let full = lock(&self.clients).len() >= self.limits().max_clients;
        let flags = if full { EventFlags::empty() } else { EventFlags::IN };
        for listener in listeners.iter() {
            self.event_loop.modify(listener.token, &listener.listening.socket, flags);
        }
    }

    fn welcome(self: &Arc<Self>, socket: OwnedFd, read_only: bool) {
        let id = self.next_client.fetch_add(1, Ordering::Relaxed);
        let client = Client::new(id, Arc::clone(self), socket, read_only);
        let mut clients = lock(&self.clients);
        clients.insert(id, Arc::clone(&client));
        let count = clients.len();
        drop(clients);
        self.service.clients_changed(count);
        if let Err(error) = client.start() {
            tracing::error!("client {id}: {error}");
            client.close();
        }
    }
}

impl<S: Service> Source for Listener<S> {
    fn ready(self: Arc<Self>, flags: EventFlags) {
        let server = &self.server;
        if flags.is_empty() {
            server.event_loop.set_timer(self.token, Instant::now() + OUT_OF_DESCRIPTORS);
            return;
        }
        while lock(&server.clients).len() < server.limits().max_clients {
            match accept_with(&self.listening.socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(socket) => server.welcome(socket, self.listening.read_only),
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(errno) => {
                    tracing::error!("cannot accept a client: {errno}");
                    self.server.event_loop.modify(self.token, &self.listening.socket, EventFlags::empty());
                    server.event_loop.set_timer(self.token, Instant::now() + OUT_OF_DESCRIPTORS);
                    return;
                }
            }
        }
        server.arm_listeners();
    }

    fn timer(self: Arc<Self>) {
        self.server.arm_listeners();
    }
}

/// Who is at the other end of an accepted socket.
pub(super) fn peer(socket: &OwnedFd, read_only: bool) -> Peer {
    let credentials = rustix::net::sockopt::socket_peercred(socket).ok();
    Peer {
        read_only,
        pid: credentials.map(|c| c.pid.as_raw_nonzero().get()),
        uid: credentials.map(|c| c.uid.as_raw()),
        gid: credentials.map(|c| c.gid.as_raw()),
        since: std::time::SystemTime::now(),
    }
}
