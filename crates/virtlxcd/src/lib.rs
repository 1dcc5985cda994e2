//! The daemon as a library: what `virtlxcd`'s own program runs, and what fuzzing runs of it without one.
#![forbid(unsafe_code)]

mod admin;
pub mod background;
mod beside;
mod call;
mod config;
mod connect;
mod convert;
pub mod daemon;
mod daemon_hook;
mod device_events;
mod dispatch;
mod documents;
mod domains;
mod domains_devices;
mod domains_inside;
mod domains_life;
mod domains_stats;
mod domains_tuning;
mod events;
mod host;
mod idle;
mod interfaces;
mod lacking;
mod log;
pub mod lxc_config;
mod networks;
mod networks_ports;
mod node;
mod nodedevices;
pub mod options;
mod pidfile;
mod reload;
pub mod run;
mod settings_file;
mod sockets;
