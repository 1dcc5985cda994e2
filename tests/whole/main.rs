//! Whole programs on the real kernel, each test in a sandbox of its own: `cargo xtask test whole`.
#![forbid(unsafe_code)]

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
mod exchange;
mod failures;
mod files;
mod guest;
mod hooks;
mod inside;
mod layouts;
mod leftovers;
mod life;
mod network;
mod network_more;
mod output_json;
mod readers;
mod recorded;
mod tours;
mod wire;
