//! The server: one loop for all sockets, a pool of workers for the calls, no thread per client.
//!
//! What the calls mean is the [`Service`]'s business.

mod client;
mod event_loop;
mod listener;
mod pool;
mod stream;

pub use client::{Client, Peer};
pub use event_loop::{EventFlags, Loop, Source, Token};
pub use listener::{ClientInfo, ClientLimits, Control, Listening, Server};
pub use pool::{PoolLimits, PoolState};
pub use stream::StreamSession;

use crate::message::{Header, Message};
use crate::protocol::Priority;
use crate::xdr::{Codec, XdrError};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// What a server offers. Methods named `…ed` and [`Service::admit`] run in the loop and must not block; [`Service::call`]
/// and [`Service::gone`] run on workers and may.
pub trait Service: Send + Sync + Sized + 'static {
    /// What the service remembers of one client.
    type Session: Send + Sync;

    fn session(&self, peer: &Peer) -> Self::Session;

    /// Whether there is such a procedure, and who may take it.
    fn admit(&self, header: &Header) -> api::Result<Priority>;

    fn call(&self, client: &Arc<Client<Self>>, message: Message) -> api::Result<Reply>;

    /// The client is gone, its streams with it.
    fn gone(&self, client: &Arc<Client<Self>>);

    /// The number of clients has changed.
    fn clients_changed(&self, count: usize);
}

/// What a call answers.
#[derive(Debug, Default)]
pub struct Reply {
    pub payload: Vec<u8>,
    pub fds: Vec<OwnedFd>,
    pub then: Then,
}

/// What happens behind the reply.
#[derive(Debug, Default)]
pub enum Then {
    #[default]
    Nothing,
    /// The connection closes when the reply is written.
    Close,
    /// The call opened a stream: bytes between the client and this terminal, socket or pipe.
    Stream(OwnedFd),
    /// The same, and somebody else can see whether it is open, and end it.
    SharedStream(OwnedFd, Arc<StreamSession>),
}

impl Reply {
    pub fn new<C: Codec>(value: &C::Value) -> Result<Reply, XdrError> {
        Ok(Reply { payload: crate::xdr::encode::<C>(value)?, ..Reply::default() })
    }
}
