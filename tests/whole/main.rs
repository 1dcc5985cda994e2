//! Whole programs on the real kernel, each test in a sandbox of its own: `cargo xtask test whole`.
#![forbid(unsafe_code)]

mod actions;
mod attach;
mod autostart;
mod calls;
mod compared;
mod consoles;
mod container;
mod conversions;
mod copies;
mod daemon;
mod debian;
mod documents;
mod elements;
mod enter;
mod events;
mod exchange;
mod failures;
mod faults;
mod files;
mod guest;
mod hooks;
mod hostile;
mod inside;
mod layouts;
mod leftovers;
mod life;
mod look;
mod network;
mod network_more;
mod nodedevices;
mod nursery;
mod output_json;
mod readers;
mod recorded;
mod reload;
mod remote;

mod settings;
mod shares;
mod stress;
mod tours;
mod unstarted;
mod wire;
