//! Conversations with the dispatcher of a daemon.
#![no_main]
#![forbid(unsafe_code)]

use libfuzzer_sys::fuzz_target;

#[path = "../dispatcher.rs"]
mod dispatcher;

fuzz_target!(|bytes: &[u8]| {
    dispatcher::check(bytes);
});
