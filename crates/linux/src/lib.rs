//! The kernel in our words: the only crate with `unsafe` code.

pub mod cgroup;
pub mod descriptor;
pub mod mountinfo;
pub mod netlink;
pub mod signal;
pub mod spawn;
