//! Documents of domains, networks, capabilities and the machine's devices: parsed, checked, completed and written as libvirt does.
//! Pure: no I/O, clock, randomness or host; what they decide comes in as arguments.
#![forbid(unsafe_code)]

mod address;
pub mod capabilities;
mod cpuset;
pub mod domain;
pub mod element;
pub mod file;
pub mod host_interface;
mod mac;
pub mod native;
mod netdev;
pub mod network;
pub mod nodedev;
mod number;
mod refuse;
mod shape;
pub mod status;
mod words;
pub mod xml;

pub use cpuset::CpuSet;
pub use mac::Mac;
pub use netdev::{Bandwidth, Rate};
