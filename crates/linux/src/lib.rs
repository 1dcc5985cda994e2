//! The kernel in our words: the only crate with `unsafe` code.

pub mod beneath;
pub mod capability;
pub mod cgroup;
pub mod cmdline;
pub mod dbus;
pub mod descriptor;
pub mod ethtool;
pub mod fuse;
pub mod handover;
pub mod idmap;
pub mod label;
pub mod lock;
pub mod loopdev;
pub mod mount;
pub mod mountinfo;
pub mod netlink;
pub mod process;
pub mod pty;
pub mod script;
pub mod sealed;
pub mod seccomp;
pub mod signal;
pub mod spawn;
