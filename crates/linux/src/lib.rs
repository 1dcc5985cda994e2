//! The kernel in our words: the only crate with `unsafe` code.

pub mod descriptor;
pub mod netlink;
pub mod signal;
pub mod spawn;
