//! Any bytes as what a stream of `virsh exec` and `virsh cp` carries.
#![no_main]
#![forbid(unsafe_code)]

use libfuzzer_sys::fuzz_target;

#[path = "../streams.rs"]
mod streams;

fuzz_target!(|bytes: &[u8]| {
    streams::check(bytes);
});
