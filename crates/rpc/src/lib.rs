//! libvirt's wire protocol: XDR, framing, file descriptors, client and server; and what our own program's streams carry.
//!
//! Knows nothing of domains or XML. The types of each program are in a module of its name.
#![forbid(unsafe_code)]

pub mod archive;
pub mod client;
pub mod error;
pub mod message;
pub mod protocol;
pub mod records;
pub mod server;
pub mod wire;
pub mod xdr;

pub use protocol::{ProgramProcedure, admin, controller, keepalive, lxc, monitor, qemu, remote, virnet, virtlxc};
pub use xdr::Str;
