//! A client's connection: calls from any thread, events, streams, keepalive.
//!
//! One thread reads the socket and hands out what comes; callers write for themselves and wait for their reply.

mod connection;
mod reader;
mod stream;
mod transport;
mod uri;

pub use connection::{CloseReason, Connection, Keepalive, OpenOptions};
pub use stream::Stream;
pub use uri::{Transport, Uri};
