//! Domain, network and capabilities documents: parsed, checked, completed and written as libvirt does.
//! Pure: no I/O, clock, randomness or host; what they decide comes in as arguments.
#![forbid(unsafe_code)]

pub mod xml;
