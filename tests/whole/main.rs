//! Whole programs on the real kernel, each test in a sandbox of its own: `cargo xtask test whole`.
#![forbid(unsafe_code)]

mod actions;
mod autostart;
mod calls;
mod consoles;
mod container;
mod conversions;
mod copies;
mod daemon;
mod debian;
mod documents;
mod elements;
mod enter;
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
mod output_json;
mod readers;
mod recorded;
mod shares;
mod tours;
mod wire;
