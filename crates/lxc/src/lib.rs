//! The daemon's side of the container driver: which domains there are, and what happens to them.
//!
//! Clients' calls come in as plain arguments; what a call answers goes out as `api` values and documents. Each running
//! container has a controller (the program `libvirt_lxc`), which this crate starts, listens to and ends.
#![forbid(unsafe_code)]

mod affect;
mod audit;
mod autostart;
mod console;
mod controller;
mod define;
mod describe;
mod driver;
mod emulator;
mod files;
mod forwards;
mod guarded;
mod guest;
mod hooks;
mod hotplug;
mod hotplug_live;
mod hotplug_update;
mod idmap;
mod inside;
mod interfaces;
mod job;
mod late;
mod links_home;
mod list;
mod log;
mod look;
mod metadata;
mod monitor;
mod mounts;
mod native;
mod nursery;
mod object;
mod reconnect;
mod rename;
mod replug;
mod security;
mod shares;
mod shutdown;
mod sources;
mod start;
mod statistics;
mod stop;
mod suspend;
mod terminals;
mod tuning;
mod usb;

pub use affect::{CONFIG, LIVE};
pub use audit::AuditSettings;
pub use console::FoundConsole;
pub use describe::{Info, XmlForm};
pub use driver::{Driver, Setup, Work};
pub use guest::GuestInterface;
pub use list::ListFilter;
pub use look::{GuestFileSystem, kinds};
pub use object::DomainObject;
pub use security::SecuritySettings;
pub use shutdown::{INITCTL, SIGNAL, Wish};
pub use start::StartOptions;
pub use statistics::{CpuStats, InterfaceCounters, groups};
pub use tuning::{BLOCK_PARAMETERS, MAXIMUM};
