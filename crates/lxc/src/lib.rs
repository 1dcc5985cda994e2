//! The daemon's side of the container driver: which domains there are, and what happens to them.
//!
//! Clients' calls come in as plain arguments; what a call answers goes out as `api` values and documents. Each running
//! container has a controller (the program `libvirt_lxc`), which this crate starts, listens to and ends.
#![forbid(unsafe_code)]

mod autostart;
mod console;
mod controller;
mod define;
mod describe;
mod driver;
mod emulator;
mod files;
mod hooks;
mod interfaces;
mod job;
mod list;
mod log;
mod monitor;
mod object;
mod reconnect;
mod shares;
mod shutdown;
mod start;
mod stop;
mod suspend;
mod terminals;

pub use console::Console;
pub use describe::{Info, XmlForm};
pub use driver::{Driver, Setup, Work};
pub use list::ListFilter;
pub use object::DomainObject;
pub use shutdown::{INITCTL, SIGNAL, Wish};
pub use start::StartOptions;
